//! Sealed credentials: AES-256-GCM under a key that lies beside the database, not in it. The only file that turns
//! plain into sealed and back.

use crate::{Error, Store};
use aes_gcm::aead::{Aead, AeadCore, KeyInit, OsRng, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use secrecy::{ExposeSecret, SecretString};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Name of the master key in the data directory.
pub const KEY_FILE: &str = "master.key";

/// First byte of a sealed value, so that another scheme can follow.
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// A value sealed at first start: tells a wrong key before anything is read with it.
const KEY_CHECK: &str = "master_key_check";

pub(crate) struct Sealer(Aes256Gcm);

impl Sealer {
    /// The key of a data directory; made when the database is new.
    pub(crate) fn load(data_dir: &Path, database_is_new: bool) -> Result<Self, Error> {
        let path = data_dir.join(KEY_FILE);
        let io = |doing| {
            let path = path.clone();
            move |source| Error::Io { doing, path, source }
        };
        if !path.exists() {
            if !database_is_new {
                return Err(Error::KeyMissing(path));
            }
            let key = Aes256Gcm::generate_key(OsRng);
            let mut file =
                File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(io("create"))?;
            writeln!(file, "{}", hex(&key)).and_then(|()| file.sync_all()).map_err(io("write"))?;
            File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(io("write"))?;
            return Ok(Self(Aes256Gcm::new(&key)));
        }
        let mode = path.metadata().map_err(io("read"))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(Error::KeyExposed(path));
        }
        let text = std::fs::read_to_string(&path).map_err(io("read"))?;
        let bytes = unhex(text.trim()).filter(|bytes| bytes.len() == KEY_BYTES);
        let bytes = bytes.ok_or_else(|| Error::KeyMalformed(path.clone()))?;
        Ok(Self(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&bytes))))
    }

    /// Seals `plain` for one place: `place` (row and field) is authenticated, so that a sealed value cannot be moved.
    pub(crate) fn seal(&self, place: &str, plain: &str) -> Result<Vec<u8>, Error> {
        let nonce = Aes256Gcm::generate_nonce(&mut OsRng);
        let payload = Payload { msg: plain.as_bytes(), aad: place.as_bytes() };
        let sealed = self.0.encrypt(&nonce, payload).map_err(|_| Error::Unsealable(place.into()))?;
        Ok([&[VERSION], nonce.as_slice(), sealed.as_slice()].concat())
    }

    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<SecretString, Error> {
        let broken = || Error::Unsealable(place.into());
        let (nonce, body) = sealed
            .split_first()
            .filter(|(version, _)| **version == VERSION)
            .and_then(|(_, rest)| rest.split_at_checked(NONCE_BYTES))
            .ok_or_else(broken)?;
        let payload = Payload { msg: body, aad: place.as_bytes() };
        let plain = self.0.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| broken())?;
        String::from_utf8(plain).map(SecretString::from).map_err(|_| broken())
    }
}

impl Store {
    pub(crate) async fn check_key(&self, data_dir: &Path) -> Result<(), Error> {
        match self.setting(KEY_CHECK).await? {
            Some(sealed) => {
                let opened = unhex(&sealed).and_then(|sealed| self.sealer.open(KEY_CHECK, &sealed).ok());
                match opened {
                    Some(plain) if plain.expose_secret() == KEY_CHECK => Ok(()),
                    _ => Err(Error::KeyWrong(data_dir.join(KEY_FILE))),
                }
            }
            None => {
                let sealed = hex(&self.sealer.seal(KEY_CHECK, KEY_CHECK)?);
                let mut tx = self.begin().await?;
                tx.put_setting(KEY_CHECK, &sealed).await?;
                tx.commit().await
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hexadecimal text.
fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
