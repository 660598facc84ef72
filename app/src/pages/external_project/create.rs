//! Create Project: one scrolling form with the seed's groups, and a review as the second screen.

use super::review::Review;
use crate::api::data_source::{create_folder, list_data_sources, regions};
use crate::api::external_project::{CreateProject, create_project, project_name_available, project_notices, quotas};
use crate::components::data_source_fields::{
    AuthFields, BrowseButton, CancelLink, NameField, SourceForm, StorageFields, StorageLinks, draft_from_query,
    storage_label,
};
use crate::components::form_state::{DraftForm, DraftNote, KeptDraft, Problems};
use crate::components::notice::words;
use crate::components::probe_panel::{Probe, ProbeTarget, Verdict};
use crate::components::store_browser::StoreBrowser;
use crate::error::ApiError;
use crate::pages::data_source::AnsweredWithoutScript;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::choice::{ChoiceCards, ChoiceOption, Segmented};
use crate::ui::field::{CheckField, SelectField, TextField, TextKind};
use crate::ui::form::{FormFoot, FormSection, Steps};
use crate::ui::format::bytes;
use crate::ui::icon::Icon;
use crate::ui::pane::PageTitle;
use crate::ui::side::{SideClose, SideOpen, SidePanel};
use crate::ui::states::Load;
use crate::ui::{Note, Tone, toast};
use crate::{routes, tr};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use model::data_source::{AuthKind, BrowseTarget, DataSource, DataSourceDraft, StorageKind};
use model::external_project::{Billing, ExternalProjectDraft, RunIdentity, ServerMode};
use model::names::ProjectName;
use model::notice::Notice;
use model::quota::Quota;
use model::region::Region;
use model::secret::Secret;
use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// What the form offers to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Choices {
    sources: Vec<DataSource>,
    quotas: Vec<Quota>,
    regions: Vec<Region>,
}

async fn choices() -> Result<Choices, ApiError> {
    Ok(Choices { sources: list_data_sources().await?, quotas: quotas().await?, regions: regions().await? })
}

#[component]
pub fn ProjectNewPage() -> impl IntoView {
    let choices = Resource::new(|| (), |()| choices());
    view! {
        <PageTitle title=tr!(project.create)/>
        <Load
            resource=choices
            rows=8
            children=Callback::new(|(choices,): (Choices,)| view! { <CreateForm choices/> }.into_any())
        />
    }
}

/// The wizard's state: the project as typed, and the data source that may be made with it.
#[derive(Clone, Copy)]
pub struct ProjectForm {
    pub fields: DraftForm<ExternalProjectDraft>,
    pub source: SourceForm,
    pub sources: StoredValue<Vec<DataSource>>,
}

impl Deref for ProjectForm {
    type Target = DraftForm<ExternalProjectDraft>;

    fn deref(&self) -> &Self::Target {
        &self.fields
    }
}

impl ProjectForm {
    /// The draft with the data source in it.
    pub fn whole(self) -> ExternalProjectDraft {
        ExternalProjectDraft { source: self.source.draft.get(), ..self.draft.get() }
    }

    /// The stored source that is chosen.
    pub fn chosen(self) -> Option<DataSource> {
        let name = self.draft.with(|draft| (!draft.creates_server()).then(|| draft.server.clone()))?;
        self.sources.with_value(|sources| sources.iter().find(|source| source.name.as_str() == name).cloned())
    }

    /// Which source it is: the name of a stored one, nothing for one that is made with the project.
    fn source_key(self) -> String {
        self.draft.with(|draft| if draft.creates_server() { String::new() } else { draft.server.clone() })
    }

    fn copied(self) -> Copied {
        if self.draft.with(ExternalProjectDraft::creates_server) {
            self.source.draft.with(Copied::of_draft)
        } else {
            self.chosen().as_ref().map(Copied::of_source).unwrap_or_default()
        }
    }

    /// The storage that the Bucket Catalog has to fit.
    pub fn storage(self) -> Option<StorageKind> {
        if self.draft.with(ExternalProjectDraft::creates_server) {
            Some(self.source.storage())
        } else {
            self.chosen().map(|source| source.storage)
        }
    }
}

/// What a project takes over from its data source until something else is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Copied {
    auth: String,
    role_arn: String,
    endpoint: String,
}

impl Copied {
    /// A role goes over with its ARN; any other identity stays the source's.
    fn new(role_arn: Option<String>, endpoint: String) -> Self {
        let identity = if role_arn.is_some() { RunIdentity::RamRole } else { RunIdentity::DataSource };
        Self { auth: identity.id().into(), role_arn: role_arn.unwrap_or_default(), endpoint }
    }

    fn of_source(source: &DataSource) -> Self {
        let role_arn = source.role_arn.as_ref().filter(|_| source.auth == AuthKind::RamRole);
        let endpoint = source.endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned());
        Self::new(role_arn.map(|arn| arn.as_str().to_owned()), endpoint.unwrap_or_default())
    }

    fn of_draft(draft: &DataSourceDraft) -> Self {
        let has_role = draft.auth == AuthKind::RamRole.id();
        let has_endpoint = draft.storage != StorageKind::Local.id();
        let endpoint = if has_endpoint { draft.endpoint.clone() } else { String::new() };
        Self::new(has_role.then(|| draft.role_arn.clone()), endpoint)
    }

    fn put(self, draft: &mut ExternalProjectDraft) {
        (draft.auth, draft.role_arn, draft.endpoint) = (self.auth, self.role_arn, self.endpoint);
    }

    /// Replaces what still is as `before` was.
    fn follow(&self, before: &Self, draft: &mut ExternalProjectDraft) {
        let fields = [
            (&mut draft.auth, &before.auth, &self.auth),
            (&mut draft.role_arn, &before.role_arn, &self.role_arn),
            (&mut draft.endpoint, &before.endpoint, &self.endpoint),
        ];
        for (field, before, now) in fields {
            if field == before {
                field.clone_from(now);
            }
        }
    }
}

#[component]
fn CreateForm(choices: Choices) -> impl IntoView {
    let Choices { sources, quotas, regions } = choices;
    let query = use_query_map();
    let asked = |key: &str| query.with_untracked(|query| query.get(key));
    let mut first = ExternalProjectDraft::default();
    // `?source=…` comes from a source's page; else the only or the first one is taken.
    let asked_source = asked("source");
    let server = asked_source.clone().or_else(|| sources.first().map(|source| source.name.to_string()));
    match server {
        Some(server) if asked("storage").is_none() => first.server = server,
        _ => first.server_mode = ServerMode::CreateForeignServer.id().into(),
    }
    if let Some(quota) = quotas.first() {
        first.quota = quota.name.clone();
    }
    if let Some(region) = crate::page::region(&regions) {
        first.region = region.id.clone();
    }
    let first_source = draft_from_query(asked("storage"), &regions);
    let copied = match sources.iter().find(|source| source.name.as_str() == first.server) {
        Some(source) => Copied::of_source(source),
        None => Copied::of_draft(&first_source),
    };
    copied.put(&mut first);
    let sources = StoredValue::new(sources);
    let draft = RwSignal::new(first.clone());
    let first = StoredValue::new(first);
    let source_draft = RwSignal::new(first_source);
    let found = Signal::derive(move || {
        let whole = ExternalProjectDraft { source: source_draft.get(), ..draft.get() };
        let existing =
            sources.with_value(|all| all.iter().find(|s| s.name.as_str() == whole.server).map(|s| s.storage));
        whole.check(existing).err().map(|problem| problem.fields).unwrap_or_default()
    });
    let problems = Problems::new(found);
    let fields = DraftForm::new(source_draft, problems);
    let source = SourceForm::new(DraftForm { prefix: "source.", argument: "draft[source]", ..fields });
    let form = ProjectForm { fields: DraftForm::new(draft, problems), source, sources };
    let kept = KeptDraft::new("lakedeck.draft.project", draft, |draft| draft);
    let kept_source = KeptDraft::new("lakedeck.draft.project_source", source_draft, |draft| DataSourceDraft {
        access_key_secret: Secret::default(),
        session_token: Secret::default(),
        ..draft
    });
    // After what was kept is back: who comes from a source's page means that source.
    Effect::new(move |_| {
        if let Some(server) = &asked_source {
            let before = untrack(|| form.source_key());
            draft.update(|draft| {
                draft.server_mode = ServerMode::UseExisting.id().into();
                draft.server.clone_from(server);
            });
            if before != *server {
                let copied = untrack(|| form.copied());
                draft.update(|draft| copied.put(draft));
            }
        }
    });
    Effect::new(move |before: Option<(String, Copied)>| {
        let now = (form.source_key(), form.copied());
        match before {
            Some((source, copied)) if source == now.0 && copied != now.1 => {
                draft.update(|draft| now.1.follow(&copied, draft))
            }
            // What was typed for one source means nothing for another.
            Some((source, _)) if source != now.0 => draft.update(|draft| now.1.clone().put(draft)),
            _ => {}
        }
        now
    });
    let discard = move || {
        draft.set(first.get_value());
        source_draft.set(DataSourceDraft::default());
    };
    let warnings = use_warnings(form);
    let is_reviewing = RwSignal::new(false);
    let is_busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let probe = Probe::new(None);
    let navigate = use_navigate();
    let save = Callback::new(move |()| {
        let navigate = navigate.clone();
        is_busy.set(true);
        problem.set(None);
        leptos::task::spawn_local(async move {
            let whole = ExternalProjectDraft { source: source_draft.get_untracked(), ..draft.get_untracked() };
            let name = whole.name.clone();
            match create_project(whole).await {
                Ok(worksheet) => {
                    kept.forget();
                    kept_source.forget();
                    toast(tr!(project.stored, name = name).to_string());
                    navigate(&routes::worksheet(&worksheet.id), Default::default());
                }
                Err(error) => {
                    is_reviewing.set(false);
                    problems.answer(&error.0);
                    problem.set(error.0.fields.is_empty().then_some(error.0.message));
                }
            }
            is_busy.set(false);
        });
    });
    let action = ServerAction::<CreateProject>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        if problems.submit() {
            save.run(());
        }
    };
    let is_dirty =
        Signal::derive(move || kept.saved_at.with(Option::is_some) || kept_source.saved_at.with(Option::is_some));
    let is_hydrated = use_hydrated();
    let step = Signal::derive(move || {
        let first_open = sections(form).iter().position(|is_done| !is_done).unwrap_or(2);
        if is_reviewing.get() { 3 } else { first_open }
    });
    view! {
        <ActionForm action=action attr:class="flex h-full min-h-0 flex-col" attr:novalidate=true on:submit:capture=submit>
            <div class="form-head">
                <h1 class="whitespace-nowrap">{tr!(project.create)}</h1>
                <div class="ml-6 max-xl:hidden">
                    <Steps
                        label=tr!(project.create)
                        steps=vec![tr!(project.settings).to_owned(), tr!(project.server_settings).to_owned(), tr!(project.auth_settings).to_owned(), tr!(project.review).to_owned()]
                        current=step
                    />
                </div>
                <DraftNote kept on_discard=discard/>
                <SideOpen panel=SUMMARY icon="scroll-text" label=tr!(project.summary)/>
            </div>
            <div class="with-side min-h-0 grow" class:hidden=move || is_reviewing.get()>
                <div class="scroll overflow-auto px-6">
                    <StorageLinks base=routes::PROJECT_NEW/>
                    <AnsweredWithoutScript action/>
                    <FormSection title=tr!(project.settings)><ProjectFields form quotas regions/></FormSection>
                    <FormSection title=tr!(project.server_settings)><ServerFields form probe/></FormSection>
                    <FormSection title=tr!(project.auth_settings)><IdentityFields form/></FormSection>
                </div>
                <Summary form probe warnings/>
            </div>
            {move || is_reviewing.get().then(|| view! { <Review form warnings on_edit=Callback::new(move |()| is_reviewing.set(false))/> })}
            {move || problem.get().map(|problem| view! {
                <div class="flex items-start gap-3 px-6 py-2">
                    <p class="hint is-bad whitespace-pre-line" role="alert"><Icon name="circle-x"/><span>{problem}</span></p>
                </div>
            })}
            <FormFoot
                n_problems=problems.count()
                start=move || is_reviewing.get().then(|| view! {
                    <Button on_click=move |()| is_reviewing.set(false)>{tr!(project.back)}</Button>
                    <span class="ml-2 text-sm text-muted">{tr!(project.fixed_note)}</span>
                })
            >
                <CancelLink href=routes::PROJECTS is_dirty/>
                // A screen of the browser alone: without JavaScript it is not offered.
                {move || (is_hydrated.get() && !is_reviewing.get()).then(|| view! {
                    <Button on_click=move |()| is_reviewing.set(problems.submit())>{tr!(project.next_review)}</Button>
                })}
                <Button kind=ButtonKind::Primary submit=true busy=is_busy class="min-w-16">{tr!(project.ok)}</Button>
            </FormFoot>
        </ActionForm>
    }
}

/// Whether scripts run on the page: what a page without them should not show waits for it.
fn use_hydrated() -> RwSignal<bool> {
    let is_hydrated = RwSignal::new(false);
    Effect::new(move |_| is_hydrated.set(true));
    is_hydrated
}

/// Which of the three groups are complete.
fn sections(form: ProjectForm) -> [bool; 3] {
    const PROJECT: [&str; 5] = ["name", "description", "billing", "quota", "engine_catalog"];
    const IDENTITY: [&str; 3] = ["auth", "role_arn", "endpoint"];
    [
        form.problems.is_good(|field| PROJECT.contains(&field)),
        form.problems.is_good(|field| !PROJECT.contains(&field) && !IDENTITY.contains(&field)),
        form.problems.is_good(|field| IDENTITY.contains(&field)),
    ]
}

#[component]
fn ProjectFields(form: ProjectForm, quotas: Vec<Quota>, regions: Vec<Region>) -> impl IntoView {
    let region = form.draft.with_untracked(|draft| draft.region.clone());
    let region_name = regions.iter().find(|known| known.id == region).map_or(region, crate::page::region_name);
    let quotas: Vec<_> = quotas
        .into_iter()
        .map(|quota| {
            let memory = bytes(quota.memory_bytes_max);
            let about = tr!(project.quota_about, name = &quota.name, memory, n = quota.statements_running_max);
            (quota.name.clone(), about.to_string())
        })
        .collect();
    // Asked for on leaving the field, as the rules alone cannot know.
    let is_free = RwSignal::new(None::<bool>);
    let ask = Callback::new(move |()| {
        form.problems.touch("name");
        let name = form.draft.with_untracked(|draft| draft.name.clone());
        is_free.set(None);
        if ProjectName::parse(&name).is_err() {
            return;
        }
        leptos::task::spawn_local(async move {
            if let Ok(free) = project_name_available(name.clone()).await
                && form.draft.with_untracked(|draft| draft.name == name)
            {
                is_free.set(Some(free));
            }
        });
    });
    let rule = form.error("name");
    let name_error = Signal::derive(move || {
        rule.get().or_else(|| (is_free.get() == Some(false)).then(|| tr!(project.name_taken).to_owned()))
    });
    let name_hint = Signal::derive(move || {
        Some(if is_free.get() == Some(true) { tr!(project.name_free) } else { tr!(project.name_hint) }.to_owned())
    });
    let billings = vec![
        ChoiceOption::new(Billing::Subscription.id(), tr!(project.billing_subscription)),
        ChoiceOption::new(Billing::PayAsYouGo.id(), tr!(project.billing_pay_as_you_go)),
    ];
    view! {
        <span class="lab req">{tr!(project.kind)}</span>
        <p class="pt-1">{tr!(project.kind_external)}</p>
        <TextField id="region" label=tr!(project.region) required=true readonly=true value=region_name on_input=Callback::new(|_| {}) name="region_shown".to_owned() error=form.error("region")/>
        <TextField
            id="name"
            name=form.post_name("name")
            label=tr!(project.name)
            required=true
            mono=true
            hint=name_hint
            value=form.get(|draft| &draft.name)
            on_input=Callback::new(move |name| {
                is_free.set(None);
                form.set("name", |draft| &mut draft.name).run(name);
            })
            on_blur=ask
            error=name_error
        />
        <Segmented
            name="draft[billing]"
            label=tr!(project.billing)
            required=true
            options=billings
            value=form.get(|draft| &draft.billing)
            on_change=form.set("billing", |draft| &mut draft.billing)
            error=form.error("billing")
        />
        <SelectField
            id="quota"
            name=form.post_name("quota")
            label=tr!(project.quota)
            required=true
            options=quotas
            value=form.get(|draft| &draft.quota)
            on_change=form.set("quota", |draft| &mut draft.quota)
            error=form.error("quota")
        />
        <TextField
            id="description"
            name=form.post_name("description")
            label=tr!(project.description)
            placeholder=tr!(source.optional).to_owned()
            value=form.get(|draft| &draft.description)
            on_input=form.set("description", |draft| &mut draft.description)
            error=form.error("description")
        />
        <TextField
            id="engine_catalog"
            name=form.post_name("engine_catalog")
            label=tr!(project.engine_catalog)
            mono=true
            placeholder=tr!(source.optional).to_owned()
            hint=tr!(project.engine_catalog_hint).to_owned()
            value=form.get(|draft| &draft.engine_catalog)
            on_input=form.set("engine_catalog", |draft| &mut draft.engine_catalog)
            error=form.error("engine_catalog")
        />
    }
}

#[component]
fn ServerFields(form: ProjectForm, probe: Probe) -> impl IntoView {
    let n_sources = form.sources.with_value(Vec::len);
    let modes = vec![
        ChoiceOption::new(ServerMode::UseExisting.id(), tr!(project.use_existing))
            .detail(tr!(project.use_existing_hint, n = n_sources).to_string()),
        ChoiceOption::new(ServerMode::CreateForeignServer.id(), tr!(project.create_server))
            .detail(tr!(project.create_server_hint)),
    ];
    let creates = Memo::new(move |_| form.draft.with(ExternalProjectDraft::creates_server));
    view! {
        <SelectField
            id="fs_type"
            name=Some("fs_type".to_owned())
            label=tr!(project.fs_type)
            options=vec![("filesystem".to_owned(), tr!(source.kind_filesystem).to_owned())]
            value="filesystem".to_owned()
            on_change=Callback::new(|_| {})
        />
        <ChoiceCards
            name="draft[server_mode]"
            label=tr!(project.server_mode)
            options=modes
            value=form.get(|draft| &draft.server_mode)
            on_change=form.set("server_mode", |draft| &mut draft.server_mode)
            error=form.error("server_mode")
        />
        {move || if creates.get() {
            view! { <NewServer form probe/> }.into_any()
        } else {
            view! { <ExistingServer form/> }.into_any()
        }}
        <span class="lab req">{tr!(project.format)}</span>
        <p class="pt-1">{tr!(project.format_paimon)}</p>
        <BucketCatalog form/>
    }
}

#[component]
fn ExistingServer(form: ProjectForm) -> impl IntoView {
    let options = form.sources.with_value(|sources| {
        let mut options = vec![(String::new(), tr!(project.server_choose).to_owned())];
        options.extend(sources.iter().map(|source| {
            let place = source
                .endpoint
                .as_ref()
                .map_or_else(|| storage_label(source.storage).to_owned(), |e| e.as_str().to_owned());
            (source.name.to_string(), format!("{} · {place}", source.name))
        }));
        options
    });
    view! {
        <SelectField
            id="server"
            name=form.post_name("server")
            label=tr!(project.server)
            required=true
            options=options
            value=form.get(|draft| &draft.server)
            on_change=form.set("server", |draft| &mut draft.server)
            error=form.error("server")
        />
        {move || form.chosen().map(|source| view! {
            <span></span>
            <p class="flex items-center gap-2 text-sm text-muted"><Verdict run=source.last_test.clone()/>{storage_label(source.storage)}</p>
        })}
    }
}

#[component]
fn NewServer(form: ProjectForm, probe: Probe) -> impl IntoView {
    let test = Callback::new(move |()| {
        let mut draft = form.source.draft.get_untracked();
        draft.test_directory = form.draft.with_untracked(|draft| draft.bucket_catalog.clone());
        probe.run(ProbeTarget::Draft(Box::new(draft), None), |_| {});
    });
    view! {
        <NameField form=form.source label=tr!(project.server).to_owned()/>
        <div class="col-span-2 -mx-px rounded-lg border border-line bg-base-200 px-3">
            <div class="form-sec form-sec-in">
                <h3 class="col-span-2 flex items-center gap-2">
                    <Icon name="plug-zap" small=true class="text-muted"/>{tr!(project.new_server)}
                    <span class="ml-auto flex items-center gap-2 font-normal">
                        {move || (probe.is_running.get() || probe.result.with(Option::is_some)).then(|| view! { <Verdict run=probe.result.get()/> })}
                        <Button icon="zap" busy=probe.is_running on_click=test>{tr!(source.test_connection)}</Button>
                    </span>
                </h3>
                <AuthFields form=form.source/>
                <StorageFields form=form.source/>
            </div>
        </div>
    }
}

#[component]
fn BucketCatalog(form: ProjectForm) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let value = form.get(|draft| &draft.bucket_catalog);
    let hint = Signal::derive(move || {
        Some(
            match form.storage() {
                Some(StorageKind::Local) => tr!(project.bucket_catalog_local_hint),
                _ => tr!(project.bucket_catalog_hint),
            }
            .to_owned(),
        )
    });
    let error = form.error("bucket_catalog");
    let code = form.problems.answered_code("bucket_catalog");
    let target = Callback::new(move |()| match untrack(|| form.chosen()) {
        Some(source) => BrowseTarget::Stored(source.name.to_string()),
        None => BrowseTarget::Draft(Box::new(form.source.draft.get_untracked())),
    });
    view! {
        <TextField
            id="bucket_catalog"
            name=form.post_name("bucket_catalog")
            label=tr!(project.bucket_catalog)
            required=true
            mono=true
            hint=hint
            value=value
            on_input=form.set("bucket_catalog", |draft| &mut draft.bucket_catalog)
            error=error
        >
            <BrowseButton is_open/>
        </TextField>
        <StoreBrowser
            id="browse-bucket-catalog"
            open=is_open
            target
            start=value
            on_choose=form.set("bucket_catalog", |draft| &mut draft.bucket_catalog)
        />
        {move || match code.get().as_deref() {
            Some("directory_missing") => view! { <span></span><CreateFolder form target/> }.into_any(),
            Some("not_paimon") => view! { <UseAnyway form/> }.into_any(),
            _ if form.draft.with(|draft| draft.use_anyway) => view! { <UseAnyway form/> }.into_any(),
            _ => view! { <noscript class="contents"><UseAnyway form/></noscript> }.into_any(),
        }}
        <span></span>
        <CheckField
            id="create_default_schema"
            name=form.post_name("create_default_schema")
            label=tr!(project.create_default)
            value=Signal::derive(move || form.draft.with(|draft| draft.create_default_schema))
            on_change=Callback::new(move |on| form.draft.update(|draft| draft.create_default_schema = on))
        />
    }
}

/// The directory is not there: made with one click, through the identity that will use it.
#[component]
fn CreateFolder(form: ProjectForm, target: Callback<(), BrowseTarget>) -> impl IntoView {
    let is_busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let create = move |()| {
        let uri = form.draft.with_untracked(|draft| draft.bucket_catalog.trim().to_owned());
        is_busy.set(true);
        leptos::task::spawn_local(async move {
            match create_folder(target.run(()), uri.clone()).await {
                Ok(()) => {
                    form.problems.touch("bucket_catalog");
                    toast(tr!(project.folder_created, uri = uri).to_string());
                }
                Err(error) => problem.set(Some(error.0.message)),
            }
            is_busy.set(false);
        });
    };
    view! {
        <div>
            <Button icon="plus" busy=is_busy on_click=create>{tr!(project.create_folder)}</Button>
            {move || problem.get().map(|problem| view! {
                <p class="hint is-bad" role="alert"><Icon name="circle-x"/><span>{problem}</span></p>
            })}
        </div>
    }
}

/// The directory holds what is not Paimon's: the user may take it all the same.
#[component]
fn UseAnyway(form: ProjectForm) -> impl IntoView {
    view! {
        <span></span>
        <CheckField
            id="use_anyway"
            name=form.post_name("use_anyway")
            label=tr!(project.use_anyway)
            hint=tr!(project.use_anyway_hint).to_owned()
            value=Signal::derive(move || form.draft.with(|draft| draft.use_anyway))
            on_change=Callback::new(move |on| {
                form.draft.update(|draft| draft.use_anyway = on);
                form.problems.touch("bucket_catalog");
            })
        />
    }
}

/// What the server finds worth knowing of a form that breaks no rule; asked again a moment after the last change.
fn use_warnings(form: ProjectForm) -> RwSignal<Vec<Notice>> {
    let warnings = RwSignal::new(Vec::new());
    let asked = Memo::new(move |_| form.problems.is_good(|_| true).then(|| form.whole()));
    let question = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let asked = asked.get();
        question.update_value(|n| *n += 1);
        let number = question.get_value();
        let Some(draft) = asked else { return warnings.set(Vec::new()) };
        set_timeout(
            move || {
                if question.try_get_value() != Some(number) {
                    return;
                }
                leptos::task::spawn_local(async move {
                    let answer = project_notices(draft).await;
                    if let (Ok(answer), Some(true)) = (answer, question.try_get_value().map(|now| now == number)) {
                        warnings.set(answer);
                    }
                });
            },
            std::time::Duration::from_millis(400),
        );
    });
    warnings
}

/// The warnings as callouts.
#[component]
pub fn Warnings(warnings: RwSignal<Vec<Notice>>) -> impl IntoView {
    view! {
        <div class="mt-4 space-y-2 empty:hidden" role="status">
            {move || warnings.get().iter().map(|notice| view! { <Note tone=Tone::Warning title=words(notice)/> }).collect_view()}
        </div>
    }
}

#[component]
fn IdentityFields(form: ProjectForm) -> impl IntoView {
    let identities = Signal::derive(move || {
        let has_roles = form.storage().is_none_or(|storage| storage == StorageKind::Oss);
        vec![
            ChoiceOption::new(RunIdentity::RamRole.id(), tr!(project.auth_ram_role))
                .detail(tr!(project.auth_ram_role_hint))
                .disabled((!has_roles).then(|| tr!(project.auth_ram_role_oss).to_owned())),
            ChoiceOption::new(RunIdentity::TaskExecutor.id(), tr!(project.auth_task_executor))
                .detail(tr!(project.auth_task_executor_hint)),
            ChoiceOption::new(RunIdentity::DataSource.id(), tr!(project.auth_data_source))
                .detail(tr!(project.auth_data_source_hint)),
        ]
    });
    let needs_role = Memo::new(move |_| form.draft.with(|draft| draft.auth == RunIdentity::RamRole.id()));
    let storages = Signal::derive(move || {
        let family: &[StorageKind] = match form.storage() {
            Some(StorageKind::Oss | StorageKind::OssHdfs) => &[StorageKind::Oss, StorageKind::OssHdfs],
            Some(StorageKind::S3) => &[StorageKind::S3],
            Some(StorageKind::Local) => &[StorageKind::Local],
            None => &[],
        };
        let why = |kind: StorageKind| kind.unavailable().map(|_| tr!(source.storage_oss_hdfs_why));
        family
            .iter()
            .map(|kind| ChoiceOption::new(kind.id(), storage_label(*kind)).disabled(why(*kind)))
            .collect::<Vec<_>>()
    });
    let storage = Signal::derive(move || form.storage().map(|storage| storage.id().to_owned()).unwrap_or_default());
    view! {
        <ChoiceCards
            name="draft[auth]"
            label=tr!(project.auth)
            required=true
            options=identities
            value=form.get(|draft| &draft.auth)
            on_change=form.set("auth", |draft| &mut draft.auth)
            error=form.error("auth")
        />
        {move || needs_role.get().then(|| view! {
            <TextField
                id="role_arn"
                name=form.post_name("role_arn")
                label=tr!(project.role_arn)
                required=true
                mono=true
                hint=tr!(source.role_arn_hint).to_owned()
                value=form.get(|draft| &draft.role_arn)
                on_input=form.set("role_arn", |draft| &mut draft.role_arn)
                error=form.error("role_arn")
            />
        })}
        <Segmented
            name="project_storage"
            label=tr!(project.storage)
            options=storages
            value=storage
            on_change=Callback::new(|_| {})
        />
        <EndpointField form/>
    }
}

/// Where the project reaches the store: as its source does, unless another endpoint is typed.
#[component]
fn EndpointField(form: ProjectForm) -> impl IntoView {
    let copied = Memo::new(move |_| form.copied().endpoint);
    let is_copied = Signal::derive(move || form.draft.with(|draft| copied.with(|copied| draft.endpoint == *copied)));
    let reset = Callback::new(move |()| {
        form.draft.update(|draft| draft.endpoint = copied.get_untracked());
        form.problems.touch("endpoint");
    });
    // Without scripts it would be posted as it was for the source that the form came with.
    let is_hydrated = use_hydrated();
    let is_shown = Memo::new(move |_| is_hydrated.get() && !matches!(form.storage(), None | Some(StorageKind::Local)));
    move || {
        is_shown.get().then(|| {
            view! {
                <TextField
                    id="endpoint"
                    name=form.post_name("endpoint")
                    label=tr!(project.endpoint)
                    required=true
                    mono=true
                    kind=TextKind::Url
                    hint=tr!(project.endpoint_hint).to_owned()
                    value=form.get(|draft| &draft.endpoint)
                    on_input=form.set("endpoint", |draft| &mut draft.endpoint)
                    error=form.error("endpoint")
                    generated=is_copied
                    on_reset=reset
                />
            }
        })
    }
}

/// Id of the panel, for the button that opens it.
const SUMMARY: &str = "summary-panel";

/// The choices so far, and what of the form is in order.
#[component]
fn Summary(form: ProjectForm, probe: Probe, warnings: RwSignal<Vec<Notice>>) -> impl IntoView {
    let creates = move || form.draft.with(ExternalProjectDraft::creates_server);
    let server = move || {
        if creates() { form.source.draft.with(|s| s.name.clone()) } else { form.draft.with(|d| d.server.clone()) }
    };
    let checks = move || {
        let is_good = |field: &'static str| form.problems.is_good(move |found| found == field);
        let server_good =
            if creates() { form.problems.is_good(|field| field.starts_with("source.")) } else { is_good("server") };
        [
            (tr!(project.check_name), is_good("name")),
            (
                tr!(project.check_server),
                server_good && probe.result.with(|run| run.as_ref().is_none_or(|run| run.state.is_connected())),
            ),
            (tr!(project.check_directory), is_good("bucket_catalog")),
            (tr!(project.check_identity), is_good("role_arn") && is_good("endpoint")),
        ]
    };
    view! {
        <SidePanel id=SUMMARY label=tr!(project.summary) class="side-narrow">
            <div class="side-head"><h2 class="grow">{tr!(project.summary)}</h2><SideClose panel=SUMMARY/></div>
            <div class="scroll min-h-0 grow overflow-auto p-4">
            <dl class="kv text-sm">
                <dt>{tr!(project.col_name)}</dt><dd class="mono">{move || or_dash(form.draft.with(|d| d.name.clone()))}</dd>
                <dt>{tr!(project.kind)}</dt><dd>{tr!(project.kind_external)}</dd>
                <dt>{tr!(project.col_quota)}</dt><dd>{move || form.draft.with(|d| d.quota.clone())}</dd>
                <dt>{tr!(project.col_server)}</dt>
                <dd><span class="mono">{move || or_dash(server())}</span>{move || creates().then(|| view! { <span class="chip is-info ml-1">{tr!(source.new)}</span> })}</dd>
                <dt>{tr!(project.bucket_catalog)}</dt><dd class="mono">{move || or_dash(form.draft.with(|d| d.bucket_catalog.clone()))}</dd>
            </dl>
            <h3 class="mt-5">{tr!(project.checks)}</h3>
            <ul class="mt-2 space-y-1.5">
                {move || checks().map(|(label, is_done)| view! {
                    <li class="flex gap-2">
                        <Icon name=if is_done { "circle-check" } else { "circle-dashed" } class=if is_done { "mt-0.5 text-success" } else { "mt-0.5 text-muted" }/>
                        <span class:text-muted=!is_done>{label}</span>
                    </li>
                }).collect_view()}
            </ul>
            <p class="mt-4 text-sm text-muted">{move || tr!(project.sections_done, n = sections(form).into_iter().filter(|is_done| *is_done).count()).to_string()}</p>
            <Warnings warnings/>
            </div>
        </SidePanel>
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}
