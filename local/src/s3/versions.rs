//! The versions of objects, as rows of the store.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::buckets::BucketState;
use super::checksum::Checksum;
use super::files::NewContents;
use super::random_version;
use crate::error::AwsError;

/// The version id outside versioning.
pub const NULL_VERSION: &str = "null";

/// One version of an object, or a delete marker.
#[derive(Debug, Clone)]
pub struct Version {
    pub id: i64,
    pub key: String,
    pub version: String,
    pub latest: bool,
    pub delete_marker: bool,
    pub size: u64,
    pub etag: String,
    /// Milliseconds since the epoch.
    pub modified: i64,
    pub file: Option<String>,
    pub attributes: Attributes,
    pub checksum: Option<Checksum>,
}

/// What an upload says about its object beside the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    /// As HTTP's header has it.
    pub expires: Option<String>,
    pub website_redirect_location: Option<String>,
    pub metadata: HashMap<String, String>,
}

/// What is written as an object's newest version.
pub struct NewVersion {
    pub size: u64,
    pub etag: String,
    pub modified: i64,
    pub contents: NewContents,
    pub attributes: Attributes,
    pub checksum: Checksum,
}

/// What a write did.
pub struct Written {
    /// The row's id: grows with every write.
    pub id: i64,
    /// The version id, in a bucket that has versioning.
    pub version: Option<String>,
    /// Files that nothing refers to any more.
    pub replaced: Vec<String>,
}

const COLUMNS: &str =
    "id, key, version, latest, delete_marker, size, etag, modified, file, attributes, checksum";

impl Version {
    pub fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            key: row.get(1)?,
            version: row.get(2)?,
            latest: row.get(3)?,
            delete_marker: row.get(4)?,
            size: row.get(5)?,
            etag: row.get(6)?,
            modified: row.get(7)?,
            file: row.get(8)?,
            attributes: serde_json::from_str(&row.get::<_, String>(9)?).unwrap_or_default(),
            checksum: row
                .get::<_, Option<String>>(10)?
                .and_then(|text| serde_json::from_str(&text).ok()),
        })
    }

    /// The version id that replies show: in a bucket that never had versioning, none.
    pub fn shown_version(&self, bucket: &BucketState) -> Option<String> {
        bucket.versioning.is_some().then(|| self.version.clone())
    }
}

/// `SELECT` with [`Version::from_row`]'s columns.
pub fn select(rest: &str) -> String {
    format!("SELECT {COLUMNS} FROM object_versions {rest}")
}

pub fn latest(db: &Connection, bucket: &str, key: &str) -> Result<Option<Version>, AwsError> {
    let mut statement = db.prepare_cached(&select("WHERE bucket = ?1 AND key = ?2 AND latest"))?;
    Ok(statement.query_row([bucket, key], Version::from_row).optional()?)
}

pub fn exactly(db: &Connection, bucket: &str, key: &str, version: &str) -> Result<Option<Version>, AwsError> {
    let mut statement = db.prepare_cached(&select("WHERE bucket = ?1 AND key = ?2 AND version = ?3"))?;
    Ok(statement
        .query_row([bucket, key, version], Version::from_row)
        .optional()?)
}

/// The bytes of a version that has no file; none if the version is gone.
pub fn small_contents(db: &Connection, found: &Version) -> Result<Option<Vec<u8>>, AwsError> {
    let mut statement = db.prepare_cached("SELECT bytes FROM small_contents WHERE version = ?1")?;
    Ok(statement.query_row([found.id], |row| row.get(0)).optional()?)
}

/// Writes an object's newest version.
pub fn put(
    tx: &Transaction<'_>,
    state: &BucketState,
    bucket: &str,
    key: &str,
    new: NewVersion,
) -> Result<Written, AwsError> {
    let (version, replaced) = make_room(tx, state, bucket, key)?;
    let file = match &new.contents {
        NewContents::Small(_) => None,
        NewContents::File(file) => Some(file.name()),
    };
    tx.prepare_cached(
        "INSERT INTO object_versions
             (bucket, key, version, latest, delete_marker, size, etag, modified, file, attributes, checksum)
         VALUES (?1, ?2, ?3, 1, 0, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        bucket,
        key,
        version,
        new.size,
        new.etag,
        new.modified,
        file,
        json(&new.attributes)?,
        json(&new.checksum)?
    ])?;
    let id = tx.last_insert_rowid();
    match new.contents {
        NewContents::Small(bytes) => {
            tx.prepare_cached("INSERT INTO small_contents (version, bytes) VALUES (?1, ?2)")?
                .execute(params![id, bytes])?;
        }
        NewContents::File(file) => file.keep(),
    }
    Ok(Written {
        id,
        version: state.versioning.is_some().then_some(version),
        replaced,
    })
}

/// Writes a delete marker as an object's newest version.
pub fn put_delete_marker(
    tx: &Transaction<'_>,
    state: &BucketState,
    bucket: &str,
    key: &str,
    modified: i64,
) -> Result<Written, AwsError> {
    let (version, replaced) = make_room(tx, state, bucket, key)?;
    tx.prepare_cached(
        "INSERT INTO object_versions
             (bucket, key, version, latest, delete_marker, size, etag, modified, attributes)
         VALUES (?1, ?2, ?3, 1, 1, 0, '', ?4, '{}')",
    )?
    .execute(params![bucket, key, version, modified])?;
    Ok(Written {
        id: tx.last_insert_rowid(),
        version: Some(version),
        replaced,
    })
}

/// The next version's id: a fresh one under versioning; else `null`, whose earlier version goes.
fn make_room(
    tx: &Transaction<'_>,
    state: &BucketState,
    bucket: &str,
    key: &str,
) -> Result<(String, Vec<String>), AwsError> {
    let mut replaced = Vec::new();
    let version = if state.versioning.as_deref() == Some("Enabled") {
        random_version()?
    } else {
        let gone = tx
            .prepare_cached(
                "DELETE FROM object_versions WHERE bucket = ?1 AND key = ?2 AND version = 'null' RETURNING file",
            )?
            .query_row([bucket, key], |row| row.get::<_, Option<String>>(0))
            .optional()?;
        replaced.extend(gone.flatten());
        NULL_VERSION.to_owned()
    };
    if state.versioning.is_some() {
        tx.prepare_cached("UPDATE object_versions SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest")?
            .execute([bucket, key])?;
    }
    Ok((version, replaced))
}

/// Removes one version for good; if it was the newest, the one before it becomes that.
pub fn remove(tx: &Transaction<'_>, bucket: &str, found: &Version) -> Result<(), AwsError> {
    tx.prepare_cached("DELETE FROM object_versions WHERE id = ?1")?
        .execute([found.id])?;
    if found.latest {
        tx.prepare_cached(
            "UPDATE object_versions SET latest = 1
             WHERE id = (SELECT max(id) FROM object_versions WHERE bucket = ?1 AND key = ?2)",
        )?
        .execute([bucket, &found.key])?;
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, AwsError> {
    serde_json::to_string(value).map_err(|error| AwsError::internal(error.to_string()))
}
