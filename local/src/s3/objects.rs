//! Writing objects: PutObject and CopyObject.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use s3s::dto::*;
use s3s::{S3Request, S3Result};

use super::access::{object_arn, principal};
use super::checksum::{Algorithm, Expected, put_checksum, supplied};
use super::error::{no_such_key, not_implemented, precondition_failed};
use super::files::Received;
use super::notification::{Origin, Subject};
use super::versions::{self, Attributes, NewVersion, Written};
use super::{Storage, buckets, encrypted, http_date, origin, timestamp};
use crate::error::AwsError;
use crate::iam;

/// What must be so for a write to happen.
#[derive(Default)]
pub struct Precondition {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
}

impl Precondition {
    pub fn check(&self, db: &Connection, bucket: &str, key: &str) -> Result<(), AwsError> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return Ok(());
        }
        let current = versions::latest(db, bucket, key)?.filter(|version| !version.delete_marker);
        match (&self.if_match, &current) {
            (Some(_), None) => return Err(no_such_key()),
            (Some(wanted), Some(current)) if !names(wanted, &current.etag) => {
                return Err(precondition_failed());
            }
            _ => {}
        }
        match (&self.if_none_match, &current) {
            (Some(unwanted), Some(current)) if names(unwanted, &current.etag) => Err(precondition_failed()),
            _ => Ok(()),
        }
    }
}

/// Whether a condition names an ETag.
pub fn names(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.value() == etag,
    }
}

/// Makes a new version the object's newest, with its event.
pub fn place(
    tx: &Transaction<'_>,
    origin: &Origin,
    bucket: &str,
    key: &str,
    new: NewVersion,
    reason: &str,
) -> Result<Written, AwsError> {
    let state = buckets::state(tx, bucket)?;
    let (size, etag) = (new.size, new.etag.clone());
    let written = versions::put(tx, &state, bucket, key, new)?;
    if state.event_bridge {
        let subject = Subject {
            bucket,
            key,
            version: written.version.as_deref(),
            sequence: written.id,
        };
        origin.created(tx, &subject, size, &etag, reason)?;
    }
    Ok(written)
}

impl Storage {
    pub(super) async fn upload(&self, request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
        let origin = origin(&self.cloud, &request);
        let mut input = request.input;
        // A bucket that is not there is said before the body is read.
        self.cloud.store.read(|db| buckets::state(db, &input.bucket))?;
        let expected = Expected::of(
            &supplied!(input),
            &request.headers,
            request.trailing_headers,
            Algorithm::Crc64Nvme,
        );
        let received = self.files.receive(input.body.take(), expected.algorithm).await?;
        check_received(
            &received,
            &expected,
            input.content_length,
            input.content_md5.as_deref(),
        )?;

        let Received {
            contents,
            size,
            md5,
            checksum,
        } = received;
        let etag = hex::encode(md5);
        let precondition = Precondition {
            if_match: input.if_match.take(),
            if_none_match: input.if_none_match.take(),
        };
        let new = NewVersion {
            size,
            etag: etag.clone(),
            modified: Timestamp::now().as_millisecond(),
            contents,
            attributes: attributes(&mut input),
            checksum: checksum.clone(),
        };
        let version = self
            .place(origin, input.bucket, input.key, new, precondition, "PutObject")
            .await?;
        let mut output = PutObjectOutput {
            e_tag: Some(ETag::Strong(etag)),
            version_id: version,
            server_side_encryption: encrypted(),
            checksum_type: Some(checksum.kind()),
            ..Default::default()
        };
        put_checksum!(output, checksum);
        Ok(output)
    }

    /// Commits a new version; gives its version id, if the bucket has versioning.
    pub(super) async fn place(
        &self,
        origin: Origin,
        bucket: String,
        key: String,
        new: NewVersion,
        precondition: Precondition,
        reason: &'static str,
    ) -> Result<Option<String>, AwsError> {
        let written = self.cloud.store.write(move |tx| {
            precondition.check(tx, &bucket, &key)?;
            place(tx, &origin, &bucket, &key, new, reason)
        });
        let written = written.await?;
        self.committed(&written.replaced);
        Ok(written.version)
    }

    /// After a commit: files that were replaced go, events are delivered.
    pub(super) fn committed(&self, replaced: &[String]) {
        self.cloud.events.wake();
        self.files.remove(replaced);
    }

    pub(super) async fn copy(&self, request: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
        let origin = origin(&self.cloud, &request);
        let caller = principal(&request)?;
        let input = request.input;
        let CopySource::Bucket {
            bucket,
            key,
            version_id,
        } = &input.copy_source
        else {
            return Err(not_implemented("CopyObject from an access point").into());
        };
        let action = if version_id.is_some() {
            "s3:GetObjectVersion"
        } else {
            "s3:GetObject"
        };
        iam::authorize(&self.cloud, &caller, action, &object_arn(bucket, key), &[])?;
        let (source, from) = self.open(&caller, bucket, key, version_id.as_deref())?;
        let wanted = input
            .copy_source_if_match
            .as_ref()
            .is_none_or(|wanted| names(wanted, &source.etag));
        let unwanted = input
            .copy_source_if_none_match
            .as_ref()
            .is_some_and(|etag| names(etag, &source.etag));
        if !wanted || unwanted {
            return Err(precondition_failed().into());
        }
        let replace = input.metadata_directive.as_ref().map(MetadataDirective::as_str) == Some("REPLACE");
        if !replace && **bucket == input.bucket && **key == input.key && version_id.is_none() {
            let message = "This copy request is illegal because it is trying to copy an object to itself without changing \
                           the object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(AwsError::bad_request("InvalidRequest", message).into());
        }
        let contents = self.files.copy(from)?;
        let attributes = if replace {
            copied_attributes(&input)
        } else {
            source.attributes
        };
        let algorithm = match &input.checksum_algorithm {
            Some(wanted) => Some(Algorithm::named(wanted.as_str())?),
            None => None,
        };
        let checksum = source.checksum.filter(|checksum| {
            !checksum.composite && algorithm.is_none_or(|wanted| wanted == checksum.algorithm)
        });
        let checksum = match checksum {
            Some(checksum) => checksum,
            None => contents.checksum(algorithm.unwrap_or(Algorithm::Crc64Nvme))?,
        };
        let new = NewVersion {
            size: source.size,
            etag: source.etag.clone(),
            modified: Timestamp::now().as_millisecond(),
            contents,
            attributes,
            checksum,
        };
        let (modified, checksum) = (new.modified, new.checksum.clone());
        let version = self
            .place(
                origin,
                input.bucket,
                input.key,
                new,
                Precondition::default(),
                "CopyObject",
            )
            .await?;
        let mut result = CopyObjectResult {
            e_tag: Some(ETag::Strong(source.etag)),
            last_modified: Some(timestamp(modified)),
            checksum_type: Some(checksum.kind()),
            ..Default::default()
        };
        put_checksum!(result, checksum);
        Ok(CopyObjectOutput {
            copy_object_result: Some(result),
            version_id: version,
            copy_source_version_id: Some(source.version).filter(|version| version != versions::NULL_VERSION),
            server_side_encryption: encrypted(),
            ..Default::default()
        })
    }
}

/// Compares a body with what was said about it.
pub fn check_received(
    received: &Received,
    expected: &Expected,
    length: Option<i64>,
    md5: Option<&str>,
) -> Result<(), AwsError> {
    if length.is_some_and(|length| u64::try_from(length) != Ok(received.size)) {
        let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
        return Err(AwsError::bad_request("IncompleteBody", message));
    }
    if md5.is_some_and(|md5| md5 != STANDARD.encode(received.md5)) {
        let message = "The Content-MD5 you specified did not match what we received.";
        return Err(AwsError::bad_request("BadDigest", message));
    }
    expected.verify(&received.checksum)
}

fn attributes(input: &mut PutObjectInput) -> Attributes {
    Attributes {
        content_type: input.content_type.take(),
        cache_control: input.cache_control.take(),
        content_disposition: input.content_disposition.take(),
        content_encoding: input
            .content_encoding
            .take()
            .and_then(|encoding| without_aws_chunked(&encoding)),
        content_language: input.content_language.take(),
        expires: input.expires.as_ref().and_then(http_date),
        website_redirect_location: input.website_redirect_location.take(),
        metadata: input.metadata.take().unwrap_or_default(),
    }
}

fn copied_attributes(input: &CopyObjectInput) -> Attributes {
    Attributes {
        content_type: input.content_type.clone(),
        cache_control: input.cache_control.clone(),
        content_disposition: input.content_disposition.clone(),
        content_encoding: input.content_encoding.clone(),
        content_language: input.content_language.clone(),
        expires: input.expires.as_ref().and_then(http_date),
        website_redirect_location: input.website_redirect_location.clone(),
        metadata: input.metadata.clone().unwrap_or_default(),
    }
}

/// `aws-chunked` is how the body was sent, no property of the object.
fn without_aws_chunked(encoding: &str) -> Option<String> {
    let rest: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|part| *part != "aws-chunked")
        .collect();
    Some(rest.join(",")).filter(|rest| !rest.is_empty())
}
