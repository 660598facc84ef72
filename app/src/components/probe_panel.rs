//! The connection test: ten rows that fill while it runs, and the verdict in the console's exact words.

use crate::api::data_source::{data_source_details, test_draft, test_stored};
use crate::error::ApiError;
use crate::layout::connection;
use crate::tr;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::chip::{Chip, Tone};
use crate::ui::copy::CopyButton;
use crate::ui::events::{FollowerSlot, StreamEvent, follow};
use crate::ui::icon::Icon;
use crate::ui::side::{SideClose, SidePanel};
use leptos::prelude::*;
use model::Timestamp;
use model::data_source::{DataSource, DataSourceDraft};
use model::names::Id;
use model::probe::{ProbeEvent, ProbeStatus, ProbeStep, ProbeStepKind, TestRun};
use model::problem::Problem;
use std::time::Duration;

/// A test takes 30 s at most; with the time that the page took to come.
const SAVED_TEST_MS_MAX: f64 = 60_000.0;
/// One look each second.
const SAVED_TEST_LOOKS_MAX: u32 = 35;

/// What a test looks at.
#[derive(Clone, Debug)]
pub enum ProbeTarget {
    /// What is typed; secrets left untyped are those of the named stored source.
    Draft(Box<DataSourceDraft>, Option<String>),
    Stored(String, Option<String>),
}

/// A test as far as it got. Copy it into the component that shows it.
#[derive(Clone, Copy)]
pub struct Probe {
    pub steps: RwSignal<Vec<ProbeStep>>,
    pub result: RwSignal<Option<TestRun>>,
    pub is_running: RwSignal<bool>,
    /// Why it could not start.
    pub problem: RwSignal<Option<Problem>>,
    slot: FollowerSlot,
}

impl Probe {
    /// A test that did not run yet; `last` shows an earlier one.
    pub fn new(last: Option<TestRun>) -> Self {
        Self {
            steps: RwSignal::new(last.as_ref().map(|run| run.steps.clone()).unwrap_or_default()),
            result: RwSignal::new(last),
            is_running: RwSignal::new(false),
            problem: RwSignal::new(None),
            slot: FollowerSlot::new(),
        }
    }

    /// Runs a test; `on_done` hears of its end.
    pub fn run(self, target: ProbeTarget, on_done: impl Fn(TestRun) + Clone + 'static) {
        if self.is_running.get_untracked() {
            return;
        }
        let before = (self.steps.get_untracked(), self.result.get_untracked());
        self.is_running.set(true);
        self.problem.set(None);
        self.result.set(None);
        self.steps.set(ProbeStepKind::ALL.into_iter().map(ProbeStep::waiting).collect());
        leptos::task::spawn_local(async move {
            let started: Result<Id, ApiError> = match target {
                ProbeTarget::Draft(draft, existing) => test_draft(*draft, existing).await,
                ProbeTarget::Stored(name, directory) => test_stored(name, directory).await,
            };
            match started {
                Ok(id) => {
                    let follower =
                        follow(&format!("/events/probe/{id}"), move |event| self.hear(event, on_done.clone()));
                    self.slot.set(follower);
                }
                Err(ApiError(problem)) => {
                    // Nothing was learnt: what was known stays.
                    self.is_running.set(false);
                    self.steps.set(before.0);
                    self.result.set(before.1);
                    self.problem.set(Some(problem));
                }
            }
        });
    }

    /// Saving tests what was saved: shows the outcome of that test as soon as it is there.
    pub fn await_saved(self, source: &DataSource) {
        let (name, since) = (source.name.to_string(), source.updated_at);
        if source.last_test.as_ref().is_some_and(|run| run.at >= since) {
            return;
        }
        Effect::new(move |_| {
            // What was stored long ago is not being tested now.
            if js_sys::Date::now() - (since.as_millisecond() as f64) < SAVED_TEST_MS_MAX {
                self.look_for_saved(name.clone(), since, SAVED_TEST_LOOKS_MAX);
            }
        });
    }

    fn look_for_saved(self, name: String, since: Timestamp, looks: u32) {
        let look = move || {
            // Another test says more.
            if self.is_running.try_get_untracked() != Some(false) {
                return;
            }
            leptos::task::spawn_local(async move {
                let Ok(found) = data_source_details(name.clone()).await else { return };
                match found.source.last_test.filter(|run| run.at >= since) {
                    Some(run) => {
                        _ = self.steps.try_set(run.steps.clone());
                        _ = self.result.try_set(Some(run));
                    }
                    None if looks > 1 => self.look_for_saved(name, since, looks - 1),
                    None => {}
                }
            });
        };
        set_timeout(look, Duration::from_secs(1));
    }

    fn hear(self, event: StreamEvent, on_done: impl Fn(TestRun)) {
        match event {
            StreamEvent::Message(text) => match serde_json::from_str::<ProbeEvent>(&text) {
                Ok(ProbeEvent::Step(step)) => {
                    self.steps.update(|steps| match steps.iter_mut().find(|known| known.kind == step.kind) {
                        Some(known) => *known = step,
                        None => steps.push(step),
                    });
                }
                Ok(ProbeEvent::Done(run)) => {
                    self.steps.set(run.steps.clone());
                    self.result.set(Some(run.clone()));
                    self.is_running.set(false);
                    on_done(run);
                }
                Err(_) => {}
            },
            StreamEvent::Done => self.is_running.set(false),
            StreamEvent::Lost => connection::doubt(),
        }
    }
}

/// The verdict in one chip: exactly `Connected` or `Connection failed.`.
#[component]
pub fn Verdict(run: Option<TestRun>) -> impl IntoView {
    match run {
        None => view! { <Chip>{tr!(source.not_tested)}</Chip> }.into_any(),
        Some(run) => {
            let has_warning = run.steps.iter().any(|step| step.status == ProbeStatus::Warning);
            let tone = match (run.state.is_connected(), has_warning) {
                (true, false) => Tone::Ok,
                (true, true) => Tone::Warning,
                (false, _) => Tone::Bad,
            };
            view! { <Chip tone=tone>{run.state.label()}</Chip> }.into_any()
        }
    }
}

/// Id of the panel, for the button that opens it.
pub const PROBE_PANEL: &str = "probe-panel";

/// The panel beside the form.
#[component]
pub fn ProbePanel(
    probe: Probe,
    /// What a test looks at, before the first one ran.
    intro: &'static str,
    /// Starts the test.
    #[prop(into)]
    on_run: Callback<()>,
    /// Below the rows, e.g. the prerequisites.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let has_run = move || probe.is_running.get() || probe.result.with(Option::is_some);
    let total = move || {
        let ms: u64 = probe.steps.with(|steps| steps.iter().filter_map(|step| step.elapsed_ms).sum());
        has_run().then(|| tr!(source.seconds, n = format!("{}.{}", ms / 1000, ms % 1000 / 100)).to_string())
    };
    view! {
        <SidePanel id=PROBE_PANEL label=tr!(source.test_connection)>
            <div class="side-head">
                <h2>{tr!(source.test_connection)}</h2>
                <span class="ml-auto font-mono text-xs text-muted">{total}</span>
                <Button kind=ButtonKind::Default icon="refresh-cw" busy=probe.is_running on_click=on_run>
                    {move || if has_run() { tr!(source.run_again) } else { tr!(source.test_connection) }}
                </Button>
                <SideClose panel=PROBE_PANEL/>
            </div>
            <div class="scroll min-h-0 grow overflow-auto p-4">
                <div class="mb-3 flex flex-wrap items-center gap-2" role="status" aria-live="polite">
                    {move || if probe.is_running.get() {
                        view! { <Chip tone=Tone::Running>{tr!(source.testing)}</Chip> }.into_any()
                    } else if let Some(run) = probe.result.get() {
                        let tally = tally(&run.steps);
                        view! { <Verdict run=Some(run.clone())/><span class="text-muted">{run.note.unwrap_or(tally)}</span> }.into_any()
                    } else {
                        view! { <span class="text-muted">{intro}</span> }.into_any()
                    }}
                </div>
                {move || probe.problem.get().map(|problem| view! {
                    <p class="hint is-bad mb-3" role="alert"><Icon name="circle-x"/><span>{problem.message}</span></p>
                })}
                {move || probe.steps.with(|steps| !steps.is_empty()).then(|| view! {
                    <div class="pane">{probe.steps.get().into_iter().map(|step| view! { <StepRow step/> }).collect_view()}</div>
                })}
                {children.map(|children| children())}
            </div>
        </SidePanel>
    }
}

fn tally(steps: &[ProbeStep]) -> String {
    let count = |status| steps.iter().filter(|step| step.status == status).count();
    tr!(
        source.test_tally,
        ok = count(ProbeStatus::Ok),
        warnings = count(ProbeStatus::Warning),
        failed = count(ProbeStatus::Failed),
        not_run = count(ProbeStatus::NotRun)
    )
    .to_string()
}

fn step_label(kind: ProbeStepKind) -> &'static str {
    match kind {
        ProbeStepKind::ResolveHost => tr!(source.step_resolve_host),
        ProbeStepKind::Connect => tr!(source.step_connect),
        ProbeStepKind::Tls => tr!(source.step_tls),
        ProbeStepKind::Credential => tr!(source.step_credential),
        ProbeStepKind::Bucket => tr!(source.step_bucket),
        ProbeStepKind::List => tr!(source.step_list),
        ProbeStepKind::Shape => tr!(source.step_shape),
        ProbeStepKind::ReadSchema => tr!(source.step_read_schema),
        ProbeStepKind::WriteProbe => tr!(source.step_write_probe),
        ProbeStepKind::Clock => tr!(source.step_clock),
    }
}

/// One step; only a failed one opens.
#[component]
fn StepRow(step: ProbeStep) -> impl IntoView {
    let tone = match step.status {
        ProbeStatus::Waiting | ProbeStatus::NotRun => Tone::Unknown,
        ProbeStatus::Running => Tone::Running,
        ProbeStatus::Ok => Tone::Ok,
        ProbeStatus::Warning => Tone::Warning,
        ProbeStatus::Failed => Tone::Bad,
    };
    let is_failed = step.status == ProbeStatus::Failed;
    let label = step_label(step.kind);
    let icon_class = if tone == Tone::Running { "spin" } else { "" };
    let elapsed = match (step.elapsed_ms, step.status) {
        (Some(ms), _) => tr!(source.ms, n = ms).to_string(),
        (None, ProbeStatus::NotRun) => tr!(source.not_run).to_owned(),
        (None, _) => "–".to_owned(),
    };
    let details = [Some(label.to_owned()), Some(step.message.clone()), step.cure.clone(), step.raw.clone()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n");
    let body = if is_failed {
        view! {
            <b class="font-semibold">{label}</b>
            <p class="mt-0.5">{step.message}</p>
            {step.cure.map(|cure| view! { <p class="text-sm text-muted">{cure}</p> })}
            <div class="mt-1 -ml-1.5"><CopyButton text=details label=tr!(source.copy_details) words=true/></div>
            {step.raw.map(|raw| view! {
                <details class="mt-1 text-sm text-muted">
                    <summary class="cursor-pointer">{tr!(source.raw_error)}</summary>
                    <pre class="sql mt-1 whitespace-pre-wrap break-all">{raw}</pre>
                </details>
            })}
        }
        .into_any()
    } else {
        let message = step.message;
        view! {
            <span class:text-muted=matches!(step.status, ProbeStatus::NotRun | ProbeStatus::Waiting)>{label}</span>
            {(!message.is_empty()).then(|| view! { <small>{message}</small> })}
            {step.cure.map(|cure| view! { <small>{cure}</small> })}
        }
        .into_any()
    };
    view! {
        <div class=format!("probe {} {}", tone.class(), if is_failed { "tint" } else { "" })>
            <Icon name=tone.icon() class=icon_class/>
            <div class="min-w-0">{body}</div>
            <time>{elapsed}</time>
        </div>
    }
}
