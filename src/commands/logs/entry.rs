//! One line of the stream, from either log group.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::execution::{Event, LogEvent, name_part, request_in, request_of_answer, request_of_line};
use crate::ui::format::{moment, printable};
use crate::ui::log_line::{of_event, of_function};
use crate::ui::styles::FAINT;
use crate::ui::wrap::wrapped;

const OF_FUNCTION: Style = AnsiColor::Cyan.on_default();
const OF_EXECUTION: Style = AnsiColor::Magenta.on_default();

/// How much of an execution's name is shown: `--execution` takes the beginning of a name.
const NAME_WIDTH: usize = 13;
/// What stands before a line's text.
const BEFORE_TEXT: usize = 35;
/// In fewer columns it stands above.
const NARROW: usize = 70;

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
    /// The log stream.
    pub stream: String,
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
        let stream = line.stream;
        let text = line.text.trim_end().to_owned();
        match source {
            Source::Function => Self {
                source,
                at,
                execution: None,
                request_id: request_of_line(&text),
                event: None,
                stream,
                text,
            },
            Source::Executions => {
                let json: Option<Value> = serde_json::from_str(&text).ok();
                let member = |name: &str| Some(json.as_ref()?[name].as_str()?.to_owned());
                let event = Event::from_log(&text);
                Self {
                    source,
                    at,
                    execution: member("execution_arn"),
                    request_id: event.as_ref().and_then(request_of),
                    event,
                    stream,
                    text,
                }
            }
        }
    }

    /// Whether its environment begins to work on the request that it names.
    pub fn is_start(&self) -> bool {
        self.text.starts_with("START ")
    }

    /// Whether its environment has done with the request that it names.
    pub fn is_report(&self) -> bool {
        self.text.starts_with("REPORT ")
    }

    /// What puts entries in order: the time and, in the same millisecond, what comes first: an execution's events are counted,
    /// and of the function's lines Lambda's own stand around the others.
    pub fn order(&self) -> (Timestamp, bool, i64) {
        let place = match &self.event {
            Some(event) => event.id,
            None if self.text.starts_with("INIT_START ") => 0,
            None if self.is_start() => 1,
            None if self.text.starts_with("END ") => 3,
            None if self.is_report() => 4,
            None => 2,
        };
        (self.at, self.source == Source::Function, place)
    }

    /// When, which, and what, for people, in `width` columns.
    pub fn line(&self, width: usize) -> String {
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
        let heading = format!(
            "{FAINT}{}{FAINT:#}  {which_style}{which:NAME_WIDTH$}{which_style:#}",
            moment(self.at)
        );
        // Where there is little room, the words stand below, and have all of it.
        let (first, indent) = if width < NARROW {
            ("\n  ", 2)
        } else {
            ("  ", BEFORE_TEXT)
        };
        let words: Vec<String> = words.lines().map(printable).collect();
        let words = words.join(&format!("\n{:indent$}", ""));
        let text = format!("{heading}{first}{style}{words}{style:#}");
        let lines = text.split('\n').map(|line| wrapped(line, width, indent));
        lines.collect::<Vec<_>>().join("\n")
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
        let shown = strip_str(&entry(source, text).line(120)).to_string();
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
    fn in_one_millisecond_lines_stand_as_they_were_written() {
        let ended = "END RequestId: x";
        let mut lines = ["REPORT RequestId: x", ended, "INFO", "START RequestId: x"]
            .map(|text| entry(Source::Function, text));
        lines.sort_by_key(Entry::order);
        let texts = lines.map(|line| line.text);
        assert_eq!(
            texts,
            ["START RequestId: x", "INFO", ended, "REPORT RequestId: x"]
        );
        let event = |id: u32| {
            let text = FAILED.replace("\"id\":\"9\"", &format!("\"id\":\"{id}\""));
            entry(Source::Executions, &text)
        };
        assert!(event(9).order() < event(10).order());
    }

    #[test]
    fn a_line_longer_than_the_terminal_goes_on_below_itself() {
        let entry = entry(Source::Function, &"12345678 ".repeat(9));
        let columns = |width| {
            let shown = strip_str(&entry.line(width)).to_string();
            let columns: Vec<usize> = shown.lines().map(|line| line.chars().count()).collect();
            columns
        };
        assert_eq!(columns(120), [115]);
        assert_eq!(columns(80), [79, 70]);
        // There the words stand below the rest.
        assert_eq!(columns(60), [33, 55, 28]);
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
