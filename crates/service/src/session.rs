//! Signing in: by password, or by a one-time link.

use crate::password::{self, Passwords};
use crate::throttle::Throttle;
use crate::{Error, RequestContext, Services};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use model::access::{Principal, SignedIn};
use model::audit::AuditEntry;
use model::secret::Secret;
use rand::RngCore;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The owner must not be locked out by others: an account waits a minute at most, an address longer.
const ACCOUNT_WAIT_MAX: Duration = Duration::from_secs(60);
const ADDRESS_WAIT_MAX: Duration = Duration::from_secs(900);
/// A link that an administrator printed; the one of the first start lasts until it is used.
const LINK_HOURS: i64 = 24;
const TOKEN_BYTES: usize = 32;

/// What signing in needs beside the store.
pub(crate) struct SignIn {
    pub(crate) passwords: Passwords,
    throttle: Throttle,
}

impl SignIn {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { passwords: Passwords::new()?, throttle: Throttle::default() })
    }
}

impl Services {
    /// Whose name and password these are. The owner is called `root`.
    pub async fn sign_in(&self, name: &str, password: Secret, origin: Option<IpAddr>) -> Result<Principal, Error> {
        let name = name.trim();
        let owner = self.owner();
        let principal = (name == "root" || name == owner.as_str()).then_some(owner);
        // Names that do not exist share one key: they could be any number.
        let account = principal.as_ref().map_or("account -".to_owned(), |principal| format!("account {principal}"));
        let address = origin.map(|origin| format!("address {origin}"));
        let keys = || std::iter::once(&account).chain(&address);
        let now = Instant::now();
        if let Some(wait) = keys().filter_map(|key| self.sign_in.throttle.wait(key, now)).max() {
            return Err(Error::Throttled { seconds: wait.as_secs().max(1) });
        }
        let row = match &principal {
            Some(principal) => self.store.principal(principal).await?,
            None => None,
        };
        let verified = self.sign_in.passwords.verify(password, row.and_then(|row| row.password_hash)).await?;
        let Some(principal) = principal.filter(|_| verified) else {
            self.sign_in.throttle.failed(&account, ACCOUNT_WAIT_MAX, now);
            if let Some(address) = &address {
                self.sign_in.throttle.failed(address, ADDRESS_WAIT_MAX, now);
            }
            tracing::warn!(origin = origin.map(tracing::field::display), "sign-in refused");
            return Err(Error::WrongPassword);
        };
        keys().for_each(|key| self.sign_in.throttle.succeeded(key));
        let mut tx = self.store.begin().await?;
        tx.audit(&signed_in_entry(&principal, origin, "with the password")).await?;
        tx.commit().await?;
        Ok(principal)
    }

    /// Whose link it is; it is used up by this.
    pub async fn redeem_link(&self, token: &str) -> Result<Principal, Error> {
        let mut tx = self.store.begin().await?;
        let principal = tx.take_sign_in_link(token.trim()).await?.ok_or(Error::LinkUsed)?;
        tx.audit(&signed_in_entry(&principal, None, "with a one-time link")).await?;
        tx.commit().await?;
        Ok(principal)
    }

    /// Sets the password of the person who asks. Whoever has one already names it.
    pub async fn set_password(&self, ctx: &RequestContext, current: Option<Secret>, new: Secret) -> Result<(), Error> {
        let row = self.store.principal(&ctx.principal).await?.ok_or(Error::NotSignedIn)?;
        password::check(&new).map_err(Error::broken("new"))?;
        if let Some(hash) = row.password_hash {
            let key = format!("account {}", ctx.principal);
            let now = Instant::now();
            if let Some(wait) = self.sign_in.throttle.wait(&key, now) {
                return Err(Error::Throttled { seconds: wait.as_secs().max(1) });
            }
            if !self.sign_in.passwords.verify(current.unwrap_or_default(), Some(hash)).await? {
                self.sign_in.throttle.failed(&key, ACCOUNT_WAIT_MAX, now);
                return Err(Error::field("current", "password_wrong", "This is not your current password."));
            }
        }
        self.store_password(ctx, new).await
    }

    pub async fn signed_in(&self, ctx: &RequestContext) -> Result<SignedIn, Error> {
        let row = self.store.principal(&ctx.principal).await?.ok_or(Error::NotSignedIn)?;
        Ok(SignedIn { principal: ctx.principal.clone(), has_password: row.password_hash.is_some() })
    }

    /// Changes whenever the password does, so that older browser sessions end; `None` for an unknown principal.
    pub async fn session_auth_hash(&self, principal: &Principal) -> Result<Option<Vec<u8>>, Error> {
        let row = self.store.principal(principal).await?;
        Ok(row.map(|row| Sha256::digest(row.password_hash.unwrap_or_default().as_bytes()).to_vec()))
    }

    /// The link to print at start: `None` once it was used.
    pub async fn sign_in_link(&self) -> Result<Option<Secret>, Error> {
        let link = self.store.sign_in_link(&self.owner()).await?;
        Ok(link.map(|token| Secret::new(token.expose_secret())))
    }

    /// A new link for the owner; earlier ones end.
    pub async fn new_sign_in_link(&self) -> Result<Secret, Error> {
        let owner = self.owner();
        let token = new_token();
        let expires_at = Timestamp::now() + jiff::SignedDuration::from_hours(LINK_HOURS);
        let ctx = RequestContext::internal(owner.clone(), "admin");
        let mut tx = self.store.begin().await?;
        tx.put_sign_in_link(&owner, token.expose(), Some(expires_at)).await?;
        tx.audit(&ctx.entry("CreateSignInLink", "principal", owner.to_string())).await?;
        tx.commit().await?;
        Ok(token)
    }

    pub async fn has_owner_password(&self) -> Result<bool, Error> {
        let row = self.store.principal(&self.owner()).await?;
        Ok(row.is_some_and(|row| row.password_hash.is_some()))
    }

    /// For who can reach the data directory: sets the owner's password without the old one.
    pub async fn reset_owner_password(&self, password: Secret) -> Result<(), Error> {
        password::check(&password).map_err(Error::broken("new"))?;
        self.store_password(&RequestContext::internal(self.owner(), "admin"), password).await
    }

    async fn store_password(&self, ctx: &RequestContext, password: Secret) -> Result<(), Error> {
        let hash = self.sign_in.passwords.hash(password).await?;
        let mut tx = self.store.begin().await?;
        tx.set_password_hash(&ctx.principal, &hash).await?;
        // A password makes a printed link useless, and it should be.
        tx.delete_sign_in_links(&ctx.principal).await?;
        tx.audit(&ctx.entry("SetPassword", "principal", ctx.principal.to_string())).await?;
        Ok(tx.commit().await?)
    }
}

/// 256 random bits as text that fits into an address.
pub(crate) fn new_token() -> Secret {
    let mut bytes = [0; TOKEN_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

fn signed_in_entry(principal: &Principal, origin: Option<IpAddr>, how: &str) -> AuditEntry {
    let ctx = RequestContext { principal: principal.clone(), origin, request_id: "sign-in".into() };
    AuditEntry { detail: how.into(), ..ctx.entry("SignIn", "principal", principal.to_string()) }
}
