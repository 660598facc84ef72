//! A real S3 API: moto's server, from the virtual environment that `cargo xtask test` makes.

use model::data_source::{Endpoint, StorageKind};
use ports::connection::{Connection, Credentials};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What Python runs; the browser tests run the same.
const SCRIPT: &str = include_str!("moto_server.py");

/// A running server; it stops when dropped, and when the process that started it ends.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    port: u16,
}

impl Moto {
    /// Starts on a free port. Blocks for the seconds that Python needs.
    pub fn start() -> Self {
        let python = python();
        let mut process = Command::new(&python)
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` makes it", python.display()));
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("moto prints its port");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("moto does not start with {}", python.display()));
        Self { process, port }
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A connection to it.
    pub fn connection(&self) -> Connection {
        Connection {
            name: "moto".into(),
            storage: StorageKind::S3,
            region: "us-east-1".into(),
            endpoint: Some(Endpoint::parse(&self.endpoint()).expect("an endpoint")),
            path_style: true,
            credentials: Credentials::AccessKey {
                id: "moto".into(),
                secret: "moto-secret".to_owned().into(),
                session_token: None,
            },
            properties: Vec::new(),
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Python of the virtual environment: `LAKEDECK_VENV`, else `~/.cache/lakedeck-venv`.
pub fn python() -> PathBuf {
    let venv = std::env::var_os("LAKEDECK_VENV").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/lakedeck-venv"),
        PathBuf::from,
    );
    venv.join("bin/python")
}
