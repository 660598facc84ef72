//! Log lines on stderr and the Prometheus recorder.

use crate::config::{LogFormat, LogOptions};
use crate::data_dir::DataDir;
use crate::log_file::LogFile;
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use std::sync::Mutex;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Starts logging, on standard error and into the data directory of the process that owns one. Standard output stays
/// free for what scripts read.
pub fn log(options: &LogOptions, directory: Option<&DataDir>) -> anyhow::Result<()> {
    // These two shout at every wrong password and at every cookie of an ended session; the service logs both.
    let filter = format!("axum_login=off,tower_sessions=error,{}", options.log);
    let filter = EnvFilter::try_new(filter).context("--log (or LAKEDECK_LOG) is no filter")?;
    let json = || fmt::layer().json().flatten_event(true).with_current_span(false);
    let mut outputs = vec![match options.log_format {
        LogFormat::Json => json().with_writer(std::io::stderr).boxed(),
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            fmt::layer().with_target(false).with_ansi(ansi).with_writer(std::io::stderr).boxed()
        }
    }];
    if let Some(directory) = directory {
        let file = LogFile::open(directory.private_folder("logs")?)?;
        // A full disk is no reason to fill the other output.
        outputs.push(json().log_internal_errors(false).with_writer(Mutex::new(file)).boxed());
    }
    // This library prints the credentials that it signs with when it is asked for details: it never is.
    let discreet = filter_fn(|about| !(about.target().starts_with("reqsign") && *about.level() > Level::INFO));
    tracing_subscriber::registry().with(filter).with(discreet).with(outputs).init();
    Ok(())
}

/// Seconds from a blink to the longest statement.
const DURATION_BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 600.0, 3600.0];

/// Installs the recorder; the handle renders what `/metrics` answers.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), &DURATION_BUCKETS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!("lakedeck_request_count_total", "Requests answered, by route, method and status.");
    describe_histogram!("lakedeck_request_duration_seconds", "Time until the head of an answer, by route.");
    describe_gauge!("lakedeck_connection_open_count", "Connections that are open.");
    describe_gauge!("lakedeck_run_active_count", "Scripts that run or wait for their turn.");
    describe_gauge!("lakedeck_statement_running_count", "Statements that run.");
    describe_histogram!("lakedeck_statement_duration_seconds", "Run time of statements, by verb and outcome.");
    describe_counter!("lakedeck_commit_count_total", "Snapshots that statements published.");
    describe_gauge!("lakedeck_process_start_seconds", "When the process started, seconds since 1970.");
    describe_gauge!("lakedeck_build_info", "Always 1; the version is a label.");
    metrics::gauge!("lakedeck_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::gauge!("lakedeck_process_start_seconds").set(jiff::Timestamp::now().as_millisecond() as f64 / 1000.0);
}
