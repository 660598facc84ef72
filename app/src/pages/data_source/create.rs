//! Create External Data Source: the three groups of the seed, and the test beside them.

use crate::api::data_source::{CreateDataSource, create_data_source, prerequisites, regions};
use crate::components::data_source_fields::{
    AuthFields, CoreFields, OkCancel, SourceForm, StorageFields, StorageLinks, draft_from_query,
};
use crate::components::form_state::{DraftForm, DraftNote, KeptDraft, Problems};
use crate::components::notice::words;
use crate::components::probe_panel::{PROBE_PANEL, Probe, ProbePanel, ProbeTarget};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::Dialog;
use crate::ui::form::{FormFoot, FormSection};
use crate::ui::icon::Icon;
use crate::ui::side::{self, SideOpen};
use crate::ui::states::Load;
use crate::ui::{pane::PageTitle, toast};
use crate::{routes, tr};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use model::data_source::{DataSourceDraft, DraftUse, StorageKind};
use model::probe::Prerequisite;
use model::problem::FieldProblem;
use model::region::Region;
use model::secret::Secret;
use model::warehouse::WarehouseUri;

#[component]
pub fn DataSourceNewPage() -> impl IntoView {
    let regions = Resource::new(|| (), |()| regions());
    view! {
        <PageTitle title=tr!(source.create)/>
        <Load
            resource=regions
            rows=8
            children=Callback::new(|(regions,): (Vec<Region>,)| view! { <CreateForm regions/> }.into_any())
        />
    }
}

/// What the rules say of the draft as it is now.
pub fn found(draft: RwSignal<DataSourceDraft>, draft_use: DraftUse) -> Signal<Vec<FieldProblem>> {
    Signal::derive(move || {
        draft.with(|draft| {
            let mut fields = draft.check(draft_use).err().map(|problem| problem.fields).unwrap_or_default();
            fields.extend(test_directory_problem(draft));
            fields
        })
    })
}

/// The test directory serves the browser alone: the server checks it when a test is asked for.
fn test_directory_problem(draft: &DataSourceDraft) -> Option<FieldProblem> {
    let directory = draft.test_directory.trim();
    let storage = StorageKind::parse(&draft.storage).filter(|_| !directory.is_empty())?;
    let broken = WarehouseUri::parse(storage, directory).err()?;
    Some(FieldProblem { field: "test_directory".into(), code: broken.code.into(), message: broken.message })
}

#[component]
fn CreateForm(regions: Vec<Region>) -> impl IntoView {
    let draft = RwSignal::new(draft_from_query(use_query_map().with_untracked(|query| query.get("storage")), &regions));
    let problems = Problems::new(found(draft, DraftUse::Create));
    let form = SourceForm::new(DraftForm::new(draft, problems));
    let kept = KeptDraft::new("lakedeck.draft.data_source", draft, |draft| DataSourceDraft {
        access_key_secret: Secret::default(),
        session_token: Secret::default(),
        ..draft
    });
    let probe = Probe::new(None);
    // What was tested last: a green test of other values does not count.
    let tested = RwSignal::new(None::<DataSourceDraft>);
    let is_proven = move || {
        probe.result.with_untracked(|run| run.as_ref().is_some_and(|run| run.state.is_connected()))
            && tested.with_untracked(|tested| {
                draft.with_untracked(|draft| tested.as_ref().is_some_and(|tested| same_connection(tested, draft)))
            })
    };
    let test = Callback::new(move |()| {
        let now = draft.get_untracked();
        tested.set(Some(now.clone()));
        side::show(PROBE_PANEL);
        probe.run(ProbeTarget::Draft(Box::new(now), None), |_| {});
    });
    let is_asking = RwSignal::new(false);
    let is_busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let navigate = use_navigate();
    let save = Callback::new(move |()| {
        let navigate = navigate.clone();
        is_asking.set(false);
        is_busy.set(true);
        problem.set(None);
        leptos::task::spawn_local(async move {
            match create_data_source(draft.get_untracked()).await {
                Ok(source) => {
                    kept.forget();
                    toast(tr!(source.stored, name = source.name.to_string()).to_string());
                    navigate(&routes::data_sources_with_new(source.name.as_str()), Default::default());
                }
                Err(error) => {
                    problems.answer(&error.0);
                    // A sentence that stands under its field is not said twice.
                    problem.set(error.0.fields.is_empty().then_some(error.0.message));
                }
            }
            is_busy.set(false);
        });
    });
    let is_dirty = Signal::derive(move || kept.saved_at.with(Option::is_some));
    let action = ServerAction::<CreateDataSource>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() || !problems.submit() {
            return;
        }
        if is_proven() {
            save.run(());
        } else {
            is_asking.set(true);
        }
    };
    view! {
        <div class="with-side">
            <div>
                <ActionForm action=action attr:class="flex h-full min-h-0 flex-col" attr:novalidate=true on:submit:capture=submit>
                    <div class="form-head">
                        <h1>{tr!(source.create)}</h1>
                        <DraftNote kept without_secrets=true on_discard=move || draft.set(DataSourceDraft::default())/>
                        <SideOpen panel=PROBE_PANEL icon="zap" label=tr!(source.test)/>
                    </div>
                    <div class="scroll min-h-0 grow overflow-auto px-6">
                        <StorageLinks base=routes::DATA_SOURCE_NEW/>
                        <AnsweredWithoutScript action/>
                        <FormSection title=tr!(source.core)><CoreFields form regions/></FormSection>
                        <FormSection title=tr!(source.authentication)><AuthFields form/></FormSection>
                        <FormSection title=tr!(source.storage_settings)><StorageFields form test_directory=true/></FormSection>
                    </div>
                    {move || problem.get().map(|problem| view! {
                        <p class="hint is-bad mx-6 mb-2" role="alert"><Icon name="circle-x"/><span>{problem}</span></p>
                    })}
                    <FormFoot n_problems=problems.count()>
                        <OkCancel busy=is_busy is_dirty cancel_href=routes::DATA_SOURCES ok=tr!(source.ok)/>
                    </FormFoot>
                </ActionForm>
            </div>
            <ProbePanel probe intro=tr!(source.test_intro) on_run=test>
                <PrerequisiteList draft/>
                <p class="mt-4 text-sm text-muted">{tr!(source.save_note)}</p>
            </ProbePanel>
        </div>
        <Dialog id="untested" open=is_asking title=tr!(source.untested_title)>
            <div class="dialog-body"><p class="text-muted">{tr!(source.untested_text)}</p></div>
            <div class="dialog-foot">
                <Button on_click=move |()| is_asking.set(false)>{tr!(source.cancel)}</Button>
                <Button on_click=move |()| { is_asking.set(false); test.run(()); }>{tr!(source.test_connection)}</Button>
                <Button kind=ButtonKind::Primary on_click=save>{tr!(source.save_anyway)}</Button>
            </div>
        </Dialog>
    }
}

/// Whether a test of the one says something about the other: everything but name, description and test directory.
fn same_connection(a: &DataSourceDraft, b: &DataSourceDraft) -> bool {
    connection_of(a) == connection_of(b)
}

fn connection_of(draft: &DataSourceDraft) -> DataSourceDraft {
    let empty = String::new;
    DataSourceDraft { name: empty(), description: empty(), test_directory: empty(), ..draft.clone() }
}

/// What a form that was posted without JavaScript was answered.
#[component]
pub fn AnsweredWithoutScript<S>(action: ServerAction<S>) -> impl IntoView
where
    S: leptos::server_fn::ServerFn<Error = crate::error::ApiError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    move || {
        action.value().with(|answer| answer.as_ref().and_then(|answer| answer.as_ref().err().cloned())).map(|error| {
            let lines: Vec<_> =
                error.0.fields.iter().map(|field| format!("{}: {}", field.field, field.message)).collect();
            let lines = if lines.is_empty() { vec![error.0.message] } else { lines };
            view! {
                <div class="note is-bad mt-3" role="alert">
                    <Icon name="circle-x"/>
                    <ul>{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
                </div>
            }
        })
    }
}

/// Which prerequisite an item is.
fn prerequisite_label(key: &str) -> &'static str {
    match key {
        "bucket" => tr!(source.prerequisite_bucket),
        "role" => tr!(source.prerequisite_identity),
        "quota" => tr!(source.prerequisite_quota),
        _ => tr!(source.prerequisite_sample),
    }
}

/// What must be in place before the walkthrough works, with live ticks (S5).
#[component]
fn PrerequisiteList(draft: RwSignal<DataSourceDraft>) -> impl IntoView {
    let list = RwSignal::new(Vec::<Prerequisite>::new());
    // Only what the ticks depend on, so that typing a name asks nothing.
    let asked = Memo::new(move |_| (draft.with(connection_of), draft.with(|draft| draft.test_directory.clone())));
    let question = StoredValue::new(0_u32);
    Effect::new(move |_| {
        // Read, not only tracked: a memo that nobody read follows nothing.
        asked.with(|_| ());
        let number = question
            .try_update_value(|n| {
                *n += 1;
                *n
            })
            .unwrap_or_default();
        set_timeout(
            move || {
                if question.try_get_value() != Some(number) {
                    return;
                }
                leptos::task::spawn_local(async move {
                    let answer = prerequisites(draft.get_untracked()).await;
                    if let (Ok(answer), Some(true)) = (answer, question.try_get_value().map(|now| now == number)) {
                        list.set(answer);
                    }
                });
            },
            std::time::Duration::from_millis(400),
        );
    });
    move || {
        (!list.with(Vec::is_empty)).then(|| view! {
            <section class="mt-4">
                <h3>{tr!(source.prerequisites)}</h3>
                <ul class="mt-2 space-y-1.5">
                    {list.get().into_iter().map(|item| view! {
                        <li class="flex gap-2">
                            <Icon name=if item.done { "circle-check" } else { "circle-dashed" } class=if item.done { "mt-0.5 text-success" } else { "mt-0.5 text-muted" }/>
                            <span class="min-w-0">
                                {prerequisite_label(&item.key)}
                                <span class="block text-sm text-muted">{words(&item.notice)}</span>
                            </span>
                        </li>
                    }).collect_view()}
                </ul>
            </section>
        })
    }
}
