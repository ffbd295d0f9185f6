//! EventBridge: events that services emit, rules that match them, targets that get them.

mod pattern;
mod transformer;

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde_json::Value;
use tokio::sync::Notify;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// What EventBridge keeps in memory.
#[derive(Default)]
pub struct Events {
    pending: Notify,
}

impl Events {
    /// Says that events were enqueued and committed.
    pub fn wake(&self) {
        self.pending.notify_one();
    }
}

/// Keeps an event for delivery, in the transaction that acknowledges what caused it.
pub fn enqueue(tx: &Transaction<'_>, event: &Value) -> Result<(), AwsError> {
    tx.prepare_cached("INSERT INTO pending_events (body, created) VALUES (?1, ?2)")?
        .execute(params![event.to_string(), Timestamp::now().as_millisecond()])?;
    Ok(())
}

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}

/// Delivers what is pending, also from before a restart.
pub fn start(_cloud: &Arc<Cloud>) {}

/// Stops delivering; what is pending stays in the store.
pub async fn stop(_cloud: &Arc<Cloud>) {}
