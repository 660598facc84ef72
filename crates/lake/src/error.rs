//! What the errors of `paimon` mean to the user.

use crate::store_error;
use ports::lake::LakeError;
use std::error::Error as _;

/// The error of an operation of `paimon` as the lake's: `doing` completes "Cannot …", e.g. "read table `a.b`".
pub(crate) fn lake_error(error: paimon::Error, doing: &str) -> LakeError {
    use paimon::Error as E;
    match error {
        E::IoUnexpected { source, .. } => store_error::lake_error(*source, doing),
        E::Unsupported { message } | E::IoUnsupported { message } => {
            LakeError::Unsupported(format!("Cannot {doing}: {}.", sentence(&message)))
        }
        E::DataInvalid { message, source: Some(source) } => match source.downcast::<opendal::Error>() {
            Ok(store) => store_error::lake_error(*store, doing),
            // A reader or writer of files wraps what the store said: the disk's own word is worth more than the wrapper.
            Err(source) => match store_word(source.as_ref()).or_else(|| quoted_word(&message)) {
                Some(word) => {
                    LakeError::Unavailable { message: format!("Cannot {doing}: {word}."), source: Some(source) }
                }
                None => LakeError::Invalid(format!("Cannot {doing}: {}.", sentence(&message))),
            },
        },
        E::DataInvalid { message, source: None } if let Some(word) = quoted_word(&message) => {
            LakeError::Unavailable { message: format!("Cannot {doing}: {word}."), source: Some(message.into()) }
        }
        E::DataInvalid { message, source: None }
        | E::DataTypeInvalid { message }
        | E::ConfigInvalid { message }
        | E::IdentifierInvalid { message } => LakeError::Invalid(format!("Cannot {doing}: {}.", sentence(&message))),
        E::ColumnAlreadyExist { column, .. } => {
            LakeError::AlreadyExists(format!("Cannot {doing}: column `{column}` exists already."))
        }
        E::ColumnNotExist { column, .. } => {
            LakeError::NotFound(format!("Cannot {doing}: column `{column}` does not exist."))
        }
        E::SnapshotNotExist { snapshot_id } => {
            LakeError::NotFound(format!("Cannot {doing}: snapshot {snapshot_id} does not exist."))
        }
        E::ResourceExhausted { message } => {
            LakeError::Unavailable { message: format!("Cannot {doing}: {}.", sentence(&message)), source: None }
        }
        error => match store_word(&error) {
            Some(word) => {
                LakeError::Unavailable { message: format!("Cannot {doing}: {word}."), source: Some(Box::new(error)) }
            }
            None => LakeError::Internal { message: format!("Cannot {doing}."), source: Some(Box::new(error)) },
        },
    }
}

/// Whether the store has nothing under the path that was read.
pub(crate) fn is_not_found(error: &paimon::Error) -> bool {
    matches!(error, paimon::Error::IoUnexpected { source, .. } if source.kind() == opendal::ErrorKind::NotFound)
}

/// What the operating system said, somewhere below.
fn store_word(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(store) = error.downcast_ref::<opendal::Error>() {
            let io = store.source().and_then(|source| source.downcast_ref::<std::io::Error>());
            return Some(io.map_or_else(|| sentence(store.message()).to_owned(), io_word));
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io_word(io));
        }
        cause = error.source();
    }
    None
}

/// What the operating system said, where the readers and writers of files only quote it.
fn quoted_word(message: &str) -> Option<String> {
    let (_, code) = message.rsplit_once("(os error ")?;
    let code = code.split(')').next()?.parse().ok()?;
    Some(io_word(&std::io::Error::from_raw_os_error(code)))
}

fn io_word(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::StorageFull => "no space is left on the disk".into(),
        std::io::ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        std::io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        _ if error.raw_os_error() == Some(5) => "the disk reports an input/output error".into(),
        _ => error.to_string(),
    }
}

/// A message without its own full stop.
fn sentence(message: &str) -> &str {
    message.trim().trim_end_matches('.')
}
