//! CloudWatch Logs.

use std::sync::Arc;

use rusqlite::Transaction;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}

/// Appends lines, each with its time in milliseconds since the epoch, to a stream, which is made if need be. A missing
/// group is `ResourceNotFoundException`.
pub fn append(
    _tx: &Transaction<'_>,
    _group: &str,
    _stream: &str,
    _lines: &[(i64, String)],
) -> Result<(), AwsError> {
    Ok(())
}
