//! Which of many executions are for keys that begin so.
//!
//! Step Functions tells an execution's input when it is asked for that one alone, 15 times a second: of the newest it is
//! asked, since the logs come late; of all others CloudWatch Logs knows the input. It is asked of a part of them after the
//! other, and of no more than it takes.

use std::collections::HashMap;

use aws_sdk_sfn::types::ExecutionListItem;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::aws::CallFailure;
use crate::error::CommandError;
use crate::execution::{CLOCK_DIFFERENCE_MILLIS, Search, each_found, timestamp};
use crate::session::Session;

/// Of so many of the newest Step Functions is asked.
pub const ASKED_MAX: usize = 100;
/// The most starts that are read from the log for those of a part: as many as failed may lie far from each other.
const STARTS_MAX: usize = 100_000;
/// What an execution begins with.
const STARTS: &str = r#"{ $.type = "ExecutionStarted" }"#;

/// Executions of which the log has no beginning: they may be for such keys as well.
#[derive(Debug, Default)]
pub struct Unknown {
    /// When they began, newest first.
    began: Vec<Timestamp>,
    /// Whether more had begun than is read.
    is_cut: bool,
}

impl Unknown {
    /// Of `listed`, newest first, those that are for a key that begins with `prefix`, as the log says.
    pub async fn sort_out(
        &mut self,
        session: &Session,
        listed: Vec<ExecutionListItem>,
        prefix: &str,
    ) -> Result<Vec<ExecutionListItem>, CommandError> {
        let time =
            |item: Option<&ExecutionListItem>| item.map(|item| timestamp(&item.start_date).as_millisecond());
        let (Some(last), Some(first)) = (time(listed.first()), time(listed.last())) else {
            return Ok(listed);
        };
        let log_group = session.names.state_machine_log_group();
        let starts = Search {
            log_group: &log_group,
            from: first - CLOCK_DIFFERENCE_MILLIS,
            until: Some(last + CLOCK_DIFFERENCE_MILLIS),
            pattern: Some(STARTS),
            stream: None,
        };
        let mut is_for: HashMap<&str, Option<bool>> = listed
            .iter()
            .map(|item| (item.execution_arn.as_str(), None))
            .collect();
        let is_cut = each_found(&session.clients, starts, STARTS_MAX, |line| {
            if let Some(start) = Start::parse(&line.text)
                && let Some(known) = is_for.get_mut(start.execution_arn.as_str())
            {
                *known = start.is_for(prefix);
            }
        })
        .await
        .map_err(|failure| not_known(&failure))?;
        self.is_cut |= is_cut;
        let told: Vec<Option<bool>> = listed
            .iter()
            .map(|item| is_for.get(item.execution_arn.as_str()).copied().flatten())
            .collect();
        let mut found = Vec::new();
        for (item, is_for) in listed.into_iter().zip(told) {
            match is_for {
                Some(true) => found.push(item),
                Some(false) => {}
                None => self.began.push(timestamp(&item.start_date)),
            }
        }
        Ok(found)
    }

    /// Why some may be missing that began at `since` or later, and what to do about it; none if none is.
    pub async fn missing(&self, session: &Session, since: Timestamp) -> Option<String> {
        let recent = &self.began[..self.began.partition_point(|began| *began >= since)];
        let (newest, oldest) = (recent.first()?, recent.last()?);
        let why = if self.is_cut {
            format!("more than the {STARTS_MAX} lines that are read (a shorter --since takes fewer)")
        } else {
            session.executions_log().absence(*oldest, Some(*newest)).await
        };
        Some(format!(
            "{} older executions may be for such keys as well: what CloudWatch Logs tells of their beginning is {why}; without \
             --key they are listed",
            recent.len(),
        ))
    }
}

/// A line that tells of an execution's beginning.
#[derive(Deserialize)]
struct Start {
    execution_arn: String,
    details: Details,
}

#[derive(Deserialize)]
struct Details {
    /// A JSON text.
    input: String,
}

impl Start {
    fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Whether it is for a key that begins with `prefix`; none where the input cannot be read.
    fn is_for(&self, prefix: &str) -> Option<bool> {
        let input: Value = serde_json::from_str(&self.details.input).ok()?;
        Some(input["key"].as_str().is_some_and(|key| key.starts_with(prefix)))
    }
}

fn not_known(failure: &CallFailure) -> CommandError {
    let error = CommandError::failed(format!(
        "which of the older executions are for such keys is not known: {failure}"
    ));
    let error = failure.hints().into_iter().fold(error, CommandError::hint);
    error.hint(format!(
        "a shorter --since needs no logs: of the newest {ASKED_MAX} executions Step Functions itself is asked"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_start_in_the_log_tells_execution_and_key() {
        let told = |input: &str, prefix: &str| {
            let line = json!({"id": "1", "type": "ExecutionStarted", "details": {"input": input}, "event_timestamp": "1",
                "execution_arn": "arn:e"});
            Start::parse(&line.to_string()).map(|start| (start.is_for(prefix), start.execution_arn))
        };
        let input = json!({"bucket": "o", "key": "album/it's.jpg"}).to_string();
        let arn = "arn:e".to_owned();
        assert_eq!(told(&input, "album/"), Some((Some(true), arn.clone())));
        assert_eq!(told(&input, "other/"), Some((Some(false), arn.clone())));
        assert_eq!(told("not JSON", ""), Some((None, arn)));
        assert!(Start::parse("not JSON").is_none());
    }
}
