//! Deleting objects and versions.

use jiff::Timestamp;
use rusqlite::Transaction;
use s3s::dto::*;
use s3s::{S3Request, S3Result};

use super::access::{object_arn, principal};
use super::error::{malformed_xml, not_honoured};
use super::notification::{Origin, Subject};
use super::versions;
use super::{Storage, buckets, origin};
use crate::error::AwsError;
use crate::iam;

/// The most objects one DeleteObjects names.
const MOST_OBJECTS: usize = 1000;

/// What a deletion did.
#[derive(Default)]
struct Deleted {
    /// The version that went, or the delete marker that came.
    version: Option<String>,
    /// Whether that is a delete marker.
    delete_marker: bool,
    files: Vec<String>,
}

/// Deletes a version for good, or the object as far as the bucket's versioning lets it go. What is not there is fine.
fn delete(
    tx: &Transaction<'_>,
    origin: &Origin,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Deleted, AwsError> {
    let state = buckets::state(tx, bucket)?;
    if version.is_none() && state.versioning.is_some() {
        let written =
            versions::put_delete_marker(tx, &state, bucket, key, Timestamp::now().as_millisecond())?;
        if state.event_bridge {
            let subject = Subject {
                bucket,
                key,
                version: written.version.as_deref(),
                sequence: written.id,
            };
            origin.deleted(tx, &subject, "Delete Marker Created")?;
        }
        return Ok(Deleted {
            version: written.version,
            delete_marker: true,
            files: written.replaced,
        });
    }
    let wanted = version.unwrap_or(versions::NULL_VERSION);
    let Some(found) = versions::exactly(tx, bucket, key, wanted)? else {
        return Ok(Deleted {
            version: version.map(str::to_owned),
            ..Deleted::default()
        });
    };
    versions::remove(tx, bucket, &found)?;
    let shown = found.shown_version(&state);
    if state.event_bridge {
        let sequence: i64 = tx
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'object_versions'")?
            .query_row([], |row| row.get(0))?;
        let subject = Subject {
            bucket,
            key,
            version: shown.as_deref(),
            sequence,
        };
        origin.deleted(tx, &subject, "Permanently Deleted")?;
    }
    Ok(Deleted {
        version: shown,
        delete_marker: found.delete_marker,
        files: found.file.into_iter().collect(),
    })
}

impl Storage {
    pub(super) async fn delete_one(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<DeleteObjectOutput> {
        let origin = origin(&self.cloud, &request);
        let input = request.input;
        let deleted = self.cloud.store.write(move |tx| {
            delete(
                tx,
                &origin,
                &input.bucket,
                &input.key,
                input.version_id.as_deref(),
            )
        });
        let deleted = deleted.await?;
        self.committed(&deleted.files);
        Ok(DeleteObjectOutput {
            delete_marker: deleted.delete_marker.then_some(true),
            version_id: deleted.version,
            ..Default::default()
        })
    }

    pub(super) async fn delete_many(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<DeleteObjectsOutput> {
        let origin = origin(&self.cloud, &request);
        let caller = principal(&request)?;
        let input = request.input;
        if input.delete.objects.is_empty() || input.delete.objects.len() > MOST_OBJECTS {
            return Err(malformed_xml().into());
        }
        let is_conditional = |object: &ObjectIdentifier| {
            object.e_tag.is_some() || object.last_modified_time.is_some() || object.size.is_some()
        };
        if input.delete.objects.iter().any(is_conditional) {
            return Err(not_honoured("DeleteObjects", "ETag, LastModifiedTime and Size of an object").into());
        }
        let mut errors = Vec::new();
        let mut allowed = Vec::new();
        for object in input.delete.objects {
            let action = if object.version_id.is_some() {
                "s3:DeleteObjectVersion"
            } else {
                "s3:DeleteObject"
            };
            match iam::authorize(
                &self.cloud,
                &caller,
                action,
                &object_arn(&input.bucket, &object.key),
                &[],
            ) {
                Ok(()) => allowed.push(object),
                Err(denied) => errors.push(Error {
                    code: Some(denied.code),
                    key: Some(object.key),
                    message: Some(denied.message),
                    version_id: object.version_id,
                }),
            }
        }
        let (deleted, files) = self.delete_all(origin, input.bucket, allowed).await?;
        self.committed(&files);
        let quiet = input.delete.quiet.unwrap_or(false);
        Ok(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: Some(errors).filter(|errors| !errors.is_empty()),
            ..Default::default()
        })
    }

    async fn delete_all(
        &self,
        origin: Origin,
        bucket: String,
        objects: Vec<ObjectIdentifier>,
    ) -> Result<(Vec<DeletedObject>, Vec<String>), AwsError> {
        let deleted = self.cloud.store.write(move |tx| {
            buckets::state(tx, &bucket)?;
            let (mut all, mut files) = (Vec::new(), Vec::new());
            for object in objects {
                let deleted = delete(tx, &origin, &bucket, &object.key, object.version_id.as_deref())?;
                files.extend(deleted.files);
                all.push(DeletedObject {
                    key: Some(object.key),
                    delete_marker: deleted.delete_marker.then_some(true),
                    delete_marker_version_id: deleted.version.filter(|_| deleted.delete_marker),
                    version_id: object.version_id,
                });
            }
            Ok((all, files))
        });
        deleted.await
    }
}
