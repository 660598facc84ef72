//! `cargo xtask dist`: the one file that is the product, packed with its licence, and tried alone without a network.

use crate::process::{find, output};
use crate::{Build, process, server, target};
use anyhow::{Context, Result, bail};
use std::fs;
use std::fs::File;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Who tries the file: nobody that owns anything here.
const USER: u32 = 64_242;

/// Runs as root of a network namespace of its own; the trial comes on stdin.
const TRY: &str = "ip link set lo up && exec setpriv --reuid \"$1\" --regid \"$1\" --clear-groups --no-new-privs \
    env -i PATH=/usr/bin:/bin HOME=\"$2\" LANG=C.UTF-8 python3 - \"$2/lakedeck\"";

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
    alone(&folder.join("lakedeck"))?;
    let archive = dist.join(format!("{name}.tar.gz"));
    process::run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&dist).arg(&name))?;
    println!("{}", archive.display());
    Ok(ExitCode::SUCCESS)
}

/// The walkthrough by `end2end/interop/offline.py`, with nothing but the file: an empty directory, another user, no
/// network beyond loopback.
fn alone(binary: &Path) -> Result<()> {
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    let missing: Vec<_> =
        ["ip", "python3", "setpriv", "unshare"].into_iter().filter(|word| find(word).is_none()).collect();
    if !is_root || !missing.is_empty() {
        eprintln!("not tried without a network: that takes root, and the programs ip, python3, setpriv and unshare");
        return Ok(());
    }
    let folder = std::env::temp_dir().join(format!("lakedeck-alone-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let tried = try_in(&folder, binary);
    fs::remove_dir_all(&folder)?;
    tried
}

fn try_in(folder: &Path, binary: &Path) -> Result<()> {
    let copy = folder.join("lakedeck");
    fs::copy(binary, &copy)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    chown(folder, Some(USER), Some(USER))?;
    let is_good = process::succeeds(
        Command::new("unshare")
            .args(["--net", "sh", "-c", TRY, "sh", &USER.to_string()])
            .arg(folder)
            .current_dir(folder)
            .stdin(File::open(crate::root().join("end2end/interop/offline.py"))?),
    )?;
    if !is_good {
        bail!("the packed file does not work alone");
    }
    Ok(())
}
