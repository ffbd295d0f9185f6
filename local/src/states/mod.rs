//! Step Functions: Standard state machines and their executions.
//!
//! **Layout.** `asl` is the language, without I/O. `machines` is the control plane over `revisions`; `executions` starts
//! executions and tells of them; `history` tells their events; `runner` carries them on, from the store, until they end,
//! and `running` knows which those are; `invocation` is how a function is invoked.

mod asl;
mod executions;
mod history;
mod invocation;
mod machines;
mod revisions;
mod runner;
mod running;
mod validation;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::inputs::Operation;
pub use executions::start_as;
pub use executions::{NewExecution, insert};
use revisions::Revision;
pub use revisions::current;
pub use runner::begin;
use runner::carry_on;

const OPERATIONS: &[Operation] = &[
    (
        "CreateStateMachine",
        &[
            "name",
            "definition",
            "roleArn",
            "type",
            "loggingConfiguration.level",
            "loggingConfiguration.includeExecutionData",
            "loggingConfiguration.destinations.cloudWatchLogsLogGroup.logGroupArn",
            "tags.key",
            "tags.value",
            "tracingConfiguration.enabled=false",
            "publish=false",
            "encryptionConfiguration.type=AWS_OWNED_KEY",
        ],
    ),
    ("DeleteStateMachine", &["stateMachineArn"]),
    ("DescribeExecution", &["executionArn", "includedData=ALL_DATA"]),
    (
        "DescribeStateMachine",
        &["stateMachineArn", "includedData=ALL_DATA"],
    ),
    (
        "DescribeStateMachineForExecution",
        &["executionArn", "includedData=ALL_DATA"],
    ),
    (
        "GetExecutionHistory",
        &[
            "executionArn",
            "maxResults",
            "reverseOrder",
            "nextToken",
            "includeExecutionData",
        ],
    ),
    (
        "ListExecutions",
        &[
            "stateMachineArn",
            "statusFilter",
            "maxResults",
            "nextToken",
            "redriveFilter=NOT_REDRIVEN",
        ],
    ),
    ("ListStateMachines", &["maxResults", "nextToken"]),
    ("ListTagsForResource", &["resourceArn"]),
    ("StartExecution", &["stateMachineArn", "name", "input"]),
    ("StopExecution", &["executionArn", "error", "cause"]),
    ("TagResource", &["resourceArn", "tags.key", "tags.value"]),
    ("UntagResource", &["resourceArn", "tagKeys"]),
    (
        "UpdateStateMachine",
        &[
            "stateMachineArn",
            "definition",
            "roleArn",
            "loggingConfiguration.level",
            "loggingConfiguration.includeExecutionData",
            "loggingConfiguration.destinations.cloudWatchLogsLogGroup.logGroupArn",
            "tracingConfiguration.enabled=false",
            "publish=false",
            "encryptionConfiguration.type=AWS_OWNED_KEY",
        ],
    ),
    (
        "ValidateStateMachineDefinition",
        &["definition", "type=STANDARD", "severity=ERROR"],
    ),
];

/// What Step Functions keeps in memory.
#[derive(Default)]
pub struct States {
    /// Definitions that were read, by revision.
    revisions: Mutex<HashMap<i64, Arc<Revision>>>,
    running: running::Running,
}

impl States {
    fn known(&self, revision: i64) -> Option<Arc<Revision>> {
        self.revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&revision)
            .cloned()
    }

    fn remember(&self, revision: &Arc<Revision>) {
        let mut revisions = self.revisions.lock().unwrap_or_else(PoisonError::into_inner);
        // Old revisions are read again if an old execution needs them.
        if revisions.len() >= 256 {
            revisions.clear();
        }
        revisions.insert(revision.id, Arc::clone(revision));
    }
}

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    let output = match call.operation.as_str() {
        "CreateStateMachine" => machines::create(cloud, &call).await,
        "DescribeStateMachine" => machines::describe(cloud, &call),
        "DescribeStateMachineForExecution" => machines::describe_for_execution(cloud, &call),
        "UpdateStateMachine" => machines::update(cloud, &call).await,
        "DeleteStateMachine" => machines::delete(cloud, &call).await,
        "ListStateMachines" => machines::list(cloud, &call),
        "TagResource" => machines::tag(cloud, &call).await,
        "UntagResource" => machines::untag(cloud, &call).await,
        "ListTagsForResource" => machines::list_tags(cloud, &call),
        "ValidateStateMachineDefinition" => Ok(validation::validate(&call)),
        "StartExecution" => executions::start(cloud, &call).await,
        "DescribeExecution" => executions::describe(cloud, &call),
        "ListExecutions" => executions::list(cloud, &call),
        "StopExecution" => executions::stop(cloud, &call).await,
        "GetExecutionHistory" => history::get(cloud, &call),
        _ => Err(call.not_implemented()),
    };
    output.map(Reply::ok)
}

/// Carries on with the executions that were running when the cloud stopped.
pub fn start(cloud: &Arc<Cloud>) {
    machines::end_deletions(cloud);
    match executions::running(cloud) {
        Ok(executions) => {
            for execution in executions {
                carry_on(cloud, execution);
            }
        }
        Err(error) => tracing::error!(%error, "failed to read the running executions"),
    }
}

/// Halts executions where they are; they carry on at the next start.
pub async fn stop(cloud: &Arc<Cloud>) {
    cloud.states.running.halt();
}
