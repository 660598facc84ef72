//! The External Project tab of Projects.

use crate::api::external_project::{OpenWorksheet, delete_project, list_projects, set_project_state};
use crate::components::data_source_fields::{TypeFilter, type_label};
use crate::components::time;
use crate::error::ApiError;
use crate::ui::button::{ButtonKind, LinkButton};
use crate::ui::chip::{Chip, Tone};
use crate::ui::dialog::{ConfirmDialog, Confirmation};
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;
use crate::ui::states::{EmptyState, Load};
use crate::ui::table::{Sort, SortHead};
use crate::ui::tabs::{Tab, Tabs};
use crate::ui::{PageHead, Pane, toast};
use crate::{routes, tr};
use leptos::form::ActionForm;
use leptos::prelude::*;
use model::data_source::mask_arn;
use model::external_project::{Billing, ExternalProject, ProjectState};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Server,
    Type,
    Bucket,
    Quota,
    Billing,
    State,
    Owner,
    CreatedAt,
}

fn sort_key(project: &ExternalProject, column: Column) -> String {
    match column {
        Column::Name => project.name.as_str().to_lowercase(),
        Column::Server => project.server.to_string(),
        Column::Type => type_label(project.storage),
        Column::Bucket => project.bucket_catalog.to_string(),
        Column::Quota => project.quota.clone(),
        Column::Billing => project.billing.label().to_owned(),
        Column::State => project.state.label().to_owned(),
        Column::Owner => project.owner.clone(),
        Column::CreatedAt => project.created_at.to_string(),
    }
}

pub fn billing_label(billing: Billing) -> &'static str {
    match billing {
        Billing::PayAsYouGo => tr!(project.billing_pay_as_you_go),
        Billing::Subscription => tr!(project.billing_subscription),
    }
}

#[component]
pub fn StateChip(state: ProjectState) -> impl IntoView {
    match state {
        ProjectState::Enabled => view! { <Chip tone=Tone::Ok>{tr!(project.enabled)}</Chip> },
        ProjectState::Disabled => view! { <Chip tone=Tone::Unknown>{tr!(project.disabled)}</Chip> },
    }
}

#[component]
pub fn ProjectsPage() -> impl IntoView {
    let projects = Resource::new(|| (), |()| list_projects());
    view! {
        <div class="page">
            <PageHead title=tr!(project.title) about=tr!(project.lead)>
                <LinkButton href=routes::PROJECT_NEW kind=ButtonKind::Primary icon="plus">{tr!(project.create)}</LinkButton>
            </PageHead>
            <Tabs
                label=tr!(project.title)
                tabs=vec![Tab::new("external", tr!(project.tab_external))]
                selected="external".to_owned()
                on_select=Callback::new(|_| {})
            />
            <div class="mt-3" role="tabpanel" id="external-panel" aria-labelledby="external-tab">
                <Load
                    resource=projects
                    children=Callback::new(move |(rows,): (Vec<ExternalProject>,)| view! {
                        <ProjectList rows on_changed=Callback::new(move |()| projects.refetch())/>
                    }.into_any())
                />
            </div>
        </div>
    }
}

#[component]
fn ProjectList(rows: Vec<ExternalProject>, on_changed: Callback<()>) -> impl IntoView {
    if rows.is_empty() {
        return view! {
            <Pane>
                <EmptyState icon="boxes" title=tr!(project.empty)>
                    <LinkButton href=routes::PROJECT_NEW kind=ButtonKind::Primary icon="plus">{tr!(project.create)}</LinkButton>
                </EmptyState>
            </Pane>
        }
        .into_any();
    }
    let summary = tr!(project.count, n = rows.len()).to_string();
    let (filter, storage) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let sort = RwSignal::new(Sort::by(Column::Name));
    let rows = StoredValue::new(rows);
    let shown = Memo::new(move |_| {
        let (needle, storage) = (filter.get().to_lowercase(), storage.get());
        let mut shown = rows.with_value(|rows| {
            let fits = |row: &&ExternalProject| {
                row.name.as_str().to_lowercase().contains(&needle)
                    && (storage.is_empty() || row.storage.id() == storage)
            };
            rows.iter().filter(fits).cloned().collect::<Vec<_>>()
        });
        let sort = sort.get();
        sort.apply(&mut shown, |row| sort_key(row, sort.column));
        shown
    });
    let (deletion, disabling) = (Confirmation::new(), Confirmation::new());
    view! {
        <div class="mb-3 flex items-center gap-2">
            <label class="input w-72">
                <Icon name="search" class="text-muted"/>
                <span class="sr-only">{tr!(project.filter_name)}</span>
                <input type="search" placeholder=tr!(project.filter_name) on:input:target=move |event| filter.set(event.target().value())/>
            </label>
            <TypeFilter on_change=move |id: String| storage.set(id)/>
            <span class="ml-auto text-sm text-muted">{summary}</span>
        </div>
        <div class="pane">
            <div class="scroll overflow-x-auto" tabindex="0" role="region" aria-label=tr!(project.title)>
                <table class="list-table">
                    <thead>
                        <tr>
                            <SortHead column=Column::Name sort class="stick-name" label=tr!(project.col_name)/>
                            <SortHead column=Column::Server sort label=tr!(project.col_server)/>
                            <SortHead column=Column::Type sort label=tr!(project.col_type)/>
                            <SortHead column=Column::Bucket sort label=tr!(project.col_bucket_catalog)/>
                            <SortHead column=Column::Quota sort label=tr!(project.col_quota)/>
                            <SortHead column=Column::Billing sort label=tr!(project.col_billing)/>
                            <SortHead column=Column::State sort label=tr!(project.col_state)/>
                            <SortHead column=Column::Owner sort label=tr!(project.col_owner)/>
                            <SortHead column=Column::CreatedAt sort label=tr!(project.col_created_at)/>
                            <th scope="col" class="stick">{tr!(project.col_actions)}</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each={move || shown.get()} key=|project| (project.name.clone(), project.version) let:project>
                            <ProjectRow project deletion disabling on_changed/>
                        </For>
                    </tbody>
                </table>
            </div>
            {move || shown.with(Vec::is_empty).then(|| view! { <p class="p-4 text-muted">{tr!(project.none_match)}</p> })}
        </div>
        <DeleteProject deletion on_deleted=on_changed/>
        <DisableProject disabling on_changed/>
    }
    .into_any()
}

#[component]
fn ProjectRow(
    project: ExternalProject,
    deletion: Confirmation<ExternalProject>,
    disabling: Confirmation<ExternalProject>,
    on_changed: Callback<()>,
) -> impl IntoView {
    let name = project.name.to_string();
    let server = project.server.to_string();
    let bucket = project.bucket_catalog.to_string();
    let (dying, changing) = (project.clone(), project.clone());
    let is_enabled = project.state == ProjectState::Enabled;
    view! {
        <tr>
            <td class="stick-name"><a class="name" href=routes::project(&name)>{name.clone()}</a></td>
            <td><a class="mono inline-block max-w-52 truncate align-middle" title=server.clone() href=routes::data_source(&server)>{server.clone()}</a></td>
            <td>{type_label(project.storage)}</td>
            <td class="mono max-w-64 truncate text-muted" title=bucket.clone()>{bucket.clone()}</td>
            <td>{project.quota}</td>
            <td>{billing_label(project.billing)}</td>
            <td><StateChip state=project.state/></td>
            <td class="mono max-w-40 truncate text-muted">{mask_arn(&project.owner)}</td>
            <td class="whitespace-nowrap text-muted">{time::short(project.created_at)}</td>
            <td class="stick">
                {is_enabled.then(|| view! { <OpenWorksheetButton name=name.clone() class="act"/> })}
                <a class="act" href=routes::project(&name)>{tr!(project.details)}</a>
                <Menu
                    id=format!("menu-{name}")
                    label=tr!(project.more_actions, name = name.clone()).to_string()
                    class="btn btn-ghost btn-square ml-1"
                    trigger=|| view! { <Icon name="ellipsis"/> }
                >
                    <a href=routes::project_edit(&name)><Icon name="pencil" small=true class="text-muted"/>{tr!(project.edit)}</a>
                    <button type="button" on:click=move |_| if is_enabled {
                        disabling.ask(changing.clone());
                    } else {
                        enable(changing.clone(), on_changed);
                    }>
                        <Icon name="ban" small=true class="text-muted"/>{if is_enabled { tr!(project.disable) } else { tr!(project.enable) }}
                    </button>
                    <hr/>
                    <button type="button" class="danger" on:click=move |_| deletion.ask(dying.clone())>
                        <Icon name="trash-2" small=true/>{tr!(project.delete)}
                    </button>
                </Menu>
            </td>
        </tr>
    }
}

/// A new worksheet bound to the project; a form, so that it works before hydration.
#[component]
pub fn OpenWorksheetButton(name: String, class: &'static str) -> impl IntoView {
    let action = ServerAction::<OpenWorksheet>::new();
    view! {
        <ActionForm action=action attr:class="inline">
            <input type="hidden" name="name" value=name/>
            <button type="submit" class=class>{tr!(project.open_worksheet)}</button>
        </ActionForm>
    }
}

/// Enables or disables a project, and says so.
async fn change_state(project: ExternalProject, state: ProjectState) -> Result<(), ApiError> {
    let name = project.name.to_string();
    set_project_state(name.clone(), state, project.version).await?;
    toast(match state {
        ProjectState::Enabled => tr!(project.now_enabled, name = name).to_string(),
        ProjectState::Disabled => tr!(project.now_disabled, name = name).to_string(),
    });
    Ok(())
}

/// Enables a project: nothing is lost by it, so nothing is asked.
pub fn enable(project: ExternalProject, on_changed: Callback<()>) {
    leptos::task::spawn_local(async move {
        match change_state(project, ProjectState::Enabled).await {
            Ok(()) => on_changed.run(()),
            Err(error) => toast(error.0.message),
        }
    });
}

#[component]
pub fn DisableProject(disabling: Confirmation<ExternalProject>, on_changed: Callback<()>) -> impl IntoView {
    let name = disabling.map(|project| project.name.to_string());
    let confirm = move |()| {
        disabling.run(move |project| async move {
            change_state(project, ProjectState::Disabled).await?;
            on_changed.run(());
            Ok(())
        });
    };
    view! {
        <ConfirmDialog
            id="disable-project"
            asking=disabling.asking()
            title=Signal::derive(move || tr!(project.disable_title, name = name.get().unwrap_or_default()).to_string())
            action=tr!(project.disable)
            on_confirm=confirm
        >
            <p class="text-muted">{tr!(project.disable_text)}</p>
        </ConfirmDialog>
    }
}

/// Removes the mapping only; the name has to be typed.
#[component]
pub fn DeleteProject(deletion: Confirmation<ExternalProject>, #[prop(into)] on_deleted: Callback<()>) -> impl IntoView {
    let name = deletion.map(|project| project.name.to_string());
    let confirm = move |()| {
        deletion.run(move |project| async move {
            let name = project.name.to_string();
            delete_project(name.clone()).await?;
            toast(tr!(project.deleted, name = name).to_string());
            on_deleted.run(());
            Ok(())
        });
    };
    view! {
        <ConfirmDialog
            id="delete-project"
            asking=deletion.asking()
            title=Signal::derive(move || tr!(project.delete_title, name = name.get().unwrap_or_default()).to_string())
            action=tr!(project.delete)
            name=name
            on_confirm=confirm
        >
            <p class="text-muted">{tr!(project.delete_text)}</p>
        </ConfirmDialog>
    }
}
