//! Log streams.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::{group_arn, group_name, groups, invalid, no_such_stream, page, required};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The most streams on a page.
const MOST_STREAMS: usize = 50;

/// A stream's row id.
pub fn find(db: &Connection, group: &str, stream: &str) -> Result<Option<i64>, AwsError> {
    let mut statement = db.prepare_cached("SELECT id FROM log_streams WHERE log_group = ?1 AND name = ?2")?;
    Ok(statement
        .query_row([group, stream], |row| row.get(0))
        .optional()?)
}

/// A group's streams: their row ids and names.
pub fn of(db: &Connection, group: &str) -> Result<Vec<(i64, String)>, AwsError> {
    let mut statement = db.prepare_cached("SELECT id, name FROM log_streams WHERE log_group = ?1")?;
    let rows = statement.query_map([group], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes a stream in a group that is there; gives its row id.
pub fn make(tx: &Transaction<'_>, group: &str, stream: &str) -> Result<i64, AwsError> {
    tx.prepare_cached("INSERT INTO log_streams (log_group, name, created) VALUES (?1, ?2, ?3)")?
        .execute(params![group, stream, Timestamp::now().as_millisecond()])?;
    Ok(tx.last_insert_rowid())
}

pub async fn create(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (group, stream) = (
        required(&input, "logGroupName")?,
        required(&input, "logStreamName")?,
    );
    if stream.len() > 512 || stream.contains([':', '*']) {
        return Err(invalid(
            "The log stream's name must be at most 512 characters without ':' and '*'.",
        ));
    }
    let created = cloud.store.write(move |tx| {
        groups::require(tx, &group)?;
        if find(tx, &group, &stream)?.is_some() {
            let message = "The specified log stream already exists";
            return Err(AwsError::bad_request("ResourceAlreadyExistsException", message));
        }
        make(tx, &group, &stream)?;
        Ok(json!({}))
    });
    created.await
}

pub fn describe(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let group = group_name(input)?;
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let prefix = text("logStreamNamePrefix").unwrap_or_default();
    let by_time = match text("orderBy") {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") if prefix.is_empty() => true,
        Some("LastEventTime") => {
            return Err(invalid(
                "Cannot order by LastEventTime with a logStreamNamePrefix.",
            ));
        }
        Some(other) => return Err(invalid(&format!("orderBy cannot be {other}."))),
    };
    let order = if by_time {
        "ORDER BY last_event, name"
    } else {
        "ORDER BY name"
    };
    let mut streams = cloud.store.read(|db| {
        groups::require(db, &group)?;
        let mut all = db.prepare_cached(&format!(
            "SELECT name, created, first_event, last_event, last_ingestion FROM log_streams WHERE log_group = ?1 {order}"
        ))?;
        let rows = all.query_map([&group], |row| {
            let name: String = row.get(0)?;
            let mut stream = json!({
                "logStreamName": name,
                "creationTime": row.get::<_, i64>(1)?,
                "arn": format!("{}:log-stream:{name}", group_arn(&cloud.region, &group)),
                "uploadSequenceToken": "1",
                "storedBytes": 0,
            });
            for (field, column) in [("firstEventTimestamp", 2), ("lastEventTimestamp", 3), ("lastIngestionTime", 4)] {
                if let Some(time) = row.get::<_, Option<i64>>(column)? {
                    stream[field] = json!(time);
                }
            }
            Ok(stream)
        })?;
        Ok(rows.collect::<Result<Vec<Value>, _>>()?)
    })?;
    if input.get("descending").and_then(Value::as_bool) == Some(true) {
        streams.reverse();
    }
    streams.retain(|stream| {
        stream["logStreamName"]
            .as_str()
            .is_some_and(|name| name.starts_with(prefix))
    });
    page(input, "logStreams", streams, MOST_STREAMS)
}

pub async fn delete(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (group, stream) = (
        required(&input, "logGroupName")?,
        required(&input, "logStreamName")?,
    );
    let deleted = cloud.store.write(move |tx| {
        groups::require(tx, &group)?;
        let id = find(tx, &group, &stream)?.ok_or_else(no_such_stream)?;
        tx.execute("DELETE FROM log_streams WHERE id = ?1", [id])?;
        Ok(json!({}))
    });
    deleted.await
}
