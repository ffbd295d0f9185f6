//! The error an AWS call ends with, and the reasons a local cloud would not start or serve on.

use std::io;
use std::path::PathBuf;

/// What a failed AWS call answers. How it looks on the wire is the protocol's affair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// HTTP status.
    pub status: u16,
    /// The error code, as the service's API reference spells it.
    pub code: String,
    pub message: String,
}

impl AwsError {
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// The caller's mistake: status 400.
    pub fn bad_request(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A resource that is not there: status 404.
    pub fn not_found(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(404, code, message)
    }

    /// A clash with what is there: status 409.
    pub fn conflict(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(409, code, message)
    }

    /// A constraint on the input that does not hold, in the code most JSON services use.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::bad_request("ValidationException", message)
    }

    /// The local cloud's own failure: status 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalFailure", message)
    }

    /// An operation the local cloud does not have.
    pub fn not_implemented(service: &str, operation: &str) -> Self {
        Self::new(
            501,
            "NotImplemented",
            format!(
                "the local cloud does not have {service} {operation}: it is narrow on purpose and has only what the \
                 resize pipeline's life needs"
            ),
        )
    }
}

impl From<rusqlite::Error> for AwsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(format!("the local cloud's store failed: {error}"))
    }
}

impl From<io::Error> for AwsError {
    fn from(error: io::Error) -> Self {
        Self::internal(format!("the local cloud's data folder failed: {error}"))
    }
}

/// Why a local cloud would not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("failed to prepare the data folder {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "another local cloud (process {pid}) is running on the data folder {}: stop it with `resizer local stop`, or use \
         another folder",
        path.display()
    )]
    InUse { path: PathBuf, pid: u32 },
    #[error("failed to listen on 127.0.0.1 port {port}: {source}; choose another port")]
    Listen { port: u16, source: io::Error },
    #[error("failed to open the store {}: {source}", path.display())]
    Store { path: PathBuf, source: rusqlite::Error },
    #[error(
        "the store {} was written by a newer resizer (its format is {found}, this one knows {known}): use that version, or \
         another data folder",
        path.display()
    )]
    NewerStore { path: PathBuf, found: i64, known: i64 },
    #[error("{} holds what was made in {region}, and a local cloud has one region", path.display())]
    OtherRegion { path: PathBuf, region: String },
    #[error("failed to read {}: {reason}; remove the file and new credentials are made", path.display())]
    BadEndpointFile { path: PathBuf, reason: String },
}

/// Why a local cloud does not serve any more.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the data folder {} was removed or replaced: the local cloud has ended", path.display())]
    FolderLost { path: PathBuf },
    #[error("failed to serve: {0}")]
    Io(#[from] io::Error),
}
