//! The beginnings of executions, as the log of their events tells of them.

use serde::Deserialize;
use serde_json::Value;

use super::log_events::{Search, each_found};
use crate::aws::{CallFailure, Clients};

/// What an execution begins with.
const STARTS: &str = r#"{ $.type = "ExecutionStarted" }"#;

/// A line that tells of an execution's beginning.
#[derive(Debug, Deserialize)]
pub struct Start {
    pub execution_arn: String,
    details: Details,
}

#[derive(Debug, Deserialize)]
struct Details {
    /// A JSON text.
    input: String,
}

impl Start {
    fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// The key that it is for; none where the input cannot be read, empty where it names none.
    pub fn key(&self) -> Option<String> {
        let input: Value = serde_json::from_str(&self.details.input).ok()?;
        Some(input["key"].as_str().unwrap_or_default().to_owned())
    }
}

/// Gives what began between two moments, in milliseconds since 1970, to `take`: of its lines at most `most`, the oldest.
/// Returns whether there are more.
pub async fn each_start(
    clients: &Clients,
    log_group: &str,
    (from, until): (i64, i64),
    most: usize,
    mut take: impl FnMut(Start),
) -> Result<bool, CallFailure> {
    let starts = Search {
        log_group,
        from,
        until: Some(until),
        pattern: Some(STARTS),
        stream: None,
    };
    each_found(clients, starts, most, |line| {
        if let Some(start) = Start::parse(&line.text) {
            take(start);
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_start_in_the_log_tells_execution_and_key() {
        let told = |input: &str| {
            let line = json!({"id": "1", "type": "ExecutionStarted", "details": {"input": input}, "event_timestamp": "1",
                "execution_arn": "arn:e"});
            Start::parse(&line.to_string()).map(|start| (start.key(), start.execution_arn))
        };
        let input = json!({"bucket": "o", "key": "album/it's.jpg"}).to_string();
        let arn = "arn:e".to_owned();
        assert_eq!(
            told(&input),
            Some((Some("album/it's.jpg".to_owned()), arn.clone()))
        );
        assert_eq!(told("{}"), Some((Some(String::new()), arn.clone())));
        assert_eq!(told("not JSON"), Some((None, arn)));
        assert!(Start::parse("not JSON").is_none());
    }
}
