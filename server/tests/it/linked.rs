//! What is linked into the binary, as `deny.toml` permits it. `cargo deny check` knows more; this needs no other tool.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const RULES: &str = include_str!("../../../deny.toml");

/// The lines of a list in `deny.toml`, each as its texts.
fn list(start: &str) -> Vec<Vec<&'static str>> {
    let rest = RULES.split_once(start).expect("the list exists").1;
    let list = rest.split_once("\n]").expect("the list ends").0;
    let code = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    code.map(|line| line.split('"').skip(1).step_by(2).collect()).collect()
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked"])
        // What other platforms would need is not fetched for this.
        .args(["--filter-platform", &format!("{}-unknown-linux-gnu", std::env::consts::ARCH)])
        .args(["--filter-platform", "wasm32-unknown-unknown"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// Whether a licence expression can be satisfied: `MIT OR (Apache-2.0 AND Zlib)`.
fn permitted(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = expression.split_whitespace().peekable();
    any(&mut words, allowed)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words, allowed: &[&str]) -> bool {
    let mut holds = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        holds |= all(words, allowed);
    }
    holds
}

fn all(words: &mut Words, allowed: &[&str]) -> bool {
    let mut holds = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        holds &= one(words, allowed);
    }
    holds
}

fn one(words: &mut Words, allowed: &[&str]) -> bool {
    match words.next() {
        Some("(") => {
            let holds = any(words, allowed);
            assert_eq!(words.next(), Some(")"));
            holds
        }
        Some(licence) if words.next_if_eq(&"WITH").is_some() => {
            let exception = words.next().expect("an exception");
            allowed.contains(&licence) || allowed.contains(&&*format!("{licence} WITH {exception}"))
        }
        Some(licence) => allowed.contains(&licence),
        None => false,
    }
}

#[test]
fn licences_sources_and_packages() {
    let (allowed, banned) = (list("allow = [").concat(), list("deny = ["));
    assert!(allowed.contains(&"Apache-2.0") && banned.iter().any(|ban| ban[0] == "openssl"), "{allowed:?} {banned:?}");
    let metadata = metadata();
    let array = |value: &Value| value.as_array().expect("an array").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = array(&metadata["packages"]);
    let names: BTreeMap<String, String> =
        packages.iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let mut wrong = BTreeSet::new();
    for node in array(&metadata["resolve"]["nodes"]) {
        for dependency in array(&node["dependencies"]) {
            let (user, used) = (&*names[&text(&node["id"])], &*names[&text(&dependency)]);
            // Behind the name stand those that may use it nevertheless.
            if banned.iter().any(|ban| ban[0] == used && !ban.contains(&user)) {
                wrong.insert(format!("{user} must not use {used}"));
            }
        }
    }
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        if package["source"]
            .as_str()
            .is_some_and(|source| source != "registry+https://github.com/rust-lang/crates.io-index")
        {
            wrong.insert(format!("{name} comes from {}", package["source"]));
        }
        match package["license"].as_str() {
            Some(licence) if permitted(licence, &allowed) => {}
            Some(licence) => _ = wrong.insert(format!("{name} has the licence {licence}")),
            None => _ = wrong.insert(format!("{name} names no licence")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn expressions() {
    let check = |expression: &str, expected: bool| {
        assert_eq!(permitted(expression, &["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"]), expected, "{expression}");
    };
    check("MIT", true);
    check("GPL-3.0", false);
    check("MIT/GPL-3.0", true);
    check("MIT AND GPL-3.0", false);
    check("(MIT OR GPL-3.0) AND Zlib", true);
    check("GPL-3.0 OR MIT AND BSD", false);
    check("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true);
    check("Apache-2.0", false);
}
