//! The settings of buckets, each one column of the bucket's row.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, params};
use s3s::S3Result;
use s3s::dto::*;
use serde_json::{Value as Json, json};

use super::Storage;
use super::buckets::state;
use super::error::{no_such_bucket, not_honoured, not_implemented};
use crate::error::AwsError;

impl Storage {
    /// A setting's column; none if it was never set.
    fn setting(&self, bucket: &str, column: &str) -> Result<Option<String>, AwsError> {
        self.cloud.store.read(|db| {
            db.prepare_cached(&format!("SELECT {column} FROM buckets WHERE name = ?1"))?
                .query_row([bucket], |row| row.get(0))
                .optional()?
                .ok_or_else(no_such_bucket)
        })
    }

    async fn set(&self, bucket: String, column: &'static str, value: Option<String>) -> Result<(), AwsError> {
        let set = self.cloud.store.write(move |tx| {
            let changed = tx
                .prepare_cached(&format!("UPDATE buckets SET {column} = ?2 WHERE name = ?1"))?
                .execute(params![bucket, value])?;
            if changed == 0 {
                Err(no_such_bucket())
            } else {
                Ok(())
            }
        });
        set.await
    }

    pub(super) async fn set_encryption(&self, input: PutBucketEncryptionInput) -> S3Result<()> {
        let [rule] = input.server_side_encryption_configuration.rules.as_slice() else {
            return Err(
                AwsError::bad_request("MalformedXML", "An encryption configuration has one rule.").into(),
            );
        };
        let default = rule.apply_server_side_encryption_by_default.as_ref();
        if default.is_some_and(|default| {
            default.sse_algorithm.as_str() != ServerSideEncryption::AES256
                || default.kms_master_key_id.is_some()
        }) {
            return Err(not_honoured("PutBucketEncryption", "SSEAlgorithm, only AES256").into());
        }
        let rule = json!({
            "algorithm": default.map(|default| default.sse_algorithm.as_str()),
            "bucket_key": rule.bucket_key_enabled,
        });
        Ok(self
            .set(input.bucket, "encryption", Some(rule.to_string()))
            .await?)
    }

    pub(super) async fn reset_encryption(&self, bucket: String) -> S3Result<()> {
        Ok(self.set(bucket, "encryption", None).await?)
    }

    /// Every bucket is encrypted: with SSE-S3 unless something else was set.
    pub(super) fn encryption(&self, bucket: &str) -> S3Result<GetBucketEncryptionOutput> {
        let rule = match self.setting(bucket, "encryption")? {
            Some(text) => parse(&text)?,
            None => json!({ "algorithm": "AES256", "bucket_key": false }),
        };
        let default = rule["algorithm"]
            .as_str()
            .map(|algorithm| ServerSideEncryptionByDefault {
                sse_algorithm: ServerSideEncryption::from(algorithm.to_owned()),
                kms_master_key_id: None,
            });
        let rules = vec![ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: default,
            bucket_key_enabled: rule["bucket_key"].as_bool(),
        }];
        Ok(GetBucketEncryptionOutput {
            server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration { rules }),
        })
    }

    pub(super) async fn set_public_access_block(&self, input: PutPublicAccessBlockInput) -> S3Result<()> {
        let block = input.public_access_block_configuration;
        let block = json!([
            block.block_public_acls,
            block.ignore_public_acls,
            block.block_public_policy,
            block.restrict_public_buckets
        ]);
        Ok(self
            .set(input.bucket, "public_access_block", Some(block.to_string()))
            .await?)
    }

    pub(super) fn public_access_block(&self, bucket: &str) -> S3Result<GetPublicAccessBlockOutput> {
        let text = self.setting(bucket, "public_access_block")?.ok_or_else(|| {
            let message = "The public access block configuration was not found";
            AwsError::not_found("NoSuchPublicAccessBlockConfiguration", message)
        })?;
        let block = parse(&text)?;
        let flag = |index: usize| Some(block[index].as_bool().unwrap_or(false));
        Ok(GetPublicAccessBlockOutput {
            public_access_block_configuration: Some(PublicAccessBlockConfiguration {
                block_public_acls: flag(0),
                ignore_public_acls: flag(1),
                block_public_policy: flag(2),
                restrict_public_buckets: flag(3),
            }),
        })
    }

    pub(super) async fn reset_public_access_block(&self, bucket: String) -> S3Result<()> {
        Ok(self.set(bucket, "public_access_block", None).await?)
    }

    pub(super) async fn set_tags(&self, input: PutBucketTaggingInput) -> S3Result<()> {
        let tags = tags_column(&input.tagging.tag_set)?;
        Ok(self.set(input.bucket, "tags", Some(tags)).await?)
    }

    pub(super) fn tags(&self, bucket: &str) -> S3Result<GetBucketTaggingOutput> {
        let text = self
            .setting(bucket, "tags")?
            .ok_or_else(|| AwsError::not_found("NoSuchTagSet", "The TagSet does not exist"))?;
        let tags: Vec<(String, String)> =
            serde_json::from_str(&text).map_err(|error| AwsError::internal(error.to_string()))?;
        let tag_set = tags
            .into_iter()
            .map(|(key, value)| Tag {
                key: Some(key),
                value: Some(value),
            })
            .collect();
        Ok(GetBucketTaggingOutput { tag_set })
    }

    pub(super) async fn reset_tags(&self, bucket: String) -> S3Result<()> {
        Ok(self.set(bucket, "tags", None).await?)
    }

    pub(super) async fn set_notification(
        &self,
        input: PutBucketNotificationConfigurationInput,
    ) -> S3Result<()> {
        let wanted = input.notification_configuration;
        let others = wanted
            .lambda_function_configurations
            .is_some_and(|list| !list.is_empty())
            || wanted.queue_configurations.is_some_and(|list| !list.is_empty())
            || wanted.topic_configurations.is_some_and(|list| !list.is_empty());
        if others {
            return Err(not_implemented("notifications other than to EventBridge").into());
        }
        let event_bridge = wanted.event_bridge_configuration.is_some();
        let set = self.cloud.store.write(move |tx| {
            state(tx, &input.bucket)?;
            tx.execute(
                "UPDATE buckets SET event_bridge = ?2 WHERE name = ?1",
                params![input.bucket, event_bridge],
            )?;
            Ok(())
        });
        Ok(set.await?)
    }

    pub(super) fn notification(&self, bucket: &str) -> S3Result<GetBucketNotificationConfigurationOutput> {
        let state = self.cloud.store.read(|db| state(db, bucket))?;
        Ok(GetBucketNotificationConfigurationOutput {
            event_bridge_configuration: state.event_bridge.then(EventBridgeConfiguration::default),
            ..Default::default()
        })
    }

    pub(super) async fn set_versioning(&self, input: PutBucketVersioningInput) -> S3Result<()> {
        let wanted = input.versioning_configuration;
        if wanted
            .mfa_delete
            .is_some_and(|mfa| mfa.as_str() != MFADelete::DISABLED)
        {
            return Err(not_honoured("PutBucketVersioning", "MfaDelete").into());
        }
        let status = wanted.status.map(|status| status.as_str().to_owned());
        match status.as_deref() {
            Some("Enabled" | "Suspended") => Ok(self.set(input.bucket, "versioning", status).await?),
            _ => Err(AwsError::bad_request(
                "IllegalVersioningConfigurationException",
                "The Status is missing.",
            )
            .into()),
        }
    }

    pub(super) fn versioning(&self, bucket: &str) -> S3Result<GetBucketVersioningOutput> {
        let state = self.cloud.store.read(|db| state(db, bucket))?;
        Ok(GetBucketVersioningOutput {
            status: state.versioning.map(BucketVersioningStatus::from),
            ..Default::default()
        })
    }

    pub(super) async fn set_policy(&self, input: PutBucketPolicyInput) -> S3Result<()> {
        if serde_json::from_str::<Json>(&input.policy).is_ok_and(|policy| policy.is_object()) {
            // A policy that was kept and not evaluated would promise what is not so.
            return Err(not_implemented("PutBucketPolicy").into());
        }
        Err(AwsError::bad_request(
            "MalformedPolicy",
            "Policies must be valid JSON and the first byte must be '{'",
        )
        .into())
    }

    pub(super) fn policy(&self, bucket: &str) -> S3Result<GetBucketPolicyOutput> {
        self.cloud.store.read(|db| state(db, bucket))?;
        Err(AwsError::not_found("NoSuchBucketPolicy", "The bucket policy does not exist").into())
    }

    pub(super) async fn set_ownership(&self, input: PutBucketOwnershipControlsInput) -> S3Result<()> {
        let [rule] = input.ownership_controls.rules.as_slice() else {
            return Err(AwsError::bad_request("MalformedXML", "Ownership controls have one rule.").into());
        };
        Ok(self
            .set(
                input.bucket,
                "ownership",
                Some(rule.object_ownership.as_str().to_owned()),
            )
            .await?)
    }

    /// A bucket's owner owns its objects unless something else was set.
    pub(super) fn ownership(&self, bucket: &str) -> S3Result<GetBucketOwnershipControlsOutput> {
        let ownership = self
            .setting(bucket, "ownership")?
            .unwrap_or_else(|| "BucketOwnerEnforced".to_owned());
        let rules = vec![OwnershipControlsRule {
            object_ownership: ObjectOwnership::from(ownership),
        }];
        Ok(GetBucketOwnershipControlsOutput {
            ownership_controls: Some(OwnershipControls { rules }),
        })
    }
}

fn parse(text: &str) -> Result<Json, AwsError> {
    serde_json::from_str(text).map_err(|error| AwsError::internal(error.to_string()))
}

/// A bucket's tags as its row has them, if S3 takes them.
pub(super) fn tags_column(tags: &[Tag]) -> S3Result<String> {
    let mut keys = HashSet::new();
    for tag in tags {
        let key = tag.key.as_deref().unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || !keys.insert(key) {
            let message = "The TagKey you have provided is invalid, or you have provided it twice";
            return Err(AwsError::bad_request("InvalidTag", message).into());
        }
    }
    if tags.len() > 50 {
        return Err(AwsError::bad_request("BadRequest", "Bucket tag count cannot be greater than 50").into());
    }
    let tags: Vec<Json> = tags.iter().map(|tag| json!([tag.key, tag.value])).collect();
    Ok(Json::from(tags).to_string())
}
