//! What this worksheet ran: looked at again, or put back into the text.

use super::results::seconds;
use super::running::{state_tone, state_word};
use super::sheet::SheetContext;
use crate::api::worksheet::{load_run, worksheet_runs};
use crate::tr;
use crate::ui::{Button, ButtonKind, EmptyState, Icon, Load, toast};
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::names::Id;
use model::worksheet::{Run, RunSummary};

/// Runs that are asked for at first, and with each step further back.
const STEP: u32 = 50;
/// As many as the server lists.
const COUNT_MAX: u32 = 1_000;

#[component]
pub fn History() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let count = RwSignal::new(STEP);
    // Again whenever a run begins or ends.
    let latest =
        Memo::new(move |_| context.running.run.with(|run| run.as_ref().map(|run| (run.id.clone(), run.is_finished))));
    let worksheet = context.worksheet.with_value(|worksheet| worksheet.id.clone());
    let runs = Resource::new(
        move || (latest.get(), count.get()),
        move |(_, count)| {
            let worksheet = worksheet.clone();
            async move { worksheet_runs(worksheet, count).await }
        },
    );
    let list = move |(runs,): (Vec<RunSummary>,)| {
        if runs.is_empty() {
            return view! { <EmptyState icon="clock" title=tr!(worksheet.no_history)/> }.into_any();
        }
        let asked = count.get_untracked();
        let has_more = runs.len() as u64 == u64::from(asked) && asked < COUNT_MAX;
        view! {
            {days(runs).into_iter().map(|(day, runs)| view! {
                <h3 class="run-day">{day}" UTC"</h3>
                <ul>{runs.into_iter().map(|run| view! { <Row run/> }).collect_view()}</ul>
            }).collect_view()}
            {has_more.then(|| view! {
                <Button class="m-2" on_click=move |()| count.update(|count| *count = (*count + STEP).min(COUNT_MAX))>{tr!(worksheet.older_runs)}</Button>
            })}
        }
        .into_any()
    };
    view! {
        <div class="min-h-0 grow overflow-auto pb-2">
            <Load resource=runs title=tr!(worksheet.history_failed) children=Callback::new(list)/>
        </div>
    }
}

/// The runs of each day, in the order that they come in.
fn days(runs: Vec<RunSummary>) -> Vec<(String, Vec<RunSummary>)> {
    let mut days: Vec<(String, Vec<RunSummary>)> = Vec::new();
    for run in runs {
        let day = run.started_at.to_string().chars().take(10).collect::<String>();
        match days.last_mut().filter(|(last, _)| *last == day) {
            Some((_, runs)) => runs.push(run),
            None => days.push((day, vec![run])),
        }
    }
    days
}

#[component]
fn Row(run: RunSummary) -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let id = StoredValue::new(run.id.clone());
    let is_shown = Memo::new(move |_| {
        context.running.run.with(|run| run.as_ref().is_some_and(|run| id.with_value(|id| *id == run.id)))
    });
    let show = move |_: leptos::ev::MouseEvent| {
        context.has_results.set(true);
        if !is_shown.get_untracked() {
            context.running.show(id.get_value());
        }
    };
    let line = first_line(&run.text);
    let count = |word: String| (run.statement_count > 1).then_some(word);
    let short = about(&run, count(format!("×{}", run.statement_count)));
    let long = about(&run, count(tr!(worksheet.statements, n = run.statement_count).to_string()));
    view! {
        <li class="run-row" class:is-on=is_shown>
            <button type="button" title=run.text.clone() aria-current=move || is_shown.get().then_some("true") on:click=show>
                <span class="truncate font-mono text-sm">{line}</span>
                <span class="flex min-w-0 items-center gap-1 text-xs text-muted">
                    <Icon name=state_tone(run.state).icon() small=true class=state_tone(run.state).text_class()/>
                    <span class="truncate" aria-hidden="true">{short}</span><span class="sr-only">{long}</span>
                </span>
            </button>
            <Button kind=ButtonKind::Ghost icon="text-cursor-input" label=tr!(worksheet.put_back) on_click=move |()| put_back(context, id.get_value())/>
        </li>
    }
}

/// `Failed · 14:02:11 · 38 ms · 3 statements`
fn about(run: &RunSummary, statements: Option<String>) -> String {
    let time = run.started_at.to_string().chars().skip(11).take(8).collect();
    let parts = [Some(state_word(run.state).to_owned()), Some(time), run.elapsed_ms.map(seconds), statements];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

/// Puts the statements of a run where the cursor is.
fn put_back(context: SheetContext, id: Id) {
    spawn_local(async move {
        match load_run(id).await {
            Ok(run) => context.editor.insert(&script_of(&run)),
            Err(error) => toast(error.0.message),
        }
    });
}

/// The statements as one would type them.
fn script_of(run: &Run) -> String {
    run.statements.iter().map(|statement| format!("{};\n", statement.text.trim_end_matches(';'))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::worksheet::StatementState;

    fn run(at: &str, text: &str) -> RunSummary {
        RunSummary {
            id: at.into(),
            started_at: at.parse().expect("a moment"),
            elapsed_ms: Some(3_249),
            text: text.into(),
            statement_count: 3,
            state: StatementState::Failed,
        }
    }

    #[test]
    fn runs_stand_under_their_day() {
        let [a, b, c] = ["2026-11-21T00:00:01Z", "2026-11-20T23:59:59Z", "2026-11-20T10:00:00Z"].map(|at| run(at, ""));
        let shown: Vec<_> = days(vec![a, b, c]).into_iter().map(|(day, runs)| (day, runs.len())).collect();
        assert_eq!(shown, [("2026-11-21".to_owned(), 1), ("2026-11-20".to_owned(), 2)]);
    }

    #[test]
    fn a_row_tells_the_beginning_and_the_end() {
        let run = run("2026-11-21T14:02:11.123456Z", "\n  SELECT *\nFROM t");
        assert_eq!(first_line(&run.text), "SELECT *");
        assert_eq!(about(&run, Some("×3".to_owned())), "Failed · 14:02:11 · 3.2 s · ×3");
    }
}
