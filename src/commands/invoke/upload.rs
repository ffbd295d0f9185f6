//! The file, sent to the original bucket.

use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use tokio::time::{Instant, timeout_at};

use super::Object;
use super::pictures::{Picture, head};
use crate::aws::{During, upload_timeouts};
use crate::commands::media_type::of_picture;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::format::s3_uri;

/// The largest object that one request makes (5 GiB).
const PUT_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// Streams `picture` to the original bucket: the object that it is there.
///
/// # Errors
/// The file cannot be read or is too large, S3 refuses it, or it is not there at `deadline`.
pub async fn upload(session: &Session, picture: &Picture, deadline: Instant) -> Result<Object, CommandError> {
    let Picture { file, key } = picture;
    let unreadable = |reason: String| {
        CommandError::usage(format!(
            "the file {} cannot be uploaded: {reason}",
            file.display()
        ))
    };
    // Before it is opened: that would wait for a writer where it is a pipe.
    let metadata = fs::metadata(file).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no regular file".to_owned()));
    }
    if metadata.len() > PUT_MAX {
        return Err(unreadable(
            "it is larger than 5 GiB, the most that S3 takes at once".to_owned(),
        ));
    }
    let head = head(file).map_err(|error| unreadable(error.to_string()))?;
    let body = ByteStream::from_path(file)
        .await
        .map_err(|error| unreadable(error.to_string()))?;

    let bucket = session.names.original_bucket();
    let sent = session
        .clients
        .s3
        .put_object()
        .bucket(&bucket)
        .expected_bucket_owner(&session.names.account)
        .key(key)
        .content_type(of_picture(&head).unwrap_or("application/octet-stream"))
        .body(body)
        .customize()
        .config_override(aws_sdk_s3::Config::builder().timeout_config(upload_timeouts(metadata.len())))
        .send();
    let uri = s3_uri(&bucket, key);
    let Ok(sent) = timeout_at(deadline, sent).await else {
        return Err(CommandError::failed(format!(
            "the upload to {uri} has not ended in time, and is given up"
        ))
        .hint("--timeout SECONDS gives it longer"));
    };
    match sent.during("s3:PutObject", uri) {
        Ok(sent) => Ok(Object {
            bucket,
            key: key.clone(),
            size: metadata.len(),
            etag: sent.e_tag,
        }),
        Err(failure) => Err(super::absent(session, failure)),
    }
}
