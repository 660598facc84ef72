//! `cargo xtask …`: everything that is built, run and tested, with nothing to install by hand.

mod bench;
mod dev;
mod dist;
mod faults;
mod process;
mod site;
mod test;
mod tools;

use anyhow::{Context, Result};
use process::cargo;
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

const USAGE: &str = "\
usage: cargo xtask <command>

  build           the release binary, with everything it serves inside it
  serve [ARGS]    build, then start the console: `lakedeck serve ARGS`
  site [--release] what a browser loads, in target/site
  dev [ARGS]      start the console unoptimised; build and start again after every change
  test [--only S] every test that CI runs; S = fmt, clippy, cargo, browser or interop (may be repeated)
  faults          the long forms of the commit and crash tests
  bench           measure start, sizes and journeys of the release binary
  dist            build and pack the release binary under <target>/dist
";

/// How something is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// For tests and for the edit-reload loop.
    Ci,
    Release,
}

impl Build {
    /// The cargo profile of the server.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Release => "release",
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    env::set_current_dir(root()).context("the workspace is gone")?;
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("", arguments),
    };
    match command {
        "build" => {
            println!("{}", server(Build::Release)?.display());
            Ok(ExitCode::SUCCESS)
        }
        "serve" => {
            Err(process::replace_by(std::process::Command::new(server(Build::Release)?).arg("serve").args(rest)))
        }
        "site" => {
            tools::for_building()?;
            site::build(if rest.iter().any(|word| word == "--release") { Build::Release } else { Build::Ci })?;
            Ok(ExitCode::SUCCESS)
        }
        "dev" => dev::run(rest),
        "test" => test::run(rest),
        "faults" => faults::run(rest),
        "bench" => bench::run(rest),
        "dist" => dist::run(),
        _ => {
            eprint!("{USAGE}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Builds the site and the server around it.
pub fn server(build: Build) -> Result<PathBuf> {
    tools::for_building()?;
    site::build(build)?;
    // `unify` comes along so that dependencies have the same features as in every other build of the workspace.
    let mut cargo = cargo();
    if build == Build::Release {
        cargo.envs(tools::static_openssl()?);
    }
    process::run(cargo.args(["build", "--locked", "-p", "server", "-p", "unify", "--profile", build.profile()]))?;
    Ok(target().join(build.profile()).join("lakedeck"))
}

/// The checkout that cargo runs this for: another one may have compiled it.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&package).ancestors().nth(2).expect("xtask lies two folders below the root").to_owned()
    });
    &ROOT
}

/// Where cargo builds: outside the checkout, so that a clean checkout does not compile the world again.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => home().join(".cache/lakedeck-target"),
    }
}

pub fn home() -> PathBuf {
    env::var_os("HOME").map_or_else(env::temp_dir, PathBuf::from)
}
