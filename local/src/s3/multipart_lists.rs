//! What there is of uploads in parts: ListParts and ListMultipartUploads.

use rusqlite::params;
use s3s::S3Result;
use s3s::dto::*;

use super::checksum::put_checksum;
use super::listing::{Encoding, Wanted, wanted};
use super::multipart::{StoredPart, find, parts_of};
use super::{Storage, buckets, owner, timestamp};

impl Storage {
    pub(super) fn parts(&self, input: &ListPartsInput) -> S3Result<ListPartsOutput> {
        let (upload, stored) = self.cloud.store.read(|db| {
            Ok((
                find(db, &input.bucket, &input.key, &input.upload_id)?,
                parts_of(db, &input.upload_id)?,
            ))
        })?;
        let after = input.part_number_marker.unwrap_or_default();
        let most = input.max_parts.unwrap_or(1000).clamp(0, 1000);
        let mut parts: Vec<StoredPart> = stored.into_iter().filter(|part| part.number > after).collect();
        let truncated = parts.len() > usize::try_from(most).unwrap_or_default();
        parts.truncate(usize::try_from(most).unwrap_or_default());
        Ok(ListPartsOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            upload_id: Some(input.upload_id.clone()),
            owner: Some(owner()),
            initiator: Some(Initiator {
                id: owner().id,
                display_name: None,
            }),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            part_number_marker: Some(after),
            next_part_number_marker: parts.last().map(|part| part.number).filter(|_| truncated),
            max_parts: Some(most),
            is_truncated: Some(truncated),
            checksum_algorithm: Some(ChecksumAlgorithm::from(upload.algorithm.name().to_owned())),
            parts: Some(parts.into_iter().map(part).collect()),
            ..Default::default()
        })
    }

    pub(super) fn uploads(&self, input: &ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
        let encoding = Encoding::of(input.encoding_type.as_ref());
        let marker = input.key_marker.clone().unwrap_or_default();
        let most = input.max_uploads.unwrap_or(1000).clamp(0, 1000);
        let wanted = wanted!(input, Some(&marker), most);
        let page = self.cloud.store.read(|db| {
            buckets::state(db, &input.bucket)?;
            // Within the marker's key, the uploads after the marker's are still to come.
            let mut statement = db.prepare_cached(
                "SELECT key, id, created FROM uploads
                 WHERE bucket = ?1 AND key >= ?2 AND key >= ?3 AND (key > ?2 OR id > ?4) ORDER BY key, id",
            )?;
            let upload_marker = input
                .upload_id_marker
                .as_deref()
                .filter(|marker| !marker.is_empty());
            // Without one, nothing of the marker's key is left: no id is greater than this.
            let after = upload_marker.unwrap_or("\u{10FFFF}");
            let rows = statement.query_map(params![input.bucket, marker, wanted.prefix, after], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, i64>(2)?,
                ))
            })?;
            wanted.page(rows, |upload| &upload.0)
        })?;
        let last = page
            .items
            .last()
            .filter(|_| page.truncated)
            .map(|(key, id, _)| (key.clone(), id.clone()));
        let uploads = page.items.into_iter().map(|(key, id, created)| MultipartUpload {
            key: Some(encoding.apply(key)),
            upload_id: Some(id),
            initiated: Some(timestamp(created)),
            owner: Some(owner()),
            initiator: Some(Initiator {
                id: owner().id,
                display_name: None,
            }),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            ..Default::default()
        });
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket.clone()),
            prefix: input.prefix.clone().map(|prefix| encoding.apply(prefix)),
            delimiter: input.delimiter.clone().map(|delimiter| encoding.apply(delimiter)),
            encoding_type: input.encoding_type.clone(),
            key_marker: Some(encoding.apply(marker.clone())),
            upload_id_marker: input.upload_id_marker.clone(),
            max_uploads: Some(most),
            is_truncated: Some(page.truncated),
            next_key_marker: last.clone().map(|(key, _)| encoding.apply(key)),
            next_upload_id_marker: last.map(|(_, id)| id),
            uploads: Some(uploads.collect()),
            common_prefixes: encoding.prefixes(page.prefixes),
            ..Default::default()
        })
    }
}

fn part(stored: StoredPart) -> Part {
    let mut part = Part {
        part_number: Some(stored.number),
        e_tag: Some(ETag::Strong(stored.etag)),
        size: Some(i64::try_from(stored.size).unwrap_or(i64::MAX)),
        last_modified: Some(timestamp(stored.modified)),
        ..Default::default()
    };
    put_checksum!(part, stored.checksum);
    part
}
