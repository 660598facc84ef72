//! What `lakedeck` is told by arguments and environment. Passed down, never global.

use clap::builder::FalseyValueParser;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use model::secret::Secret;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// A console, SQL engine and catalog service for Apache Paimon lakehouses.
#[derive(Debug, Parser)]
#[command(name = "lakedeck", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What the process was started with; ends it where that is not understood.
    pub fn parse_arguments() -> Self {
        let matches = Self::command().get_matches();
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if let (Command::Sql(options), Some((_, given))) = (&mut cli.command, matches.subcommand()) {
            let typed = |option| given.value_source(option) == Some(ValueSource::CommandLine);
            if typed("data_dir") && !typed("server") {
                options.server = None;
            }
        }
        cli
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the console.
    Serve(ServeOptions),
    /// Run SQL from a script or a terminal.
    Sql(SqlOptions),
    /// Make a source and a project for a warehouse and open the console there.
    Open(OpenOptions),
    /// Look after a data directory.
    Admin(AdminOptions),
}

/// Options of `lakedeck serve`; each can also be given as `LAKEDECK_<OPTION>`.
#[derive(Args, Clone, Debug)]
pub struct ServeOptions {
    /// Address and port; port 0 picks a free one.
    #[arg(long, env = "LAKEDECK_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub data: DataOptions,
    /// The address that people use when a proxy with TLS stands in front, e.g. https://lake.example.com.
    #[arg(long, env = "LAKEDECK_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// Do not open a browser.
    #[arg(long, env = "LAKEDECK_NO_OPEN", value_parser = FalseyValueParser::new())]
    pub no_open: bool,
    #[command(flatten)]
    pub log: LogOptions,
}

/// What every way to open a data directory needs.
#[derive(Args, Clone, Debug)]
pub struct DataOptions {
    /// Where the metadata, the master key, results, logs and the sample lake lie
    /// [default: $XDG_DATA_HOME/lakedeck].
    #[arg(long, env = "LAKEDECK_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Folders that local warehouses may lie in [default: home and data directory while listening on loopback, else the
    /// data directory].
    #[arg(long, env = "LAKEDECK_ALLOWED_ROOTS", value_delimiter = ',', value_name = "DIR,…")]
    pub allowed_roots: Vec<PathBuf>,
    /// Hosts that are exempt from the rules for outbound connections.
    #[arg(long, env = "LAKEDECK_ALLOW_HOSTS", value_delimiter = ',', value_name = "HOST,…")]
    pub allow_hosts: Vec<String>,
    /// Leave out the sample data source, project and table at the first start.
    #[arg(long, env = "LAKEDECK_NO_SAMPLE", value_parser = FalseyValueParser::new())]
    pub no_sample: bool,
    #[command(flatten)]
    pub limits: Limits,
}

/// Bounds of everything; reaching one is an answer, not a failure.
#[derive(Args, Clone, Debug)]
pub struct Limits {
    /// Rows of one result.
    #[arg(long, env = "LAKEDECK_STATEMENT_ROWS_MAX", default_value_t = 10_000_000, value_name = "N")]
    pub statement_rows_max: u64,
    /// Run time of one statement.
    #[arg(long, env = "LAKEDECK_STATEMENT_SECONDS_MAX", default_value_t = 3_600, value_name = "SECONDS")]
    pub statement_seconds_max: u64,
    /// Statements that run at the same time; more wait.
    #[arg(long, env = "LAKEDECK_STATEMENTS_RUNNING_MAX", default_value_t = 8, value_name = "N")]
    pub statements_running_max: u32,
    /// Statements that wait for their turn; more are refused.
    #[arg(long, env = "LAKEDECK_STATEMENTS_QUEUED_MAX", default_value_t = 200, value_name = "N")]
    pub statements_queued_max: u32,
    /// Memory of all statements together, bytes [default: 60 % of the machine's].
    #[arg(long, env = "LAKEDECK_MEMORY_BYTES_MAX", value_name = "BYTES")]
    pub memory_bytes_max: Option<u64>,
    /// Size of one result on disk.
    #[arg(long, env = "LAKEDECK_RESULT_BYTES_MAX", default_value_t = 4 << 30, value_name = "BYTES")]
    pub result_bytes_max: u64,
    /// Size of one request. A script has at most 4 MB, whatever it grows to on its way.
    #[arg(long, env = "LAKEDECK_BODY_BYTES_MAX", default_value_t = 16 << 20, value_name = "BYTES")]
    pub body_bytes_max: usize,
    /// Time until a request must be answered; streams of events and downloads are exempt.
    #[arg(long, env = "LAKEDECK_REQUEST_SECONDS_MAX", default_value_t = 60, value_name = "SECONDS")]
    pub request_seconds_max: u64,
    /// Connections that are open at the same time; more wait.
    #[arg(long, env = "LAKEDECK_CONNECTIONS_MAX", default_value_t = 1_024, value_name = "N")]
    pub connections_max: usize,
}

impl Limits {
    pub fn request_time(&self) -> Duration {
        Duration::from_secs(self.request_seconds_max)
    }
}

#[derive(Args, Clone, Debug)]
pub struct LogOptions {
    /// How log lines on stderr look. The file `logs/lakedeck.log` in the data directory has the same lines as JSON.
    #[arg(long, env = "LAKEDECK_LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,
    /// What is logged, e.g. `info` or `info,service=debug`.
    #[arg(long, env = "LAKEDECK_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Options of `lakedeck sql`. Passwords and tokens come from `LAKEDECK_PASSWORD` and `LAKEDECK_TOKEN`.
#[derive(Args, Clone, Debug)]
pub struct SqlOptions {
    /// A running server; without it the data directory is used, through its server if one runs. What stands on the
    /// command line goes before what the environment says, and the server before the data directory.
    #[arg(long, env = "LAKEDECK_SERVER", value_name = "URL")]
    pub server: Option<Url>,
    #[command(flatten)]
    pub data: DataOptions,
    /// Who signs in; `root` is the owner.
    #[arg(long, env = "LAKEDECK_USER", default_value = "root", value_name = "NAME")]
    pub user: String,
    /// The project that the session is bound to.
    #[arg(long, short, env = "LAKEDECK_PROJECT", value_name = "NAME")]
    pub project: String,
    /// SQL to run.
    #[arg(long, short = 'e', value_name = "SQL", conflicts_with = "file", allow_hyphen_values = true)]
    pub execute: Option<String>,
    /// File with SQL to run; without -e and -f it is read from standard input.
    #[arg(long, short = 'f', value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[arg(long, default_value = "text", value_enum)]
    pub format: SqlFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SqlFormat {
    Text,
    Csv,
    Json,
    Arrow,
}

/// Options of `lakedeck open`.
#[derive(Args, Clone, Debug)]
pub struct OpenOptions {
    /// A folder, `oss://bucket/dir/` or `s3://bucket/dir/`.
    #[arg(value_name = "WAREHOUSE")]
    pub warehouse: String,
    #[command(flatten)]
    pub serve: ServeOptions,
}

#[derive(Args, Clone, Debug)]
pub struct AdminOptions {
    #[command(subcommand)]
    pub command: AdminCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// Set the owner's password, read from `LAKEDECK_ADMIN_PASSWORD` or from standard input.
    Password {
        #[command(flatten)]
        data: DataOptions,
    },
    /// Print a new one-time sign-in link for the owner.
    Link {
        #[command(flatten)]
        data: DataOptions,
        /// The server's address, for the link.
        #[arg(long, env = "LAKEDECK_PUBLIC_URL", value_name = "URL")]
        public_url: Option<Url>,
    },
}

/// The owner's password from `LAKEDECK_ADMIN_PASSWORD`, if there is one.
pub fn admin_password() -> Option<Secret> {
    secret("LAKEDECK_ADMIN_PASSWORD")
}

/// A secret from the environment: never an argument, which every process of the machine can read.
pub fn secret(variable: &str) -> Option<Secret> {
    std::env::var(variable).ok().filter(|text| !text.is_empty()).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_of_serve() {
        let Command::Serve(options) = Cli::parse_from(["lakedeck", "serve"]).command else { panic!("serve") };
        assert_eq!(options.listen.to_string(), "127.0.0.1:3000");
        assert!(options.data.allowed_roots.is_empty() && !options.data.no_sample);
    }

    #[test]
    fn every_option_of_serve_has_its_variable() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("serve exists");
        for arg in serve.get_arguments().filter(|arg| arg.get_id() != "help") {
            let long = arg.get_long().expect("options are long");
            let expected = format!("LAKEDECK_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().and_then(|env| env.to_str()), Some(expected.as_str()));
        }
    }
}
