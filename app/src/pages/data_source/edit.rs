//! Edit of an external data source: description, identity, endpoint, properties. Name, type and region are fixed.

use super::create::{AnsweredWithoutScript, found};
use crate::api::data_source::{UpdateDataSource, regions, update_data_source};
use crate::components::data_source_fields::{AuthFields, CoreFields, OkCancel, SourceForm, StorageFields};
use crate::components::form_state::{DraftForm, Problems};
use crate::components::probe_panel::{PROBE_PANEL, Probe, ProbePanel, ProbeTarget};
use crate::components::time;
use crate::ui::form::{FormFoot, FormSection};
use crate::ui::icon::Icon;
use crate::ui::pane::PageTitle;
use crate::ui::side::SideOpen;
use crate::ui::states::Load;
use crate::ui::toast;
use crate::{routes, tr};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::data_source::{DataSource, DraftUse};
use model::region::Region;

#[component]
pub fn EditSource(source: DataSource) -> impl IntoView {
    let regions = Resource::new(|| (), |()| regions());
    let source = StoredValue::new(source);
    view! {
        <Load
            resource=regions
            rows=8
            children=Callback::new(move |(regions,): (Vec<Region>,)| view! { <EditForm regions source=source.get_value()/> }.into_any())
        />
    }
}

#[component]
fn EditForm(regions: Vec<Region>, source: DataSource) -> impl IntoView {
    let start = source.draft();
    let draft = RwSignal::new(start.clone());
    let is_dirty = Signal::derive(move || draft.with(|draft| *draft != start));
    let problems = Problems::new(found(draft, DraftUse::Edit));
    let form = SourceForm::new(DraftForm::new(draft, problems));
    form.existing.set_value(Some(source.name.to_string()));
    form.secret_set_at.set_value(source.secret_set_at.map(time::short));
    let (name, version) = (StoredValue::new(source.name.to_string()), source.version);
    let probe = Probe::new(source.last_test.clone());
    let test = Callback::new(move |()| {
        probe.run(ProbeTarget::Draft(Box::new(draft.get_untracked()), Some(name.get_value())), |_| {});
    });
    let is_busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let navigate = use_navigate();
    let action = ServerAction::<UpdateDataSource>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() || !problems.submit() {
            return;
        }
        let navigate = navigate.clone();
        is_busy.set(true);
        problem.set(None);
        leptos::task::spawn_local(async move {
            match update_data_source(name.get_value(), draft.get_untracked(), version).await {
                Ok(source) => {
                    toast(tr!(source.stored, name = source.name.to_string()).to_string());
                    navigate(&routes::data_source(source.name.as_str()), Default::default());
                }
                Err(error) => {
                    problems.answer(&error.0);
                    problem.set(error.0.fields.is_empty().then_some(error.0.message));
                }
            }
            is_busy.set(false);
        });
    };
    view! {
        <PageTitle title=format!("{} {}", tr!(source.edit_title), name.get_value())/>
        <div class="with-side">
            <div>
                <ActionForm action=action attr:class="flex h-full min-h-0 flex-col" attr:novalidate=true on:submit:capture=submit>
                    <input type="hidden" name="name" value=name.get_value()/>
                    <input type="hidden" name="version" value=version.to_string()/>
                    <div class="form-head">
                        <h1 class="grow">{tr!(source.edit_title)}" "{name.get_value()}</h1>
                        <SideOpen panel=PROBE_PANEL icon="zap" label=tr!(source.test)/>
                    </div>
                    <div class="scroll min-h-0 grow overflow-auto px-6">
                        <AnsweredWithoutScript action/>
                        <FormSection title=tr!(source.core)><CoreFields form regions/></FormSection>
                        <FormSection title=tr!(source.authentication)><AuthFields form/></FormSection>
                        <FormSection title=tr!(source.storage_settings)><StorageFields form test_directory=true/></FormSection>
                    </div>
                    {move || problem.get().map(|problem| view! {
                        <p class="hint is-bad mx-6 mb-2" role="alert"><Icon name="circle-x"/><span>{problem}</span></p>
                    })}
                    <FormFoot n_problems=problems.count()>
                        <OkCancel busy=is_busy is_dirty leave_text=tr!(source.dirty_text_edit) cancel_href=routes::data_source(&name.get_value()) ok=tr!(source.save)/>
                    </FormFoot>
                </ActionForm>
            </div>
            <ProbePanel probe intro=tr!(source.test_intro) on_run=test/>
        </div>
    }
}
