//! The fields of an external data source, in the seed's three groups; also used inside the project's form.

use super::form_state::DraftForm;
use super::store_browser::StoreBrowser;
use crate::tr;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::choice::{ChoiceCards, ChoiceOption, Segmented};
use crate::ui::dialog::Dialog;
use crate::ui::field::{CheckField, SecretField, SelectField, TextAreaField, TextField};
use crate::ui::icon::Icon;
use leptos::prelude::*;
use model::data_source::{AuthKind, BrowseTarget, DataSourceDraft, SourceKind, StorageKind};
use model::names::DataSourceName;
use model::region::{self, Region};
use model::secret::Secret;
use std::ops::Deref;

/// The form of a data source: what is typed, and what is stored of it already.
#[derive(Clone, Copy)]
pub struct SourceForm {
    pub fields: DraftForm<DataSourceDraft>,
    /// The name of the stored source, when one is edited.
    pub existing: StoredValue<Option<String>>,
    /// When its secret was typed.
    pub secret_set_at: StoredValue<Option<String>>,
}

impl Deref for SourceForm {
    type Target = DraftForm<DataSourceDraft>;

    fn deref(&self) -> &Self::Target {
        &self.fields
    }
}

impl SourceForm {
    pub fn new(fields: DraftForm<DataSourceDraft>) -> Self {
        Self { fields, existing: StoredValue::new(None), secret_set_at: StoredValue::new(None) }
    }

    pub fn storage(self) -> StorageKind {
        self.draft.with(|draft| StorageKind::parse(&draft.storage)).unwrap_or(StorageKind::Oss)
    }

    fn auth(self) -> AuthKind {
        self.draft.with(|draft| AuthKind::parse(&draft.auth)).unwrap_or(AuthKind::RamRole)
    }

    /// Another storage brings another identity and endpoint, unless what is there fits.
    fn choose_storage(self, id: String) {
        let Some(storage) = StorageKind::parse(&id) else { return };
        self.draft.update(|draft| {
            let before = StorageKind::parse(&draft.storage);
            let was_generated = before.is_some_and(|before| {
                draft.endpoint.is_empty()
                    || region::generated_endpoint(before, &draft.region).as_deref() == Some(&draft.endpoint)
                    || region::public_endpoint(before, &draft.region).as_deref() == Some(&draft.endpoint)
            });
            draft.storage = id;
            draft.path_style = storage == StorageKind::S3;
            let fits = AuthKind::parse(&draft.auth).is_some_and(|auth| storage.auth_kinds().contains(&auth));
            if !fits && let Some(first) = storage.auth_kinds().first() {
                draft.auth = first.id().into();
            }
            match storage {
                StorageKind::Local => draft.region = region::LOCAL.into(),
                StorageKind::S3 if before != Some(StorageKind::S3) => draft.region = "us-east-1".into(),
                StorageKind::Oss | StorageKind::OssHdfs
                    if matches!(before, Some(StorageKind::S3 | StorageKind::Local) | None) =>
                {
                    draft.region = crate::page::current().region.unwrap_or_else(|| region::LOCAL.into());
                }
                StorageKind::Oss | StorageKind::OssHdfs | StorageKind::S3 => {}
            }
            if was_generated {
                draft.endpoint = region::generated_endpoint(storage, &draft.region).unwrap_or_default();
            }
        });
    }

    fn choose_region(self, region: String) {
        self.draft.update(|draft| {
            let storage = StorageKind::parse(&draft.storage).unwrap_or(StorageKind::Oss);
            let was_generated = draft.endpoint.is_empty()
                || region::generated_endpoint(storage, &draft.region).as_deref() == Some(&draft.endpoint);
            draft.region = region;
            if was_generated {
                draft.endpoint = region::generated_endpoint(storage, &draft.region).unwrap_or_default();
            }
        });
        self.problems.touch(&self.field("region"));
    }

    fn generated(self) -> Option<String> {
        let storage = self.storage();
        self.draft.with(|draft| region::generated_endpoint(storage, &draft.region))
    }
}

/// Core settings: type, name, region, description.
#[component]
pub fn CoreFields(form: SourceForm, regions: Vec<Region>) -> impl IntoView {
    let is_edit = form.existing.with_value(Option::is_some);
    let kinds = vec![
        ChoiceOption::new(SourceKind::FilesystemCatalog.id(), tr!(source.kind_filesystem))
            .detail(tr!(source.kind_filesystem_hint)),
    ];
    view! {
        <ChoiceCards
            name=format!("{}[source_kind]", form.argument)
            label=tr!(source.kind)
            required=true
            options=kinds
            value=form.get(|draft| &draft.source_kind)
            on_change=form.set("source_kind", |draft| &mut draft.source_kind)
            error=form.error("source_kind")
        />
        {if is_edit {
            view! {
                <TextField id="name" name=form.post_name("name") label=tr!(source.name) required=true mono=true readonly=true
                    value=form.get(|draft| &draft.name) on_input=Callback::new(|_| {})/>
            }.into_any()
        } else {
            view! { <NameField form/> }.into_any()
        }}
        <RegionField form regions is_edit/>
        <TextField
            id=form.id("description")
            name=form.post_name("description")
            label=tr!(source.description)
            placeholder=tr!(source.optional).to_owned()
            value=form.get(|draft| &draft.description)
            on_input=form.set("description", |draft| &mut draft.description)
            error=form.error("description")
        />
    }
}

/// The name, with a repair where one is near.
#[component]
pub fn NameField(form: SourceForm, #[prop(into, optional)] label: Option<String>) -> impl IntoView {
    let repaired = move || form.draft.with(|draft| repaired_name(&draft.name));
    view! {
        <TextField
            id=form.id("name")
            name=form.post_name("name")
            label=label.unwrap_or_else(|| tr!(source.name).to_owned())
            required=true
            mono=true
            placeholder="external_fs".to_owned()
            hint=tr!(source.name_hint).to_owned()
            value=form.get(|draft| &draft.name)
            on_input=form.set("name", |draft| &mut draft.name)
            error=form.error("name")
        >
            {move || repaired().map(|name| {
                let shown = tr!(source.use_name, name = name.clone()).to_string();
                view! {
                    <button type="button" class="btn btn-ghost block h-6 max-w-56 shrink-0 truncate text-sm text-primary" on:click=move |_| form.draft.update(|draft| draft.name = name.clone())>
                        {shown}
                    </button>
                }
            })}
        </TextField>
    }
}

/// The nearest good name to a bad one: lower case, underscores.
fn repaired_name(name: &str) -> Option<String> {
    if name.trim().is_empty() || DataSourceName::parse(name).is_ok() {
        return None;
    }
    let mut good: String = name
        .trim()
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => c,
            _ => '_',
        })
        .take(128)
        .collect();
    if !good.starts_with(|c: char| c.is_ascii_lowercase()) {
        good = format!("s{good}");
        good.truncate(128);
    }
    DataSourceName::parse(&good).is_ok().then_some(good)
}

#[component]
fn RegionField(form: SourceForm, regions: Vec<Region>, is_edit: bool) -> impl IntoView {
    let options = Signal::derive(move || {
        let storage = form.storage();
        let fits = |region: &&Region| match storage {
            StorageKind::Oss => region.oss || region.id == region::LOCAL,
            StorageKind::OssHdfs => region.oss_hdfs,
            StorageKind::Local => region.id == region::LOCAL,
            StorageKind::S3 => false,
        };
        regions
            .iter()
            .filter(fits)
            .map(|region| (region.id.clone(), crate::page::region_name(region)))
            .collect::<Vec<_>>()
    });
    move || {
        if form.storage() == StorageKind::S3 {
            view! {
                <TextField
                    id=form.id("region")
                    name=form.post_name("region")
                    label=tr!(source.region)
                    required=true
                    mono=true
                    readonly=is_edit
                    value=form.get(|draft| &draft.region)
                    on_input=Callback::new(move |region| form.choose_region(region))
                    error=form.error("region")
                />
            }
            .into_any()
        } else {
            view! {
                <SelectField
                    id=form.id("region")
                    name=form.post_name("region")
                    label=tr!(source.region)
                    required=true
                    disabled=is_edit
                    hint=is_edit.then(|| tr!(source.region_fixed).to_owned())
                    options=options
                    value=form.get(|draft| &draft.region)
                    on_change=Callback::new(move |region| form.choose_region(region))
                    error=form.error("region")
                />
                // A disabled control is not posted.
                {is_edit.then(|| view! { <input type="hidden" name=form.post_name("region") value=form.draft.with_untracked(|d| d.region.clone())/> })}
            }
            .into_any()
        }
    }
}

/// Authentication settings: which identity, and what it needs.
#[component]
pub fn AuthFields(form: SourceForm) -> impl IntoView {
    let options = Signal::derive(move || {
        form.storage()
            .auth_kinds()
            .iter()
            .map(|kind| ChoiceOption::new(kind.id(), auth_label(*kind)))
            .collect::<Vec<_>>()
    });
    let auth = Memo::new(move |_| form.auth());
    let secret_set_at = Signal::derive(move || form.secret_set_at.get_value());
    view! {
        <Segmented
            name=format!("{}[auth]", form.argument)
            label=tr!(source.auth)
            required=true
            options=options
            value=form.get(|draft| &draft.auth)
            on_change=form.set("auth", |draft| &mut draft.auth)
            error=form.error("auth")
        />
        {move || match auth.get() {
            AuthKind::RamRole => view! {
                <TextField
                    id=form.id("role_arn")
                    name=form.post_name("role_arn")
                    label=tr!(source.role_arn)
                    required=true
                    mono=true
                    placeholder="acs:ram::1234:role/aliyunodpsdefaultrole".to_owned()
                    hint=tr!(source.role_arn_hint).to_owned()
                    value=form.get(|draft| &draft.role_arn)
                    on_input=form.set("role_arn", |draft| &mut draft.role_arn)
                    error=form.error("role_arn")
                />
            }.into_any(),
            AuthKind::AccessKey => view! {
                <TextField
                    id=form.id("access_key_id")
                    name=form.post_name("access_key_id")
                    label=tr!(source.access_key_id)
                    required=true
                    mono=true
                    value=form.get(|draft| &draft.access_key_id)
                    on_input=form.set("access_key_id", |draft| &mut draft.access_key_id)
                    error=form.error("access_key_id")
                />
                <SecretField
                    id=form.id("access_key_secret")
                    name=form.post_name("access_key_secret")
                    label=tr!(source.access_key_secret)
                    required=true
                    set_at=secret_set_at
                    value=secret(form, |draft| &draft.access_key_secret)
                    on_input=set_secret(form, "access_key_secret", |draft| &mut draft.access_key_secret)
                    error=form.error("access_key_secret")
                />
                <SecretField
                    id=form.id("session_token")
                    name=form.post_name("session_token")
                    label=tr!(source.session_token)
                    hint=tr!(source.optional).to_owned()
                    value=secret(form, |draft| &draft.session_token)
                    on_input=set_secret(form, "session_token", |draft| &mut draft.session_token)
                    error=form.error("session_token")
                />
            }.into_any(),
            AuthKind::Environment => view! { <span></span><p class="hint m-0">{tr!(source.auth_environment_hint)}</p> }.into_any(),
            AuthKind::None => view! { <span></span><p class="hint m-0">{tr!(source.auth_none_hint)}</p> }.into_any(),
        }}
    }
}

pub fn auth_label(kind: AuthKind) -> &'static str {
    match kind {
        AuthKind::RamRole => tr!(source.auth_ram_role),
        AuthKind::AccessKey => tr!(source.auth_access_key),
        AuthKind::Environment => tr!(source.auth_environment),
        AuthKind::None => tr!(source.auth_none),
    }
}

/// A source's type in a list: the kind of catalog, and what kind of store it lies in.
pub fn type_label(storage: StorageKind) -> String {
    format!("{} · {}", SourceKind::FilesystemCatalog.label(), storage_label(storage))
}

/// Narrows a list to one type; hears of the storage's id, or of nothing for all.
#[component]
pub fn TypeFilter(#[prop(into)] on_change: Callback<String>) -> impl IntoView {
    let kinds = StorageKind::ALL.iter().filter(|kind| kind.unavailable().is_none());
    view! {
        <select class="select w-auto" aria-label=tr!(source.filter_type) on:change:target=move |event| on_change.run(event.target().value())>
            <option value="">{tr!(source.filter_type)}": "{tr!(source.all)}</option>
            {kinds.map(|kind| view! { <option value=kind.id()>{type_label(*kind)}</option> }).collect_view()}
        </select>
    }
}

pub fn storage_label(kind: StorageKind) -> &'static str {
    match kind {
        StorageKind::Oss => tr!(source.storage_oss),
        StorageKind::S3 => tr!(source.storage_s3),
        StorageKind::Local => tr!(source.storage_local),
        StorageKind::OssHdfs => tr!(source.storage_oss_hdfs),
    }
}

fn secret(form: SourceForm, get: fn(&DataSourceDraft) -> &Secret) -> Signal<String> {
    Signal::derive(move || form.draft.with(|draft| get(draft).expose().to_owned()))
}

fn set_secret(form: SourceForm, name: &'static str, set: fn(&mut DataSourceDraft) -> &mut Secret) -> Callback<String> {
    Callback::new(move |value: String| {
        form.draft.update(|draft| *set(draft) = Secret::new(value));
        form.problems.touch(&form.field(name));
    })
}

/// Storage settings: which store, its endpoint, what else steers the access.
#[component]
pub fn StorageFields(
    form: SourceForm,
    /// With the directory that serves the test only.
    #[prop(optional)]
    test_directory: bool,
) -> impl IntoView {
    let is_edit = form.existing.with_value(Option::is_some);
    let storages = Signal::derive(move || {
        let all = StorageKind::ALL.iter();
        all.map(|kind| {
            let why = (*kind == StorageKind::OssHdfs).then(|| tr!(source.storage_oss_hdfs_why));
            ChoiceOption::new(kind.id(), storage_label(*kind)).disabled(why)
        })
        .filter(|option| !is_edit || form.draft.with(|draft| draft.storage == option.value))
        .collect::<Vec<_>>()
    });
    let storage = Memo::new(move |_| form.storage());
    view! {
        <Segmented
            name=format!("{}[storage]", form.argument)
            label=tr!(source.storage)
            options=storages
            value=form.get(|draft| &draft.storage)
            on_change=Callback::new(move |id| form.choose_storage(id))
            error=form.error("storage")
        />
        {move || match storage.get() {
            StorageKind::Local => view! { <span></span><p class="hint m-0">{tr!(source.storage_local_hint)}</p> }.into_any(),
            StorageKind::Oss | StorageKind::OssHdfs | StorageKind::S3 => view! { <EndpointField form/> }.into_any(),
        }}
        {move || (storage.get() == StorageKind::S3).then(|| view! {
            <span></span>
            <CheckField
                id=form.id("path_style")
                name=form.post_name("path_style")
                label=tr!(source.path_style)
                hint=tr!(source.path_style_hint).to_owned()
                value=Signal::derive(move || form.draft.with(|draft| draft.path_style))
                on_change=Callback::new(move |on| form.draft.update(|draft| draft.path_style = on))
            />
        })}
        {test_directory.then(|| view! { <TestDirectory form/> })}
        <TextAreaField
            id=form.id("properties")
            name=form.post_name("properties")
            label=tr!(source.properties)
            mono=true
            rows=2
            hint=Signal::derive(move || Some(properties_hint(storage.get()).to_owned()))
            value=form.get(|draft| &draft.properties)
            on_input=form.set("properties", |draft| &mut draft.properties)
            error=form.error("properties")
        />
    }
}

/// Which properties a store understands; it refuses any other.
fn properties_hint(storage: StorageKind) -> &'static str {
    match storage {
        StorageKind::Oss => tr!(source.properties_hint_oss),
        StorageKind::S3 => tr!(source.properties_hint_s3),
        StorageKind::Local | StorageKind::OssHdfs => tr!(source.properties_hint_none),
    }
}

#[component]
fn EndpointField(form: SourceForm) -> impl IntoView {
    let generated = Signal::derive(move || {
        let generated = form.generated();
        form.draft.with(|draft| !draft.endpoint.is_empty() && generated.as_deref() == Some(draft.endpoint.as_str()))
    });
    // Nothing to go back to where no endpoint follows from the region.
    let on_reset = Callback::new(move |()| {
        let endpoint = untrack(|| form.generated()).unwrap_or_default();
        form.draft.update(|draft| draft.endpoint = endpoint);
    });
    let public = Memo::new(move |_| {
        let storage = form.storage();
        form.draft.with(|draft| region::public_endpoint(storage, &draft.region))
    });
    view! {
        <TextField
            id=form.id("endpoint")
            name=form.post_name("endpoint")
            label=tr!(source.endpoint)
            mono=true
            kind=crate::ui::field::TextKind::Url
            value=form.get(|draft| &draft.endpoint)
            on_input=form.set("endpoint", |draft| &mut draft.endpoint)
            error=form.error("endpoint")
            generated=generated
        >
            {move || (!generated.get() && form.generated().is_some()).then(|| view! {
                <button type="button" class="btn btn-ghost h-6 text-sm" on:click=move |_| on_reset.run(())>{tr!(source.reset)}</button>
            })}
        </TextField>
        {move || public.get().map(|public| {
            let is_public = {
                let public = public.clone();
                Signal::derive(move || form.draft.with(|draft| if draft.endpoint == public { "public" } else { "internal" }.to_owned()))
            };
            view! {
                <Segmented
                    name=form.id("network")
                    label=tr!(source.network)
                    options=vec![ChoiceOption::new("internal", tr!(source.internal)), ChoiceOption::new("public", tr!(source.public))]
                    value=is_public
                    on_change=Callback::new(move |network: String| {
                        let endpoint = if network == "public" { public.clone() } else { untrack(|| form.generated()).unwrap_or_default() };
                        form.draft.update(|draft| draft.endpoint = endpoint);
                    })
                />
            }
        })}
    }
}

#[component]
fn TestDirectory(form: SourceForm) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let value = form.get(|draft| &draft.test_directory);
    view! {
        <TextField
            id=form.id("test_directory")
            name=form.post_name("test_directory")
            label=tr!(source.test_directory)
            mono=true
            hint=tr!(source.test_directory_hint).to_owned()
            value=value
            on_input=form.set("test_directory", |draft| &mut draft.test_directory)
            error=form.error("test_directory")
        >
            <BrowseButton is_open/>
        </TextField>
        <StoreBrowser
            id="browse-test-directory"
            open=is_open
            target=Callback::new(move |()| BrowseTarget::Draft(Box::new(form.draft.get_untracked())))
            start=value
            on_choose=Callback::new(move |uri| form.draft.update(|draft| draft.test_directory = uri))
        />
    }
}

/// The folder icon inside a field.
#[component]
pub fn BrowseButton(is_open: RwSignal<bool>) -> impl IntoView {
    view! {
        <button type="button" class="btn btn-ghost h-6 text-sm" on:click=move |_| is_open.set(true)>
            <Icon name="folder" small=true/>{tr!(source.browse)}
        </button>
    }
}

/// For a browser without JavaScript: the form is rendered for one storage at a time.
#[component]
pub fn StorageLinks(base: &'static str) -> impl IntoView {
    view! {
        <noscript>
            <p class="px-6 pt-3 text-sm text-muted">
                {tr!(source.storage)}": "
                {[StorageKind::Oss, StorageKind::S3, StorageKind::Local].map(|kind| view! {
                    <a class="act mr-3" href=format!("{base}?storage={}", kind.id())>{storage_label(kind)}</a>
                }).collect_view()}
            </p>
        </noscript>
    }
}

/// What the address and the current region say about the first look of the form.
pub fn draft_from_query(storage: Option<String>, regions: &[Region]) -> DataSourceDraft {
    let mut draft = DataSourceDraft::default();
    if let Some(region) = crate::page::region(regions) {
        draft.region = region.id.clone();
        draft.endpoint = region::generated_endpoint(StorageKind::Oss, &region.id).unwrap_or_default();
    }
    if let Some(kind) = storage.as_deref().and_then(StorageKind::parse).filter(|kind| kind.unavailable().is_none()) {
        draft.storage = kind.id().into();
        draft.path_style = kind == StorageKind::S3;
        if let Some(auth) = kind.auth_kinds().first() {
            draft.auth = auth.id().into();
        }
        match kind {
            StorageKind::S3 => draft.region = "us-east-1".into(),
            StorageKind::Local => draft.region = region::LOCAL.into(),
            StorageKind::Oss | StorageKind::OssHdfs => {}
        }
        draft.endpoint = region::generated_endpoint(kind, &draft.region).unwrap_or_default();
    }
    draft
}

/// OK and Cancel at the foot of a form.
#[component]
pub fn OkCancel(
    #[prop(into)] busy: Signal<bool>,
    /// Something was typed: leaving asks first.
    is_dirty: Signal<bool>,
    /// What becomes of it.
    #[prop(default = tr!(source.dirty_text))]
    leave_text: &'static str,
    #[prop(into)] cancel_href: String,
    ok: &'static str,
) -> impl IntoView {
    view! {
        <CancelLink href=cancel_href is_dirty text=leave_text/>
        <Button kind=ButtonKind::Primary submit=true busy=busy class="min-w-16">{ok}</Button>
    }
}

/// Leaves a form; asks first when something was typed.
#[component]
pub fn CancelLink(
    #[prop(into)] href: String,
    is_dirty: Signal<bool>,
    #[prop(default = tr!(source.dirty_text))] text: &'static str,
) -> impl IntoView {
    let is_asking = RwSignal::new(false);
    let leave = StoredValue::new(href.clone());
    view! {
        <a
            class="btn"
            href=href
            on:click=move |event| if is_dirty.get_untracked() {
                event.prevent_default();
                is_asking.set(true);
            }
        >
            {tr!(source.cancel)}
        </a>
        <Dialog id="leave-form" open=is_asking title=tr!(source.dirty_title)>
            <div class="dialog-body"><p class="text-muted">{text}</p></div>
            <div class="dialog-foot">
                <Button on_click=move |()| is_asking.set(false)>{tr!(source.stay)}</Button>
                <a class="btn btn-primary" href=leave.get_value()>{tr!(source.leave)}</a>
            </div>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::repaired_name;

    #[test]
    fn repairs() {
        let check = |name: &str, expected: Option<&str>| assert_eq!(repaired_name(name).as_deref(), expected, "{name}");
        check("External-fs", Some("external_fs"));
        check("1fs", Some("s1fs"));
        check("external_fs", None);
        check("", None);
        check(&"A".repeat(200), Some(&"a".repeat(128)));
    }
}
