//! A CloudWatch Logs log group.

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;

use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{LOGS_BUSY, LOGS_STALE};
use crate::aws::{During, UnlessGone};
use crate::engine::{Failure, FieldChange, Fields, Found, Mending, NotYet, Owner, Reading, Resource, Step};

/// A log group that forgets after a while.
pub struct LogGroup {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    /// Without the `:*` behind it.
    pub arn: String,
    pub retention_days: u32,
}

const RETENTION: &str = "retention days";

impl LogGroup {
    async fn put_retention(&self) -> Result<(), Failure> {
        self.client
            .put_retention_policy()
            .log_group_name(&self.name)
            .retention_in_days(i32::try_from(self.retention_days).unwrap_or(i32::MAX))
            .send()
            .await
            .during("logs:PutRetentionPolicy", &self.name)?;
        Ok(())
    }
}

#[async_trait]
impl Resource for LogGroup {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        "log group"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack).with(RETENTION, self.retention_days)
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&LOGS_BUSY, &LOGS_STALE]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &[
            "logs:CreateLogGroup",
            "logs:TagResource",
            "logs:PutRetentionPolicy",
        ]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[RETENTION], "logs:PutRetentionPolicy"),
            (&[ownership::FIELD], "logs:TagResource"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        // A prefix may have thousands behind it, but the name itself comes first.
        let describe = self
            .client
            .describe_log_groups()
            .log_group_name_prefix(&self.name)
            .send();
        let tags = self
            .client
            .list_tags_for_resource()
            .resource_arn(&self.arn)
            .send();
        let (found, tags) = futures_util::join!(describe, tags);
        let found = found.during("logs:DescribeLogGroups", &self.name)?;
        let Some(group) = found
            .log_groups()
            .iter()
            .find(|group| group.log_group_name() == Some(&self.name))
        else {
            return Ok(Reading::Absent);
        };
        let tags = tags.during("logs:ListTagsForResource", &self.name);
        let Some(tags) = tags.unless_gone()? else {
            return Ok(Reading::Absent);
        };
        let tags: Tags = tags.tags.unwrap_or_default().into_iter().collect();
        Ok(Reading::Found(Found {
            owner: match tags.owner(&self.mark.stack) {
                // A function's first line makes its group, as bare as this: beside our function it was ours, and else it is
                // of whose function had the name.
                Owner::Unmarked(reason) if tags.is_empty() && group.retention_in_days().is_none() => {
                    Owner::Unclaimed(reason)
                }
                owner => owner,
            },
            fields: tags
                .found(Fields::default())
                .with_some(RETENTION, group.retention_in_days()),
            settling: None,
            others: tags.others(),
        }))
    }

    async fn create(&self, step: &Step<'_>) -> Result<(), Failure> {
        self.client
            .create_log_group()
            .log_group_name(&self.name)
            .set_tags(Some(self.mark.map()))
            .send()
            .await
            .during("logs:CreateLogGroup", &self.name)?;
        step.made();
        self.put_retention().await
    }

    async fn change(&self, _: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[RETENTION]) {
            self.put_retention().await?;
        }
        if touches(changes, &[ownership::FIELD]) {
            self.client
                .tag_resource()
                .resource_arn(&self.arn)
                .set_tags(Some(self.mark.map()))
                .send()
                .await
                .during("logs:TagResource", &self.name)?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        let answer = self
            .client
            .delete_log_group()
            .log_group_name(&self.name)
            .send()
            .await;
        answer.during("logs:DeleteLogGroup", &self.name).unless_gone()?;
        Ok(())
    }
}
