//! The tags of what CloudWatch keeps: dashboards and alarms.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::Tag;

use super::ownership::Tags;
use crate::aws::{CallFailure, During, UnlessGone};
use crate::engine::Failure;
use crate::names::STACK_TAG;

/// The tag that says whose it is. CloudWatch takes it with what is new, and ignores it with what is there.
pub fn stack_tag(stack: &str) -> Tag {
    Tag::builder().key(STACK_TAG).value(stack).build()
}

/// The tags of what has this ARN, if it is there.
pub async fn tags_of(client: &Client, arn: &str) -> Result<Option<Tags>, CallFailure> {
    let answer = client.list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer
        .during("cloudwatch:ListTagsForResource", arn)
        .unless_gone()?;
    Ok(answer.map(|answer| {
        let tags = answer.tags.unwrap_or_default().into_iter();
        tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
            .collect()
    }))
}

/// Marks what has this ARN as the stack's.
pub async fn mark(client: &Client, arn: &str, stack: &str) -> Result<(), Failure> {
    let answer = client
        .tag_resource()
        .resource_arn(arn)
        .tags(stack_tag(stack))
        .send()
        .await;
    answer.during("cloudwatch:TagResource", arn)?;
    Ok(())
}
