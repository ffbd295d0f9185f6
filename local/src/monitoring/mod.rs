//! CloudWatch metrics.

use std::sync::Arc;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The values that are not in the store yet.
#[derive(Default)]
pub struct Metrics {}

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}

/// Counts one value now. Cheap: it stays in memory until the next flush, within a second.
pub fn record(
    _cloud: &Cloud,
    _namespace: &str,
    _metric: &str,
    _dimensions: &[(&str, &str)],
    _value: f64,
    _unit: &str,
) {
}

/// Begins flushing.
pub fn start(_cloud: &Arc<Cloud>) {}

/// Flushes what is in memory.
pub async fn stop(_cloud: &Arc<Cloud>) {}
