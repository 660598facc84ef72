//! Details of an external data source: everything that is stored (secrets only as dates), who uses it, its tests.

use super::edit::EditSource;
use super::list::DeleteSource;
use crate::api::data_source::{DataSourceDetails, data_source_details};
use crate::components::audit::AuditList;
use crate::components::data_source_fields::{auth_label, storage_label};
use crate::components::probe_panel::{PROBE_PANEL, Probe, ProbePanel, ProbeTarget, Verdict};
use crate::components::time;
use crate::ui::button::{Button, LinkButton};
use crate::ui::kv::{Fact, KeyValue};
use crate::ui::side::SideOpen;
use crate::ui::states::Load;
use crate::ui::{Confirmation, Icon, PageHead, Pane};
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};
use model::data_source::{AuthKind, DataSource, mask_arn};
use model::probe::TestRun;

#[component]
pub fn DataSourcePage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let name = Memo::new(move |_| params.with(|params| params.get("name").unwrap_or_default()));
    let is_editing = Memo::new(move |_| query.with(|query| query.get("edit").is_some()));
    // Editing starts from what is stored now, not from what an earlier look at the page brought.
    let details = Resource::new(move || (name.get(), is_editing.get()), |(name, _)| data_source_details(name));
    view! {
        <Load
            resource=details
            rows=8
            children=Callback::new(move |(found,): (DataSourceDetails,)| if is_editing.get_untracked() {
                view! { <EditSource source=found.source/> }.into_any()
            } else {
                view! { <Details details=found/> }.into_any()
            })
        />
    }
}

#[component]
fn Details(details: DataSourceDetails) -> impl IntoView {
    let DataSourceDetails { source, tests, audit } = details;
    let name = StoredValue::new(source.name.to_string());
    let probe = Probe::new(source.last_test.clone());
    probe.await_saved(&source);
    let tests = RwSignal::new(tests);
    // A test that ends here is the newest of the history.
    Effect::new(move |_| {
        if let Some(run) = probe.result.get()
            && tests.with_untracked(|tests| tests.first().is_none_or(|newest| newest.at < run.at))
        {
            tests.update(|tests| tests.insert(0, run));
        }
    });
    let directory = RwSignal::new(String::new());
    let test = Callback::new(move |()| {
        let directory = Some(directory.get_untracked()).filter(|directory| !directory.trim().is_empty());
        probe.run(ProbeTarget::Stored(name.get_value(), directory), |_| {});
    });
    let deletion = Confirmation::new();
    let dying = source.clone();
    let navigate = use_navigate();
    view! {
        <div class="with-side">
            <div class="page">
                <PageHead title=name.get_value() about=source.description.clone()>
                    <SideOpen panel=PROBE_PANEL icon="zap" label=tr!(source.test)/>
                    <LinkButton href=routes::data_source_edit(&name.get_value()) icon="pencil">{tr!(source.edit)}</LinkButton>
                    <Button icon="trash-2" on_click=move |()| deletion.ask(dying.clone())>{tr!(source.delete)}</Button>
                </PageHead>
                <div class="grid gap-4">
                    <Configuration source=source.clone()/>
                    <UsedBy projects=source.projects.clone() source=name.get_value()/>
                    <Tests tests/>
                    <AuditList entries=audit title=tr!(source.audit)/>
                </div>
            </div>
            <ProbePanel probe intro=tr!(source.test_intro_stored) on_run=test>
                <div class="mt-4">
                    <label for="directory" class="text-sm text-muted">{tr!(source.test_directory)}</label>
                    <input id="directory" class="input mt-1 font-mono text-sm" spellcheck="false" autocomplete="off"
                        prop:value=move || directory.get() on:input:target=move |event| directory.set(event.target().value())/>
                </div>
            </ProbePanel>
        </div>
        <DeleteSource deletion on_deleted=move |()| navigate(routes::DATA_SOURCES, Default::default())/>
    }
}

#[component]
fn Configuration(source: DataSource) -> impl IntoView {
    let properties: Vec<_> = source.properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
    view! {
        <Pane title=tr!(source.config)>
            <div class="p-3">
                <KeyValue>
                    <Fact name=tr!(source.kind)>{source.source_kind.label()}</Fact>
                    <Fact name=tr!(source.region) mono=true>{source.region.clone()}</Fact>
                    <Fact name=tr!(source.storage)>{storage_label(source.storage)}</Fact>
                    {source.endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned()).map(|endpoint| view! { <Fact name=tr!(source.endpoint) mono=true>{endpoint}</Fact> })}
                    {source.path_style.then(|| view! { <Fact name=tr!(source.path_style)>"✓"</Fact> })}
                    <Fact name=tr!(source.auth)>{auth_label(source.auth)}</Fact>
                    {source.role_arn.as_ref().map(|arn| mask_arn(arn.as_str())).map(|arn| view! { <Fact name=tr!(source.role_arn) mono=true>{arn}</Fact> })}
                    {source.access_key_id.clone().map(|id| view! { <Fact name=tr!(source.access_key_id) mono=true>{id}</Fact> })}
                    {(source.auth == AuthKind::AccessKey).then_some(source.secret_set_at).flatten().map(|at| view! {
                        <Fact name=tr!(source.secret)>{tr!(source.secret_set, date = time::long(at)).to_string()}</Fact>
                    })}
                    {(!properties.is_empty()).then(|| view! {
                        <Fact name=tr!(source.properties) mono=true>{properties.into_iter().map(|line| view! { <div>{line}</div> }).collect_view()}</Fact>
                    })}
                    <Fact name=tr!(source.created)>{by(source.created_at, &source.created_by)}</Fact>
                    <Fact name=tr!(source.updated)>{by(source.updated_at, &source.updated_by)}</Fact>
                    <Fact name=tr!(source.version) mono=true>{source.version}</Fact>
                </KeyValue>
            </div>
        </Pane>
    }
}

fn by(at: model::Timestamp, who: &str) -> String {
    tr!(source.by, time = time::long(at), who = mask_arn(who)).to_string()
}

#[component]
fn UsedBy(projects: Vec<String>, source: String) -> impl IntoView {
    view! {
        <Pane title=tr!(source.used_by) note=projects.len().to_string()>
            {if projects.is_empty() {
                view! {
                    <p class="flex items-center gap-3 p-3 text-muted">
                        {tr!(source.used_by_none)}
                        <LinkButton href=routes::project_new_on(&source) icon="plus">{tr!(source.create_project_on_it)}</LinkButton>
                    </p>
                }.into_any()
            } else {
                view! {
                    <ul class="divide-y divide-line">
                        {projects.into_iter().map(|project| view! {
                            <li class="flex h-9 items-center gap-2 px-3"><Icon name="boxes" small=true class="text-muted"/><a class="name" href=routes::project(&project)>{project.clone()}</a></li>
                        }).collect_view()}
                    </ul>
                }.into_any()
            }}
        </Pane>
    }
}

/// The last twenty tests; a failed one tells where it stopped.
#[component]
fn Tests(tests: RwSignal<Vec<TestRun>>) -> impl IntoView {
    view! {
        <Pane title=tr!(source.test_history) note=Signal::derive(move || Some(tests.with(Vec::len).to_string()))>
            {move || tests.with(Vec::is_empty).then(|| view! { <p class="p-3 text-muted">{tr!(source.test_history_none)}</p> })}
            <ul class="divide-y divide-line">
                {move || tests.get().into_iter().map(|run| {
                    let failed = run.steps.iter().find(|step| step.status == model::probe::ProbeStatus::Failed);
                    let told = failed.map(|step| step.message.clone()).or_else(|| run.note.clone()).unwrap_or_default();
                    let at = time::long(run.at);
                    view! {
                        <li class="flex min-h-9 items-center gap-3 px-3 py-1">
                            <Verdict run=Some(run)/>
                            <span class="min-w-0 grow text-muted">{told}</span>
                            <span class="whitespace-nowrap text-sm text-muted">{at}</span>
                        </li>
                    }
                }).collect_view()}
            </ul>
        </Pane>
    }
}
