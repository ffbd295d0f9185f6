//! Which of many executions are for keys that begin so.
//!
//! Step Functions tells an execution's input when it is asked for that one alone, 15 times a second: of the newest it is
//! asked, since the logs come late; of all others CloudWatch Logs knows the input.

use std::collections::HashSet;

use aws_sdk_sfn::types::ExecutionListItem;
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

/// Of `listed`, newest first, those that may be for a key that begins with `prefix`: the newest, and what the log says.
pub async fn candidates(
    session: &Session,
    mut listed: Vec<ExecutionListItem>,
    prefix: &str,
) -> Result<Vec<ExecutionListItem>, CommandError> {
    if listed.len() <= ASKED_MAX {
        return Ok(listed);
    }
    let older = listed.split_off(ASKED_MAX);
    let time =
        |item: Option<&ExecutionListItem>| item.map(|item| timestamp(&item.start_date).as_millisecond());
    let (Some(last), Some(first)) = (time(older.first()), time(older.last())) else {
        return Ok(listed);
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
    let meant: HashSet<String> = found
        .events
        .iter()
        .filter_map(|event| execution_for(event, prefix))
        .collect();
    listed.extend(
        older
            .into_iter()
            .filter(|item| meant.contains(&item.execution_arn)),
    );
    Ok(listed)
}

/// The ARN of the execution that a line tells of, if it is for a key that begins with `prefix`.
fn execution_for(line: &LogEvent, prefix: &str) -> Option<String> {
    let event = Event::from_log(&line.text)?;
    let input: Value = serde_json::from_str(&event.details.input?).ok()?;
    if !input["key"].as_str()?.starts_with(prefix) {
        return None;
    }
    let record: Value = serde_json::from_str(&line.text).ok()?;
    record["execution_arn"].as_str().map(str::to_owned)
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
        assert_eq!(execution_for(&line(&input), "album/"), Some("arn:e".to_owned()));
        assert_eq!(execution_for(&line(&input), "other/"), None);
        assert_eq!(execution_for(&line("not JSON"), ""), None);
    }
}
