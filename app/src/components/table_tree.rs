//! Projects, schemas, tables and columns, or the files of a warehouse, as a tree that loads what is opened; and the
//! names it has loaded for others.

use crate::api::{catalog, external_project};
use crate::error::ApiError;
use crate::tr;
use crate::ui::Icon;
use crate::ui::format::bytes;
use crate::ui::icon::Spinner;
use leptos::attr::custom::custom_attribute;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::lake::{EntryKind, StoreEntry, StoreListing};
use model::problem::Problem;
use model::table::{Column, TableInfo};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use wasm_bindgen::JsCast;

/// A place whose children are names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Projects,
    Schemas {
        project: String,
    },
    Tables {
        project: String,
        schema: String,
    },
    Columns {
        project: String,
        schema: String,
        table: String,
    },
    /// A folder of the project's warehouse; without an address the warehouse itself.
    Folder {
        project: String,
        uri: String,
    },
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Names {
    Loading,
    /// Names, in the order of the server.
    Names(Arc<Vec<String>>),
    Table(Arc<TableInfo>),
    Files(Arc<StoreListing>),
    Failed(Problem),
}

/// What a tree shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// Projects down to columns.
    Names,
    /// The warehouse of one project.
    Files,
}

/// The names that were asked for so far, kept while the page lives.
#[derive(Clone, Copy)]
pub struct Catalog(RwSignal<HashMap<Place, Names>>);

impl Catalog {
    pub fn new() -> Self {
        Self(RwSignal::new(HashMap::new()))
    }

    /// What is known; does not ask.
    pub fn get(self, place: &Place) -> Option<Names> {
        self.0.with(|known| known.get(place).cloned())
    }

    /// Asks for a place, unless it is known or under way. In the browser only.
    pub fn load(self, place: Place) {
        let is_wanted = self.0.with_untracked(|known| {
            !matches!(known.get(&place), Some(Names::Loading | Names::Names(_) | Names::Table(_) | Names::Files(_)))
        });
        if is_wanted {
            self.0.update(|known| _ = known.insert(place.clone(), Names::Loading));
            self.fetch(place);
        }
    }

    fn fetch(self, place: Place) {
        spawn_local(async move {
            let names = fetch(&place).await.unwrap_or_else(|error| Names::Failed(error.0));
            self.0.try_update(|known| _ = known.insert(place, names));
        });
    }

    /// Asks again for everything below a project; what is shown stays until the answers are there.
    pub fn refresh(self, project: &str) {
        let places: Vec<Place> = self.0.with_untracked(|known| {
            let is_of = |place: &&Place| match place {
                Place::Projects => false,
                Place::Schemas { project: of }
                | Place::Tables { project: of, .. }
                | Place::Columns { project: of, .. }
                | Place::Folder { project: of, .. } => of == project,
            };
            known.keys().filter(is_of).cloned().collect()
        });
        for place in places {
            self.fetch(place);
        }
    }

    /// The names at a place, fetched if they are not known; nothing where that fails.
    pub async fn names(self, place: Place) -> Arc<Vec<String>> {
        match self.known_or_fetched(place).await {
            Some(Names::Names(names)) => names,
            _ => Arc::default(),
        }
    }

    /// The columns of a table, fetched if they are not known; nothing where that fails.
    pub async fn columns(self, project: &str, schema: &str, table: &str) -> Vec<Column> {
        let place = Place::Columns { project: project.into(), schema: schema.into(), table: table.into() };
        match self.known_or_fetched(place).await {
            Some(Names::Table(table)) => table.columns.clone(),
            _ => Vec::new(),
        }
    }

    async fn known_or_fetched(self, place: Place) -> Option<Names> {
        let known = self.0.try_with_untracked(|known| known.get(&place).cloned())?;
        if let Some(known @ (Names::Names(_) | Names::Table(_))) = known {
            return Some(known);
        }
        let names = fetch(&place).await.unwrap_or_else(|error| Names::Failed(error.0));
        self.0.try_update(|known| _ = known.insert(place, names.clone()));
        Some(names)
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::new()
    }
}

async fn fetch(place: &Place) -> Result<Names, ApiError> {
    let names = |names: Vec<String>| Names::Names(Arc::new(names));
    match place.clone() {
        Place::Projects => external_project::list_projects()
            .await
            .map(|projects| names(projects.into_iter().map(|p| p.name.into()).collect())),
        Place::Schemas { project } => catalog::schemas(project).await.map(names),
        Place::Tables { project, schema } => catalog::tables(project, schema).await.map(names),
        Place::Columns { project, schema, table } => {
            catalog::table(project, schema, table).await.map(|table| Names::Table(Arc::new(table)))
        }
        Place::Folder { project, uri } => {
            catalog::files(project, uri).await.map(|listing| Names::Files(Arc::new(listing)))
        }
    }
}

/// What a chosen line of the tree stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Chosen {
    Schema { project: String, schema: String },
    Table { project: String, schema: String, table: String },
    Column { name: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum LineKind {
    /// Opens a place, and may be chosen.
    Branch {
        place: Place,
        is_open: bool,
        chosen: Option<Chosen>,
    },
    Leaf {
        chosen: Chosen,
    },
    File,
    Loading,
    Empty,
    Failed {
        place: Place,
    },
    /// So many more names than are shown.
    More,
}

/// One line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// Unique in the tree.
    key: String,
    level: usize,
    label: String,
    icon: Option<&'static str>,
    detail: String,
    title: String,
    kind: LineKind,
}

/// More lines under one schema would be slow and unreadable: the filter finds the rest.
const TABLES_SHOWN_MAX: usize = 500;

/// Makes the lines of the tree from what is known and what is open.
struct Lines<'a> {
    known: &'a HashMap<Place, Names>,
    open: &'a HashSet<Place>,
    /// Lower case; empty shows everything.
    filter: &'a str,
    lines: Vec<Line>,
}

impl Lines<'_> {
    fn all(mut self, root: &Place) -> Vec<Line> {
        match root {
            Place::Folder { .. } => self.folder(root, 1),
            _ => self.names(root, 1, |lines, project, key| lines.project(project, key)),
        }
        self.lines
    }

    /// What lies in an open folder.
    fn folder(&mut self, place: &Place, level: usize) {
        let Place::Folder { project, .. } = place else { return };
        let key = place.key();
        match self.known.get(place) {
            Some(Names::Files(listing)) => {
                if listing.entries.is_empty() {
                    self.lines.push(Line::empty(&key, level));
                }
                for entry in &listing.entries {
                    self.entry(project, entry, level);
                }
                if listing.truncated {
                    self.lines.push(
                        Line::new(format!("{key}/!more"), level, tr!(worksheet.files_cut), None).of(LineKind::More),
                    );
                }
            }
            Some(Names::Failed(problem)) => self.failed(place, level, problem, &key),
            _ => self.lines.push(Line::loading(&key, level)),
        }
    }

    fn entry(&mut self, project: &str, entry: &StoreEntry, level: usize) {
        let place = Place::Folder { project: project.into(), uri: entry.uri.clone() };
        let icon = match entry.kind {
            EntryKind::Bucket | EntryKind::Folder | EntryKind::Warehouse => "folder",
            EntryKind::Schema => "database",
            EntryKind::Table => "table-2",
            EntryKind::File => "file-text",
        };
        let detail = entry.size.map(bytes).unwrap_or_default();
        let line = Line { detail, title: entry.uri.clone(), ..Line::new(place.key(), level, &entry.name, Some(icon)) };
        if entry.kind == EntryKind::File {
            self.lines.push(line.of(LineKind::File));
        } else if self.branch(place.clone(), line, None) {
            self.folder(&place, level + 1);
        }
    }

    fn branch(&mut self, place: Place, line: Line, chosen: Option<Chosen>) -> bool {
        let is_open = self.open.contains(&place);
        self.lines.push(Line { kind: LineKind::Branch { place, is_open, chosen }, ..line });
        is_open
    }

    fn project(&mut self, project: &str, key: String) {
        let place = Place::Schemas { project: project.into() };
        let line = Line::new(key, 1, project, Some("boxes"));
        if self.branch(place.clone(), line, None) {
            self.names(&place, 2, |lines, schema, key| lines.schema(project, schema, key));
        }
    }

    fn schema(&mut self, project: &str, schema: &str, key: String) {
        let place = Place::Tables { project: project.into(), schema: schema.into() };
        let count = match self.known.get(&place) {
            Some(Names::Names(names)) => names.len().to_string(),
            _ => String::new(),
        };
        let line = Line { detail: count, ..Line::new(key, 2, schema, Some("database")) };
        let chosen = Chosen::Schema { project: project.into(), schema: schema.into() };
        if self.branch(place.clone(), line, Some(chosen)) {
            self.names(&place, 3, |lines, table, key| lines.table(project, schema, table, key));
        }
    }

    fn table(&mut self, project: &str, schema: &str, table: &str, key: String) {
        let place = Place::Columns { project: project.into(), schema: schema.into(), table: table.into() };
        let known = self.known.get(&place);
        let (detail, title) = match known {
            Some(Names::Table(info)) => (rows_of(info), info.comment.clone()),
            _ => (String::new(), String::new()),
        };
        let line = Line { detail, title, ..Line::new(key.clone(), 3, table, Some("table-2")) };
        let chosen = Chosen::Table { project: project.into(), schema: schema.into(), table: table.into() };
        if !self.branch(place.clone(), line, Some(chosen)) {
            return;
        }
        match known {
            Some(Names::Table(info)) => self.lines.extend(info.columns.iter().map(|column| column_line(&key, column))),
            Some(Names::Failed(problem)) => self.failed(&place, 4, problem, &key),
            _ => self.lines.push(Line::loading(&key, 4)),
        }
    }

    /// The names at an open place, or what stands in their stead.
    fn names(&mut self, place: &Place, level: usize, mut add: impl FnMut(&mut Self, &str, String)) {
        let key = place.key();
        match self.known.get(place) {
            Some(Names::Names(names)) if names.is_empty() => self.lines.push(Line::empty(&key, level)),
            Some(Names::Names(names)) => {
                let is_filtered = matches!(place, Place::Tables { .. }) && !self.filter.is_empty();
                let filter = self.filter.to_owned();
                let mut shown = names.iter().filter(|name| !is_filtered || name.to_lowercase().contains(&filter));
                for name in shown.by_ref().take(TABLES_SHOWN_MAX) {
                    add(self, name, format!("{key}/{name}"));
                }
                let more = shown.count();
                if more > 0 {
                    self.lines.push(Line::more(&key, level, more));
                }
            }
            Some(Names::Failed(problem)) => self.failed(place, level, problem, &key),
            Some(Names::Loading | Names::Table(_) | Names::Files(_)) | None => {
                self.lines.push(Line::loading(&key, level))
            }
        }
    }

    fn failed(&mut self, place: &Place, level: usize, problem: &Problem, key: &str) {
        let kind = LineKind::Failed { place: place.clone() };
        let line = Line::new(format!("{key}/!failed"), level, &problem.message, Some("triangle-alert"));
        self.lines.push(Line { kind, title: problem.message.clone(), ..line });
    }
}

/// How many rows the newest snapshot holds; with a primary key later rows replace earlier ones, so it is a bound.
pub fn rows_of(info: &TableInfo) -> String {
    let Some(count) = info.record_count else { return String::new() };
    let n = crate::ui::format::grouped(count.unsigned_abs());
    if info.columns.iter().any(|column| column.is_primary_key) {
        tr!(worksheet.rows_at_most, n = n).to_string()
    } else {
        tr!(worksheet.rows_short, n = n).to_string()
    }
}

fn column_line(key: &str, column: &Column) -> Line {
    let is_key = column.is_primary_key || column.is_partition;
    let data_type = column.data_type.to_uppercase();
    let detail =
        if column.is_partition { format!("{data_type} · {}", tr!(worksheet.partition_short)) } else { data_type };
    let chosen = Chosen::Column { name: column.name.clone() };
    Line {
        detail,
        title: column.comment.clone(),
        kind: LineKind::Leaf { chosen },
        ..Line::new(format!("{key}/{}", column.name), 4, &column.name, is_key.then_some("key-round"))
    }
}

impl Line {
    fn new(key: String, level: usize, label: &str, icon: Option<&'static str>) -> Self {
        Self {
            key,
            level,
            label: label.into(),
            icon,
            detail: String::new(),
            title: String::new(),
            kind: LineKind::Loading,
        }
    }

    fn of(self, kind: LineKind) -> Self {
        Self { kind, ..self }
    }

    fn loading(key: &str, level: usize) -> Self {
        Self::new(format!("{key}/!loading"), level, tr!(frame.loading), None)
    }

    fn empty(key: &str, level: usize) -> Self {
        Self { kind: LineKind::Empty, ..Self::new(format!("{key}/!empty"), level, tr!(worksheet.nothing_here), None) }
    }

    fn more(key: &str, level: usize, count: usize) -> Self {
        let label = tr!(worksheet.more_names, n = count);
        Self { kind: LineKind::More, ..Self::new(format!("{key}/!more"), level, &label, None) }
    }

    fn place(&self) -> Option<(&Place, bool)> {
        match &self.kind {
            LineKind::Branch { place, is_open, .. } => Some((place, *is_open)),
            _ => None,
        }
    }
}

impl Place {
    fn key(&self) -> String {
        match self {
            Self::Projects => String::new(),
            Self::Schemas { project } => format!("/{project}"),
            Self::Tables { project, schema } => format!("/{project}/{schema}"),
            Self::Columns { project, schema, table } => format!("/{project}/{schema}/{table}"),
            // No project is called so.
            Self::Folder { project, uri } => format!("/!files/{project}/{uri}"),
        }
    }
}

/// The tree. Enter or a click chooses a table or a column; arrows open and close.
#[component]
pub fn TableTree(
    kind: TreeKind,
    catalog: Catalog,
    /// The project that is open at the start, or whose files are shown.
    #[prop(into)]
    project: Signal<String>,
    #[prop(into)] filter: Signal<String>,
    #[prop(into)] on_choose: Callback<Chosen>,
    /// Hears of the table that the cursor is on, or in.
    #[prop(into)]
    on_table: Callback<Option<Chosen>>,
) -> impl IntoView {
    let open = RwSignal::new(HashSet::<Place>::new());
    let current = RwSignal::new(None::<String>);
    let root = Memo::new(move |_| match kind {
        TreeKind::Names => Place::Projects,
        TreeKind::Files => Place::Folder { project: project.get(), uri: String::new() },
    });
    let lines = Memo::new(move |_| {
        let filter = filter.get().trim().to_lowercase();
        let root = root.get();
        catalog.0.with(|known| open.with(|open| Lines { known, open, filter: &filter, lines: Vec::new() }.all(&root)))
    });
    let set_open = move |place: Place, is_open: bool| {
        if is_open {
            catalog.load(place.clone());
            open.update(|open| _ = open.insert(place));
        } else {
            open.update(|open| _ = open.remove(&place));
        }
    };
    // The worksheet's own project, and its default schema, are open from the start.
    Effect::new(move |_| {
        let project = project.get();
        catalog.load(root.get());
        if kind == TreeKind::Files {
            return;
        }
        set_open(Place::Schemas { project: project.clone() }, true);
        set_open(Place::Tables { project, schema: model::table::DEFAULT_SCHEMA.into() }, true);
    });

    let act = move |line: &Line| match &line.kind {
        LineKind::Branch { chosen: Some(chosen @ Chosen::Table { .. }), .. } | LineKind::Leaf { chosen } => {
            on_choose.run(chosen.clone());
        }
        LineKind::Branch { place, is_open, .. } => set_open(place.clone(), !is_open),
        LineKind::Failed { place } => catalog.load(place.clone()),
        LineKind::File | LineKind::Loading | LineKind::Empty | LineKind::More => {}
    };
    let move_to = move |index: usize| {
        let Some(key) = lines.with_untracked(|lines| lines.get(index).map(|line| line.key.clone())) else { return };
        current.set(Some(key.clone()));
        request_animation_frame(move || crate::ui::dom::focus(&element_id(&key)));
    };
    let on_key = move |event: KeyboardEvent| {
        let lines = lines.get_untracked();
        let at =
            current.get_untracked().and_then(|key| lines.iter().position(|line| line.key == key)).unwrap_or_default();
        let Some(line) = lines.get(at) else { return };
        match event.key().as_str() {
            _ if event.ctrl_key() || event.meta_key() || event.alt_key() => return,
            "ArrowDown" => move_to((at + 1).min(lines.len() - 1)),
            "ArrowUp" => move_to(at.saturating_sub(1)),
            "Home" => move_to(0),
            "End" => move_to(lines.len() - 1),
            "ArrowRight" => match line.place() {
                Some((place, false)) => set_open(place.clone(), true),
                Some((_, true)) => move_to((at + 1).min(lines.len() - 1)),
                None => {}
            },
            "ArrowLeft" => match line.place() {
                Some((place, true)) => set_open(place.clone(), false),
                _ => {
                    if let Some(parent) = lines[..at].iter().rposition(|other| other.level < line.level) {
                        move_to(parent);
                    }
                }
            },
            "Enter" | " " => act(line),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let label = match kind {
        TreeKind::Names => tr!(worksheet.catalog),
        TreeKind::Files => tr!(worksheet.files),
    };
    let is_tab_stop = move |key: &str, index: usize| match current.get() {
        Some(current) if lines.with(|lines| lines.iter().any(|line| line.key == current)) => current == key,
        _ => index == 0,
    };
    view! {
        <ul class="tree" role="tree" aria-label=label on:keydown=on_key>
            <ForEnumerate each=move || lines.get() key=|line| line.key.clone() let(index, first)>
                {
                    let key = StoredValue::new(first.key.clone());
                    let level = first.level;
                    // The element stays, and with it the focus, while what it shows changes.
                    let line = Memo::new(move |before: Option<&Line>| {
                        let found = lines.with(|lines| lines.get(index.get()).filter(|line| key.with_value(|key| line.key == *key)).cloned());
                        found.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
                    });
                    let is_current = move || current.with(|current| key.with_value(|key| current.as_ref() == Some(key)));
                    view! {
                        <li
                            role="treeitem"
                            id=key.with_value(|key| element_id(key))
                            aria-expanded=move || line.with(|line| line.place().map(|(_, is_open)| if is_open { "true" } else { "false" }))
                            aria-selected=move || if is_current() { "true" } else { "false" }
                            tabindex=move || if key.with_value(|key| is_tab_stop(key, index.get())) { "0" } else { "-1" }
                            title=move || line.with(|line| match line.title.as_str() {
                                "" => line.label.clone(),
                                title => format!("{}: {title}", line.label),
                            })
                            on:focus=move |_| {
                                current.set(Some(key.get_value()));
                                on_table.run(lines.with_untracked(|lines| table_at(lines, index.get_untracked())));
                            }
                            on:click=move |_| act(&line.get_untracked())
                            {..custom_attribute("aria-level", level.to_string())}
                        >
                            <span
                                class="tree-chevron"
                                on:click=move |event| {
                                    if let Some((place, is_open)) = line.get_untracked().place() {
                                        event.stop_propagation();
                                        set_open(place.clone(), !is_open);
                                    }
                                }
                            >
                                {move || line.with(|line| line.place().map(|(_, is_open)| is_open)).map(|is_open| view! {
                                    <Icon name=if is_open { "chevron-down" } else { "chevron-right" }/>
                                })}
                            </span>
                            {move || match line.with(|line| (line.kind == LineKind::Loading, line.icon, line.level)) {
                                (true, ..) => view! { <Spinner/> }.into_any(),
                                (false, Some(icon), _) => view! { <Icon name=icon/> }.into_any(),
                                (false, None, 4) => view! { <span class="tree-chevron"></span> }.into_any(),
                                (false, None, _) => ().into_any(),
                            }}
                            <span class=move || line.with(label_class)>{move || line.with(|line| line.label.clone())}</span>
                            {move || line.with(|line| (!line.detail.is_empty()).then(|| view! { <small>{line.detail.clone()}</small> }))}
                        </li>
                    }
                }
            </ForEnumerate>
        </ul>
    }
}

/// The table of the line at `index`, which may be one of its columns.
fn table_at(lines: &[Line], index: usize) -> Option<Chosen> {
    let above = lines.get(..=index)?;
    let level = above.last()?.level;
    above.iter().rev().find(|line| line.level == 3).filter(|_| level >= 3).and_then(|line| match &line.kind {
        LineKind::Branch { chosen: Some(chosen @ Chosen::Table { .. }), .. } => Some(chosen.clone()),
        _ => None,
    })
}

fn label_class(line: &Line) -> &'static str {
    match line.kind {
        LineKind::Branch { place: Place::Schemas { .. }, .. } => "min-w-0 truncate font-semibold",
        LineKind::Branch { .. } | LineKind::Leaf { .. } | LineKind::File => "min-w-0 truncate",
        LineKind::Failed { .. } => "tree-why",
        LineKind::Loading | LineKind::Empty | LineKind::More => "min-w-0 truncate text-muted",
    }
}

/// An id that any name can stand in.
fn element_id(key: &str) -> String {
    format!("tree{}", crate::routes::encode(key))
}

/// Whether an event came from a field in which one types.
pub fn is_typing(event: &KeyboardEvent) -> bool {
    event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()).is_some_and(|element| {
        element.closest("input, textarea, select, [contenteditable=true]").ok().flatten().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Names {
        Names::Names(Arc::new(names.iter().map(ToString::to_string).collect()))
    }

    fn shown(known: &HashMap<Place, Names>, open: &HashSet<Place>, filter: &str) -> Vec<String> {
        let lines = Lines { known, open, filter, lines: Vec::new() }.all(&Place::Projects);
        lines.into_iter().map(|line| format!("{}{}", "  ".repeat(line.level - 1), line.label)).collect()
    }

    #[test]
    fn the_tree_shows_what_is_open() {
        let schemas = Place::Schemas { project: "lake".into() };
        let tables = Place::Tables { project: "lake".into(), schema: "default".into() };
        let mut known = HashMap::from([(Place::Projects, names(&["lake", "other"]))]);
        let mut open = HashSet::from([schemas.clone()]);
        assert_eq!(shown(&known, &open, ""), ["lake", "  Loading", "other"]);

        known.insert(schemas, names(&["default", "empty"]));
        known.insert(tables.clone(), names(&["Orders", "people"]));
        open.insert(tables);
        assert_eq!(shown(&known, &open, ""), ["lake", "  default", "    Orders", "    people", "  empty", "other"]);
        assert_eq!(shown(&known, &open, "ord"), ["lake", "  default", "    Orders", "  empty", "other"]);

        let lines = Lines { known: &known, open: &open, filter: "", lines: Vec::new() }.all(&Place::Projects);
        let at = |index: usize| match table_at(&lines, index) {
            Some(Chosen::Table { table, .. }) => table,
            _ => String::new(),
        };
        assert_eq!((0..6).map(at).collect::<Vec<_>>(), ["", "", "Orders", "people", "", ""]);
    }

    #[test]
    fn files_show_what_they_are() {
        let place = |uri: &str| Place::Folder { project: "lake".into(), uri: uri.into() };
        let entry = |name: &str, kind, size| StoreEntry { name: name.into(), uri: format!("/w/{name}/"), kind, size };
        let files = |entries, truncated| {
            Names::Files(Arc::new(StoreListing { uri: "/w/".into(), parent: None, entries, truncated }))
        };
        let top = vec![entry("default.db", EntryKind::Schema, None), entry("note", EntryKind::File, Some(1536))];
        let mut known = HashMap::from([(place(""), files(top, false))]);
        let open = HashSet::from([place("/w/default.db/")]);
        let shown = |known: &HashMap<Place, Names>| {
            let lines = Lines { known, open: &open, filter: "x", lines: Vec::new() }.all(&place(""));
            lines.into_iter().map(|line| format!("{} {} {}", line.level, line.label, line.detail)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&known), ["1 default.db ", "2 Loading ", "1 note 1.5 KB"]);
        known.insert(place("/w/default.db/"), files(Vec::new(), true));
        assert_eq!(
            shown(&known)[1..3],
            [format!("2 {} ", tr!(worksheet.nothing_here)), format!("2 {} ", tr!(worksheet.files_cut))]
        );
    }
}
