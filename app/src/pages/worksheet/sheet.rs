//! One worksheet: its names at the left, the text above, what became of it below.

use super::autosave::{Autosave, SaveState};
use super::completion::Completer;
use super::context_bar::ContextBar;
use super::explorer::{CATALOG, Explorer};
use super::results::Results;
use super::running::Running;
use crate::api::worksheet::{SaveWorksheetForm, WorksheetDetails, load_worksheet};
use crate::components::table_tree::{Catalog, is_typing};
use crate::layout::use_frame;
use crate::tr;
use crate::ui::code_editor::{CodeEditor, Editor, EditorTexts};
use crate::ui::pane::PageTitle;
use crate::ui::side;
use crate::ui::{Button, Load, Note, Tone, toast};
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::names::Id;
use model::script;
use model::session::SqlSession;
use model::worksheet::{Span, Worksheet};
use std::collections::BTreeMap;

#[component]
pub fn WorksheetPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    // Keyed: another worksheet is another page, not the same one with other values.
    view! {
        <For each=move || [id.get()] key=Clone::clone let:id>
            <LoadedSheet id/>
        </For>
    }
}

#[component]
fn LoadedSheet(id: String) -> impl IntoView {
    let details = Resource::new(move || id.clone(), load_worksheet);
    view! {
        <Load
            resource=details
            rows=8
            title=tr!(worksheet.open_failed)
            children=Callback::new(|(details,): (WorksheetDetails,)| view! { <Sheet details/> }.into_any())
        />
    }
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub struct SheetContext {
    pub worksheet: StoredValue<Worksheet>,
    /// The stored name.
    pub name: RwSignal<String>,
    pub is_renaming: RwSignal<bool>,
    pub session: RwSignal<SqlSession>,
    pub editor: Editor,
    pub autosave: Autosave,
    pub running: Running,
    pub catalog: Catalog,
    pub has_explorer: RwSignal<bool>,
    /// Id of the chosen tab.
    pub explorer_tab: RwSignal<String>,
    pub has_results: RwSignal<bool>,
}

impl SheetContext {
    /// Runs the selection, or the statement at the cursor.
    pub fn run(self, selection: Span) {
        let text = self.editor.text();
        let span = if selection.start < selection.end {
            Some(selection)
        } else {
            text.with_untracked(|text| script::statement_at(text, selection.start))
        };
        match span
            .filter(|span| text.with_untracked(|text| !script::statements(&text[span.start..span.end]).is_empty()))
        {
            Some(span) => self.start(span),
            None => toast(tr!(worksheet.nothing_to_run)),
        }
    }

    pub fn run_all(self) {
        let end = self.editor.text().with_untracked(String::len);
        if self.editor.text().with_untracked(|text| script::statements(text).is_empty()) {
            toast(tr!(worksheet.nothing_to_run));
        } else {
            self.start(Span { start: 0, end });
        }
    }

    pub fn start(self, span: Span) {
        self.autosave.flush();
        self.has_results.set(true);
        self.running.start(span);
    }

    /// Runs the statement at the cursor of whatever field is there.
    pub fn run_here(self) {
        if !self.editor.run_here() {
            self.run_all();
        }
    }

    /// Puts the cure of statement `index` before it, and runs both and what was to come after them.
    pub fn cure(self, index: usize, fix: &str) {
        let Some((failed, last)) = self.running.run.with_untracked(|run| {
            let run = run.as_ref()?;
            Some((run.statements.get(index)?.text.clone(), run.statements.len() - 1))
        }) else {
            return;
        };
        let fix = format!("{}\n", fix.trim_end());
        let (Some(at), Some(end)) = (self.editor.statement_of_run(index), self.editor.statement_of_run(last)) else {
            // The text was changed since: the statement runs as it was.
            self.running.start_script(format!("{fix}{failed}"), 0);
            return;
        };
        self.editor.replace(Span { start: at.start, end: at.start }, &fix);
        self.start(Span { start: at.start, end: end.end + fix.len() });
    }

    /// Puts the suggestion in the place of the wrong token of statement `index`.
    pub fn repair(self, index: usize, suggestion: &str) {
        if let Some(span) = self.error_span(index) {
            self.editor.replace(span, suggestion);
        }
        self.editor.focus();
    }

    /// Where the wrong token of a statement stands now.
    pub fn error_span(self, index: usize) -> Option<Span> {
        let (statement, error) = self.running.run.with_untracked(|run| {
            let statement = run.as_ref()?.statements.get(index)?;
            Some((statement.span, statement.error.as_ref()?.span?))
        })?;
        let now = self.editor.statement_of_run(index)?;
        let shifted = |at: usize| now.start + at.saturating_sub(statement.start);
        Some(Span { start: shifted(error.start), end: shifted(error.end) })
    }
}

#[component]
fn Sheet(details: WorksheetDetails) -> impl IntoView {
    let WorksheetDetails { worksheet, run } = details;
    let editor = Editor::new(worksheet.text.clone());
    let session =
        run.as_ref().filter(|run| run.is_finished).map_or_else(|| worksheet.session.clone(), |run| run.session.clone());
    let context = SheetContext {
        name: RwSignal::new(worksheet.name.clone()),
        is_renaming: RwSignal::new(false),
        session: RwSignal::new(if session.project == worksheet.session.project {
            session
        } else {
            worksheet.session.clone()
        }),
        editor,
        autosave: Autosave::new(&worksheet, editor),
        running: Running::new(&worksheet.id, run, editor),
        catalog: Catalog::new(),
        has_explorer: RwSignal::new(true),
        explorer_tab: RwSignal::new(CATALOG.to_owned()),
        has_results: RwSignal::new(true),
        worksheet: StoredValue::new(worksheet),
    };
    provide_context(context);
    share_with_frame(context);
    follow_session(context);
    keep_text(context);
    shortcuts(context);
    Effect::new(move |_| {
        if side::is_narrow() {
            context.has_explorer.set(false);
        }
    });
    let body = NodeRef::<html::Div>::new();
    let top = NodeRef::<html::Div>::new();
    view! {
        <PageTitle title=context.name/>
        <div class="sheet" class:sheet-wide=move || !context.has_explorer.get()>
            <Show when=move || context.has_explorer.get()><Explorer/></Show>
            <h1 class="sr-only">{context.name}</h1>
            <div node_ref=body class="sheet-body" class:sheet-closed=move || !context.has_results.get()>
                <ContextBar/>
                <Notices/>
                <div node_ref=top class="sheet-top"><TextPane/></div>
                <Show when=move || context.has_results.get()>
                    <Splitter body top/>
                    <Results/>
                </Show>
            </div>
        </div>
    }
}

/// The frame names the project and the schema of the worksheet; choosing another project there binds it anew.
fn share_with_frame(context: SheetContext) {
    let frame = use_frame();
    Effect::new(move |_| frame.title.set(Some(context.name.get())));
    let zone = Memo::new(move |_| context.session.with(|session| session.settings.get(TIMEZONE).cloned()));
    Effect::new(move |_| frame.timezone.set(zone.get()));
    let place =
        Memo::new(move |_| context.session.with(|session| (session.project.to_string(), session.schema.clone())));
    Effect::new(move |_| {
        let (project, schema) = place.get();
        // A project that was made since the frame was loaded.
        let is_known = frame.projects.with_untracked(|projects| match projects {
            Some(Ok(projects)) => projects.iter().any(|known| known.name.as_str() == project),
            _ => true,
        });
        if !is_known {
            frame.projects.refetch();
        }
        frame.project.set(Some(project));
        frame.schema.set(Some(schema));
    });
    Effect::new(move |before: Option<Option<String>>| {
        let chosen = frame.project.get();
        if let (Some(before), Some(project)) = (before, &chosen)
            && before.as_ref() != Some(project)
            && context.session.with_untracked(|session| session.project.as_str() != project)
        {
            super::context_bar::bind(context, project.clone());
        }
        chosen
    });
    on_cleanup(move || {
        for of_sheet in [frame.schema, frame.timezone, frame.title] {
            _ = of_sheet.try_set(None);
        }
    });
}

/// The setting that names the session's time zone.
const TIMEZONE: &str = "odps.sql.timezone";

/// What a finished run changed: the session, and perhaps the names in the tree.
fn follow_session(context: SheetContext) {
    let state =
        Memo::new(move |_| context.running.run.with(|run| run.as_ref().map(|run| (run.id.clone(), run.is_finished))));
    Effect::new(move |before: Option<Option<(Id, bool)>>| {
        let now = state.get();
        // Seen to end: a run of the history changes nothing any more.
        let has_ended = matches!((before.flatten(), &now), (Some((was, false)), Some((is, true))) if was == *is);
        if let Some(run) = context.running.run.get_untracked().filter(|_| has_ended) {
            if context.session.with_untracked(|session| *session != run.session) {
                context.session.set(run.session.clone());
            }
            let reads = |verb: &str| {
                ["SELECT", "SET", "USE", "SHOW", "DESC", "EXPLAIN", "WITH"].iter().any(|v| verb.starts_with(v))
            };
            if run.statements.iter().any(|statement| !reads(&statement.verb)) {
                context.catalog.refresh(run.project.as_str());
            }
        }
        now
    });
}

/// Takes up what was not saved, saves what is left, and looks for changes when the window comes back.
fn keep_text(context: SheetContext) {
    Effect::new(move |done: Option<bool>| {
        if done != Some(true) && context.editor.is_ready().get() {
            context.worksheet.with_value(|worksheet| context.autosave.recover(worksheet));
            return true;
        }
        done == Some(true)
    });
    context.autosave.save_on_leaving();
    let focus = window_event_listener_in_browser(move || context.autosave.look());
    on_cleanup(move || drop(focus));
}

/// Calls back when the window gets the focus again; stops when dropped.
#[cfg(feature = "hydrate")]
fn window_event_listener_in_browser(on_focus: impl Fn() + 'static) -> impl Send + Sync {
    struct Remove(Option<WindowListenerHandle>);
    impl Drop for Remove {
        fn drop(&mut self) {
            if let Some(handle) = self.0.take() {
                handle.remove();
            }
        }
    }
    Remove(Some(window_event_listener(leptos::ev::focus, move |_| on_focus())))
}

#[cfg(not(feature = "hydrate"))]
fn window_event_listener_in_browser(_: impl Fn() + 'static) -> impl Send + Sync {}

/// Keys that work wherever the focus is; those of the text are the editor's.
#[cfg(feature = "hydrate")]
fn shortcuts(context: SheetContext) {
    const TWICE_MS: f64 = 700.0;
    let escaped_at = StoredValue::new(f64::NEG_INFINITY);
    let handle = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
        let ctrl = event.ctrl_key() || event.meta_key();
        match event.key().as_str() {
            "Escape" => {
                let now = event.time_stamp();
                if now - escaped_at.get_value() < TWICE_MS {
                    context.running.cancel();
                }
                escaped_at.set_value(now);
                return;
            }
            "s" if ctrl && !event.shift_key() && !event.alt_key() => context.autosave.flush(),
            "j" if ctrl && !event.shift_key() && !event.alt_key() => {
                context.has_results.update(|shown| *shown = !*shown)
            }
            "b" if ctrl && !event.shift_key() && !event.alt_key() => {
                context.has_explorer.update(|shown| *shown = !*shown)
            }
            // The editor has these keys itself; elsewhere they mean the statement at its cursor.
            "Enter" if ctrl && !is_typing(&event) => {
                if event.shift_key() {
                    context.run_all()
                } else {
                    context.run_here()
                }
            }
            "F6" => next_pane(event.shift_key(), context),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
}

#[cfg(not(feature = "hydrate"))]
fn shortcuts(_: SheetContext) {
    _ = (is_typing, next_pane);
}

/// Moves the focus between explorer, text and results.
fn next_pane(is_back: bool, context: SheetContext) {
    let find = |selector: &str| document().query_selector(selector).ok().flatten();
    let panes = [
        ".explorer [role=tabpanel]:not([hidden]) :is([role=treeitem][tabindex='0'], .run-row > button)",
        ".sheet-top .cm-content, .sheet-top textarea",
        ".results [tabindex='0']",
    ];
    let active = document().active_element();
    let at = panes.iter().position(|pane| {
        let root = pane.split(' ').next().and_then(find);
        root.zip(active.clone()).is_some_and(|(root, active)| root.contains(Some(&active)))
    });
    let step = if is_back { panes.len() - 1 } else { 1 };
    let next = at.map_or(1, |at| (at + step) % panes.len());
    if next == 1 {
        context.editor.focus();
    } else if let Some(element) = find(panes[next]) {
        use wasm_bindgen::JsCast;
        _ = element.unchecked_into::<web_sys::HtmlElement>().focus();
    }
}

/// The text and its editor. The form around it saves where no script runs.
#[component]
fn TextPane() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let save = ServerAction::<SaveWorksheetForm>::new();
    let (id, version) = context.worksheet.with_value(|worksheet| (worksheet.id.clone(), worksheet.version.to_string()));
    let completer = Completer::new(context.catalog, context.session.into());
    view! {
        <ActionForm action=save attr:class="h-full min-h-0">
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="version" value=version/>
            <p class="sr-only" id="editor-keys">{tr!(worksheet.editor_keys)}</p>
            <CodeEditor
                editor=context.editor
                name="sql"
                label=tr!(worksheet.sql)
                described_by="editor-keys"
                texts=texts()
                on_change=move |()| context.autosave.touch()
                on_run=move |span| context.run(span)
                on_run_all=move |()| context.run_all()
                split=statement_spans
                complete=move |question| completer.answer(question)
            />
            <noscript><button class="btn btn-primary m-2">{tr!(worksheet.save)}</button></noscript>
        </ActionForm>
    }
}

fn statement_spans(text: &str) -> Vec<Span> {
    script::statements(text).into_iter().map(|statement| statement.span).collect()
}

/// CodeMirror's phrases in the language of the page.
fn texts() -> EditorTexts {
    let phrases = [
        ("Find", tr!(worksheet.find)),
        ("Replace", tr!(worksheet.replace)),
        ("next", tr!(worksheet.find_next)),
        ("previous", tr!(worksheet.find_previous)),
        ("all", tr!(worksheet.find_all)),
        ("match case", tr!(worksheet.find_case)),
        ("by word", tr!(worksheet.find_word)),
        ("regexp", tr!(worksheet.find_regexp)),
        ("replace", tr!(worksheet.replace_one)),
        ("replace all", tr!(worksheet.replace_all)),
        ("close", tr!(frame.close)),
        ("Completions", tr!(worksheet.completions)),
        ("Diagnostics", tr!(worksheet.problems)),
        ("No diagnostics", tr!(worksheet.no_problems)),
    ];
    EditorTexts {
        run: tr!(worksheet.run_this),
        placeholder: tr!(worksheet.placeholder),
        phrases: BTreeMap::from(phrases),
    }
}

/// What stands between the bar and the text when saving did not go as it should.
#[component]
fn Notices() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let autosave = context.autosave;
    let new_worksheet =
        super::list::use_new_worksheet(Signal::derive(move || Some(context.session.with(|s| s.project.to_string()))));
    let save_copy = move |()| {
        new_worksheet.run(context.editor.text().get_untracked());
        autosave.take_theirs();
    };
    move || {
        match autosave.state.get() {
        SaveState::Conflict(theirs) => view! {
            <div class="flex-none p-2" role="alert">
                <Note
                    tone=Tone::Warning
                    title=tr!(worksheet.conflict, at = crate::components::time::long(theirs.updated_at)).to_string()
                    action=move || view! {
                        <div class="flex flex-wrap justify-end gap-2">
                            <Button on_click=move |()| autosave.keep_mine()>{tr!(worksheet.keep_mine)}</Button>
                            <Button on_click=move |()| autosave.take_theirs()>{tr!(worksheet.take_theirs)}</Button>
                            <Button on_click=save_copy>{tr!(worksheet.keep_both)}</Button>
                        </div>
                    }
                >
                    {tr!(worksheet.conflict_about)}
                </Note>
            </div>
        }
        .into_any(),
        SaveState::Failed(problem) => view! {
            <div class="flex-none p-2" role="alert">
                <Note
                    tone=Tone::Warning
                    title=tr!(worksheet.not_saved)
                    action=move || view! { <Button icon="refresh-cw" on_click=move |()| autosave.flush()>{tr!(worksheet.try_now)}</Button> }
                >
                    {problem.message}" "{tr!(worksheet.not_saved_about)}
                </Note>
            </div>
        }
        .into_any(),
        SaveState::Saved | SaveState::Saving => ().into_any(),
    }
    }
}

const SPLIT_KEY: &str = "lakedeck.split";
/// Neither the text nor the results vanish by dragging.
const SPLIT_MIN: f64 = 0.12;
const SPLIT_MAX: f64 = 0.85;

/// The line between text and results: dragged, or moved with the arrow keys.
#[component]
fn Splitter(body: NodeRef<html::Div>, top: NodeRef<html::Div>) -> impl IntoView {
    let share = RwSignal::new(0.4_f64);
    let is_moved = RwSignal::new(false);
    Effect::new(move |_| {
        let stored =
            window().local_storage().ok().flatten().and_then(|storage| storage.get_item(SPLIT_KEY).ok().flatten());
        if let Some(stored) = stored.and_then(|text| text.parse::<f64>().ok()).filter(|share| share.is_finite()) {
            share.set(stored.clamp(SPLIT_MIN, SPLIT_MAX));
            is_moved.set(true);
        }
    });
    Effect::new(move |_| {
        let (share, is_moved) = (share.get(), is_moved.get());
        if let Some(top) = top.get().filter(|_| is_moved) {
            // Not an attribute: a server may refuse those.
            _ = web_sys::HtmlElement::style(&top).set_property("flex-basis", &format!("{:.2}%", share * 100.0));
        }
    });
    on_cleanup(move || {
        if let Some(top) = top.try_get_untracked().flatten() {
            _ = web_sys::HtmlElement::style(&top).remove_property("flex-basis");
        }
    });
    let place = move |next: f64| {
        share.set(next.clamp(SPLIT_MIN, SPLIT_MAX));
        is_moved.set(true);
        if let Some(storage) = window().local_storage().ok().flatten() {
            // Where it is forbidden the place is forgotten, nothing more.
            _ = storage.set_item(SPLIT_KEY, &share.get_untracked().to_string());
        }
    };
    let is_dragging = StoredValue::new(false);
    let drag = move |event: PointerEvent| {
        if let Some(body) = body.get_untracked().filter(|_| is_dragging.get_value()) {
            let area = body.get_bounding_client_rect();
            let above = top.get_untracked().map_or(0.0, |top| top.get_bounding_client_rect().top() - area.top());
            place((f64::from(event.client_y()) - area.top() - above) / area.height());
        }
    };
    view! {
        <div
            class="splitter"
            role="separator"
            tabindex="0"
            aria-orientation="horizontal"
            aria-label=tr!(worksheet.splitter)
            aria-valuemin="12"
            aria-valuemax="85"
            aria-valuenow=move || format!("{:.0}", share.get() * 100.0)
            on:pointerdown=move |event: PointerEvent| {
                use wasm_bindgen::JsCast;
                is_dragging.set_value(true);
                if let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) {
                    _ = target.set_pointer_capture(event.pointer_id());
                }
                event.prevent_default();
            }
            on:pointermove=drag
            on:pointerup=move |_| is_dragging.set_value(false)
            on:pointercancel=move |_| is_dragging.set_value(false)
            on:keydown=move |event: KeyboardEvent| {
                match event.key().as_str() {
                    "ArrowUp" => place(share.get_untracked() - 0.05),
                    "ArrowDown" => place(share.get_untracked() + 0.05),
                    _ => return,
                }
                event.prevent_default();
            }
        ></div>
    }
}
