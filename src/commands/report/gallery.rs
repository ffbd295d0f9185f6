//! The newest pictures, before and after, as they are in their buckets.

use std::collections::HashSet;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use serde::Serialize;

use crate::aws::{During, UnlessGone, is_another};
use crate::commands::media_type::{SHOWN, shown_by_browsers};
use crate::commands::status::executions::Execution;
use crate::execution::Answer;
use crate::session::Session;
use crate::ui::format::{bytes, s3_uri};

/// The largest object that is put into the page, in bytes.
const OBJECT_MAX: u64 = 5_000_000;
/// The most that all of them have together, in bytes.
const TOGETHER_MAX: u64 = 20_000_000;

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
            return Err(format!("a report takes pictures of up to {}", bytes(OBJECT_MAX)));
        }
        if length > most {
            return Err(format!(
                "a report takes {} of pictures, which are used up",
                bytes(TOGETHER_MAX)
            ));
        }
        let media_type = shown_by_browsers(&content)
            .ok_or_else(|| format!("browsers show {SHOWN}, and it is none of them"))?;
        self.left -= length;
        Ok(Picture { media_type, content })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

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
