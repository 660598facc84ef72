//! The SQL editor: CodeMirror over a `<textarea>`, loaded with `import()` after the page is there. Where it cannot be
//! loaded, and without scripts, the textarea stays and works. The other half is `app/editor/main.ts`.
//!
//! Offsets are bytes on this side and UTF-16 units in JavaScript; they are converted here and nowhere else.

use leptos::html;
use leptos::prelude::*;
use model::script::{byte_offset, utf16_offset};
use model::worksheet::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;

/// What stands around the cursor when names are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Question {
    /// Names before the cursor's word that end with a dot.
    pub path: Vec<String>,
    /// The last keyword before the cursor, upper case.
    pub keyword: String,
    /// Tables that the statement names.
    pub tables: Vec<NamedTable>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct NamedTable {
    pub path: Vec<String>,
    pub alias: Option<String>,
}

/// A name that is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Completion {
    pub label: String,
    /// What is inserted, where it is not the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply: Option<String>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub detail: String,
    /// Higher ones come first among equal matches.
    pub boost: i32,
}

/// A statement at the start of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedMark {
    pub span: Span,
    pub text: String,
}

/// What became of a statement so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgressMark {
    /// `waiting`, `running`, `succeeded`, `failed`, `cancelled`, `unknown` or `skipped`.
    pub state: &'static str,
    pub label: String,
    pub error: Option<ErrorMark>,
}

/// What is underlined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorMark {
    /// From the statement's begin.
    pub at: Option<Units>,
    pub message: String,
    pub suggestion: Option<String>,
    /// The verb of the quick fix.
    pub replace: String,
}

/// A range in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    pub from: usize,
    pub to: usize,
}

impl Units {
    /// The units of a byte range of a text.
    pub fn of(text: &str, span: Span) -> Self {
        Self { from: utf16_offset(text, span.start), to: utf16_offset(text, span.end) }
    }

    /// The byte range of these units.
    pub fn span(self, text: &str) -> Span {
        Span { start: byte_offset(text, self.from), end: byte_offset(text, self.to) }
    }
}

/// Texts of the editor in the language of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EditorTexts {
    /// Title of the mark that runs a statement.
    pub run: &'static str,
    pub placeholder: &'static str,
    /// CodeMirror's own phrases, English to translated.
    pub phrases: BTreeMap<&'static str, &'static str>,
}

/// The editor of a page, before and after it is loaded.
#[derive(Clone, Copy)]
pub struct Editor {
    text: RwSignal<String>,
    /// CodeMirror is there.
    ready: RwSignal<bool>,
    textarea: NodeRef<html::Textarea>,
    #[cfg(feature = "hydrate")]
    mounted: browser::Mounted,
}

impl Editor {
    pub fn new(text: String) -> Self {
        Self {
            text: RwSignal::new(text),
            ready: RwSignal::new(false),
            textarea: NodeRef::new(),
            #[cfg(feature = "hydrate")]
            mounted: browser::Mounted::new(),
        }
    }

    /// The text as it is typed.
    pub fn text(self) -> ReadSignal<String> {
        self.text.read_only()
    }

    /// Whether CodeMirror has taken over from the textarea.
    pub fn is_ready(self) -> Signal<bool> {
        self.ready.into()
    }
}

/// The textarea, and the editor over it.
#[component]
pub fn CodeEditor<C, F>(
    editor: Editor,
    /// Name of the form field.
    #[prop(into)]
    name: String,
    #[prop(into)] label: String,
    /// Id of the element that tells the keys.
    #[prop(into)]
    described_by: String,
    texts: EditorTexts,
    /// After each change; the text is [`Editor::text`].
    #[prop(into)]
    on_change: Callback<()>,
    /// The selection, or the cursor as an empty one.
    #[prop(into)]
    on_run: Callback<Span>,
    #[prop(into)] on_run_all: Callback<()>,
    /// Where the statements of a text stand.
    split: fn(&str) -> Vec<Span>,
    complete: C,
) -> impl IntoView
where
    C: Fn(Question) -> F + Copy + 'static,
    F: Future<Output = Vec<Completion>> + 'static,
{
    #[cfg(feature = "hydrate")]
    browser::attach(editor, browser::Hooks { on_change, on_run, on_run_all, split, complete }, texts);
    #[cfg(not(feature = "hydrate"))]
    let _ = (on_run, on_run_all, split, complete, texts);
    view! {
        <textarea
            node_ref=editor.textarea
            class="code-fallback sql"
            name=name
            aria-label=label
            aria-describedby=described_by
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            on:input:target=move |event| {
                editor.text.set(event.target().value());
                on_change.run(());
            }
        >
            // A parser drops the first line break after the tag.
            {format!("\n{}", editor.text.get_untracked())}
        </textarea>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::*;
    use leptos::task::spawn_local;
    use wasm_bindgen::prelude::*;
    use wasm_bindgen_futures::future_to_promise;

    #[wasm_bindgen(inline_js = "export function load(url) { return import(url); }")]
    extern "C" {
        #[wasm_bindgen(catch)]
        async fn load(url: &str) -> Result<JsValue, JsValue>;
    }

    #[wasm_bindgen]
    extern "C" {
        type Module;
        #[wasm_bindgen(method, catch)]
        fn mount(
            this: &Module,
            textarea: &web_sys::HtmlTextAreaElement,
            text: &str,
            hooks: &JsValue,
            texts: &str,
            nonce: Option<String>,
        ) -> Result<Handle, JsValue>;

        pub type Handle;
        #[wasm_bindgen(method)]
        fn set_value(this: &Handle, text: &str);
        #[wasm_bindgen(method)]
        fn focus(this: &Handle);
        #[wasm_bindgen(method)]
        fn run_here(this: &Handle);
        #[wasm_bindgen(method)]
        fn insert(this: &Handle, text: &str);
        #[wasm_bindgen(method)]
        fn replace(this: &Handle, from: usize, to: usize, text: &str);
        #[wasm_bindgen(method)]
        fn select(this: &Handle, from: usize, to: usize);
        #[wasm_bindgen(method)]
        fn begin_run(this: &Handle, json: &str);
        #[wasm_bindgen(method)]
        fn show_progress(this: &Handle, json: &str);
        #[wasm_bindgen(method)]
        fn statement_of_run(this: &Handle, index: usize) -> String;
        #[wasm_bindgen(method)]
        fn destroy(this: &Handle);
    }

    /// JavaScript values stay on this thread; this module is not part of the server.
    #[derive(Clone, Copy)]
    pub struct Mounted(StoredValue<Option<Held>, LocalStorage>);

    pub struct Held {
        handle: Handle,
        /// Kept as long as JavaScript may call them.
        _closures: Closures,
    }

    type Closures = (
        Closure<dyn FnMut(String)>,
        Closure<dyn FnMut(usize, usize)>,
        Closure<dyn FnMut()>,
        Closure<dyn FnMut(String) -> String>,
        Closure<dyn FnMut(String) -> js_sys::Promise>,
    );

    impl Mounted {
        pub fn new() -> Self {
            Self(StoredValue::new_local(None))
        }

        fn with<T>(self, use_handle: impl FnOnce(&Handle) -> T) -> Option<T> {
            self.0.try_with_value(|held| held.as_ref().map(|held| use_handle(&held.handle))).flatten()
        }
    }

    pub struct Hooks<C> {
        pub on_change: Callback<()>,
        pub on_run: Callback<Span>,
        pub on_run_all: Callback<()>,
        pub split: fn(&str) -> Vec<Span>,
        pub complete: C,
    }

    pub fn attach<C, F>(editor: Editor, hooks: Hooks<C>, texts: EditorTexts)
    where
        C: Fn(Question) -> F + Copy + 'static,
        F: Future<Output = Vec<Completion>> + 'static,
    {
        let hooks = StoredValue::new_local(Some(hooks));
        Effect::new(move |_| {
            let Some(textarea) = editor.textarea.get() else { return };
            let Some(hooks) = hooks.try_update_value(Option::take).flatten() else { return };
            let texts = serde_json::to_string(&texts).expect("texts are plain strings");
            spawn_local(async move {
                let module = match load(&crate::page::asset("editor.js")).await {
                    Ok(module) => module.unchecked_into::<Module>(),
                    Err(error) => return leptos::logging::error!("the editor stays a text field: {error:?}"),
                };
                if editor.mounted.0.is_disposed() {
                    return; // The page was left meanwhile.
                }
                // Typed before the page was alive.
                if textarea.default_value().is_ok_and(|rendered| rendered != textarea.value()) {
                    editor.text.set(textarea.value());
                }
                let (object, closures) = hooks.into_js(editor);
                let text = editor.text.get_untracked();
                match module.mount(&textarea, &text, &object, &texts, nonce()) {
                    Ok(handle) => {
                        editor.mounted.0.set_value(Some(Held { handle, _closures: closures }));
                        editor.ready.set(true);
                    }
                    Err(error) => leptos::logging::error!("the editor stays a text field: {error:?}"),
                }
            });
        });
        on_cleanup(move || {
            if let Some(held) = editor.mounted.0.try_update_value(Option::take).flatten() {
                held.handle.destroy();
            }
        });
    }

    impl<C, F> Hooks<C>
    where
        C: Fn(Question) -> F + Copy + 'static,
        F: Future<Output = Vec<Completion>> + 'static,
    {
        fn into_js(self, editor: Editor) -> (JsValue, Closures) {
            let Self { on_change, on_run, on_run_all, split, complete } = self;
            let change = Closure::new(move |text: String| {
                if editor.text.try_set(text).is_none() {
                    on_change.run(());
                }
            });
            let run = Closure::new(move |from: usize, to: usize| {
                let span = editor.text.with_untracked(|text| Units { from, to }.span(text));
                on_run.run(span);
            });
            let run_all = Closure::new(move || on_run_all.run(()));
            let split = Closure::new(move |text: String| spans_json(&text, &split(&text)));
            let complete = Closure::new(move |question: String| {
                let question = serde_json::from_str(&question).unwrap_or_default();
                let answer = complete(question);
                future_to_promise(async move {
                    let json = serde_json::to_string(&answer.await).expect("completions are plain strings");
                    Ok(JsValue::from_str(&json))
                })
            });
            let object = js_sys::Object::new();
            let set = |name: &str, function: &JsValue| {
                js_sys::Reflect::set(&object, &JsValue::from_str(name), function)
                    .expect("a fresh object takes any key");
            };
            set("change", change.as_ref());
            set("run", run.as_ref());
            set("run_all", run_all.as_ref());
            set("split", split.as_ref());
            set("complete", complete.as_ref());
            (object.into(), (change, run, run_all, split, complete))
        }
    }

    /// Ascending spans as UTF-16 ranges, in one pass over the text.
    fn spans_json(text: &str, spans: &[Span]) -> String {
        let (mut at, mut at_units) = (0, 0);
        let mut forward = |byte: usize| {
            at_units += text.get(at..byte).unwrap_or_default().chars().map(char::len_utf16).sum::<usize>();
            at = byte.max(at);
            at_units
        };
        let ranges: Vec<Units> =
            spans.iter().map(|span| Units { from: forward(span.start), to: forward(span.end) }).collect();
        serde_json::to_string(&ranges).expect("numbers become JSON")
    }

    /// The nonce can be read through the property only, never the attribute.
    fn nonce() -> Option<String> {
        let script = document().query_selector("script[nonce]").ok().flatten()?;
        Some(script.unchecked_into::<web_sys::HtmlElement>().nonce())
    }

    #[derive(Serialize)]
    struct StartedUnits<'a> {
        #[serde(flatten)]
        at: Units,
        text: &'a str,
    }

    impl Editor {
        /// Replaces the text; the cursor and the marks stay where they can.
        pub fn set_text(self, text: &str) {
            if self.mounted.with(|handle| handle.set_value(text)).is_none() {
                self.text.set(text.to_owned());
                if let Some(textarea) = self.textarea.get_untracked() {
                    textarea.set_value(text);
                }
            }
        }

        pub fn focus(self) {
            if self.mounted.with(Handle::focus).is_none()
                && let Some(textarea) = self.textarea.get_untracked()
            {
                _ = textarea.focus();
            }
        }

        /// Reports the selection to `on_run`; `false` while CodeMirror is not there.
        pub fn run_here(self) -> bool {
            self.mounted.with(Handle::run_here).is_some()
        }

        /// Puts text in the place of the selection.
        pub fn insert(self, text: &str) {
            if self.mounted.with(|handle| handle.insert(text)).is_none() {
                self.set_text(&format!("{}{text}", self.text.get_untracked()));
            }
        }

        /// Puts text in the place of a byte range.
        pub fn replace(self, span: Span, text: &str) {
            let at = self.text.with_untracked(|all| Units::of(all, span));
            self.mounted.with(|handle| handle.replace(at.from, at.to, text));
        }

        /// Selects a byte range and brings it into view.
        pub fn select(self, span: Span) {
            let at = self.text.with_untracked(|all| Units::of(all, span));
            self.mounted.with(|handle| handle.select(at.from, at.to));
        }

        /// Marks the statements of a run that has begun.
        pub fn begin_run(self, started: &[StartedMark]) {
            let json = self.text.with_untracked(|text| {
                let marks: Vec<StartedUnits> = started
                    .iter()
                    .map(|mark| StartedUnits { at: Units::of(text, mark.span), text: &mark.text })
                    .collect();
                serde_json::to_string(&marks).expect("marks are plain")
            });
            self.mounted.with(|handle| handle.begin_run(&json));
        }

        pub fn show_progress(self, progress: &[ProgressMark]) {
            let json = serde_json::to_string(progress).expect("marks are plain");
            self.mounted.with(|handle| handle.show_progress(&json));
        }

        /// Where a statement of the shown run stands now; `None` when it was changed since.
        pub fn statement_of_run(self, index: usize) -> Option<Span> {
            let json = self.mounted.with(|handle| handle.statement_of_run(index))?;
            let units: Option<Units> = serde_json::from_str(&json).ok()?;
            self.text.with_untracked(|text| units.map(|units| units.span(text)))
        }
    }
}

#[cfg(not(feature = "hydrate"))]
mod server {
    use super::*;

    /// The same verbs where there is no editor: handlers name them, and never run here.
    impl Editor {
        pub fn set_text(self, text: &str) {
            self.text.set(text.to_owned());
        }

        pub fn focus(self) {}

        pub fn run_here(self) -> bool {
            false
        }

        pub fn insert(self, _: &str) {}

        pub fn replace(self, _: Span, _: &str) {}

        pub fn select(self, _: Span) {}

        pub fn begin_run(self, _: &[StartedMark]) {}

        pub fn show_progress(self, _: &[ProgressMark]) {}

        pub fn statement_of_run(self, _: usize) -> Option<Span> {
            None
        }
    }
}
