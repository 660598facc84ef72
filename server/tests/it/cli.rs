use crate::server::*;
use std::process::Output;
use std::time::Duration;

fn check(output: Output, expected: &str, code: i32) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((masked(&output.stdout).as_str(), output.status.code()), (expected, Some(code)), "{stderr}");
}

const SCHEMAS: &str = "SET odps.namespace.schema=true;\nSHOW schemas;\n";
const SCHEMAS_TEXT: &str = "OK\nID = *\ndefault\n\nOK\n";

const READ: &str = "SET odps.sql.allow.fullscan=true;\nSELECT * FROM sample.default.test_tbl;";
const READ_TEXT: &str = "\
OK
ID = *
+------------+------------+------------+
| id         | data       | dt         |
+------------+------------+------------+
| 1          | CCC        | 2024-07-18 |
| 2          | DDD        | 2024-07-18 |
| 3          | EEE        | 2025-06-18 |
+------------+------------+------------+
OK
";

const WRITE: &str = "SET odps.sql.allow.fullscan=true;
INSERT INTO test_tbl PARTITION(dt='2025-08-26') VALUES(4,'FFF');
SELECT * FROM test_tbl;";
const WRITE_TEXT: &str = "\
OK
ID = *
OK
ID = *
+------------+------------+------------+
| id         | data       | dt         |
+------------+------------+------------+
| 1          | CCC        | 2024-07-18 |
| 2          | DDD        | 2024-07-18 |
| 3          | EEE        | 2025-06-18 |
| 4          | FFF        | 2025-08-26 |
+------------+------------+------------+
OK
";

const CREATE: &str = "-- Create a schema.
CREATE schema testschema;
-- Create a table in the new schema.
use schema testschema;
CREATE TABLE table_test(id INT, name STRING);
-- Insert data and verify.
INSERT INTO table_test VALUES (101,'Zhang San'),(102,'Li Si');
SELECT * FROM table_test;";
const CREATE_TEXT: &str = "\
ID = *
OK
OK
ID = *
OK
ID = *
OK
ID = *
+------------+------------+
| id         | name       |
+------------+------------+
| 101        | Zhang San  |
| 102        | Li Si      |
+------------+------------+
OK
";

#[test]
fn the_seed_without_a_server() {
    let place = Place::new();
    check(place.sql("sample", SCHEMAS, "text"), SCHEMAS_TEXT, 0);
    check(place.sql("sample", READ, "text"), READ_TEXT, 0);
    check(place.sql("sample", WRITE, "text"), WRITE_TEXT, 0);
    check(place.sql("sample", CREATE, "text"), CREATE_TEXT, 0);
}

#[test]
fn the_seed_beside_a_server() {
    let place = Place::new();
    let mut server = place.serve();
    check(place.sql("sample", READ, "text"), READ_TEXT, 0);
    check(place.sql("sample", WRITE, "text"), WRITE_TEXT, 0);
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(10)).success());
}

/// `lakedeck sql --server` with input from a file or standard input.
fn remote(server: &Server, args: &[&str]) -> std::process::Command {
    let mut command = lakedeck();
    command.args(["sql", "--server", &server.url, "--user", "root", "--project", "sample"]).args(args);
    command.env("LAKEDECK_PASSWORD", PASSWORD);
    command
}

#[test]
fn the_seed_over_the_network() {
    let place = Place::new();
    let server = place.serve();
    let script = place.folder().join("script.sql");
    std::fs::write(&script, READ).expect("written");
    check(remote(&server, &["-f", script.to_str().expect("UTF-8")]).output().expect("runs"), READ_TEXT, 0);
    let piped = std::fs::File::open(&script).expect("opens");
    check(remote(&server, &[]).stdin(piped).output().expect("runs"), READ_TEXT, 0);
    let refused = |variable: &str, value: &str, expected: &str| {
        let output = remote(&server, &["-e", READ]).env(variable, value).output().expect("runs");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(output.status.code() == Some(1) && output.stdout.is_empty() && message.contains(expected), "{message}");
    };
    refused("LAKEDECK_PASSWORD", "wrong", "The name or the password is wrong.");
    refused("LAKEDECK_TOKEN", "wrong", "the token in LAKEDECK_TOKEN is wrong");
    let mut nowhere = lakedeck();
    nowhere.args(["sql", "--server", "http://127.0.0.1:1", "--project", "sample", "-e", READ]);
    let output = nowhere.env("LAKEDECK_TOKEN", "x").output().expect("runs");
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(message.contains("cannot reach http://127.0.0.1:1/") && message.contains("is a server running there?"));
    let mut without = remote(&server, &["-e", READ]);
    let output = without.env_remove("LAKEDECK_PASSWORD").output().expect("runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("set LAKEDECK_PASSWORD"));
}

#[test]
fn a_failing_statement_stops_the_script() {
    let place = Place::new();
    check(place.sql("sample", ";; -- nothing\n;", "text"), "", 0);
    let output = place.sql("sample", "SELECT 1 AS one;\nSELECT * FROM no_such_table;\nSELECT 2;", "text");
    let text = masked(&output.stdout);
    let (before, after) = text.split_once("FAILED: ").expect("a failure");
    assert!(before.starts_with("ID = *\n+------------+\n| one        |\n"), "{text}");
    assert!(before.ends_with("OK\nID = *\n"), "{text}");
    assert!(after.contains("no_such_table") && after.lines().count() == 1, "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn forms_for_programs() {
    let place = Place::new();
    let sql = "SET odps.sql.allow.fullscan=true; SELECT id, data FROM test_tbl;";
    let output = place.sql("sample", sql, "csv");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "id,data\r\n1,CCC\r\n2,DDD\r\n3,EEE\r\n");
    let output = place.sql("sample", sql, "json");
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(rows[2], serde_json::json!({ "id": "3", "data": "EEE" }));
    let output = place.sql("sample", sql, "arrow");
    assert!(output.stdout.starts_with(b"ARROW1") && output.stdout.ends_with(b"ARROW1"));
    let output = place.sql("sample", "SELECT 1; SELECT 2;", "arrow");
    assert_eq!(output.status.code(), Some(1));
    let output = place.sql("sample", "SELECT * FROM no_such_table", "csv");
    assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("FAILED: "));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_unknown_project_is_told() {
    let place = Place::new();
    let output = place.sql("nowhere", "SELECT 1", "text");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere"));
}

#[tokio::test]
async fn the_owner_lets_themselves_in() {
    let place = Place::new();
    let server = place.serve_with(|command| command);
    let admin = |args: &[&str], password: Option<&str>| {
        let mut command = lakedeck();
        command.arg("admin").args(args).arg("--data-dir").arg(place.data());
        if let Some(password) = password {
            command.env("LAKEDECK_ADMIN_PASSWORD", password);
        }
        command.output().expect("runs")
    };
    let link = admin(&["link"], None);
    let link = String::from_utf8(link.stdout).expect("UTF-8");
    let token =
        link.trim().strip_prefix(&format!("sign in: {}/welcome?token=", server.url)).expect("a link").to_owned();
    let entered = server.form("/session/welcome", &[("token", &token)], None).await;
    assert_eq!(location(&entered), "/");
    let old = cookie(entered.headers());
    assert!(admin(&["password"], Some(PASSWORD)).status.success());
    let session = server.sign_in().await;
    assert!(server.get_with("/", &session).await.status().is_success());
    assert!(server.get_with("/", &old).await.status().is_redirection(), "a new password ends other sessions");
    assert!(!admin(&["password"], Some("short")).status.success());
}

#[tokio::test]
async fn open_makes_what_is_missing() {
    let place = Place::new();
    let server = place.serve();
    let warehouse = place.warehouse("my-lake");
    let open = || {
        let mut command = lakedeck();
        command.arg("open").arg(&warehouse).arg("--no-open").arg("--data-dir").arg(place.data());
        let output = command.output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let first = open();
    assert!(first.starts_with(&format!("open: {}/welcome?token=", server.url)), "{first}");
    assert!(first.trim().ends_with("&next=/projects/my_lake"), "{first}");
    // The second time everything is there.
    assert!(open().trim().ends_with("&next=/projects/my_lake"));
    check(place.sql("my_lake", "SHOW schemas;", "text"), "ID = *\ndefault\n\nOK\n", 0);
}

#[test]
fn a_folder_that_was_opened_stays_permitted() {
    let place = Place::new();
    let mut open = lakedeck();
    open.args(["open", "--listen", "127.0.0.1:0", "--no-open", "--no-sample"]).arg(place.warehouse("my-lake"));
    open.arg("--data-dir").arg(place.data()).env("HOME", place.data());
    let mut server = Server::spawn(open);
    assert!(std::iter::from_fn(|| Some(server.line())).any(|line| line.starts_with("open: ")));
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(10)).success());
    let mut sql = lakedeck();
    sql.args(["sql", "--project", "my_lake", "-e", "CREATE TABLE t(a INT);", "--data-dir"]).arg(place.data());
    check(sql.env("HOME", place.data()).output().expect("runs"), "ID = *\nOK\n", 0);

    // What an option says is permitted is all that is.
    let mut refused = lakedeck();
    refused.args(["open", "--listen", "127.0.0.1:0", "--no-open", "--no-sample"]).arg(place.warehouse("other"));
    refused.arg("--data-dir").arg(place.data()).arg("--allowed-roots").arg(place.data());
    let refused = refused.output().expect("runs");
    let message = String::from_utf8(refused.stderr).expect("UTF-8");
    assert!(!refused.status.success() && message.contains("outside the permitted roots"), "{message}");
}
