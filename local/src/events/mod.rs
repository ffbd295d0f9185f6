//! EventBridge: events that services emit, rules that match them, targets that get them.
//!
//! **Layout.** `rules` and `targets` are the control plane; `pattern` and `transformer` are what their documents mean,
//! without I/O; `delivery` takes events from the queue to the targets, and `retry` says what follows where that fails.

mod delivery;
mod pattern;
mod put;
mod retry;
mod rules;
mod targets;
mod transformer;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::inputs::Operation;

const OPERATIONS: &[Operation] = &[
    // A rule that no AWS service manages goes with Force as without.
    ("DeleteRule", &["Name", "EventBusName", "Force"]),
    ("DescribeRule", &["Name", "EventBusName"]),
    ("DisableRule", &["Name", "EventBusName"]),
    ("EnableRule", &["Name", "EventBusName"]),
    (
        "ListRuleNamesByTarget",
        &["TargetArn", "EventBusName", "NextToken", "Limit"],
    ),
    ("ListRules", &["NamePrefix", "EventBusName", "NextToken", "Limit"]),
    ("ListTagsForResource", &["ResourceARN"]),
    (
        "ListTargetsByRule",
        &["Rule", "EventBusName", "NextToken", "Limit"],
    ),
    (
        "PutEvents",
        &[
            "Entries.Time",
            "Entries.Source",
            "Entries.Resources",
            "Entries.DetailType",
            "Entries.Detail",
            "Entries.EventBusName",
        ],
    ),
    (
        "PutRule",
        &[
            "Name",
            "EventPattern",
            "State=ENABLED",
            "State=DISABLED",
            "Description",
            "Tags.Key",
            "Tags.Value",
            "EventBusName",
        ],
    ),
    (
        "PutTargets",
        &[
            "Rule",
            "EventBusName",
            "Targets.Id",
            "Targets.Arn",
            "Targets.RoleArn",
            "Targets.Input",
            "Targets.InputPath",
            "Targets.InputTransformer.InputPathsMap",
            "Targets.InputTransformer.InputTemplate",
            "Targets.RetryPolicy.MaximumRetryAttempts",
            "Targets.RetryPolicy.MaximumEventAgeInSeconds",
        ],
    ),
    ("RemoveTargets", &["Rule", "EventBusName", "Ids", "Force"]),
    ("TagResource", &["ResourceARN", "Tags.Key", "Tags.Value"]),
    ("TestEventPattern", &["EventPattern", "Event"]),
    ("UntagResource", &["ResourceARN", "TagKeys"]),
];

/// What EventBridge keeps in memory.
#[derive(Default)]
pub struct Events {
    pending: Notify,
    rules: delivery::ReadyRules,
    delivering: Mutex<Option<AbortHandle>>,
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
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    check_bus(cloud, &call.input)?;
    let output = match call.operation.as_str() {
        "PutRule" => rules::put(cloud, &call).await,
        "DescribeRule" => rules::describe(cloud, &call),
        "DeleteRule" => rules::delete(cloud, &call).await,
        "ListRules" => rules::list(cloud, &call),
        "EnableRule" => rules::set_state(cloud, &call, "ENABLED").await,
        "DisableRule" => rules::set_state(cloud, &call, "DISABLED").await,
        "TagResource" => rules::tag(cloud, &call).await,
        "UntagResource" => rules::untag(cloud, &call).await,
        "ListTagsForResource" => rules::list_tags(cloud, &call),
        "PutTargets" => targets::put(cloud, &call).await,
        "ListTargetsByRule" => targets::list(cloud, &call),
        "RemoveTargets" => targets::remove(cloud, &call).await,
        "ListRuleNamesByTarget" => targets::rules_of(cloud, &call),
        "PutEvents" => put::put_events(cloud, &call).await,
        "TestEventPattern" => put::test_pattern(&call),
        _ => Err(call.not_implemented()),
    };
    output.map(Reply::ok)
}

/// There is the default event bus alone.
fn check_bus(cloud: &Cloud, input: &Value) -> Result<(), AwsError> {
    let bus = input["EventBusName"].as_str().unwrap_or("default");
    if bus == "default" || bus == cloud.arn("events", "event-bus/default") {
        return Ok(());
    }
    let message = format!("Event bus {bus} does not exist.");
    Err(AwsError::bad_request("ResourceNotFoundException", message))
}

/// Delivers what is pending, also from before a restart.
pub fn start(cloud: &Arc<Cloud>) {
    let delivering = tokio::spawn(delivery::deliver(Arc::clone(cloud))).abort_handle();
    *cloud
        .events
        .delivering
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(delivering);
}

/// Stops delivering; what is pending stays in the store.
pub async fn stop(cloud: &Arc<Cloud>) {
    let delivering = cloud
        .events
        .delivering
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(delivering) = delivering {
        delivering.abort();
    }
}
