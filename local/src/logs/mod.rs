//! CloudWatch Logs: groups, streams, events and how they are searched.

mod events;
mod filter;
mod groups;
mod policies;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

pub use events::append;
pub use groups::make_missing;

use crate::call::{Call, Reply};
use crate::cloud::{ACCOUNT, Cloud, PARTITION};
use crate::error::AwsError;
use crate::iam;
use crate::inputs::Operation;
use crate::paging;

const OPERATIONS: &[Operation] = &[
    (
        "CreateLogGroup",
        &[
            "logGroupName",
            "tags",
            "logGroupClass=STANDARD",
            "deletionProtectionEnabled=false",
        ],
    ),
    ("CreateLogStream", &["logGroupName", "logStreamName"]),
    ("DeleteLogGroup", &["logGroupName"]),
    ("DeleteLogStream", &["logGroupName", "logStreamName"]),
    ("DeleteResourcePolicy", &["policyName"]),
    ("DeleteRetentionPolicy", &["logGroupName"]),
    (
        "DescribeLogGroups",
        &[
            "logGroupNamePrefix",
            "logGroupNamePattern",
            "nextToken",
            "limit",
            "logGroupClass=STANDARD",
            "includeLinkedAccounts=false",
        ],
    ),
    (
        "DescribeLogStreams",
        &[
            "logGroupName",
            "logGroupIdentifier",
            "logStreamNamePrefix",
            "orderBy",
            "descending",
            "nextToken",
            "limit",
        ],
    ),
    (
        "DescribeResourcePolicies",
        &["nextToken", "limit", "policyScope=ACCOUNT"],
    ),
    (
        "FilterLogEvents",
        &[
            "logGroupName",
            "logGroupIdentifier",
            "logStreamNames",
            "logStreamNamePrefix",
            "startTime",
            "endTime",
            "filterPattern",
            "nextToken",
            "limit",
            // Since 2019 AWS interleaves the streams' events whatever this says.
            "interleaved",
            "unmask=false",
            "startFromHead=true",
        ],
    ),
    (
        "GetLogEvents",
        &[
            "logGroupName",
            "logGroupIdentifier",
            "logStreamName",
            "startTime",
            "endTime",
            "nextToken",
            "limit",
            "startFromHead",
            "unmask=false",
        ],
    ),
    ("ListTagsForResource", &["resourceArn"]),
    (
        "PutLogEvents",
        &[
            "logGroupName",
            "logStreamName",
            "logEvents.timestamp",
            "logEvents.message",
            // AWS takes any.
            "sequenceToken",
        ],
    ),
    ("PutResourcePolicy", &["policyName", "policyDocument"]),
    ("PutRetentionPolicy", &["logGroupName", "retentionInDays"]),
    ("TagResource", &["resourceArn", "tags"]),
    ("UntagResource", &["resourceArn", "tagKeys"]),
];

/// How often to look for events that no retention keeps any more.
const SWEEP: Duration = Duration::from_secs(60);

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    permit(cloud, &call)?;
    let not_built = call.not_implemented();
    let input = call.input;
    let document = match call.operation.as_str() {
        "CreateLogGroup" => groups::create(cloud, input).await?,
        "DescribeLogGroups" => groups::describe(cloud, &input)?,
        "DeleteLogGroup" => groups::delete(cloud, input).await?,
        "PutRetentionPolicy" => groups::set_retention(cloud, input).await?,
        "DeleteRetentionPolicy" => groups::reset_retention(cloud, input).await?,
        "TagResource" => groups::tag(cloud, input).await?,
        "UntagResource" => groups::untag(cloud, input).await?,
        "ListTagsForResource" => groups::list_tags(cloud, &input)?,
        "CreateLogStream" => streams::create(cloud, input).await?,
        "DescribeLogStreams" => streams::describe(cloud, &input)?,
        "DeleteLogStream" => streams::delete(cloud, input).await?,
        "PutLogEvents" => events::put(cloud, input).await?,
        "GetLogEvents" => events::get(cloud, &input)?,
        "FilterLogEvents" => events::search(cloud, &input)?,
        "PutResourcePolicy" => policies::put(cloud, input).await?,
        "DescribeResourcePolicies" => policies::describe(cloud, &input)?,
        "DeleteResourcePolicy" => policies::delete(cloud, input).await?,
        _ => return Err(not_built),
    };
    Ok(Reply::ok(document))
}

/// Begins letting go of what the groups' retentions say, for as long as the cloud is there.
pub fn start(cloud: &Arc<Cloud>) {
    let cloud = Arc::downgrade(cloud);
    tokio::spawn(async move {
        while let Some(cloud) = cloud.upgrade() {
            if let Err(error) = groups::sweep(&cloud).await {
                tracing::warn!(%error, "failed to delete old log events");
            }
            drop(cloud);
            tokio::time::sleep(SWEEP).await;
        }
    });
}

/// Every operation is on a group or a stream, which the input names, or on the account's logs as a whole.
fn permit(cloud: &Cloud, call: &Call) -> Result<(), AwsError> {
    let text = |name: &str| call.input.get(name).and_then(Value::as_str);
    let resource = match (text("resourceArn"), call.operation.as_str()) {
        (Some(arn), _) => arn.to_owned(),
        (None, "PutResourcePolicy" | "DescribeResourcePolicies" | "DeleteResourcePolicy") => "*".to_owned(),
        (None, _) => {
            let group = group_name(&call.input).unwrap_or_default();
            let stream = text("logStreamName").unwrap_or_default();
            format!("{}:log-stream:{stream}", group_arn(&cloud.region, &group))
        }
    };
    iam::authorize(
        cloud,
        &call.principal,
        &format!("logs:{}", call.operation),
        &resource,
        &[],
    )?;
    if call.operation == "CreateLogGroup" {
        iam::authorize_tags(
            cloud,
            &call.principal,
            "logs:TagResource",
            &resource,
            &call.input["tags"],
        )?;
    }
    Ok(())
}

fn group_arn(region: &str, group: &str) -> String {
    format!("arn:{PARTITION}:logs:{region}:{ACCOUNT}:log-group:{group}")
}

/// The group that an input names, by its name or its ARN.
fn group_name(input: &Value) -> Result<String, AwsError> {
    let name = input.get("logGroupName").and_then(Value::as_str);
    let identifier = input
        .get("logGroupIdentifier")
        .or_else(|| input.get("resourceArn"))
        .and_then(Value::as_str);
    match (name, identifier) {
        (Some(_), Some(_)) => Err(invalid("logGroupName and logGroupIdentifier exclude each other.")),
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => {
            let name = identifier
                .split_once(":log-group:")
                .map_or(identifier, |(_, name)| name);
            Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
        }
        (None, None) => Err(invalid("The log group's name is missing.")),
    }
}

fn required(input: &Value, name: &str) -> Result<String, AwsError> {
    match input.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(invalid(&format!("The parameter {name} is missing."))),
    }
}

fn invalid(message: &str) -> AwsError {
    AwsError::bad_request("InvalidParameterException", message)
}

fn no_such_group() -> AwsError {
    AwsError::bad_request(
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

fn no_such_stream() -> AwsError {
    AwsError::bad_request(
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
}

/// `limit`, from 1 to `most`.
fn limit(input: &Value, most: usize) -> Result<usize, AwsError> {
    match input.get("limit").map(Value::as_u64) {
        None => Ok(most),
        Some(Some(limit)) if limit >= 1 => Ok(usize::try_from(limit).unwrap_or(most).min(most)),
        Some(_) => Err(invalid(&format!("limit must be from 1 to {most}."))),
    }
}

/// One page of a list, under `field`.
fn page(input: &Value, field: &str, items: Vec<Value>, most: usize) -> Result<Value, AwsError> {
    let token = input.get("nextToken").and_then(Value::as_str);
    let page = paging::page(items, token, limit(input, most)?)
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let mut reply = json!({ field: page.items });
    if let Some(next) = page.next {
        reply["nextToken"] = json!(next);
    }
    Ok(reply)
}
