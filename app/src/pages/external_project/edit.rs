//! Edit of a project: description, quota, owner, guards. What the warehouse is called and where it lies is fixed.

use crate::api::external_project::{quotas, update_project};
use crate::components::form_state::Problems;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::{CheckField, SelectField, TextField};
use crate::ui::form::{FormFoot, FormSection};
use crate::ui::icon::Icon;
use crate::ui::pane::PageTitle;
use crate::ui::states::Load;
use crate::ui::toast;
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::external_project::{ExternalProject, ExternalProjectEdit, ProjectOptions};
use model::quota::Quota;

#[component]
pub fn EditProject(project: ExternalProject) -> impl IntoView {
    let quotas = Resource::new(|| (), |()| quotas());
    let project = StoredValue::new(project);
    view! {
        <Load
            resource=quotas
            rows=6
            children=Callback::new(move |(quotas,): (Vec<Quota>,)| view! { <EditForm quotas project=project.get_value()/> }.into_any())
        />
    }
}

#[component]
fn EditForm(quotas: Vec<Quota>, project: ExternalProject) -> impl IntoView {
    let name = StoredValue::new(project.name.to_string());
    let edit = RwSignal::new(ExternalProjectEdit {
        description: project.description,
        quota: project.quota,
        owner: project.owner,
        options: project.options,
        version: project.version,
    });
    let problems = Problems::new(Signal::derive(Vec::new));
    let problem = RwSignal::new(None::<String>);
    let is_busy = RwSignal::new(false);
    let navigate = use_navigate();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        let navigate = navigate.clone();
        is_busy.set(true);
        problem.set(None);
        leptos::task::spawn_local(async move {
            match update_project(name.get_value(), edit.get_untracked()).await {
                Ok(project) => {
                    toast(tr!(project.stored, name = project.name.to_string()).to_string());
                    navigate(&routes::project(project.name.as_str()), Default::default());
                }
                Err(error) => {
                    problems.answer(&error.0);
                    problem.set(error.0.fields.is_empty().then_some(error.0.message));
                }
            }
            is_busy.set(false);
        });
    };
    let text =
        move |get: fn(&ExternalProjectEdit) -> &String| Signal::derive(move || edit.with(|edit| get(edit).clone()));
    let option =
        move |id: &'static str, label: &'static str, hint: &'static str, get: fn(&mut ProjectOptions) -> &mut bool| {
            view! {
                <span></span>
                <CheckField
                    id=id
                    label=label
                    hint=hint.to_owned()
                    value=Signal::derive(move || *get(&mut edit.get().options))
                    on_change=Callback::new(move |on| edit.update(|edit| *get(&mut edit.options) = on))
                />
            }
        };
    let quotas: Vec<_> = quotas.into_iter().map(|quota| (quota.name.clone(), quota.name)).collect();
    let title = tr!(project.edit_title, name = name.get_value()).to_string();
    view! {
        <PageTitle title=title.clone()/>
        <form class="flex h-full min-h-0 flex-col" novalidate on:submit=submit>
            <div class="form-head"><h1>{title}</h1></div>
            <div class="scroll min-h-0 grow overflow-auto px-6">
                <FormSection title=tr!(project.settings)>
                    <TextField
                        id="description"
                        label=tr!(project.description)
                        value=text(|edit| &edit.description)
                        on_input=Callback::new(move |value| { problems.touch("description"); edit.update(|edit| edit.description = value) })
                        error=problems.of("description")
                    />
                    <SelectField
                        id="quota"
                        label=tr!(project.quota)
                        required=true
                        options=quotas
                        value=text(|edit| &edit.quota)
                        on_change=Callback::new(move |value| edit.update(|edit| edit.quota = value))
                        error=problems.of("quota")
                    />
                    <TextField
                        id="owner"
                        label=tr!(project.owner)
                        mono=true
                        value=text(|edit| &edit.owner)
                        on_input=Callback::new(move |value| { problems.touch("owner"); edit.update(|edit| edit.owner = value) })
                        error=problems.of("owner")
                    />
                </FormSection>
                <FormSection title=tr!(project.options)>
                    {option("namespace_schema", tr!(project.option_schema), tr!(project.option_schema_hint), |o| &mut o.namespace_schema)}
                    {option("allow_fullscan", tr!(project.option_fullscan), tr!(project.option_fullscan_hint), |o| &mut o.allow_fullscan)}
                    {option("strict_maxcompute", tr!(project.option_strict), tr!(project.option_strict_hint), |o| &mut o.strict_maxcompute)}
                    <TextField
                        id="timezone"
                        label=tr!(project.option_timezone)
                        mono=true
                        placeholder="UTC".to_owned()
                        hint=tr!(project.option_timezone_hint).to_owned()
                        value=text(|edit| &edit.options.timezone)
                        on_input=Callback::new(move |value| { problems.touch("options.timezone"); edit.update(|edit| edit.options.timezone = value) })
                        error=problems.of("options.timezone")
                    />
                </FormSection>
            </div>
            {move || problem.get().map(|problem| view! {
                <p class="hint is-bad mx-6 mb-2" role="alert"><Icon name="circle-x"/><span>{problem}</span></p>
            })}
            <FormFoot n_problems=problems.count()>
                <a class="btn" href=routes::project(&name.get_value())>{tr!(project.cancel)}</a>
                <Button kind=ButtonKind::Primary submit=true busy=is_busy class="min-w-16">{tr!(project.save)}</Button>
            </FormFoot>
        </form>
    }
}
