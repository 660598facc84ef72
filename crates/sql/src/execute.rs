//! Where statements run: the engine's own threads, memory, spill folder and clock. HTTP workers never run engine code.

use crate::error::{Class, TOO_LARGE, failed};
use datafusion::common::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use futures::FutureExt;
use ports::sql_engine::{SqlError, StatementLimits};
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Planning recurses once per level of an expression; the stack is virtual memory until it is used.
const STACK_BYTES: usize = 32 << 20;
/// How long a cancelled statement may take to notice it, before its caller is answered without it.
const CANCEL_PATIENCE: Duration = Duration::from_millis(1_500);
/// Memory that no statement is given less of: below it nothing can be sorted or merged.
const STATEMENT_BYTES_MIN: u64 = 16 << 20;
/// Spill files of one statement at most.
const SPILL_BYTES_MAX: u64 = 100 << 30;

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Memory for all statements together; by default 60 % of the machine's.
    pub memory_bytes: Option<u64>,
    /// Where sorts and joins that do not fit put their rows.
    pub spill_dir: PathBuf,
    /// The zone of sessions and projects that name none.
    pub timezone: String,
    /// By default one per core.
    pub threads: Option<usize>,
}

impl EngineOptions {
    pub fn new(spill_dir: impl Into<PathBuf>) -> Self {
        Self { memory_bytes: None, spill_dir: spill_dir.into(), timezone: "UTC".into(), threads: None }
    }
}

/// The engine's runtime and what its statements share.
pub(crate) struct Executor {
    /// Taken when the executor is dropped.
    runtime: Option<Runtime>,
    memory: Arc<dyn MemoryPool>,
    memory_bytes: u64,
    spill_dir: PathBuf,
    threads: usize,
}

impl Executor {
    pub(crate) fn start(options: &EngineOptions) -> io::Result<Self> {
        let threads = match options.threads {
            Some(threads) => threads.max(1),
            None => std::thread::available_parallelism().map_or(2, |n| n.get()),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("sql")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        let memory_bytes = options.memory_bytes.unwrap_or_else(|| machine_memory_bytes() / 10 * 6);
        std::fs::create_dir_all(&options.spill_dir)?;
        remove_old_spills(&options.spill_dir)?;
        let memory = Arc::new(GreedyMemoryPool::new(usize::try_from(memory_bytes).unwrap_or(usize::MAX)));
        Ok(Self { runtime: Some(runtime), memory, memory_bytes, spill_dir: options.spill_dir.clone(), threads })
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime is there until drop")
    }

    /// Memory and spill folder of one statement. Its stores are added to the registry by the caller.
    pub(crate) fn runtime_env(
        &self,
        share_bytes: u64,
        registry: Arc<dyn datafusion::execution::object_store::ObjectStoreRegistry>,
    ) -> Result<Arc<RuntimeEnv>, DataFusionError> {
        let share = share_bytes.clamp(STATEMENT_BYTES_MIN, self.memory_bytes.max(STATEMENT_BYTES_MIN));
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![self.spill_dir.clone()]))
            .with_max_temp_directory_size(SPILL_BYTES_MAX);
        RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(StatementPool::new(share, &self.memory)))
            .with_disk_manager_builder(disk)
            .with_object_store_registry(registry)
            .build_arc()
    }

    /// Runs a statement: answers when it is done, cancelled or out of time, whatever it is doing.
    pub(crate) async fn run<T, F>(
        &self,
        limits: StatementLimits,
        cancel: CancellationToken,
        work: impl FnOnce(Arc<Running>) -> F,
    ) -> Result<T, SqlError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SqlError>> + Send + 'static,
    {
        let running = Arc::new(Running { stop: cancel.child_token(), fate: AtomicU8::new(OPEN) });
        // A caller that goes away takes its statement with it.
        let _stop_on_drop = running.stop.clone().drop_guard();
        let work = AssertUnwindSafe(work(Arc::clone(&running))).catch_unwind();
        let mut task = self.runtime().spawn(work);
        let out_of_time = tokio::select! {
            done = &mut task => return settled(done),
            () = cancel.cancelled() => false,
            () = tokio::time::sleep(Duration::from_secs(limits.seconds)) => true,
        };
        running.stop.cancel();
        let stopped = || {
            if out_of_time {
                let seconds = limits.seconds;
                failed(Class::Limit, format!("the statement ran longer than {seconds} seconds and was stopped"))
            } else {
                SqlError::Cancelled
            }
        };
        let done = match tokio::time::timeout(CANCEL_PATIENCE, &mut task).await {
            Ok(done) => done,
            // It is busy and will notice later; from now on it cannot publish.
            Err(_) if running.give_up() => return Err(stopped()),
            // It is publishing, which ends by itself.
            Err(_) => task.await,
        };
        match settled(done) {
            Err(SqlError::Cancelled) => Err(stopped()),
            outcome => outcome,
        }
    }

    /// Runs something short that may block on files.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, SqlError> {
        match self.runtime().spawn_blocking(move || std::panic::catch_unwind(AssertUnwindSafe(work))).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => Err(panicked(panic.as_ref())),
            Err(_) => Err(SqlError::Cancelled),
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Waiting for threads inside an async context would panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

type Settled<T> = Result<Result<Result<T, SqlError>, Box<dyn Any + Send>>, tokio::task::JoinError>;

fn settled<T>(done: Settled<T>) -> Result<T, SqlError> {
    match done {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(panicked(panic.as_ref())),
        Err(_) => Err(SqlError::Cancelled),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> SqlError {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    if text.contains("offset overflow") {
        return failed(Class::Limit, TOO_LARGE);
    }
    tracing::error!(panic = %text, "a statement panicked");
    failed(Class::Internal, "the engine could not execute this statement; the log has the details")
}

const OPEN: u8 = 0;
const PUBLISHING: u8 = 1;
const GIVEN_UP: u8 = 2;

/// A statement while it runs. Between "may still be cancelled" and "is being published" there is one atomic step.
pub(crate) struct Running {
    stop: CancellationToken,
    fate: AtomicU8,
}

impl Running {
    /// Waits for the work unless the statement is cancelled first; then the work is dropped.
    pub(crate) async fn until_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, SqlError>>,
    ) -> Result<T, SqlError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(SqlError::Cancelled),
            outcome = work => outcome,
        }
    }

    /// Asked before a step that leaves something behind.
    pub(crate) fn still_wanted(&self) -> Result<(), SqlError> {
        if self.stop.is_cancelled() { Err(SqlError::Cancelled) } else { Ok(()) }
    }

    /// From here on the statement can no longer be cancelled. Refused if it already was.
    pub(crate) fn begin_publishing(&self) -> Result<(), SqlError> {
        if self.stop.is_cancelled() {
            return Err(SqlError::Cancelled);
        }
        match self.fate.compare_exchange(OPEN, PUBLISHING, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(PUBLISHING) => Ok(()),
            Err(_) => Err(SqlError::Cancelled),
        }
    }

    fn give_up(&self) -> bool {
        self.fate.compare_exchange(OPEN, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// One statement's share of the memory, inside the memory of all. What can spill divides half of the share, and merges of
/// what was spilled are bounded too: neither may fill the share to the brim, for what comes behind them cannot spill and
/// would fail (as it does, now and then, in DataFusion's own fair pool).
struct StatementPool {
    state: Mutex<Reserved>,
    share_bytes: usize,
    total: MemoryReservation,
}

/// DataFusion's name of merges of spilled runs. They open as many runs at once as they are given memory for, and
/// would leave none to the merge behind them.
const MERGE: &str = "ExternalSorterMerge";

#[derive(Debug, Default)]
struct Reserved {
    bytes: usize,
    /// Consumers that can spill.
    n_spilling: usize,
}

impl StatementPool {
    fn new(share_bytes: u64, total: &Arc<dyn MemoryPool>) -> Self {
        Self {
            state: Mutex::default(),
            share_bytes: usize::try_from(share_bytes).unwrap_or(usize::MAX),
            total: MemoryConsumer::new("statement").register(total),
        }
    }

    fn state(&self) -> MutexGuard<'_, Reserved> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StatementPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementPool").field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Display for StatementPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement({} of {} bytes)", self.state().bytes, self.share_bytes)
    }
}

impl MemoryPool for StatementPool {
    fn name(&self) -> &str {
        "statement"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state().n_spilling += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.state().n_spilling -= usize::from(consumer.can_spill());
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.state().bytes += additional;
        self.total.grow(additional);
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        self.state().bytes -= shrink;
        self.total.shrink(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<(), DataFusionError> {
        let mut state = self.state();
        let consumer = reservation.consumer();
        let own_max = if consumer.can_spill() {
            self.share_bytes / 2 / state.n_spilling.max(1)
        } else if consumer.name().starts_with(MERGE) {
            self.share_bytes / 2 / (state.n_spilling + 1)
        } else {
            self.share_bytes
        };
        let has_room = reservation.size().saturating_add(additional) <= own_max
            && state.bytes.saturating_add(additional) <= self.share_bytes;
        if !has_room {
            let text = format!("{} needs {additional} bytes more than the statement's share leaves", consumer.name());
            return Err(DataFusionError::ResourcesExhausted(text));
        }
        self.total.try_grow(additional)?;
        state.bytes += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.state().bytes
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.share_bytes)
    }
}

/// Removes what statements of an earlier process spilled, and nothing else that may lie there.
fn remove_old_spills(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("datafusion-") && entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The memory of the machine or of the control group around us, whichever is less.
fn machine_memory_bytes() -> u64 {
    const UNKNOWN: u64 = 4 << 30;
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    });
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    match (machine, group) {
        (Some(machine), Some(group)) => machine.min(group),
        (Some(bytes), None) | (None, Some(bytes)) => bytes,
        (None, None) => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const LIMITS: StatementLimits =
        StatementLimits { memory_bytes: 1 << 30, result_rows: 10, result_bytes: 10, seconds: 1 };

    fn executor(folder: &tempfile::TempDir) -> Executor {
        Executor::start(&EngineOptions { threads: Some(2), ..EngineOptions::new(folder.path().join("spill")) }).unwrap()
    }

    #[tokio::test]
    async fn a_busy_statement_is_given_up_and_cannot_publish() {
        let folder = tempfile::tempdir().unwrap();
        let executor = executor(&folder);
        let cancel = CancellationToken::new();
        cancel.cancel();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let start = Instant::now();
        let outcome: Result<(), _> = executor
            .run(LIMITS, cancel, |running| async move {
                std::thread::sleep(Duration::from_secs(3));
                let _ = sender.send(running.begin_publishing().is_ok());
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(SqlError::Cancelled)));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert!(!receiver.await.unwrap());
    }

    #[tokio::test]
    async fn time_runs_out() {
        let folder = tempfile::tempdir().unwrap();
        let outcome: Result<(), _> = executor(&folder)
            .run(LIMITS, CancellationToken::new(), |running| async move {
                running.until_stopped(futures::future::pending()).await
            })
            .await;
        let expected = "ODPS-0010013:[0,0] Resource limit - the statement ran longer than 1 seconds and was stopped";
        assert_eq!(outcome.unwrap_err().to_string(), expected);
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let outcome: Result<(), _> =
            executor(&folder).run(LIMITS, CancellationToken::new(), |_| async { panic!("boom") }).await;
        assert!(outcome.unwrap_err().to_string().starts_with("ODPS-0010000"));
    }

    #[test]
    fn what_cannot_spill_finds_room_beside_what_can() {
        let whole: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1_000));
        let pool: Arc<dyn MemoryPool> = Arc::new(StatementPool::new(100, &whole));
        let sort = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        let merge = MemoryConsumer::new("merge").register(&pool);
        assert!(sort.try_grow(51).is_err());
        assert!(sort.try_grow(50).is_ok());
        assert!(merge.try_grow(51).is_err());
        assert!(merge.try_grow(50).is_ok());
        assert_eq!((whole.reserved(), pool.reserved()), (100, 100));
    }

    #[test]
    fn a_share_counts_in_the_whole() {
        let whole: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(100));
        let pool = |bytes| -> Arc<dyn MemoryPool> { Arc::new(StatementPool::new(bytes, &whole)) };
        let (first, second) = (pool(80), pool(80));
        let a = MemoryConsumer::new("a").register(&first);
        let b = MemoryConsumer::new("b").register(&second);
        assert!(a.try_grow(81).is_err());
        assert!(a.try_grow(60).is_ok());
        assert!(b.try_grow(60).is_err());
        assert_eq!((whole.reserved(), second.reserved()), (60, 0));
        drop(a);
        assert!(b.try_grow(60).is_ok());
    }
}
