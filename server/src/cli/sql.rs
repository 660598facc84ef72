//! `lakedeck sql`: the connection tool.

use super::{Client, Local, standard_input};
use crate::config::{SqlFormat, SqlOptions};
use anyhow::{Context, bail};
use futures::StreamExt;
use model::worksheet::{Run, StatementRun, StatementState};
use std::io::{BufWriter, Stdout, Write};
use std::process::ExitCode;
use url::form_urlencoded::byte_serialize;

/// Runs the script; success only if every statement succeeded.
pub async fn sql(options: SqlOptions) -> anyhow::Result<ExitCode> {
    let script = script(&options)?;
    check_size(&script)?;
    // Blanks, comments and semicolons: all of nothing succeeded.
    if model::script::statements(&script).is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    match &options.server {
        Some(server) => {
            let client = Client::sign_in(server, &options.user).await?;
            let outcome = run(&client, &options, &script).await;
            client.close().await;
            outcome
        }
        None => {
            let local = Local::connect(&options.data).await?;
            let outcome = run(&local.client, &options, &script).await;
            local.close().await;
            outcome
        }
    }
}

fn script(options: &SqlOptions) -> anyhow::Result<String> {
    match (&options.execute, &options.file) {
        (Some(sql), _) => Ok(sql.clone()),
        (None, Some(file)) => std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display())),
        (None, None) => standard_input(),
    }
}

/// Refuses a script that every server would refuse, before it is sent.
fn check_size(script: &str) -> anyhow::Result<()> {
    let bytes_max = service::Limits::default().script_bytes_max;
    if script.len() > bytes_max {
        let (megabytes, max) = (script.len() as f64 / f64::from(1 << 20), bytes_max >> 20);
        bail!("the script has {megabytes:.1} MB, and a script has at most {max} MB: run it in parts");
    }
    Ok(())
}

/// Starts the script and prints what each statement gives as soon as it ended.
async fn run(client: &Client, options: &SqlOptions, script: &str) -> anyhow::Result<ExitCode> {
    let project: String = byte_serialize(options.project.as_bytes()).collect();
    let body = serde_json::json!({ "sql": script });
    let mut run: Run = client.post(&format!("/api/v1/projects/{project}/statements"), &body).await?;
    let mut printer = Printer { client, format: options.format, out: BufWriter::new(std::io::stdout()), n_results: 0 };
    let mut n_printed = 0;
    let mut interrupted = false;
    loop {
        while let Some(statement) = run.statements.get(n_printed).filter(|statement| has_ended(statement, &run)) {
            if !was_skipped(statement) {
                printer.statement(&run.id, statement).await?;
            }
            n_printed += 1;
        }
        printer.out.flush()?;
        if run.is_finished {
            break;
        }
        let path = format!("/api/v1/runs/{}?wait=20&ended={n_printed}", run.id);
        tokio::select! {
            now = client.get(&path) => run = now?,
            _ = tokio::signal::ctrl_c() => {
                if interrupted {
                    bail!("interrupted; the statement may still run");
                }
                interrupted = true;
                client.command(&format!("/api/v1/runs/{}/cancel", run.id), &()).await?;
            }
        }
    }
    let succeeded = run.statements.iter().all(|statement| statement.state == StatementState::Succeeded);
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nothing more will come of the statement; what the run could not find out stays unknown.
fn has_ended(statement: &StatementRun, run: &Run) -> bool {
    statement.state.is_final() || (run.is_finished && statement.state == StatementState::Unknown)
}

/// Statements behind the one at which a script stopped have nothing to say.
fn was_skipped(statement: &StatementRun) -> bool {
    statement.state == StatementState::Cancelled && statement.started_at.is_none() && statement.error.is_none()
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes results to standard output in one form; what is no result goes to standard error.
struct Printer<'a> {
    client: &'a Client,
    format: SqlFormat,
    out: BufWriter<Stdout>,
    n_results: usize,
}

impl Printer<'_> {
    async fn statement(&mut self, run: &str, statement: &StatementRun) -> anyhow::Result<()> {
        for notice in statement.notices.iter().chain(&statement.truncated) {
            eprintln!("{notice}");
        }
        match self.format {
            SqlFormat::Text => self.text(run, statement).await,
            format => self.rows(run, statement, format).await,
        }
    }

    /// The form of the seeds: `ID = …`, the result, `OK`.
    async fn text(&mut self, run: &str, statement: &StatementRun) -> anyhow::Result<()> {
        if let Some(id) = &statement.instance_id {
            writeln!(self.out, "ID = {id}")?;
        }
        match failure(statement) {
            None => {
                if !statement.columns.is_empty() {
                    self.result(run, statement, "txt").await?;
                }
                writeln!(self.out, "OK")?;
            }
            Some(message) => writeln!(self.out, "FAILED: {message}")?,
        }
        Ok(())
    }

    /// Results only, separated so that each can be read by itself.
    async fn rows(&mut self, run: &str, statement: &StatementRun, format: SqlFormat) -> anyhow::Result<()> {
        if let Some(message) = failure(statement) {
            self.out.flush()?;
            eprintln!("FAILED: {message}");
            return Ok(());
        }
        if statement.columns.is_empty() {
            return Ok(());
        }
        self.n_results += 1;
        let extension = match format {
            SqlFormat::Arrow if self.n_results > 1 => {
                bail!("an Arrow file holds one result: run the statements one by one, or use another --format")
            }
            SqlFormat::Arrow => "arrow",
            SqlFormat::Json => "json",
            SqlFormat::Csv | SqlFormat::Text => "csv",
        };
        if format == SqlFormat::Csv && self.n_results > 1 {
            writeln!(self.out)?;
        }
        let last = self.result(run, statement, extension).await?;
        if format == SqlFormat::Json && last != Some(b'\n') {
            writeln!(self.out)?;
        }
        Ok(())
    }

    /// Copies a whole result; returns its last byte.
    async fn result(&mut self, run: &str, statement: &StatementRun, format: &str) -> anyhow::Result<Option<u8>> {
        let path = format!("/api/v1/runs/{run}/results/{}/export?format={format}", statement.index);
        let mut chunks = self.client.stream(&path).await?.bytes_stream();
        let mut last = None;
        while let Some(chunk) = chunks.next().await {
            let mut chunk = chunk.context("the result broke off")?;
            // The mark that spreadsheets want is in the way of programs.
            if last.is_none() && chunk.starts_with(BYTE_ORDER_MARK) {
                chunk = chunk.slice(BYTE_ORDER_MARK.len()..);
            }
            self.out.write_all(&chunk)?;
            last = chunk.last().copied().or(last);
        }
        Ok(last)
    }
}

/// Why the statement did not succeed, in one line as the log prints it.
fn failure(statement: &StatementRun) -> Option<&str> {
    let message = statement.error.as_ref().map(|error| error.message.as_str());
    match statement.state {
        StatementState::Succeeded => None,
        StatementState::Cancelled => Some(message.unwrap_or("The statement was cancelled.")),
        StatementState::Unknown => Some(message.unwrap_or("It is not known yet whether the statement took effect.")),
        StatementState::Failed | StatementState::Waiting | StatementState::Running => {
            Some(message.unwrap_or("The statement failed."))
        }
    }
}
