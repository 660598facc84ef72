//! Results as the command line prints them: `ID = …`, the rows in a frame of dashes, `OK`.

use super::sheet::SheetContext;
use crate::api::worksheet::{ResultText, load_result_text};
use crate::tr;
use crate::ui::icon::Spinner;
use crate::ui::{CopyButton, ProblemView};
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::problem::Problem;
use model::script::line_and_column;
use model::worksheet::{Run, StatementRun, StatementState};
use std::collections::BTreeMap;

/// More statements at once would make a page that nobody reads.
const STATEMENTS_MAX: usize = 100;

/// The body of a statement that has rows; `Err` where it could not be read.
type Body = Result<ResultText, Problem>;

/// The text form of some statements of a run, each beside its line number, which stays outside of what is copied.
#[component]
pub fn TextView(run: Run, indexes: Vec<usize>) -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let more = indexes.len().saturating_sub(STATEMENTS_MAX);
    let statements: Vec<StatementRun> =
        indexes.iter().take(STATEMENTS_MAX).filter_map(|index| run.statements.get(*index).cloned()).collect();
    let bodies = RwSignal::new(BTreeMap::<usize, Body>::new());
    let wanted: Vec<usize> = statements.iter().filter(|s| has_body(s)).map(|s| s.index).collect();
    let id = StoredValue::new(run.id.clone());
    Effect::new(move |_| {
        let wanted = wanted.clone();
        spawn_local(async move {
            for index in wanted {
                let Some(id) = id.try_get_value() else { return };
                let body = load_result_text(id, index).await.map_err(|error| error.0);
                if bodies.try_update(|bodies| _ = bodies.insert(index, body)).is_none() {
                    return;
                }
            }
        });
    });
    let shown = StoredValue::new(statements);
    let all = Signal::derive(move || {
        shown.with_value(|statements| {
            bodies.with(|bodies| statements.iter().map(|s| transcript(s, bodies)).collect::<String>())
        })
    });
    let line = move |statement: &StatementRun| {
        let start = context.editor.statement_of_run(statement.index).map_or(statement.span.start, |span| span.start);
        context.editor.text().with_untracked(|text| line_and_column(text, start).0)
    };
    // One statement needs no number beside it.
    let is_script = shown.with_value(Vec::len) > 1;
    view! {
        <div class="min-h-0 grow overflow-auto" tabindex="0" role="region" aria-label=tr!(worksheet.text_output)>
            <div class=if is_script { "transcript" } else { "p-3" }>
                {shown.get_value().into_iter().map(|statement| {
                    let number = line(&statement);
                    let index = statement.index;
                    let file = id.with_value(|id| format!("/download/run/{id}/{index}.txt"));
                    let is_loading = {
                        let statement = statement.clone();
                        move || has_body(&statement) && bodies.with(|bodies| !bodies.contains_key(&index))
                    };
                    let failed = move || bodies.with(|bodies| bodies.get(&index)?.as_ref().err().cloned());
                    let is_cut = move || bodies.with(|bodies| matches!(bodies.get(&index), Some(Ok(text)) if text.is_cut));
                    view! {
                        {is_script.then(|| view! { <span>{number}</span> })}
                        <div class="min-w-0">
                            <pre class="sql">{move || bodies.with(|bodies| transcript(&statement, bodies))}</pre>
                            {move || is_loading().then(|| view! { <p class="text-muted"><Spinner/>" "{tr!(frame.loading)}</p> })}
                            {move || failed().map(|problem| view! { <ProblemView problem/> })}
                            {move || is_cut().then(|| view! {
                                <p class="mt-2 text-sm text-muted">
                                    {tr!(worksheet.text_cut)}" "
                                    <a class="act" href=file.clone() download="" rel="external">{tr!(worksheet.text_file)}</a>
                                </p>
                            })}
                        </div>
                    }
                }).collect_view()}
            </div>
            {(more > 0).then(|| view! { <p class="px-3 pb-3 text-muted">{tr!(worksheet.more_statements, n = more).to_string()}</p> })}
        </div>
        <div class="flex flex-none justify-end border-t border-line px-2 py-0.5"><CopyButton text=all label=tr!(worksheet.copy_text) words=true/></div>
    }
}

fn has_body(statement: &StatementRun) -> bool {
    statement.state == StatementState::Succeeded && !statement.columns.is_empty()
}

/// What `lakedeck sql` prints for a statement.
fn transcript(statement: &StatementRun, bodies: &BTreeMap<usize, Body>) -> String {
    let mut out = statement.instance_id.as_deref().map(|id| format!("ID = {id}\n")).unwrap_or_default();
    if has_body(statement) {
        let Some(Ok(body)) = bodies.get(&statement.index) else { return out };
        out.push_str(&body.text);
        if body.is_cut {
            return out;
        }
    }
    match (statement.state, &statement.error) {
        (StatementState::Succeeded, _) => out.push_str("OK\n"),
        (_, Some(error)) => out.push_str(&format!("FAILED: {}\n", error.message)),
        _ => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::worksheet::{Progress, ResultColumn, Span};

    fn statement(state: StatementState, columns: &[&str]) -> StatementRun {
        StatementRun {
            index: 0,
            instance_id: Some("20250922083015123gwbh2u7".into()),
            verb: "SHOW SCHEMAS".into(),
            text: "SHOW schemas".into(),
            span: Span::default(),
            state,
            started_at: None,
            progress: Progress::default(),
            columns: columns
                .iter()
                .map(|name| ResultColumn { name: (*name).into(), data_type: "string".into(), is_number: false })
                .collect(),
            row_count: 1,
            truncated: None,
            affected_rows: None,
            snapshot_id: None,
            notices: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn as_the_command_line_prints() {
        let body = ResultText { text: "default\n\n".into(), is_cut: false };
        let bodies = BTreeMap::from([(0, Ok(body))]);
        let text = transcript(&statement(StatementState::Succeeded, &["schema_name"]), &bodies);
        assert_eq!(text, "ID = 20250922083015123gwbh2u7\ndefault\n\nOK\n");
        let text = transcript(&statement(StatementState::Succeeded, &[]), &BTreeMap::new());
        assert_eq!(text, "ID = 20250922083015123gwbh2u7\nOK\n");
        let set = StatementRun { instance_id: None, ..statement(StatementState::Succeeded, &[]) };
        assert_eq!(transcript(&set, &BTreeMap::new()), "OK\n");
    }
}
