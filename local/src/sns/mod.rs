//! SNS: topics and who is to be told by e-mail. No mail is ever sent.

mod subscriptions;
mod topics;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::inputs::Operation;
use crate::{iam, paging};

const OPERATIONS: &[Operation] = &[
    ("ConfirmSubscription", &["TopicArn", "Token"]),
    (
        "CreateTopic",
        &[
            "Name",
            "Attributes.Policy",
            "Attributes.DisplayName",
            "Tags.Key",
            "Tags.Value",
        ],
    ),
    ("DeleteTopic", &["TopicArn"]),
    ("GetTopicAttributes", &["TopicArn"]),
    ("ListSubscriptionsByTopic", &["TopicArn", "NextToken"]),
    ("ListTagsForResource", &["ResourceArn"]),
    ("ListTopics", &["NextToken"]),
    (
        "SetTopicAttributes",
        &[
            "TopicArn",
            "AttributeName=Policy",
            "AttributeName=DisplayName",
            "AttributeValue",
        ],
    ),
    (
        "Subscribe",
        &["TopicArn", "Protocol=email", "Endpoint", "ReturnSubscriptionArn"],
    ),
    ("TagResource", &["ResourceArn", "Tags.Key", "Tags.Value"]),
    ("Unsubscribe", &["SubscriptionArn"]),
    ("UntagResource", &["ResourceArn", "TagKeys"]),
];

/// The most items on a page.
const MOST_ITEMS: usize = 100;

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    permit(cloud, &call)?;
    let input = &call.input;
    let document = match call.operation.as_str() {
        "CreateTopic" => topics::create(cloud, input).await?,
        "DeleteTopic" => topics::delete(cloud, input).await?,
        "GetTopicAttributes" => topics::get(cloud, input)?,
        "SetTopicAttributes" => topics::set(cloud, input).await?,
        "ListTopics" => topics::list(cloud, input)?,
        "ListTagsForResource" => topics::list_tags(cloud, input)?,
        "TagResource" => topics::tag(cloud, input).await?,
        "UntagResource" => topics::untag(cloud, input).await?,
        "Subscribe" => subscriptions::subscribe(cloud, input).await?,
        "ConfirmSubscription" => subscriptions::confirm(cloud, input).await?,
        "ListSubscriptionsByTopic" => subscriptions::list(cloud, input)?,
        "Unsubscribe" => subscriptions::unsubscribe(cloud, input).await?,
        _ => return Err(call.not_implemented()),
    };
    Ok(Reply::ok(document))
}

/// Assumption (AWS docs: Service Authorization Reference, SNS): to end a subscription is allowed for all or for none.
fn permit(cloud: &Cloud, call: &Call) -> Result<(), AwsError> {
    let text = |name: &str| call.input.get(name).and_then(Value::as_str);
    let resource = match call.operation.as_str() {
        "CreateTopic" => topics::arn(cloud, text("Name").unwrap_or_default()),
        "ListTopics" | "Unsubscribe" => "*".to_owned(),
        _ => text("TopicArn")
            .or(text("ResourceArn"))
            .unwrap_or_default()
            .to_owned(),
    };
    let action = format!("sns:{}", call.operation);
    iam::authorize(cloud, &call.principal, &action, &resource, &[])?;
    if call.operation == "CreateTopic" {
        let tags = &call.input["Tags"];
        iam::authorize_tags(cloud, &call.principal, "sns:TagResource", &resource, tags)?;
    }
    Ok(())
}

fn invalid(reason: &str) -> AwsError {
    AwsError::bad_request("InvalidParameter", format!("Invalid parameter: {reason}"))
}

/// A parameter that must be there.
fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, AwsError> {
    input
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(name))
}

/// `items` under `field`, from the place where the last page ended.
fn page(input: &Value, field: &str, items: Vec<Value>) -> Result<Value, AwsError> {
    let token = input.get("NextToken").and_then(Value::as_str);
    let page = paging::page(items, token, MOST_ITEMS).ok_or_else(|| invalid("NextToken"))?;
    Ok(json!({field: page.items, "NextToken": page.next}))
}
