//! Rows of a result, however many: only those on the screen are in the page, and only a few fetched pages are kept.
//!
//! The scroll bar maps to rows, not to pixels: browsers cannot make an element as high as a million rows. The table
//! sticks to the top of a spacer, and shows the rows that belong to the bar's position.

use super::icon::{Icon, Spinner};
use super::{Button, ButtonKind, dom, toast};
use crate::tr;
use crate::ui::format::grouped;
use leptos::ev::{KeyboardEvent, MouseEvent, WheelEvent};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::problem::Problem;
use model::worksheet::{Cell, ResultColumn, ResultPage};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use wasm_bindgen::JsCast;

/// What an answer that is under way looks like in the browser.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// Where rows come from.
#[derive(Clone)]
pub struct GridSource {
    /// Rows from an offset.
    pub page: Arc<dyn Fn(u64, u64) -> Answer<ResultPage> + Send + Sync>,
    /// One value whole.
    pub cell: Arc<dyn Fn(u64, usize) -> Answer<Cell> + Send + Sync>,
}

/// Rows in one request.
const PAGE_ROWS: u64 = 200;
/// Pages that are kept; more would grow with what was scrolled over.
const PAGES_MAX: usize = 32;
/// Browsers cut elements at 17 to 33 million pixels.
const SCROLL_HEIGHT_MAX: f64 = 8_000_000.0;
const HEAD_HEIGHT: f64 = 40.0;
/// Pixels of the column of row numbers.
const ROW_NUMBER_WIDTH: f64 = 64.0;
/// A selection of more is refused: the clipboard is not the way to export.
const COPY_CELLS_MAX: u64 = 200_000;
/// A row height after which the page measured nothing yet.
const ROW_HEIGHT: f64 = 28.0;

/// Which rows are on the screen, out of how many.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    rows: u64,
    /// Rows that fit whole.
    visible: u64,
    /// Pixels.
    height: f64,
    row_height: f64,
}

impl Window {
    fn new(rows: u64, height: f64, row_height: f64) -> Self {
        let visible = ((height - HEAD_HEIGHT) / row_height).floor().max(1.0);
        Self { rows, visible: visible as u64, height, row_height }
    }

    /// The row that stands first when scrolled to the end.
    fn top_max(self) -> u64 {
        self.rows.saturating_sub(self.visible)
    }

    /// Height of the element that makes the scroll bar.
    fn scroll_height(self) -> f64 {
        (HEAD_HEIGHT + self.rows as f64 * self.row_height).min(SCROLL_HEIGHT_MAX)
    }

    fn is_scaled(self) -> bool {
        HEAD_HEIGHT + self.rows as f64 * self.row_height > SCROLL_HEIGHT_MAX
    }

    fn top_at(self, scroll_top: f64) -> u64 {
        let range = self.scroll_height() - self.height;
        if range <= 0.0 {
            return 0;
        }
        ((scroll_top / range * self.top_max() as f64).round().max(0.0) as u64).min(self.top_max())
    }

    fn scroll_at(self, top: u64) -> f64 {
        match self.top_max() {
            0 => 0.0,
            max => (self.scroll_height() - self.height).max(0.0) * (top as f64 / max as f64),
        }
    }

    /// The rows to show: one more than fits whole, to fill the last gap.
    fn shown(self, top: u64) -> Range<u64> {
        let top = top.min(self.top_max());
        top..(top + self.visible + 1).min(self.rows)
    }

    /// The first row after moving so that `row` is on the screen.
    fn top_showing(self, top: u64, row: u64) -> u64 {
        if row < top {
            row
        } else if row >= top + self.visible {
            (row + 1).saturating_sub(self.visible)
        } else {
            top
        }
        .min(self.top_max())
    }
}

/// The fetched pages, those used last kept.
#[derive(Clone, Debug, Default)]
struct Pages {
    pages: BTreeMap<u64, Arc<Vec<Vec<Cell>>>>,
    /// Page numbers, the latest used last.
    used: Vec<u64>,
}

impl Pages {
    fn row(&self, row: u64) -> Option<&Vec<Cell>> {
        self.pages.get(&(row / PAGE_ROWS))?.get((row % PAGE_ROWS) as usize)
    }

    fn keep(&mut self, page: u64, rows: Vec<Vec<Cell>>) {
        self.pages.insert(page, Arc::new(rows));
        self.touch(page);
        while self.used.len() > PAGES_MAX {
            let oldest = self.used.remove(0);
            self.pages.remove(&oldest);
        }
    }

    fn touch(&mut self, page: u64) {
        self.used.retain(|other| *other != page);
        self.used.push(page);
    }

    /// Pages of these rows that are not there.
    fn missing(&self, rows: &Range<u64>) -> Vec<u64> {
        if rows.is_empty() {
            return Vec::new();
        }
        (rows.start / PAGE_ROWS..=(rows.end - 1) / PAGE_ROWS).filter(|page| !self.pages.contains_key(page)).collect()
    }
}

/// A cell by row and column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellAt {
    pub row: u64,
    pub column: usize,
}

/// The rectangle between the anchor and the cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Selection {
    anchor: CellAt,
    cursor: CellAt,
}

impl Selection {
    fn rows(self) -> Range<u64> {
        self.anchor.row.min(self.cursor.row)..self.anchor.row.max(self.cursor.row) + 1
    }

    fn columns(self) -> Range<usize> {
        self.anchor.column.min(self.cursor.column)..self.anchor.column.max(self.cursor.column) + 1
    }

    fn contains(self, row: u64, column: usize) -> bool {
        self.rows().contains(&row) && self.columns().contains(&column)
    }

    fn cells(self) -> u64 {
        let rows = self.rows();
        (rows.end - rows.start).saturating_mul(self.columns().len() as u64)
    }
}

/// Where a key moves the cursor; `None` for keys that do not move.
fn moved(cursor: CellAt, key: &str, ctrl: bool, window: Window, columns: usize) -> Option<CellAt> {
    let CellAt { row, column } = cursor;
    let (last_row, last_column) = (window.rows.saturating_sub(1), columns.saturating_sub(1));
    let (row, column) = match (key, ctrl) {
        ("ArrowUp", false) => (row.saturating_sub(1), column),
        ("ArrowDown", false) => (row.saturating_add(1), column),
        ("ArrowLeft", false) => (row, column.saturating_sub(1)),
        ("ArrowRight", false) => (row, column + 1),
        ("ArrowUp", true) => (0, column),
        ("ArrowDown", true) => (last_row, column),
        ("ArrowLeft", true) | ("Home", false) => (row, 0),
        ("ArrowRight", true) | ("End", false) => (row, last_column),
        ("PageUp", _) => (row.saturating_sub(window.visible), column),
        ("PageDown", _) => (row.saturating_add(window.visible), column),
        ("Home", true) => (0, 0),
        ("End", true) => (last_row, last_column),
        _ => return None,
    };
    Some(CellAt { row: row.min(last_row), column: column.min(last_column) })
}

/// A value between tabs, quoted where spreadsheets need it.
fn tsv(text: &str) -> String {
    if text.contains(['\t', '\n', '\r', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Pixels for a column that shows its head and the given values without jumping while one scrolls.
fn column_width(column: &ResultColumn, values: impl Iterator<Item = usize>) -> f64 {
    const CELL_PER_CHARACTER: f64 = 7.25;
    const HEAD_PER_CHARACTER: f64 = 7.0;
    const PADDING: f64 = 24.0;
    let head = columns_of(&column.name).max(columns_of(&column.data_type)) as f64 * HEAD_PER_CHARACTER;
    let cells = values.max().unwrap_or_default() as f64 * CELL_PER_CHARACTER;
    (head.max(cells) + PADDING).clamp(72.0, 420.0).round()
}

/// How wide a text is in a mono font, as far as a column's width cares.
fn columns_of(text: &str) -> usize {
    text.chars().take(64).map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

fn text_of(cell: &Cell) -> &str {
    match cell {
        Cell::Null => "NULL",
        Cell::Text(text) | Cell::Cut { text, .. } => text,
    }
}

/// The virtual grid. Rendered in the browser only, where sizes are known.
#[component]
pub fn DataGrid(
    /// Unique in the page.
    #[prop(into)]
    id: String,
    #[prop(into)] label: String,
    columns: Vec<ResultColumn>,
    row_count: u64,
    source: GridSource,
    /// Space, Enter or a double click.
    #[prop(into)]
    on_open: Callback<CellAt>,
) -> impl IntoView {
    let viewport = NodeRef::<html::Div>::new();
    let table = NodeRef::<html::Table>::new();
    // Width and height of the viewport without scroll bars.
    let height = RwSignal::new(0.0_f64);
    let row_height = RwSignal::new(ROW_HEIGHT);
    let window = Memo::new(move |_| Window::new(row_count, height.get(), row_height.get()));
    let top = RwSignal::new(0_u64);
    // Where the bar was put by us: the event that follows must not move the rows again.
    let placed = StoredValue::new(None::<f64>);
    let selection = RwSignal::new(Selection::default());
    let pages = RwSignal::new(Pages::default());
    let asked = StoredValue::new(BTreeSet::<u64>::new());
    let problem = RwSignal::new(None::<Problem>);
    let source = StoredValue::new(source);
    let columns = StoredValue::new(columns);
    let id = StoredValue::new(id);
    let n_columns = columns.with_value(Vec::len);
    let cell_id = move |row: u64, column: usize| id.with_value(|id| format!("{id}-{row}-{column}"));

    let widths = Memo::new(move |_| {
        let first = pages.with(|pages| pages.pages.get(&0).cloned());
        columns.with_value(|columns| {
            let width = |(index, column): (usize, &ResultColumn)| {
                let rows = first.iter().flat_map(|rows| rows.iter());
                column_width(column, rows.filter_map(|row| row.get(index)).map(|cell| columns_of(text_of(cell))))
            };
            columns.iter().enumerate().map(width).collect::<Vec<_>>()
        })
    });
    // The first page decides the widths, and stays decisive when it is no longer kept.
    let widths = Memo::new(move |before: Option<&Vec<f64>>| match before {
        Some(before) if pages.with(|pages| !pages.pages.contains_key(&0)) => before.clone(),
        _ => widths.get(),
    });

    let fetch = move |page: u64| {
        let is_new = asked.try_update_value(|asked| asked.insert(page)).unwrap_or_default();
        if !is_new {
            return;
        }
        let answer = source.with_value(|source| (source.page)(page * PAGE_ROWS, PAGE_ROWS));
        spawn_local(async move {
            let result = answer.await;
            asked.try_update_value(|asked| asked.remove(&page));
            match result {
                Ok(fetched) => {
                    problem.try_set(None);
                    pages.try_update(|pages| pages.keep(page, fetched.rows));
                }
                Err(failed) => _ = problem.try_set(Some(failed)),
            }
        });
    };
    // While the bar is dragged, only where it rests is fetched.
    let wanted = StoredValue::new(0_u32);
    let fetch_shown = move || {
        let (Some(window), Some(top)) = (window.try_get_untracked(), top.try_get_untracked()) else { return };
        let rows = window.shown(top);
        for page in pages.with_untracked(|pages| pages.missing(&rows)) {
            fetch(page);
        }
        pages.update_untracked(|pages| {
            let first = rows.start / PAGE_ROWS;
            if pages.pages.contains_key(&first) {
                pages.touch(first);
            }
        });
    };
    Effect::new(move |_| {
        let rows = window.get().shown(top.get());
        if height.get() <= 0.0 || pages.with_untracked(|pages| pages.missing(&rows).is_empty()) {
            return;
        }
        let turn = wanted.try_update_value(|turn| {
            *turn = turn.wrapping_add(1);
            *turn
        });
        let is_last = move || wanted.try_get_value() == turn;
        set_timeout(
            move || {
                if is_last() {
                    fetch_shown()
                }
            },
            std::time::Duration::from_millis(40),
        );
    });

    let scroll_to = move |row: u64| {
        let window = window.get_untracked();
        let row = row.min(window.top_max());
        top.set(row);
        if let Some(viewport) = viewport.get_untracked() {
            viewport.set_scroll_top(window.scroll_at(row).round() as i32);
            placed.set_value(Some(f64::from(viewport.scroll_top())));
        }
    };
    let on_scroll = move |_| {
        let Some(viewport) = viewport.get_untracked() else { return };
        let at = f64::from(viewport.scroll_top());
        if placed.get_value().is_none_or(|placed| (placed - at).abs() > 1.5) {
            placed.set_value(None);
            top.set(window.get_untracked().top_at(at));
        }
    };
    // A wheel moves by pixels, which in a scaled grid would be dozens of rows.
    let wheel_rest = StoredValue::new(0.0_f64);
    let on_wheel = move |event: WheelEvent| {
        let window = window.get_untracked();
        if !window.is_scaled() || event.delta_y() == 0.0 || event.ctrl_key() || event.shift_key() {
            return;
        }
        event.prevent_default();
        let pixels = match event.delta_mode() {
            WheelEvent::DOM_DELTA_LINE => event.delta_y() * window.row_height,
            WheelEvent::DOM_DELTA_PAGE => event.delta_y() * window.height,
            _ => event.delta_y(),
        };
        let rows = (wheel_rest.get_value() + pixels) / window.row_height;
        wheel_rest.set_value(rows.fract() * window.row_height);
        scroll_to(top.get_untracked().saturating_add_signed(rows.trunc() as i64));
    };

    let reveal = move |at: CellAt| {
        let next = window.get_untracked().top_showing(top.get_untracked(), at.row);
        if next != top.get_untracked() {
            scroll_to(next);
        }
        let Some(viewport) = viewport.get_untracked() else { return };
        let (left, width) = widths.with_untracked(|widths| {
            (widths.iter().take(at.column).sum::<f64>(), widths.get(at.column).copied().unwrap_or_default())
        });
        let (shown, room) = (f64::from(viewport.scroll_left()), f64::from(viewport.client_width()) - ROW_NUMBER_WIDTH);
        if left < shown || width > room {
            viewport.set_scroll_left(left as i32);
        } else if left + width > shown + room {
            viewport.set_scroll_left((left + width - room).ceil() as i32);
        }
    };
    let place = move |cursor: CellAt, extend: bool| {
        selection.update(|selection| {
            selection.cursor = cursor;
            if !extend {
                selection.anchor = cursor;
            }
        });
        reveal(cursor);
    };

    let copying = RwSignal::new(false);
    let copy = move || {
        let selection = selection.get_untracked();
        if selection.cells() > COPY_CELLS_MAX {
            toast(tr!(worksheet.copy_too_much, n = grouped(COPY_CELLS_MAX)));
            return;
        }
        if copying.get_untracked() || row_count == 0 {
            return;
        }
        copying.set(true);
        let known = pages.get_untracked();
        let source = source.get_value();
        spawn_local(async move {
            let text = selected_text(&source, &known, selection).await;
            let done = match text {
                Ok(text) if dom::copy_text(&text).await => tr!(worksheet.copied_cells, n = grouped(selection.cells())),
                Ok(_) => tr!(frame.copy_refused).to_owned(),
                Err(problem) => problem.message,
            };
            copying.try_set(false);
            toast(done);
        });
    };

    let on_key = move |event: KeyboardEvent| {
        let ctrl = event.ctrl_key() || event.meta_key();
        let key = event.key();
        if event.alt_key() {
            return;
        }
        let cursor = selection.get_untracked().cursor;
        match key.as_str() {
            " " | "Enter" if !ctrl => on_open.run(cursor),
            "c" | "C" if ctrl => copy(),
            "a" | "A" if ctrl => selection.set(Selection {
                anchor: CellAt::default(),
                cursor: CellAt { row: row_count.saturating_sub(1), column: n_columns.saturating_sub(1) },
            }),
            _ => match moved(cursor, &key, ctrl, window.get_untracked(), n_columns) {
                Some(cursor) => place(cursor, event.shift_key()),
                None => return,
            },
        }
        event.prevent_default();
    };
    let on_mouse_down = move |event: MouseEvent| {
        if event.button() != 0 {
            return;
        }
        if let Some(at) = cell_under(&event) {
            // The browser would select text, and scroll the table into view.
            event.prevent_default();
            if let Some(table) = table.get_untracked() {
                _ = table.focus();
            }
            place(at, event.shift_key());
        }
    };
    let on_mouse_over = move |event: MouseEvent| {
        if event.buttons() & 1 == 1
            && let Some(at) = cell_under(&event)
        {
            place(at, true);
        }
    };

    observe(viewport, table, height, row_height);

    let body = move || {
        let shown = window.get().shown(top.get());
        let selection = selection.get();
        pages.with(|pages| {
            shown
                .map(|row| {
                    let cells = pages.row(row);
                    let cells = (0..n_columns)
                        .map(|column| {
                            let cell = cells.and_then(|cells| cells.get(column));
                            let is_number = columns.with_value(|columns| columns[column].is_number);
                            let cursor = CellAt { row, column } == selection.cursor;
                            let selected = selection.contains(row, column);
                            view! {
                                <td
                                    role="gridcell"
                                    id=cell_id(row, column)
                                    aria-colindex=(column + 2).to_string()
                                    aria-selected=if selected { "true" } else { "false" }
                                    class=cell_class(cell, is_number, cursor, selected)
                                >
                                    {cell_text(cell)}
                                </td>
                            }
                        })
                        .collect_view();
                    view! {
                        <tr role="row" aria-rowindex=(row + 2).to_string()>
                            <th role="rowheader" scope="row" aria-colindex="1" class="rn">{grouped(row + 1)}</th>
                            {cells}
                            <td role="presentation" class="fill"></td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    let label = StoredValue::new(label);
    view! {
        <div class="relative flex min-h-0 grow flex-col">
            <div node_ref=viewport class="dgrid-viewport" on:scroll=on_scroll on:wheel=on_wheel>
                <div
                    style:height=move || format!("{}px", window.get().scroll_height())
                    style:width=move || format!("{}px", ROW_NUMBER_WIDTH + widths.with(|widths| widths.iter().sum::<f64>()))
                    class="dgrid-spacer"
                >
                    <table
                        node_ref=table
                        class="dgrid dgrid-virtual"
                        role="grid"
                        tabindex="0"
                        aria-label=label.get_value()
                        aria-rowcount=(row_count + 1).to_string()
                        aria-colcount=(n_columns + 1).to_string()
                        aria-multiselectable="true"
                        aria-activedescendant=move || {
                            let cursor = selection.get().cursor;
                            window.get().shown(top.get()).contains(&cursor.row).then(|| cell_id(cursor.row, cursor.column))
                        }
                        on:keydown=on_key
                        on:mousedown=on_mouse_down
                        on:mouseover=on_mouse_over
                        on:dblclick=move |event| if let Some(at) = cell_under(&event) { on_open.run(at) }
                    >
                        <colgroup>
                            <col style:width=format!("{ROW_NUMBER_WIDTH}px")/>
                            {move || widths.get().into_iter().map(|width| view! { <col style:width=format!("{width}px")/> }).collect_view()}
                            <col/>
                        </colgroup>
                        <thead>
                            <tr role="row" aria-rowindex="1">
                                <th class="rn" role="columnheader" aria-colindex="1"><span class="sr-only">{tr!(worksheet.row)}</span></th>
                                {columns.with_value(|columns| columns.iter().enumerate().map(|(index, column)| view! {
                                    <th role="columnheader" aria-colindex=(index + 2).to_string() class:num=column.is_number title=column.name.clone()>
                                        {column.name.clone()}<small>{column.data_type.clone()}</small>
                                    </th>
                                }).collect_view())}
                                <td role="presentation" class="fill"></td>
                            </tr>
                        </thead>
                        <tbody>{body}</tbody>
                    </table>
                </div>
            </div>
            {move || problem.get().map(|problem| view! {
                <div class="dgrid-problem" role="alert">
                    <Icon name="circle-x" small=true class="text-error"/>
                    <span class="min-w-0 grow truncate">{problem.message}</span>
                    <Button icon="refresh-cw" on_click=move |()| fetch_shown()>{tr!(frame.try_again)}</Button>
                </div>
            })}
            <p class="dgrid-status" role="status">
                {move || {
                    let selection = selection.get();
                    let rows = selection.rows();
                    (selection.cells() > 1).then(|| view! {
                        <span>{tr!(worksheet.cells_selected, rows = grouped(rows.end - rows.start), columns = selection.columns().len())}</span>
                    })
                }}
                {move || copying.get().then(|| view! { <span class="inline-flex items-center gap-1"><Spinner/>{tr!(worksheet.copying)}</span> })}
            </p>
        </div>
    }
}

fn cell_class(cell: Option<&Cell>, is_number: bool, is_cursor: bool, is_selected: bool) -> String {
    let mut class = String::new();
    let mut add = |name: &str, yes: bool| {
        if yes {
            class.push_str(name);
        }
    };
    add("num ", is_number);
    add("null ", matches!(cell, Some(Cell::Null)));
    add("cut ", matches!(cell, Some(Cell::Cut { .. })));
    add("void ", matches!(cell, Some(Cell::Text(text)) if text.is_empty()));
    add("cur ", is_cursor);
    add("sel ", is_selected && !is_cursor);
    class.truncate(class.trim_end().len());
    class
}

/// What stands in a cell: one line, the rest is in the viewer.
fn cell_text(cell: Option<&Cell>) -> String {
    const SHOWN: usize = 200;
    match cell {
        None => "…".to_owned(),
        Some(Cell::Null) => "NULL".to_owned(),
        Some(Cell::Text(text) | Cell::Cut { text, .. }) => {
            let is_long = matches!(cell, Some(Cell::Cut { .. })) || text.chars().nth(SHOWN).is_some();
            let mut line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { '␣' } else { c }).collect();
            if is_long {
                line.push('…');
            }
            line
        }
    }
}

/// The cell that a mouse event hit.
fn cell_under(event: &MouseEvent) -> Option<CellAt> {
    let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    let cell = target.closest("td[aria-colindex]").ok()??;
    let row = cell.closest("tr").ok()??;
    let index =
        |element: &web_sys::Element, name: &str| element.get_attribute(name)?.parse::<u64>().ok()?.checked_sub(2);
    let column = usize::try_from(index(&cell, "aria-colindex")?).ok()?;
    Some(CellAt { row: index(&row, "aria-rowindex")?, column })
}

/// The selection as lines of tab-separated values. Long values are fetched whole; NULL becomes nothing.
async fn selected_text(source: &GridSource, known: &Pages, selection: Selection) -> Result<String, Problem> {
    let mut out = String::new();
    let mut fetched: Option<(u64, Vec<Vec<Cell>>)> = None;
    for row in selection.rows() {
        let page = row / PAGE_ROWS;
        if known.row(row).is_none() && fetched.as_ref().is_none_or(|(number, _)| *number != page) {
            fetched = Some((page, (source.page)(page * PAGE_ROWS, PAGE_ROWS).await?.rows));
        }
        let cells = known.row(row).or_else(|| fetched.as_ref()?.1.get((row % PAGE_ROWS) as usize));
        for column in selection.columns() {
            if column > selection.columns().start {
                out.push('\t');
            }
            match cells.and_then(|cells| cells.get(column)) {
                Some(Cell::Text(text)) => out.push_str(&tsv(text)),
                Some(Cell::Cut { .. }) => out.push_str(&tsv(text_of(&(source.cell)(row, column).await?))),
                Some(Cell::Null) | None => {}
            }
        }
        if selection.rows().end - selection.rows().start > 1 {
            out.push('\n');
        }
    }
    Ok(out)
}

/// Keeps the sizes of the viewport and of a row in signals.
#[cfg(feature = "hydrate")]
fn observe(
    viewport: NodeRef<html::Div>,
    table: NodeRef<html::Table>,
    height: RwSignal<f64>,
    row_height: RwSignal<f64>,
) {
    use wasm_bindgen::closure::Closure;
    type Held = (web_sys::ResizeObserver, Closure<dyn FnMut()>);
    let held = StoredValue::new_local(None::<Held>);
    let measure = move || {
        let Some(viewport) = viewport.try_get_untracked().flatten() else { return };
        let row = table.get_untracked().and_then(|table| table.query_selector("tbody tr").ok().flatten());
        if let Some(row) = row.map(|row| row.get_bounding_client_rect().height()).filter(|height| *height > 0.0) {
            row_height.try_set(row);
        }
        height.try_set(f64::from(viewport.client_height()));
    };
    Effect::new(move |_| {
        let Some(element) = viewport.get() else { return };
        measure();
        let changed = Closure::new(measure);
        if let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&element);
            held.set_value(Some((observer, changed)));
        }
    });
    on_cleanup(move || {
        if let Some((observer, _)) = held.try_update_value(Option::take).flatten() {
            observer.disconnect();
        }
    });
}

#[cfg(not(feature = "hydrate"))]
fn observe(_: NodeRef<html::Div>, _: NodeRef<html::Table>, _: RwSignal<f64>, _: RwSignal<f64>) {}

/// Rows in one page of the plain table.
const PLAIN_ROWS: u64 = 100;

/// A table without tricks, page by page: for screen readers that do not follow a virtual grid, and for printing.
#[component]
pub fn PlainTable(
    #[prop(into)] label: String,
    columns: Vec<ResultColumn>,
    row_count: u64,
    source: GridSource,
    #[prop(into)] on_open: Callback<CellAt>,
) -> impl IntoView {
    let page = RwSignal::new(0_u64);
    let last = row_count.saturating_sub(1) / PLAIN_ROWS;
    let rows = RwSignal::new(None::<Result<Vec<Vec<Cell>>, Problem>>);
    let source = StoredValue::new(source);
    let columns = StoredValue::new(columns);
    let label = StoredValue::new(label);
    Effect::new(move |_| {
        let number = page.get();
        let answer = source.with_value(|source| (source.page)(number * PLAIN_ROWS, PLAIN_ROWS));
        spawn_local(async move {
            let fetched = answer.await.map(|page| page.rows);
            if page.try_get_untracked() == Some(number) {
                rows.try_set(Some(fetched));
            }
        });
    });
    let at_first = Signal::derive(move || (page.get() == 0).then(|| tr!(worksheet.first_page_shown).to_owned()));
    let at_last = Signal::derive(move || (page.get() >= last).then(|| tr!(worksheet.last_page_shown).to_owned()));
    view! {
        <div class="flex min-h-0 grow flex-col">
            <div class="min-h-0 grow overflow-auto" tabindex="0" role="region" aria-label=label.get_value()>
                {move || match rows.get() {
                    None => view! { <p class="p-3 text-muted" role="status"><Spinner/>" "{tr!(frame.loading)}</p> }.into_any(),
                    Some(Err(problem)) => view! { <super::ProblemView problem/> }.into_any(),
                    Some(Ok(rows)) => {
                        let first = page.get_untracked() * PLAIN_ROWS;
                        view! {
                            <table class="dgrid">
                                <caption class="sr-only">{label.get_value()}</caption>
                                <thead>
                                    <tr>
                                        <th class="rn" scope="col"><span class="sr-only">{tr!(worksheet.row)}</span></th>
                                        {columns.with_value(|columns| columns.iter().map(|column| view! {
                                            <th scope="col" class:num=column.is_number>{column.name.clone()}<small>{column.data_type.clone()}</small></th>
                                        }).collect_view())}
                                    </tr>
                                </thead>
                                <tbody>
                                    {rows.into_iter().enumerate().map(|(index, cells)| view! {
                                        <tr>
                                            <th scope="row" class="rn">{grouped(first + index as u64 + 1)}</th>
                                            {cells.iter().enumerate().map(|(column, cell)| {
                                                let is_number = columns.with_value(|columns| columns.get(column).is_some_and(|c| c.is_number));
                                                let at = CellAt { row: first + index as u64, column };
                                                let class = cell_class(Some(cell), is_number, false, false);
                                                let text = cell_text(Some(cell));
                                                if matches!(cell, Cell::Cut { .. }) {
                                                    view! { <td class=class><button type="button" on:click=move |_| on_open.run(at)>{text}</button></td> }.into_any()
                                                } else {
                                                    view! { <td class=class>{text}</td> }.into_any()
                                                }
                                            }).collect_view()}
                                        </tr>
                                    }).collect_view()}
                                </tbody>
                            </table>
                        }.into_any()
                    }
                }}
            </div>
            <nav class="flex flex-none items-center gap-1 border-t border-line px-3 py-1 text-sm text-muted" aria-label=tr!(worksheet.pages)>
                <Button kind=ButtonKind::Ghost icon="chevrons-left" label=tr!(worksheet.page_first) disabled_reason=at_first on_click=move |()| page.set(0)/>
                <Button kind=ButtonKind::Ghost icon="chevron-left" label=tr!(worksheet.page_previous) disabled_reason=at_first on_click=move |()| page.update(|page| *page -= 1)/>
                <span role="status">{move || {
                    let from = page.get() * PLAIN_ROWS;
                    let to = (from + PLAIN_ROWS).min(row_count);
                    tr!(worksheet.rows_from_to, from = grouped((from + 1).min(row_count)), to = grouped(to), n = grouped(row_count))
                }}</span>
                <Button kind=ButtonKind::Ghost icon="chevron-right" label=tr!(worksheet.page_next) disabled_reason=at_last on_click=move |()| page.update(|page| *page += 1)/>
                <Button kind=ButtonKind::Ghost icon="chevrons-right" label=tr!(worksheet.page_last) disabled_reason=at_last on_click=move |()| page.set(last)/>
            </nav>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_reaches_every_row() {
        let window = Window::new(1_000_000, 320.0, 28.0);
        assert!(window.is_scaled() && window.scroll_height() == SCROLL_HEIGHT_MAX);
        assert_eq!((window.visible, window.top_max()), (10, 999_990));
        assert_eq!((window.top_at(0.0), window.top_at(SCROLL_HEIGHT_MAX - 320.0)), (0, 999_990));
        for row in [1, 17, 400_000, 999_989] {
            assert_eq!(window.top_at(window.scroll_at(row).round()), row, "{row}");
        }
        assert_eq!(window.shown(999_990), 999_990..1_000_000);

        let window = Window::new(100, 320.0, 28.0);
        assert_eq!((window.is_scaled(), window.scroll_height()), (false, 2_840.0));
        assert_eq!((window.top_at(28.0), window.top_at(1e9)), (1, 90));
        assert_eq!(Window::new(0, 320.0, 28.0).shown(0), 0..0);
    }

    #[test]
    fn a_cell_is_brought_into_view() {
        let window = Window::new(100, 320.0, 28.0);
        assert_eq!([3, 0, 12, 99].map(|row| window.top_showing(3, row)), [3, 0, 3, 90]);
        assert_eq!(window.top_showing(3, 13), 4);
    }

    #[test]
    fn keys() {
        let window = Window::new(100, 320.0, 28.0);
        let from = CellAt { row: 50, column: 1 };
        let check = |key: &str, ctrl: bool, row: u64, column: usize| {
            assert_eq!(moved(from, key, ctrl, window, 3), Some(CellAt { row, column }), "{key} {ctrl}");
        };
        check("ArrowUp", false, 49, 1);
        check("ArrowRight", true, 50, 2);
        check("PageDown", false, 60, 1);
        check("Home", false, 50, 0);
        check("End", true, 99, 2);
        check("Home", true, 0, 0);
        assert_eq!(moved(from, "x", false, window, 3), None);
        assert_eq!(
            moved(CellAt { row: 99, column: 2 }, "ArrowDown", false, window, 3),
            Some(CellAt { row: 99, column: 2 })
        );
    }

    #[test]
    fn few_pages_are_kept() {
        let mut pages = Pages::default();
        for page in 0..100 {
            pages.keep(page, vec![vec![Cell::Null]; 200]);
        }
        assert_eq!((pages.pages.len(), pages.used.len()), (PAGES_MAX, PAGES_MAX));
        assert!(pages.row(99 * PAGE_ROWS + 199).is_some() && pages.row(0).is_none());
        assert_eq!(pages.missing(&(0..201)), [0, 1]);
        assert_eq!(pages.missing(&(99 * PAGE_ROWS..99 * PAGE_ROWS + 5)), [0_u64; 0]);
    }

    #[test]
    fn values_between_tabs() {
        assert_eq!([tsv("a"), tsv("a\tb"), tsv("say \"x\"")], ["a", "\"a\tb\"", "\"say \"\"x\"\"\""]);
        assert_eq!(cell_text(Some(&Cell::Text("a\nb".into()))), "a␣b");
        assert_eq!(columns_of("a中"), 3);
    }
}
