//! The review before a project is made: what will be stored, what happens, and the same in other words.

use super::create::{ProjectForm, Warnings};
use super::list::billing_label;
use crate::components::data_source_fields::{auth_label, storage_label};
use crate::tr;
use crate::ui::choice::{ChoiceOption, Segmented};
use crate::ui::copy::CopyButton;
use crate::ui::icon::Icon;
use crate::ui::kv::{Fact, KeyValue};
use crate::ui::pane::Pane;
use leptos::prelude::*;
use model::data_source::{AuthKind, StorageKind, mask_arn};
use model::external_project::{Billing, ExternalProjectDraft, RunIdentity};
use model::notice::Notice;
use model::snippet::{CatalogSettings, api_call};
use model::warehouse::WarehouseUri;

#[component]
pub fn Review(form: ProjectForm, warnings: RwSignal<Vec<Notice>>, on_edit: Callback<()>) -> impl IntoView {
    // What was typed does not change while it is reviewed.
    let (whole, chosen, storage) = untrack(|| (form.whole(), form.chosen(), form.storage()));
    let creates = whole.creates_server();
    let storage = storage.unwrap_or(StorageKind::Local);
    let auth = match &chosen {
        Some(source) => source.auth,
        None => AuthKind::parse(&whole.source.auth).unwrap_or(AuthKind::None),
    };
    let server = if creates { whole.source.name.clone() } else { whole.server.clone() };
    // In the form it is the source's until another one is typed.
    let endpoint =
        Some(whole.endpoint.clone()).filter(|endpoint| !endpoint.is_empty() && storage != StorageKind::Local);
    let warehouse = WarehouseUri::parse(storage, &whole.bucket_catalog)
        .map_or_else(|_| whole.bucket_catalog.clone(), |uri| uri.to_string());
    let settings = CatalogSettings {
        name: if whole.engine_catalog.trim().is_empty() { whole.name.clone() } else { whole.engine_catalog.clone() },
        storage,
        auth,
        endpoint: endpoint.clone(),
        region: chosen.as_ref().map_or_else(|| whole.source.region.clone(), |source| source.region.clone()),
        path_style: chosen.as_ref().map_or(whole.source.path_style, |source| source.path_style),
        warehouse: warehouse.clone(),
    };
    let identity = match RunIdentity::parse(&whole.auth) {
        Some(RunIdentity::RamRole) => tr!(project.auth_ram_role),
        Some(RunIdentity::TaskExecutor) => tr!(project.auth_task_executor),
        Some(RunIdentity::DataSource) | None => tr!(project.auth_data_source),
    };
    let edit = move || view! { <button type="button" class="act text-sm" on:click=move |_| on_edit.run(())>{tr!(project.edit)}</button> };
    let billing = Billing::parse(&whole.billing).map(billing_label);
    let draft = whole.clone();
    view! {
        <div class="page grid min-h-0 grow grid-cols-[31rem_minmax(0,1fr)] content-start gap-4 max-[68.75rem]:grid-cols-1">
            <div class="space-y-4">
                <Pane title=tr!(project.settings) actions=edit>
                    <div class="p-3"><KeyValue>
                        <Fact name=tr!(project.name) mono=true>{whole.name.clone()}</Fact>
                        <Fact name=tr!(project.kind)>{tr!(project.kind_external)}</Fact>
                        <Fact name=tr!(project.region)>{whole.region.clone()}</Fact>
                        <Fact name=tr!(project.billing)>{billing}</Fact>
                        <Fact name=tr!(project.quota)>{whole.quota.clone()}</Fact>
                    </KeyValue></div>
                </Pane>
                <Pane title=tr!(project.server_settings) actions=edit>
                    <div class="p-3"><KeyValue>
                        <Fact name=tr!(project.fs_type)>{tr!(source.kind_filesystem)}</Fact>
                        <Fact name=tr!(project.server)>
                            <span class="mono">{server}</span>{creates.then(|| view! { <span class="chip is-info ml-1">{tr!(source.new)}</span> })}
                        </Fact>
                        <Fact name=tr!(project.format)>{tr!(project.format_paimon)}</Fact>
                        <Fact name=tr!(project.bucket_catalog) mono=true>{warehouse}</Fact>
                    </KeyValue></div>
                </Pane>
                <Pane title=tr!(project.auth_settings) actions=edit>
                    <div class="p-3"><KeyValue>
                        <Fact name=tr!(project.auth)>{identity}</Fact>
                        {(!whole.role_arn.is_empty()).then(|| view! { <Fact name=tr!(project.role_arn) mono=true>{mask_arn(&whole.role_arn)}</Fact> })}
                        <Fact name=tr!(source.col_auth)>{auth_label(auth)}</Fact>
                        <Fact name=tr!(project.storage)>{storage_label(storage)}</Fact>
                        {endpoint.map(|endpoint| view! { <Fact name=tr!(project.endpoint) mono=true>{endpoint}</Fact> })}
                    </KeyValue></div>
                </Pane>
            </div>
            <div class="min-w-0 space-y-4">
                <Warnings warnings/>
                <Snippets settings draft/>
                <Pane title=tr!(project.on_ok)>
                    <ol class="divide-y divide-line">
                        {creates.then(|| view! { <Happens icon="plug-zap" what=tr!(project.on_ok_server) note=tr!(project.one_transaction)/> })}
                        <Happens icon="boxes" what=tr!(project.on_ok_project) note=if creates { tr!(project.both_or_neither) } else { tr!(project.one_transaction) }/>
                        <Happens icon="database" what=tr!(project.on_ok_schemas) note=if whole.create_default_schema { tr!(project.default_file) } else { tr!(project.no_file) }/>
                        <Happens icon="square-terminal" what=tr!(project.on_ok_worksheet) note=""/>
                    </ol>
                </Pane>
            </div>
        </div>
    }
}

#[component]
fn Happens(icon: &'static str, what: &'static str, note: &'static str) -> impl IntoView {
    view! {
        <li class="flex h-9 items-center gap-2 px-3">
            <Icon name=icon class="text-muted"/>{what}<span class="ml-auto text-sm text-muted">{note}</span>
        </li>
    }
}

/// Settings for other engines, and the API call where a draft is given.
#[component]
pub fn Snippets(
    settings: CatalogSettings,
    #[prop(into, optional)] draft: Option<ExternalProjectDraft>,
) -> impl IntoView {
    let which = RwSignal::new("flink".to_owned());
    let mut options = vec![
        ChoiceOption::new("flink", "Flink"),
        ChoiceOption::new("spark", "Spark"),
        ChoiceOption::new("pypaimon", "pypaimon"),
    ];
    if draft.is_some() {
        options.push(ChoiceOption::new("api", tr!(project.snippet_api)));
    }
    let text = Signal::derive(move || {
        which.with(|which| match (which.as_str(), &draft) {
            ("spark", _) => settings.spark(),
            ("pypaimon", _) => settings.pypaimon(),
            ("api", Some(draft)) => api_call(draft, &base_url()),
            _ => settings.flink(),
        })
    });
    view! {
        <section class="pane" aria-label=tr!(project.same_objects)>
            <div class="pane-head">
                <Segmented name="snippet" label=tr!(project.same_objects) hide_label=true options=options value=which on_change=Callback::new(move |id| which.set(id))/>
                <span class="text-sm font-normal text-muted">{tr!(project.same_objects)}</span>
                <span class="ml-auto"><CopyButton text=text label=tr!(problem.copy_details) words=false/></span>
            </div>
            <pre class="sql overflow-x-auto px-4 py-3" tabindex="0">{move || text.get()}</pre>
        </section>
    }
}

/// The address of this server as the browser knows it.
fn base_url() -> String {
    #[cfg(feature = "hydrate")]
    {
        window().location().origin().unwrap_or_default()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        "http://127.0.0.1:3000".to_owned()
    }
}
