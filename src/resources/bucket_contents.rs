//! What is in a bucket: counted, and removed.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, EncodingType, MultipartUpload, ObjectIdentifier};
use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::aws::{CallFailure, During};
use crate::engine::{Failure, Step};

/// Calls at once: S3 takes thousands of deletions a second, and this machine's network is the limit.
const BATCHES_AT_ONCE: usize = 8;

/// Pages of 1,000 that are counted; beyond, "more than" will do.
const PAGES_COUNTED: u32 = 100;

/// How much is in a bucket: every version of every object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Contents {
    pub objects: u64,
    pub bytes: u64,
    /// There is more than was counted.
    pub truncated: bool,
}

/// What one page of a bucket's listing holds, and where the next begins.
struct Page {
    objects: Vec<ObjectIdentifier>,
    bytes: u64,
    next: Option<Place>,
}

/// Where a listing goes on.
#[derive(Debug, Default, Clone)]
struct Place {
    key: Option<String>,
    version: Option<String>,
}

/// Counts what is in the bucket, as far as a person wants to know.
///
/// # Errors
/// A bucket that cannot be listed; one that is not there is empty.
pub async fn count(client: &Client, bucket: &str, account: &str) -> Result<Contents, Failure> {
    let mut contents = Contents::default();
    let mut place = Place::default();
    for _ in 0..PAGES_COUNTED {
        let page = match page(client, bucket, account, place).await {
            Ok(page) => page,
            Err(failure) if failure.code.as_deref() == Some("NoSuchBucket") => return Ok(contents),
            Err(failure) => return Err(failure),
        };
        contents.objects += page.objects.len() as u64;
        contents.bytes += page.bytes;
        match page.next {
            Some(next) => place = next,
            None => return Ok(contents),
        }
    }
    contents.truncated = true;
    Ok(contents)
}

/// Removes every version, every delete marker and every unfinished upload.
///
/// # Errors
/// The first thing that could not be removed, or that the run was asked to stop.
pub async fn empty(client: &Client, bucket: &str, account: &str, step: &Step<'_>) -> Result<(), Failure> {
    abort_uploads(client, bucket, account, step).await?;
    let (mut removed, mut there, began) = (0_usize, None, Instant::now());
    loop {
        let batches = batches(client, bucket, account).await?;
        if batches.is_empty() {
            return Ok(());
        }
        if there.is_none() {
            there = Some(count_from(client, bucket, account, &batches).await?);
        }
        let mut deletions = stream::iter(batches)
            .map(|batch| delete(client, bucket, account, batch))
            .buffer_unordered(BATCHES_AT_ONCE);
        while let Some(count) = deletions.try_next().await? {
            removed += count;
            step.note(&progress(removed, there, began.elapsed()));
        }
        if step.is_stopped() {
            return Err(Failure::stopped(format!("emptying {bucket}: {removed} removed")));
        }
    }
}

/// How much there is, when these are the first batches of it.
async fn count_from(
    client: &Client,
    bucket: &str,
    account: &str,
    first: &[Vec<ObjectIdentifier>],
) -> Result<Contents, Failure> {
    if first.len() == BATCHES_AT_ONCE {
        return count(client, bucket, account).await;
    }
    Ok(Contents {
        objects: first.iter().map(|batch| batch.len() as u64).sum(),
        ..Contents::default()
    })
}

/// How far the emptying is: `2000 of 34210 removed, 1900 a second`.
fn progress(removed: usize, there: Option<Contents>, took: Duration) -> String {
    let there = there.unwrap_or_default();
    let more = if there.truncated { "more than " } else { "" };
    // What came meanwhile goes too.
    let objects = there.objects.max(removed as u64);
    let text = format!("{removed} of {more}{objects} removed");
    // Of a moment, a rate says nothing.
    if took < Duration::from_secs(1) {
        return text;
    }
    format!("{text}, {:.0} a second", removed as f64 / took.as_secs_f64())
}

/// The next batches to delete: as many pages as are deleted at once.
async fn batches(
    client: &Client,
    bucket: &str,
    account: &str,
) -> Result<Vec<Vec<ObjectIdentifier>>, Failure> {
    let mut batches = Vec::new();
    let mut place = Place::default();
    while batches.len() < BATCHES_AT_ONCE {
        let page = page(client, bucket, account, place).await?;
        if !page.objects.is_empty() {
            batches.push(page.objects);
        }
        match page.next {
            Some(next) => place = next,
            None => break,
        }
    }
    Ok(batches)
}

async fn page(client: &Client, bucket: &str, account: &str, place: Place) -> Result<Page, Failure> {
    let answer = client
        .list_object_versions()
        .bucket(bucket)
        .expected_bucket_owner(account)
        // A key may have characters that XML cannot carry.
        .encoding_type(EncodingType::Url)
        .set_key_marker(place.key)
        .set_version_id_marker(place.version)
        .send()
        .await
        .during("s3:ListBucketVersions", bucket)?;
    let versions = answer
        .versions()
        .iter()
        .map(|version| (version.key(), version.version_id()));
    let markers = answer
        .delete_markers()
        .iter()
        .map(|marker| (marker.key(), marker.version_id()));
    let objects = versions
        .chain(markers)
        .filter_map(|(key, version)| Some(identifier(key?, version)))
        .collect::<Result<_, _>>()?;
    let sizes = answer.versions().iter().filter_map(|version| version.size());
    Ok(Page {
        objects,
        bytes: sizes.filter_map(|size| u64::try_from(size).ok()).sum(),
        next: answer.is_truncated().unwrap_or_default().then(|| Place {
            key: answer.next_key_marker().map(decoded),
            version: answer.next_version_id_marker().map(str::to_owned),
        }),
    })
}

fn identifier(key: &str, version: Option<&str>) -> Result<ObjectIdentifier, Failure> {
    Ok(ObjectIdentifier::builder()
        .key(decoded(key))
        .set_version_id(version.map(str::to_owned))
        .build()?)
}

/// A key as it was before S3 encoded it for its listing, where a space may be a `+`.
fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

/// Whether it is outside of what XML 1.0 has as characters, or changed on its way as ends of lines are.
fn is_no_xml(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Deletes up to 1,000 versions. The call succeeds even where some of them could not be deleted.
async fn delete(
    client: &Client,
    bucket: &str,
    account: &str,
    batch: Vec<ObjectIdentifier>,
) -> Result<usize, Failure> {
    let count = batch.len();
    // XML cannot carry some characters: such a key goes by itself, in the address.
    let (awkward, batch): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .partition(|object| object.key().contains(is_no_xml));
    for object in awkward {
        client
            .delete_object()
            .bucket(bucket)
            .expected_bucket_owner(account)
            .key(object.key())
            .set_version_id(object.version_id().map(str::to_owned))
            .send()
            .await
            .during("s3:DeleteObject", bucket)?;
    }
    if batch.is_empty() {
        return Ok(count);
    }
    let answer = client
        .delete_objects()
        .bucket(bucket)
        .expected_bucket_owner(account)
        .delete(Delete::builder().set_objects(Some(batch)).quiet(true).build()?)
        .send()
        .await
        .during("s3:DeleteObject", bucket)?;
    match answer.errors() {
        [] => Ok(count),
        [error, ..] => {
            let (code, detail) = (
                error.code().unwrap_or_default(),
                error.message().unwrap_or_default(),
            );
            Err(Failure {
                message: format!(
                    "s3:DeleteObject on {bucket} was refused for {} of {count} objects, the first \"{}\": {code}: {detail}",
                    answer.errors().len(),
                    error.key().unwrap_or_default(),
                ),
                code: Some(code.into()),
                detail: detail.into(),
                ..Failure::default()
            })
        }
    }
}

/// The parts of an upload that was never finished are in no listing, and paid for.
async fn abort_uploads(client: &Client, bucket: &str, account: &str, step: &Step<'_>) -> Result<(), Failure> {
    let mut place = (None, None);
    let mut ended = 0_usize;
    loop {
        let mut answer = client
            .list_multipart_uploads()
            .bucket(bucket)
            .expected_bucket_owner(account)
            .encoding_type(EncodingType::Url)
            .set_key_marker(place.0)
            .set_upload_id_marker(place.1)
            .send()
            .await
            .during("s3:ListBucketMultipartUploads", bucket)?;
        let mut aborts = stream::iter(answer.uploads.take().unwrap_or_default())
            .map(|upload| abort(client, bucket, account, upload))
            .buffer_unordered(BATCHES_AT_ONCE);
        while aborts.try_next().await?.is_some() {
            ended += 1;
            step.note(&format!("{ended} unfinished uploads"));
            if step.is_stopped() {
                return Err(Failure::stopped(format!(
                    "emptying {bucket}: {ended} uploads ended"
                )));
            }
        }
        if !answer.is_truncated().unwrap_or_default() {
            return Ok(());
        }
        place = (
            answer.next_key_marker().map(decoded),
            answer.next_upload_id_marker().map(str::to_owned),
        );
    }
}

async fn abort(
    client: &Client,
    bucket: &str,
    account: &str,
    upload: MultipartUpload,
) -> Result<(), CallFailure> {
    let abort = client
        .abort_multipart_upload()
        .bucket(bucket)
        .expected_bucket_owner(account)
        .set_key(upload.key().map(decoded))
        .set_upload_id(upload.upload_id().map(str::to_owned));
    match abort.send().await.during("s3:AbortMultipartUpload", bucket) {
        Err(failure) if failure.code() != Some("NoSuchUpload") => Err(failure),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emptying_tells_how_far_it_is_and_how_fast() {
        let there = |objects, truncated| {
            Some(Contents {
                objects,
                truncated,
                ..Contents::default()
            })
        };
        let after = Duration::from_secs(2);
        assert_eq!(
            progress(1000, there(34_210, false), after),
            "1000 of 34210 removed, 500 a second"
        );
        assert_eq!(
            progress(1000, there(100_000, true), Duration::from_millis(9)),
            "1000 of more than 100000 removed"
        );
        assert_eq!(progress(12, there(10, false), Duration::ZERO), "12 of 12 removed");
    }
}
