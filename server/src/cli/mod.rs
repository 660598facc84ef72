//! What `lakedeck` does besides serving: everything goes through the API, over the network or over the data
//! directory's socket.

pub mod admin;
mod client;
pub mod open;
pub mod sql;

pub use client::Client;

use crate::compose::{self, Audience, Deck};
use crate::config::DataOptions;
use crate::data_dir::{DataDir, Ownership};
use crate::listen::Connections;
use crate::router::{self, Parts};
use crate::serve::close;
use crate::telemetry;
use anyhow::Context;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A way into a data directory: through its server, or by being its owner as long as this lives.
pub struct Local {
    pub client: Client,
    own: Option<(Deck, Connections)>,
}

impl Local {
    /// Connects to the server that owns the directory; without one, opens the directory itself.
    pub async fn connect(options: &DataOptions) -> anyhow::Result<Self> {
        let directory = DataDir::prepare(options.data_dir.as_deref())?;
        match directory.try_own()? {
            Some(ownership) => Self::own(ownership, options).await,
            None => Ok(Self { client: Client::running(&directory).await?, own: None }),
        }
    }

    /// Serves the socket for the time of one command, so that others beside it find an owner too.
    async fn own(ownership: Ownership, options: &DataOptions) -> anyhow::Result<Self> {
        let client = Client::socket(ownership.directory())?;
        let deck = compose::open(ownership, options, Audience::Loopback).await?;
        let parts = Parts {
            services: deck.services.clone(),
            store: deck.store.clone(),
            limits: options.limits.clone(),
            metrics: telemetry::metrics()?,
            draining: CancellationToken::new(),
        };
        let connections = Connections::new(&options.limits);
        tokio::spawn(connections.clone().accept_unix(deck.ownership.listen()?, router::socket(&parts)));
        Ok(Self { client, own: Some((deck, connections)) })
    }

    /// Lets go of the directory.
    pub async fn close(self) {
        if let Some((deck, connections)) = self.own {
            deck.services.drain(Duration::from_secs(10)).await;
            connections.close();
            close(&deck.store).await;
        }
    }
}

/// What was typed at a prompt or piped in, without the line's end.
fn standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::stdin(), &mut text).context("cannot read standard input")?;
    Ok(text)
}
