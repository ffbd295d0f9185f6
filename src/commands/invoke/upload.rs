//! The file, sent to the original bucket.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;

use crate::aws::{During, upload_timeouts};
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::format::{printable, s3_uri};
use crate::ui::waiting::Waiting;

/// The largest object that one request makes (5 GiB).
const PUT_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// Streams `file` to the original bucket: how many bytes it has.
pub async fn upload(session: &Session, key: &str, file: &Path, ui: &Ui) -> Result<u64, CommandError> {
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
    let mut opened = File::open(file).map_err(|error| unreadable(error.to_string()))?;
    let mut head = Vec::new();
    opened.by_ref().take(16).read_to_end(&mut head)?;
    let body = ByteStream::from_path(file)
        .await
        .map_err(|error| unreadable(error.to_string()))?;

    let bucket = session.names.original_bucket();
    let name = printable(&file.display().to_string());
    let _waiting = Waiting::new(ui, format!("Uploading {name} to {}", s3_uri(&bucket, key)));
    let sent = session
        .clients
        .s3
        .put_object()
        .bucket(&bucket)
        .expected_bucket_owner(&session.names.account)
        .key(key)
        .content_type(content_type(&head))
        .body(body)
        .customize()
        .config_override(aws_sdk_s3::Config::builder().timeout_config(upload_timeouts()))
        .send()
        .await
        .during("s3:PutObject", s3_uri(&bucket, key));
    match sent {
        Ok(_) => Ok(metadata.len()),
        Err(failure) => Err(super::absent(session, failure)),
    }
}

/// The media type that a file's first bytes tell; its name may lie.
fn content_type(head: &[u8]) -> &'static str {
    match head {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "image/tiff",
        [
            _,
            _,
            _,
            _,
            b'f',
            b't',
            b'y',
            b'p',
            b'a',
            b'v',
            b'i',
            b'f' | b's',
            ..,
        ] => "image/avif",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', b'i' | b'v', ..] => "image/heic",
        [b'B', b'M', ..] => "image/bmp",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_media_type() {
        for (head, wanted) in [
            (b"\xff\xd8\xff\xe0\0\x10JFIF".as_slice(), "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"\0\0\0\x20ftypavif", "image/avif"),
            (b"plain text", "application/octet-stream"),
            (b"", "application/octet-stream"),
        ] {
            assert_eq!(content_type(head), wanted);
        }
    }
}
