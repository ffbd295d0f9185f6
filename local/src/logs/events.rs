//! Log events: writing, reading a stream, searching a group.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{Rows, Transaction, params};
use serde_json::{Value, json};

use super::filter::Filter;
use super::{group_name, groups, invalid, limit, no_such_stream, required, streams};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The most events on a page, and in one PutLogEvents.
const MOST_EVENTS: usize = 10_000;

/// A place among events, which are in the order of their times, then of their ids.
type Place = (i64, i64);
const BEGINNING: Place = (i64::MIN, i64::MIN);
const END: Place = (i64::MAX, i64::MAX);

/// Appends lines, each with its time in milliseconds since the epoch, to a stream, which is made if need be. A missing
/// group is `ResourceNotFoundException`.
pub fn append(
    tx: &Transaction<'_>,
    group: &str,
    stream: &str,
    lines: &[(i64, String)],
) -> Result<(), AwsError> {
    let id = match streams::find(tx, group, stream)? {
        Some(id) => id,
        None => {
            groups::require(tx, group)?;
            streams::make(tx, group, stream)?
        }
    };
    write(tx, id, lines)
}

fn write(tx: &Transaction<'_>, stream: i64, lines: &[(i64, String)]) -> Result<(), AwsError> {
    let now = Timestamp::now().as_millisecond();
    let mut insert = tx
        .prepare_cached("INSERT INTO log_events (stream, time, ingested, message) VALUES (?1, ?2, ?3, ?4)")?;
    for (time, message) in lines {
        insert.execute(params![stream, time, now, message])?;
    }
    let times = lines.iter().map(|(time, _)| *time);
    if let (Some(first), Some(last)) = (times.clone().min(), times.max()) {
        tx.prepare_cached(
            "UPDATE log_streams SET
                 first_event = min(coalesce(first_event, ?2), ?2),
                 last_event = max(coalesce(last_event, ?3), ?3),
                 last_ingestion = ?4
             WHERE id = ?1",
        )?
        .execute(params![stream, first, last, now])?;
    }
    Ok(())
}

/// The time, in milliseconds since the epoch, until which events must have been written to be read now.
fn delivered_until(cloud: &Cloud) -> i64 {
    let on_their_way = i64::try_from(cloud.conditions.log_delivery()).unwrap_or(i64::MAX);
    Timestamp::now().as_millisecond().saturating_sub(on_their_way)
}

pub async fn put(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (group, stream) = (
        required(&input, "logGroupName")?,
        required(&input, "logStreamName")?,
    );
    let events = input
        .get("logEvents")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if events.is_empty() || events.len() > MOST_EVENTS {
        return Err(invalid("logEvents must be from 1 to 10000 events."));
    }
    let mut lines = Vec::with_capacity(events.len());
    for event in events {
        match (event["timestamp"].as_i64(), event["message"].as_str()) {
            (Some(time), Some(message)) if time >= 0 && !message.is_empty() => {
                lines.push((time, message.to_owned()))
            }
            _ => return Err(invalid("A log event needs a timestamp and a message.")),
        }
    }
    if !lines.is_sorted_by_key(|(time, _)| *time) {
        return Err(invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    let put = cloud.store.write(move |tx| {
        let oldest = groups::oldest_kept(tx, &group)?;
        let id = streams::find(tx, &group, &stream)?.ok_or_else(no_such_stream)?;
        let expired = lines.partition_point(|(time, _)| *time < oldest);
        write(tx, id, &lines[expired..])?;
        let mut reply = json!({ "nextSequenceToken": "1" });
        if expired > 0 {
            // Exclusive: the index of the first event that was taken.
            reply["rejectedLogEventsInfo"] = json!({ "expiredLogEventEndIndex": expired });
        }
        Ok(reply)
    });
    put.await
}

/// A stream's events, from either end, page by page.
pub fn get(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let (group, stream) = (group_name(input)?, required(input, "logStreamName")?);
    let token = input
        .get("nextToken")
        .and_then(Value::as_str)
        .map(from_token)
        .transpose()?;
    let from_head = input
        .get("startFromHead")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let (forward, place) = match token {
        Some(token) => token,
        None if from_head => (true, BEGINNING),
        None => (false, END),
    };
    let number = |name: &str, default| input.get(name).and_then(Value::as_i64).unwrap_or(default);
    let (start, end) = (number("startTime", i64::MIN), number("endTime", i64::MAX));
    let most = limit(input, MOST_EVENTS)?;
    let delivered = delivered_until(cloud);
    let (comparison, order) = if forward { (">", "ASC") } else { ("<", "DESC") };
    let mut events = cloud.store.read(|db| {
        let start = start.max(groups::oldest_kept(db, &group)?);
        let id = streams::find(db, &group, &stream)?.ok_or_else(no_such_stream)?;
        let mut statement = db.prepare_cached(&format!(
            "SELECT time, id, ingested, message FROM log_events
             WHERE stream = ?1 AND time >= ?2 AND time < ?3 AND (time, id) {comparison} (?4, ?5) AND ingested <= ?7
             ORDER BY time {order}, id {order} LIMIT ?6"
        ))?;
        let parameters = params![id, start, end, place.0, place.1, most as i64, delivered];
        let rows = statement.query_map(parameters, |row| {
            let event = json!({
                "timestamp": row.get::<_, i64>(0)?,
                "message": row.get::<_, String>(3)?,
                "ingestionTime": row.get::<_, i64>(2)?,
            });
            Ok(((row.get(0)?, row.get(1)?), event))
        })?;
        Ok(rows.collect::<Result<Vec<(Place, Value)>, _>>()?)
    })?;
    if !forward {
        events.reverse();
    }
    // At an end the token stays the same: that is how a reader knows.
    let first = events.first().map_or(place, |(place, _)| *place);
    let last = events.last().map_or(place, |(place, _)| *place);
    Ok(json!({
        "events": events.into_iter().map(|(_, event)| event).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{}/{}", last.0, last.1),
        "nextBackwardToken": format!("b/{}/{}", first.0, first.1),
    }))
}

fn from_token(token: &str) -> Result<(bool, Place), AwsError> {
    let mut parts = token.split('/');
    let forward = match parts.next() {
        Some("f") => true,
        Some("b") => false,
        _ => return Err(invalid("The specified nextToken is invalid.")),
    };
    match (parts.next().map(str::parse), parts.next().map(str::parse)) {
        (Some(Ok(time)), Some(Ok(id))) => Ok((forward, (time, id))),
        _ => Err(invalid("The specified nextToken is invalid.")),
    }
}

/// Goes through the events of some streams in the order of their times. Each stream is read along its index, so that nothing
/// is sorted, and no more is read than is asked for.
struct Walk<'a> {
    streams: Vec<Rows<'a>>,
    /// Those that are not at their end: the place of the event that each is at, and which it is.
    ahead: BinaryHeap<Reverse<(Place, usize)>>,
}

/// An event that is come by.
struct Met {
    place: Place,
    /// Which of the streams.
    stream: usize,
    ingested: i64,
    message: String,
}

impl<'a> Walk<'a> {
    fn begin(streams: Vec<Rows<'a>>) -> Result<Self, AwsError> {
        let mut walk = Self {
            ahead: BinaryHeap::with_capacity(streams.len()),
            streams,
        };
        for stream in 0..walk.streams.len() {
            walk.go_on(stream)?;
        }
        Ok(walk)
    }

    fn go_on(&mut self, stream: usize) -> Result<(), AwsError> {
        if let Some(row) = self.streams[stream].next()? {
            let place = (row.get(0)?, row.get(1)?);
            self.ahead.push(Reverse((place, stream)));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Met>, AwsError> {
        let Some(Reverse((place, stream))) = self.ahead.pop() else {
            return Ok(None);
        };
        let Some(row) = self.streams[stream].get() else {
            return Ok(None);
        };
        let (ingested, message) = (row.get(2)?, row.get(3)?);
        self.go_on(stream)?;
        Ok(Some(Met {
            place,
            stream,
            ingested,
            message,
        }))
    }
}

/// A group's events that match, in the order of their times.
pub fn search(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let group = group_name(input)?;
    let filter = Filter::read(
        input
            .get("filterPattern")
            .and_then(Value::as_str)
            .unwrap_or_default(),
    )?;
    let place = match input.get("nextToken").and_then(Value::as_str) {
        Some(token) => from_token(token)?.1,
        None => BEGINNING,
    };
    let number = |name: &str, default| input.get(name).and_then(Value::as_i64).unwrap_or(default);
    let (start, end) = (number("startTime", i64::MIN), number("endTime", i64::MAX));
    let prefix = input.get("logStreamNamePrefix").and_then(Value::as_str);
    let names: Option<Vec<&str>> = input
        .get("logStreamNames")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    if prefix.is_some() && names.is_some() {
        return Err(invalid(
            "logStreamNames and logStreamNamePrefix exclude each other.",
        ));
    }
    let in_stream = |stream: &str| match (prefix, &names) {
        (Some(prefix), _) => stream.starts_with(prefix),
        (None, Some(names)) => names.contains(&stream),
        (None, None) => true,
    };
    let most = limit(input, MOST_EVENTS)?;
    let delivered = delivered_until(cloud);
    let (events, next) = cloud.store.read(|db| {
        let start = start.max(groups::oldest_kept(db, &group)?);
        let streams: Vec<_> = streams::of(db, &group)?
            .into_iter()
            .filter(|(_, name)| in_stream(name))
            .collect();
        let mut statements = Vec::new();
        for _ in &streams {
            statements.push(db.prepare_cached(
                "SELECT time, id, ingested, message FROM log_events
                 WHERE stream = ?1 AND (time, id) > (?2, ?3) AND time <= ?4 AND ingested <= ?5 ORDER BY time, id",
            )?);
        }
        let after = place.max((start, i64::MIN));
        let rows = statements.iter_mut().zip(&streams).map(|(statement, (id, _))| {
            statement.query(params![id, after.0, after.1, end, delivered])
        });
        let mut walk = Walk::begin(rows.collect::<Result<_, _>>()?)?;
        let (mut events, mut last, mut next) = (Vec::new(), place, None);
        while let Some(event) = walk.next()? {
            if !filter.matches(&event.message) {
                continue;
            }
            if events.len() == most {
                next = Some(format!("f/{}/{}", last.0, last.1));
                break;
            }
            last = event.place;
            events.push(json!({
                "logStreamName": streams[event.stream].1,
                "timestamp": last.0,
                "message": event.message,
                "ingestionTime": event.ingested,
                "eventId": format!("{:056}", last.1),
            }));
        }
        Ok((events, next))
    })?;
    let mut reply = json!({ "events": events, "searchedLogStreams": [] });
    if let Some(token) = next {
        reply["nextToken"] = json!(token);
    }
    Ok(reply)
}
