//! An SNS topic, with the e-mail address that it tells.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::{Subscription, Tag};
use aws_smithy_types::error::operation::BuildError;
use serde_json::Value;

use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{SNS_BUSY, SNS_TAGS};
use crate::aws::{CallFailure, During, UnlessGone};
use crate::engine::{
    Failure, FieldChange, Fields, Found, Mending, NotYet, Reading, Resource, Step, document,
};
use crate::names::STACK_TAG;

/// A topic that CloudWatch's alarms publish to; what others have subscribed to it stays.
///
/// It is not encrypted: CloudWatch cannot publish to a topic under the key that AWS manages for SNS.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>
pub struct Topic {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    pub arn: String,
    pub policy: Value,
    /// Whom it tells. SNS asks there first whether that is welcome.
    pub email: String,
}

/// The address that has not confirmed yet that it wants to be told. Nobody's to mend.
pub const UNCONFIRMED: &str = "unconfirmed e-mail";

const POLICY: &str = "policy";
const EMAIL: &str = "e-mail";

/// Says which address was subscribed, so that it is told from those of others.
const EMAIL_TAG: &str = "resizer:email";

/// What SNS gives for the ARN of a subscription that is not confirmed, and of one that has ended.
const PENDING: &str = "PendingConfirmation";
const DELETED: &str = "Deleted";

impl Topic {
    fn tag(key: &str, value: &str) -> Result<Tag, BuildError> {
        Tag::builder().key(key).value(value).build()
    }

    fn tags_of_a_new_one(&self) -> Result<Vec<Tag>, BuildError> {
        let tags = self.mark.tags().chain([(EMAIL_TAG, self.email.as_str())]);
        tags.map(|(key, value)| Self::tag(key, value)).collect()
    }

    async fn mark(&self, key: &str, value: &str) -> Result<(), Failure> {
        let tag = Self::tag(key, value)?;
        let answer = self
            .client
            .tag_resource()
            .resource_arn(&self.arn)
            .tags(tag)
            .send()
            .await;
        answer.during("sns:TagResource", &self.name)?;
        Ok(())
    }

    async fn tags(&self) -> Result<Option<Tags>, CallFailure> {
        let answer = self
            .client
            .list_tags_for_resource()
            .resource_arn(&self.arn)
            .send()
            .await;
        let answer = answer
            .during("sns:ListTagsForResource", &self.name)
            .unless_gone()?;
        Ok(answer.map(|answer| {
            let tags = answer.tags.unwrap_or_default().into_iter();
            tags.map(|tag| (tag.key, tag.value)).collect()
        }))
    }

    /// Every subscription that has not ended.
    async fn subscriptions(&self) -> Result<Vec<Subscription>, CallFailure> {
        let mut all = Vec::new();
        let mut next = None;
        loop {
            let list = self
                .client
                .list_subscriptions_by_topic()
                .topic_arn(&self.arn)
                .set_next_token(next)
                .send()
                .await;
            let list = list
                .during("sns:ListSubscriptionsByTopic", &self.name)
                .unless_gone()?;
            let Some(list) = list else { return Ok(all) };
            let stand = list.subscriptions.unwrap_or_default().into_iter();
            all.extend(stand.filter(|subscription| subscription.subscription_arn() != Some(DELETED)));
            next = list.next_token;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    async fn subscribe(&self) -> Result<(), Failure> {
        self.client
            .subscribe()
            .topic_arn(&self.arn)
            .protocol("email")
            .endpoint(&self.email)
            .send()
            .await
            .during("sns:Subscribe", &self.name)?;
        Ok(())
    }

    /// Tells the new address in place of the one that `found` has. SNS does not end a subscription that was never
    /// confirmed, and whoever has the mail may confirm it for two days: where that is so, and nobody else subscribes, the
    /// topic goes, to be made anew.
    async fn change_email(&self, found: &Fields) -> Result<(), Failure> {
        let subscriptions = self.subscriptions().await?;
        let is_old = |subscription: &&Subscription| {
            found
                .text(EMAIL)
                .is_some_and(|email| is_email(subscription, email))
        };
        let old = subscriptions.iter().find(is_old);
        if old.is_some_and(is_pending) && subscriptions.len() == 1 {
            return self.delete().await;
        }
        self.subscribe().await?;
        if let Some(arn) = old
            .filter(|old| !is_pending(old))
            .and_then(Subscription::subscription_arn)
        {
            let answer = self.client.unsubscribe().subscription_arn(arn).send().await;
            answer.during("sns:Unsubscribe", arn).unless_gone()?;
        }
        self.mark(EMAIL_TAG, &self.email).await
    }

    async fn delete(&self) -> Result<(), Failure> {
        let answer = self.client.delete_topic().topic_arn(&self.arn).send().await;
        answer.during("sns:DeleteTopic", &self.name).unless_gone()?;
        Ok(())
    }
}

fn is_email(subscription: &Subscription, address: &str) -> bool {
    let endpoint = subscription.endpoint().unwrap_or_default();
    subscription.protocol() == Some("email") && endpoint.eq_ignore_ascii_case(address)
}

fn is_pending(subscription: &Subscription) -> bool {
    subscription.subscription_arn() == Some(PENDING)
}

fn described(subscription: &Subscription) -> String {
    format!(
        "subscription of {} {}",
        subscription.protocol().unwrap_or_default(),
        subscription.endpoint().unwrap_or_default()
    )
}

#[async_trait]
impl Resource for Topic {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        "topic"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack)
            .with(POLICY, self.policy.clone())
            .with(EMAIL, self.email.as_str())
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&SNS_BUSY, &SNS_TAGS]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["sns:CreateTopic", "sns:TagResource", "sns:Subscribe"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[POLICY], "sns:SetTopicAttributes"),
            (&[EMAIL], "sns:Subscribe"),
            (&[ownership::FIELD], "sns:TagResource"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let attributes = self.client.get_topic_attributes().topic_arn(&self.arn);
        let attributes = attributes.send().await;
        let attributes = attributes
            .during("sns:GetTopicAttributes", &self.name)
            .unless_gone()?;
        let Some(attributes) = attributes.and_then(|answer| answer.attributes) else {
            return Ok(Reading::Absent);
        };
        let (tags, subscriptions) = futures_util::try_join!(self.tags(), self.subscriptions())?;
        let Some(tags) = tags else {
            return Ok(Reading::Absent);
        };
        let of = |address: &str| {
            subscriptions
                .iter()
                .find(|subscription| is_email(subscription, address))
        };
        let subscribed = tags.get(EMAIL_TAG).filter(|address| of(address).is_some());
        let unconfirmed = of(&self.email).is_some_and(is_pending);
        let others = subscriptions.iter().filter(|subscription| {
            let is_ours = |address: &str| is_email(subscription, address);
            !is_ours(&self.email) && !tags.get(EMAIL_TAG).is_some_and(is_ours)
        });
        let fields = Fields::default()
            .with_some(POLICY, attributes.get("Policy").map(|policy| document(policy)))
            .with_some(EMAIL, subscribed)
            .with_some(UNCONFIRMED, unconfirmed.then_some(self.email.as_str()));
        Ok(Reading::Found(Found {
            owner: tags.owner(&self.mark.stack),
            fields: tags.found(fields),
            settling: None,
            others: [others.map(described).collect(), tags.others()].concat(),
        }))
    }

    async fn create(&self, step: &Step<'_>) -> Result<(), Failure> {
        self.client
            .create_topic()
            .name(&self.name)
            .attributes("Policy", self.policy.to_string())
            .set_tags(Some(self.tags_of_a_new_one()?))
            .send()
            .await
            .during("sns:CreateTopic", &self.name)?;
        step.made();
        self.subscribe().await
    }

    async fn change(&self, found: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[ownership::FIELD]) {
            self.mark(STACK_TAG, &self.mark.stack).await?;
        }
        if touches(changes, &[POLICY]) {
            let set = self.client.set_topic_attributes().topic_arn(&self.arn);
            let set = set
                .attribute_name("Policy")
                .attribute_value(self.policy.to_string());
            set.send().await.during("sns:SetTopicAttributes", &self.name)?;
        }
        if touches(changes, &[EMAIL]) {
            self.change_email(found).await?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        self.delete().await
    }
}
