//! `lakedeck`: the console and its command-line tools in one binary.

mod api;
mod assets;
mod bounds;
mod cli;
mod compose;
mod config;
mod data_dir;
mod download;
mod events;
mod guard;
mod listen;
mod log_file;
mod measured;
mod problem;
mod request;
mod router;
mod serve;
mod session;
mod telemetry;

use config::{Cli, Command, LogFormat, LogOptions};
use std::process::ExitCode;

/// Rendering a page nests deeply; without optimisation it needs more than the 2 MiB that tokio gives a thread.
const THREAD_STACK_BYTES: usize = 16 << 20;

fn main() -> ExitCode {
    let cli = Cli::parse_arguments();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(THREAD_STACK_BYTES).build();
    let outcome = match runtime {
        Ok(runtime) => {
            // In a task: the main thread's stack is not ours to size.
            let outcome = runtime.block_on(async { tokio::spawn(run(cli.command)).await });
            // What still runs must not hold the process back.
            runtime.shutdown_background();
            outcome.unwrap_or_else(|panic| Err(anyhow::anyhow!("internal error: {panic}")))
        }
        Err(error) => Err(error.into()),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("lakedeck: {}", told(&error));
        ExitCode::FAILURE
    })
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(options) => serve::serve(options).await?,
        Command::Open(options) => cli::open::open(options).await?,
        Command::Sql(options) => {
            telemetry::log(&quiet(), None)?;
            return cli::sql::sql(options).await;
        }
        Command::Admin(options) => {
            telemetry::log(&quiet(), None)?;
            cli::admin::admin(options).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An error with its causes, but for what they only repeat.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Commands speak by their output; their log has only what went wrong.
fn quiet() -> LogOptions {
    let log = std::env::var("LAKEDECK_LOG").unwrap_or_else(|_| "error".into());
    LogOptions { log_format: LogFormat::Text, log }
}
