//! What the function is asked to do.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One S3 object to resize. An event's `size` is not looked at: by now there may be another object of that key, and what
/// S3 says at the download is what counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Object {
    pub bucket: String,
    /// As S3 knows it, not encoded.
    pub key: String,
}

/// Why an event names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error(
        "the event names no object: expected {{\"bucket\": \"…\", \"key\": \"…\"}} or an S3 notification {{\"Records\": […]}}; {detail}"
    )]
    NoObject { detail: String },
    #[error("the S3 notification has no records")]
    NoRecords,
    #[error("record {index} of the S3 notification: {detail}")]
    Record { index: usize, detail: String },
}

/// The objects that an event names, at least one. An event that names a key alone means `default_bucket`, if there is one.
pub fn objects(event: &Value, default_bucket: Option<&str>) -> Result<Vec<Object>, EventError> {
    if let Some(records) = event.get("Records") {
        return notified(records);
    }
    let mut event = event.clone();
    if let (Some(bucket), Some(fields)) = (default_bucket, event.as_object_mut()) {
        fields.entry("bucket").or_insert_with(|| bucket.into());
    }
    if !event.is_object() {
        return Err(EventError::NoObject {
            detail: format!("this is no JSON object: {event}"),
        });
    }
    let object = Object::deserialize(event).map_err(|error| EventError::NoObject {
        detail: error.to_string(),
    })?;
    if object.bucket.is_empty() || object.key.is_empty() {
        return Err(EventError::NoObject {
            detail: "bucket and key must not be empty".to_owned(),
        });
    }
    Ok(vec![object])
}

/// The part of an S3 notification's record that matters here.
#[derive(Deserialize)]
struct Record {
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: NotifiedBucket,
    object: NotifiedObject,
}

#[derive(Deserialize)]
struct NotifiedBucket {
    name: String,
}

#[derive(Deserialize)]
struct NotifiedObject {
    key: String,
}

fn notified(records: &Value) -> Result<Vec<Object>, EventError> {
    let records = records
        .as_array()
        .filter(|records| !records.is_empty())
        .ok_or(EventError::NoRecords)?;
    let objects = records.iter().enumerate().map(|(index, record)| {
        let Record { s3 } = Record::deserialize(record).map_err(|error| EventError::Record {
            index,
            detail: error.to_string(),
        })?;
        let key = decode_key(&s3.object.key).ok_or_else(|| EventError::Record {
            index,
            detail: format!("its key is not UTF-8 when URL-decoded: {}", s3.object.key),
        })?;
        Ok(Object {
            bucket: s3.bucket.name,
            key,
        })
    });
    objects.collect()
}

/// In S3's notifications, unlike EventBridge's, keys are URL-encoded as form fields are: a plus sign is a space.
fn decode_key(encoded: &str) -> Option<String> {
    let spaced = encoded.replace('+', " ");
    let key = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(key.into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn record(key: &str) -> Value {
        json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 5}}})
    }

    #[test]
    fn a_plain_events_key_is_taken_as_it_is() {
        let event = json!({"bucket": "b", "key": "a+b%20c d.jpg", "size": 7, "more": {}});
        let object = Object {
            bucket: "b".into(),
            key: "a+b%20c d.jpg".into(),
        };
        assert_eq!(objects(&event, None).unwrap(), [object]);
    }

    #[test]
    fn a_notifications_keys_are_url_decoded() {
        let event = json!({"Records": [record("a+b%2Bc%25.jpg"), record("%E5%B1%B1/x%22%27%5C.jpg")]});
        let keys: Vec<_> = objects(&event, None)
            .unwrap()
            .into_iter()
            .map(|object| object.key)
            .collect();
        assert_eq!(keys, ["a b+c%.jpg", "山/x\"'\\.jpg"]);
    }

    #[test]
    fn an_event_that_names_no_object_says_what_was_expected() {
        let wrong = [
            json!(null),
            json!("text"),
            json!([]),
            json!({}),
            json!({"key": "k"}),
            json!({"bucket": "", "key": "k"}),
            json!({"bucket": "b", "key": 7}),
            json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
        ];
        for event in wrong {
            let message = objects(&event, None).unwrap_err().to_string();
            assert!(
                message.starts_with("the event names no object"),
                "{event}: {message}"
            );
        }
        assert_eq!(objects(&json!({"Records": []}), None), Err(EventError::NoRecords));
        let message = objects(&json!({"Records": [record("k"), {}]}), None)
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("record 1 of the S3 notification: missing field `s3`"),
            "{message}"
        );
        let message = objects(&json!({"Records": [record("%ff")]}), None)
            .unwrap_err()
            .to_string();
        assert!(message.contains("not UTF-8"), "{message}");
    }

    #[test]
    fn a_key_alone_is_one_of_the_default_bucket() {
        let event = json!({"key": "k"});
        assert_eq!(objects(&event, Some("originals")).unwrap()[0].bucket, "originals");
        let message = objects(&event, None).unwrap_err().to_string();
        assert!(message.contains("bucket"), "{message}");
        let named = json!({"bucket": "b", "key": "k"});
        assert_eq!(objects(&named, Some("originals")).unwrap()[0].bucket, "b");
    }
}
