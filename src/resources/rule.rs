//! An EventBridge rule on the default bus, with its target.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{
    DeadLetterConfig, InputTransformer, RetryPolicy, RuleState, Tag, Target as SdkTarget,
};
use aws_smithy_types::error::operation::BuildError;
use serde_json::{Value, json};

use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{EVENTS_BUSY, EVENTS_ROLE, EVENTS_TARGETS};
use crate::aws::{CallFailure, Cause, During, UnlessGone};
use crate::engine::{
    Failure, FieldChange, Fields, Found, Mending, NotYet, Reading, Resource, Step, document,
};

/// A rule that is on and sends what it matches to one target; targets that others gave it stay.
pub struct Rule {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    pub arn: String,
    pub description: &'static str,
    pub pattern: Value,
    pub target: Target,
}

/// Where the events go, and what is made of them on the way.
pub struct Target {
    /// Tells our target from others of the same rule.
    pub id: &'static str,
    pub arn: String,
    pub role_arn: String,
    /// Names and the JSON paths of their values in the event.
    pub input_paths: &'static [(&'static str, &'static str)],
    /// JSON with `<name>` where a value goes.
    pub input_template: &'static str,
}

pub const PATTERN: &str = "pattern";
pub const STATE: &str = "state";
const DESCRIPTION: &str = "description";
pub const TARGET: &str = "target";
/// The queue that others have told EventBridge to put what it cannot deliver.
const DEAD_LETTERS: &str = "dead-letter queue";

/// How long EventBridge tries: what it does where nothing is said. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html>
const RETRIES: i32 = 185;
const RETRIED_FOR: i32 = 24 * 3600;

impl Target {
    fn wanted(&self) -> Value {
        json!({
            "arn": self.arn,
            "role": self.role_arn,
            "inputPaths": self.input_paths.iter().copied().collect::<BTreeMap<_, _>>(),
            "inputTemplate": self.input_template,
            "retries": RETRIES,
            "retriedForSeconds": RETRIED_FOR,
        })
    }

    fn found(target: &SdkTarget) -> Value {
        let transformer = target.input_transformer();
        let retries = target.retry_policy();
        json!({
            "arn": target.arn(),
            "role": target.role_arn(),
            "inputPaths": transformer.and_then(InputTransformer::input_paths_map),
            "inputTemplate": transformer.map(InputTransformer::input_template),
            "retries": retries.and_then(RetryPolicy::maximum_retry_attempts),
            "retriedForSeconds": retries.and_then(RetryPolicy::maximum_event_age_in_seconds),
        })
    }

    /// What is not in it is taken away from a target that stands: so the queue of others goes along.
    fn request(&self, dead_letters: Option<&str>) -> Result<SdkTarget, Failure> {
        let paths = self
            .input_paths
            .iter()
            .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()));
        let transformer = InputTransformer::builder()
            .set_input_paths_map(Some(paths.collect()))
            .input_template(self.input_template)
            .build()?;
        Ok(SdkTarget::builder()
            .id(self.id)
            .arn(&self.arn)
            .role_arn(&self.role_arn)
            .input_transformer(transformer)
            .retry_policy(
                RetryPolicy::builder()
                    .maximum_retry_attempts(RETRIES)
                    .maximum_event_age_in_seconds(RETRIED_FOR)
                    .build(),
            )
            .set_dead_letter_config(dead_letters.map(|queue| DeadLetterConfig::builder().arn(queue).build()))
            .build()?)
    }
}

impl Rule {
    fn marks(&self) -> Result<Vec<Tag>, BuildError> {
        let tags = self.mark.tags();
        tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect()
    }

    /// EventBridge takes tags with a new rule, and refuses them with one that is there.
    async fn put(&self, tags: Option<Vec<Tag>>) -> Result<(), Failure> {
        self.client
            .put_rule()
            .name(&self.name)
            .description(self.description)
            .event_pattern(self.pattern.to_string())
            .state(RuleState::Enabled)
            .set_tags(tags)
            .send()
            .await
            .during("events:PutRule", &self.name)?;
        Ok(())
    }

    async fn put_target(&self, dead_letters: Option<&str>) -> Result<(), Failure> {
        let answer = self
            .client
            .put_targets()
            .rule(&self.name)
            .targets(self.target.request(dead_letters)?)
            .send()
            .await
            .during("events:PutTargets", &self.name)?;
        match answer.failed_entries().first() {
            Some(entry) => {
                Err(self.entry_failure("events:PutTargets", entry.error_code(), entry.error_message()))
            }
            None => Ok(()),
        }
    }

    async fn targets(&self) -> Result<Vec<SdkTarget>, CallFailure> {
        let answer = self.client.list_targets_by_rule().rule(&self.name).send().await;
        let answer = answer
            .during("events:ListTargetsByRule", &self.name)
            .unless_gone()?;
        Ok(answer.and_then(|answer| answer.targets).unwrap_or_default())
    }

    async fn tags(&self) -> Result<Tags, CallFailure> {
        let answer = self
            .client
            .list_tags_for_resource()
            .resource_arn(&self.arn)
            .send()
            .await;
        let answer = answer
            .during("events:ListTagsForResource", &self.name)
            .unless_gone()?;
        let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    /// A call that was answered with success may still have failed for an entry.
    fn entry_failure(&self, operation: &'static str, code: Option<&str>, message: Option<&str>) -> Failure {
        let code = code.unwrap_or("unknown");
        let failure = CallFailure {
            operation,
            resource: self.name.clone(),
            cause: Cause::Refused {
                // Each entry has a code and no status.
                status: if code.starts_with("Internal") { 500 } else { 400 },
                code: code.to_owned(),
                message: message.unwrap_or_default().to_owned(),
            },
        };
        failure.into()
    }
}

fn dead_letters(target: &SdkTarget) -> Option<&str> {
    target.dead_letter_config()?.arn()
}

fn described(target: &SdkTarget) -> String {
    format!("target {} ({})", target.id(), target.arn())
}

#[async_trait]
impl Resource for Rule {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        "rule"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack)
            .with(DESCRIPTION, self.description)
            .with(PATTERN, self.pattern.clone())
            .with(STATE, RuleState::Enabled.as_str())
            .with(TARGET, self.target.wanted())
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&EVENTS_ROLE, &EVENTS_BUSY, &EVENTS_TARGETS]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["events:PutRule", "events:TagResource", "events:PutTargets"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[PATTERN, STATE, DESCRIPTION], "events:PutRule"),
            (&[TARGET], "events:PutTargets"),
            (&[ownership::FIELD], "events:TagResource"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let describe = self.client.describe_rule().name(&self.name).send();
        let describe = async { describe.await.during("events:DescribeRule", &self.name) };
        let (rule, targets, tags) = futures_util::join!(describe, self.targets(), self.tags());
        let rule = match rule {
            Ok(rule) => rule,
            Err(failure) if failure.is_not_found() => return Ok(Reading::Absent),
            Err(failure) => return Err(failure.into()),
        };
        let (targets, tags) = (targets?, tags?);
        let (ours, theirs): (Vec<_>, Vec<_>) =
            targets.iter().partition(|target| target.id() == self.target.id);
        let ours = ours.first().copied();
        let dead_letters = ours.and_then(dead_letters);
        let queue = dead_letters.map(|queue| format!("dead-letter queue {queue}"));
        let fields = Fields::default()
            .with_some(DESCRIPTION, rule.description())
            .with_some(PATTERN, rule.event_pattern().map(document))
            .with_some(STATE, rule.state().map(RuleState::as_str))
            .with_some(TARGET, ours.map(Target::found))
            .with_some(DEAD_LETTERS, dead_letters);
        Ok(Reading::Found(Found {
            owner: tags.owner(&self.mark.stack),
            fields: tags.found(fields),
            settling: None,
            others: [
                theirs.into_iter().map(described).collect(),
                queue.into_iter().collect(),
                tags.others(),
            ]
            .concat(),
        }))
    }

    async fn create(&self, step: &Step<'_>) -> Result<(), Failure> {
        self.put(Some(self.marks()?)).await?;
        step.made();
        self.put_target(None).await
    }

    async fn change(&self, found: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[PATTERN, STATE, DESCRIPTION]) {
            self.put(None).await?;
        }
        if touches(changes, &[TARGET]) {
            self.put_target(found.text(DEAD_LETTERS)).await?;
        }
        if touches(changes, &[ownership::FIELD]) {
            let answer = self
                .client
                .tag_resource()
                .resource_arn(&self.arn)
                .set_tags(Some(self.marks()?))
                .send()
                .await;
            answer.during("events:TagResource", &self.name)?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        let targets = self.targets().await?;
        if !targets.is_empty() {
            let ids = targets.into_iter().map(|target| target.id).collect();
            let answer = self
                .client
                .remove_targets()
                .rule(&self.name)
                .set_ids(Some(ids))
                .send()
                .await;
            let Some(answer) = answer.during("events:RemoveTargets", &self.name).unless_gone()? else {
                return Ok(());
            };
            let mut failed = answer.failed_entries().iter();
            if let Some(entry) = failed.find(|entry| entry.error_code() != Some("ResourceNotFoundException"))
            {
                let (code, message) = (entry.error_code(), entry.error_message());
                return Err(self.entry_failure("events:RemoveTargets", code, message));
            }
        }
        let answer = self.client.delete_rule().name(&self.name).send().await;
        answer.during("events:DeleteRule", &self.name).unless_gone()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_target_is_read_as_it_was_put_and_the_queue_of_others_goes_along() {
        let target = Target {
            id: "state-machine",
            arn: "arn:aws:states:us-east-1:000000000000:stateMachine:resizer-resize".to_owned(),
            role_arn: "arn:aws:iam::000000000000:role/rule".to_owned(),
            input_paths: &[("key", "$.detail.object.key")],
            input_template: r#"{"key": <key>}"#,
        };
        let queue = "arn:aws:sqs:us-east-1:000000000000:theirs";
        let put = target.request(Some(queue)).unwrap();
        assert_eq!(Target::found(&put), target.wanted());
        assert_eq!(dead_letters(&put), Some(queue));
        let plain = SdkTarget::builder().id("state-machine").arn(&target.arn);
        assert_ne!(Target::found(&plain.build().unwrap()), target.wanted());
    }
}
