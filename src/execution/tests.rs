//! Executions to test with.

#![allow(clippy::unwrap_used)]

use jiff::Timestamp;

use super::event::{Details, Event};

/// What the function answers for a picture.
pub const PICTURE: &str = r#"{"ok":true,"destBucket":"r","destKey":"output/cat_resized.jpg","width":500,
    "height":333,"sourceWidth":3000,"sourceHeight":2000,"bytes":31400}"#;

/// An event's kind, its milliseconds, and what comes with it: name and value.
type Line<'a> = (&'a str, i64, &'a [(&'a str, &'a str)]);

fn events(lines: &[Line<'_>]) -> Vec<Event> {
    let event = |(index, (kind, millis, details)): (usize, &Line<'_>)| {
        let detail = |name: &str| {
            let found = details.iter().find(|(detail, _)| *detail == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Event {
            id: index as i64 + 1,
            at: Timestamp::from_millisecond(1_764_000_000_000 + millis).unwrap(),
            kind: (*kind).to_owned(),
            details: Details {
                name: detail("name"),
                input: detail("input"),
                output: detail("output"),
                error: detail("error"),
                cause: detail("cause"),
            },
        }
    };
    lines.iter().enumerate().map(event).collect()
}

/// A picture that was resized, at the second try.
pub fn resized() -> Vec<Event> {
    let input = r#"{"bucket":"o","key":"cat.jpg","size":180000}"#;
    let output = r#"{"ok":true,"destBucket":"r","destKey":"output/cat_resized.jpg"}"#;
    events(&[
        ("ExecutionStarted", 0, &[("input", input)]),
        ("TaskStateEntered", 2, &[("name", "Resize"), ("input", input)]),
        ("TaskScheduled", 2, &[]),
        (
            "TaskFailed",
            30,
            &[
                ("error", "Lambda.TooManyRequestsException"),
                ("cause", "Rate exceeded"),
            ],
        ),
        ("TaskScheduled", 1900, &[]),
        ("TaskSucceeded", 1940, &[]),
        ("TaskStateExited", 1943, &[("name", "Resize"), ("output", output)]),
        (
            "ChoiceStateEntered",
            1943,
            &[("name", "Resized?"), ("input", output)],
        ),
        (
            "ChoiceStateExited",
            1944,
            &[("name", "Resized?"), ("output", output)],
        ),
        (
            "SucceedStateEntered",
            1945,
            &[("name", "Succeed"), ("input", output)],
        ),
        (
            "SucceedStateExited",
            1945,
            &[("name", "Succeed"), ("output", output)],
        ),
        ("ExecutionSucceeded", 1946, &[("output", output)]),
    ])
}

/// A file that is no picture.
pub fn refused() -> Vec<Event> {
    let answer = r#"{"ok":false,"error":"not an image"}"#;
    events(&[
        (
            "ExecutionStarted",
            0,
            &[("input", r#"{"bucket":"o","key":"a.txt"}"#)],
        ),
        (
            "TaskStateEntered",
            1,
            &[("name", "Resize"), ("input", r#"{"bucket":"o","key":"a.txt"}"#)],
        ),
        ("TaskStateExited", 12, &[("name", "Resize"), ("output", answer)]),
        (
            "ChoiceStateEntered",
            12,
            &[("name", "Resized?"), ("input", answer)],
        ),
        (
            "ChoiceStateExited",
            12,
            &[("name", "Resized?"), ("output", answer)],
        ),
        ("FailStateEntered", 13, &[("name", "Fail"), ("input", answer)]),
        (
            "ExecutionFailed",
            13,
            &[("error", "not an image"), ("cause", "not an image")],
        ),
    ])
}
