//! Text in, text out.

use super::*;
use std::fmt::Write;

/// The statements of a script, one a line, then the error.
fn shown(script: &str) -> String {
    let (parsed, unparsed) = parse(script);
    let mut text = String::new();
    for statement in &parsed {
        assert_eq!(statement.text, script[statement.span.start..statement.span.end]);
        writeln!(text, "{}", show(&statement.statement)).expect("a string takes everything");
        for hint in &statement.hints {
            writeln!(text, "  hint {}({})", hint.name, hint.arguments.join(",")).expect("a string takes everything");
        }
        for warning in &statement.warnings {
            writeln!(text, "  warning {warning}").expect("a string takes everything");
        }
    }
    if let Some(unparsed) = unparsed {
        let error = unparsed.error;
        writeln!(text, "{}", error.message).expect("a string takes everything");
        if let Some(span) = error.span {
            assert!(span.start <= span.end && span.end <= script.len(), "{script}: {span:?}");
            assert!(script.is_char_boundary(span.start) && script.is_char_boundary(span.end), "{script}");
        }
    }
    text.trim_end().to_owned()
}

fn show(statement: &Statement) -> String {
    let like = |like: &Option<String>| like.as_ref().map_or(String::new(), |like| format!(" like {like}"));
    match statement {
        Statement::Set(setting) => format!("SET {}={}", setting.key, setting.value),
        Statement::ShowSettings => "SET".into(),
        Statement::Unset { key } => format!("UNSET {key}"),
        Statement::ShowSchemas(show) => {
            format!(
                "SHOW SCHEMAS {}{}",
                show.project.as_ref().map_or(String::new(), ToString::to_string),
                like(&show.like)
            )
        }
        Statement::ShowTables(show) | Statement::ShowViews(show) => format!(
            "{} {}{}",
            statement.verb(),
            show.schema.as_ref().map_or(String::new(), ToString::to_string),
            like(&show.like)
        ),
        Statement::ShowFunctions { like: pattern } => format!("SHOW FUNCTIONS{}", like(pattern)),
        Statement::ShowProjects => "SHOW PROJECTS".into(),
        Statement::ShowPartitions { table, partition } => format!("SHOW PARTITIONS {table}{}", spec(partition)),
        Statement::ShowColumns { table } => format!("SHOW COLUMNS {table}"),
        Statement::ShowCreateTable { table } => format!("SHOW CREATE TABLE {table}"),
        Statement::Use(target) => match target {
            Use::Schema(name) => format!("USE schema {name}"),
            Use::Project { project, schema } => {
                format!("USE project {project}{}", schema.as_ref().map_or(String::new(), |schema| format!(" {schema}")))
            }
            Use::SchemaOrProject(name) => format!("USE either {name}"),
            Use::ProjectAndSchema { project, schema } => format!("USE project {project} {schema}"),
        },
        Statement::CreateSchema(create) => format!(
            "CREATE SCHEMA {}{}{}{}",
            if create.if_not_exists { "? " } else { "" },
            create.name,
            create.comment.as_ref().map_or(String::new(), |comment| format!(" {comment:?}")),
            create.properties.iter().map(|(key, value)| format!(" {key}={value}")).collect::<String>()
        ),
        Statement::DropSchema(drop) => format!(
            "DROP SCHEMA {}{}{}",
            if drop.if_exists { "? " } else { "" },
            drop.name,
            if drop.cascade { " cascade" } else { "" }
        ),
        Statement::DescribeSchema { schema } => format!("DESC SCHEMA {schema}"),
        Statement::Describe(describe) => {
            let extended = if describe.extended { " extended" } else { "" };
            format!("DESC {}{}{extended}", describe.table, spec(&describe.partition))
        }
        Statement::CreateTable(create) => show_create(create),
        Statement::DropTable(drop) => format!(
            "DROP TABLE {}{}{}",
            if drop.if_exists { "? " } else { "" },
            drop.name,
            if drop.purge { " purge" } else { "" }
        ),
        Statement::Truncate { table, partitions } => {
            let specs: String = partitions.iter().map(|partition| spec(&Some(partition.clone()))).collect();
            format!("TRUNCATE {table}{specs}")
        }
        Statement::Insert(insert) => show_insert(insert),
        Statement::MultiInsert(parts) => parts.iter().map(show_insert).collect::<Vec<_>>().join(" & "),
        Statement::Query(query) => show_query(query),
        Statement::Explain(explain) => {
            format!("EXPLAIN{} {}", if explain.extended { " extended" } else { "" }, show(&explain.statement))
        }
        Statement::NotYet(not_yet) => format!("not yet {}", not_yet.verb),
    }
}

fn spec(spec: &Option<PartitionSpec>) -> String {
    let Some(spec) = spec else { return String::new() };
    let keys: Vec<String> = spec
        .keys
        .iter()
        .map(|key| match &key.value {
            Some(value) => format!("{}={}", key.column, literal(value)),
            None => key.column.to_string(),
        })
        .collect();
    format!(" [{}]", keys.join(","))
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "NULL".into(),
        Literal::String(text) => format!("{text:?}"),
        Literal::Typed { data_type, text } => format!("{data_type} {text}"),
        other => other.text().unwrap_or_default(),
    }
}

fn show_insert(insert: &Insert) -> String {
    let columns = insert.columns.as_ref().map_or(String::new(), |columns| {
        format!(" ({})", columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    });
    let how = if insert.overwrite { "OVERWRITE" } else { "INTO" };
    format!("INSERT {how} {}{}{columns} {}", insert.table, spec(&insert.partition), show_query(&insert.source))
}

/// The query as rewritten, and its tables where they are not plain in it.
fn show_query(query: &Query) -> String {
    let tables: Vec<String> = query
        .tables
        .iter()
        .map(|used| match &used.time_travel {
            None => used.name.to_string(),
            Some(TimeTravel::Version(version)) => format!("{}@{version}", used.name),
            Some(TimeTravel::Timestamp(timestamp)) => format!("{}@'{timestamp}'", used.name),
        })
        .collect();
    let tables = if tables.is_empty() { String::new() } else { format!(" <- {}", tables.join(", ")) };
    let text = query.ast.to_string();
    let escaped = text.chars().map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() });
    format!("{}{tables}", escaped.collect::<String>())
}

fn show_create(create: &CreateTable) -> String {
    let mut text = format!("CREATE TABLE {}{}", if create.if_not_exists { "? " } else { "" }, create.name);
    for column in &create.columns {
        write!(text, " | {} {}", column.name, column.data_type).expect("a string takes everything");
        if column.not_null {
            text.push_str(" not null");
        }
        if let Some(default) = &column.default {
            write!(text, " default {}", literal(default)).expect("a string takes everything");
        }
        if let Some(comment) = &column.comment {
            write!(text, " {comment:?}").expect("a string takes everything");
        }
    }
    if let Some(key) = &create.primary_key {
        let columns: Vec<String> = key.columns.iter().map(ToString::to_string).collect();
        write!(text, " | key {}", columns.join(",")).expect("a string takes everything");
    }
    for column in &create.partitioned_by {
        let data_type = column.data_type.as_ref().map_or(String::new(), |data_type| format!(" {data_type}"));
        let comment = column.comment.as_ref().map_or(String::new(), |comment| format!(" {comment:?}"));
        write!(text, " | by {}{data_type}{comment}", column.name).expect("a string takes everything");
    }
    if let Some(clustered) = &create.clustered_by {
        let columns: Vec<String> = clustered.columns.iter().map(ToString::to_string).collect();
        write!(text, " | {} buckets of {}", clustered.buckets, columns.join(",")).expect("a string takes everything");
    }
    if let Some(comment) = &create.comment {
        write!(text, " | {comment:?}").expect("a string takes everything");
    }
    if let Some(format) = create.file_format {
        write!(text, " | as {}", format.as_str()).expect("a string takes everything");
    }
    for option in &create.options {
        write!(text, " | {}={}", option.key, option.value).expect("a string takes everything");
    }
    if let Some(days) = create.lifecycle_days {
        write!(text, " | {days} d").expect("a string takes everything");
    }
    if create.form == Form::Flink {
        text.push_str(" | flink");
    }
    match &create.source {
        None => {}
        Some(TableSource::Like(name)) => write!(text, " | like {name}").expect("a string takes everything"),
        Some(TableSource::Query(query)) => {
            write!(text, " | {}", show_query(query)).expect("a string takes everything");
        }
    }
    text
}

/// Cases in a file: a script, `->`, what it gives, an empty line. `UPDATE_DIALECT_CASES=1` writes what it gives now.
fn check_file(name: &str, cases: &str) {
    let mut updated = String::new();
    let mut failures = Vec::new();
    for case in cases.split("\n\n").map(|case| case.trim_matches('\n')).filter(|case| !case.is_empty()) {
        if case.lines().all(|line| line.starts_with("# ")) {
            write!(updated, "{case}\n\n").expect("a string takes everything");
            continue;
        }
        let (script, expected) = case.split_once("\n-> ").unwrap_or((case, ""));
        let expected = expected.replace("\n   ", "\n");
        let got = shown(script);
        write!(updated, "{script}\n-> {}\n\n", got.replace('\n', "\n   ")).expect("a string takes everything");
        if got != expected {
            failures.push(format!("{script}\n   expected {expected}\n        got {got}"));
        }
    }
    if std::env::var_os("UPDATE_DIALECT_CASES").is_some() {
        let path = format!("{}/src/dialect/cases/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, format!("{}\n", updated.trim_end())).expect("the cases are writable");
        return;
    }
    assert!(failures.is_empty(), "{} cases of {name}:\n\n{}", failures.len(), failures.join("\n\n"));
}

macro_rules! case_files {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            check_file(stringify!($name), include_str!(concat!("cases/", stringify!($name), ".txt")));
        })*
    };
}

case_files!(
    literals,
    queries,
    time_travel_and_lateral_views,
    inserts,
    create_tables,
    commands,
    refusals,
    mistakes,
    types_of_columns,
    seeds
);

/// Runs `check` where a deep statement would meet a small stack first.
fn on_small_stack(check: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(check).expect("a thread starts");
    thread.join().expect("the check holds");
}

fn error_of(script: &str) -> String {
    let started = std::time::Instant::now();
    let (parsed, unparsed) = parse(script);
    // Others copy and drop statements on small stacks.
    drop(parsed.clone());
    drop(parsed);
    assert!(started.elapsed().as_secs() < 20, "{} took {:?}", &script[..script.len().min(60)], started.elapsed());
    unparsed.map_or_else(|| "fine".into(), |unparsed| unparsed.error.message)
}

#[test]
fn depth_and_size_are_bounded() {
    on_small_stack(|| {
        let check = |script: String, expected: &str| {
            let got = error_of(&script);
            assert!(got.contains(expected), "{}… gave {got}", &script[..script.len().min(60)]);
        };
        check(format!("SELECT 1{}", "+1".repeat(20_000)), "more than 250 operators in a chain");
        check(format!("SELECT 1{}", "+1".repeat(240)), "fine");
        check(format!("SELECT 1 WHERE a=1{}", " OR a=1".repeat(20_000)), "more than 1000 ANDs and ORs");
        check(format!("SELECT 1 WHERE a=1{}", " OR a=1".repeat(900)), "fine");
        let nested = |inner: String| format!("({inner}{})", " AND a=1 OR b=2".repeat(200));
        check(format!("SELECT {}", (0..60).fold("1".to_owned(), |inner, _| nested(inner))), "operators in a chain");
        check(format!("SELECT {}", (0..12).fold("1".to_owned(), |inner, _| nested(inner))), "fine");
        check(format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)), "nested too deeply");
        check(format!("SELECT {}1{}", "(".repeat(60), ")".repeat(60)), "fine");
        check(format!("SELECT {}1{}", "abs(".repeat(5_000), ")".repeat(5_000)), "nested too deeply");
        check(format!("SELECT {}1{}", "CASE WHEN a THEN ".repeat(5_000), " END".repeat(5_000)), "nested too deeply");
        check(format!("SELECT {}1", "- ".repeat(20_000)), "operators in a chain");
        check(format!("SELECT {}1", "NOT ".repeat(20_000)), "operators in a chain");
        check(format!("SELECT {}1", "NOT ".repeat(240)), "fine");
        check(format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(5_000)), "set operations");
        check(format!("SELECT 1{}", " UNION SELECT 1 UNION ALL SELECT 2".repeat(100)), "set operations");
        check(format!("SELECT 1{}", " MINUS SELECT 1".repeat(49)), "fine");
        check(format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(400)), "fine");
        check(format!("SELECT 1 FROM t{}", " JOIN t ON a".repeat(5_000)), "more than 200 joins");
        check(format!("SELECT 1 FROM t{}", " JOIN t ON a".repeat(199)), "fine");
        check(format!("SELECT 1 FROM t{}", ", t".repeat(5_000)), "more than 500 tables");
        let chain = |n: usize| {
            let doubled = |i: usize| format!(", c{i} AS (SELECT * FROM c{0} UNION ALL SELECT * FROM c{0})", i - 1);
            let links: String = (1..n).map(doubled).collect();
            format!("WITH c0 AS (SELECT 1 a){links} SELECT count(*) FROM c{}", n - 1)
        };
        check(chain(25), "more than 2000 tables once its WITH clauses are put in place");
        check(chain(8), "fine");
        check(format!("SELECT * FROM {}t{}", "(".repeat(60), ")".repeat(60)), "fine");
        check(format!("SELECT * FROM {}SELECT 1{}", "(".repeat(80), ")".repeat(80)), "nested too deeply");
        check(format!("SELECT {}1{}", "(SELECT ".repeat(60), ")".repeat(60)), "nested too deeply");
        check(format!("SELECT {}1{}", "(SELECT ".repeat(24), ")".repeat(24)), "fine");
        check(format!("SELECT {}1{}", "abs(".repeat(60), ")".repeat(60)), "fine");
        check(format!("SELECT {}1{}", "CASE WHEN a THEN ".repeat(60), " END".repeat(60)), "fine");
        check(format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(24), ") x".repeat(24)), "fine");
        check(format!("SELECT a[{}0{}", "b[".repeat(5_000), "]".repeat(5_000)), "");
        check(
            format!("CREATE TABLE t (a {}INT{})", "ARRAY<".repeat(5_000), ">".repeat(5_000)),
            "types are nested deeper",
        );
        check(format!("SELECT CAST(a AS {}INT", "ARRAY<".repeat(5_000)), "types are nested deeper");
        check(format!("INSERT INTO t VALUES {}", vec!["(1, 'a')"; 40_000].join(",")), "fine");
        check("SELECT 1;".repeat(501), "more than 500 statements");
        check("x".repeat((4 << 20) + 1), "larger than 4 MB");
        check("EXPLAIN ".repeat(5_000), "EXPLAIN of EXPLAIN");
        check(format!("SELECT '{}'", "\\n".repeat(1 << 20)), "fine");
        check(format!("SELECT {}", "a.".repeat(100_000)), "");
    });
}

/// What the grammar tries twice at each level must not double its work at each level.
#[test]
fn broken_nests_fail_fast() {
    on_small_stack(|| {
        for (open, close) in [
            ("CAST(", " AS INT)"),
            ("TRIM(", ")"),
            ("EXTRACT(DAY FROM ", ")"),
            ("CASE WHEN ", " THEN 1 END"),
            ("EXISTS (SELECT ", ")"),
            ("f(", ")"),
            ("(", ")"),
            ("a IN (", ")"),
            ("a IN (SELECT ", ")"),
            ("(SELECT * FROM (SELECT ", ") x)"),
            ("INTERVAL ", " DAY"),
            ("NOT ", ""),
            ("f(x -> ", ")"),
            ("(x) -> ", ""),
            ("[", "]"),
            ("ARRAY[", "]"),
            ("f(a, (b, ", "))"),
            ("GROUPING SETS ((", "))"),
            ("sum(a) OVER (PARTITION BY ", ")"),
        ] {
            for inner in ["1 1 1", ")", "FROM", "'x' 2 'y'"] {
                for depth in [12, 24, 45] {
                    let script = format!("SELECT {}{inner}{}", open.repeat(depth), close.repeat(depth));
                    error_of(&script);
                    error_of(&format!("SELECT * FROM {}{inner}{}", open.repeat(depth), close.repeat(depth)));
                }
            }
        }
        for doubled in ["((SELECT * FROM ", "(((SELECT 1 FROM ", "((WITH a AS (SELECT 1) SELECT * FROM "] {
            error_of(&format!("SELECT * FROM {}1 1", doubled.repeat(30)));
        }
    });
}

/// A small generator with a fixed seed, so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("less than sides")
    }
}

/// Broken text gives an error, never a panic; and the splitter and the parser see the same statements.
#[test]
fn mutations_do_not_panic() {
    const FILES: [&str; 10] = [
        include_str!("cases/literals.txt"),
        include_str!("cases/queries.txt"),
        include_str!("cases/time_travel_and_lateral_views.txt"),
        include_str!("cases/inserts.txt"),
        include_str!("cases/create_tables.txt"),
        include_str!("cases/commands.txt"),
        include_str!("cases/refusals.txt"),
        include_str!("cases/mistakes.txt"),
        include_str!("cases/types_of_columns.txt"),
        include_str!("cases/seeds.txt"),
    ];
    const BITS: [&str; 30] = [
        "'",
        "\"",
        "`",
        ";",
        "--",
        "/*",
        "*/",
        "(",
        ")",
        ",",
        ".",
        "<",
        ">",
        "\\",
        "\\u12",
        "é",
        "İ",
        "Ⱥ",
        "；",
        "\0",
        "SELECT ",
        " FROM ",
        " AS ",
        " OF ",
        "1e",
        "9999999999999999999999",
        "X'",
        "->",
        "\u{feff}",
        "CAST(",
    ];
    on_small_stack(|| {
        let scripts: Vec<&str> = FILES
            .iter()
            .flat_map(|cases| cases.split("\n\n"))
            .filter_map(|case| case.split_once("\n-> "))
            .map(|(script, _)| script)
            .collect();
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        for round in 0..6_000 {
            let mut script = scripts[round % scripts.len()].to_owned();
            for _ in 0..=dice.roll(3) {
                let at = (0..=script.len())
                    .cycle()
                    .skip(dice.roll(script.len() + 1))
                    .find(|at| script.is_char_boundary(*at));
                let at = at.expect("0 is a boundary");
                let end = (at..=script.len()).filter(|end| script.is_char_boundary(*end)).nth(dice.roll(4));
                match dice.roll(4) {
                    0 => script.replace_range(at..end.unwrap_or(script.len()), ""),
                    1 => script.truncate(at),
                    2 => {
                        let other = scripts[dice.roll(scripts.len())];
                        script.insert_str(at, other);
                    }
                    _ => script.insert_str(at, BITS[dice.roll(BITS.len())]),
                }
            }
            let text = shown(&script);
            let (parsed, unparsed) = parse(&script);
            let spans: Vec<Span> = statements(&script).into_iter().map(|statement| statement.span).collect();
            let got: Vec<Span> = parsed.iter().map(|statement| statement.span).collect();
            assert_eq!(got, spans[..got.len().min(spans.len())], "{script}");
            if unparsed.is_none() {
                assert_eq!(got.len(), spans.len(), "{script}: {text}");
            }
            for statement in &parsed {
                for query in statement.statement.queries() {
                    let mut query = query.clone();
                    query.adapt_names(&["ID", "Data"]);
                    query.lenient_casts();
                }
            }
        }
    });
}

#[test]
fn types_read_back() {
    for text in [
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "decimal(38,18)",
        "char(3)",
        "varchar(20)",
        "string",
        "binary",
        "binary(4)",
        "varbinary(9)",
        "date",
        "datetime",
        "timestamp",
        "timestamp(9)",
        "timestamp_ntz",
        "timestamp_ntz(0)",
        "json",
        "array<int not null>",
        "map<string,array<map<int,date>>>",
        "struct<a:int,`B c`:struct<x:string comment 'it\\'s'>>",
    ] {
        let name = datafusion::sql::sqlparser::ast::Ident::with_quote('"', text);
        let name = datafusion::sql::sqlparser::ast::ObjectName::from(vec![name]);
        let decoded = types::decode(&datafusion::sql::sqlparser::ast::DataType::Custom(name, vec![]));
        assert_eq!(decoded.map(|decoded| decoded.to_string()).as_deref(), Some(text));
    }
}

#[test]
fn adapting_names() {
    let check = |sql: &str, columns: &[&str], expected: &str| {
        let (parsed, unparsed) = parse(sql);
        assert!(unparsed.is_none(), "{sql}");
        let mut query = parsed[0].statement.queries()[0].clone();
        query.adapt_names(columns);
        assert_eq!(query.ast.to_string(), expected);
    };
    check("SELECT id, ID, `Id` FROM t", &["Id"], "SELECT `Id`, `Id` AS `_c1`, `Id` AS `_c2` FROM t");
    check("SELECT a.id FROM t a", &["ID"], "SELECT a.`ID` FROM t a");
    check("SELECT id FROM t", &["id", "ID"], "SELECT id FROM t");
    check("SELECT iD FROM t", &["Id", "ID"], "SELECT iD FROM t");
    check("SELECT 'x' AS id FROM t ORDER BY id", &["ID"], "SELECT 'x' AS id FROM t ORDER BY id");
    check("SELECT * FROM t JOIN u USING (id)", &["ID"], "SELECT * FROM t JOIN u USING(`ID`)");
}

#[test]
fn places() {
    let script = "SET a.b=1;\n\n  SELECT x,\n  'é中', y FROM t";
    let (parsed, unparsed) = parse(script);
    assert!(unparsed.is_none());
    let statement = &parsed[1];
    let text_at = |line, column| statement.span_at(line, column).map(|span| &script[span.start..span.end]);
    assert_eq!(text_at(1, 1), Some("SELECT"));
    assert_eq!(text_at(1, 8), Some("x"));
    assert_eq!(text_at(2, 3), Some("'é中'"));
    assert_eq!(text_at(2, 9), Some("y"));
    assert_eq!(text_at(9, 9), None);
    let at = statement.span_at(2, 9);
    let error = statement.error(ErrorClass::Semantic, at, "column y cannot be resolved");
    assert_eq!(error.message, "ODPS-0130071:[2,9] Semantic analysis exception - column y cannot be resolved");
}
