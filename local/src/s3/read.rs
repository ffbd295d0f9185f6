//! Reading objects: GetObject and HeadObject.

use std::io::Cursor;
use std::time::{Duration, SystemTime};

use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::access::{bucket_arn, principal};
use super::buckets::{self, BucketState};
use super::checksum::put_checksum;
use super::error::{no_such_key, precondition_failed};
use super::files::{self, Contents};
use super::objects::names;
use super::versions::{self, Version};
use super::{Storage, encrypted, timestamp};
use crate::error::AwsError;
use crate::iam;
use crate::principal::Principal;

/// How often an object is looked up again whose file was replaced between the look-up and the opening.
const TRIES: usize = 5;

/// GetObject's and HeadObject's conditions.
struct Conditions<'a> {
    if_match: Option<&'a ETagCondition>,
    if_none_match: Option<&'a ETagCondition>,
    if_modified_since: Option<&'a Timestamp>,
    if_unmodified_since: Option<&'a Timestamp>,
}

impl Conditions<'_> {
    fn check(&self, found: &Version) -> S3Result<()> {
        // HTTP's dates have whole seconds.
        let modified = Timestamp::from(
            SystemTime::UNIX_EPOCH
                + Duration::from_secs(u64::try_from(found.modified / 1000).unwrap_or_default()),
        );
        match (self.if_match, self.if_unmodified_since) {
            (Some(wanted), _) if !names(wanted, &found.etag) => return Err(precondition_failed().into()),
            (None, Some(since)) if modified > *since => return Err(precondition_failed().into()),
            _ => {}
        }
        let unchanged = match (self.if_none_match, self.if_modified_since) {
            (Some(known), _) => names(known, &found.etag),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if !unchanged {
            return Ok(());
        }
        let mut not_modified = S3Error::new(S3ErrorCode::NotModified);
        not_modified.set_status_code(http::StatusCode::NOT_MODIFIED);
        Err(not_modified)
    }
}

impl Storage {
    /// Finds a version and its bytes.
    pub(super) fn open(
        &self,
        caller: &Principal,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(Version, Contents), AwsError> {
        for _ in 0..TRIES {
            let (_, found) = self.find(caller, bucket, key, version)?;
            let contents = match &found.file {
                Some(name) => self.files.open(name)?.map(Contents::File),
                None => {
                    let bytes = self.cloud.store.read(|db| versions::small_contents(db, &found))?;
                    bytes.map(|bytes| Contents::Small(Cursor::new(bytes)))
                }
            };
            if let Some(contents) = contents {
                return Ok((found, contents));
            }
        }
        Err(AwsError::internal(
            "the object's bytes are missing from the data folder",
        ))
    }

    fn find(
        &self,
        caller: &Principal,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(BucketState, Version), AwsError> {
        let (state, found) = self.cloud.store.read(|db| {
            let state = buckets::state(db, bucket)?;
            let found = match version {
                Some(version) => versions::exactly(db, bucket, key, version)?,
                None => versions::latest(db, bucket, key)?,
            };
            Ok((state, found))
        })?;
        match found {
            Some(found) if !found.delete_marker => Ok((state, found)),
            Some(_) if version.is_some() => Err(AwsError::new(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )),
            _ => {
                // Who may not list a bucket is not told what is missing from it.
                let denied = AwsError::new(403, "AccessDenied", "Access Denied");
                iam::authorize(&self.cloud, caller, "s3:ListBucket", &bucket_arn(bucket), &[])
                    .map_err(|_| denied)?;
                match version {
                    Some(_) => Err(AwsError::not_found(
                        "NoSuchVersion",
                        "The specified version does not exist.",
                    )),
                    None => Err(no_such_key()),
                }
            }
        }
    }

    pub(super) fn download(&self, request: &S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
        let caller = principal(request)?;
        let input = &request.input;
        let (found, contents) = self.open(&caller, &input.bucket, &input.key, input.version_id.as_deref())?;
        let conditions = Conditions {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&found)?;
        let range = match &input.range {
            Some(range) => range.check(found.size)?,
            None => 0..found.size,
        };
        let content_range = input.range.map(|_| {
            format!(
                "bytes {}-{}/{}",
                range.start,
                range.end.saturating_sub(1),
                found.size
            )
        });
        let length = i64::try_from(range.end - range.start).unwrap_or(i64::MAX);
        let body = files::send(contents, range)?;
        let head = self.describe(&input.bucket, found)?;
        let with_checksum = input.checksum_mode.is_some() && content_range.is_none();
        let chosen = |wanted: &Option<String>, stored: Option<String>| wanted.clone().or(stored);
        Ok(GetObjectOutput {
            accept_ranges: head.accept_ranges,
            body: Some(body),
            cache_control: chosen(&input.response_cache_control, head.cache_control),
            checksum_crc32: head.checksum_crc32.filter(|_| with_checksum),
            checksum_crc32c: head.checksum_crc32c.filter(|_| with_checksum),
            checksum_crc64nvme: head.checksum_crc64nvme.filter(|_| with_checksum),
            checksum_sha1: head.checksum_sha1.filter(|_| with_checksum),
            checksum_sha256: head.checksum_sha256.filter(|_| with_checksum),
            checksum_type: head.checksum_type.filter(|_| with_checksum),
            content_disposition: chosen(&input.response_content_disposition, head.content_disposition),
            content_encoding: chosen(&input.response_content_encoding, head.content_encoding),
            content_language: chosen(&input.response_content_language, head.content_language),
            content_length: Some(length),
            content_range,
            content_type: chosen(&input.response_content_type, head.content_type),
            e_tag: head.e_tag,
            expires: input.response_expires.clone().or(head.expires),
            last_modified: head.last_modified,
            metadata: head.metadata,
            server_side_encryption: head.server_side_encryption,
            version_id: head.version_id,
            website_redirect_location: head.website_redirect_location,
            ..Default::default()
        })
    }

    pub(super) fn head(&self, request: &S3Request<HeadObjectInput>) -> S3Result<HeadObjectOutput> {
        let caller = principal(request)?;
        let input = &request.input;
        let (_, found) = self.find(&caller, &input.bucket, &input.key, input.version_id.as_deref())?;
        let conditions = Conditions {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&found)?;
        let mut head = self.describe(&input.bucket, found)?;
        if input.checksum_mode.is_none() {
            head.checksum_crc32 = None;
            head.checksum_crc32c = None;
            head.checksum_crc64nvme = None;
            head.checksum_sha1 = None;
            head.checksum_sha256 = None;
            head.checksum_type = None;
        }
        let chosen = |wanted: &Option<String>, stored: Option<String>| wanted.clone().or(stored);
        Ok(HeadObjectOutput {
            cache_control: chosen(&input.response_cache_control, head.cache_control),
            content_disposition: chosen(&input.response_content_disposition, head.content_disposition),
            content_encoding: chosen(&input.response_content_encoding, head.content_encoding),
            content_language: chosen(&input.response_content_language, head.content_language),
            content_type: chosen(&input.response_content_type, head.content_type),
            expires: input.response_expires.clone().or(head.expires),
            ..head
        })
    }

    fn describe(&self, bucket: &str, found: Version) -> Result<HeadObjectOutput, AwsError> {
        let state = self.cloud.store.read(|db| buckets::state(db, bucket))?;
        let version_id = found.shown_version(&state);
        let attributes = found.attributes;
        let mut head = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: attributes.cache_control,
            content_disposition: attributes.content_disposition,
            content_encoding: attributes.content_encoding,
            content_language: attributes.content_language,
            content_length: Some(i64::try_from(found.size).unwrap_or(i64::MAX)),
            content_type: Some(
                attributes
                    .content_type
                    .unwrap_or_else(|| "binary/octet-stream".to_owned()),
            ),
            e_tag: Some(ETag::Strong(found.etag)),
            expires: attributes
                .expires
                .and_then(|text| Timestamp::parse(TimestampFormat::HttpDate, &text).ok()),
            last_modified: Some(timestamp(found.modified)),
            metadata: Some(attributes.metadata),
            server_side_encryption: encrypted(),
            version_id,
            website_redirect_location: attributes.website_redirect_location,
            ..Default::default()
        };
        if let Some(checksum) = &found.checksum {
            head.checksum_type = Some(checksum.kind());
            put_checksum!(head, checksum);
        }
        Ok(head)
    }
}
