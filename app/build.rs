//! Turns `locales/<language>/<namespace>.json` into checked keys: a misspelt key is a compile error.

use leptos_i18n_build::{Config, ParseOptions, TranslationsInfos};
use std::{env, error::Error, fs, path::PathBuf};

/// The major version of a package in the workspace's lock file: what the status strip says of the engine.
fn locked_major(package: &str) -> Result<String, Box<dyn Error>> {
    let lock = fs::read_to_string("../Cargo.lock")?;
    let head = format!("name = \"{package}\"\nversion = \"");
    let version = lock.split(&head).nth(1).and_then(|rest| rest.split(['.', '"']).next());
    Ok(version.ok_or_else(|| format!("Cargo.lock knows no {package}"))?.to_owned())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rustc-env=DATAFUSION_VERSION={}", locked_major("datafusion")?);
    let mut namespaces = Vec::new();
    for entry in fs::read_dir("locales/en")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            namespaces.push(path.file_stem().ok_or("a file has a name")?.to_string_lossy().into_owned());
        }
    }
    namespaces.sort();
    let config = Config::new("en")?
        .add_locale("zh-CN")?
        .add_namespaces(namespaces)?
        .parse_options(ParseOptions::new().interpolate_display(true));
    let translations = TranslationsInfos::parse(config)?;
    translations.emit_diagnostics();
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    translations.generate_i18n_module(out.join("i18n"))?;
    Ok(())
}
