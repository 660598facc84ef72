/**
 * The statements of the text: where they stand, and what became of those that ran. The marks of a run move with the
 * text while one types; the mark of a statement that was itself changed goes away, because it no longer tells the truth.
 */
import { type ChangeDesc, type EditorState, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { type EditorView, gutter, GutterMarker, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";

export type StatementState = "waiting" | "running" | "succeeded" | "failed" | "cancelled" | "unknown" | "skipped";

export interface Span {
  from: number;
  to: number;
}

/** A statement at the start of a run: offsets into the text as it was then. */
export interface Started extends Span {
  text: string;
}

/** What a run says about a statement. */
export interface Progress {
  state: StatementState;
  /** The state in words, for the mark's title. */
  label: string;
  /** `at` counts from the statement's begin. */
  error: { at: Span | null; message: string; suggestion: string | null; replace: string } | null;
}

interface Mark extends Span {
  progress: Progress | null;
}

interface Statements {
  spans: Span[];
  marks: (Mark | null)[];
}

const setSpans = StateEffect.define<Span[]>();
const setMarks = StateEffect.define<(Mark | null)[]>();

/** Whether a change reaches into the statement; one that only touches its ends does not. */
function isChanged(mark: Span, changes: ChangeDesc): boolean {
  let changed = false;
  changes.iterChangedRanges((from, to) => {
    if (from < mark.to && (to > mark.from || (from === to && from > mark.from))) changed = true;
  });
  return changed;
}

function moved<T extends Span>(span: T, changes: ChangeDesc): T {
  return { ...span, from: changes.mapPos(span.from, 1), to: changes.mapPos(span.to, -1) };
}

const field = StateField.define<Statements>({
  create: () => ({ spans: [], marks: [] }),
  update(value, transaction) {
    let { spans, marks } = value;
    if (transaction.docChanged) {
      const changes = transaction.changes;
      spans = spans.map((span) => moved(span, changes)).filter((span) => span.from < span.to);
      marks = marks.map((mark) => (mark && !isChanged(mark, changes) ? moved(mark, changes) : null));
    }
    for (const effect of transaction.effects) {
      if (effect.is(setSpans)) spans = effect.value;
      if (effect.is(setMarks)) marks = effect.value;
    }
    return spans === value.spans && marks === value.marks ? value : { spans, marks };
  },
});

/** Lucide icons, ISC. */
const paths: Record<StatementState | "idle", string> = {
  idle: "M5 5a2 2 0 0 1 3.008-1.728l11.997 6.998a2 2 0 0 1 .003 3.458l-12 7A2 2 0 0 1 5 19z",
  waiting: "M12 6v6l4 2M22 12a10 10 0 1 1-20 0a10 10 0 0 1 20 0z",
  running: "M21 12a9 9 0 1 1-6.219-8.56",
  succeeded: "m16 9-5.5 5.5L8 12M22 12a10 10 0 1 1-20 0a10 10 0 0 1 20 0z",
  failed: "m15 9-6 6m0-6 6 6M22 12a10 10 0 1 1-20 0a10 10 0 0 1 20 0z",
  cancelled: "M4.929 4.929 19.07 19.071M22 12a10 10 0 1 1-20 0a10 10 0 0 1 20 0z",
  skipped: "M10.1 2.182a10 10 0 0 1 3.8 0M13.9 21.818a10 10 0 0 1-3.8 0M17.609 3.721a10 10 0 0 1 2.69 2.7" +
    "M2.182 13.9a10 10 0 0 1 0-3.8M20.279 17.609a10 10 0 0 1-2.7 2.69M21.818 10.1a10 10 0 0 1 0 3.8" +
    "M3.721 6.391a10 10 0 0 1 2.7-2.69M6.391 20.279a10 10 0 0 1-2.69-2.7",
  unknown: "M9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3M12 17h.01M22 12a10 10 0 1 1-20 0a10 10 0 0 1 20 0z",
};

class StatementMarker extends GutterMarker {
  constructor(readonly state: StatementState | "idle", readonly label: string) {
    super();
  }

  override eq(other: StatementMarker) {
    return this.state === other.state && this.label === other.label;
  }

  override toDOM() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", `cm-statement-mark cm-statement-${this.state}`);
    const title = document.createElementNS(svg.namespaceURI, "title");
    title.textContent = this.label;
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", paths[this.state]);
    svg.append(title, path);
    return svg;
  }
}

/** Which of several statements on one line shows its mark. */
const weight: Record<StatementState | "idle", number> = {
  failed: 6, unknown: 5, running: 4, waiting: 3, cancelled: 2, skipped: 2, succeeded: 1, idle: 0,
};

function markers(state: EditorState, runLabel: string) {
  const { spans, marks } = state.field(field);
  const lines = new Map<number, StatementMarker>();
  const put = (at: number, marker: StatementMarker) => {
    const line = state.doc.lineAt(Math.min(at, state.doc.length)).from;
    const present = lines.get(line);
    if (!present || weight[present.state] < weight[marker.state]) lines.set(line, marker);
  };
  for (const span of spans) put(span.from, new StatementMarker("idle", runLabel));
  for (const mark of marks) {
    if (mark?.progress) put(mark.from, new StatementMarker(mark.progress.state, mark.progress.label));
  }
  const builder = new RangeSetBuilder<GutterMarker>();
  for (const [line, marker] of [...lines].sort((a, b) => a[0] - b[0])) builder.add(line, line, marker);
  return builder.finish();
}

/** How long typing rests before the text is split again. */
const SPLIT_DELAY_MS = 120;

export interface Options {
  split(text: string): Span[];
  /** The mark before a statement was clicked. */
  run(span: Span): void;
  runLabel: string;
}

/** Keeps the statements of the text and shows them in a gutter. */
export function statements(options: Options) {
  const splitter = ViewPlugin.fromClass(
    class {
      timer: number | undefined;

      constructor(readonly view: EditorView) {
        this.schedule(0);
      }

      update(update: ViewUpdate) {
        if (update.docChanged) this.schedule(SPLIT_DELAY_MS);
      }

      schedule(delay: number) {
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => {
          this.view.dispatch({ effects: setSpans.of(options.split(this.view.state.doc.toString())) });
        }, delay);
      }

      destroy() {
        clearTimeout(this.timer);
      }
    },
  );
  return [
    field,
    splitter,
    gutter({
      class: "cm-statements",
      markers: (view) => markers(view.state, options.runLabel),
      initialSpacer: () => new StatementMarker("idle", ""),
      domEventHandlers: {
        mousedown(view, line) {
          const span = statementsIn(view.state).find((span) => span.from >= line.from && span.from <= line.to);
          if (span) options.run(span);
          return span !== undefined;
        },
      },
    }),
  ];
}

/** The statements of the text, as far as it was split. */
export function statementsIn(state: EditorState): Span[] {
  return state.field(field).spans;
}

/** Marks the statements of a run that has begun. Those that no longer stand where the run found them get no mark. */
export function beginRun(view: EditorView, started: Started[]) {
  const marks = started.map(({ from, to, text }): Mark | null =>
    view.state.sliceDoc(from, to) === text ? { from, to, progress: null } : null,
  );
  view.dispatch({ effects: setMarks.of(marks) }, setDiagnostics(view.state, []));
}

/** Shows how far the statements of the run are, and underlines what is wrong. */
export function showProgress(view: EditorView, progress: Progress[]) {
  const marks = view.state.field(field).marks.map((mark, i) => mark && { ...mark, progress: progress[i] ?? null });
  const diagnostics: Diagnostic[] = [];
  for (const mark of marks) {
    const error = mark?.progress?.error;
    if (!mark || !error?.at) continue;
    const from = Math.min(mark.from + error.at.from, mark.to);
    const to = Math.min(Math.max(mark.from + error.at.to, from + 1), mark.to);
    const { suggestion, replace } = error;
    diagnostics.push({
      from, to, severity: "error", message: error.message,
      actions: suggestion === null ? [] : [{
        name: replace,
        apply: (view, from, to) => view.dispatch({ changes: { from, to, insert: suggestion } }),
      }],
    });
  }
  view.dispatch({ effects: setMarks.of(marks) }, setDiagnostics(view.state, diagnostics));
}

/** Where a statement of the run stands now; `null` when it was changed since. */
export function statementOfRun(state: EditorState, index: number): Span | null {
  const mark = state.field(field).marks[index];
  return mark ? { from: mark.from, to: mark.to } : null;
}
