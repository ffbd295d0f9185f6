//! Buckets.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use s3s::S3Result;
use s3s::dto::*;

use super::configuration::tags_column;
use super::error::{malformed_xml, no_such_bucket, not_honoured};
use super::{Storage, owner, timestamp};
use crate::error::AwsError;
use crate::paging;
use crate::realism::Change;

/// What writing to a bucket depends on.
pub struct BucketState {
    pub versioning: Option<String>,
    pub event_bridge: bool,
}

/// A bucket's state, if there is such a bucket.
pub fn state(db: &Connection, bucket: &str) -> Result<BucketState, AwsError> {
    db.prepare_cached("SELECT versioning, event_bridge FROM buckets WHERE name = ?1")?
        .query_row([bucket], |row| {
            Ok(BucketState {
                versioning: row.get(0)?,
                event_bridge: row.get(1)?,
            })
        })
        .optional()?
        .ok_or_else(no_such_bucket)
}

impl Storage {
    pub(super) async fn make_bucket(
        &self,
        input: CreateBucketInput,
        tags: Option<Vec<Tag>>,
    ) -> S3Result<CreateBucketOutput> {
        self.check_name_is_free(&input.bucket)?;
        let region = self.cloud.region.clone();
        let wanted = input.create_bucket_configuration.unwrap_or_default();
        if wanted.bucket.is_some() || wanted.location.is_some() {
            return Err(not_honoured("CreateBucket", "directory buckets").into());
        }
        let constraint = wanted.location_constraint;
        check_location(&region, constraint.as_ref().map(BucketLocationConstraint::as_str))?;
        let ownership = input
            .object_ownership
            .map(|ownership| ownership.as_str().to_owned());
        let tags = tags.ok_or_else(malformed_xml)?;
        let tags = (!tags.is_empty()).then(|| tags_column(&tags)).transpose()?;
        let location = format!("/{}", input.bucket);
        let made = self.cloud.store.write(move |tx| {
            let made = tx.execute(
                "INSERT OR IGNORE INTO buckets (name, created, ownership, tags) VALUES (?1, ?2, ?3, ?4)",
                params![input.bucket, Timestamp::now().as_millisecond(), ownership, tags],
            )?;
            // Assumption (AWS docs: CreateBucket, Errors): in us-east-1 making one's own bucket again succeeds.
            if made == 0 && region != "us-east-1" {
                let message =
                    "Your previous request to create the named bucket succeeded and you already own it.";
                return Err(AwsError::conflict("BucketAlreadyOwnedByYou", message));
            }
            Ok(())
        });
        made.await?;
        Ok(CreateBucketOutput {
            location: Some(location),
        })
    }

    pub(super) fn find_bucket(&self, bucket: &str) -> S3Result<HeadBucketOutput> {
        self.cloud.store.read(|db| state(db, bucket))?;
        Ok(HeadBucketOutput {
            bucket_region: Some(self.cloud.region.clone()),
            ..Default::default()
        })
    }

    pub(super) fn bucket_location(&self, bucket: &str) -> S3Result<GetBucketLocationOutput> {
        self.cloud.store.read(|db| state(db, bucket))?;
        // us-east-1 is the location without a name.
        let named = Some(self.cloud.region.clone()).filter(|region| region != "us-east-1");
        Ok(GetBucketLocationOutput {
            location_constraint: named.map(BucketLocationConstraint::from),
        })
    }

    pub(super) fn all_buckets(&self, input: &ListBucketsInput) -> S3Result<ListBucketsOutput> {
        let is_elsewhere = input
            .bucket_region
            .as_ref()
            .is_some_and(|region| *region != self.cloud.region);
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input.continuation_token.clone().unwrap_or_default();
        let most = usize::try_from(input.max_buckets.unwrap_or(10_000)).unwrap_or(10_000);
        let mut buckets = self.cloud.store.read(|db| {
            let mut all =
                db.prepare_cached("SELECT name, created FROM buckets WHERE name > ?1 ORDER BY name")?;
            let buckets = all
                .query_map([&after], |row| {
                    Ok(Bucket {
                        name: Some(row.get(0)?),
                        creation_date: Some(timestamp(row.get(1)?)),
                        bucket_region: Some(self.cloud.region.clone()),
                    })
                })?
                .filter(|bucket| match bucket {
                    Ok(_) if is_elsewhere => false,
                    Ok(bucket) => bucket.name.as_ref().is_some_and(|name| name.starts_with(&prefix)),
                    Err(_) => true,
                })
                .take(most.saturating_add(1))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(buckets)
        })?;
        let token = paging::cut(&mut buckets, most).and_then(|last| last.name.clone());
        Ok(ListBucketsOutput {
            buckets: Some(buckets),
            owner: Some(owner()),
            continuation_token: token,
            prefix: input.prefix.clone(),
        })
    }

    /// The name of a bucket that was just deleted is not free at once, if that was asked for.
    fn check_name_is_free(&self, bucket: &str) -> Result<(), AwsError> {
        let deleted = || Change::BucketDeleted(bucket.to_owned());
        if self.cloud.conditions.is_over(deleted) {
            return Ok(());
        }
        let message = "A conflicting conditional operation is currently in progress against this resource. Please try again.";
        Err(AwsError::conflict("OperationAborted", message))
    }

    pub(super) async fn remove_bucket(&self, bucket: String) -> S3Result<()> {
        let deleted = Change::BucketDeleted(bucket.clone());
        let removed = self.cloud.store.write(move |tx| {
            state(tx, &bucket)?;
            if tx.prepare_cached("SELECT 1 FROM object_versions WHERE bucket = ?1")?.exists([&bucket])? {
                let message = "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
                return Err(AwsError::conflict("BucketNotEmpty", message));
            }
            let mut parts = tx.prepare_cached(
                "SELECT file FROM parts JOIN uploads ON uploads.id = parts.upload WHERE uploads.bucket = ?1",
            )?;
            let files = parts.query_map([&bucket], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            tx.execute("DELETE FROM buckets WHERE name = ?1", [&bucket])?;
            Ok(files)
        });
        let files = removed.await?;
        self.files.remove(&files);
        self.cloud.conditions.note(deleted);
        Ok(())
    }
}

fn check_location(region: &str, constraint: Option<&str>) -> Result<(), AwsError> {
    let named = constraint.unwrap_or("us-east-1");
    if region == "us-east-1" && constraint == Some("us-east-1") {
        return Err(AwsError::bad_request(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
        ));
    }
    if named != region {
        let message = format!(
            "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
            constraint.unwrap_or("unspecified")
        );
        return Err(AwsError::bad_request(
            "IllegalLocationConstraintException",
            message,
        ));
    }
    Ok(())
}
