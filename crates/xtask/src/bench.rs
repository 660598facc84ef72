//! `cargo xtask bench`: what the release binary costs: sizes, start, memory, statements beside DuckDB, first pages.
//! Prints Markdown for `docs/benchmarks.md` and judges nothing.

use crate::process::npm_tool;
use crate::site::files_below;
use crate::{Build, process, server, site, tools};
use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// What the engine is compared with.
const PEER: &str = "duckdb==2.0.0";

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let chromium = tools::chromium()?;
    let binary = server(Build::Release)?;
    println!("| file | bytes | brotli |\n|---|---:|---:|");
    sizes()?;
    println!("\n| measure | value |\n|---|---:|");
    println!("| binary | {} bytes |", fs::metadata(&binary)?.len());
    start(&binary)?;
    statements(&binary)?;
    println!("\n| measure | value |\n|---|---:|");
    process::run(
        npm_tool("playwright")
            .args(["test", "-c", "end2end/bench.config.ts"])
            .args(arguments)
            .env("LAKEDECK_BIN", binary)
            .env("CHROMIUM", chromium),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Statements through the API, and the same in DuckDB over the same files.
fn statements(binary: &Path) -> Result<()> {
    let python = tools::python()?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER];
    process::run(Command::new(&python).args(pip))?;
    process::run(Command::new(&python).args(["-u", "end2end/bench/engine.py"]).env("LAKEDECK_BIN", binary))
}

fn sizes() -> Result<()> {
    let site = site::folder();
    for file in files_below(&site)? {
        let name = file.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        let compressed = file.with_file_name(format!("{name}.br"));
        if let Ok(compressed) = fs::metadata(compressed) {
            println!("| {name} | {} | {} |", fs::metadata(&file)?.len(), compressed.len());
        }
    }
    Ok(())
}

/// First start (with the sample lake) and second start in the same data directory; memory after both are idle.
fn start(binary: &Path) -> Result<()> {
    let data = env::temp_dir().join(format!("lakedeck-bench-{}", std::process::id()));
    for label in ["first start to listening", "second start to listening"] {
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .arg("--no-open")
            .stderr(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let result = listening(&mut child).map(|()| begun.elapsed());
        std::thread::sleep(Duration::from_secs(2));
        let memory = resident_kb(child.id());
        _ = Command::new("kill").arg(child.id().to_string()).status();
        child.wait()?;
        println!("| {label} | {} ms |", result?.as_millis());
        println!("| memory two seconds later | {} MB |", memory / 1024);
    }
    fs::remove_dir_all(&data)?;
    Ok(())
}

fn listening(child: &mut Child) -> Result<()> {
    let stdout = child.stdout.take().context("stdout was asked for")?;
    let mut lines = BufReader::new(stdout).lines();
    lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("listening on "))
        .context("the server did not start")?;
    // What it prints later must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(())
}

fn resident_kb(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
