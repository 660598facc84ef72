//! The run that a worksheet shows: started here or before the page was opened, followed live.

use crate::api::worksheet::{cancel_run, load_run, run_worksheet};
use crate::error::ApiError;
use crate::layout::connection;
use crate::tr;
use crate::ui::Tone;
use crate::ui::code_editor::{Editor, ErrorMark, ProgressMark, StartedMark, Units};
use crate::ui::events::{FollowerSlot, StreamEvent, follow};
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::names::Id;
use model::problem::Problem;
use model::worksheet::{Run, Span, StatementRun, StatementState};

/// The run and what is under way for it.
#[derive(Clone, Copy)]
pub struct Running {
    pub run: RwSignal<Option<Run>>,
    /// Why a run could not be started or stopped.
    pub problem: RwSignal<Option<Problem>>,
    /// Asked for, not answered yet.
    pub is_starting: RwSignal<bool>,
    pub is_cancelling: RwSignal<bool>,
    id: StoredValue<Id>,
    editor: Editor,
}

impl Running {
    pub fn new(worksheet: &Id, run: Option<Run>, editor: Editor) -> Self {
        let running = Self {
            run: RwSignal::new(run),
            problem: RwSignal::new(None),
            is_starting: RwSignal::new(false),
            is_cancelling: RwSignal::new(false),
            id: StoredValue::new(worksheet.clone()),
            editor,
        };
        running.mark();
        running.follow();
        running
    }

    /// Whether a statement runs or is about to.
    pub fn is_busy(self) -> bool {
        self.is_starting.get() || self.run.with(|run| run.as_ref().is_some_and(|run| !run.is_finished))
    }

    pub fn is_busy_untracked(self) -> bool {
        untrack(move || self.is_busy())
    }

    /// Runs a part of the text.
    pub fn start(self, span: Span) {
        let script = self.editor.text().with_untracked(|text| text.get(span.start..span.end).map(str::to_owned));
        if let Some(script) = script {
            self.start_script(script, span.start);
        }
    }

    /// Runs a script that stands at `base_offset`, or nowhere in the text.
    pub fn start_script(self, script: String, base_offset: usize) {
        if self.is_busy_untracked() {
            crate::ui::toast(tr!(worksheet.still_running));
            return;
        }
        self.is_starting.set(true);
        self.problem.set(None);
        let id = self.id.get_value();
        spawn_local(async move {
            let started = run_worksheet(id, script, base_offset).await;
            self.is_starting.try_set(false);
            match started {
                Ok(run) => _ = self.run.try_set(Some(run)),
                Err(error) => _ = self.problem.try_set(Some(error.0)),
            }
        });
    }

    /// Asks the running statement to stop.
    pub fn cancel(self) {
        let id = self.run.with_untracked(|run| run.as_ref().filter(|run| !run.is_finished).map(|run| run.id.clone()));
        let Some(id) = id else { return };
        if self.is_cancelling.get_untracked() {
            return;
        }
        self.is_cancelling.set(true);
        spawn_local(async move {
            let answer: Result<(), ApiError> = cancel_run(id).await;
            self.is_cancelling.try_set(false);
            if let Err(error) = answer {
                self.problem.try_set(Some(error.0));
            }
        });
    }

    /// Shows a run of the history.
    pub fn show(self, id: Id) {
        if self.is_busy_untracked() {
            crate::ui::toast(tr!(worksheet.still_running));
            return;
        }
        spawn_local(async move {
            let found = load_run(id).await;
            // Started meanwhile: that is what one wants to see.
            if self.is_starting.try_get_untracked() != Some(false) || self.is_busy_untracked() {
                return;
            }
            match found {
                Ok(run) => {
                    self.problem.set(None);
                    self.run.set(Some(run));
                }
                Err(error) => self.problem.set(Some(error.0)),
            }
        });
    }

    fn receive(self, run: Run) {
        // An answer of a run that was replaced meanwhile.
        let is_shown = self.run.try_with_untracked(|shown| shown.as_ref().is_some_and(|shown| shown.id == run.id));
        if is_shown == Some(true) {
            self.run.set(Some(run));
        }
    }

    /// The truth about a run whose stream ended early, e.g. because the server was started again.
    fn look(self, id: Id) {
        spawn_local(async move {
            if let Ok(run) = load_run(id).await {
                self.receive(run);
            }
        });
    }

    /// Marks the statements in the editor.
    fn mark(self) {
        let id = Memo::new(move |_| self.run.with(|run| run.as_ref().map(|run| run.id.clone())));
        Effect::new(move |_| {
            if !self.editor.is_ready().get() || id.get().is_none() {
                return;
            }
            let started = self.run.with_untracked(|run| run.as_ref().map(started_marks).unwrap_or_default());
            self.editor.begin_run(&started);
        });
        Effect::new(move |_| {
            // In this order: a new run is begun before its progress is shown.
            if !self.editor.is_ready().get() || id.get().is_none() {
                return;
            }
            let progress = self.run.with(|run| run.as_ref().map(progress_marks).unwrap_or_default());
            self.editor.show_progress(&progress);
        });
    }

    /// Listens to `/events/run/<id>` while the run is not finished.
    fn follow(self) {
        let slot = FollowerSlot::new();
        let open = Memo::new(move |_| {
            self.run.with(|run| run.as_ref().filter(|run| !run.is_finished).map(|run| run.id.clone()))
        });
        Effect::new(move |_| {
            let follower = open
                .get()
                .and_then(|id| follow(&format!("/events/run/{id}"), move |event| self.hear(id.clone(), event)));
            slot.set(follower);
        });
    }

    fn hear(self, id: Id, event: StreamEvent) {
        match event {
            StreamEvent::Message(json) => {
                if let Ok(run) = serde_json::from_str(&json) {
                    self.receive(run);
                }
            }
            StreamEvent::Done => self.look(id),
            StreamEvent::Lost => connection::doubt(),
        }
    }
}

fn started_marks(run: &Run) -> Vec<StartedMark> {
    run.statements.iter().map(|statement| StartedMark { span: statement.span, text: statement.text.clone() }).collect()
}

fn progress_marks(run: &Run) -> Vec<ProgressMark> {
    let mark = |statement: &StatementRun| {
        let error = statement.error.as_ref().map(|error| ErrorMark {
            at: error.span.and_then(|span| in_statement(statement, span)),
            message: error.message.clone(),
            suggestion: error.suggestion.clone(),
            replace: error
                .suggestion
                .as_ref()
                .map(|name| tr!(worksheet.replace_with, name = name).to_string())
                .unwrap_or_default(),
        });
        let state = if was_skipped(run, statement) { "skipped" } else { state_id(statement.state) };
        ProgressMark { state, label: state_label(run, statement).to_owned(), error }
    };
    run.statements.iter().map(mark).collect()
}

/// A range of the script as a range of the statement, if it lies there.
fn in_statement(statement: &StatementRun, span: Span) -> Option<Units> {
    let start = span.start.checked_sub(statement.span.start)?;
    let end = span.end.checked_sub(statement.span.start)?;
    Some(Units::of(&statement.text, Span { start, end }))
}

fn state_id(state: StatementState) -> &'static str {
    match state {
        StatementState::Waiting => "waiting",
        StatementState::Running => "running",
        StatementState::Succeeded => "succeeded",
        StatementState::Failed => "failed",
        StatementState::Cancelled => "cancelled",
        StatementState::Unknown => "unknown",
    }
}

/// Whether the run ended before this statement began.
pub fn was_skipped(run: &Run, statement: &StatementRun) -> bool {
    run.is_finished
        && statement.started_at.is_none()
        && matches!(statement.state, StatementState::Waiting | StatementState::Cancelled)
}

/// The state in a word.
pub fn state_label(run: &Run, statement: &StatementRun) -> &'static str {
    if was_skipped(run, statement) {
        return tr!(worksheet.not_run);
    }
    state_word(statement.state)
}

pub fn state_word(state: StatementState) -> &'static str {
    match state {
        StatementState::Waiting => tr!(worksheet.waiting),
        StatementState::Running => tr!(worksheet.running),
        StatementState::Succeeded => tr!(worksheet.succeeded),
        StatementState::Failed => tr!(worksheet.failed),
        StatementState::Cancelled => tr!(worksheet.cancelled),
        StatementState::Unknown => tr!(worksheet.unknown),
    }
}

/// The look that goes with the word.
pub fn state_tone(state: StatementState) -> Tone {
    match state {
        StatementState::Waiting | StatementState::Cancelled => Tone::Unknown,
        StatementState::Running => Tone::Running,
        StatementState::Succeeded => Tone::Ok,
        StatementState::Failed => Tone::Bad,
        StatementState::Unknown => Tone::Warning,
    }
}
