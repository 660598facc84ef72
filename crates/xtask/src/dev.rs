//! `cargo xtask dev`: starts the console and, after every change of a source file, builds and starts it again.

use crate::site::files_below;
use crate::{Build, server};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

const SOURCES: [&str; 6] = ["app", "crates", "frontend", "public", "server", "style"];
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// Arguments go to `lakedeck serve`.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut running: Option<Child> = None;
    loop {
        let seen = newest()?;
        match server(Build::Ci) {
            Ok(binary) => {
                stop(running.take())?;
                let child =
                    Command::new(binary).arg("serve").args(arguments).spawn().context("cannot start the server")?;
                running = Some(child);
            }
            // The server that runs stays until there is a better one.
            Err(error) => eprintln!("xtask: {error:#}"),
        }
        while newest()? <= seen {
            sleep(LOOK_EVERY);
        }
    }
}

/// Lets the server drain.
fn stop(child: Option<Child>) -> Result<()> {
    let Some(mut child) = child else { return Ok(()) };
    _ = Command::new("kill").arg(child.id().to_string()).status()?;
    child.wait()?;
    Ok(())
}

/// When a source file was changed last.
fn newest() -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for folder in SOURCES {
        for file in files_below(Path::new(folder))? {
            // A file may vanish between the listing and the look.
            if let Ok(time) = file.metadata().and_then(|metadata| metadata.modified()) {
                newest = newest.max(time);
            }
        }
    }
    Ok(newest)
}
