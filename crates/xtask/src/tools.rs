//! What has to be on the machine: each is installed when missing, or the one command to run is named.

use crate::process::{find, output, run};
use crate::{home, process};
use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const WASM: &str = "wasm32-unknown-unknown";

/// The first Node.js that Tailwind's compiler runs on.
const NODE_MIN: u32 = 20;

/// Python packages of the interop tests, at the versions that were looked at.
const PYTHON_PACKAGES: [&str; 4] = ["pypaimon==2.1.0", "pypaimon-rust==0.4.0", "moto[server]==5.2.5", "pyarrow"];

/// The wasm target, the npm packages, and OpenSSL, which the `paimon` crate links to.
pub fn for_building() -> Result<()> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    if !Path::new(&sysroot).join("lib/rustlib").join(WASM).is_dir() {
        run(Command::new("rustup").args(["target", "add", WASM]))?;
    }
    node()?;
    if find("pkg-config").is_none() || !process::succeeds(Command::new("pkg-config").args(["--exists", "openssl"]))? {
        apt(&["pkg-config", "libssl-dev"])?;
    }
    let time = |path: &str| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if time("node_modules/.package-lock.json") < time("package-lock.json") {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]))?;
    }
    Ok(())
}

/// What makes the release file carry OpenSSL inside it, so that it runs where none is installed.
pub fn static_openssl() -> Result<Vec<(&'static str, PathBuf)>> {
    let libraries = PathBuf::from(output(Command::new("pkg-config").args(["--variable=libdir", "openssl"]))?);
    if !libraries.join("libssl.a").is_file() {
        eprintln!("no libssl.a in {}: the release file will need libssl where it runs", libraries.display());
        return Ok(Vec::new());
    }
    let headers = output(Command::new("pkg-config").args(["--variable=includedir", "openssl"]))?;
    Ok(vec![("OPENSSL_STATIC", "1".into()), ("OPENSSL_LIB_DIR", libraries), ("OPENSSL_INCLUDE_DIR", headers.into())])
}

fn node() -> Result<()> {
    let version = find("node").map(|node| output(Command::new(node).arg("--version"))).transpose()?;
    let major = version.as_deref().and_then(|v| v.trim_start_matches('v').split('.').next()?.parse::<u32>().ok());
    match (version, major) {
        (_, Some(major)) if major >= NODE_MIN => Ok(()),
        (Some(version), _) => {
            bail!("Node.js {version} is too old: install {NODE_MIN} or newer from https://nodejs.org")
        }
        (None, _) => bail!("Node.js is missing: install {NODE_MIN} or newer from https://nodejs.org"),
    }
}

/// A Chromium for the browser tests: `$CHROMIUM`, one on the PATH, or the one that apt installs.
pub fn chromium() -> Result<PathBuf> {
    let look = || {
        env::var_os("CHROMIUM")
            .map(PathBuf::from)
            .or_else(|| ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|program| find(program)))
    };
    if look().is_none() {
        apt(&["chromium", "fonts-noto-cjk"])?;
    }
    look().context("no Chromium: install one and name it in CHROMIUM")
}

/// The Python of a virtual environment that holds pypaimon, outside the checkout. Made when missing.
pub fn python() -> Result<PathBuf> {
    let venv = home().join(".cache/lakedeck-venv");
    let python = venv.join("bin/python");
    let stamp = venv.join("lakedeck-packages.txt");
    let wanted = PYTHON_PACKAGES.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && python.exists() {
        return Ok(python);
    }
    if !python.exists() {
        let make = || process::succeeds(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        if find("python3").is_none() || !make()? {
            apt(&["python3", "python3-venv"])?;
            if !make()? {
                bail!("cannot make a virtual environment at {}", venv.display());
            }
        }
    }
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PYTHON_PACKAGES))?;
    fs::write(&stamp, wanted)?;
    Ok(python)
}

fn apt(packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if find("apt-get").is_none() {
        bail!("missing packages; the Debian command is: {by_hand}");
    }
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    if !is_root && find("sudo").is_none() {
        bail!("run this as root, then try again: {by_hand}");
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new(if is_root { "apt-get" } else { "sudo" });
        if !is_root {
            command.arg("apt-get");
        }
        run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt_get(&["update", "-q"])?;
    apt_get(&[&["install", "-qy", "--no-install-recommends"], packages].concat())
}
