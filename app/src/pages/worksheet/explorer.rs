//! Beside the text: the names of the catalog, the files of the warehouse, and what this worksheet ran.

use super::completion::quoted;
use super::history::History;
use super::sheet::SheetContext;
use super::table_card::TableCard;
use crate::components::table_tree::{Chosen, Names, Place, TableTree, TreeKind};
use crate::tr;
use crate::ui::{Button, ButtonKind, Icon, Tab, Tabs};
use leptos::prelude::*;
use model::session::SqlSession;

pub const CATALOG: &str = "catalog";
const FILES: &str = "files";
const HISTORY: &str = "history";

#[component]
pub fn Explorer() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let selected = context.explorer_tab;
    let tabs = vec![
        Tab::new(CATALOG, tr!(worksheet.catalog)),
        Tab::new(FILES, tr!(worksheet.files)),
        Tab::new(HISTORY, tr!(worksheet.history)),
    ];
    view! {
        <aside class="explorer" aria-label=tr!(worksheet.explorer)>
            <Tabs label=tr!(worksheet.explorer) tabs selected on_select=move |id: String| selected.set(id)/>
            <Panel id=CATALOG selected><CatalogPanel/></Panel>
            <Panel id=FILES selected><FilesPanel/></Panel>
            <Panel id=HISTORY selected><History/></Panel>
        </aside>
    }
}

/// What belongs to a tab: made when it is chosen first, and kept afterwards with what is open in it.
#[component]
fn Panel(id: &'static str, selected: RwSignal<String>, children: ChildrenFn) -> impl IntoView {
    let is_selected = Memo::new(move |_| selected.with(|selected| selected == id));
    let was_selected = Memo::new(move |before: Option<&bool>| before == Some(&true) || is_selected.get());
    view! {
        <div
            class="explorer-panel"
            role="tabpanel"
            id=format!("{id}-panel")
            aria-labelledby=format!("{id}-tab")
            hidden=move || !is_selected.get()
        >
            <Show when=move || was_selected.get()>{children()}</Show>
        </div>
    }
}

/// The project that the worksheet is bound to.
fn bound_project(context: SheetContext) -> Memo<String> {
    Memo::new(move |_| context.session.with(|session| session.project.to_string()))
}

/// Names to look up and to put into the text.
#[component]
fn CatalogPanel() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let filter = RwSignal::new(String::new());
    let table = RwSignal::new(None::<Chosen>);
    let project = bound_project(context);
    let choose = move |chosen: Chosen| context.editor.insert(&inserted(&chosen, &context.session.get_untracked()));
    view! {
        <div class="flex flex-none items-center gap-1 p-2">
            <label class="input input-quiet bg-base-100">
                <Icon name="search" small=true class="text-muted"/>
                <span class="sr-only">{tr!(worksheet.filter_tables)}</span>
                <input type="search" placeholder=tr!(worksheet.filter_tables) on:input:target=move |event| filter.set(event.target().value())/>
            </label>
            <Refresh project/>
        </div>
        <div class="min-h-0 grow overflow-auto pb-2">
            <TableTree kind=TreeKind::Names catalog=context.catalog project filter on_choose=choose on_table=move |chosen| table.set(chosen)/>
        </div>
        <TableCard table=Memo::new(move |_| table.get())/>
    }
}

/// The warehouse as it lies in the store.
#[component]
fn FilesPanel() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let project = bound_project(context);
    let address = move || match context.catalog.get(&Place::Folder { project: project.get(), uri: String::new() }) {
        Some(Names::Files(listing)) => listing.uri.clone(),
        _ => String::new(),
    };
    // A file is looked at, not chosen.
    let no_choice = Callback::new(|_: Chosen| ());
    let no_table = Callback::new(|_: Option<Chosen>| ());
    view! {
        <div class="flex flex-none items-center gap-1 p-2 pl-3">
            <span class="truncate-start min-w-0 grow truncate font-mono text-xs text-muted" title=address><bdi>{address}</bdi></span>
            <Refresh project/>
        </div>
        <div class="min-h-0 grow overflow-auto pb-2">
            <TableTree kind=TreeKind::Files catalog=context.catalog project filter=String::new() on_choose=no_choice on_table=no_table/>
        </div>
    }
}

#[component]
fn Refresh(project: Memo<String>) -> impl IntoView {
    let context = expect_context::<SheetContext>();
    view! {
        <Button
            kind=ButtonKind::Ghost
            icon="refresh-cw"
            label=tr!(worksheet.refresh)
            on_click=move |()| context.catalog.refresh(&project.get_untracked())
        />
    }
}

/// The shortest name that means the chosen thing in the session.
pub fn inserted(chosen: &Chosen, session: &SqlSession) -> String {
    let parts: Vec<&str> = match chosen {
        Chosen::Column { name } => vec![name],
        Chosen::Schema { project, schema } if session.project.as_str() == project => vec![schema],
        Chosen::Schema { project, schema } => vec![project, schema],
        Chosen::Table { project, schema, table } => {
            let is_here = session.project.as_str() == project;
            match (is_here, is_here && session.schema == *schema) {
                (_, true) => vec![table],
                (true, false) => vec![schema, table],
                (false, false) => vec![project, schema, table],
            }
        }
    };
    parts.into_iter().map(quoted).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::names::ProjectName;

    #[test]
    fn names_are_as_short_as_they_can() {
        let session = SqlSession::new(ProjectName::parse("lake").expect("valid"));
        let table = |project: &str, schema: &str| Chosen::Table {
            project: project.into(),
            schema: schema.into(),
            table: "T".into(),
        };
        let check = |chosen: Chosen, expected: &str| assert_eq!(inserted(&chosen, &session), expected);
        check(table("lake", "default"), "`T`");
        check(table("lake", "s"), "s.`T`");
        check(table("other", "default"), "other.default.`T`");
        check(Chosen::Schema { project: "lake".into(), schema: "s".into() }, "s");
        check(Chosen::Column { name: "order-id".into() }, "`order-id`");
    }
}
