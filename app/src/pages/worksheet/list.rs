//! All worksheets: open, rename, delete, make a new one.

use crate::api::worksheet::{CreateWorksheet, delete_worksheet, list_worksheets};
use crate::components::time;
use crate::layout::use_frame;
use crate::ui::{
    Button, ButtonKind, ConfirmDialog, Confirmation, EmptyState, Load, PageHead, Pane, Sort, SortHead, toast,
};
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::worksheet::WorksheetSummary;

#[component]
pub fn WorksheetsPage() -> impl IntoView {
    let worksheets = Resource::new(|| (), |()| list_worksheets());
    view! {
        <div class="page">
            <PageHead title=tr!(frame.worksheets) about=tr!(worksheet.about)>
                <NewWorksheet/>
            </PageHead>
            <Load
                resource=worksheets
                title=tr!(worksheet.list_failed)
                children=Callback::new(move |(found,): (Vec<WorksheetSummary>,)| {
                    view! { <WorksheetList found on_changed=move |()| worksheets.refetch()/> }.into_any()
                })
            />
        </div>
    }
}

/// A form, so that it works before the page is alive.
#[component]
fn NewWorksheet() -> impl IntoView {
    let create = ServerAction::<CreateWorksheet>::new();
    let frame = use_frame();
    view! {
        <ActionForm action=create>
            <input type="hidden" name="project" value=move || frame.project.get().unwrap_or_default()/>
            <Button kind=ButtonKind::Primary icon="plus" submit=true busy=create.pending()>{tr!(worksheet.new)}</Button>
        </ActionForm>
        {move || create.value().get().and_then(Result::err).map(|error| view! {
            <p class="hint is-bad" role="alert">{error.0.message}</p>
        })}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Name,
    Project,
    Changed,
}

#[component]
fn WorksheetList(found: Vec<WorksheetSummary>, #[prop(into)] on_changed: Callback<()>) -> impl IntoView {
    let total = found.len();
    let found = StoredValue::new(found);
    let filter = RwSignal::new(String::new());
    let sort = RwSignal::new(Sort { column: By::Changed, is_descending: true });
    let shown = Memo::new(move |_| {
        let filter = filter.get().trim().to_lowercase();
        let mut rows = found.get_value();
        rows.retain(|row| {
            row.name.to_lowercase().contains(&filter) || row.project.as_str().to_lowercase().contains(&filter)
        });
        match sort.get().column {
            By::Name => sort.get().apply(&mut rows, |row| row.name.to_lowercase()),
            By::Project => sort.get().apply(&mut rows, |row| row.project.to_string()),
            By::Changed => sort.get().apply(&mut rows, |row| row.updated_at),
        }
        rows
    });

    let deletion = Confirmation::<WorksheetSummary>::new();
    let delete = move |()| {
        deletion.run(move |row| async move {
            delete_worksheet(row.id).await?;
            toast(tr!(worksheet.deleted));
            on_changed.run(());
            Ok(())
        });
    };
    let title = Signal::derive(move || {
        let name = deletion.subject().map(|row| row.name).unwrap_or_default();
        tr!(worksheet.delete_title, name = name).to_string()
    });

    if total == 0 {
        return view! {
            <Pane>
                <EmptyState icon="square-terminal" title=tr!(worksheet.none_yet) about=tr!(worksheet.none_yet_about).to_owned()>
                    <NewWorksheet/>
                </EmptyState>
            </Pane>
        }
        .into_any();
    }
    view! {
        <div class="mb-2 flex items-center gap-2">
            <label class="input max-w-72">
                <crate::ui::Icon name="search" small=true class="text-muted"/>
                <span class="sr-only">{tr!(worksheet.filter)}</span>
                <input type="search" placeholder=tr!(worksheet.filter) on:input:target=move |event| filter.set(event.target().value())/>
            </label>
            <span class="ml-auto text-sm text-muted" role="status">{move || {
                let n = shown.with(Vec::len);
                if n == 1 { tr!(worksheet.count_one).to_owned() } else { tr!(worksheet.count, n = n).to_string() }
            }}</span>
        </div>
        <Pane>
            <table class="list-table">
                <thead>
                    <tr>
                        <SortHead column=By::Name sort label=tr!(worksheet.col_name)/>
                        <SortHead column=By::Project sort label=tr!(frame.project)/>
                        <SortHead column=By::Changed sort label=tr!(worksheet.col_changed)/>
                        <th><span class="sr-only">{tr!(worksheet.col_actions)}</span></th>
                    </tr>
                </thead>
                <tbody>
                    <For each={move || shown.get()} key=|row| (row.id.clone(), row.name.clone(), row.updated_at) let:row>
                        <tr>
                            <td class="max-w-96 truncate"><a class="name" href=routes::worksheet(&row.id) title=row.name.clone()>{row.name.clone()}</a></td>
                            <td class="mono">{row.project.to_string()}</td>
                            <td class="mono">{time::short(row.updated_at)}</td>
                            <td class="text-right">
                                <Button
                                    kind=ButtonKind::Ghost
                                    icon="trash-2"
                                    label=tr!(worksheet.delete_named, name = row.name.clone()).to_string()
                                    on_click={
                                        let row = row.clone();
                                        move |()| deletion.ask(row.clone())
                                    }
                                />
                            </td>
                        </tr>
                    </For>
                </tbody>
            </table>
            {move || shown.with(Vec::is_empty).then(|| view! { <p class="p-4 text-muted">{tr!(worksheet.none_match)}</p> })}
        </Pane>
        <ConfirmDialog
            id="delete-worksheet"
            asking=deletion.asking()
            title
            action=tr!(worksheet.delete)
            on_confirm=delete
        >
            <p>{tr!(worksheet.delete_about)}</p>
        </ConfirmDialog>
    }
    .into_any()
}

/// A new worksheet from a page that is alive: where it lies is known to the server function.
pub fn use_new_worksheet(project: Signal<Option<String>>) -> Callback<String> {
    let create = ServerAction::<CreateWorksheet>::new();
    let navigate = use_navigate();
    Effect::new(move |_| match create.value().get() {
        Some(Ok(worksheet)) => navigate(&routes::worksheet(&worksheet.id), Default::default()),
        Some(Err(error)) => toast(error.0.message),
        None => {}
    });
    Callback::new(move |text: String| {
        create.dispatch(CreateWorksheet { project: project.get_untracked(), name: None, text: Some(text) });
    })
}
