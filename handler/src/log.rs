//! What the function logs of an event, on standard output, whence Lambda takes it to the function's log group.

use std::fmt::Write;

use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};

use crate::answer::{Answer, Millis, Outcome, Refused, Stored};
use crate::failure::Failure;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object an event, for programs.
    #[default]
    Json,
    /// One line an object, for people. Lambda's own lines name the request in the same words.
    Text,
}

impl LogFormat {
    /// By its name in the environment.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            _ => None,
        }
    }

    /// What is logged of an event and its answer, without the last line's end.
    pub fn lines(self, event: &LambdaEvent<Value>, answer: &Result<Answer, Failure>) -> String {
        let (request, payload) = (&event.context.request_id, &event.payload);
        match self {
            Self::Json => json(request, payload, answer).to_string(),
            Self::Text => text(request, payload, answer),
        }
    }
}

fn json(request_id: &str, event: &Value, answer: &Result<Answer, Failure>) -> Value {
    match answer {
        Ok(answer) => json!({"level": "INFO", "requestId": request_id, "answer": answer}),
        Err(failure) => json!({
            "level": "ERROR",
            "requestId": request_id,
            "failure": failure.to_string(),
            "event": event,
        }),
    }
}

fn text(request_id: &str, event: &Value, answer: &Result<Answer, Failure>) -> String {
    let line = |level: &str, words: String| {
        // A reason is no more than one line, whatever is quoted in it.
        let words = words.replace(char::is_control, " ");
        format!("{level} RequestId: {request_id}: {words}")
    };
    match answer {
        Ok(answer) => {
            let lines = answer.outcomes().iter().map(|outcome| match outcome {
                Outcome::Stored(stored) => line("INFO", of_stored(stored)),
                Outcome::Refused(refused) => line("INFO", of_refused(refused)),
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Err(failure) => line("ERROR", format!("{failure}; the event was {event}")),
    }
}

/// `resized "a.jpg" of originals (JPEG, 640x427, 47029 bytes) to "output/a_resized.jpg" (500x334, 23411 bytes) of results;
/// milliseconds: download 3, decode 4, resize 1, encode 2, upload 3`
fn of_stored(stored: &Stored) -> String {
    let mut words = format!(
        "resized {} of {} ({}, {}x{}, {} bytes) to ",
        quoted(&stored.source_key),
        stored.source_bucket,
        stored.source_format,
        stored.source_width,
        stored.source_height,
        stored.source_bytes,
    );
    let mut result = |key: &str, width: u32, height: u32, bytes: usize| {
        // Writing to a string does not fail.
        let _ = write!(words, "{} ({width}x{height}, {bytes} bytes), ", quoted(key));
    };
    if stored.renditions.is_empty() {
        result(&stored.dest_key, stored.width, stored.height, stored.bytes);
    }
    for made in &stored.renditions {
        result(&made.dest_key, made.width, made.height, made.bytes);
    }
    let Millis {
        download,
        decode,
        resize,
        encode,
        upload,
    } = stored.millis;
    format!(
        "{} of {}; milliseconds: download {download}, decode {decode}, resize {resize}, encode {encode}, upload {upload}",
        words.trim_end_matches(", "),
        stored.dest_bucket
    )
}

fn of_refused(refused: &Refused) -> String {
    match &refused.object {
        Some(object) => format!(
            "refused {} of {}: {}",
            quoted(&object.key),
            object.bucket,
            refused.error
        ),
        None => format!("refused the event: {}", refused.error),
    }
}

/// In quotes, as JSON has it: whatever is in a key, it is one word.
fn quoted(key: &str) -> String {
    json!(key).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::answer::StoredRendition;
    use crate::event::Object;

    fn stored(renditions: Vec<StoredRendition>) -> Outcome {
        Outcome::Stored(Box::new(Stored {
            ok: true,
            source_bucket: "originals".into(),
            source_key: "a \"b\"\n.jpg".into(),
            dest_bucket: "results".into(),
            dest_key: "output/a.jpg".into(),
            width: 500,
            height: 334,
            source_width: 640,
            source_height: 427,
            source_format: "JPEG",
            bytes: 23_411,
            source_bytes: 47_029,
            source_etag: None,
            etag: None,
            renditions,
            millis: Millis {
                download: 3,
                decode: 4,
                resize: 1,
                encode: 2,
                upload: 5,
            },
        }))
    }

    fn rendition(key: &str) -> StoredRendition {
        StoredRendition {
            name: "n".into(),
            dest_key: key.into(),
            width: 50,
            height: 40,
            bytes: 900,
            etag: None,
        }
    }

    #[test]
    fn a_person_reads_dimensions_bytes_and_milliseconds() {
        let told = text("id", &Value::Null, &Ok(Answer::of(vec![stored(Vec::new())])));
        assert_eq!(
            told,
            "INFO RequestId: id: resized \"a \\\"b\\\"\\n.jpg\" of originals (JPEG, 640x427, 47029 bytes) to \"output/a.jpg\" \
             (500x334, 23411 bytes) of results; milliseconds: download 3, decode 4, resize 1, encode 2, upload 5"
        );
    }

    #[test]
    fn each_object_has_a_line_and_each_rendition_its_place() {
        let object = Object {
            bucket: "originals".into(),
            key: "b.jpg".into(),
        };
        let refused = Refused::object(&object, &"not\nan image");
        let both = vec![
            stored(vec![rendition("x.webp"), rendition("y.webp")]),
            Outcome::Refused(refused),
        ];
        let told = text("id", &Value::Null, &Ok(Answer::of(both)));
        let lines: Vec<_> = told.lines().collect();
        assert!(
            lines[0].contains("to \"x.webp\" (50x40, 900 bytes), \"y.webp\" (50x40, 900 bytes) of results;")
        );
        assert_eq!(
            lines[1..],
            ["INFO RequestId: id: refused \"b.jpg\" of originals: not an image"]
        );
    }

    #[test]
    fn a_failure_is_logged_with_its_event_in_both_formats() {
        let event = json!({"bucket": "o", "key": "a.jpg"});
        let failure = Err(Failure::no_rendition());
        assert_eq!(
            text("id", &event, &failure),
            "ERROR RequestId: id: Configuration: there is no rendition to store; the event was \
             {\"bucket\":\"o\",\"key\":\"a.jpg\"}"
        );
        assert_eq!(
            json("id", &event, &failure),
            json!({"level": "ERROR", "requestId": "id", "event": event,
                "failure": "Configuration: there is no rendition to store"})
        );
    }
}
