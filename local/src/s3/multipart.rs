//! Uploads in parts.

use jiff::Timestamp as Now;
use md5::{Digest, Md5};
use rusqlite::{Connection, OptionalExtension, params};
use s3s::dto::*;
use s3s::{S3Request, S3Result};

use super::checksum::{Algorithm, Checksum, Expected, put_checksum, supplied};
use super::error::malformed_xml;
use super::files::{Files, NewContents, NewFile};
use super::objects::{Precondition, check_received};
use super::versions::{Attributes, NewVersion};
use super::{Storage, buckets, encrypted, http_date, origin, random_version};
use crate::error::AwsError;

/// Every part but the last has at least this many bytes.
const LEAST_PART: u64 = 5 * 1024 * 1024;
const MOST_PARTS: i32 = 10_000;

/// An upload that is under way.
pub struct Upload {
    attributes: Attributes,
    pub algorithm: Algorithm,
    composite: bool,
}

pub struct StoredPart {
    pub number: i32,
    pub etag: String,
    pub size: u64,
    pub modified: i64,
    file: String,
    pub checksum: Checksum,
}

fn no_such_upload() -> AwsError {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                   aborted or completed.";
    AwsError::not_found("NoSuchUpload", message)
}

fn json(value: &impl serde::Serialize) -> Result<String, AwsError> {
    serde_json::to_string(value).map_err(|error| AwsError::internal(error.to_string()))
}

pub fn find(db: &Connection, bucket: &str, key: &str, id: &str) -> Result<Upload, AwsError> {
    let found = db
        .prepare_cached(
            "SELECT attributes, algorithm, composite FROM uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3",
        )?
        .query_row([id, bucket, key], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?))
        })
        .optional()?;
    let (attributes, algorithm, composite) = found.ok_or_else(no_such_upload)?;
    let attributes =
        serde_json::from_str(&attributes).map_err(|error| AwsError::internal(error.to_string()))?;
    Ok(Upload {
        attributes,
        algorithm: Algorithm::named(&algorithm)?,
        composite,
    })
}

pub fn parts_of(db: &Connection, id: &str) -> Result<Vec<StoredPart>, AwsError> {
    let mut parts = db.prepare_cached(
        "SELECT number, etag, size, modified, file, checksum FROM parts WHERE upload = ?1 ORDER BY number",
    )?;
    let rows = parts.query_map([id], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get::<_, String>(5)?,
        ))
    })?;
    rows.map(|row| {
        let (number, etag, size, modified, file, checksum) = row?;
        let checksum =
            serde_json::from_str(&checksum).map_err(|error| AwsError::internal(error.to_string()))?;
        Ok(StoredPart {
            number,
            etag,
            size,
            modified,
            file,
            checksum,
        })
    })
    .collect()
}

impl Storage {
    pub(super) async fn begin_upload(
        &self,
        input: CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let algorithm = match &input.checksum_algorithm {
            Some(wanted) => Algorithm::named(wanted.as_str())?,
            None => Algorithm::Crc64Nvme,
        };
        let composite = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
            Some(kind) => kind == ChecksumType::COMPOSITE,
            None => algorithm != Algorithm::Crc64Nvme,
        };
        let attributes = Attributes {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            expires: input.expires.as_ref().and_then(http_date),
            website_redirect_location: input.website_redirect_location,
            metadata: input.metadata.unwrap_or_default(),
        };
        let (id, attributes) = (random_version()?, json(&attributes)?);
        let output = CreateMultipartUploadOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            upload_id: Some(id.clone()),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: input.checksum_type,
            server_side_encryption: encrypted(),
            ..Default::default()
        };
        let begun = self.cloud.store.write(move |tx| {
            buckets::state(tx, &input.bucket)?;
            tx.execute(
                "INSERT INTO uploads (id, bucket, key, created, attributes, algorithm, composite)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    id,
                    input.bucket,
                    input.key,
                    Now::now().as_millisecond(),
                    attributes,
                    algorithm.name(),
                    composite
                ],
            )?;
            Ok(())
        });
        begun.await?;
        Ok(output)
    }

    pub(super) async fn receive_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<UploadPartOutput> {
        let mut input = request.input;
        if !(1..=MOST_PARTS).contains(&input.part_number) {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(AwsError::bad_request("InvalidArgument", message).into());
        }
        let upload = self
            .cloud
            .store
            .read(|db| find(db, &input.bucket, &input.key, &input.upload_id))?;
        let expected = Expected::of(
            &supplied!(input),
            &request.headers,
            request.trailing_headers,
            upload.algorithm,
        );
        let received = self.files.receive(input.body.take(), expected.algorithm).await?;
        check_received(
            &received,
            &expected,
            input.content_length,
            input.content_md5.as_deref(),
        )?;

        let (size, etag) = (received.size, hex::encode(received.md5));
        let file = received.contents.into_file(&self.files)?;
        let mut output = UploadPartOutput {
            e_tag: Some(ETag::Strong(etag.clone())),
            server_side_encryption: encrypted(),
            ..Default::default()
        };
        put_checksum!(output, received.checksum);
        let (name, checksum) = (file.name(), json(&received.checksum)?);
        let stored = self.cloud.store.write(move |tx| {
            // The upload may have ended while the body came.
            find(tx, &input.bucket, &input.key, &input.upload_id)?;
            let replaced: Option<String> = tx
                .prepare_cached("DELETE FROM parts WHERE upload = ?1 AND number = ?2 RETURNING file")?
                .query_row(params![input.upload_id, input.part_number], |row| row.get(0))
                .optional()?;
            tx.prepare_cached(
                "INSERT INTO parts (upload, number, etag, size, modified, file, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                input.upload_id,
                input.part_number,
                etag,
                size,
                Now::now().as_millisecond(),
                name,
                checksum
            ])?;
            file.keep();
            Ok(Vec::from_iter(replaced))
        });
        let replaced = stored.await?;
        self.files.remove(&replaced);
        Ok(output)
    }

    pub(super) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let origin = origin(&self.cloud, &request);
        let mut input = request.input;
        let supplied = supplied!(input);
        let (bucket, key, id) = (input.bucket, input.key, input.upload_id);
        let (upload, stored) = self
            .cloud
            .store
            .read(|db| Ok((find(db, &bucket, &key, &id)?, parts_of(db, &id)?)))?;
        let all: Vec<String> = stored.iter().map(|part| part.file.clone()).collect();
        let algorithm = upload.algorithm;
        let chosen = choose(
            algorithm,
            stored,
            &input
                .multipart_upload
                .and_then(|wanted| wanted.parts)
                .unwrap_or_default(),
        )?;

        let files = self.files.clone();
        let names: Vec<String> = chosen.iter().map(|part| part.file.clone()).collect();
        let joined = tokio::task::spawn_blocking(move || join(&files, &names));
        let file = joined
            .await
            .map_err(|error| AwsError::internal(error.to_string()))??;
        let mut new = assembled(file, upload, &chosen);
        if !new.checksum.composite {
            new.checksum = new.contents.checksum(new.checksum.algorithm)?;
        }
        check_whole(&new, input.mpu_object_size, input.checksum_type.as_ref())?;
        Expected::of(&supplied, &request.headers, None, algorithm).verify(&new.checksum)?;
        let (etag, checksum) = (new.etag.clone(), new.checksum.clone());
        let output = CompleteMultipartUploadOutput {
            location: Some(format!("{}/{bucket}/{key}", self.cloud.endpoint.url)),
            bucket: Some(bucket.clone()),
            key: Some(key.clone()),
            e_tag: Some(ETag::Strong(etag)),
            server_side_encryption: encrypted(),
            checksum_type: Some(checksum.kind()),
            ..Default::default()
        };
        let precondition = Precondition {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let written = self.cloud.store.write(move |tx| {
            find(tx, &bucket, &key, &id)?;
            precondition.check(tx, &bucket, &key)?;
            tx.execute("DELETE FROM uploads WHERE id = ?1", [&id])?;
            super::objects::place(tx, &origin, &bucket, &key, new, "CompleteMultipartUpload")
        });
        let written = written.await?;
        self.committed(&written.replaced);
        self.files.remove(&all);
        let mut output = CompleteMultipartUploadOutput {
            version_id: written.version,
            ..output
        };
        put_checksum!(output, checksum);
        Ok(output)
    }

    pub(super) async fn abort_upload(&self, input: AbortMultipartUploadInput) -> S3Result<()> {
        let aborted = self.cloud.store.write(move |tx| {
            buckets::state(tx, &input.bucket)?;
            find(tx, &input.bucket, &input.key, &input.upload_id)?;
            let files = parts_of(tx, &input.upload_id)?
                .into_iter()
                .map(|part| part.file)
                .collect::<Vec<_>>();
            tx.execute("DELETE FROM uploads WHERE id = ?1", [&input.upload_id])?;
            Ok(files)
        });
        let files = aborted.await?;
        self.files.remove(&files);
        Ok(())
    }
}

/// The parts that the request names, which must be there, in order, and large enough.
fn choose(
    algorithm: Algorithm,
    stored: Vec<StoredPart>,
    wanted: &[CompletedPart],
) -> Result<Vec<StoredPart>, AwsError> {
    if wanted.is_empty() {
        return Err(malformed_xml());
    }
    if !wanted.is_sorted_by(|a, b| a.part_number < b.part_number) {
        let message = "The list of parts was not in ascending order. The parts list must be specified in order by part \
                       number.";
        return Err(AwsError::bad_request("InvalidPartOrder", message));
    }
    let mut stored = stored.into_iter();
    let mut chosen: Vec<StoredPart> = Vec::new();
    for part in wanted {
        let found = stored
            .find(|stored| Some(stored.number) == part.part_number)
            .filter(|stored| {
                let mut said = part.clone();
                let supplied = supplied!(said);
                part.e_tag
                    .as_ref()
                    .is_some_and(|etag| etag.value() == stored.etag)
                    && algorithm
                        .of(&supplied)
                        .is_none_or(|checksum| *checksum == stored.checksum.value)
            });
        let message = "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                       specified entity tag may not match the part's entity tag.";
        chosen.push(found.ok_or_else(|| AwsError::bad_request("InvalidPart", message))?);
    }
    let all_but_last = &chosen[..chosen.len() - 1];
    if all_but_last.iter().any(|part| part.size < LEAST_PART) {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(AwsError::bad_request("EntityTooSmall", message));
    }
    Ok(chosen)
}

/// Compares what was put together with what was said about it.
fn check_whole(new: &NewVersion, size: Option<i64>, kind: Option<&ChecksumType>) -> Result<(), AwsError> {
    if size.is_some_and(|size| u64::try_from(size) != Ok(new.size)) {
        let message = "The provided 'x-amz-mp-object-size' header does not match what was computed.";
        return Err(AwsError::bad_request("InvalidRequest", message));
    }
    let actual = new.checksum.kind();
    if kind.is_some_and(|kind| *kind != actual) {
        let message = format!(
            "The upload was created with the checksum type {}.",
            actual.as_str()
        );
        return Err(AwsError::bad_request("InvalidRequest", message));
    }
    Ok(())
}

fn join(files: &Files, names: &[String]) -> Result<NewFile, AwsError> {
    let mut whole = files.create()?;
    for name in names {
        let mut part = files.open(name)?.ok_or_else(no_such_upload)?;
        whole.append(&mut part)?;
    }
    Ok(whole)
}

fn assembled(file: NewFile, upload: Upload, parts: &[StoredPart]) -> NewVersion {
    // The ETag of an object in parts: the MD5 of the parts' MD5s, and how many there are.
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(hex::decode(&part.etag).unwrap_or_default());
    }
    let checksums: Vec<Checksum> = parts.iter().map(|part| part.checksum.clone()).collect();
    let checksum = if upload.composite {
        Checksum::of_parts(upload.algorithm, &checksums)
    } else {
        Checksum {
            algorithm: upload.algorithm,
            value: String::new(),
            composite: false,
        }
    };
    NewVersion {
        size: parts.iter().map(|part| part.size).sum(),
        etag: format!("{}-{}", hex::encode(md5.finalize()), parts.len()),
        modified: Now::now().as_millisecond(),
        contents: NewContents::File(file),
        attributes: upload.attributes,
        checksum,
    }
}
