//! Histories: what GetExecutionHistory gives, and what goes to the state machine's log group.

use std::borrow::Cow;

use rusqlite::{Transaction, params};
use serde::Serialize;
use serde_json::{Value, json};

use super::asl::HistoryEvent;
use super::executions::{self, Execution, invalid_token, page_size};
use super::revisions::Revision;
use super::validation::log_group;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::{iam, logs, paging};

pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let arn = input["executionArn"].as_str().unwrap_or_default();
    iam::authorize(cloud, &call.principal, "states:GetExecutionHistory", arn, &[])?;
    let execution = executions::find(cloud, arn)?;
    let most = page_size(input)?;
    let mut events = all(cloud, &execution)?;
    if input["reverseOrder"] == true {
        events.reverse();
    }
    let shows_data = input["includeExecutionData"] != false;
    let token = input["nextToken"].as_str();
    let page = paging::page(events, token, most).ok_or_else(|| invalid_token(token.unwrap_or_default()))?;
    let events: Vec<_> = page
        .items
        .into_iter()
        .map(|event| {
            if shows_data {
                event.to_api()
            } else {
                without_data(event).to_api()
            }
        })
        .collect();
    let mut output = json!({"events": events});
    if let Some(next) = page.next {
        output["nextToken"] = json!(next);
    }
    Ok(output)
}

/// A running execution's newest events are in memory; those of others in the store. Memory is looked at first: what
/// is stored meanwhile is found twice, and taken once, where the other order would miss it.
fn all(cloud: &Cloud, execution: &Execution) -> Result<Vec<HistoryEvent>, AwsError> {
    let fresh = cloud.states.running.unsaved_events(execution.id);
    let mut events = load(cloud, execution.id)?;
    let last = events.last().map_or(0, |event| event.id);
    events.extend(fresh.into_iter().flatten().filter(|event| event.id > last));
    Ok(events)
}

fn load(cloud: &Cloud, execution: i64) -> Result<Vec<HistoryEvent>, AwsError> {
    cloud.store.read(|db| {
        let mut query =
            db.prepare_cached("SELECT events FROM execution_events WHERE execution = ?1 ORDER BY first")?;
        let mut events = Vec::new();
        for stretch in query.query_map([execution], |row| row.get::<_, String>(0))? {
            let stretch: Vec<HistoryEvent> =
                serde_json::from_str(&stretch?).map_err(|error| AwsError::internal(error.to_string()))?;
            events.extend(stretch);
        }
        Ok(events)
    })
}

/// Writes the events that are new, to the history and to the log group.
pub fn save(
    tx: &Transaction<'_>,
    execution: &Execution,
    events: &[HistoryEvent],
    log: Option<&LogLines>,
) -> Result<(), AwsError> {
    let Some(first) = events.first() else {
        return Ok(());
    };
    let text = serde_json::to_string(events).map_err(|error| AwsError::internal(error.to_string()))?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO execution_events (execution, first, events) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![execution.id, first.id, text])?;
    if let Some(log) = log
        && let Err(error) = logs::append(tx, &log.group, &log.stream, &log.lines)
    {
        // A log group that went, say: on AWS too the execution goes on.
        tracing::debug!(%error, group = log.group, "an execution's events are not logged");
    }
    Ok(())
}

/// Events as they are delivered to CloudWatch Logs.
pub struct LogLines {
    group: String,
    stream: String,
    lines: Vec<(i64, String)>,
}

/// Assumption (AWS docs: "Using CloudWatch Logs to log execution history", as seen in vended logs): these members, numbers
/// as strings.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    details: &'a Value,
    redrive_count: &'static str,
    previous_event_id: String,
    event_timestamp: String,
    execution_arn: &'a str,
}

/// Assumption, as of [`Line`]: one stream for a state machine and hour.
pub fn log_lines(
    cloud: &Cloud,
    execution: &Execution,
    revision: &Revision,
    events: &[HistoryEvent],
) -> Option<LogLines> {
    let logging = &revision.logging;
    let group = log_group(logging)?.to_owned();
    let level = logging["level"].as_str().unwrap_or("OFF");
    let shows_data = logging["includeExecutionData"] == true;
    let execution_arn = execution.arn(cloud);
    let lines: Vec<_> = events
        .iter()
        .filter(|event| is_logged(event, level))
        .map(|event| {
            let details = if shows_data {
                Cow::Borrowed(&event.details)
            } else {
                Cow::Owned(without_data(event.clone()).details)
            };
            let line = Line {
                id: event.id.to_string(),
                event_type: &event.event_type,
                details: &details,
                redrive_count: "0",
                previous_event_id: event.previous_event_id.to_string(),
                event_timestamp: event.timestamp.to_string(),
                execution_arn: &execution_arn,
            };
            // Strings and JSON are always written.
            (event.timestamp, serde_json::to_string(&line).unwrap_or_default())
        })
        .collect();
    let time = jiff::Timestamp::from_millisecond(lines.first()?.0).unwrap_or_default();
    let stream = format!(
        "states/{}/{}/{:08x}",
        execution.machine,
        time.strftime("%Y-%m-%d-%H"),
        revision.id
    );
    Some(LogLines { group, stream, lines })
}

fn is_logged(event: &HistoryEvent, level: &str) -> bool {
    let kind = event.event_type.as_str();
    let is_fatal = ["ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"].contains(&kind);
    match level {
        "ALL" => true,
        "ERROR" => {
            is_fatal || kind.ends_with("Failed") || kind.ends_with("TimedOut") || kind == "FailStateEntered"
        }
        "FATAL" => is_fatal,
        _ => false,
    }
}

fn without_data(mut event: HistoryEvent) -> HistoryEvent {
    if let Some(details) = event.details.as_object_mut() {
        for name in ["input", "output", "parameters", "error", "cause"] {
            details.shift_remove(name);
        }
    }
    event
}
