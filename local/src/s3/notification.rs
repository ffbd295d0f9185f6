//! What S3 tells EventBridge.

use jiff::Timestamp;
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::access::bucket_arn;
use crate::cloud::ACCOUNT;
use crate::error::AwsError;
use crate::{events, random};

/// The request that causes an event.
#[derive(Debug, Clone)]
pub struct Origin {
    pub region: String,
    pub request_id: String,
}

/// The object that an event is about.
pub struct Subject<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version: Option<&'a str>,
    /// Grows with every write to the bucket.
    pub sequence: i64,
}

impl Origin {
    /// `reason` is the API operation: PutObject, CopyObject or CompleteMultipartUpload.
    pub fn created(
        &self,
        tx: &Transaction<'_>,
        subject: &Subject<'_>,
        size: u64,
        etag: &str,
        reason: &str,
    ) -> Result<(), AwsError> {
        let mut object = json!({ "key": subject.key, "size": size, "etag": etag });
        subject.finish(&mut object);
        self.enqueue(tx, "Object Created", subject, object, json!({ "reason": reason }))
    }

    /// `deletion_type` is `Permanently Deleted` or `Delete Marker Created`.
    pub fn deleted(
        &self,
        tx: &Transaction<'_>,
        subject: &Subject<'_>,
        deletion_type: &str,
    ) -> Result<(), AwsError> {
        let mut object = json!({ "key": subject.key });
        subject.finish(&mut object);
        let more = json!({ "reason": "DeleteObject", "deletion-type": deletion_type });
        self.enqueue(tx, "Object Deleted", subject, object, more)
    }

    fn enqueue(
        &self,
        tx: &Transaction<'_>,
        detail_type: &str,
        subject: &Subject<'_>,
        object: Value,
        more: Value,
    ) -> Result<(), AwsError> {
        let mut detail = json!({
            "version": "0",
            "bucket": { "name": subject.bucket },
            "object": object,
            "request-id": self.request_id,
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
        });
        if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
            detail.extend(more);
        }
        let event = json!({
            "version": "0",
            "id": random::uuid()?,
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": ACCOUNT,
            "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": self.region,
            "resources": [bucket_arn(subject.bucket)],
            "detail": detail,
        });
        events::enqueue(tx, &event)
    }
}

impl Subject<'_> {
    fn finish(&self, object: &mut Value) {
        if let Some(version) = self.version {
            object["version-id"] = json!(version);
        }
        object["sequencer"] = json!(format!("00{:016X}", self.sequence));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn an_event_looks_as_awss_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("cloud.db")).unwrap();
        let enqueued = store.write(|tx| {
            let origin = Origin {
                region: "us-east-1".to_owned(),
                request_id: "0123456789ABCDEF".to_owned(),
            };
            let subject = Subject {
                bucket: "pictures",
                key: "a b+c.jpg",
                version: Some("v1"),
                sequence: 26,
            };
            origin.created(tx, &subject, 7, "d41d8", "PutObject")?;
            Ok(tx.query_row("SELECT body FROM pending_events", [], |row| {
                row.get::<_, String>(0)
            })?)
        });
        let mut event: Value = serde_json::from_str(&enqueued.await.unwrap()).unwrap();
        for varying in ["id", "time"] {
            assert!(
                event
                    .as_object_mut()
                    .unwrap()
                    .remove(varying)
                    .unwrap()
                    .is_string()
            );
        }
        assert_eq!(
            event,
            json!({
                "version": "0",
                "detail-type": "Object Created",
                "source": "aws.s3",
                "account": "000000000000",
                "region": "us-east-1",
                "resources": ["arn:aws:s3:::pictures"],
                "detail": {
                    "version": "0",
                    "bucket": { "name": "pictures" },
                    "object": {
                        "key": "a b+c.jpg",
                        "size": 7,
                        "etag": "d41d8",
                        "version-id": "v1",
                        "sequencer": "00000000000000001A",
                    },
                    "request-id": "0123456789ABCDEF",
                    "requester": "000000000000",
                    "source-ip-address": "127.0.0.1",
                    "reason": "PutObject",
                },
            })
        );
    }
}
