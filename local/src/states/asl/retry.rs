//! `Retry` and `Catch`: which failures they match, and how long to wait before the next try.

use serde_json::Value;

use super::fields::{Fields, Problem};
use super::reference::ReferencePath;

/// Failures that no wildcard matches: they always end the execution.
const TERMINAL: [&str; 2] = ["States.Runtime", "States.DataLimitExceeded"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    None,
    /// Waits a random time between zero and the delay.
    Full,
}

#[derive(Debug, Clone)]
pub struct Retrier {
    errors: Vec<String>,
    interval_seconds: u64,
    backoff_rate: f64,
    pub max_attempts: u32,
    max_delay_seconds: Option<u64>,
    jitter: Jitter,
}

#[derive(Debug, Clone)]
pub struct Catcher {
    errors: Vec<String>,
    pub next: String,
    /// `None` where the error output is dropped (`"ResultPath": null`).
    pub result_path: Option<ReferencePath>,
}

impl Retrier {
    pub fn parse(value: &Value, location: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let Some(object) = value.as_object() else {
            problems.push(Problem::schema("Expected a Retrier object", location));
            return None;
        };
        let mut fields = Fields::new(object, location, problems);
        fields.take("Comment");
        let backoff_rate = fields
            .take("BackoffRate")
            .map_or(Some(2.0), Value::as_f64)
            .filter(|rate| *rate >= 1.0);
        if backoff_rate.is_none() {
            fields.refuse("BackoffRate", "BackoffRate must be a number not smaller than 1.0");
        }
        let jitter = match fields.text("JitterStrategy") {
            None | Some("NONE") => Jitter::None,
            Some("FULL") => Jitter::Full,
            Some(_) => {
                fields.refuse("JitterStrategy", "JitterStrategy must be FULL or NONE");
                Jitter::None
            }
        };
        let attempts = fields.integer("MaxAttempts", 0, 99_999_999).unwrap_or(3);
        let retrier = Self {
            errors: error_names(&mut fields),
            interval_seconds: fields.integer("IntervalSeconds", 1, 99_999_999).unwrap_or(1),
            backoff_rate: backoff_rate.unwrap_or(2.0),
            max_attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            max_delay_seconds: fields.integer("MaxDelaySeconds", 1, 31_622_400),
            jitter,
        };
        fields.finish();
        Some(retrier)
    }

    pub fn matches(&self, error: &str) -> bool {
        matches_any(&self.errors, error)
    }

    /// Seconds before the next try, after `retries` earlier ones. `random` is from 0 to 1.
    pub fn delay_seconds(&self, retries: u32, random: f64) -> f64 {
        let exponent = i32::try_from(retries).unwrap_or(i32::MAX);
        // The precision lost above 2^52 seconds is of no consequence.
        #[allow(clippy::cast_precision_loss)]
        let (interval, limit) = (
            self.interval_seconds as f64,
            self.max_delay_seconds.unwrap_or(31_622_400) as f64,
        );
        let delay = (interval * self.backoff_rate.powi(exponent)).min(limit);
        match self.jitter {
            Jitter::None => delay,
            Jitter::Full => delay * random,
        }
    }
}

impl Catcher {
    pub fn parse(value: &Value, location: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let Some(object) = value.as_object() else {
            problems.push(Problem::schema("Expected a Catcher object", location));
            return None;
        };
        let mut fields = Fields::new(object, location, problems);
        fields.take("Comment");
        let catcher = Self {
            errors: error_names(&mut fields),
            next: fields.required_text("Next").to_owned(),
            result_path: result_path(&mut fields),
        };
        fields.finish();
        Some(catcher)
    }

    pub fn matches(&self, error: &str) -> bool {
        matches_any(&self.errors, error)
    }
}

/// Reads `ResultPath`, which is `$` unless said otherwise, and `None` when it is `null`.
pub fn result_path(fields: &mut Fields<'_, '_>) -> Option<ReferencePath> {
    match fields.take("ResultPath") {
        Some(Value::Null) => return None,
        None => {}
        Some(value) => match value.as_str().and_then(ReferencePath::parse) {
            Some(path) => return Some(path),
            None => fields.refuse("ResultPath", "Value is not a Reference Path"),
        },
    }
    ReferencePath::parse("$")
}

fn error_names(fields: &mut Fields<'_, '_>) -> Vec<String> {
    let listed = fields.array("ErrorEquals").map(Vec::as_slice).unwrap_or_default();
    let names: Vec<String> = listed
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    if names.is_empty() || names.len() != listed.len() {
        fields.refuse(
            "ErrorEquals",
            "ErrorEquals must be a non-empty array of error names",
        );
    }
    if names.len() > 1 && names.iter().any(|name| name == "States.ALL") {
        fields.refuse("ErrorEquals", "States.ALL must appear alone");
    }
    names
}

fn matches_any(names: &[String], error: &str) -> bool {
    names.iter().any(|name| match name.as_str() {
        "States.ALL" => !TERMINAL.contains(&error),
        "States.TaskFailed" => error != "States.Timeout" && !TERMINAL.contains(&error),
        // States.Runtime is not retriable and always ends the execution, even when it is named.
        exact => exact == error && error != "States.Runtime",
    })
}

/// Checks that a wildcard stands in the last entry of a list only.
pub fn check_order(lists: &[&[String]], location: &str, problems: &mut Vec<Problem>) {
    let all = lists
        .iter()
        .position(|names| names.iter().any(|name| name == "States.ALL"));
    if all.is_some_and(|at| at + 1 != lists.len()) {
        problems.push(Problem::schema("States.ALL must be the last element", location));
    }
}

impl Retrier {
    pub fn errors(&self) -> &[String] {
        &self.errors
    }
}

impl Catcher {
    pub fn errors(&self) -> &[String] {
        &self.errors
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn retrier(value: Value) -> Retrier {
        let mut problems = Vec::new();
        let retrier = Retrier::parse(&value, "", &mut problems).unwrap();
        assert_eq!(problems, []);
        retrier
    }

    #[test]
    fn delays_grow_by_the_rate_up_to_the_limit() {
        let retrier = retrier(json!({
            "ErrorEquals": ["E"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 10
        }));
        let delays: Vec<f64> = (0..4)
            .map(|retries| retrier.delay_seconds(retries, 0.5))
            .collect();
        assert_eq!(delays, [2.0, 6.0, 10.0, 10.0]);
        assert_eq!(retrier.max_attempts, 3);
    }

    #[test]
    fn full_jitter_takes_a_random_part_of_the_delay() {
        let retrier = retrier(json!({"ErrorEquals": ["E"], "IntervalSeconds": 8, "JitterStrategy": "FULL"}));
        assert_eq!(retrier.delay_seconds(0, 0.25), 2.0);
    }

    #[test]
    fn wildcards_match_by_aws_rules() {
        let all = retrier(json!({"ErrorEquals": ["States.ALL"]}));
        let task = retrier(json!({"ErrorEquals": ["States.TaskFailed"]}));
        let exact = retrier(json!({"ErrorEquals": ["Lambda.Unknown", "States.Runtime"]}));
        for (error, by_all, by_task, by_exact) in [
            ("Lambda.Unknown", true, true, true),
            ("Custom", true, true, false),
            ("States.Timeout", true, false, false),
            ("States.Runtime", false, false, false),
            ("States.DataLimitExceeded", false, false, false),
        ] {
            assert_eq!(
                (all.matches(error), task.matches(error), exact.matches(error)),
                (by_all, by_task, by_exact),
                "{error}"
            );
        }
    }
}
