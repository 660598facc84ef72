//! What a crash, a full disk or a failing one leaves behind: nothing half, and nothing acknowledged missing.

use crate::actor::{Order, PRIMING, Report, Task};
use crate::support::{LocalLake, Pypaimon, append, full, ids, plain_schema, rows};
use lake::{CommitError, OverwriteScope};
use ports::lake::{LakeCatalog as _, LakeError};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Calls that look at files or change them, and whether the actor's file thread makes many of them before its work, which
/// it does with those that the start of a process makes too. strace counts each kind of call of each thread by itself.
const FILE_CALLS: [(&str, bool); 14] = [
    ("pwrite64", false),
    ("fsync", false),
    ("linkat", false),
    ("rename", false),
    ("unlink", false),
    ("mkdir", false),
    ("openat", true),
    ("write", true),
    ("read", true),
    ("pread64", false),
    ("getdents64", false),
    ("newfstatat", false),
    ("ftruncate", false),
    ("statx", true),
];
/// Without looking at files: that is done once for each file in a folder, and killed ALTERs and CREATEs add some.
const FILE_CALLS_BUT_STAT: &[(&str, bool)] = FILE_CALLS.split_at(FILE_CALLS.len() - 1).0;
/// Calls that a failing or full disk refuses; not `write`, which also wakes threads.
const REFUSABLE_CALLS: [(&str, bool); 6] =
    [("pwrite64", false), ("fsync", false), ("linkat", false), ("rename", false), ("mkdir", false), ("openat", true)];
/// More calls of a kind than this no task makes.
const POINTS_MAX: usize = 1_000;

/// One moment in the work of an actor: its `n`th call of a kind.
#[derive(Clone, Copy, Debug)]
struct Moment {
    call: &'static str,
    n: usize,
    is_primed: bool,
    /// Counts all moments, so that each has rows or names of its own.
    index: usize,
}

impl Moment {
    /// strace that does `fault` at that moment; `from_there_on` at all calls of the kind that follow.
    fn strace(&self, fault: &str, from_there_on: bool, log: &Path) -> Vec<String> {
        let when = self.n + if self.is_primed { PRIMING } else { 0 };
        let plus = if from_there_on { "+" } else { "" };
        let inject = format!("inject={}:{fault}:when={when}{plus}", self.call);
        let log = log.to_string_lossy();
        ["-f", "-o", &*log, "-e", &format!("trace={}", self.call), "-e", &inject].map(str::to_owned).to_vec()
    }
}

/// How many calls of a kind are left out between two that are tried.
fn step(call: &str) -> usize {
    match call {
        _ if full() => 1,
        "linkat" | "rename" | "unlink" => 1,
        "pwrite64" | "fsync" | "mkdir" => 4,
        _ => 29,
    }
}

fn order(lake: &LocalLake, table: &str, task: Task) -> Order {
    Order { warehouse: lake.uri(), s3_endpoint: None, table: table.into(), task }
}

/// Runs a task with a fault at one call after the other until it makes no such call any more, for each kind of call.
/// `after` is told how each run ended, and whether it met the fault. Tells how many faults there were.
async fn at_every_call(
    calls: &[(&'static str, bool)],
    fault: &str,
    from_there_on: bool,
    mut task: impl FnMut(Moment) -> Order,
    mut after: impl AsyncFnMut(Moment, Report),
) -> usize {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let (mut points, mut index) = (0, 0);
    for (call, is_primed) in calls.iter().copied() {
        let mut n = 1;
        loop {
            index += 1;
            let moment = Moment { call, n, is_primed, index };
            let report = task(moment).run(&moment.strace(fault, from_there_on, log.path()));
            let is_done = report.is_success && report.errors.is_empty() && !report.acknowledged.is_empty();
            after(moment, report).await;
            let traced = std::fs::read(log.path()).expect("what strace saw");
            let traced = String::from_utf8_lossy(&traced);
            if !traced.contains("(INJECTED)") && !traced.contains("killed by SIGKILL") {
                assert!(is_done, "{moment:?}: without a fault the task is done");
                break;
            }
            points += 1;
            n += step(call);
            assert!(n < POINTS_MAX, "the task never gets through {call}");
        }
    }
    assert!(points > 0, "no fault was met");
    points
}

/// The rows of a table as a process sees it that has just started.
async fn fresh_ids(folder: &Path, table: &str) -> BTreeSet<i64> {
    let lake = LocalLake::at(folder).await;
    let table = lake.catalog.load_table("default", table).await.expect("the table opens");
    ids(&table).await.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_inserts_are_whole_or_absent() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[-1], "first")).await.expect("a commit");
    let mut pypaimon = Pypaimon::local(&lake.folder);
    let mut known = BTreeSet::from([-1]);
    let first = |moment: Moment| moment.index as i64 * 10;
    let task = |moment| order(&lake, "t", Task::Insert { first: first(moment), count: 3 });
    let points = at_every_call(&FILE_CALLS, "signal=KILL", false, task, async |moment, report| {
        let first = first(moment);
        let inserted: BTreeSet<i64> = (first..first + 3).collect();
        let found = fresh_ids(&lake.folder, "t").await;
        let news: BTreeSet<i64> = found.difference(&known).copied().collect();
        assert!(found.is_superset(&known), "{moment:?}: acknowledged rows are missing");
        assert!(news.is_empty() || news == inserted, "{moment:?}: a part of the statement is there: {news:?}");
        assert!(report.acknowledged.is_empty() || news == inserted, "{moment:?}: acknowledged but not there");
        known = found;
        assert_eq!(pypaimon.ids("default.t"), known.iter().copied().collect::<Vec<_>>(), "{moment:?}");
        // A lock or a leftover that stops the next writer would show here.
        append(&lake.catalog, &table, &rows(&[first + 9], "next")).await.expect("the next commit");
        known.insert(first + 9);
    });
    println!("INSERT: {} points", points.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_overwrites_leave_the_old_or_the_new_rows() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[-1], "first")).await.expect("a commit");
    let mut before = BTreeSet::from([-1]);
    let first = |moment: Moment| moment.index as i64 * 10;
    let task = |moment| order(&lake, "t", Task::Overwrite { first: first(moment), count: 3 });
    let points = at_every_call(FILE_CALLS_BUT_STAT, "signal=KILL", false, task, async |moment, report| {
        let written: BTreeSet<i64> = (first(moment)..first(moment) + 3).collect();
        let found = fresh_ids(&lake.folder, "t").await;
        assert!(found == before || found == written, "{moment:?}: {found:?}");
        assert!(report.acknowledged.is_empty() || found == written, "{moment:?}: acknowledged but not there");
        before = found;
    });
    println!("INSERT OVERWRITE: {} points", points.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_alters_are_whole_or_absent() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[-1], "first")).await.expect("a commit");
    let mut pypaimon = Pypaimon::local(&lake.folder);
    let mut columns = 2;
    let prefix = |moment: Moment| format!("c{}_", moment.index);
    let task = |moment| order(&lake, "t", Task::AddColumns { prefix: prefix(moment), count: 1 });
    let points = at_every_call(FILE_CALLS_BUT_STAT, "signal=KILL", false, task, async |moment, report| {
        let fresh = LocalLake::at(&lake.folder).await;
        let table = fresh.catalog.load_table("default", "t").await.expect("the table opens");
        let found = table.schema().fields().len();
        let is_there = table.schema().fields().iter().any(|field| field.name() == format!("{}0", prefix(moment)));
        assert_eq!(found, columns + usize::from(is_there), "{moment:?}");
        assert!(report.acknowledged.is_empty() || is_there, "{moment:?}: acknowledged but not there");
        columns = found;
        assert_eq!(ids(&table).await, [-1]);
        assert_eq!(pypaimon.ids("default.t"), [-1], "{moment:?}");
    });
    println!("ALTER: {} points", points.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_creations_do_not_block_the_name() {
    let lake = LocalLake::new().await;
    let name = |moment: Moment| format!("t{}", moment.index);
    let task = |moment| order(&lake, &name(moment), Task::Create);
    let points = at_every_call(FILE_CALLS_BUT_STAT, "signal=KILL", false, task, async |moment, report| {
        let fresh = LocalLake::at(&lake.folder).await;
        fresh.catalog.tables("default").await.expect("the schema lists");
        let table = match fresh.catalog.create_table("default", &name(moment), plain_schema()).await {
            Ok(table) => {
                assert!(report.acknowledged.is_empty(), "{moment:?}: acknowledged but not there");
                table
            }
            Err(LakeError::AlreadyExists(_)) => {
                fresh.catalog.load_table("default", &name(moment)).await.expect("a table")
            }
            Err(error) => panic!("{moment:?}: {error}"),
        };
        append(&fresh.catalog, &table, &rows(&[1], "next")).await.expect("a commit");
        assert_eq!(ids(&table).await, [1]);
    });
    println!("CREATE: {} points", points.await);
}

/// One call fails with an input/output error, or all calls from one on find no space.
#[tokio::test(flavor = "multi_thread")]
async fn failing_disks_give_clear_errors_and_readable_tables() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[-1], "first")).await.expect("a commit");
    let mut pypaimon = Pypaimon::local(&lake.folder);
    let mut known = BTreeSet::from([-1]);
    let mut first = 0;
    // A full disk refuses no file to be read, and strace cannot tell who reads: `openat` comes last and is left out.
    let full_disk = &REFUSABLE_CALLS[..REFUSABLE_CALLS.len() - 1];
    let faults =
        [("EIO", "input/output error", false, &REFUSABLE_CALLS[..]), ("ENOSPC", "no space is left", true, full_disk)];
    for (code, words, from_there_on, calls) in faults {
        let base = first + 10;
        let first_of = |moment: Moment| base + moment.index as i64 * 10;
        let task = |moment| order(&lake, "t", Task::Insert { first: first_of(moment), count: 3 });
        let fault = format!("error={code}");
        let mut absorbed = Vec::new();
        let points = at_every_call(calls, &fault, from_there_on, task, async |moment, report| {
            first = first_of(moment);
            let found = fresh_ids(&lake.folder, "t").await;
            let news: Vec<i64> = found.difference(&known).copied().collect();
            assert!(found.is_superset(&known), "{code} at {moment:?}: acknowledged rows are missing");
            assert!(news.is_empty() || news == [first, first + 1, first + 2], "{code} at {moment:?}: half: {news:?}");
            match (report.acknowledged.is_empty(), report.errors.as_slice()) {
                (false, []) => {
                    assert!(!news.is_empty(), "{code} at {moment:?}: acknowledged but not there");
                    absorbed.push((moment.call, moment.n));
                }
                (true, [why]) => {
                    assert!(news.is_empty(), "{code} at {moment:?}: `{why}` but the rows are there");
                    assert!(why.contains(words), "{code} at {moment:?}: unclear: {why}");
                }
                // The process itself could not start.
                (true, []) => assert!(!report.is_success, "{code} at {moment:?}: neither done nor failed"),
                other => panic!("{code} at {moment:?}: {other:?}"),
            }
            known = found;
        });
        let points = points.await;
        println!("{code}: {points} points; without consequence: {absorbed:?}");
        assert_eq!(pypaimon.ids("default.t"), known.iter().copied().collect::<Vec<_>>());
        append(&lake.catalog, &table, &rows(&[first + 9], "next")).await.expect("works again");
        known.insert(first + 9);
    }
}

/// A small file system of its own, if this user may mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, megabytes: usize) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Left mounted it is gone with the machine's next start.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_writers_only_as_long_as_it_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(folder.path(), 2) else {
        println!("skipped: this user may not mount a file system");
        return;
    };
    let warehouse = disk.0.join("warehouse");
    std::fs::create_dir(&warehouse).expect("a folder");
    let lake = LocalLake::at(&warehouse).await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[0], "first")).await.expect("a commit");
    let mut known = vec![0];
    let filler = disk.0.join("filler");
    let (mut refused, step) = (0, if full() { 1 } else { 3 });
    for pages_left in (0..30).step_by(step) {
        fill(&filler, pages_left);
        let id = pages_left as i64 + 1;
        match append(&lake.catalog, &table, &rows(&[id], "full")).await {
            Ok(_) => known.push(id),
            Err(CommitError::Lake(error)) => {
                refused += 1;
                assert!(error.to_string().contains("no space is left"), "{pages_left} pages left: {error}");
            }
            Err(error) => panic!("{pages_left} pages left: {error}"),
        }
        assert_eq!(ids(&table).await, known, "{pages_left} pages left");
        std::fs::remove_file(&filler).expect("removed");
    }
    assert!(refused > 0);
    append(&lake.catalog, &table, &rows(&[100], "free")).await.expect("works again");
    known.push(100);
    assert_eq!(ids(&table).await, known);
    drop((lake, disk));
}

/// Leaves this many pages of 4 KiB on a disk.
fn fill(filler: &Path, pages_left: usize) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(filler).expect("a file");
    let page = [7_u8; 4096];
    let mut pages = 0;
    while file.write_all(&page).is_ok() {
        pages += 1;
    }
    file.set_len(4096 * u64::try_from(pages - pages_left.min(pages)).expect("small")).expect("shorter");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_that_were_interrupted_are_finished() {
    use crate::commits::make_bucket;
    let moto = testkit::moto::Moto::start();
    let warehouse = make_bucket(&moto).await;
    let catalog = crate::support::open(&moto.connection(), None, &warehouse).await;
    let table = catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&catalog, &table, &rows(&[1], "old")).await.expect("a commit");
    // The state after the schema file went and before the rest did.
    let files = catalog.storage().operator();
    files.write("default.db/t/.dropped", "").await.expect("a marker");
    files.delete("default.db/t/schema/schema-0").await.expect("deleted");
    assert!(catalog.tables("default").await.expect("a list").is_empty());
    assert!(matches!(catalog.load_table("default", "t").await, Err(LakeError::Invalid(_))));
    let table = catalog.create_table("default", "t", plain_schema()).await.expect("the name is free");
    assert_eq!(ids(&table).await, Vec::<i64>::new());
    append(&catalog, &table, &rows(&[2], "new")).await.expect("a commit");

    files.write("default.db/t/.dropped", "").await.expect("a marker");
    files.delete("default.db/t/schema/schema-0").await.expect("deleted");
    assert_eq!(catalog.sweep().await.expect("swept"), 1);
    assert_eq!(catalog.overview().await.expect("an overview").stray_count, 0);
    let truncate = lake::Change::Truncate { scope: OverwriteScope::Table, commit_user: lake::commit_user() };
    assert!(matches!(catalog.commit(&table, truncate, None).await, Err(CommitError::Conflict(_))));
}
