//! What a store's error means to the user.

use crate::egress;
use opendal::ErrorKind;
use ports::lake::LakeError;

/// The error of an operation on a store as the lake's: `doing` completes "Cannot …", e.g. "list `s3://b/w/`".
pub fn lake_error(error: opendal::Error, doing: &str) -> LakeError {
    let code = code(&error).map(|code| format!(" ({code})")).unwrap_or_default();
    match error.kind() {
        ErrorKind::NotFound => LakeError::NotFound(format!("Cannot {doing}: it does not exist.")),
        ErrorKind::PermissionDenied if is_outside(&error) => {
            LakeError::Forbidden(format!("Cannot {doing}: a symbolic link or `..` leads out of the warehouse."))
        }
        ErrorKind::PermissionDenied => {
            LakeError::Forbidden(format!("Cannot {doing}: the store refuses this identity{code}."))
        }
        ErrorKind::AlreadyExists | ErrorKind::ConditionNotMatch => {
            LakeError::AlreadyExists(format!("Cannot {doing}: it exists already."))
        }
        ErrorKind::ConfigInvalid if code.contains("NoSuchBucket") => {
            LakeError::NotFound(format!("Cannot {doing}: the bucket does not exist."))
        }
        ErrorKind::ConfigInvalid => LakeError::Invalid(format!("Cannot {doing}: {}.", error.message())),
        ErrorKind::Unsupported => LakeError::Unsupported(format!("Cannot {doing}: {}.", error.message())),
        ErrorKind::IsADirectory | ErrorKind::NotADirectory => {
            LakeError::Invalid(format!("Cannot {doing}: a folder stands where a file is expected, or the reverse."))
        }
        _ if let Some(refused) = egress::refusal(&error) => LakeError::Forbidden(refused.to_string()),
        _ if is_unsigned(&error) => LakeError::Forbidden(format!(
            "Cannot {doing}: no credential could be obtained. Test the connection to see why."
        )),
        _ if let Some(full) = disk_refuses(&error) => {
            LakeError::Unavailable { message: format!("Cannot {doing}: {full}."), source: Some(Box::new(error)) }
        }
        _ => LakeError::Unavailable {
            message: format!("Cannot {doing}: the store does not answer as it should{code}."),
            source: Some(Box::new(error)),
        },
    }
}

/// The store's own code, e.g. `NoSuchBucket`: the services print their parsed answer into the message.
pub fn code(error: &opendal::Error) -> Option<&str> {
    let (_, rest) = error.message().split_once("code: \"")?;
    rest.split_once('"').map(|(code, _)| code.trim()).filter(|code| !code.is_empty())
}

/// Whether a request failed for want of a credential.
pub(crate) fn is_unsigned(error: &opendal::Error) -> bool {
    error.message() == "signing http request"
}

/// Whether a path was refused because it leads out of the warehouse.
pub(crate) fn is_outside(error: &opendal::Error) -> bool {
    error.message().contains("leads out of the warehouse") || error.message().contains("escapes the configured root")
}

/// Words for the operating system's errors that a user can do something about.
pub(crate) fn disk_refuses(error: &opendal::Error) -> Option<&'static str> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return match io.kind() {
                std::io::ErrorKind::StorageFull => Some("no space is left on the disk"),
                std::io::ErrorKind::QuotaExceeded => Some("the disk quota is used up"),
                std::io::ErrorKind::ReadOnlyFilesystem => Some("the file system is read-only"),
                _ if io.raw_os_error() == Some(5) => Some("the disk reports an input/output error"),
                _ => None,
            };
        }
        source = cause.source();
    }
    None
}
