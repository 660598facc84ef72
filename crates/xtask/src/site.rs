//! The site folder: everything that a browser loads, in a folder named by its content, so that it can be cached for
//! ever. The server embeds it.
//!
//! ```text
//! target/site/build                the name of the folder below
//! target/site/pkg/<hash>/…         wasm, scripts, style sheet, icons, fonts; `.br` and `.gz` beside them in a release
//! ```

use crate::process::{cargo, npm_tool, run};
use crate::tools::WASM;
use crate::{Build, root, target};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use walrus::{Function, FunctionBuilder, FunctionKind, Module};

/// Name of the wasm, its script and the style sheet; `LEPTOS_OUTPUT_NAME` in `.cargo/config.toml`.
const NAME: &str = "lakedeck";

/// Nothing is inlined: functions that are alike stay alike, and compress so much better that the page loads a tenth
/// less, although the code itself is a little longer.
const SMALL: [&str; 8] = ["-Oz", "-aimfs", "0", "-ocimfs", "0", "-fimfs", "0", "--strip-debug"];

/// Functions that are alike are not merged, for what is merged has the name of one of them, and
/// [`without_unused_hydration`] would take the others away with it. Stable compilers take the option from this variable
/// only; the toolchain is pinned.
const ONE_NAME_EACH: &str = r#"build.rustflags=["-Zmerge-functions=disabled"]"#;

/// Builds the site where the server looks for it. A site that came out the same is left alone, so that the server is
/// not built again.
pub fn build(build: Build) -> Result<()> {
    let site = folder();
    // Two builds at once must not meet in one folder.
    let pkg = site.with_extension(format!("new-{}", std::process::id()));
    _ = fs::remove_dir_all(&pkg);
    fs::create_dir_all(&pkg)?;
    wasm(build, &pkg)?;
    style(build, &pkg)?;
    scripts(build, &pkg)?;
    fs::write(pkg.join("icons.svg"), icons()?)?;
    for file in files(Path::new("public"))? {
        fs::copy(&file, pkg.join(file.file_name().context("a file has a name")?))?;
    }
    if build == Build::Release {
        run(Command::new("node").args(["-e", COMPRESS]).arg(&pkg))?;
    }
    let hash = hash(&pkg)?;
    let is_same = fs::read_to_string(site.join("build")).is_ok_and(|old| old == hash);
    if is_same && site.join("pkg").join(&hash).is_dir() {
        fs::remove_dir_all(&pkg)?;
        return Ok(());
    }
    _ = fs::remove_dir_all(&site);
    fs::create_dir_all(site.join("pkg"))?;
    fs::rename(&pkg, site.join("pkg").join(&hash))?;
    fs::write(site.join("build"), hash)?;
    Ok(())
}

/// `LAKEDECK_SITE`, as `.cargo/config.toml` sets it for every build.
pub fn folder() -> PathBuf {
    env::var_os("LAKEDECK_SITE").map_or_else(|| root().join("target/site"), PathBuf::from)
}

fn wasm(build: Build, pkg: &Path) -> Result<()> {
    let profile = match build {
        Build::Ci => "ci",
        Build::Release => "wasm-release",
    };
    let mut compile = cargo();
    compile.args(["build", "--locked", "-p", "frontend", "--lib", "--target", WASM, "--profile", profile]);
    if build == Build::Release {
        compile.env("RUSTC_BOOTSTRAP", "1").args(["--config", ONE_NAME_EACH]);
    }
    run(&mut compile)?;
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .input_module(NAME, without_unused_hydration(&target().join(WASM).join(profile).join("frontend.wasm"))?);
    bindgen.generate(pkg)?;
    // Leptos asks for `lakedeck.wasm`, because LEPTOS_OUTPUT_NAME is set when it is compiled.
    let wasm = pkg.join(format!("{NAME}.wasm"));
    fs::rename(pkg.join(format!("{NAME}_bg.wasm")), &wasm)?;
    let script = pkg.join(format!("{NAME}.js"));
    fs::write(&script, fs::read_to_string(&script)?.replace(&format!("{NAME}_bg.wasm"), &format!("{NAME}.wasm")))?;
    if build == Build::Release {
        run(npm_tool("wasm-opt").args(SMALL).arg(&wasm).arg("-o").arg(&wasm))?;
        run(npm_tool("esbuild")
            .arg(&script)
            .args(["--minify", "--allow-overwrite", "--log-level=warning"])
            .arg(outfile(&script)))?;
    }
    Ok(())
}

/// Empties the functions that hydrate routes which are loaded lazily, and attributes of templates. Leptos makes them for
/// every view, a sixth of the code, and keeps them although nothing here is loaded lazily (leptos pull request 4438) or
/// made by `template!`. Calling one would stop the page, which every browser test would see.
fn without_unused_hydration(compiled: &Path) -> Result<Module> {
    let mut module = Module::from_file(compiled)?;
    let is_unused = |f: &Function| {
        let is_named = |part| f.name.as_ref().is_some_and(|name| name.contains(part));
        is_named("hydrate_async") || is_named("hydrate_from_template")
    };
    let unused: Vec<_> =
        module.funcs.iter_local().map(|(id, _)| id).filter(|id| is_unused(module.funcs.get(*id))).collect();
    for id in unused {
        let (params, results) = module.types.params_results(module.funcs.get(id).ty());
        let (params, results) = (params.to_vec(), results.to_vec());
        let mut stop = FunctionBuilder::new(&mut module.types, &params, &results);
        stop.func_body().unreachable();
        let arguments = params.iter().map(|kind| module.locals.add(*kind)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(stop.local_func(arguments));
    }
    Ok(module)
}

fn style(build: Build, pkg: &Path) -> Result<()> {
    let mut tailwind = npm_tool("tailwindcss");
    tailwind.args(["-i", "style/main.css", "-o"]).arg(pkg.join(format!("{NAME}.css")));
    if build == Build::Release {
        tailwind.arg("--minify");
    }
    run(&mut tailwind)
}

/// One bundle for each TypeScript file directly in `app/editor`; the page loads it where it is used.
fn scripts(build: Build, pkg: &Path) -> Result<()> {
    let entries: Vec<PathBuf> = files(Path::new("app/editor"))?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "ts"))
        .collect();
    if entries.is_empty() {
        return Ok(());
    }
    let mut esbuild = npm_tool("esbuild");
    esbuild.args(&entries).args(["--bundle", "--format=esm", "--target=es2022", "--log-level=warning"]);
    esbuild.arg(format!("--outdir={}", pkg.display()));
    if build == Build::Release {
        esbuild.args(["--minify", "--legal-comments=none"]);
    }
    run(&mut esbuild)
}

fn outfile(path: &Path) -> String {
    format!("--outfile={}", path.display())
}

/// A sprite of the Lucide icons that the application names: every string literal that is the name of one.
fn icons() -> Result<String> {
    let mut names = BTreeSet::new();
    for file in files_below(Path::new("app/src"))? {
        let text = fs::read_to_string(&file)?;
        names.extend(text.split('"').filter(|word| is_icon_name(word)).map(str::to_owned));
    }
    let mut sprite = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\"><!-- Lucide, ISC -->\n");
    for name in names {
        let Ok(icon) = fs::read_to_string(format!("node_modules/lucide-static/icons/{name}.svg")) else { continue };
        let inner = icon.split_once("<svg").and_then(|(_, rest)| rest.split_once('>')).map(|(_, rest)| rest);
        let inner = inner.and_then(|rest| rest.rsplit_once("</svg>")).context("an icon is not SVG")?.0;
        let inner = inner.split_whitespace().collect::<Vec<_>>().join(" ");
        sprite.push_str(&format!("<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{inner}</symbol>\n"));
    }
    sprite.push_str("</svg>\n");
    Ok(sprite)
}

fn is_icon_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Sixteen hexadecimal digits of everything in the folder.
fn hash(folder: &Path) -> Result<String> {
    let mut digest = Sha256::new();
    for file in files_below(folder)? {
        digest.update(file.strip_prefix(folder)?.to_string_lossy().as_bytes());
        digest.update([0]);
        digest.update(fs::read(&file)?);
    }
    Ok(hex::encode(&digest.finalize()[..8]))
}

/// The files directly in a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The files of a folder and everything below it, in order.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Writes `.br` and `.gz` beside what compresses well; Node has both built in.
const COMPRESS: &str = r#"
const { readdirSync, readFileSync, writeFileSync } = require("fs"), zlib = require("zlib");
for (const name of readdirSync(process.argv[1], { recursive: true })) {
  if (!/\.(wasm|js|css|svg|txt)$/.test(name)) continue;
  const path = `${process.argv[1]}/${name}`, data = readFileSync(path);
  writeFileSync(`${path}.br`, zlib.brotliCompressSync(data, { params: { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: data.length } }));
  writeFileSync(`${path}.gz`, zlib.gzipSync(data, { level: 9 }));
}"#;
