//! Listing: one walk over keys in order, with prefix, delimiter and pages, for every kind of list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::params;
use s3s::S3Result;
use s3s::dto::*;

use super::buckets;
use super::versions::{self, Version};
use super::{Storage, owner, timestamp};
use crate::error::AwsError;

const MOST_KEYS: i32 = 1000;
/// What `encoding-type=url` leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b'*');

/// Which keys a list is asked for.
pub struct Wanted<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    /// A common prefix that the page before ended with.
    pub seen_prefix: Option<&'a str>,
    pub most: usize,
}

/// One page of a list.
pub struct Page<T> {
    pub items: Vec<T>,
    pub prefixes: Vec<String>,
    /// Whether more would follow.
    pub truncated: bool,
}

/// What a list's input says about its keys, which every kind of list says in the same words.
macro_rules! wanted {
    ($input:expr, $seen_prefix:expr, $most:expr) => {
        Wanted {
            prefix: $input.prefix.as_deref().unwrap_or_default(),
            delimiter: $input
                .delimiter
                .as_deref()
                .filter(|delimiter| !delimiter.is_empty()),
            seen_prefix: $seen_prefix,
            most: usize::try_from($most).unwrap_or_default(),
        }
    };
}
pub(super) use wanted;

/// The output of a list of objects or versions: what all kinds answer, and the fields of this one.
macro_rules! listed {
    ($output:ident, $input:expr, $most:expr, $page:expr, $encoding:expr; $($field:ident: $value:expr,)*) => {
        $output {
            name: Some($input.bucket.clone()),
            prefix: Some($encoding.apply($input.prefix.clone().unwrap_or_default())),
            delimiter: $input.delimiter.clone().map(|delimiter| $encoding.apply(delimiter)),
            encoding_type: $input.encoding_type.clone(),
            max_keys: Some($most),
            is_truncated: Some($page.truncated),
            common_prefixes: $encoding.prefixes($page.prefixes),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

impl Wanted<'_> {
    /// Walks `rows`, which come in the order of their keys.
    pub fn page<T>(
        &self,
        rows: impl Iterator<Item = Result<T, rusqlite::Error>>,
        key_of: impl Fn(&T) -> &str,
    ) -> Result<Page<T>, AwsError> {
        let mut page = Page {
            items: Vec::new(),
            prefixes: Vec::<String>::new(),
            truncated: false,
        };
        for row in rows {
            let row = row?;
            let Some(rest) = key_of(&row).strip_prefix(self.prefix) else {
                break;
            };
            let common = self.delimiter.and_then(|delimiter| {
                let end = rest.find(delimiter)? + delimiter.len();
                Some(format!("{}{}", self.prefix, &rest[..end]))
            });
            let seen = match &common {
                Some(prefix) => {
                    page.prefixes.last() == Some(prefix) || self.seen_prefix == Some(prefix.as_str())
                }
                None => false,
            };
            if seen {
                continue;
            }
            if page.items.len() + page.prefixes.len() == self.most {
                page.truncated = self.most > 0;
                break;
            }
            match common {
                Some(prefix) => page.prefixes.push(prefix),
                None => page.items.push(row),
            }
        }
        Ok(page)
    }
}

impl<T> Page<T> {
    /// The last key or common prefix on the page: where the next one goes on.
    fn last(&self, key_of: impl Fn(&T) -> &str) -> Option<String> {
        let key = self.items.last().map(key_of);
        key.max(self.prefixes.last().map(String::as_str))
            .map(str::to_owned)
    }
}

/// Encodes keys if the request asks for it.
pub struct Encoding(bool);

impl Encoding {
    pub fn of(wanted: Option<&EncodingType>) -> Self {
        Self(wanted.map(EncodingType::as_str) == Some("url"))
    }

    pub fn apply(&self, text: String) -> String {
        if self.0 {
            utf8_percent_encode(&text, ENCODED).to_string()
        } else {
            text
        }
    }

    pub fn prefixes(&self, prefixes: Vec<String>) -> Option<Vec<CommonPrefix>> {
        let encoded: Vec<CommonPrefix> = prefixes
            .into_iter()
            .map(|prefix| CommonPrefix {
                prefix: Some(self.apply(prefix)),
            })
            .collect();
        Some(encoded).filter(|prefixes| !prefixes.is_empty())
    }
}

fn most(wanted: Option<i32>) -> Result<i32, AwsError> {
    match wanted.unwrap_or(MOST_KEYS) {
        most if most < 0 => Err(AwsError::bad_request(
            "InvalidArgument",
            "Argument maxKeys must not be negative",
        )),
        most => Ok(most.min(MOST_KEYS)),
    }
}

fn object(version: Version, encoding: &Encoding, owner: Option<Owner>) -> Object {
    Object {
        key: Some(encoding.apply(version.key)),
        last_modified: Some(timestamp(version.modified)),
        e_tag: Some(ETag::Strong(version.etag)),
        size: Some(i64::try_from(version.size).unwrap_or(i64::MAX)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        checksum_algorithm: version
            .checksum
            .as_ref()
            .map(|checksum| vec![ChecksumAlgorithm::from(checksum.algorithm.name().to_owned())]),
        checksum_type: version.checksum.map(|checksum| checksum.kind()),
        owner,
        ..Default::default()
    }
}

impl Storage {
    pub(super) fn list_v2(&self, input: &ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let encoding = Encoding::of(input.encoding_type.as_ref());
        let most = most(input.max_keys)?;
        let token = input.continuation_token.as_deref().map(from_token).transpose()?;
        let after = token.as_ref().or(input.start_after.as_ref());
        let wanted = wanted!(input, token.as_deref(), most);
        let page = self.objects(&input.bucket, after, &wanted)?;
        let next = page.last(|version| &version.key).filter(|_| page.truncated);
        let count = page.items.len() + page.prefixes.len();
        let owner = input.fetch_owner.unwrap_or(false).then(owner);
        Ok(listed!(ListObjectsV2Output, input, most, page, encoding;
            start_after: input.start_after.clone().map(|start| encoding.apply(start)),
            key_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            continuation_token: input.continuation_token.clone(),
            next_continuation_token: next.map(|last| to_token(&last)),
            contents: Some(contents(page.items, &encoding, owner.as_ref())),
        ))
    }

    pub(super) fn list_v1(&self, input: &ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let encoding = Encoding::of(input.encoding_type.as_ref());
        let most = most(input.max_keys)?;
        let wanted = wanted!(input, input.marker.as_deref(), most);
        let page = self.objects(&input.bucket, input.marker.as_ref(), &wanted)?;
        // S3 names the next marker only where the last key does not say it: with a delimiter.
        let named = page.truncated && wanted.delimiter.is_some();
        let next = page.last(|version| &version.key).filter(|_| named);
        Ok(listed!(ListObjectsOutput, input, most, page, encoding;
            marker: Some(encoding.apply(input.marker.clone().unwrap_or_default())),
            next_marker: next.map(|last| encoding.apply(last)),
            contents: Some(contents(page.items, &encoding, Some(&owner()))),
        ))
    }

    pub(super) fn list_versions(
        &self,
        input: &ListObjectVersionsInput,
    ) -> S3Result<ListObjectVersionsOutput> {
        let encoding = Encoding::of(input.encoding_type.as_ref());
        let most = most(input.max_keys)?;
        let marker = input.key_marker.clone().unwrap_or_default();
        let wanted = wanted!(input, Some(&marker), most);
        let page = self.versions(
            &input.bucket,
            &marker,
            input.version_id_marker.as_deref(),
            &wanted,
        )?;
        let last = page.last(|version| &version.key).filter(|_| page.truncated);
        let last_version = page
            .items
            .last()
            .filter(|version| Some(&version.key) == last.as_ref());
        let next_version = last_version.map(|version| version.version.clone());
        let (markers, versions): (Vec<Version>, Vec<Version>) =
            page.items.into_iter().partition(|version| version.delete_marker);
        let versions = versions
            .into_iter()
            .map(|version| object_version(version, &encoding));
        let markers = markers.into_iter().map(|marker| delete_marker(marker, &encoding));
        Ok(listed!(ListObjectVersionsOutput, input, most, page, encoding;
            key_marker: Some(encoding.apply(marker)),
            version_id_marker: input.version_id_marker.clone(),
            next_key_marker: last.map(|last| encoding.apply(last)),
            next_version_id_marker: next_version,
            versions: Some(versions.collect()),
            delete_markers: Some(markers.collect()),
        ))
    }

    /// The objects after `after` that are wanted.
    fn objects(
        &self,
        bucket: &str,
        after: Option<&String>,
        wanted: &Wanted<'_>,
    ) -> Result<Page<Version>, AwsError> {
        self.cloud.store.read(|db| {
            buckets::state(db, bucket)?;
            let mut statement = db.prepare_cached(&versions::select(
                "WHERE bucket = ?1 AND latest AND NOT delete_marker AND key > ?2 AND key >= ?3 ORDER BY key",
            ))?;
            let after = after.map(String::as_str).unwrap_or_default();
            let rows = statement.query_map(params![bucket, after, wanted.prefix], Version::from_row)?;
            wanted.page(rows, |version| &version.key)
        })
    }

    /// The versions from `marker`'s on that are wanted. Within its key, what is older than its version is still to come.
    fn versions(
        &self,
        bucket: &str,
        marker: &str,
        version: Option<&str>,
        wanted: &Wanted<'_>,
    ) -> Result<Page<Version>, AwsError> {
        self.cloud.store.read(|db| {
            buckets::state(db, bucket)?;
            let older_than = match version {
                Some(version) => versions::exactly(db, bucket, marker, version)?.map_or(0, |found| found.id),
                None => 0,
            };
            let mut statement = db.prepare_cached(&versions::select(
                "WHERE bucket = ?1 AND key >= ?2 AND key >= ?3 AND (key > ?2 OR id < ?4) ORDER BY key, id DESC",
            ))?;
            let rows = statement
                .query_map(params![bucket, marker, wanted.prefix, older_than], Version::from_row)?;
            wanted.page(rows, |version| &version.key)
        })
    }
}

fn contents(versions: Vec<Version>, encoding: &Encoding, owner: Option<&Owner>) -> Vec<Object> {
    let objects = versions.into_iter();
    objects
        .map(|version| object(version, encoding, owner.cloned()))
        .collect()
}

fn object_version(version: Version, encoding: &Encoding) -> ObjectVersion {
    ObjectVersion {
        key: Some(encoding.apply(version.key)),
        version_id: Some(version.version),
        is_latest: Some(version.latest),
        last_modified: Some(timestamp(version.modified)),
        e_tag: Some(ETag::Strong(version.etag)),
        size: Some(i64::try_from(version.size).unwrap_or(i64::MAX)),
        storage_class: Some(ObjectVersionStorageClass::from_static(
            ObjectVersionStorageClass::STANDARD,
        )),
        owner: Some(owner()),
        ..Default::default()
    }
}

fn delete_marker(version: Version, encoding: &Encoding) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(encoding.apply(version.key)),
        version_id: Some(version.version),
        is_latest: Some(version.latest),
        last_modified: Some(timestamp(version.modified)),
        owner: Some(owner()),
    }
}

fn to_token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

fn from_token(token: &str) -> Result<String, AwsError> {
    let decoded = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.ok_or_else(|| {
        AwsError::bad_request("InvalidArgument", "The continuation token provided is incorrect")
    })
}
