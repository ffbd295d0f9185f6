//! The newest pictures, before and after, from their buckets: small files as they are, of others a thumbnail.

use std::collections::HashSet;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use resizer_handler::resize::{Limits, OutputFormat, Refusal, Rendition, resize};
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::aws::{During, UnlessGone, is_another};
use crate::commands::media_type::shown_by_browsers;
use crate::commands::status::executions::Execution;
use crate::execution::Answer;
use crate::session::Session;
use crate::ui::format::{bytes, s3_uri};

/// The largest object that is read, in bytes: what the function reads unless it is told otherwise.
const OBJECT_MAX: u64 = 64 << 20;
/// The most that is read of all of them together, in bytes.
const TOGETHER_MAX: u64 = 100_000_000;
/// A file of no more bytes is put into the page as it is, where browsers show it.
const SMALL: usize = 60_000;
/// The largest file that is put there as it is, in bytes, where no thumbnail can be made of it.
const WHOLE_MAX: usize = 5_000_000;
/// The longer side of a thumbnail, in pixels: sharp as well where a screen has two to one of the page's.
const THUMBNAIL_SIDE: u32 = 640;

/// An original and what was made of it.
#[derive(Debug, Serialize)]
pub struct Pair {
    #[serde(skip)]
    pub answer: Answer,
    pub before: Object,
    pub after: Object,
}

/// An object, and the picture that it is.
#[derive(Debug, Serialize)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    /// Absent where it could not be read.
    pub bytes: Option<u64>,
    #[serde(skip)]
    pub picture: Option<Picture>,
    /// Why its picture is not shown, if it is not.
    pub not_shown: Option<String>,
}

/// A picture that browsers show.
#[derive(Debug)]
pub struct Picture {
    pub media_type: &'static str,
    pub content: Vec<u8>,
}

/// Reads the pictures of the newest executions that wrote one, at most `most`; of each object once.
pub async fn read(session: &Session, executions: &[Execution], most: usize) -> Vec<Pair> {
    let mut seen = HashSet::new();
    let bucket = session.names.original_bucket();
    let newest = executions
        .iter()
        .filter_map(|execution| Some((original(execution, &bucket)?, execution.answer.as_ref()?)))
        .filter(|(original, _)| seen.insert(original.clone()))
        .take(most);
    let mut reader = Reader {
        session,
        left: TOGETHER_MAX,
    };
    // The results first: they are small, and what the page is about.
    let mut results = Vec::new();
    for (original, answer) in newest {
        let after = reader
            .object(
                session.names.resized_bucket(),
                &answer.dest_key,
                answer.etag.as_deref(),
            )
            .await;
        results.push((original, answer, after));
    }
    let mut pairs = Vec::new();
    for ((bucket, key), answer, after) in results {
        pairs.push(Pair {
            answer: answer.clone(),
            before: reader.object(bucket, &key, answer.source_etag.as_deref()).await,
            after,
        });
    }
    pairs
}

/// Bucket and key of the object that an execution is for: in `bucket`, unless its input names another.
fn original(execution: &Execution, bucket: &str) -> Option<(String, String)> {
    let bucket = execution.bucket.as_deref().unwrap_or(bucket);
    Some((bucket.to_owned(), execution.key.clone()?))
}

struct Reader<'a> {
    session: &'a Session,
    /// Bytes that may still be read.
    left: u64,
}

impl Reader<'_> {
    /// The object that S3 called so when the execution read or wrote it: another may have taken its place.
    async fn object(&mut self, bucket: String, key: &str, etag: Option<&str>) -> Object {
        let answer = self
            .session
            .clients
            .s3
            .get_object()
            .bucket(&bucket)
            .key(key)
            .send()
            .await
            .during("s3:GetObject", s3_uri(&bucket, key))
            .unless_gone();
        let size = match &answer {
            Ok(Some(answer)) => answer.content_length().and_then(|length| length.try_into().ok()),
            _ => None,
        };
        let picture = match answer {
            Ok(Some(answer)) if is_another(&answer, etag) => {
                Err("another has taken its place since".to_owned())
            }
            Ok(Some(answer)) => self.picture(answer).await,
            Ok(None) => Err("it is gone".to_owned()),
            Err(failure) => Err(failure.to_string()),
        };
        let (picture, not_shown) = match picture {
            Ok(picture) => (Some(picture), None),
            Err(reason) => (None, Some(reason)),
        };
        Object {
            bucket,
            key: key.to_owned(),
            bytes: size,
            picture,
            not_shown,
        }
    }

    /// The picture, or why it is not shown.
    async fn picture(&mut self, answer: GetObjectOutput) -> Result<Picture, String> {
        let mut body = answer.body;
        let announced = answer
            .content_length
            .and_then(|length| u64::try_from(length).ok());
        let mut content = Vec::new();
        let most = OBJECT_MAX.min(self.left);
        let mut length = announced.unwrap_or_default();
        // Also of what says nothing of its length, or the wrong thing, no more is read.
        while length <= most {
            let chunk = body.try_next().await;
            let Some(chunk) = chunk.map_err(|error| format!("reading it was cut off: {error}"))? else {
                break;
            };
            content.extend_from_slice(&chunk);
            length = length.max(content.len() as u64);
        }
        if length > OBJECT_MAX {
            return Err(format!("a report reads pictures of up to {}", bytes(OBJECT_MAX)));
        }
        if length > most {
            return Err(format!(
                "a report reads {} of pictures, which are used up",
                bytes(TOGETHER_MAX)
            ));
        }
        self.left -= length;
        let shown = spawn_blocking(|| to_be_shown(content)).await;
        shown.unwrap_or_else(|_| Err("no thumbnail could be made of it".to_owned()))
    }
}

/// What the page shows of a file: where no thumbnail can be made, the file, if browsers show it and it is not too large.
fn to_be_shown(file: Vec<u8>) -> Result<Picture, String> {
    let media_type = shown_by_browsers(&file);
    let whole = |most: usize| media_type.filter(|_| file.len() <= most);
    let (media_type, content) = match whole(SMALL) {
        Some(media_type) => (media_type, file),
        None => match thumbnail(&file) {
            Ok(thumbnail) => {
                let media_type = shown_by_browsers(&thumbnail).ok_or("no browser shows its thumbnail")?;
                (media_type, thumbnail)
            }
            Err(refusal) => (whole(WHOLE_MAX).ok_or_else(|| refusal.to_string())?, file),
        },
    };
    Ok(Picture { media_type, content })
}

/// By the function's own image work: upright, in the right colours, and refused beyond the limits that it has where none are
/// set.
fn thumbnail(file: &[u8]) -> Result<Vec<u8>, Refusal> {
    let rendition = Rendition {
        width: THUMBNAIL_SIDE,
        height: Some(THUMBNAIL_SIDE),
        format: OutputFormat::Auto,
        ..Rendition::default()
    };
    let resized = resize(file, &[rendition], &Limits::default())?;
    Ok(resized.pictures.into_iter().flat_map(|it| it.bytes).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_is_small_is_shown_as_it_is_and_of_the_rest_a_thumbnail() {
        let read = |path: &str| std::fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let rocket = read("samples/rocket.jpg");
        assert_eq!(to_be_shown(rocket.clone()).unwrap().content, rocket);
        // Also of what no browser shows.
        for path in ["samples/photo-12mp.jpg", "handler/tests/corpus/photo.tif"] {
            let shown = to_be_shown(read(path)).unwrap();
            assert_eq!(shown.media_type, "image/jpeg", "{path}");
            let thumbnail = image::load_from_memory(&shown.content).unwrap();
            assert!(
                thumbnail.width().max(thumbnail.height()) <= THUMBNAIL_SIDE,
                "{path}"
            );
        }
        to_be_shown(read("handler/tests/corpus/bad-html.png")).unwrap_err();
    }

    #[test]
    fn an_original_is_where_the_input_says() {
        let mut execution = Execution::running("a", Timestamp::UNIX_EPOCH);
        assert_eq!(original(&execution, "stack"), None);
        execution.key = Some("cat.jpg".to_owned());
        let place = |bucket: &str| Some((bucket.to_owned(), "cat.jpg".to_owned()));
        assert_eq!(original(&execution, "stack"), place("stack"));
        execution.bucket = Some("another".to_owned());
        assert_eq!(original(&execution, "stack"), place("another"));
    }
}
