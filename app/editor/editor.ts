/**
 * The SQL editor: CodeMirror 6 over a `<textarea>`, which stays as the form field and as what a page without scripts
 * gets. Loaded with `import()` by `app/src/ui/code_editor.rs`, which calls what is exported here. Everything that
 * crosses the border is a number, a string or JSON; offsets are UTF-16 units.
 */
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap,
  startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { sql } from "@codemirror/lang-sql";
import { bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, dropCursor, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars,
  keymap, lineNumbers, placeholder } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { completion } from "./parts/completion";
import { dialect } from "./parts/dialect";
import { beginRun, showProgress, statementOfRun, statements } from "./parts/statements";
import { theme } from "./parts/theme";

/** What the page is told, and asked. */
interface Hooks {
  change(text: string): void;
  /** Run the selection, or the statement at the cursor when nothing is selected. */
  run(from: number, to: number): void;
  run_all(): void;
  /** JSON of `Span[]`. */
  split(text: string): string;
  /** JSON of a question in, JSON of completions out. */
  complete(question: string): Promise<string>;
}

/** Texts in the language of the page. */
interface Texts {
  run: string;
  placeholder: string;
  /** CodeMirror's own phrases. */
  phrases: Record<string, string>;
}

/** Replaces only what differs, so that the cursor and the marks of a run stay. */
function difference(old: string, text: string) {
  let from = 0;
  const shorter = Math.min(old.length, text.length);
  while (from < shorter && old.charCodeAt(from) === text.charCodeAt(from)) from++;
  let end = 0;
  while (end < shorter - from && old.charCodeAt(old.length - 1 - end) === text.charCodeAt(text.length - 1 - end)) end++;
  return { from, to: old.length - end, insert: text.slice(from, text.length - end) };
}

export function mount(textarea: HTMLTextAreaElement, text: string, hooks: Hooks, textsJson: string, nonce?: string) {
  const texts: Texts = JSON.parse(textsJson);
  const attributes: Record<string, string> = { tabindex: "0", "aria-label": textarea.getAttribute("aria-label") ?? "SQL" };
  const describedBy = textarea.getAttribute("aria-describedby");
  if (describedBy) attributes["aria-describedby"] = describedBy;

  const runHere = (view: EditorView) => {
    closeCompletion(view); // It would lie over the results.
    const { from, to } = view.state.selection.main;
    hooks.run(from, to);
    return true;
  };
  const runAll = (view: EditorView) => {
    closeCompletion(view);
    hooks.run_all();
    return true;
  };
  const hadFocus = document.activeElement === textarea;
  const view = new EditorView({
    doc: text,
    extensions: [
      nonce ? EditorView.cspNonce.of(nonce) : [],
      Prec.highest(keymap.of([
        { key: "Mod-Enter", run: runHere },
        { key: "Mod-Shift-Enter", run: runAll },
        { key: "Alt-x", run: runAll },
        { key: "Alt-/", run: startCompletion },
        { key: "Tab", run: acceptCompletion },
      ])),
      keymap.of([
        ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap,
        indentWithTab, // Escape, then Tab leaves: built into CodeMirror.
      ]),
      statements({
        split: (text) => JSON.parse(hooks.split(text)),
        run: (span) => hooks.run(span.from, span.to),
        runLabel: texts.run,
      }),
      lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), highlightSpecialChars(),
      history(), drawSelection(), dropCursor(), EditorState.allowMultipleSelections.of(true),
      bracketMatching(), closeBrackets(), search({ top: true }), highlightSelectionMatches(),
      sql({ dialect }), syntaxHighlighting(classHighlighter),
      autocompletion({
        override: [completion(async (question) => JSON.parse(await hooks.complete(JSON.stringify(question))))],
        icons: false, maxRenderedOptions: 60,
      }),
      placeholder(texts.placeholder), EditorState.phrases.of(texts.phrases), EditorState.tabSize.of(2),
      EditorView.contentAttributes.of(attributes), theme,
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        textarea.value = update.state.doc.toString();
        hooks.change(textarea.value);
      }),
    ],
  });
  textarea.value = text;
  textarea.hidden = true;
  textarea.after(view.dom);
  if (hadFocus) view.focus();

  return {
    set_value(text: string) {
      const old = view.state.doc.toString();
      if (old !== text) view.dispatch({ changes: difference(old, text) });
    },
    focus: () => view.focus(),
    has_focus: () => view.hasFocus,
    run_here: () => runHere(view),
    /** Puts text in the place of the selection and the cursor behind it. */
    insert(text: string) {
      view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true });
      view.focus();
    },
    replace(from: number, to: number, text: string) {
      view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length }, scrollIntoView: true });
    },
    begin_run: (json: string) => beginRun(view, JSON.parse(json)),
    show_progress: (json: string) => showProgress(view, JSON.parse(json)),
    /** JSON of where a statement of the shown run stands now, or `null`. */
    statement_of_run: (index: number): string => JSON.stringify(statementOfRun(view.state, index)),
    select(from: number, to: number) {
      const end = view.state.doc.length;
      view.dispatch({ selection: { anchor: Math.min(from, end), head: Math.min(to, end) }, scrollIntoView: true });
      view.focus();
    },
    destroy() {
      view.destroy();
      textarea.hidden = false;
    },
  };
}
