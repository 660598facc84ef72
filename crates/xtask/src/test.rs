//! `cargo xtask test`: every suite, one count at the end.

use crate::process::{cargo, npm_tool, watch};
use crate::{Build, process, server, site, target, tools};
use anyhow::{Result, bail};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// One way of testing. In this order they run: what fails fast comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suite {
    Fmt,
    Clippy,
    Cargo,
    Browser,
    Interop,
}

impl Suite {
    const ALL: [Self; 5] = [Self::Fmt, Self::Clippy, Self::Cargo, Self::Browser, Self::Interop];

    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Cargo => "cargo",
            Self::Browser => "browser",
            Self::Interop => "interop",
        }
    }

    fn run(self) -> Result<Count> {
        match self {
            Self::Fmt => check(cargo().args(["fmt", "--all", "--check"])),
            Self::Clippy => clippy(),
            Self::Cargo => cargo_test(&["--workspace"], &[]),
            Self::Browser => browser(),
            Self::Interop => interop(),
        }
    }
}

/// How many tests went well and how many did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub n_passed: u64,
    pub n_failed: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.n_passed += other.n_passed;
        self.n_failed += other.n_failed;
    }

    /// The last line of the output, and the exit status that goes with it.
    pub fn report(self) -> ExitCode {
        println!("{} passed, {} failed", self.n_passed, self.n_failed);
        if self.n_failed == 0 && self.n_passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let suites = chosen(arguments)?;
    tools::for_building()?;
    // The server embeds the site, and clippy looks at the server: the site comes before everything native.
    if suites.iter().any(|suite| *suite != Suite::Fmt) {
        site::build(Build::Ci)?;
    }
    let mut total = Count::default();
    for suite in suites {
        eprintln!("== {}", suite.name());
        // A suite that cannot run counts as failed; the others still tell what they have to tell.
        total.add(suite.run().unwrap_or_else(|error| {
            eprintln!("xtask: {}: {error:#}", suite.name());
            Count { n_passed: 0, n_failed: 1 }
        }));
    }
    Ok(total.report())
}

fn chosen(arguments: &[String]) -> Result<Vec<Suite>> {
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--only", Some(name)) if Suite::ALL.iter().any(|suite| suite.name() == name) => names.push(name.as_str()),
            _ => bail!("usage: cargo xtask test [--only fmt|clippy|cargo|browser|interop]…"),
        }
    }
    Ok(Suite::ALL.into_iter().filter(|suite| names.is_empty() || names.contains(&suite.name())).collect())
}

/// A command that passes or fails as a whole.
fn check(command: &mut Command) -> Result<Count> {
    let is_good = process::succeeds(command)?;
    Ok(Count { n_passed: is_good.into(), n_failed: (!is_good).into() })
}

/// Once for the native side, once for what only the browser sees.
fn clippy() -> Result<Count> {
    // The profile of `cargo check`, so that nothing is checked twice.
    let lints = ["--", "-D", "warnings"];
    let mut count = check(cargo().args(["clippy", "--locked", "--workspace", "--all-targets"]).args(lints))?;
    count.add(check(
        cargo().args(["clippy", "--locked", "-p", "frontend", "--target", tools::WASM, "--profile", "ci"]).args(lints),
    )?);
    Ok(count)
}

/// `cargo test` with the tests of every binary counted.
pub fn cargo_test(packages: &[&str], arguments: &[&str]) -> Result<Count> {
    let python = tools::python()?;
    let mut count = Count::default();
    let mut command = cargo();
    command.args(["test", "--locked", "--profile", "ci", "--no-fail-fast"]).args(packages).arg("--").args(arguments);
    command.env("LAKEDECK_PYTHON", python);
    let is_good = watch(&mut command, |line| {
        if let Some(one) = libtest(line) {
            count.add(one);
        }
    })?;
    // A crate that does not compile, or a binary that died, prints no count.
    if !is_good && count.n_failed == 0 {
        count.n_failed = 1;
    }
    Ok(count)
}

/// `test result: ok. 3 passed; 0 failed; …`
fn libtest(line: &str) -> Option<Count> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let (before, _) = rest.split_once(word)?;
        before.trim_end().rsplit(' ').next()?.parse().ok()
    };
    Some(Count { n_passed: number("passed;")?, n_failed: number("failed;")? })
}

/// Playwright against the real binary; each worker starts its own.
fn browser() -> Result<Count> {
    let chromium = tools::chromium()?;
    let python = tools::python()?;
    let server = server(Build::Ci)?;
    let results = fs::canonicalize("end2end")?.join("test-results/results.json");
    _ = fs::remove_file(&results);
    let is_good = process::succeeds(
        npm_tool("playwright")
            .args(["test", "-c", "end2end/playwright.config.ts"])
            .env("LAKEDECK_BIN", server)
            .env("LAKEDECK_PYTHON", python)
            .env("CHROMIUM", chromium),
    )?;
    let mut count = playwright(&serde_json::from_slice(&fs::read(&results)?)?);
    if !is_good && count.n_failed == 0 {
        count.n_failed = 1;
    }
    Ok(count)
}

/// What Playwright's JSON reporter counted. Retries are off, so nothing is flaky.
fn playwright(results: &Value) -> Count {
    let number = |name: &str| results["stats"][name].as_u64().unwrap_or(0);
    let n_errors = results["errors"].as_array().map_or(0, Vec::len) as u64;
    Count { n_passed: number("expected"), n_failed: number("unexpected") + number("flaky") + n_errors }
}

/// `end2end/interop/test_*.py`: pypaimon against warehouses that the real binary writes, and the reverse.
fn interop() -> Result<Count> {
    let python = tools::python()?;
    let server: PathBuf = target().join(Build::Ci.profile()).join("lakedeck");
    let server = if server.exists() { server } else { crate::server(Build::Ci)? };
    if !Path::new("end2end/interop").is_dir() {
        bail!("end2end/interop is missing");
    }
    let mut count = Count::default();
    let is_good = watch(
        Command::new(python)
            .args(["-u", "end2end/interop/run.py"])
            .env("LAKEDECK_BIN", server)
            .env("PYTHONDONTWRITEBYTECODE", "1"),
        |line| match line.split_once(' ') {
            Some(("ok", _)) => count.n_passed += 1,
            Some(("FAILED", _)) => count.n_failed += 1,
            _ => {}
        },
    )?;
    if !is_good && count.n_failed == 0 {
        count.n_failed = 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(libtest(line), Some(Count { n_passed: 12, n_failed: 3 }));
        assert_eq!(libtest("running 3 tests"), None);
        let json = serde_json::json!({ "stats": { "expected": 5, "unexpected": 1, "flaky": 0 }, "errors": [] });
        assert_eq!(playwright(&json), Count { n_passed: 5, n_failed: 1 });
    }

    #[test]
    fn suites() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(chosen(&[]).map(|suites| suites.len()).ok(), Some(5));
        assert_eq!(chosen(&words("--only cargo --only fmt")).ok(), Some(vec![Suite::Fmt, Suite::Cargo]));
        assert!(chosen(&words("--only nothing")).is_err());
    }
}
