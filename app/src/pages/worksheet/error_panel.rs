//! A failed statement: what happened in plain words, the exact line, and the cure as a button.

use super::running::was_skipped;
use super::sheet::SheetContext;
use crate::ui::{Button, ButtonKind, CopyButton, Icon};
use crate::{routes, tr};
use leptos::prelude::*;
use model::script::line_and_column;
use model::worksheet::{Run, StatementError, StatementRun};

#[component]
pub fn ErrorPanel(run: Run, statement: StatementRun, error: StatementError) -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let index = statement.index;
    let title = if error.fix.is_some() { tr!(worksheet.full_scan_title) } else { tr!(worksheet.failed_title) };
    let place = place_of(context, &run, &statement, &error);
    let details = details_of(&run, &statement, &error);
    let has_place = error.span.is_some();
    let show = move |()| {
        if let Some(span) = context.error_span(index) {
            context.editor.select(span);
        }
    };
    let fix = error.fix.clone();
    let suggestion = error.suggestion.clone();
    view! {
        <div class="min-h-0 grow overflow-auto p-4" role="alert">
            <div class="max-w-[56rem]">
                <p class="flex items-center gap-2 text-lg font-semibold"><Icon name="circle-x" class="text-error"/>{title}</p>
                <p class="mt-1 pl-6 text-muted">{place}</p>
                <pre class="sql mt-3 ml-6 rounded-md border border-line bg-base-200 px-3 py-2 text-sm leading-5 break-words whitespace-pre-wrap">
                    "FAILED: "{error.message}
                </pre>
                <div class="mt-4 ml-6 flex flex-wrap items-start gap-2">
                    {fix.map(|fix| view! { <FullScanCure index fix/> })}
                    {suggestion.map(|suggestion| {
                        let label = tr!(worksheet.replace_with, name = suggestion.clone()).to_string();
                        view! {
                            <Button kind=ButtonKind::Primary icon="wrench" on_click=move |()| context.repair(index, &suggestion)>{label}</Button>
                        }
                    })}
                    {has_place.then(|| view! { <Button icon="locate" on_click=show>{tr!(worksheet.show_place)}</Button> })}
                    <CopyButton text=details label=tr!(problem.copy_details) words=true/>
                    <a class="btn btn-ghost" href=routes::HELP_TROUBLESHOOTING><Icon name="circle-question-mark" small=true/>{tr!(frame.help_troubleshooting)}</a>
                </div>
            </div>
        </div>
    }
}

#[component]
fn FullScanCure(index: usize, fix: String) -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let shown = fix.clone();
    view! {
        <div class="pane w-full max-w-md p-3">
            <p class="name">{tr!(worksheet.allow_title)}</p>
            <pre class="sql text-sm leading-5">{shown}</pre>
            <p class="text-sm text-muted">{tr!(worksheet.allow_about)}</p>
            <div class="mt-2.5">
                <Button kind=ButtonKind::Primary icon="wrench" on_click=move |()| context.cure(index, &fix)>{tr!(worksheet.insert_and_run)}</Button>
            </div>
        </div>
    }
}

/// Which statement of how many, where, and what became of the others.
fn place_of(context: SheetContext, run: &Run, statement: &StatementRun, error: &StatementError) -> String {
    let mut parts = Vec::new();
    if run.statements.len() > 1 {
        parts.push(tr!(worksheet.statement_of, index = statement.index + 1, count = run.statements.len()).to_string());
    }
    let start = context.editor.statement_of_run(statement.index).map_or(statement.span.start, |span| span.start);
    let (line, _) = context.editor.text().with_untracked(|text| line_and_column(text, start));
    if error.line > 0 {
        let line = line + error.line - 1;
        parts.push(tr!(worksheet.line_column, line = line, column = error.column).to_string());
    } else {
        parts.push(tr!(worksheet.line, line = line).to_string());
    }
    let not_run = run.statements.iter().filter(|s| was_skipped(run, s)).count();
    if not_run > 0 {
        parts.push(tr!(worksheet.later_not_run, n = not_run).to_string());
    }
    parts.join(" ")
}

/// For the person who is asked for help.
fn details_of(run: &Run, statement: &StatementRun, error: &StatementError) -> String {
    let id = statement.instance_id.as_deref().map(|id| format!("ID = {id}\n")).unwrap_or_default();
    format!("{id}FAILED: {}\n\n{}\n\nproject {}, run {}\n", error.message, statement.text, run.project, run.id)
}
