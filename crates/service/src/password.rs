//! Passwords: argon2id, off the request threads, a few at a time.

use crate::Error;
use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use model::problem::Broken;
use model::secret::Secret;
use std::sync::Arc;
use tokio::sync::Semaphore;

const CHARS_MIN: usize = 8;
const BYTES_MAX: usize = 1024;
/// Each takes some 20 MiB and a core for a moment.
const AT_ONCE: usize = 2;

/// Hashes and verifies.
pub(crate) struct Passwords {
    slots: Arc<Semaphore>,
    /// Verified in place of a hash that does not exist, so that a wrong name takes as long as a wrong password.
    dummy: String,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { slots: Arc::new(Semaphore::new(AT_ONCE)), dummy: hash_now("no password has this hash")? })
    }

    /// The hash in PHC form.
    pub(crate) async fn hash(&self, password: Secret) -> Result<String, Error> {
        self.off_thread(move || hash_now(password.expose())).await
    }

    /// Whether the password is the one of `hash`; never, and no faster, when there is none.
    pub(crate) async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, Error> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        if password.expose().len() > BYTES_MAX {
            return Ok(false);
        }
        let verified = self
            .off_thread(move || {
                let parsed =
                    PasswordHash::new(&hash).map_err(|error| Error::internal("read a password hash", error))?;
                Ok(Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok())
            })
            .await?;
        Ok(verified && exists)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let slot =
            self.slots.clone().acquire_owned().await.map_err(|error| Error::internal("wait for a slot", error))?;
        let done = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work()
        });
        done.await.map_err(|error| Error::internal("hash a password", error))?
    }
}

/// The rule for new passwords.
pub(crate) fn check(password: &Secret) -> Result<(), Broken> {
    let text = password.expose();
    if text.chars().count() < CHARS_MIN {
        return Err(Broken::new("password_short", format!("Use at least {CHARS_MIN} characters.")));
    }
    if text.len() > BYTES_MAX {
        return Err(Broken::new("password_long", format!("Use at most {BYTES_MAX} bytes.")));
    }
    Ok(())
}

fn hash_now(password: &str) -> Result<String, Error> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| Error::internal("hash a password", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify(Secret::new("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(Secret::new("wrong horse"), Some(hash)).await.unwrap());
        assert!(!passwords.verify(Secret::new("no password has this hash"), None).await.unwrap());
    }

    #[test]
    fn rules() {
        let code = |text: &str| check(&Secret::new(text)).map_or_else(|broken| broken.code, |()| "ok");
        assert_eq!(code("1234567"), "password_short");
        assert_eq!(code("12345678"), "ok");
        assert_eq!(code(&"x".repeat(1025)), "password_long");
    }
}
