//! Scripts in `tests/slt`: blocks of statements and the text they must print.
//!
//! ```text
//! === a title, or `@name` for a session of its own
//! SELECT 1;
//! ---
//! ID = …
//! …
//! ```
//!
//! Lines before the first block that begin with `#` set the project up. With `LAKEDECK_BLESS=1` the texts are written
//! instead of compared.

use crate::harness::Lakehouse;
use model::external_project::ProjectOptions;
use model::session::SqlSession;
use ports::sql_engine::{Outcome, SqlEngine, SqlError};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test] async fn $name() { check(stringify!($name)).await; })*

        #[test]
        fn every_script_is_run() {
            let listed = [$(concat!(stringify!($name), ".slt")),*];
            for file in std::fs::read_dir(folder()).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                assert!(listed.contains(&name.as_str()), "{name} is not listed");
            }
        }
    };
}

scripts!(
    seed,
    acceptance,
    settings,
    schemas,
    create_table,
    describe,
    insert,
    partitions,
    overwrite,
    types,
    timestamps,
    guard,
    queries,
    operators,
    functions,
    errors,
    hostile,
    refused,
    strict,
    order,
    keys,
    system_tables,
);

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slt"))
}

struct Block<'a> {
    title: &'a str,
    script: String,
    expected: String,
}

fn blocks(text: &str) -> (Vec<&str>, Vec<Block<'_>>) {
    let mut head = Vec::new();
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut in_expected = false;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("===") {
            blocks.push(Block { title: title.trim(), script: String::new(), expected: String::new() });
            in_expected = false;
        } else if let Some(block) = blocks.last_mut() {
            match (line, in_expected) {
                ("---", false) => in_expected = true,
                (_, false) => writeln!(block.script, "{line}").unwrap(),
                (_, true) => writeln!(block.expected, "{line}").unwrap(),
            }
        } else {
            head.push(line);
        }
    }
    (head, blocks)
}

async fn check(name: &str) {
    let path = folder().join(format!("{name}.slt"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, blocks) = blocks(&text);
    let has = |word: &str| head.iter().any(|line| line.trim_start_matches("# ") == word);
    let options = ProjectOptions {
        strict_maxcompute: has("strict"),
        namespace_schema: !has("schema syntax off"),
        ..ProjectOptions::default()
    };
    let catalog = head.iter().find_map(|line| line.strip_prefix("# engine catalog "));
    let lakehouse = Lakehouse::with(options, catalog);
    let mut sessions: HashMap<&str, SqlSession> = HashMap::new();
    let mut printed = String::new();
    let mut wrong = Vec::new();
    head.iter().for_each(|line| writeln!(printed, "{line}").unwrap());
    for block in &blocks {
        let key = block.title.split(' ').next().filter(|word| word.starts_with('@')).unwrap_or_default();
        let session = sessions.entry(key).or_insert_with(|| lakehouse.session());
        let got = print(&lakehouse, session, &block.script).await;
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned();
        if trimmed(&got) != trimmed(&block.expected) {
            wrong.push(format!("=== {}\n{}---\n{got}expected:\n{}", block.title, block.script, block.expected));
        }
        write!(printed, "=== {}\n{}---\n{}\n\n", block.title, block.script, trimmed(&got)).unwrap();
    }
    if std::env::var_os("LAKEDECK_BLESS").is_some() {
        std::fs::write(&path, format!("{}\n", printed.trim_end())).unwrap();
    } else {
        assert!(wrong.is_empty(), "{name}.slt\n{}", wrong.join("\n"));
    }
}

/// What the connection tool prints, and below it what the console shows beside it.
async fn print(lakehouse: &Lakehouse, session: &mut SqlSession, script: &str) -> String {
    let mut printed = String::new();
    let (_, unparsed) = lakehouse.engine.parse(script);
    let parsed_end = unparsed.as_ref().map_or(script.len(), |unparsed| unparsed.span.start);
    for ran in lakehouse.run(session, &script[..parsed_end]).await {
        if ran.statement.has_instance_id() {
            printed.push_str("ID = …\n");
        }
        match &ran.outcome {
            Ok(outcome) => {
                printed.push_str(&lakehouse.text(&ran).await);
                printed.push_str("OK\n");
                print_beside(&mut printed, outcome);
            }
            Err(SqlError::Failed(error)) => {
                writeln!(printed, "FAILED: {}", mask(lakehouse, &error.message)).unwrap();
                if let Some(fix) = &error.fix {
                    writeln!(printed, "-- fix: {fix}").unwrap();
                }
                return printed;
            }
            Err(other) => {
                writeln!(printed, "FAILED: {other}").unwrap();
                return printed;
            }
        }
    }
    if let Some(unparsed) = unparsed {
        writeln!(printed, "ID = …\nFAILED: {}", unparsed.error.message).unwrap();
    }
    mask(lakehouse, &printed)
}

fn print_beside(printed: &mut String, outcome: &Outcome) {
    if let Some(rows) = outcome.affected_rows {
        writeln!(printed, "-- rows: {rows}").unwrap();
    }
    if let Some(snapshot) = outcome.snapshot_id {
        writeln!(printed, "-- snapshot: {snapshot}").unwrap();
    }
    if let Some(truncated) = &outcome.truncated {
        writeln!(printed, "-- {truncated}").unwrap();
    }
    for notice in &outcome.notices {
        writeln!(printed, "-- {notice}").unwrap();
    }
}

/// Paths and moments differ from run to run.
fn mask(lakehouse: &Lakehouse, text: &str) -> String {
    let root = lakehouse.folder.path().canonicalize().unwrap();
    let text = text.replace(root.to_str().unwrap(), "<folder>");
    let time = regex::Regex::new(r"(Time: +|is of )20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?").unwrap();
    let size = regex::Regex::new(r"Size: [1-9]\d*").unwrap();
    let file = regex::Regex::new("data-[0-9a-f-]{36}-").unwrap();
    let padding = regex::Regex::new(r"(?m)((?:<folder>|Size: n)[^ ]*) +\|$").unwrap();
    let text = time.replace_all(&text, "${1}yyyy-mm-dd hh:mm:ss");
    let text = size.replace_all(&text, "Size: n");
    let text = file.replace_all(&text, "data-…-");
    padding.replace_all(&text, "$1 |").into_owned()
}
