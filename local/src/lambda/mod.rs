//! Lambda.

use std::sync::Arc;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// What Lambda keeps in memory.
#[derive(Default)]
pub struct Lambda {}

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}

/// Ends the function processes.
pub async fn stop(_cloud: &Arc<Cloud>) {}
