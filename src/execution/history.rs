//! Reading what an execution is, and its events.

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;

use crate::aws::{CallFailure, Clients, During};

use super::event::Event;

/// The most events that are read: Step Functions ends an execution at 25,000.
const EVENTS_MAX: usize = 25_000;

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

/// The events that CloudWatch Logs has of it, within `times` (milliseconds since 1970; its end may be open). They come
/// some seconds late.
pub async fn from_logs(
    clients: &Clients,
    log_group: &str,
    execution_arn: &str,
    times: (i64, Option<i64>),
) -> Result<Vec<Event>, CallFailure> {
    let mut events = Vec::new();
    let mut next = None;
    loop {
        let answer = clients
            .logs
            .filter_log_events()
            .log_group_name(log_group)
            .start_time(times.0)
            .set_end_time(times.1)
            .filter_pattern(format!("{{ $.execution_arn = \"{execution_arn}\" }}"))
            .set_next_token(next)
            .send()
            .await
            .during("logs:FilterLogEvents", log_group)?;
        events.extend(
            answer
                .events()
                .iter()
                .filter_map(|line| Event::from_log(line.message()?)),
        );
        next = answer.next_token;
        if next.is_none() || events.len() >= EVENTS_MAX {
            break;
        }
    }
    // CloudWatch Logs delivers at least once, and sorts by the millisecond.
    events.sort_by_key(|event: &Event| event.id);
    events.dedup_by_key(|event| event.id);
    Ok(events)
}
