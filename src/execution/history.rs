//! Reading what an execution is, and its events.

use std::fmt;

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus, LogLevel};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;

use crate::aws::{CallFailure, Clients, During, UnlessGone};

use super::event::Event;
use super::log_events::{Search, search};
use super::timeline::Timeline;

/// The most events that are read: Step Functions ends an execution at 25,000.
const EVENTS_MAX: usize = 25_000;

/// Who tells an execution's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    CloudwatchLogs,
    StepFunctions,
}

impl fmt::Display for ToldBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CloudwatchLogs => "CloudWatch Logs",
            Self::StepFunctions => "Step Functions",
        })
    }
}

/// The name at the end of an execution's ARN.
pub fn name_part(execution_arn: &str) -> &str {
    execution_arn.rsplit(':').next().unwrap_or(execution_arn)
}

/// Executions, newest first, and where the next page begins.
pub type Page = (Vec<ExecutionListItem>, Option<String>);

/// At most `size` executions of a state machine (1,000 are the most that Step Functions gives at once), from where `next`
/// says, in `status` where one is given.
pub async fn list(
    clients: &Clients,
    state_machine_arn: &str,
    status: Option<ExecutionStatus>,
    size: usize,
    next: Option<String>,
) -> Result<Page, CallFailure> {
    let page = clients
        .states
        .list_executions()
        .state_machine_arn(state_machine_arn)
        .set_status_filter(status)
        .max_results(size.try_into().unwrap_or_default())
        .set_next_token(next)
        .send()
        .await
        .during("states:ListExecutions", state_machine_arn)?;
    Ok((page.executions, page.next_token))
}

/// What Step Functions says of it.
pub async fn describe(
    clients: &Clients,
    execution_arn: &str,
) -> Result<DescribeExecutionOutput, CallFailure> {
    clients
        .states
        .describe_execution()
        .execution_arn(execution_arn)
        .send()
        .await
        .during("states:DescribeExecution", execution_arn)
}

/// How many executions are described at once.
const AT_ONCE: usize = 8;

/// What Step Functions says of those of these ARNs that it can describe (yet), in their order.
pub async fn describe_all(
    clients: &Clients,
    arns: impl IntoIterator<Item = String>,
) -> Result<Vec<DescribeExecutionOutput>, CallFailure> {
    let described: Vec<_> = stream::iter(arns)
        .map(|arn| async move { describe(clients, &arn).await.unless_gone() })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(described.into_iter().flatten().collect())
}

/// Whether the state machine's logging is switched off, as far as Step Functions tells.
pub async fn is_logging_off(clients: &Clients, state_machine_arn: &str) -> bool {
    let describe = clients.states.describe_state_machine();
    let Ok(machine) = describe.state_machine_arn(state_machine_arn).send().await else {
        return false;
    };
    let level = machine
        .logging_configuration()
        .and_then(|logging| logging.level());
    level.is_none_or(|level| *level == LogLevel::Off)
}

/// Every event so far, from Step Functions itself.
pub async fn from_history(clients: &Clients, execution_arn: &str) -> Result<Vec<Event>, CallFailure> {
    let mut events = Vec::new();
    let mut next = None;
    loop {
        let answer = clients
            .states
            .get_execution_history()
            .execution_arn(execution_arn)
            .max_results(1000)
            .set_next_token(next)
            .send()
            .await
            .during("states:GetExecutionHistory", execution_arn)?;
        events.extend(answer.events.iter().map(Event::from_history));
        next = answer.next_token;
        if next.is_none() || events.len() >= EVENTS_MAX {
            return Ok(events);
        }
    }
}

/// What is known of an execution so far: its steps or, for whom may not read those, how it began and ended, and why no more.
pub async fn known_of(
    clients: &Clients,
    execution_arn: &str,
) -> Result<(Timeline, Option<CallFailure>), CallFailure> {
    match from_history(clients, execution_arn).await {
        Ok(events) => Ok((Timeline::of(&events), None)),
        Err(failure) if failure.lacking().is_some() => {
            let described = describe(clients, execution_arn).await?;
            Ok((Timeline::of_description(&described), Some(failure)))
        }
        Err(failure) => Err(failure),
    }
}

/// The filter pattern for the events of an execution.
pub fn pattern_of(execution_arn: &str) -> String {
    format!("{{ $.execution_arn = \"{execution_arn}\" }}")
}

/// The events that CloudWatch Logs has of it, within `times` (milliseconds since 1970; its end may be open). They come
/// some seconds late.
pub async fn from_logs(
    clients: &Clients,
    log_group: &str,
    execution_arn: &str,
    times: (i64, Option<i64>),
) -> Result<Vec<Event>, CallFailure> {
    let of_the_execution = Search {
        log_group,
        from: times.0,
        until: times.1,
        pattern: Some(&pattern_of(execution_arn)),
        stream: None,
    };
    let found = search(clients, of_the_execution, EVENTS_MAX).await?;
    let lines = found.events.iter();
    let mut events: Vec<_> = lines.filter_map(|line| Event::from_log(&line.text)).collect();
    // CloudWatch Logs delivers at least once, and sorts by the millisecond.
    events.sort_by_key(|event: &Event| event.id);
    events.dedup_by_key(|event| event.id);
    Ok(events)
}
