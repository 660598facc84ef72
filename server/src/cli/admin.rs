//! `lakedeck admin`: the owner of the data directory helps themselves.

use super::{Local, standard_input};
use crate::api::admin::{LINK, Link, PASSWORD, Password};
use crate::config::{AdminCommand, AdminOptions, DataOptions, admin_password};
use crate::data_dir::DataDir;
use crate::serve::{base, check_public_url, welcome};
use anyhow::bail;
use model::secret::Secret;
use std::io::IsTerminal;
use url::Url;

pub async fn admin(options: AdminOptions) -> anyhow::Result<()> {
    match options.command {
        AdminCommand::Password { data } => password(data).await,
        AdminCommand::Link { data, public_url } => link(data, public_url).await,
    }
}

async fn password(data: DataOptions) -> anyhow::Result<()> {
    let password = match admin_password() {
        Some(password) => password,
        None if std::io::stdin().is_terminal() => {
            bail!("give the password in LAKEDECK_ADMIN_PASSWORD or on standard input: a terminal would show it")
        }
        None => Secret::new(standard_input()?.trim_end_matches(['\r', '\n'])),
    };
    let local = Local::connect(&data).await?;
    let outcome = local.client.command(PASSWORD, &Password { password }).await;
    local.close().await;
    outcome?;
    println!("the owner's password is set; other sessions have ended");
    Ok(())
}

async fn link(data: DataOptions, public_url: Option<Url>) -> anyhow::Result<()> {
    check_public_url(public_url.as_ref())?;
    let served_at = DataDir::prepare(data.data_dir.as_deref())?.served_at();
    let local = Local::connect(&data).await?;
    let link = local.client.post::<_, Link>(LINK, &()).await;
    local.close().await;
    let base = public_url.as_ref().map(base).or(served_at);
    let base = base.unwrap_or_else(|| "http://127.0.0.1:3000".into());
    println!("sign in: {}", welcome(&base, link?.token.expose()));
    Ok(())
}
