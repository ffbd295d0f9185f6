//! STS: who am I, and sessions of roles.

use std::sync::Arc;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}
