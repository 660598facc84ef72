//! The rules of `docs/architecture.md` that a machine can check: who may depend on whom.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Member, the members that it may depend on, and packages that it must never see.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("model", &[], &["tokio", "async-trait", "leptos", "axum", "sqlx", "paimon", "datafusion"]),
    ("ports", &["model"], &["sqlx", "paimon", "datafusion", "axum", "leptos"]),
    ("store", &["model"], &["paimon", "datafusion", "axum", "leptos"]),
    ("service", &["model", "ports", "store"], &["paimon", "datafusion", "axum", "leptos", "sqlx"]),
    ("app", &["model", "service"], &["sqlx", "paimon", "datafusion"]),
    ("frontend", &["app"], &["axum", "sqlx", "paimon", "datafusion", "tokio"]),
    ("lake", &["model", "ports"], &["sqlx", "datafusion", "axum", "leptos"]),
    ("sql", &["model", "ports", "lake"], &["sqlx", "axum", "leptos"]),
    ("testkit", &["model", "ports", "store", "service", "lake", "sql"], &[]),
    ("server", &["model", "ports", "store", "service", "app", "lake", "sql"], &["paimon", "datafusion", "sqlx"]),
    ("xtask", &[], &["paimon", "datafusion", "leptos"]),
    // Third-party packages only: see docs/decisions/0001-unify.md.
    ("unify", &[], &[]),
];

#[test]
fn dependency_arrows() {
    let mut broken = Vec::new();
    for (name, dependencies) in members() {
        let Some((_, allowed, never)) = ARROWS.iter().find(|(member, ..)| *member == name) else {
            broken.push(format!("`{name}` is a new crate: it needs a decision record and a line here"));
            continue;
        };
        for dependency in dependencies {
            let is_member = ARROWS.iter().any(|(member, ..)| *member == dependency);
            if (is_member && !allowed.contains(&dependency.as_str())) || never.contains(&dependency.as_str()) {
                broken.push(format!("`{name}` must not depend on `{dependency}`"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Members with the packages that they name, but for those of their tests.
fn members() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let named = dependencies.iter().filter(|one| one["kind"] != "dev").map(|one| text(&one["name"]));
            (text(&package["name"]), named.collect())
        })
        .collect()
}
