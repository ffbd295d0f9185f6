//! Lambda's own lines about an invocation: START, END, and the REPORT of what it took.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// What an invocation took, as Lambda reports it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How long the handler ran.
    #[serde(rename = "millis", serialize_with = "millis")]
    pub duration: Duration,
    #[serde(rename = "billed_millis", serialize_with = "millis")]
    pub billed: Duration,
    /// What the function is given, in MB.
    pub memory_size_mb: u64,
    /// The most that it used, in MB.
    pub max_memory_mb: u64,
    /// How long the start of a new environment took; none in one that was warm.
    #[serde(rename = "init_millis", serialize_with = "some_millis")]
    pub init: Option<Duration>,
}

impl Report {
    /// Reads a REPORT line; none if it is another.
    ///
    /// Assumption (AWS docs: "Lambda function logs", log format Text): members are separated by tabs; more may follow.
    pub fn parse(line: &str) -> Option<Self> {
        let members = line.trim_end().strip_prefix("REPORT ")?;
        let member = |name: &str| {
            let value = members.split('\t').find_map(|member| {
                let (found, value) = member.split_once(':')?;
                (found.trim() == name).then_some(value)
            })?;
            value.split_whitespace().next()
        };
        let duration = |name| {
            let millis: f64 = member(name)?.parse().ok()?;
            Duration::try_from_secs_f64(millis / 1000.0).ok()
        };
        Some(Self {
            duration: duration("Duration")?,
            billed: duration("Billed Duration")?,
            memory_size_mb: member("Memory Size")?.parse().ok()?,
            max_memory_mb: member("Max Memory Used")?.parse().ok()?,
            init: duration("Init Duration"),
        })
    }
}

/// Milliseconds, with hundredths as Lambda gives them.
fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e5).round() / 100.0)
}

fn some_millis<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}

/// Whether it is a line of Lambda's own and none that the function printed.
pub fn is_of_lambda(line: &str) -> bool {
    let own = [
        "START RequestId: ",
        "END RequestId: ",
        "REPORT RequestId: ",
        "INIT_START ",
    ];
    own.iter().any(|beginning| line.starts_with(beginning))
}

/// The request that a text names, as Lambda does: `RequestId: 3b04a8c6-…`, or `3b04a8c6-… Task timed out`.
pub fn request_in(text: &str) -> Option<&str> {
    let word = match text.split_once("RequestId: ") {
        Some((_, after)) => after.split(|c: char| !c.is_ascii_hexdigit() && c != '-').next()?,
        None => text
            .split_once(" Task timed out after ")?
            .0
            .split_whitespace()
            .next_back()?,
    };
    // 8-4-4-4-12
    let is_id = word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    is_id.then_some(word)
}

/// The request that a line of the function's log is about, where it says so: one of Lambda's, or one of JSON.
pub fn request_of_line(text: &str) -> Option<String> {
    let json: Option<Value> = serde_json::from_str(text).ok();
    let member = json.and_then(|json| Some(json["requestId"].as_str()?.to_owned()));
    member.or_else(|| request_in(text).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ID: &str = "3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f";

    fn line(more: &str) -> String {
        format!(
            "REPORT RequestId: {ID}\tDuration: 41.52 ms\tBilled Duration: 67 ms\tMemory Size: 1769 MB\tMax Memory Used: 38 MB\t{more}\n"
        )
    }

    #[test]
    fn a_report_says_what_an_invocation_took() {
        let warm = Report::parse(&line("")).unwrap();
        assert_eq!(warm.duration, Duration::from_micros(41_520));
        assert_eq!(warm.billed, Duration::from_millis(67));
        assert_eq!((warm.max_memory_mb, warm.memory_size_mb), (38, 1769));
        assert_eq!(warm.init, None);
        let cold = Report::parse(&line("Init Duration: 25.12 ms\t")).unwrap();
        assert_eq!(cold.init, Some(Duration::from_micros(25_120)));
        let traced = "Init Duration: 1 ms\tStatus: timeout\t\nXRAY TraceId: 1-5759e988\tSegmentId: 1\t";
        assert!(Report::parse(&line(traced)).is_some());
    }

    #[test]
    fn programs_read_it_in_milliseconds() {
        let report = Report::parse(&line("Init Duration: 25.12 ms")).unwrap();
        insta::assert_snapshot!(serde_json::to_string(&report).unwrap(), @r#"{"millis":41.52,"billed_millis":67.0,"memory_size_mb":1769,"max_memory_mb":38,"init_millis":25.12}"#);
    }

    #[test]
    fn another_line_is_no_report() {
        for other in [
            "REPORT of the month",
            "REPORT RequestId: x\tDuration: long",
            "END RequestId: x",
            "REPORT RequestId: x\tDuration: -1 ms\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB",
            "",
        ] {
            assert_eq!(Report::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_text_names_a_request_only_as_lambda_does() {
        assert_eq!(request_in(&format!("START RequestId: {ID} Version: 1")), Some(ID));
        assert_eq!(
            request_in(&format!("RequestId: {ID} Error: Runtime exited")),
            Some(ID)
        );
        let timeout = format!("2026-11-26T11:00:00.000Z {ID} Task timed out after 3.00 seconds");
        assert_eq!(request_in(&timeout), Some(ID));
        // That of a call that Lambda refused is of no invocation.
        assert_eq!(
            request_in(&format!(
                "Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: {ID})"
            )),
            None
        );
        assert_eq!(request_in("RequestId: 日本"), None);
    }
}
