//! One line of the stream, from either log group.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::execution::{Event, LogEvent, name_part, request_in, request_of_answer};
use crate::ui::format::{moment, printable};
use crate::ui::log_line::{of_event, of_function};
use crate::ui::styles::FAINT;

const OF_FUNCTION: Style = AnsiColor::Cyan.on_default();
const OF_EXECUTION: Style = AnsiColor::Magenta.on_default();

/// How much of an execution's name is shown: `--execution` takes the beginning of a name.
const NAME_WIDTH: usize = 13;
/// What stands before a line's text.
const BEFORE_TEXT: usize = 35;

/// Whose log group it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Function,
    Executions,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub source: Source,
    pub at: Timestamp,
    /// The ARN, where it is known.
    pub execution: Option<String>,
    /// Of the function's invocation that it is about, where it says so.
    pub request_id: Option<String>,
    /// What Step Functions logs, read.
    pub event: Option<Event>,
    text: String,
}

/// The same for programs.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    time: Timestamp,
    source: Source,
    execution: Option<&'a str>,
    request_id: Option<&'a str>,
    message: Option<&'a str>,
    event: Option<Value>,
}

impl Entry {
    pub fn of(source: Source, line: LogEvent) -> Self {
        let at = line.at();
        let text = line.text.trim_end().to_owned();
        let json: Option<Value> = serde_json::from_str(&text).ok();
        let member = |name: &str| Some(json.as_ref()?[name].as_str()?.to_owned());
        match source {
            Source::Function => Self {
                source,
                at,
                execution: None,
                request_id: member("requestId").or_else(|| request_in(&text).map(str::to_owned)),
                event: None,
                text,
            },
            Source::Executions => {
                let event = Event::from_log(&text);
                Self {
                    source,
                    at,
                    execution: member("execution_arn"),
                    request_id: event.as_ref().and_then(request_of),
                    event,
                    text,
                }
            }
        }
    }

    /// When, which, and what, for people.
    pub fn line(&self) -> String {
        let (style, words) = match &self.event {
            Some(event) => of_event(event),
            None => of_function(&self.text),
        };
        let (which_style, which) = match (self.source, &self.execution) {
            (Source::Function, _) => (OF_FUNCTION, "function"),
            (_, Some(arn)) => (OF_EXECUTION, name_part(arn)),
            (_, None) => (OF_EXECUTION, "executions"),
        };
        let which: String = printable(which).chars().take(NAME_WIDTH).collect();
        let words = words.replace('\t', "  ");
        let lines: Vec<String> = words.lines().map(printable).collect();
        let words = lines.join(&format!("\n{:BEFORE_TEXT$}", ""));
        format!(
            "{FAINT}{}{FAINT:#}  {which_style}{which:NAME_WIDTH$}{which_style:#}  {style}{words}{style:#}",
            moment(self.at)
        )
    }

    /// For programs.
    pub fn document(&self) -> Document<'_> {
        let event = self
            .event
            .as_ref()
            .and_then(|_| serde_json::from_str(&self.text).ok());
        Document {
            time: self.at,
            source: self.source,
            execution: self.execution.as_deref(),
            request_id: self.request_id.as_deref(),
            message: event.is_none().then_some(self.text.as_str()),
            event,
        }
    }
}

/// The invocation that an execution's event tells of.
fn request_of(event: &Event) -> Option<String> {
    let details = &event.details;
    let answer = details.output.as_deref().and_then(request_of_answer);
    answer.or_else(|| request_in(details.cause.as_deref()?).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    fn entry(source: Source, text: &str) -> Entry {
        Entry::of(
            source,
            LogEvent {
                id: "1".to_owned(),
                stream: "s".to_owned(),
                millis: 1_764_000_000_041,
                text: text.to_owned(),
            },
        )
    }

    fn line(source: Source, text: &str) -> String {
        let shown = strip_str(&entry(source, text).line()).to_string();
        // The time is where this machine is.
        shown.replace(
            &moment(Timestamp::from_millisecond(1_764_000_000_041).unwrap_or_default()),
            "[moment]",
        )
    }

    const FAILED: &str = r#"{"id":"9","type":"ExecutionFailed","details":{"error":"E","cause":"not an \u001b[31mimage"},
        "event_timestamp":"1764000000041","execution_arn":"arn:aws:states:r:1:execution:m:0b9d7f6e-4d3c-4c3c"}"#;

    #[test]
    fn a_person_reads_when_which_and_what() {
        insta::assert_snapshot!(line(Source::Executions, FAILED), @"[moment]  0b9d7f6e-4d3c  execution failed: E: not an \u{fffd}[31mimage");
        insta::assert_snapshot!(line(Source::Function, "REPORT RequestId: x\tDuration: 1 ms\t\n"), @"[moment]  function       REPORT RequestId: x  Duration: 1 ms");
        insta::assert_snapshot!(line(Source::Function, "panicked at:\nno\u{1b}[2J"), @"
        [moment]  function       panicked at:
                                           no\u{fffd}[2J
        ");
        insta::assert_snapshot!(line(Source::Executions, "Permissions are set correctly"), @"[moment]  executions     Permissions are set correctly");
    }

    #[test]
    fn a_line_says_which_request_it_is_about() {
        let id = "3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f";
        let requests = [
            (Source::Function, format!("END RequestId: {id}")),
            (Source::Function, format!(r#"{{"requestId":"{id}"}}"#)),
            (
                Source::Executions,
                serde_json::json!({
                    "id": "5", "type": "TaskSucceeded", "event_timestamp": "1", "execution_arn": "arn",
                    "details": {"output": format!(r#"{{"SdkResponseMetadata":{{"RequestId":"{id}"}}}}"#)},
                })
                .to_string(),
            ),
        ];
        for (source, text) in requests {
            assert_eq!(entry(source, &text).request_id.as_deref(), Some(id), "{text}");
        }
        assert_eq!(entry(Source::Function, "hello").request_id, None);
    }
}
