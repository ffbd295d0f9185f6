//! Step Functions: Standard state machines and their executions.

mod asl;

use std::sync::Arc;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// What States keeps in memory.
#[derive(Default)]
pub struct States {}

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}

/// Carries on with the executions that were running when the cloud stopped.
pub fn start(_cloud: &Arc<Cloud>) {}

/// Halts executions where they are; they carry on at the next start.
pub async fn stop(_cloud: &Arc<Cloud>) {}
