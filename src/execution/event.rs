//! One event of an execution.

use aws_sdk_sfn::types::HistoryEvent;
use jiff::{Timestamp, Unit};
use serde::Deserialize;
use serde_json::Value;

/// An event, reduced to what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Counts from 1 in its execution.
    pub id: i64,
    pub at: Timestamp,
    /// As Step Functions calls it: `TaskStateEntered`.
    pub kind: String,
    pub details: Details,
}

/// What comes with an event; each kind has some of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The state's.
    pub name: Option<String>,
    /// A JSON text.
    pub input: Option<String>,
    /// A JSON text.
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// What a task is scheduled with, a JSON text; only from the log.
    pub parameters: Option<String>,
}

/// An event as Step Functions writes it to CloudWatch Logs: numbers are strings there.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>
#[derive(Debug, Deserialize)]
struct LogRecord {
    id: Number,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    details: Value,
    event_timestamp: Number,
}

/// A number, or the same as a string.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Number(i64),
    Text(String),
}

impl Number {
    fn value(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl Event {
    /// An event of `GetExecutionHistory`.
    pub fn from_history(event: &HistoryEvent) -> Self {
        Self {
            id: event.id(),
            at: timestamp(event.timestamp()),
            kind: event.r#type().as_str().to_owned(),
            details: Details::from_history(event),
        }
    }

    /// A line of the state machine's log group; none if it is something else.
    pub fn from_log(line: &str) -> Option<Self> {
        let record: LogRecord = serde_json::from_str(line).ok()?;
        // A log that was exported and read back has the details as a text.
        let details = match record.details {
            Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
            details => details,
        };
        Some(Self {
            id: record.id.value()?,
            at: Timestamp::from_millisecond(record.event_timestamp.value()?).ok()?,
            kind: record.kind,
            details: serde_json::from_value(details).unwrap_or_default(),
        })
    }
}

impl Details {
    fn from_history(event: &HistoryEvent) -> Self {
        let mut details = Self::default();
        if let Some(started) = event.execution_started_event_details() {
            details.input = started.input().map(str::to_owned);
        }
        if let Some(entered) = event.state_entered_event_details() {
            details.name = Some(entered.name().to_owned());
            details.input = entered.input().map(str::to_owned);
        }
        if let Some(exited) = event.state_exited_event_details() {
            details.name = Some(exited.name().to_owned());
            details.output = exited.output().map(str::to_owned);
        }
        if let Some(succeeded) = event.task_succeeded_event_details() {
            details.output = succeeded.output().map(str::to_owned);
        }
        if let Some(succeeded) = event.execution_succeeded_event_details() {
            details.output = succeeded.output().map(str::to_owned);
        }
        if let Some((error, cause)) = trouble(event) {
            details.error = error.map(str::to_owned);
            details.cause = cause.map(str::to_owned);
        }
        details
    }
}

/// Error and cause of an event that has such.
fn trouble(event: &HistoryEvent) -> Option<(Option<&str>, Option<&str>)> {
    /// The first of these details that is there.
    macro_rules! first {
        ($($details:ident),+ $(,)?) => {
            None$(.or_else(|| event.$details().map(|details| (details.error(), details.cause()))))+
        };
    }
    first!(
        execution_failed_event_details,
        execution_timed_out_event_details,
        execution_aborted_event_details,
        task_failed_event_details,
        task_timed_out_event_details,
        task_start_failed_event_details,
        task_submit_failed_event_details,
        evaluation_failed_event_details,
    )
}

/// The SDK's time as ours: to the millisecond, as AWS counts. In JSON it comes as a fraction of a second, a little beside it.
pub fn timestamp(time: &aws_smithy_types::DateTime) -> Timestamp {
    let time = Timestamp::new(time.secs(), time.subsec_nanos().try_into().unwrap_or(0));
    let rounded = time.and_then(|time| time.round(Unit::Millisecond));
    rounded.unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_log_line_is_read_as_aws_vends_it() {
        let line = r#"{"id":"2","type":"TaskStateEntered","details":{"input":"{\"key\":\"a\"}",
            "inputDetails":{"truncated":false},"name":"Resize"},"previous_event_id":"0",
            "event_timestamp":"1605903012345","execution_arn":"arn:aws:states:us-east-1:1:execution:m:e"}"#;
        let event = Event::from_log(line).unwrap();
        assert_eq!(event.id, 2);
        assert_eq!(event.kind, "TaskStateEntered");
        assert_eq!(event.at.as_millisecond(), 1_605_903_012_345);
        assert_eq!(event.details.name.as_deref(), Some("Resize"));
        assert_eq!(event.details.input.as_deref(), Some(r#"{"key":"a"}"#));
    }

    #[test]
    fn details_may_be_a_text() {
        let line = r#"{"id":3,"type":"ExecutionFailed","details":"{\"error\":\"E\",\"cause\":\"C\"}","event_timestamp":1}"#;
        let event = Event::from_log(line).unwrap();
        assert_eq!(event.details.error.as_deref(), Some("E"));
        assert_eq!(event.details.cause.as_deref(), Some("C"));
    }

    #[test]
    fn a_time_is_what_aws_counted_not_the_fraction_next_to_it() {
        let time = aws_smithy_types::DateTime::from_secs_f64(1_605_903_012.869);
        assert_ne!(time.subsec_nanos(), 869_000_000, "there is something to round");
        assert_eq!(timestamp(&time).as_millisecond(), 1_605_903_012_869);
    }

    #[test]
    fn another_line_is_no_event() {
        assert_eq!(Event::from_log("START RequestId: 1"), None);
    }
}
