//! The list of external data sources.

use crate::api::data_source::{delete_data_source, list_data_sources};
use crate::components::data_source_fields::{TypeFilter, auth_label, type_label};
use crate::components::probe_panel::{Probe, ProbeTarget, Verdict};
use crate::components::time;
use crate::ui::button::{Button, ButtonKind, LinkButton};
use crate::ui::chip::{Chip, Tone};
use crate::ui::dialog::{ConfirmDialog, Confirmation};
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;
use crate::ui::states::{EmptyState, Load};
use crate::ui::table::{Sort, SortHead};
use crate::ui::{PageHead, Pane, toast};
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use model::data_source::{AuthKind, DataSource, StorageKind, mask_arn};
use model::probe::ConnectionState;

const PER_PAGE: usize = 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Type,
    Region,
    Endpoint,
    Auth,
    Projects,
    Tested,
    CreatedBy,
    CreatedAt,
}

fn sort_key(source: &DataSource, column: Column) -> String {
    match column {
        Column::Name => source.name.to_string(),
        Column::Type => type_label(source.storage),
        Column::Region => source.region.clone(),
        Column::Endpoint => endpoint_text(source),
        Column::Auth => source.auth.label().to_owned(),
        Column::Projects => format!("{:08}", source.projects.len()),
        Column::Tested => source.last_test.as_ref().map(|run| run.at.to_string()).unwrap_or_default(),
        Column::CreatedBy => source.created_by.clone(),
        Column::CreatedAt => source.created_at.to_string(),
    }
}

fn endpoint_text(source: &DataSource) -> String {
    source.endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned()).unwrap_or_else(|| "–".to_owned())
}

/// What the filter calls the outcome of the last test.
fn verdict_id(source: &DataSource) -> &'static str {
    match &source.last_test {
        None => "never",
        Some(run) if run.state.is_connected() => "connected",
        Some(_) => "failed",
    }
}

#[component]
pub fn DataSourcesPage() -> impl IntoView {
    let sources = Resource::new(|| (), |()| list_data_sources());
    // Counts up when every row shall test.
    let test_all = RwSignal::new(0_u32);
    view! {
        <div class="page">
            <PageHead title=tr!(source.title) about=tr!(source.lead)>
                <Button icon="refresh-cw" on_click=move |()| test_all.update(|n| *n += 1)>{tr!(source.test_all)}</Button>
                <LinkButton href=routes::DATA_SOURCE_NEW kind=ButtonKind::Primary icon="plus">{tr!(source.create)}</LinkButton>
            </PageHead>
            <Load
                resource=sources
                children=Callback::new(move |(rows,): (Vec<DataSource>,)| view! { <SourceList rows sources test_all/> }.into_any())
            />
        </div>
    }
}

type Sources = Resource<Result<Vec<DataSource>, crate::error::ApiError>>;

#[component]
fn SourceList(rows: Vec<DataSource>, sources: Sources, test_all: RwSignal<u32>) -> impl IntoView {
    if rows.is_empty() {
        return view! {
            <Pane>
                <EmptyState icon="plug-zap" title=tr!(source.empty)>
                    <LinkButton href=routes::DATA_SOURCE_NEW kind=ButtonKind::Primary icon="plus">{tr!(source.create)}</LinkButton>
                </EmptyState>
            </Pane>
        }
        .into_any();
    }
    let failed = rows.iter().filter(|s| s.last_test.as_ref().is_some_and(|run| !run.state.is_connected())).count();
    let never = rows.iter().filter(|s| s.last_test.is_none()).count();
    let summary = tr!(source.count, sources = rows.len(), failed = failed, never = never).to_string();
    let filter = RwSignal::new(String::new());
    let (storage, verdict) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let sort = RwSignal::new(Sort::by(Column::Name));
    let page = RwSignal::new(0_usize);
    let rows = StoredValue::new(rows);
    let shown = Memo::new(move |_| {
        let (needle, storage, verdict) = (filter.get().to_lowercase(), storage.get(), verdict.get());
        let mut shown = rows.with_value(|rows| {
            let fits = |row: &&DataSource| {
                row.name.as_str().contains(&needle)
                    && (storage.is_empty() || row.storage.id() == storage)
                    && (verdict.is_empty() || verdict_id(row) == verdict)
            };
            rows.iter().filter(fits).cloned().collect::<Vec<_>>()
        });
        let sort = sort.get();
        sort.apply(&mut shown, |row| sort_key(row, sort.column));
        shown
    });
    let n_pages = move || shown.with(Vec::len).div_ceil(PER_PAGE).max(1);
    let at = move || page.get().min(n_pages() - 1);
    let window = move || shown.get().into_iter().skip(at() * PER_PAGE).take(PER_PAGE).collect::<Vec<_>>();
    let range = move || {
        let total = shown.with(Vec::len);
        let from = (at() * PER_PAGE + 1).min(total);
        tr!(source.range, from = from, to = (at() * PER_PAGE + PER_PAGE).min(total), total = total).to_string()
    };
    let deletion = Confirmation::new();
    let fresh = use_query_map().with_untracked(|query| query.get("new"));
    view! {
        <div class="mb-3 flex items-center gap-2">
            <label class="input w-72">
                <Icon name="search" class="text-muted"/>
                <span class="sr-only">{tr!(source.filter_name)}</span>
                <input type="search" placeholder=tr!(source.filter_name) on:input:target=move |event| { page.set(0); filter.set(event.target().value()) }/>
            </label>
            <TypeFilter on_change=move |id: String| { page.set(0); storage.set(id) }/>
            <select class="select w-auto" aria-label=tr!(source.filter_test) on:change:target=move |event| { page.set(0); verdict.set(event.target().value()) }>
                <option value="">{tr!(source.filter_test)}": "{tr!(source.all)}</option>
                <option value="connected">{ConnectionState::Connectable.label()}</option>
                <option value="failed">{ConnectionState::Unreachable.label()}</option>
                <option value="never">{tr!(source.not_tested)}</option>
            </select>
            <span class="ml-auto text-sm text-muted">{summary}</span>
        </div>
        <div class="pane">
            <div class="scroll overflow-x-auto" tabindex="0" role="region" aria-label=tr!(source.title)>
                <table class="list-table">
                    <thead>
                        <tr>
                            <SortHead column=Column::Name sort class="stick-name" label=tr!(source.col_name)/>
                            <SortHead column=Column::Type sort label=tr!(source.col_type)/>
                            <SortHead column=Column::Region sort label=tr!(source.col_region)/>
                            <SortHead column=Column::Endpoint sort label=tr!(source.col_endpoint)/>
                            <SortHead column=Column::Auth sort label=tr!(source.col_auth)/>
                            <SortHead column=Column::Projects sort label=tr!(source.col_projects)/>
                            <SortHead column=Column::Tested sort label=tr!(source.col_last_test)/>
                            <SortHead column=Column::CreatedBy sort label=tr!(source.col_created_by)/>
                            <SortHead column=Column::CreatedAt sort label=tr!(source.col_created_at)/>
                            <th scope="col" class="stick">{tr!(source.col_actions)}</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=window key=|source| (source.name.clone(), source.version, source.last_test.as_ref().map(|run| run.at)) let:source>
                            {
                                let is_new = fresh.as_deref() == Some(source.name.as_str());
                                view! { <SourceRow source is_new deletion test_all/> }
                            }
                        </For>
                    </tbody>
                </table>
            </div>
            {move || shown.with(Vec::is_empty).then(|| view! { <p class="p-4 text-muted">{tr!(source.none_match)}</p> })}
            <div class="pane-foot">
                <span>{range}</span>
                <span class="ml-auto">{tr!(source.per_page)}</span>
                {move || (n_pages() > 1).then(|| view! {
                    <Button kind=ButtonKind::Ghost icon="chevron-left" label=tr!(source.previous) on_click=move |()| page.set(at().saturating_sub(1))/>
                    <Button kind=ButtonKind::Ghost icon="chevron-right" label=tr!(source.next) on_click=move |()| page.set((at() + 1).min(n_pages() - 1))/>
                })}
            </div>
        </div>
        <DeleteSource deletion on_deleted=move |()| sources.refetch()/>
    }
    .into_any()
}

#[component]
fn SourceRow(
    source: DataSource,
    is_new: bool,
    deletion: Confirmation<DataSource>,
    test_all: RwSignal<u32>,
) -> impl IntoView {
    let name = source.name.to_string();
    let probe = Probe::new(source.last_test.clone());
    let run = {
        let name = name.clone();
        Callback::new(move |()| probe.run(ProbeTarget::Stored(name.clone(), None), |_| {}))
    };
    probe.await_saved(&source);
    Effect::new(move |before: Option<u32>| {
        let now = test_all.get();
        if before.is_some_and(|before| before != now) {
            run.run(());
        }
        now
    });
    let endpoint = endpoint_text(&source);
    let endpoint_mono = source.storage != StorageKind::Local;
    let arn = source.role_arn.as_ref().map(|arn| mask_arn(arn.as_str()));
    let auth_note = match (source.auth, &arn) {
        (AuthKind::RamRole, Some(arn)) => arn.clone(),
        _ => auth_label(source.auth).to_owned(),
    };
    let (n_projects, dying) = (source.projects.len(), source.clone());
    view! {
        <tr class:is-new=is_new>
            <td class="stick-name">
                <a class="name inline-block max-w-72 truncate align-middle" title=name.clone() href=routes::data_source(&name)>{name.clone()}</a>
                {is_new.then(|| view! { <span class="chip is-info ml-2">{tr!(source.new)}</span> })}
            </td>
            <td>{type_label(source.storage)}</td>
            <td class="mono">{source.region}</td>
            <td class=format!("max-w-48 truncate text-muted {}", if endpoint_mono { "mono" } else { "" }) title=endpoint.clone()>{endpoint.clone()}</td>
            <td class="max-w-44 truncate text-muted" title=auth_note.clone()>{auth_note.clone()}</td>
            <td class="num">{n_projects}</td>
            <td class="whitespace-nowrap">
                {move || if probe.is_running.get() {
                    let done = probe.steps.with(|steps| steps.iter().filter(|step| step.elapsed_ms.is_some()).count());
                    view! { <Chip tone=Tone::Running>{tr!(source.testing)}</Chip><span class="ml-2 text-sm text-muted">{done}"/10"</span> }.into_any()
                } else {
                    let run = probe.result.get();
                    let at = run.as_ref().map(|run| time::short(run.at));
                    let problem = probe.problem.get().map(|problem| view! {
                        <span class="chip chip-plain is-bad ml-2" role="alert"><Icon name="circle-x"/>{problem.message}</span>
                    });
                    view! { <Verdict run/><span class="ml-2 text-sm text-muted">{at}</span>{problem} }.into_any()
                }}
            </td>
            <td class="mono max-w-40 truncate text-muted" title=source.created_by.clone()>{mask_arn(&source.created_by)}</td>
            <td class="whitespace-nowrap text-muted">{time::short(source.created_at)}</td>
            <td class="stick">
                <a class="act" href=routes::data_source(&name)>{tr!(source.details)}</a>
                <button type="button" class="act" on:click=move |_| run.run(())>{tr!(source.test)}</button>
                <Menu
                    id=format!("menu-{name}")
                    label=tr!(source.more_actions, name = name.clone()).to_string()
                    class="btn btn-ghost btn-square ml-1"
                    trigger=|| view! { <Icon name="ellipsis"/> }
                >
                    <a href=routes::data_source_edit(&name)><Icon name="pencil" small=true class="text-muted"/>{tr!(source.edit)}</a>
                    <hr/>
                    <button type="button" class="danger" on:click=move |_| deletion.ask(dying.clone())>
                        <Icon name="trash-2" small=true/>{tr!(source.delete)}
                    </button>
                </Menu>
            </td>
        </tr>
    }
}

/// Asks for the name; a used source is refused, with the projects that use it.
#[component]
pub fn DeleteSource(deletion: Confirmation<DataSource>, #[prop(into)] on_deleted: Callback<()>) -> impl IntoView {
    let name = deletion.map(|source| source.name.to_string());
    let confirm = move |()| {
        deletion.run(move |source| async move {
            let name = source.name.to_string();
            delete_data_source(name.clone()).await?;
            toast(tr!(source.deleted, name = name).to_string());
            on_deleted.run(());
            Ok(())
        });
    };
    view! {
        <ConfirmDialog
            id="delete-source"
            asking=deletion.asking()
            title=Signal::derive(move || tr!(source.delete_title, name = name.get().unwrap_or_default()).to_string())
            action=tr!(source.delete)
            name=name
            on_confirm=confirm
        >
            <p class="text-muted">{tr!(source.delete_safe)}</p>
            {move || deletion.subject().map(|source| source.projects).filter(|projects| !projects.is_empty()).map(|projects| view! {
                <p class="mt-2">{tr!(source.delete_used)}</p>
                <ul class="mt-2 divide-y divide-line rounded-md border border-line">
                    {projects.into_iter().map(|project| view! {
                        <li class="flex h-8 items-center gap-2 px-2.5"><Icon name="boxes" small=true class="text-muted"/><a class="name" href=routes::project(&project)>{project.clone()}</a></li>
                    }).collect_view()}
                </ul>
            })}
        </ConfirmDialog>
    }
}
