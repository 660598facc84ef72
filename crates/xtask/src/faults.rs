//! `cargo xtask faults`: the tests that take long, marked `#[ignore]`: crashes at every system call, many writers,
//! full disks.

use crate::test::cargo_test;
use anyhow::Result;
use std::process::ExitCode;

/// Arguments filter by name, as with `cargo test`.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut words = vec!["--ignored", "--test-threads=1"];
    words.extend(arguments.iter().map(String::as_str));
    Ok(cargo_test(&["--workspace"], &words)?.report())
}
