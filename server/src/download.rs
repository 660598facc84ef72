//! Whole results as files.

use crate::problem::Failure;
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use model::problem::{ErrorCode, Problem};
use ports::sql_engine::ExportFormat;
use service::{RequestContext, Services};

/// In which form a result is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Table(ExportFormat),
    /// As the seeds print it.
    Text,
}

impl FileKind {
    pub fn parse(extension: &str) -> Option<Self> {
        match extension {
            "csv" => Some(Self::Table(ExportFormat::Csv)),
            "json" => Some(Self::Table(ExportFormat::Json)),
            "arrow" => Some(Self::Table(ExportFormat::Arrow)),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Table(ExportFormat::Csv) => "text/csv; charset=utf-8",
            Self::Table(ExportFormat::Json) => "application/json",
            Self::Table(ExportFormat::Arrow) => "application/vnd.apache.arrow.file",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

pub fn routes() -> Router<Services> {
    Router::new().route("/download/run/{id}/{file}", get(download))
}

async fn download(
    State(services): State<Services>,
    Extension(ctx): Extension<RequestContext>,
    Path((run, file)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (index, kind) = file
        .split_once('.')
        .and_then(|(index, extension)| Some((index.parse().ok()?, FileKind::parse(extension)?)))
        .ok_or_else(|| Problem::new(ErrorCode::NotFound, format!("There is no result file `{file}`.")))?;
    let mut response = result(&services, &ctx, &run, index, kind).await?;
    let name = format!("attachment; filename=\"result-{}-{file}\"", run.chars().take(8).collect::<String>());
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The stream of one statement's result.
pub async fn result(
    services: &Services,
    ctx: &RequestContext,
    run: &str,
    index: usize,
    kind: FileKind,
) -> Result<Response, Failure> {
    let run = run.to_owned();
    let stream: BoxStream<'static, std::io::Result<Bytes>> = match kind {
        FileKind::Table(format) => services.export(ctx, &run, index, format).await?,
        FileKind::Text => services.result_text(ctx, &run, index).await?,
    };
    // Fused: the compression layer polls once more after the end.
    let mut response = Response::new(Body::from_stream(stream.fuse()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    // A proxy must not hold a long result back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}
