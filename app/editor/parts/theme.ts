/** The look of the editor, from the page's own tokens, so that it follows the theme without being told. */
import { EditorView } from "@codemirror/view";

const mono = "var(--font-mono)";
const accent = (percent: number) => `color-mix(in oklab, var(--color-primary) ${percent}%, transparent)`;

export const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--color-base-content)", backgroundColor: "var(--color-base-100)" },
  // The caret and the tinted line show the focus.
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { font: `400 .8125rem/1.375rem ${mono}`, fontVariantLigatures: "none", overflow: "auto" },
  ".cm-content": { padding: ".5rem 0", caretColor: "currentColor" },
  ".cm-line": { padding: "0 .75rem 0 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeft: "1.5px solid currentColor" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: accent(20),
  },
  ".cm-selectionMatch": { backgroundColor: accent(10) },
  ".cm-activeLine": { backgroundColor: accent(5) },
  ".cm-gutters": {
    color: "var(--muted)", backgroundColor: "var(--color-base-100)", border: "none", fontSize: ".75rem",
  },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--color-base-content)", fontWeight: "600" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "1.5rem", padding: "0 .75rem 0 .25rem" },
  ".cm-statements .cm-gutterElement": {
    width: "2rem", padding: "0 .25rem 0 .75rem", display: "flex", alignItems: "center", cursor: "pointer",
  },
  ".cm-statement-mark": {
    width: ".875rem", height: ".875rem", flex: "none", fill: "none", stroke: "currentColor", strokeWidth: "2",
    strokeLinecap: "round", strokeLinejoin: "round",
  },
  ".cm-statement-idle": { opacity: "0", strokeWidth: "1.6" },
  "&:hover .cm-statement-idle, &.cm-focused .cm-activeLineGutter .cm-statement-idle": { opacity: "1" },
  ".cm-statement-mark:hover": { color: "var(--color-primary)" },
  ".cm-statement-succeeded": { color: "var(--color-success)" },
  ".cm-statement-failed": { color: "var(--color-error)" },
  ".cm-statement-unknown": { color: "var(--color-warning)" },
  ".cm-statement-running": { color: "var(--color-primary)", animation: "spin 1s linear infinite" },
  "@media (prefers-reduced-motion: reduce)": { ".cm-statement-running": { animation: "none" } },
  ".cm-lintRange-error": {
    backgroundImage: "none", textDecoration: "underline wavy var(--color-error) 1px", textUnderlineOffset: "4px",
  },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "transparent", boxShadow: "inset 0 0 0 1px var(--line-field)", borderRadius: "2px",
  },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-tooltip": {
    border: "1px solid var(--line)", borderRadius: "var(--radius-box)", overflow: "hidden",
    backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", boxShadow: "var(--shadow-pop)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: `400 .75rem/1rem ${mono}`, maxHeight: "16rem", minWidth: "16rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    display: "flex", alignItems: "center", gap: "1rem", height: "1.625rem", padding: "0 .5rem",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--color-base-300)", color: "var(--color-base-content)",
  },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700", color: "var(--color-primary)" },
  ".cm-completionDetail": { marginLeft: "auto", fontStyle: "normal", color: "var(--muted)" },
  ".cm-diagnostic": { padding: ".5rem .75rem", font: "400 .8125rem/1.25rem var(--font-sans)", maxWidth: "36rem" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--color-error)" },
  ".cm-diagnosticAction": {
    display: "block", margin: ".375rem 0 0", padding: ".125rem .5rem", borderRadius: "var(--radius-field)",
    font: "500 .75rem/1.25rem var(--font-sans)",
    backgroundColor: "var(--color-primary)", color: "var(--color-primary-content)",
  },
  ".cm-panels": { backgroundColor: "var(--color-base-200)", color: "var(--color-base-content)", borderColor: "var(--line)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": { font: "400 .75rem/1.25rem var(--font-sans)", padding: ".375rem .75rem" },
  ".cm-textfield": {
    border: "1px solid var(--line-field)", borderRadius: "var(--radius-field)",
    backgroundColor: "var(--color-base-100)", color: "inherit", font: "inherit", padding: ".125rem .375rem",
  },
  ".cm-button": {
    border: "1px solid var(--line)", borderRadius: "var(--radius-field)", backgroundImage: "none",
    backgroundColor: "var(--color-base-100)", color: "inherit", font: "inherit", padding: ".125rem .5rem",
  },
  ".cm-searchMatch": { backgroundColor: "var(--mark)" },
  ".cm-searchMatch-selected": { boxShadow: "0 0 0 1px var(--color-primary)" },
  ".tok-keyword": { color: "var(--syn-keyword)", fontWeight: "500" },
  ".tok-typeName": { color: "var(--syn-keyword)" },
  ".tok-string": { color: "var(--syn-string)" },
  ".tok-number, .tok-bool, .tok-atom": { color: "var(--syn-number)" },
  ".tok-comment": { color: "var(--syn-comment)" },
});
