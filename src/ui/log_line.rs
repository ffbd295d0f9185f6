//! Lines of log groups as people read them.

use anstyle::Style;
use serde_json::{Map, Value};

use super::format::{duration, printable};
use super::styles::{BAD, FAINT, GOOD};
use crate::execution::{Event, Report, Trouble, is_of_lambda, request_in};

/// What makes a line look like that of a failure.
const ALARMING: [&str; 5] = ["ERROR", "FATAL", "Task timed out", "\"errorType\"", "panicked at"];

/// A line of the function: how it is drawn, and its words. What is JSON, as the function itself logs, is told member by member.
pub fn of_function(text: &str) -> (Style, String) {
    let text = text.trim_end();
    let style = if is_of_lambda(text) {
        FAINT
    } else if ALARMING.iter().any(|words| text.contains(words)) {
        BAD
    } else {
        Style::new()
    };
    let words = match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(members) if !members.is_empty() => members_in_words(members),
        _ if is_of_lambda(text) => text.to_owned(),
        _ => without_request(text),
    };
    (style, words)
}

/// `INFO resized "a.jpg" …`, of what the function logs as text.
fn without_request(text: &str) -> String {
    let request = request_in(text).map(|id| format!(" RequestId: {id}:"));
    request.map_or_else(|| text.to_owned(), |request| text.replacen(&request, "", 1))
}

/// `INFO answer {"ok":true}`: without the request's id and the time, which stand elsewhere.
fn members_in_words(mut members: Map<String, Value>) -> String {
    let level = members.shift_remove("level");
    for said_elsewhere in ["requestId", "timestamp"] {
        members.shift_remove(said_elsewhere);
    }
    let message = members.shift_remove("message");
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let others = members
        .iter()
        .map(|(name, value)| format!("{name} {}", plain(value)));
    let beginning = level.iter().chain(&message).map(plain);
    let others: Vec<String> = others.collect();
    let words: Vec<String> = beginning
        .chain((!others.is_empty()).then(|| others.join(", ")))
        .collect();
    words.join(" ")
}

/// An event of an execution: how it is drawn, and its words.
pub fn of_event(event: &Event) -> (Style, String) {
    let details = &event.details;
    let kind = event.kind.as_str();
    let member = |document: &Option<String>, name: &str| {
        let document: Value = serde_json::from_str(document.as_deref()?).ok()?;
        document[name].as_str().map(printable)
    };
    let with = |document: &Option<String>| document.as_ref().map(|document| format!(" with {document}"));
    let name = details.name.as_deref().unwrap_or_default();
    if kind == "ExecutionStarted" {
        let key = member(&details.input, "key").map(|key| format!(" for {key}"));
        let what = key.or_else(|| with(&details.input)).unwrap_or_default();
        (Style::new(), format!("started{what}"))
    } else if kind == "ExecutionSucceeded" {
        let result = member(&details.output, "destKey").map(|key| format!(" → {key}"));
        let what = result.or_else(|| with(&details.output)).unwrap_or_default();
        (GOOD, format!("succeeded{what}"))
    } else if kind.ends_with("StateEntered") {
        (Style::new(), format!("entered {name}"))
    } else if kind.ends_with("StateExited") {
        (FAINT, format!("left {name}"))
    } else if ["Failed", "TimedOut", "Aborted"]
        .iter()
        .any(|end| kind.ends_with(end))
    {
        (BAD, format!("{}: {}", in_small_letters(kind), Trouble::of(event)))
    } else {
        (FAINT, in_small_letters(kind))
    }
}

/// `TaskScheduled` as `task scheduled`.
fn in_small_letters(kind: &str) -> String {
    let letters = kind.char_indices().flat_map(|(at, letter)| {
        let space = (at > 0 && letter.is_ascii_uppercase()).then_some(' ');
        space.into_iter().chain([letter.to_ascii_lowercase()])
    });
    letters.collect()
}

/// `41 ms, billed 67 ms, 38 of 1769 MB, cold start 25 ms`
pub fn of_report(report: &Report) -> String {
    let cold = report.init.map(|init| format!(", cold start {}", duration(init)));
    format!(
        "{}, billed {}, {} of {} MB{}",
        duration(report.duration),
        duration(report.billed),
        report.max_memory_mb,
        report.memory_size_mb,
        cold.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::tests::{refused, resized};

    #[test]
    fn an_execution_is_told_in_words() {
        let told = |events: Vec<Event>| {
            let lines: Vec<String> = events.iter().map(|event| of_event(event).1).collect();
            lines.join("\n")
        };
        insta::assert_snapshot!(told(resized()), @"
        started for cat.jpg
        entered Resize
        task scheduled
        task failed: Lambda.TooManyRequestsException: Rate exceeded
        task scheduled
        task succeeded
        left Resize
        entered Resized?
        left Resized?
        entered Succeed
        left Succeed
        succeeded → output/cat_resized.jpg
        ");
        assert!(told(refused()).ends_with("entered Fail\nexecution failed: not an image"));
        let styles: Vec<Style> = refused().iter().map(|event| of_event(event).0).collect();
        assert_eq!(styles.last(), Some(&BAD));
    }

    #[test]
    fn a_key_forges_no_line() {
        let mut events = resized();
        events[0].details.input = Some(r#"{"key":"a\nb\u001b[2J"}"#.to_owned());
        assert_eq!(of_event(&events[0]).1, "started for a\u{fffd}b\u{fffd}[2J");
    }

    #[test]
    fn json_is_told_member_by_member_and_text_without_its_request() {
        for (line, words) in [
            (
                r#"{"level":"INFO","requestId":"x","answer":{"ok":true}}"#,
                r#"INFO answer {"ok":true}"#,
            ),
            (
                r#"{"level":"ERROR","requestId":"x","failure":"slow down","event":{"key":"a"}}"#,
                r#"ERROR failure slow down, event {"key":"a"}"#,
            ),
            (r#"{"timestamp":"t","level":"WARN","message":"hm"}"#, "WARN hm"),
            ("{}", "{}"),
            ("plain\n", "plain"),
            (
                "INFO RequestId: 3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f: resized \"a.jpg\" of originals",
                "INFO resized \"a.jpg\" of originals",
            ),
            ("[1]", "[1]"),
        ] {
            assert_eq!(of_function(line).1, words);
        }
    }

    #[test]
    fn failures_are_red_and_the_platform_s_lines_faint() {
        for (line, style) in [
            ("START RequestId: x", FAINT),
            (r#"{"level":"ERROR","failure":"x"}"#, BAD),
            ("2026-01-01T00:00:00Z x Task timed out after 3.00 seconds", BAD),
            ("thread 'main' panicked at src/main.rs", BAD),
            ("all is well", Style::new()),
        ] {
            assert_eq!(of_function(line).0, style, "{line}");
        }
    }
}
