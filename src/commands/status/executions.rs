//! The newest executions.

use anstyle::{AnsiColor, Style};
use aws_sdk_sfn::types::ExecutionListItem;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::aws::{CallFailure, During};
use crate::error::CommandError;
use crate::execution::timestamp;
use crate::session::Session;
use crate::ui::format::{clipped, date_and_time, duration};
use crate::ui::table::aligned;

/// How many are described at once.
const AT_ONCE: usize = 8;
/// The room for a key.
const KEY_WIDTH: usize = 40;
/// The room for a reason.
const REASON_WIDTH: usize = 120;

/// One execution.
#[derive(Debug, Serialize)]
pub struct Execution {
    name: String,
    arn: String,
    status: String,
    started: Timestamp,
    /// None while it runs.
    millis: Option<u64>,
    /// Of the object it is for.
    key: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

/// The newest `limit` executions, newest first; none where there is no state machine.
pub async fn newest(session: &Session, limit: u16) -> Result<Vec<Execution>, CommandError> {
    let machine = session.names.state_machine_arn();
    let listed = session
        .clients
        .states
        .list_executions()
        .state_machine_arn(&machine)
        .max_results(limit.into())
        .send()
        .await
        .during("states:ListExecutions", &machine);
    let listed = match listed {
        Ok(listed) => listed.executions,
        Err(failure) if failure.is_not_found() => return Ok(Vec::new()),
        Err(failure) => return Err(failure.into()),
    };
    let executions = stream::iter(listed)
        .map(|item| describe(session, item))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(executions)
}

/// The list does not say what an execution was for, nor why it failed.
async fn describe(session: &Session, item: ExecutionListItem) -> Result<Execution, CallFailure> {
    let described = session
        .clients
        .states
        .describe_execution()
        .execution_arn(&item.execution_arn)
        .send()
        .await
        .during("states:DescribeExecution", &item.execution_arn)?;
    let input: Value = serde_json::from_str(described.input().unwrap_or_default()).unwrap_or_default();
    let started = timestamp(&described.start_date);
    let millis = described
        .stop_date()
        .map(|stopped| timestamp(stopped).as_millisecond() - started.as_millisecond());
    Ok(Execution {
        name: item.name,
        arn: item.execution_arn,
        status: described.status.as_str().to_owned(),
        started,
        millis: millis.and_then(|millis| millis.try_into().ok()),
        key: input["key"].as_str().map(str::to_owned),
        error: described.error,
        cause: described.cause,
    })
}

/// The executions as people read them; `flags` are those of the command that starts one.
pub fn table(executions: &[Execution], flags: &str, width: usize) -> String {
    if executions.is_empty() {
        return format!("Executions: none yet; `resizer invoke{flags} --file PATH` runs the pipeline");
    }
    let rows: Vec<_> = executions.iter().map(row).collect();
    let lines = aligned(&rows, width.saturating_sub(4));
    let widest = lines
        .iter()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default();
    let marked = executions.iter().zip(lines).map(|(execution, line)| {
        let (mark, style) = mark(&execution.status);
        // Last and never cut, whatever the width: a name is there to be copied.
        let name = &execution.name;
        format!(
            "\n  {style}{mark}{style:#} {line:widest$}  {name}{}",
            reason(execution)
        )
    });
    format!("Newest executions{}", marked.collect::<String>())
}

/// The mark before a row.
fn mark(status: &str) -> (&'static str, Style) {
    let (mark, color) = match status {
        "SUCCEEDED" => ("✓", AnsiColor::Green),
        "RUNNING" | "PENDING_REDRIVE" => ("…", AnsiColor::Yellow),
        _ => ("✗", AnsiColor::Red),
    };
    (mark, color.on_default())
}

/// A line of its own with why it failed, if it did.
fn reason(execution: &Execution) -> String {
    let reason = execution.cause.as_ref().or(execution.error.as_ref());
    reason.map_or_else(String::new, |reason| {
        format!("\n    {}", clipped(reason, REASON_WIDTH))
    })
}

fn row(execution: &Execution) -> [String; 4] {
    let took = execution
        .millis
        .map(|millis| duration(std::time::Duration::from_millis(millis)));
    [
        date_and_time(execution.started),
        format!("{:>8}", took.unwrap_or_default()),
        execution.status.to_lowercase().replace('_', " "),
        clipped(execution.key.as_deref().unwrap_or("–"), KEY_WIDTH),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use anstream::adapter::strip_str;

    use super::*;

    fn execution(status: &str, millis: Option<u64>, key: &str, cause: Option<&str>) -> Execution {
        Execution {
            name: "invoke-0123".to_owned(),
            arn: "arn:…:invoke-0123".to_owned(),
            status: status.to_owned(),
            started: Timestamp::from_second(1_764_000_000).unwrap(),
            millis,
            key: Some(key.to_owned()),
            error: cause.map(str::to_owned),
            cause: cause.map(str::to_owned),
        }
    }

    #[test]
    fn each_execution_has_its_key_and_its_reason() {
        let executions = [
            execution("RUNNING", None, "now.jpg", None),
            execution("SUCCEEDED", Some(61), "cat.jpg", None),
            execution("FAILED", Some(13), "in/a.txt", Some("not an image")),
        ];
        let shown = strip_str(&table(&executions, "", 100)).to_string();
        // The time is where this machine is.
        let date = date_and_time(executions[0].started);
        insta::assert_snapshot!(shown.replace(&date, "[date and time]"), @"
        Newest executions
          … [date and time]            running    now.jpg   invoke-0123
          ✓ [date and time]     61 ms  succeeded  cat.jpg   invoke-0123
          ✗ [date and time]     13 ms  failed     in/a.txt  invoke-0123
            not an image
        ");
    }
}
