//! Details of a project: what is stored, what the warehouse holds, how other engines reach it.

use super::edit::EditProject;
use super::list::{DeleteProject, DisableProject, OpenWorksheetButton, StateChip, billing_label, enable};
use super::review::Snippets;
use crate::api::external_project::{ProjectDetails, project_details, project_overview};
use crate::components::audit::AuditList;
use crate::components::data_source_fields::{auth_label, storage_label};
use crate::components::time;
use crate::ui::button::{Button, LinkButton};
use crate::ui::format::grouped;
use crate::ui::kv::{Fact, KeyValue};
use crate::ui::states::Load;
use crate::ui::{Confirmation, PageHead, Pane};
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};
use model::data_source::mask_arn;
use model::external_project::{ExternalProject, ProjectState};
use model::lake::WarehouseOverview;
use model::snippet::CatalogSettings;

#[component]
pub fn ProjectPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let name = Memo::new(move |_| params.with(|params| params.get("name").unwrap_or_default()));
    let is_editing = Memo::new(move |_| query.with(|query| query.get("edit").is_some()));
    // Editing starts from what is stored now, not from what an earlier look at the page brought.
    let details = Resource::new(move || (name.get(), is_editing.get()), |(name, _)| project_details(name));
    view! {
        <Load
            resource=details
            rows=8
            children=Callback::new(move |(found,): (ProjectDetails,)| if is_editing.get_untracked() {
                view! { <EditProject project=found.project/> }.into_any()
            } else {
                view! { <Details details=found on_changed=Callback::new(move |()| details.refetch())/> }.into_any()
            })
        />
    }
}

#[component]
fn Details(details: ProjectDetails, on_changed: Callback<()>) -> impl IntoView {
    let ProjectDetails { project, audit } = details;
    let name = project.name.to_string();
    let overview = {
        let name = name.clone();
        Resource::new(move || name.clone(), project_overview)
    };
    let (deletion, disabling) = (Confirmation::new(), Confirmation::new());
    let navigate = use_navigate();
    let is_enabled = project.state == ProjectState::Enabled;
    let (dying, changing) = (project.clone(), project.clone());
    let settings = CatalogSettings {
        name: project.engine_catalog.as_ref().map_or_else(|| name.clone(), ToString::to_string),
        storage: project.storage,
        auth: project.server_auth,
        endpoint: project.endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned()),
        region: project.region.clone(),
        path_style: project.storage == model::data_source::StorageKind::S3,
        warehouse: project.bucket_catalog.to_string(),
    };
    view! {
        <div class="page">
            <PageHead title=name.clone() about=project.description.clone()>
                {is_enabled.then(|| view! { <OpenWorksheetButton name=name.clone() class="btn btn-primary"/> })}
                <LinkButton href=routes::project_edit(&name) icon="pencil">{tr!(project.edit)}</LinkButton>
                <Button icon="ban" on_click=move |()| if is_enabled {
                    disabling.ask(changing.clone());
                } else {
                    enable(changing.clone(), on_changed);
                }>{if is_enabled { tr!(project.disable) } else { tr!(project.enable) }}</Button>
                <Button icon="trash-2" on_click=move |()| deletion.ask(dying.clone())>{tr!(project.delete)}</Button>
            </PageHead>
            <div class="grid grid-cols-2 items-start gap-4 max-lg:grid-cols-1">
                <Stored project=project.clone()/>
                <div class="min-w-0 space-y-4">
                    <Pane title=tr!(project.bucket_catalog)>
                        <Load resource=overview rows=2 children=Callback::new(|(overview,): (WarehouseOverview,)| view! { <Overview overview/> }.into_any())/>
                    </Pane>
                    <Snippets settings/>
                </div>
                <div class="col-span-full"><AuditList entries=audit title=tr!(project.audit)/></div>
            </div>
        </div>
        <DeleteProject deletion on_deleted=move |()| navigate(routes::PROJECTS, Default::default())/>
        <DisableProject disabling on_changed/>
    }
}

#[component]
fn Stored(project: ExternalProject) -> impl IntoView {
    let server = project.server.to_string();
    let mark = |on: bool| if on { "✓" } else { "–" };
    view! {
        <Pane title=tr!(project.settings)>
            <div class="p-3">
                <KeyValue>
                    <Fact name=tr!(project.state)><StateChip state=project.state/></Fact>
                    <Fact name=tr!(project.kind)>{tr!(project.kind_external)}</Fact>
                    <Fact name=tr!(project.region) mono=true>{project.region.clone()}</Fact>
                    <Fact name=tr!(project.billing)>{billing_label(project.billing)}</Fact>
                    <Fact name=tr!(project.quota)>{project.quota.clone()}</Fact>
                    <Fact name=tr!(project.server)><a class="mono" href=routes::data_source(&server)>{server.clone()}</a></Fact>
                    <Fact name=tr!(project.storage)>{storage_label(project.storage)}</Fact>
                    {project.endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned()).map(|endpoint| view! { <Fact name=tr!(project.endpoint) mono=true>{endpoint}</Fact> })}
                    <Fact name=tr!(source.col_auth)>{auth_label(project.server_auth)}</Fact>
                    <Fact name=tr!(project.format)>{tr!(project.format_paimon)}</Fact>
                    <Fact name=tr!(project.bucket_catalog) mono=true>{project.bucket_catalog.to_string()}</Fact>
                    {project.engine_catalog.as_ref().map(ToString::to_string).map(|catalog| view! { <Fact name=tr!(project.engine_catalog) mono=true>{catalog}</Fact> })}
                    <Fact name=tr!(project.option_schema)>{mark(project.options.namespace_schema)}</Fact>
                    <Fact name=tr!(project.option_fullscan)>{mark(project.options.allow_fullscan)}</Fact>
                    <Fact name=tr!(project.option_strict)>{mark(project.options.strict_maxcompute)}</Fact>
                    {(!project.options.timezone.is_empty()).then(|| view! { <Fact name=tr!(project.option_timezone) mono=true>{project.options.timezone.clone()}</Fact> })}
                    <Fact name=tr!(project.owner) mono=true>{mask_arn(&project.owner)}</Fact>
                    <Fact name=tr!(source.created)>{tr!(source.by, time = time::long(project.created_at), who = mask_arn(&project.created_by)).to_string()}</Fact>
                    <Fact name=tr!(source.updated)>{tr!(source.by, time = time::long(project.updated_at), who = mask_arn(&project.updated_by)).to_string()}</Fact>
                </KeyValue>
            </div>
        </Pane>
    }
}

/// Counts, and the abnormal objects by path (S7).
#[component]
fn Overview(overview: WarehouseOverview) -> impl IntoView {
    let more = overview.stray_count > overview.strays.len() as u64;
    view! {
        <dl class="facts m-3">
            <div><dt>{tr!(project.schemas)}</dt><dd>{grouped(overview.schema_count)}</dd></div>
            <div><dt>{tr!(project.tables)}</dt><dd>{grouped(overview.table_count)}</dd></div>
            <div><dt>{tr!(project.strays)}</dt><dd>{grouped(overview.stray_count)}</dd></div>
        </dl>
        {if overview.strays.is_empty() {
            view! { <p class="px-3 pb-3 text-muted">{tr!(project.strays_none)}</p> }.into_any()
        } else {
            view! {
                <ul class="divide-y divide-line border-t border-line">
                    {overview.strays.into_iter().map(|stray| view! {
                        <li class="px-3 py-1.5"><span class="font-mono text-sm break-all">{stray.path}</span><span class="block text-sm text-muted">{stray.reason}</span></li>
                    }).collect_view()}
                </ul>
                {more.then(|| view! { <p class="p-3 text-sm text-muted">{tr!(project.strays_more, n = overview.stray_count).to_string()}</p> })}
            }.into_any()
        }}
    }
}
