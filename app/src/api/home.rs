//! The server function of the home page.

use super::Text;
use crate::error::ApiError;
use leptos::prelude::*;
use model::data_source::DataSource;
use model::external_project::ExternalProject;
use model::worksheet::WorksheetSummary;
use serde::{Deserialize, Serialize};

/// What the home page shows, in one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Home {
    /// Latest first.
    pub worksheets: Vec<WorksheetSummary>,
    pub sources: Vec<DataSource>,
    pub projects: Vec<ExternalProject>,
}

#[server(prefix = "/fn", endpoint = "home/load", output = Text)]
pub async fn load_home() -> Result<Home, ApiError> {
    /// More are on the page of worksheets.
    const WORKSHEETS_MAX: usize = 8;
    let (services, ctx) = crate::ssr::request().await?;
    let mut worksheets = crate::ssr::answer(&ctx, services.list_worksheets(&ctx).await)?;
    worksheets.sort_by_key(|worksheet| std::cmp::Reverse(worksheet.updated_at));
    worksheets.truncate(WORKSHEETS_MAX);
    let sources = crate::ssr::answer(&ctx, services.list_data_sources(&ctx).await)?;
    let projects = crate::ssr::answer(&ctx, services.list_projects(&ctx).await)?;
    Ok(Home { worksheets, sources, projects })
}
