//! One execution, step by step, from CloudWatch Logs, with what the function logged.

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::{find, standing};
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{
    Absence, CLOCK_DIFFERENCE_MILLIS, DELIVERY_MAX_MILLIS, Document, Event, Timeline, ToldBy,
    are_lines_whole, describe, from_logs, is_delivered, is_logging_off, known_of, timestamp,
};
use crate::outputs::Outputs;
use crate::session::Session;
use crate::ui::format::printable;
use crate::ui::table::width_of_stdout;
use crate::ui::waiting::waited;
use crate::ui::wrap::fitted;
use crate::ui::{Ui, timeline};

/// The JSON document.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    outputs: &'a Outputs,
    #[serde(flatten)]
    document: Document<'a>,
    read_from: ToldBy,
}

/// Shows the execution of that name or ARN.
pub async fn show(
    session: &Session,
    settings: &Settings,
    execution: &str,
    ui: &Ui,
) -> Result<(), CommandError> {
    let described = find::execution(session, execution).await?;
    let story = waited(ui, "Reading what happened", Story::of(session, &described)).await?;
    if ui.json {
        return ui.json(&Shown {
            outputs: &standing::outputs(session, settings).await?,
            document: Document::new(&story.arn, &story.timeline),
            read_from: story.told_by(),
        });
    }
    let width = width_of_stdout();
    if let Some(why) = &story.not_from_logs {
        ui.say(why);
    }
    ui.result(story.text(width))
}

/// What was read of an execution.
pub struct Story {
    arn: String,
    timeline: Timeline,
    /// Why the events are Step Functions' own and not from CloudWatch Logs, if they are.
    not_from_logs: Option<String>,
    /// Whether that is since they are on their way.
    is_late: bool,
    read_at: Timestamp,
}

impl Story {
    /// That of the execution with this ARN, so far.
    pub async fn read(session: &Session, arn: &str) -> Result<Self, CommandError> {
        let described = describe(&session.clients, arn).await?;
        Self::of(session, &described).await
    }

    /// The events from CloudWatch Logs, or from Step Functions itself where the logs do not have all of them; and what the
    /// function logged.
    async fn of(session: &Session, described: &DescribeExecutionOutput) -> Result<Self, CommandError> {
        let arn = described.execution_arn.clone();
        let read_at = session.clock.now();
        let logged = logged(session, described).await;
        let is_late = matches!(logged, Err(Absence::Late));
        let (mut timeline, not_from_logs) = match logged {
            Ok(timeline) => (timeline, None),
            Err(absence) => {
                let why = format!("the log does not have all of them: {absence}");
                let (timeline, unread) = known_of(&session.clients, &arn).await?;
                let told = match unread {
                    Some(failure) => {
                        format!("Its steps are not to be read: {failure}; nor from the log, since {why}")
                    }
                    None => format!("The events are Step Functions' own, since {why}"),
                };
                (timeline, Some(printable(&told)))
            }
        };
        session.function_log().read(&arn, &mut timeline).await;
        Ok(Self {
            arn,
            timeline,
            not_from_logs,
            is_late,
            read_at,
        })
    }

    fn told_by(&self) -> ToldBy {
        match self.not_from_logs {
            Some(_) => ToldBy::StepFunctions,
            None => ToldBy::CloudwatchLogs,
        }
    }

    /// Whether it has ended, and nothing of it is on its way.
    pub fn is_whole(&self) -> bool {
        let has_all_come =
            |ended| is_delivered(ended, self.read_at) || (are_lines_whole(&self.timeline) && !self.is_late);
        self.timeline.end.as_ref().is_some_and(|end| has_all_come(end.at))
    }

    /// As people read it, in `width` columns.
    fn text(&self, width: usize) -> String {
        timeline::story(&self.arn, &self.timeline, self.told_by(), width)
    }

    /// The same, with where the events are from.
    pub fn whole(&self, width: usize) -> String {
        let why = self.not_from_logs.as_ref();
        let why = why.map(|why| format!("\n\n{}", fitted(why, width)));
        self.text(width) + &why.unwrap_or_default()
    }
}

/// All that CloudWatch Logs has of it, or why that is not all there is.
async fn logged(session: &Session, described: &DescribeExecutionOutput) -> Result<Timeline, Absence> {
    let arn = &described.execution_arn;
    let since = timestamp(&described.start_date).as_millisecond() - CLOCK_DIFFERENCE_MILLIS;
    let until = described
        .stop_date
        .as_ref()
        .map(|stopped| timestamp(stopped).as_millisecond() + DELIVERY_MAX_MILLIS);
    let log = session.executions_log();
    let events = from_logs(&session.clients, &log.name, arn, (since.max(0), until)).await;
    let events = events.map_err(|failure| log.unreadable(&failure))?;
    let timeline = Timeline::of(&events);
    if are_whole(&events) && timeline.end.is_some() == described.stop_date.is_some() {
        return Ok(timeline);
    }
    if is_logging_off(&session.clients, &session.names.state_machine_arn()).await {
        return Err(Absence::Known(format!(
            "the state machine's logging is off; `resizer up{}` switches it on",
            session.flags
        )));
    }
    // Of an execution that goes on, those of its beginning at least should be there.
    let due = described.stop_date.as_ref().unwrap_or(&described.start_date);
    let began = timestamp(&described.start_date);
    Err(log.absence(began, Some(timestamp(due))).await)
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
