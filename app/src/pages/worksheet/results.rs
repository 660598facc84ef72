//! What became of the statements: a tab for each, with its rows in a grid or as text, or with its error.

use super::error_panel::ErrorPanel;
use super::running::{Running, state_label, state_tone};
use super::sheet::SheetContext;
use super::text_view::TextView;
use crate::api::worksheet::{load_result_cell, load_result_page};
use crate::tr;
use crate::ui::data_grid::{CellAt, DataGrid, GridSource, PlainTable};
use crate::ui::format::{bytes, grouped};
use crate::ui::icon::{Icon, Spinner};
use crate::ui::{Chip, ChoiceOption, CopyButton, Dialog, EmptyState, Menu, Note, ProblemView, Segmented, Tone, dom};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::names::Id;
use model::worksheet::{Cell, ResultColumn, Run, StatementRun, StatementState};
use std::sync::Arc;

/// What is selected: the whole run, or one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Selected {
    Script,
    Statement(usize),
}

/// How rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ViewKind {
    Grid,
    Plain,
    /// What a statement without rows, or a failed one, has to say.
    Message,
    Text,
}

impl ViewKind {
    const ROWS: &[Self] = &[Self::Grid, Self::Plain, Self::Text];
    const WORDS: &[Self] = &[Self::Message, Self::Text];

    /// The views that a finished statement has.
    fn of(statement: &StatementRun) -> &'static [Self] {
        let has_rows = statement.state == StatementState::Succeeded && !statement.columns.is_empty();
        if has_rows { Self::ROWS } else { Self::WORDS }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Plain => "plain",
            Self::Message => "message",
            Self::Text => "text",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Grid => tr!(worksheet.grid),
            Self::Plain => tr!(worksheet.plain),
            Self::Message => tr!(worksheet.message),
            Self::Text => tr!(worksheet.text),
        }
    }

    fn parse(id: &str) -> Self {
        [Self::Plain, Self::Text].into_iter().find(|kind| kind.id() == id).unwrap_or(Self::Grid)
    }
}

/// The statement one wants to see when none was chosen: what runs, what failed, the last one with rows.
fn interesting(run: &Run) -> usize {
    let first = |wanted: fn(&StatementRun) -> bool| run.statements.iter().position(wanted);
    let running = first(|s| s.state == StatementState::Running);
    let bad =
        first(|s| matches!(s.state, StatementState::Failed | StatementState::Unknown | StatementState::Cancelled));
    let with_rows = run.statements.iter().rposition(|s| s.state == StatementState::Succeeded && !s.columns.is_empty());
    let last_done = run.statements.iter().rposition(|s| s.state.is_final());
    running.or(bad).or(with_rows).or(last_done).unwrap_or_default()
}

#[component]
pub fn Results() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let running = context.running;
    let chosen = RwSignal::new(None::<Selected>);
    let view_kind = RwSignal::new(ViewKind::Grid);
    let run_id = Memo::new(move |_| running.run.with(|run| run.as_ref().map(|run| run.id.clone())));
    // A new run is looked at afresh.
    Effect::new(move |before: Option<Option<Id>>| {
        let id = run_id.get();
        if before.is_some_and(|before| before != id) {
            chosen.set(None);
        }
        id
    });
    let selected = Memo::new(move |_| {
        running.run.with(|run| {
            let run = run.as_ref()?;
            Some(chosen.get().unwrap_or_else(|| Selected::Statement(interesting(run))))
        })
    });
    // What a client knows only in the browser (sizes, pages) is not rendered by the server.
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    view! {
        <section class="results" aria-label=tr!(worksheet.results)>
            {move || running.problem.get().map(|problem| view! { <div class="flex-none border-b border-line"><ProblemView problem/></div> })}
            <Show
                when=move || selected.get().is_some()
                fallback=move || view! {
                    <EmptyState icon="square-terminal" title=tr!(worksheet.no_run) about=tr!(worksheet.no_run_about).to_owned()/>
                }
            >
                <ResultTabs running selected on_select=move |tab| chosen.set(Some(tab)) view_kind/>
                <Show when=move || is_alive.get()><ResultBody running selected view_kind/></Show>
            </Show>
        </section>
    }
}

#[component]
fn ResultTabs(
    running: Running,
    selected: Memo<Option<Selected>>,
    #[prop(into)] on_select: Callback<Selected>,
    view_kind: RwSignal<ViewKind>,
) -> impl IntoView {
    let count = Memo::new(move |_| running.run.with(|run| run.as_ref().map_or(0, |run| run.statements.len())));
    let tabs = move || {
        let script = (count.get() > 1).then_some(Selected::Script);
        script.into_iter().chain((0..count.get()).map(Selected::Statement)).collect::<Vec<_>>()
    };
    let step = move |event: KeyboardEvent| {
        let tabs = untrack(tabs);
        let Some(at) = selected.get_untracked().and_then(|tab| tabs.iter().position(|other| *other == tab)) else {
            return;
        };
        let next = match event.key().as_str() {
            "ArrowRight" => (at + 1) % tabs.len(),
            "ArrowLeft" => (at + tabs.len() - 1) % tabs.len(),
            "Home" => 0,
            "End" => tabs.len() - 1,
            _ => return,
        };
        event.prevent_default();
        on_select.run(tabs[next]);
        dom::focus(&tab_id(tabs[next]));
    };
    // With many statements the selected tab may lie outside of the bar.
    Effect::new(move |_| {
        if let Some(tab) = selected.get() {
            request_animation_frame(move || {
                if let Some(tab) = document().get_element_by_id(&tab_id(tab)) {
                    let options = web_sys::ScrollIntoViewOptions::new();
                    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                    options.set_inline(web_sys::ScrollLogicalPosition::Nearest);
                    tab.scroll_into_view_with_scroll_into_view_options(&options);
                }
            });
        }
    });
    // How the selected statement can be shown; nothing to choose before it ended.
    let kinds = Memo::new(move |_| match selected.get() {
        Some(Selected::Statement(index)) => running.run.with(|run| {
            let statement = run.as_ref()?.statements.get(index)?;
            statement.state.is_final().then_some(ViewKind::of(statement))
        }),
        _ => None,
    });
    let options = Signal::derive(move || {
        kinds
            .get()
            .unwrap_or_default()
            .iter()
            .map(|kind| ChoiceOption::new(kind.id(), kind.label()))
            .collect::<Vec<_>>()
    });
    // A statement without rows has a message in the place of its grid.
    let value = move || match (kinds.get(), view_kind.get()) {
        (_, ViewKind::Text) => ViewKind::Text,
        (Some([first, ..]), kind) => {
            if ViewKind::ROWS.contains(first) {
                kind
            } else {
                *first
            }
        }
        (_, kind) => kind,
    };
    view! {
        <div class="results-head">
            <div class="tabbar min-w-0 grow border-0 px-1" role="tablist" aria-label=tr!(worksheet.results) on:keydown=step>
                <For each=tabs key=|tab| *tab let:tab>
                    <ResultTab running tab selected on_select/>
                </For>
            </div>
            <Show when=move || kinds.get().is_some()>
                <div class="flex-none px-1">
                    <Segmented
                        name="result-view"
                        label=tr!(worksheet.view)
                        hide_label=true
                        options
                        value=Signal::derive(move || value().id().to_owned())
                        on_change=move |id: String| view_kind.set(ViewKind::parse(&id))
                    />
                </div>
            </Show>
        </div>
    }
}

fn tab_id(tab: Selected) -> String {
    match tab {
        Selected::Script => "result-script".to_owned(),
        Selected::Statement(index) => format!("result-{index}"),
    }
}

#[component]
fn ResultTab(
    running: Running,
    tab: Selected,
    selected: Memo<Option<Selected>>,
    on_select: Callback<Selected>,
) -> impl IntoView {
    let is_selected = move || selected.get() == Some(tab);
    let label = Memo::new(move |_| {
        running.run.with(|run| {
            let run = run.as_ref()?;
            Some(match tab {
                Selected::Script => (
                    None,
                    tr!(worksheet.script).to_owned(),
                    tr!(worksheet.statements, n = run.statements.len()).to_string(),
                ),
                Selected::Statement(index) => {
                    let statement = run.statements.get(index)?;
                    (
                        Some((state_tone(statement.state), state_name(run, statement))),
                        statement.verb.clone(),
                        outcome(run, statement),
                    )
                }
            })
        })
    });
    view! {
        <button
            type="button"
            role="tab"
            id=tab_id(tab)
            aria-controls=move || is_selected().then_some("result-panel")
            aria-selected=move || if is_selected() { "true" } else { "false" }
            tabindex=move || if is_selected() { "0" } else { "-1" }
            on:click=move |_| on_select.run(tab)
        >
            {move || label.get().map(|(state, verb, outcome)| view! {
                {match state {
                    Some((tone, word)) => {
                        let class = tone.text_class();
                        view! { <Icon name=tone.icon() class/><span class="sr-only">{word}</span> }.into_any()
                    }
                    None => view! { <Icon name="scroll-text"/> }.into_any(),
                }}
                <span class="max-w-48 truncate">{verb}</span>
                <span class="text-sm font-normal text-muted">{outcome}</span>
            })}
        </button>
    }
}

/// The state where a word for it is spoken only: `OK` says little beside a verb.
fn state_name(run: &Run, statement: &StatementRun) -> &'static str {
    match statement.state {
        StatementState::Succeeded => tr!(worksheet.state_succeeded),
        _ => state_label(run, statement),
    }
}

fn rows_word(n: u64) -> String {
    if n == 1 { tr!(worksheet.one_row).to_owned() } else { tr!(worksheet.n_rows, n = grouped(n)).to_string() }
}

/// Beside the verb: how many rows, or what went otherwise.
fn outcome(run: &Run, statement: &StatementRun) -> String {
    match statement.state {
        StatementState::Succeeded => match (statement.columns.is_empty(), statement.affected_rows) {
            (false, _) => rows_word(statement.row_count),
            (true, Some(n)) => rows_word(n),
            (true, None) => String::new(),
        },
        StatementState::Running => seconds(statement.progress.elapsed_ms),
        StatementState::Waiting | StatementState::Failed | StatementState::Cancelled | StatementState::Unknown => {
            state_label(run, statement).to_lowercase()
        }
    }
}

/// `38 ms`, `3.2 s`, `2 min 5 s`.
pub fn seconds(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

#[component]
fn ResultBody(running: Running, selected: Memo<Option<Selected>>, view_kind: RwSignal<ViewKind>) -> impl IntoView {
    // The grid is built anew only when another result is shown or its statement ends, not with each event.
    let shown = Memo::new(move |_| {
        let selected = selected.get()?;
        running.run.with(|run| {
            let run = run.as_ref()?;
            let state = match selected {
                Selected::Script => run.statements.iter().filter(|s| s.state.is_final()).count(),
                Selected::Statement(index) => run.statements.get(index)?.state as usize,
            };
            Some((run.id.clone(), selected, state, run.is_finished))
        })
    });
    view! {
        <div class="flex min-h-0 grow flex-col" role="tabpanel" id="result-panel" aria-labelledby=move || selected.get().map(tab_id)>
            {move || {
                let (_, selected, ..) = shown.get()?;
                let run = running.run.get_untracked()?;
                Some(match selected {
                    Selected::Script => {
                        let indexes = (0..run.statements.len()).collect();
                        view! { <TextView run indexes/> }.into_any()
                    }
                    Selected::Statement(index) => {
                        let statement = run.statements.get(index)?.clone();
                        view! { <StatementBody running run statement view_kind/> }.into_any()
                    }
                })
            }}
        </div>
    }
}

#[component]
fn StatementBody(running: Running, run: Run, statement: StatementRun, view_kind: RwSignal<ViewKind>) -> impl IntoView {
    let index = statement.index;
    let live =
        Memo::new(move |_| running.run.with(|run| run.as_ref().and_then(|run| run.statements.get(index).cloned())));
    let notices = statement.notices.clone();
    let body = match (statement.state, statement.error.clone()) {
        (StatementState::Running, _) => view! { <Progress running live/> }.into_any(),
        (StatementState::Waiting, _) => {
            let word = state_label(&run, &statement);
            view! { <p class="grow p-4 text-muted"><Icon name="circle-dashed" small=true/>" "{word}</p> }.into_any()
        }
        (_, Some(error)) => {
            let (run, statement) = (run.clone(), statement.clone());
            (move || match view_kind.get() {
                ViewKind::Text => view! { <TextView run=run.clone() indexes=vec![index]/> }.into_any(),
                ViewKind::Grid | ViewKind::Plain | ViewKind::Message => view! {
                    <ErrorPanel run=run.clone() statement=statement.clone() error=error.clone()/>
                }
                .into_any(),
            })
            .into_any()
        }
        (StatementState::Succeeded, None) if !statement.columns.is_empty() => {
            view! { <Rows run=run.clone() statement=statement.clone() view_kind/> }.into_any()
        }
        (StatementState::Succeeded, None) => {
            view! { <Done run=run.clone() statement=statement.clone() view_kind/> }.into_any()
        }
        (StatementState::Cancelled | StatementState::Failed, None) => {
            let word = state_label(&run, &statement);
            view! { <p class="grow p-4 text-muted"><Icon name="ban" small=true/>" "{word}</p> }.into_any()
        }
        (StatementState::Unknown, None) => view! {
            <div class="grow p-4"><Note tone=Tone::Warning title=tr!(worksheet.unknown_title)>{tr!(worksheet.unknown_about)}</Note></div>
        }
        .into_any(),
    };
    let truncated = statement.truncated.clone();
    view! {
        {truncated.map(|sentence| view! {
            <p class="is-warn tint flex flex-none items-center gap-2 border-b border-line px-3 py-1.5 text-sm"><Icon name="triangle-alert" small=true class="tone"/>{sentence}</p>
        })}
        {notices.into_iter().map(|notice| view! {
            <p class="flex flex-none items-center gap-2 border-b border-line px-3 py-1.5 text-sm"><Icon name="info" small=true class="text-muted"/>{notice}</p>
        }).collect_view()}
        {body}
        <Foot run live/>
    }
}

/// A running statement: how long, how much, and the way to stop it.
#[component]
fn Progress(running: Running, live: Memo<Option<StatementRun>>) -> impl IntoView {
    let progress = move || live.get().map(|statement| statement.progress).unwrap_or_default();
    view! {
        <div class="flex grow items-start gap-3 p-4" role="status">
            <Spinner/>
            <span>{move || tr!(worksheet.running_for, time = seconds(progress().elapsed_ms)).to_string()}</span>
            {move || (progress().rows > 0).then(|| view! { <span class="text-muted">{rows_word(progress().rows)}</span> })}
            {move || (progress().bytes > 0).then(|| view! { <span class="text-muted">{bytes(progress().bytes)}</span> })}
            <button type="button" class="btn" on:click=move |_| running.cancel()><Icon name="square" small=true/>{tr!(worksheet.cancel)}</button>
        </div>
    }
}

/// A statement without rows that went well.
#[component]
fn Done(run: Run, statement: StatementRun, view_kind: RwSignal<ViewKind>) -> impl IntoView {
    let written = statement.affected_rows.map(|n| {
        if n == 1 {
            tr!(worksheet.one_row_written).to_owned()
        } else {
            tr!(worksheet.rows_written, n = grouped(n)).to_string()
        }
    });
    let snapshot = statement.snapshot_id.map(|id| tr!(worksheet.snapshot, id = id).to_string());
    let said = written.into_iter().chain(snapshot).collect::<Vec<_>>().join(", ");
    let said = if said.is_empty() { "OK".to_owned() } else { format!("OK: {said}") };
    let index = statement.index;
    move || {
        match view_kind.get() {
        ViewKind::Text => view! { <TextView run=run.clone() indexes=vec![index]/> }.into_any(),
        ViewKind::Grid | ViewKind::Plain | ViewKind::Message => view! {
            <div class="min-h-0 grow overflow-auto p-4">
                <p class="is-ok flex items-center gap-2" role="status"><Icon name="circle-check" class="tone"/>{said.clone()}</p>
            </div>
        }
        .into_any(),
    }
    }
}

fn source(run: &Id, index: usize) -> GridSource {
    let (page_run, cell_run) = (run.clone(), run.clone());
    GridSource {
        page: Arc::new(move |offset, count| {
            let run = page_run.clone();
            Box::pin(async move { load_result_page(run, index, offset, count).await.map_err(|error| error.0) })
        }),
        cell: Arc::new(move |row, column| {
            let run = cell_run.clone();
            Box::pin(async move { load_result_cell(run, index, row, column).await.map_err(|error| error.0) })
        }),
    }
}

#[component]
fn Rows(run: Run, statement: StatementRun, view_kind: RwSignal<ViewKind>) -> impl IntoView {
    let index = statement.index;
    let viewed = RwSignal::new(None::<CellAt>);
    let is_viewing = RwSignal::new(false);
    let open = Callback::new(move |at: CellAt| {
        viewed.set(Some(at));
        is_viewing.set(true);
    });
    let label = tr!(worksheet.result_of, n = index + 1).to_string();
    let source = source(&run.id, index);
    let columns = statement.columns.clone();
    let row_count = statement.row_count;
    let is_empty = row_count == 0;
    let viewer_source = source.clone();
    let viewer_columns = columns.clone();
    let body = move || {
        match view_kind.get() {
        ViewKind::Text => view! { <TextView run=run.clone() indexes=vec![index]/> }.into_any(),
        ViewKind::Grid | ViewKind::Message => view! {
            <DataGrid id=format!("grid-{index}") label=label.clone() columns=columns.clone() row_count source=source.clone() on_open=open/>
            {is_empty.then(|| view! { <p class="px-3 py-2 text-muted" role="status">{tr!(worksheet.no_rows)}</p> })}
        }
        .into_any(),
        ViewKind::Plain => view! {
            <PlainTable label=label.clone() columns=columns.clone() row_count source=source.clone() on_open=open/>
        }
        .into_any(),
    }
    };
    view! {
        {body}
        <CellViewer source=viewer_source columns=viewer_columns viewed open=is_viewing/>
    }
}

/// One value whole, with its type and length.
#[component]
fn CellViewer(
    source: GridSource,
    columns: Vec<ResultColumn>,
    viewed: RwSignal<Option<CellAt>>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let value = RwSignal::new(None::<Result<Cell, model::problem::Problem>>);
    let source = StoredValue::new(source);
    let columns = StoredValue::new(columns);
    Effect::new(move |_| {
        let Some(at) = viewed.get().filter(|_| open.get()) else { return };
        value.set(None);
        let answer = source.with_value(|source| (source.cell)(at.row, at.column));
        spawn_local(async move {
            let answer = answer.await;
            if viewed.try_get_untracked().flatten() == Some(at) {
                value.try_set(Some(answer));
            }
        });
    });
    let column = move || viewed.get().and_then(|at| columns.with_value(|columns| columns.get(at.column).cloned()));
    let title = Signal::derive(move || {
        let name = column().map(|column| column.name).unwrap_or_default();
        let row = viewed.get().map_or(0, |at| at.row + 1);
        tr!(worksheet.cell_title, row = grouped(row), column = name).to_string()
    });
    let text = Signal::derive(move || match value.get() {
        Some(Ok(Cell::Text(text) | Cell::Cut { text, .. })) => text,
        _ => String::new(),
    });
    view! {
        <Dialog id="cell-viewer" open title class="cell-viewer">
            <div class="dialog-body">
                {move || match value.get() {
                    None => view! { <p class="text-muted" role="status"><Spinner/>" "{tr!(frame.loading)}</p> }.into_any(),
                    Some(Err(problem)) => view! { <ProblemView problem/> }.into_any(),
                    Some(Ok(Cell::Null)) => view! { <pre class="sql cell-value text-muted italic">"NULL"</pre> }.into_any(),
                    Some(Ok(Cell::Text(text) | Cell::Cut { text, .. })) => {
                        let is_empty = text.is_empty();
                        view! {
                            <pre class="sql cell-value" tabindex="0">{text}</pre>
                            {is_empty.then(|| view! { <p class="text-sm text-muted">{tr!(worksheet.empty_text)}</p> })}
                        }.into_any()
                    }
                }}
                <dl class="kv mt-3 text-sm">
                    <dt>{tr!(worksheet.cell_type)}</dt><dd class="mono">{move || column().map(|column| column.data_type.to_uppercase())}</dd>
                    {move || matches!(value.get(), Some(Ok(Cell::Text(_) | Cell::Cut { .. }))).then(|| view! {
                        <dt>{tr!(worksheet.cell_length)}</dt>
                        <dd>{move || text.with(|text| {
                            let n = grouped(text.chars().count() as u64);
                            tr!(worksheet.length, chars = n, bytes = grouped(text.len() as u64)).to_string()
                        })}</dd>
                    })}
                </dl>
                <div class="dialog-foot"><CopyButton text label=tr!(worksheet.copy_value) words=true/></div>
            </div>
        </Dialog>
    }
}

/// Below the rows: how many, how long, which statement it was, and where else they can go.
#[component]
fn Foot(run: Run, live: Memo<Option<StatementRun>>) -> impl IntoView {
    let run = StoredValue::new(run);
    let statement = move || live.get();
    let file = move |kind: &str| {
        let index = live.get_untracked().map_or(0, |statement| statement.index);
        run.with_value(|run| format!("/download/run/{}/{index}.{kind}", run.id))
    };
    let can_export = move || statement().is_some_and(|s| s.state == StatementState::Succeeded && !s.columns.is_empty());
    view! {
        <div class="pane-foot flex-none flex-wrap gap-x-4 gap-y-0 whitespace-nowrap">
            {move || statement().map(|statement| {
                let word = run.with_value(|run| state_label(run, &statement));
                view! { <Chip tone=state_tone(statement.state) plain=true>{word}</Chip> }
            })}
            {move || statement().filter(|s| s.state == StatementState::Succeeded && !s.columns.is_empty()).map(|s| view! {
                <span class="text-base-content">{rows_word(s.row_count)}</span>
            })}
            {move || statement().filter(|s| s.progress.elapsed_ms > 0).map(|s| view! {
                <span class="text-base-content">{seconds(s.progress.elapsed_ms)}</span>
            })}
            {move || statement().filter(|s| s.progress.bytes > 0).map(|s| view! {
                <span>{tr!(worksheet.bytes_read, size = bytes(s.progress.bytes)).to_string()}</span>
            })}
            {move || statement().and_then(|s| s.instance_id).map(|id| view! { <span class="font-mono text-xs">"ID = "{id}</span> })}
            <Show when=can_export>
                <span class="ml-auto">
                    <Menu
                        id="export-menu"
                        class="btn btn-ghost h-6 text-sm"
                        label=tr!(worksheet.export)
                        trigger=|| view! { <Icon name="download" small=true/>{tr!(worksheet.export)}<Icon name="chevron-down" small=true/> }
                    >
                        <a href=file("csv") download="" rel="external">"CSV"</a>
                        <a href=file("json") download="" rel="external">"JSON"</a>
                        <a href=file("arrow") download="" rel="external">"Arrow"</a>
                        <a href=file("txt") download="" rel="external">{tr!(worksheet.text)}</a>
                    </Menu>
                </span>
            </Show>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times() {
        assert_eq!([seconds(38), seconds(3_249), seconds(125_000)], ["38 ms", "3.2 s", "2 min 5 s"]);
    }
}
