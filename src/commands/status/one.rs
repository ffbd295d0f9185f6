//! One execution, step by step, from CloudWatch Logs, with what the function logged.

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use serde::Serialize;

use crate::commands::{find, standing};
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{
    CLOCK_DIFFERENCE_MILLIS, DELIVERY_MAX_MILLIS, Document, Event, Timeline, describe, from_history,
    from_logs, timestamp,
};
use crate::outputs::Outputs;
use crate::session::Session;
use crate::ui::format::{date_and_time, printable};
use crate::ui::table::width_of_stdout;
use crate::ui::{Ui, timeline};

/// Where the events were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ReadFrom {
    CloudwatchLogs,
    StepFunctions,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    outputs: &'a Outputs,
    #[serde(flatten)]
    document: Document<'a>,
    read_from: ReadFrom,
}

/// Shows the execution of that name or ARN.
pub async fn show(
    session: &Session,
    settings: &Settings,
    execution: &str,
    ui: &Ui,
) -> Result<(), CommandError> {
    let described = find::execution(session, execution).await?;
    let arn = described.execution_arn.clone();
    let read = read(session, &described).await?;
    if ui.json {
        return ui.json(&Shown {
            outputs: &standing::outputs(session, settings).await?,
            document: Document::new(&arn, &read.timeline),
            read_from: read.read_from(),
        });
    }
    if let Some(why) = &read.not_from_logs {
        ui.say(why);
    }
    ui.result(text(&arn, &read.timeline, width_of_stdout()))
}

/// An execution as people read it, in `width` columns; and whether it has ended.
pub async fn story(session: &Session, arn: &str, width: usize) -> Result<(String, bool), CommandError> {
    let described = describe(&session.clients, arn).await?;
    let read = read(session, &described).await?;
    let why = read.not_from_logs.map(|why| format!("\n\n{why}"));
    let story = text(arn, &read.timeline, width) + &why.unwrap_or_default();
    Ok((story, read.timeline.end.is_some()))
}

fn text(arn: &str, timeline: &Timeline, width: usize) -> String {
    let started = timeline.started.map(date_and_time).unwrap_or_default();
    format!(
        "Execution {arn}\nStarted {started}\n\n{}",
        timeline::full(timeline, width)
    )
}

/// What was read of an execution.
struct Read {
    timeline: Timeline,
    /// Why the events are Step Functions' own and not from CloudWatch Logs, if they are.
    not_from_logs: Option<String>,
}

impl Read {
    fn read_from(&self) -> ReadFrom {
        match self.not_from_logs {
            Some(_) => ReadFrom::StepFunctions,
            None => ReadFrom::CloudwatchLogs,
        }
    }
}

/// The events from CloudWatch Logs, or from Step Functions itself where the logs do not have all of them; and what the
/// function logged.
async fn read(session: &Session, described: &DescribeExecutionOutput) -> Result<Read, CommandError> {
    let mut read = match logged(session, described).await {
        Ok(timeline) => Read {
            timeline,
            not_from_logs: None,
        },
        Err(why) => Read {
            timeline: Timeline::of(&from_history(&session.clients, &described.execution_arn).await?),
            not_from_logs: Some(format!(
                "The events are Step Functions' own, since {}",
                printable(&why)
            )),
        },
    };
    session.function_log().read(&mut read.timeline).await;
    Ok(read)
}

/// All that CloudWatch Logs has of it, or why that is not all there is.
async fn logged(session: &Session, described: &DescribeExecutionOutput) -> Result<Timeline, String> {
    let arn = &described.execution_arn;
    let since = timestamp(&described.start_date).as_millisecond() - CLOCK_DIFFERENCE_MILLIS;
    let until = described
        .stop_date
        .as_ref()
        .map(|stopped| timestamp(stopped).as_millisecond() + DELIVERY_MAX_MILLIS);
    let log_group = session.names.state_machine_log_group();
    match from_logs(&session.clients, &log_group, arn, (since.max(0), until)).await {
        Ok(logged) => {
            let timeline = Timeline::of(&logged);
            if are_whole(&logged) && timeline.end.is_some() == described.stop_date.is_some() {
                return Ok(timeline);
            }
            Err("CloudWatch Logs does not have all of them (they come some seconds late)".to_owned())
        }
        Err(failure) if failure.is_not_found() => Err(format!("the log group {log_group} is not there")),
        Err(failure) => {
            let hints = failure.hints().into_iter().map(|hint| format!(": {hint}"));
            Err(format!("{failure}{}", hints.collect::<String>()))
        }
    }
}

/// Whether none is missing between the first and the last: an execution's events are counted from 1.
fn are_whole(events: &[Event]) -> bool {
    !events.is_empty() && events.iter().zip(1..).all(|(event, id)| event.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::tests::resized;

    #[test]
    fn a_log_with_a_gap_is_not_the_whole_story() {
        let events = resized();
        assert!(are_whole(&events));
        for missing in 0..events.len() - 1 {
            let mut some = events.clone();
            some.remove(missing);
            assert!(!are_whole(&some), "without event {missing}");
        }
        assert!(!are_whole(&[]));
    }
}
