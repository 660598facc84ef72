//! Server functions of worksheets, runs and results. A run is followed at `/events/run/<id>`.

use super::Text;
use crate::error::ApiError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use model::names::Id;
use model::worksheet::{Cell, ResultPage, Run, RunSummary, Worksheet, WorksheetSummary};
use serde::{Deserialize, Serialize};

#[server(prefix = "/fn", endpoint = "worksheet/list", output = Text)]
pub async fn list_worksheets() -> Result<Vec<WorksheetSummary>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.list_worksheets(&ctx).await)
}

/// A worksheet with what its page shows beside the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorksheetDetails {
    pub worksheet: Worksheet,
    /// The latest run, unless it is no longer kept.
    pub run: Option<Run>,
}

#[server(prefix = "/fn", endpoint = "worksheet/details", output = Text)]
pub async fn load_worksheet(id: Id) -> Result<WorksheetDetails, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let worksheet = crate::ssr::answer(&ctx, services.worksheet(&ctx, &id).await)?;
    let run = match &worksheet.last_run {
        Some(run) => services.run(&ctx, run).await.ok(),
        None => None,
    };
    Ok(WorksheetDetails { worksheet, run })
}

/// Makes a worksheet and leads to it.
#[server(prefix = "/fn", endpoint = "worksheet/create", output = Text)]
pub async fn create_worksheet(
    project: Option<String>,
    name: Option<String>,
    text: Option<String>,
) -> Result<Worksheet, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (project, name) = (given(project), given(name));
    let text = text.unwrap_or_default();
    let worksheet = services.create_worksheet(&ctx, project.as_deref(), name.as_deref(), &text).await;
    let worksheet = crate::ssr::answer(&ctx, worksheet)?;
    leptos_axum::redirect(&crate::routes::worksheet(&worksheet.id));
    Ok(worksheet)
}

/// Saves the text that grew out of `version`; answers the new version, or a conflict when someone else was faster.
#[server(prefix = "/fn", endpoint = "worksheet/save_text", output = Text, input = Json)]
pub async fn save_worksheet_text(id: Id, text: String, version: i64) -> Result<i64, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.save_worksheet_text(&ctx, &id, &text, version).await)
}

/// The save button of a page without scripts.
#[server(prefix = "/fn", endpoint = "worksheet/save_form", output = Text)]
pub async fn save_worksheet_form(id: Id, sql: String, version: i64) -> Result<(), ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    // Forms send CRLF; the text is kept as the editor would have typed it.
    let text = sql.replace("\r\n", "\n");
    crate::ssr::answer(&ctx, services.save_worksheet_text(&ctx, &id, &text, version).await)?;
    leptos_axum::redirect(&crate::routes::worksheet(&id));
    Ok(())
}

#[server(prefix = "/fn", endpoint = "worksheet/rename", output = Text)]
pub async fn rename_worksheet(id: Id, name: String) -> Result<(), ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.rename_worksheet(&ctx, &id, &name).await)
}

/// Binds the worksheet to another project, with a new session.
#[server(prefix = "/fn", endpoint = "worksheet/set_project", output = Text)]
pub async fn set_worksheet_project(id: Id, project: String) -> Result<Worksheet, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.set_worksheet_project(&ctx, &id, &project).await)
}

/// Forgets what SET and USE changed.
#[server(prefix = "/fn", endpoint = "worksheet/reset_session", output = Text)]
pub async fn reset_session(id: Id) -> Result<Worksheet, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.reset_session(&ctx, &id).await)?;
    crate::ssr::answer(&ctx, services.worksheet(&ctx, &id).await)
}

#[server(prefix = "/fn", endpoint = "worksheet/delete", output = Text)]
pub async fn delete_worksheet(id: Id) -> Result<(), ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.delete_worksheet(&ctx, &id).await)?;
    leptos_axum::redirect(crate::routes::WORKSHEETS);
    Ok(())
}

/// Starts a part of the text, which begins at byte `base_offset`.
#[server(prefix = "/fn", endpoint = "worksheet/run", output = Text, input = Json)]
pub async fn run_worksheet(id: Id, script: String, base_offset: usize) -> Result<Run, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.run_worksheet(&ctx, &id, &script, base_offset).await)
}

/// What a worksheet ran, the latest first.
#[server(prefix = "/fn", endpoint = "worksheet/runs", output = Text)]
pub async fn worksheet_runs(id: Id, count: u32) -> Result<Vec<RunSummary>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.worksheet_runs(&ctx, &id, count).await)
}

#[server(prefix = "/fn", endpoint = "run/details", output = Text)]
pub async fn load_run(id: Id) -> Result<Run, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.run(&ctx, &id).await)
}

#[server(prefix = "/fn", endpoint = "run/cancel", output = Text)]
pub async fn cancel_run(id: Id) -> Result<(), ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.cancel_run(&ctx, &id).await)
}

#[server(prefix = "/fn", endpoint = "run/result_page", output = Text)]
pub async fn load_result_page(run: Id, index: usize, offset: u64, count: u64) -> Result<ResultPage, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.result_page(&ctx, &run, index, offset, count).await)
}

/// One value whole.
#[server(prefix = "/fn", endpoint = "run/cell", output = Text)]
pub async fn load_result_cell(run: Id, index: usize, row: u64, column: usize) -> Result<Cell, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.cell(&ctx, &run, index, row, column).await)
}

/// The beginning of a result in the text form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultText {
    pub text: String,
    /// There is more; all of it is at `/download/run/<id>/<index>.txt`.
    pub is_cut: bool,
}

/// What a page shows of a result's text; a browser with much more in one element becomes slow.
#[cfg(feature = "ssr")]
const RESULT_TEXT_BYTES_MAX: usize = 1 << 20;

#[server(prefix = "/fn", endpoint = "run/result_text", output = Text)]
pub async fn load_result_text(run: Id, index: usize) -> Result<ResultText, ApiError> {
    use futures::TryStreamExt;
    use model::problem::{ErrorCode, Problem};
    let (services, ctx) = crate::ssr::request().await?;
    let mut stream = crate::ssr::answer(&ctx, services.result_text(&ctx, &run, index).await)?;
    let mut bytes = Vec::new();
    let mut is_cut = false;
    loop {
        match stream.try_next().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => {
                let problem = Problem::new(ErrorCode::Unavailable, "The result cannot be read.");
                return crate::ssr::checked(&ctx, Err(problem));
            }
        }
        if bytes.len() > RESULT_TEXT_BYTES_MAX {
            is_cut = true;
            break;
        }
    }
    if is_cut {
        // Whole lines only: half of one would look like data.
        let end =
            bytes[..RESULT_TEXT_BYTES_MAX].iter().rposition(|&b| b == b'\n').map_or(RESULT_TEXT_BYTES_MAX, |at| at + 1);
        bytes.truncate(end);
    }
    Ok(ResultText { text: String::from_utf8_lossy(&bytes).into_owned(), is_cut })
}

/// Keywords, functions and settings of the dialect.
#[server(prefix = "/fn", endpoint = "worksheet/completion_words", output = Text)]
pub async fn completion_words() -> Result<Vec<String>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.completion_words(&ctx).await)
}
