//! Executions to test with.

#![allow(clippy::unwrap_used)]

use jiff::Timestamp;

use super::event::{Details, Event};
use super::invocation::{FoundBy, Invocation, Logged};
use super::log_events::LogEvent;

/// What the function answers for a picture.
pub const PICTURE: &str = r#"{"ok":true,"destBucket":"r","destKey":"output/cat_resized.jpg","width":500,
    "height":333,"sourceWidth":3000,"sourceHeight":2000,"bytes":31400}"#;

/// The request that the function resized it at.
pub const REQUEST: &str = "3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f";

/// What `lambda:invoke` puts out.
const INVOKED: &str = r#"{"ExecutedVersion":"$LATEST","Payload":{"ok":true},"SdkHttpMetadata":{"HttpStatusCode":200},
    "SdkResponseMetadata":{"RequestId":"3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f"},"StatusCode":200}"#;

/// What the function's log group has of that request.
pub fn logged() -> Logged {
    let lines = [
        "START RequestId: 3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f Version: $LATEST\n",
        "{\"level\":\"INFO\",\"requestId\":\"3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f\",\"answer\":{\"ok\":true}}\n",
        "END RequestId: 3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f\n",
        "REPORT RequestId: 3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f\tDuration: 38.11 ms\tBilled Duration: 64 ms\t\
         Memory Size: 1769 MB\tMax Memory Used: 38 MB\tInit Duration: 25.12 ms\t\n",
    ];
    let event = |(index, text): (i64, &&str)| LogEvent {
        id: index.to_string(),
        stream: "2025/11/24/[$LATEST]e".to_owned(),
        millis: 1_764_000_001_900 + index,
        text: (*text).to_owned(),
    };
    Logged::Found(Invocation {
        request_id: REQUEST.to_owned(),
        found_by: FoundBy::RequestId,
        events: (0..).zip(&lines).map(event).collect(),
    })
}

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
                parameters: None,
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
        ("TaskSucceeded", 1940, &[("output", INVOKED)]),
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
