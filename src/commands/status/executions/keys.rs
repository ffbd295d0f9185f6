//! Which of many executions are for keys that begin so.
//!
//! Step Functions tells an execution's input when it is asked for that one alone, 15 times a second: of the newest it is
//! asked, since the logs come late; of all others CloudWatch Logs knows the input.

use std::collections::HashMap;

use aws_sdk_sfn::types::ExecutionListItem;
use jiff::Timestamp;
use serde_json::Value;

use crate::aws::CallFailure;
use crate::error::CommandError;
use crate::execution::{CLOCK_DIFFERENCE_MILLIS, Event, LogEvent, Search, search, timestamp};
use crate::session::Session;

/// Of so many of the newest Step Functions is asked.
const ASKED_MAX: usize = 100;
/// The most starts that are read from the log.
const STARTS_MAX: usize = 100_000;
/// What an execution begins with.
const STARTS: &str = r#"{ $.type = "ExecutionStarted" }"#;

/// The executions that may be for a key.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Newest first.
    pub listed: Vec<ExecutionListItem>,
    /// Those of which the log has no beginning, newest first: they may be for it as well.
    pub unknown: Vec<ExecutionListItem>,
    /// Whether more had begun than is read.
    pub is_cut: bool,
}

/// Of `listed`, newest first, those that may be for a key that begins with `prefix`: the newest, and what the log says.
pub async fn candidates(
    session: &Session,
    mut listed: Vec<ExecutionListItem>,
    prefix: &str,
) -> Result<Candidates, CommandError> {
    if listed.len() <= ASKED_MAX {
        return Ok(Candidates {
            listed,
            ..Candidates::default()
        });
    }
    let older = listed.split_off(ASKED_MAX);
    let time =
        |item: Option<&ExecutionListItem>| item.map(|item| timestamp(&item.start_date).as_millisecond());
    let (Some(last), Some(first)) = (time(older.first()), time(older.last())) else {
        return Ok(Candidates::default());
    };
    let log_group = session.names.state_machine_log_group();
    let starts = Search {
        log_group: &log_group,
        from: first - CLOCK_DIFFERENCE_MILLIS,
        until: Some(last + CLOCK_DIFFERENCE_MILLIS),
        pattern: Some(STARTS),
        stream: None,
    };
    let found = search(&session.clients, starts, STARTS_MAX)
        .await
        .map_err(|failure| not_known(&failure))?;
    let begun: HashMap<String, bool> = found
        .events
        .iter()
        .filter_map(|line| is_for(line, prefix))
        .collect();
    let mut unknown = Vec::new();
    for item in older {
        match begun.get(&item.execution_arn) {
            Some(true) => listed.push(item),
            Some(false) => {}
            None => unknown.push(item),
        }
    }
    Ok(Candidates {
        listed,
        unknown,
        is_cut: found.is_cut,
    })
}

/// The ARN of the execution that a line tells of, and whether it is for a key that begins with `prefix`.
fn is_for(line: &LogEvent, prefix: &str) -> Option<(String, bool)> {
    let event = Event::from_log(&line.text)?;
    let input: Value = serde_json::from_str(&event.details.input?).ok()?;
    let is_for = input["key"].as_str().is_some_and(|key| key.starts_with(prefix));
    let record: Value = serde_json::from_str(&line.text).ok()?;
    Some((record["execution_arn"].as_str()?.to_owned(), is_for))
}

impl Candidates {
    /// Why some may be missing that began at `since` or later, and what to do about it; none if none is.
    pub async fn missing(&self, session: &Session, since: Timestamp) -> Option<String> {
        let recent = self.unknown.iter().map(|item| timestamp(&item.start_date));
        let recent: Vec<Timestamp> = recent.filter(|began| *began >= since).collect();
        let (newest, oldest) = (recent.first()?, recent.last()?);
        let why = if self.is_cut {
            format!("more than the {STARTS_MAX} lines that are read (a shorter --since takes fewer)")
        } else {
            session.executions_log().absence(*oldest, Some(*newest)).await
        };
        Some(format!(
            "{} older executions may be for such keys as well: what CloudWatch Logs tells of their beginning is {why}; without \
             --key they are listed",
            recent.len(),
        ))
    }
}

fn not_known(failure: &CallFailure) -> CommandError {
    let error = CommandError::failed(format!(
        "which of the older executions are for such keys is not known: {failure}"
    ));
    let error = failure.hints().into_iter().fold(error, CommandError::hint);
    error.hint(format!(
        "a shorter --since needs no logs: of the newest {ASKED_MAX} executions Step Functions itself is asked"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_start_in_the_log_tells_execution_and_key() {
        let line = |input: &str| {
            LogEvent {
            id: String::new(),
            stream: String::new(),
            millis: 0,
            text: json!({"id": "1", "type": "ExecutionStarted", "details": {"input": input}, "event_timestamp": "1",
                "execution_arn": "arn:e"})
            .to_string(),
        }
        };
        let input = json!({"bucket": "o", "key": "album/it's.jpg"}).to_string();
        assert_eq!(is_for(&line(&input), "album/"), Some(("arn:e".to_owned(), true)));
        assert_eq!(is_for(&line(&input), "other/"), Some(("arn:e".to_owned(), false)));
        assert_eq!(is_for(&line("not JSON"), ""), None);
    }
}
