//! An S3 bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, EventBridgeConfiguration, NotificationConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
};
use aws_smithy_types::error::operation::BuildError;
use serde_json::{Value, json};

use super::bucket_contents;
use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{PACE_S3, S3_BUSY, S3_FAILED, S3_LATE, S3_NOT_EMPTY, S3_STALE};
use crate::aws::{CallFailure, During, UnlessGone};
use crate::engine::{Failure, FieldChange, Fields, Found, Mending, NotYet, Owner, Reading, Resource, Step};

/// A bucket that no one outside the account can read.
///
/// Every call names the account that is to own it, so that a bucket of that name in someone else's is never used.
pub struct Bucket {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    pub region: String,
    pub account: String,
    pub notification: Notification,
    /// Whether it is somebody else's: no more of it is looked after than whom it tells.
    pub is_lent: bool,
}

/// Whom the bucket tells of its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// EventBridge, beside whomever others have told it to tell.
    EventBridge,
    /// As it is.
    Untouched,
}

/// What a person calls it.
pub const BUCKET: &str = "bucket";

const ENCRYPTION: &str = "encryption";
const PUBLIC_ACCESS: &str = "public access block";
pub const EVENT_BRIDGE: &str = "notification to EventBridge";

// Assumption (AWS docs: S3 User Guide, "Controlling ownership of objects"): a new bucket's object ownership is
// BucketOwnerEnforced (no ACLs) since April 2023, so it is not set again.

impl Bucket {
    async fn tags(&self) -> Result<Vec<Tag>, CallFailure> {
        let answer = self
            .client
            .get_bucket_tagging()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .send()
            .await;
        match answer.during("s3:GetBucketTagging", &self.name) {
            Ok(answer) => Ok(answer.tag_set),
            Err(failure) if failure.code() == Some("NoSuchTagSet") => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    async fn encryption(&self) -> Result<Option<String>, CallFailure> {
        let answer = self
            .client
            .get_bucket_encryption()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .send()
            .await;
        match answer.during("s3:GetEncryptionConfiguration", &self.name) {
            Ok(answer) => Ok(answer
                .server_side_encryption_configuration()
                .and_then(|configuration| configuration.rules().first())
                .and_then(|rule| rule.apply_server_side_encryption_by_default())
                .map(|default| default.sse_algorithm().as_str().to_owned())),
            Err(failure) if failure.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn public_access(&self) -> Result<Option<Value>, CallFailure> {
        let answer = self
            .client
            .get_public_access_block()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .send()
            .await;
        match answer.during("s3:GetBucketPublicAccessBlock", &self.name) {
            Ok(answer) => Ok(answer
                .public_access_block_configuration()
                .map(public_access_value)),
            Err(failure) if failure.code() == Some("NoSuchPublicAccessBlockConfiguration") => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn notifications(&self) -> Result<GetBucketNotificationConfigurationOutput, CallFailure> {
        self.client
            .get_bucket_notification_configuration()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .send()
            .await
            .during("s3:GetBucketNotification", &self.name)
    }

    /// The call replaces the whole configuration, so what others have put there goes along.
    async fn put_notification(&self) -> Result<(), Failure> {
        let configuration = telling_event_bridge(self.notifications().await?);
        self.client
            .put_bucket_notification_configuration()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .notification_configuration(configuration)
            // What others have put there was checked when they did.
            .skip_destination_validation(true)
            .send()
            .await
            .during("s3:PutBucketNotification", &self.name)?;
        Ok(())
    }

    async fn put_encryption(&self) -> Result<(), Failure> {
        let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
        let rule =
            ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default.build()?);
        self.client
            .put_bucket_encryption()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .server_side_encryption_configuration(
                ServerSideEncryptionConfiguration::builder()
                    .rules(rule.build())
                    .build()?,
            )
            .send()
            .await
            .during("s3:PutEncryptionConfiguration", &self.name)?;
        Ok(())
    }

    async fn put_public_access(&self) -> Result<(), Failure> {
        self.client
            .put_public_access_block()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .public_access_block_configuration(all_blocked())
            .send()
            .await
            .during("s3:PutBucketPublicAccessBlock", &self.name)?;
        Ok(())
    }

    /// The call replaces every tag, so others' go along.
    async fn put_tags(&self) -> Result<(), Failure> {
        let mut tags = self.tags().await?;
        let marks = self.marks()?;
        tags.retain(|tag| marks.iter().all(|mark| mark.key() != tag.key()));
        tags.extend(marks);
        self.client
            .put_bucket_tagging()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .tagging(Tagging::builder().set_tag_set(Some(tags)).build()?)
            .send()
            .await
            .during("s3:PutBucketTagging", &self.name)?;
        Ok(())
    }

    /// What is looked after of a bucket that is lent, and whether it is there.
    async fn read_lent(&self) -> Result<Reading, Failure> {
        let notifications = match self.notifications().await {
            Ok(notifications) => notifications,
            Err(failure) if failure.is_not_found() => return Ok(Reading::Absent),
            Err(failure) if failure.code() == Some("AccessDenied") => {
                let elsewhere =
                    "or the bucket belongs to another account, and one of the stack's own is needed";
                return Err(Failure::from(failure).hint(elsewhere));
            }
            Err(failure) => return Err(failure.into()),
        };
        let tells = notifications.event_bridge_configuration().is_some();
        Ok(Reading::Found(Found {
            owner: Owner::Ours,
            fields: Fields::default().with(EVENT_BRIDGE, tells),
            settling: None,
            others: receivers(&notifications),
        }))
    }

    fn marks(&self) -> Result<Vec<Tag>, BuildError> {
        let tags = self.mark.tags();
        tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect()
    }
}

/// What there is, and EventBridge.
fn telling_event_bridge(there: GetBucketNotificationConfigurationOutput) -> NotificationConfiguration {
    NotificationConfiguration::builder()
        .set_topic_configurations(there.topic_configurations)
        .set_queue_configurations(there.queue_configurations)
        .set_lambda_function_configurations(there.lambda_function_configurations)
        .event_bridge_configuration(EventBridgeConfiguration::builder().build())
        .build()
}

/// Whom others have told S3 to tell.
fn receivers(notifications: &GetBucketNotificationConfigurationOutput) -> Vec<String> {
    let topics = notifications
        .topic_configurations()
        .iter()
        .map(|topic| topic.topic_arn());
    let queues = notifications
        .queue_configurations()
        .iter()
        .map(|queue| queue.queue_arn());
    let functions = notifications.lambda_function_configurations().iter();
    topics
        .chain(queues)
        .chain(functions.map(|function| function.lambda_function_arn()))
        .map(|arn| format!("notification to {arn}"))
        .collect()
}

fn all_blocked() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build()
}

fn public_access_value(configuration: &PublicAccessBlockConfiguration) -> Value {
    json!({
        "BlockPublicAcls": configuration.block_public_acls().unwrap_or_default(),
        "IgnorePublicAcls": configuration.ignore_public_acls().unwrap_or_default(),
        "BlockPublicPolicy": configuration.block_public_policy().unwrap_or_default(),
        "RestrictPublicBuckets": configuration.restrict_public_buckets().unwrap_or_default(),
    })
}

#[async_trait]
impl Resource for Bucket {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        BUCKET
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_lent(&self) -> bool {
        self.is_lent
    }

    fn wanted(&self) -> Fields {
        let tells = (self.notification == Notification::EventBridge).then_some(true);
        if self.is_lent {
            return Fields::default().with_some(EVENT_BRIDGE, tells);
        }
        tagged(&self.mark.stack)
            // First: S3 takes minutes until it begins to tell.
            .with_some(EVENT_BRIDGE, tells)
            .with(ENCRYPTION, ServerSideEncryption::Aes256.as_str())
            .with(PUBLIC_ACCESS, public_access_value(&all_blocked()))
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&S3_BUSY, &S3_LATE, &S3_STALE, &S3_NOT_EMPTY, &S3_FAILED, &PACE_S3]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &[
            "s3:CreateBucket",
            "s3:TagResource",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketNotification",
        ]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[ownership::FIELD], "s3:PutBucketTagging"),
            (&[EVENT_BRIDGE], "s3:PutBucketNotification"),
            (&[ENCRYPTION], "s3:PutEncryptionConfiguration"),
            (&[PUBLIC_ACCESS], "s3:PutBucketPublicAccessBlock"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        if self.is_lent {
            return self.read_lent().await;
        }
        let answers = futures_util::try_join!(
            self.tags(),
            self.encryption(),
            self.public_access(),
            self.notifications()
        );
        let (tags, encryption, public_access, notifications) = match answers {
            Ok(answers) => answers,
            Err(failure) if failure.is_not_found() => return Ok(Reading::Absent),
            Err(failure) if failure.code() == Some("AccessDenied") => {
                return Err(Failure::from(failure)
                    .hint("or the bucket belongs to another account: choose another name with --stack"));
            }
            Err(failure) => return Err(failure.into()),
        };
        let tags: Tags = tags.iter().map(|tag| (tag.key(), tag.value())).collect();
        let tells = notifications.event_bridge_configuration().is_some();
        let fields = Fields::default()
            .with_some(ENCRYPTION, encryption)
            .with_some(PUBLIC_ACCESS, public_access)
            .with(EVENT_BRIDGE, tells);
        Ok(Reading::Found(Found {
            owner: tags.owner(&self.mark.stack),
            fields: tags.found(fields),
            settling: None,
            others: [receivers(&notifications), tags.others()].concat(),
        }))
    }

    async fn create(&self, _step: &Step<'_>) -> Result<(), Failure> {
        // The tags go along, so that no run that ends here leaves a bucket that no one owns.
        let mut configuration = CreateBucketConfiguration::builder().set_tags(Some(self.marks()?));
        // us-east-1 is where a bucket goes that asks for no place, and S3 refuses it as a constraint.
        if self.region != "us-east-1" {
            configuration =
                configuration.location_constraint(BucketLocationConstraint::from(self.region.as_str()));
        }
        self.client
            .create_bucket()
            .bucket(&self.name)
            .create_bucket_configuration(configuration.build())
            .send()
            .await
            .during("s3:CreateBucket", &self.name)?;
        Ok(())
    }

    /// One after the other: S3 refuses two changes of one bucket at once.
    async fn change(&self, _: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[ownership::FIELD]) {
            self.put_tags().await?;
        }
        if touches(changes, &[EVENT_BRIDGE]) {
            self.put_notification().await?;
        }
        if touches(changes, &[ENCRYPTION]) {
            self.put_encryption().await?;
        }
        if touches(changes, &[PUBLIC_ACCESS]) {
            self.put_public_access().await?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, step: &Step<'_>) -> Result<(), Failure> {
        bucket_contents::empty(&self.client, &self.name, &self.account, step).await?;
        let answer = self
            .client
            .delete_bucket()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .send()
            .await;
        answer.during("s3:DeleteBucket", &self.name).unless_gone()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_s3::types::{Event, LambdaFunctionConfiguration, QueueConfiguration, TopicConfiguration};

    use super::*;

    #[test]
    fn what_others_are_told_stays_and_is_named() {
        let queue = QueueConfiguration::builder()
            .queue_arn("arn:aws:sqs:::theirs")
            .events(Event::S3ObjectRemoved)
            .build()
            .unwrap();
        let topic = TopicConfiguration::builder()
            .topic_arn("arn:aws:sns:::theirs")
            .events(Event::S3ObjectCreated)
            .build()
            .unwrap();
        let function = LambdaFunctionConfiguration::builder()
            .lambda_function_arn("arn:aws:lambda:::theirs")
            .events(Event::S3ObjectCreated)
            .build()
            .unwrap();
        let there = GetBucketNotificationConfigurationOutput::builder()
            .queue_configurations(queue.clone())
            .topic_configurations(topic.clone())
            .lambda_function_configurations(function.clone())
            .build();
        assert_eq!(
            receivers(&there),
            [
                "notification to arn:aws:sns:::theirs",
                "notification to arn:aws:sqs:::theirs",
                "notification to arn:aws:lambda:::theirs",
            ]
        );
        let put = telling_event_bridge(there);
        assert!(put.event_bridge_configuration().is_some());
        assert_eq!(put.queue_configurations(), [queue]);
        assert_eq!(put.topic_configurations(), [topic]);
        assert_eq!(put.lambda_function_configurations(), [function]);
    }
}
