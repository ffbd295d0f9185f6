//! Lines of log groups as people read them.

use anstyle::{AnsiColor, Effects, Style};
use serde_json::{Map, Value};

use super::format::duration;
use crate::execution::{Report, is_of_lambda};

/// What tells of a failure.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What is of little interest.
pub const FAINT: Style = Style::new().effects(Effects::DIMMED);

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
        _ => text.to_owned(),
    };
    (style, words)
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

    #[test]
    fn json_is_told_member_by_member() {
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
