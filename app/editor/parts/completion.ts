/** What stands around the cursor, so that the page can offer names that fit there. */
import type { CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";
import { ensureSyntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import { statementsIn } from "./statements";

/** What the page is asked. */
export interface Question {
  /** Names before the cursor's word that end with a dot: `sales.default.` is two. */
  path: string[];
  /** The last keyword before the cursor, upper case; empty at the start of a statement. */
  keyword: string;
  /** Tables that the statement names, with their aliases. */
  tables: { path: string[]; alias: string | null }[];
}

type Tree = NonNullable<ReturnType<typeof ensureSyntaxTree>>;

interface Token {
  kind: "name" | "keyword" | "dot" | "other";
  text: string;
  from: number;
  to: number;
}

const kinds: Record<string, Token["kind"]> = {
  Identifier: "name", QuotedIdentifier: "name", Type: "name", Builtin: "name", Keyword: "keyword", ".": "dot",
};
const opaque = new Set(["String", "LineComment", "BlockComment"]);
const beforeTables = new Set(["FROM", "JOIN", "INTO", "OVERWRITE", "UPDATE", "TABLE", "USING", "DESC", "DESCRIBE"]);
const SYNTAX_MS = 25;

/** The syntax tree up to the cursor, read in short pieces so that typing goes on; `null` once nobody waits for it. */
async function syntaxTree(context: CompletionContext): Promise<Tree | null> {
  while (!context.aborted) {
    const tree = ensureSyntaxTree(context.state, context.pos, SYNTAX_MS);
    if (tree) return tree;
    await new Promise((resume) => setTimeout(resume));
  }
  return null;
}

/** The tokens of the statement around `pos`, or `null` inside a text or a comment. */
function tokensAround(state: EditorState, tree: Tree, pos: number): Token[] | null {
  const inside = tree.resolveInner(pos, -1);
  if (opaque.has(inside.name) && inside.from < pos && (pos < inside.to || inside.name === "LineComment")) return null;
  const span = statementsIn(state).findLast((span) => span.from <= pos);
  const ended = span && span.to < pos && state.sliceDoc(span.to, pos).includes(";");
  const from = span ? (ended ? span.to : span.from) : 0;
  const tokens: Token[] = [];
  tree.iterate({
    from,
    to: span && !ended ? Math.max(span.to, pos) : pos,
    enter(node) {
      if (node.node.firstChild || node.from < from || opaque.has(node.name) || node.name === "⚠") return;
      const text = state.sliceDoc(node.from, node.to);
      tokens.push({ kind: kinds[node.name] ?? (text === "." ? "dot" : "other"), text, from: node.from, to: node.to });
    },
  });
  return tokens;
}

function plain(name: string): string {
  return name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name;
}

/** The dotted name that begins at token `i`, and the index behind it. */
function pathAt(tokens: Token[], i: number): { path: string[]; next: number } {
  const path: string[] = [];
  while (tokens[i]?.kind === "name" || (path.length > 0 && tokens[i]?.kind === "keyword")) {
    path.push(plain(tokens[i].text));
    if (tokens[i + 1]?.kind !== "dot") return { path, next: i + 1 };
    i += 2;
  }
  return { path, next: i };
}

function tablesIn(tokens: Token[]): Question["tables"] {
  const tables: Question["tables"] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i].kind !== "keyword" || !beforeTables.has(tokens[i].text.toUpperCase())) continue;
    let at = i + 1;
    do {
      const { path, next } = pathAt(tokens, at);
      if (path.length === 0) break;
      let alias = next;
      if (tokens[alias]?.text.toUpperCase() === "AS") alias++;
      const named = tokens[alias]?.kind === "name";
      tables.push({ path, alias: named ? plain(tokens[alias].text) : null });
      at = (named ? alias + 1 : next) + 1;
    } while (tokens[at - 1]?.text === ",");
  }
  return tables;
}

function question(tokens: Token[], wordFrom: number): Question {
  const before = tokens.filter((token) => token.to <= wordFrom);
  const path: string[] = [];
  let i = before.length - 1;
  while (before[i]?.kind === "dot" && before[i - 1] && before[i - 1].kind !== "other") {
    path.unshift(plain(before[i - 1].text));
    i -= 2;
  }
  const keyword = before.slice(0, i + 1).findLast((token) => token.kind === "keyword");
  return { path, keyword: keyword?.text.toUpperCase() ?? "", tables: tablesIn(tokens) };
}

/** Asks the page for names. It answers with CodeMirror completions. */
export function completion(ask: (question: Question) => Promise<CompletionResult["options"]>): CompletionSource {
  return async (context: CompletionContext) => {
    const word = context.matchBefore(/[\w$]*/);
    const from = word?.from ?? context.pos;
    const dotted = context.state.sliceDoc(from - 1, from) === ".";
    if (!context.explicit && !dotted && from === context.pos) return null;
    const tree = await syntaxTree(context);
    const tokens = tree && tokensAround(context.state, tree, context.pos);
    if (!tokens) return null;
    const options = await ask(question(tokens, from));
    return context.aborted || options.length === 0 ? null : { from, options, validFor: /^[\w$]*$/ };
  };
}
