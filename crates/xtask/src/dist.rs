//! `cargo xtask dist`: the one file that is the product, packed with its licence.

use crate::process::{self, output};
use crate::{Build, server, target};
use anyhow::{Context, Result};
use std::fs;
use std::process::{Command, ExitCode};

pub fn run() -> Result<ExitCode> {
    let binary = server(Build::Release)?;
    let version = env!("CARGO_PKG_VERSION");
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let name = format!("lakedeck-{version}-{host}");
    let dist = target().join("dist");
    let folder = dist.join(&name);
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    for file in ["LICENSE", "README.md", "CHANGELOG.md"] {
        fs::copy(file, folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    fs::copy(&binary, folder.join("lakedeck"))?;
    let archive = dist.join(format!("{name}.tar.gz"));
    process::run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&dist).arg(&name))?;
    println!("{}", archive.display());
    Ok(ExitCode::SUCCESS)
}
