//! `cargo xtask faults`: the long forms of the lake's fault suites: crashes at every system call, many writers, full disks.

use crate::test::cargo_test;
use anyhow::Result;
use std::process::ExitCode;

/// Modules of the suites, unless names are given.
const SUITES: [&str; 2] = ["commits::", "faults::"];

/// Arguments filter by name, as with `cargo test`. What was counted, e.g. the points of a crash, is printed.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut words = vec!["--nocapture"];
    match arguments {
        [] => words.extend(SUITES),
        names => words.extend(names.iter().map(String::as_str)),
    }
    // `unify` beside it, so that nothing is built anew for this one crate.
    let packages = ["-p", "lake", "-p", "unify", "--test", "it", "--config", "env.LAKEDECK_FAULTS='full'"];
    Ok(cargo_test(&packages, &words)?.report())
}
