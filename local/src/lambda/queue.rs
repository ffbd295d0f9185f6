//! Asynchronous invocations: an event that was taken with 202 is in the store until it is done or given up.
//!
//! Facts: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::function::{self, Function};
use super::invoke::{self, Invoked};
use crate::backoff;
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The most an event may have, in bytes.
const MOST_PAYLOAD: usize = 1024 * 1024;
/// The waits before the function gets an event again that it failed on, in milliseconds: there are two more tries.
const AFTER_FAILURE: [i64; 2] = [60_000, 120_000];
/// How long an event is tried that does not reach the function, in milliseconds: six hours.
const MOST_AGE: i64 = 6 * 3_600_000;
/// The longest wait between such tries, in milliseconds; the first is a second, each one twice the one before.
const MOST_WAIT: i64 = 300_000;

/// An event's row, without its payload: many may wait.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Queued {
    id: i64,
    function: String,
    request_id: String,
    queued: i64,
    due: i64,
    failures: usize,
    refusals: u32,
}

const COLUMNS: &str = "id, function, request_id, queued, due, failures, refusals";

impl Queued {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            function: row.get(1)?,
            request_id: row.get(2)?,
            queued: row.get(3)?,
            due: row.get(4)?,
            failures: row.get(5)?,
            refusals: row.get(6)?,
        })
    }

    /// When it is tried again after `outcome`; none where it is done or given up.
    ///
    /// Assumption: what AWS says of throttling and its own errors holds for all refusals but a function that is gone, since
    /// the queue's events are tried "for up to 6 hours" when they do not reach the function.
    fn after(mut self, outcome: &Result<Invoked, AwsError>, now: i64) -> Option<Self> {
        match outcome {
            Ok(invoked) if invoked.function_error.is_none() => return None,
            Ok(_) => {
                self.due = now + AFTER_FAILURE.get(self.failures)?;
                self.failures += 1;
            }
            Err(error) if error.code == "ResourceNotFoundException" => return None,
            Err(_) => {
                self.due = now + backoff::doubled(self.refusals, MOST_WAIT);
                self.refusals += 1;
                if self.due - self.queued > MOST_AGE {
                    return None;
                }
            }
        }
        Some(self)
    }
}

/// Takes an event; on return it is in the store.
pub async fn take(
    cloud: &Arc<Cloud>,
    function: &Function,
    request_id: String,
    payload: Bytes,
) -> Result<(), AwsError> {
    if payload.len() > MOST_PAYLOAD {
        let message = format!(
            "{} byte payload is too large for the Event invocation type (limit {MOST_PAYLOAD} bytes)",
            payload.len()
        );
        return Err(AwsError::new(413, "RequestTooLargeException", message));
    }
    let now = Timestamp::now().as_millisecond();
    let name = function.name.clone();
    let queued = cloud
        .store
        .write(move |tx| {
            tx.prepare_cached(
                "INSERT INTO queued_events (function, request_id, payload, queued, due, failures, refusals)
                 VALUES (?1, ?2, ?3, ?4, ?4, 0, 0)",
            )?
            .execute(params![name, request_id, payload.as_ref(), now])?;
            Ok(Queued {
                id: tx.last_insert_rowid(),
                function: name,
                request_id,
                queued: now,
                due: now,
                failures: 0,
                refusals: 0,
            })
        })
        .await?;
    carry_on(cloud, queued);
    Ok(())
}

/// Goes on with the events that are in the store.
pub fn start(cloud: &Arc<Cloud>) {
    let queued = cloud.store.read(|db| {
        let mut query = db.prepare(&format!("SELECT {COLUMNS} FROM queued_events ORDER BY id"))?;
        Ok(query
            .query_map([], Queued::read)?
            .collect::<Result<Vec<_>, _>>()?)
    });
    match queued {
        Ok(queued) => queued.into_iter().for_each(|event| carry_on(cloud, event)),
        Err(error) => tracing::error!(%error, "failed to read the queued events"),
    }
}

fn carry_on(cloud: &Arc<Cloud>, event: Queued) {
    let cloud = Arc::clone(cloud);
    tokio::spawn(async move {
        let id = event.id;
        if let Err(error) = try_to_the_end(&cloud, event).await {
            tracing::error!(%error, event = id, "a queued event waits for the next start");
        }
    });
}

async fn try_to_the_end(cloud: &Arc<Cloud>, mut event: Queued) -> Result<(), AwsError> {
    loop {
        let wait = event.due - Timestamp::now().as_millisecond();
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or_default())).await;
        // No more room is given when the local cloud stops: the event stays for the next start.
        let Ok(room) = cloud.lambda.pool.room().await else {
            return Ok(());
        };
        let payload = cloud.store.read(|db| payload(db, event.id))?;
        let outcome = match function::find(cloud, &event.function) {
            Ok(function) => invoke::run(cloud, &function, event.request_id.clone(), payload, room).await,
            Err(error) => Err(error),
        };
        // What fails while the local cloud stops may fail of that.
        if cloud.lambda.pool.is_closed() && failure(&outcome).is_some() {
            return Ok(());
        }
        match event.clone().after(&outcome, Timestamp::now().as_millisecond()) {
            Some(next) => {
                event = next;
                keep(cloud, event.clone()).await?;
            }
            None => {
                if let Some(why) = failure(&outcome) {
                    tracing::warn!(
                        event.function,
                        event.request_id,
                        why,
                        "a queued event is given up"
                    );
                }
                return forget(cloud, event.id).await;
            }
        }
    }
}

fn failure(outcome: &Result<Invoked, AwsError>) -> Option<String> {
    match outcome {
        Ok(invoked) if invoked.function_error.is_none() => None,
        Ok(invoked) => Some(String::from_utf8_lossy(&invoked.payload).into_owned()),
        Err(error) => Some(error.to_string()),
    }
}

fn payload(db: &Connection, id: i64) -> Result<Bytes, AwsError> {
    let payload: Vec<u8> = db
        .prepare_cached("SELECT payload FROM queued_events WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    Ok(payload.into())
}

async fn keep(cloud: &Cloud, event: Queued) -> Result<(), AwsError> {
    let kept = cloud.store.write(move |tx| {
        tx.prepare_cached("UPDATE queued_events SET due = ?2, failures = ?3, refusals = ?4 WHERE id = ?1")?
            .execute(params![event.id, event.due, event.failures, event.refusals])?;
        Ok(())
    });
    kept.await
}

async fn forget(cloud: &Cloud, id: i64) -> Result<(), AwsError> {
    let forgotten = cloud.store.write(move |tx| {
        tx.prepare_cached("DELETE FROM queued_events WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    });
    forgotten.await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn event() -> Queued {
        Queued {
            id: 1,
            function: "resize".to_owned(),
            request_id: "r".to_owned(),
            queued: 0,
            due: 0,
            failures: 0,
            refusals: 0,
        }
    }

    fn answered(function_error: Option<&'static str>) -> Result<Invoked, AwsError> {
        Ok(Invoked {
            request_id: "r".to_owned(),
            payload: Bytes::new(),
            function_error,
            log: Vec::new(),
        })
    }

    #[test]
    fn a_function_that_fails_gets_the_event_twice_more() {
        let failed = answered(Some("Unhandled"));
        let second = event().after(&failed, 0).unwrap();
        let third = second.clone().after(&failed, 100_000).unwrap();
        assert_eq!((second.due, third.due), (60_000, 220_000));
        assert_eq!(third.after(&failed, 300_000), None);
        assert_eq!(event().after(&answered(None), 0), None);
    }

    #[test]
    fn an_event_that_does_not_reach_the_function_is_tried_for_six_hours() {
        let refused = Err(AwsError::internal("on purpose"));
        let (mut event, mut tries) = (event(), 0);
        let mut dues = Vec::new();
        while let Some(next) = event.clone().after(&refused, event.due) {
            event = next;
            dues.push(event.due);
            tries += 1;
            assert!(tries < 1000);
        }
        assert_eq!(dues[..3], [1000, 3000, 7000]);
        assert!(event.due > MOST_AGE - MOST_WAIT && event.due <= MOST_AGE);
    }

    #[test]
    fn an_event_for_a_function_that_is_gone_is_given_up() {
        let gone = Err(AwsError::not_found("ResourceNotFoundException", "gone"));
        assert_eq!(event().after(&gone, 0), None);
    }
}
