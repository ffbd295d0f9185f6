//! The tags of what CloudWatch keeps: dashboards and alarms.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::Tag;

use super::ownership::{Mark, Tags};
use crate::aws::{CallFailure, During, UnlessGone};
use crate::engine::Failure;

/// The tags that say whose it is. CloudWatch takes them with what is new, and ignores them with what is there.
pub fn tags_that_mark(mark: &Mark) -> Vec<Tag> {
    let tags = mark.tags();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
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
pub async fn put_mark(client: &Client, arn: &str, mark: &Mark) -> Result<(), Failure> {
    let answer = client
        .tag_resource()
        .resource_arn(arn)
        .set_tags(Some(tags_that_mark(mark)))
        .send()
        .await;
    answer.during("cloudwatch:TagResource", arn)?;
    Ok(())
}
