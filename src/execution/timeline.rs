//! Events put together: which state took how long, what was tried again, how it ended.

use std::time::Duration;

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use jiff::Timestamp;

use super::event::{Event, timestamp};
use super::tries::{Trouble, Try, note};

/// What an execution did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    pub started: Option<Timestamp>,
    /// A JSON text.
    pub input: Option<String>,
    /// In the order in which they were entered.
    pub steps: Vec<Step>,
    /// None while it runs.
    pub end: Option<End>,
}

/// One state, entered once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub name: String,
    /// The state's type: `Task`.
    pub kind: String,
    pub entered: Timestamp,
    /// None while it is in it.
    pub ended: Option<Timestamp>,
    /// Whether the execution failed in it.
    pub failed: bool,
    /// Of a Task: the first, and each one after it.
    pub tries: Vec<Try>,
    /// A JSON text.
    pub input: Option<String>,
    /// A JSON text.
    pub output: Option<String>,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub at: Timestamp,
    pub status: Status,
    /// A JSON text, when it succeeded.
    pub output: Option<String>,
    /// Why, when it did not.
    pub trouble: Trouble,
}

/// An execution's end, in Step Functions' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

impl Timeline {
    /// Puts `events` together, which are in the order of their ids.
    pub fn of(events: &[Event]) -> Self {
        let mut timeline = Self::default();
        for event in events {
            timeline.add(event);
        }
        timeline
    }

    /// What a description tells: how it began and how it ended, and nothing of the steps between.
    pub fn of_description(execution: &DescribeExecutionOutput) -> Self {
        let end = |status| End {
            at: timestamp(execution.stop_date().unwrap_or(&execution.start_date)),
            status,
            output: execution.output.clone(),
            trouble: Trouble {
                error: execution.error.clone(),
                cause: execution.cause.clone(),
            },
        };
        Self {
            started: Some(timestamp(&execution.start_date)),
            input: execution.input.clone(),
            steps: Vec::new(),
            end: Status::named(execution.status.as_str()).map(end),
        }
    }

    fn add(&mut self, event: &Event) {
        let details = &event.details;
        if event.kind == "ExecutionStarted" {
            self.started = Some(event.at);
            self.input.clone_from(&details.input);
        } else if let Some(status) = Status::of_event(&event.kind) {
            self.end(event, status);
        } else if let Some(kind) = event.kind.strip_suffix("StateEntered") {
            self.steps.push(Step {
                name: details.name.clone().unwrap_or_default(),
                kind: kind.to_owned(),
                entered: event.at,
                ended: None,
                failed: false,
                tries: Vec::new(),
                input: details.input.clone(),
                output: None,
            });
        } else if event.kind.ends_with("StateExited") {
            let exited = |step: &&mut Step| step.ended.is_none() && details.name.as_ref() == Some(&step.name);
            if let Some(step) = self.steps.iter_mut().rfind(exited) {
                step.ended = Some(event.at);
                step.output.clone_from(&details.output);
            }
        } else if let Some(step) = self.open_step() {
            note(&mut step.tries, event);
        }
    }

    fn open_step(&mut self) -> Option<&mut Step> {
        self.steps.iter_mut().rfind(|step| step.ended.is_none())
    }

    fn end(&mut self, event: &Event, status: Status) {
        let failed = status != Status::Succeeded;
        for step in self.steps.iter_mut().filter(|step| step.ended.is_none()) {
            step.ended = Some(event.at);
            step.failed = failed;
            for each in step.tries.iter_mut().filter(|each| each.ended.is_none()) {
                each.ended = Some(event.at);
            }
        }
        self.end = Some(End {
            at: event.at,
            status,
            output: event.details.output.clone(),
            trouble: Trouble::of(event),
        });
    }

    /// From the start to the end.
    pub fn took(&self) -> Option<Duration> {
        between(self.started?, self.end.as_ref()?.at)
    }
}

impl Step {
    /// From entering the state to leaving it.
    pub fn took(&self) -> Option<Duration> {
        between(self.entered, self.ended?)
    }

    /// How often it was tried again.
    pub fn retries(&self) -> usize {
        let failed = self.tries.iter().filter(|each| each.trouble.is_some()).count();
        failed.saturating_sub(usize::from(self.failed))
    }
}

/// How long it was from one to the other; none where the clock went back.
pub fn between(from: Timestamp, to: Timestamp) -> Option<Duration> {
    to.duration_since(from).try_into().ok()
}

impl Status {
    fn of_event(kind: &str) -> Option<Self> {
        Some(match kind {
            "ExecutionSucceeded" => Self::Succeeded,
            "ExecutionFailed" => Self::Failed,
            "ExecutionTimedOut" => Self::TimedOut,
            "ExecutionAborted" => Self::Aborted,
            _ => return None,
        })
    }

    /// None of an execution that has not ended.
    fn named(name: &str) -> Option<Self> {
        let all = [Self::Succeeded, Self::Failed, Self::TimedOut, Self::Aborted];
        all.into_iter().find(|status| status.name() == name)
    }

    /// As Step Functions writes it: `TIMED_OUT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::execution::tests::{REQUEST, refused, resized};

    #[test]
    fn steps_are_put_together_with_their_times_and_retries() {
        let timeline = Timeline::of(&resized());
        let steps: Vec<_> = timeline
            .steps
            .iter()
            .map(|step| {
                (
                    step.name.as_str(),
                    step.kind.as_str(),
                    step.took().unwrap().as_millis(),
                    step.retries(),
                )
            })
            .collect();
        assert_eq!(
            steps,
            [
                ("Resize", "Task", 1941, 1),
                ("Resized?", "Choice", 1, 0),
                ("Succeed", "Succeed", 0, 0)
            ]
        );
        assert_eq!(timeline.end.unwrap().status, Status::Succeeded);
    }

    #[test]
    fn each_try_has_its_time_and_its_request() {
        let timeline = Timeline::of(&resized());
        let tries = timeline.steps[0].tries.iter();
        let tries: Vec<_> = tries
            .map(|each| (each.took().unwrap().as_millis(), each.request_id.as_deref()))
            .collect();
        assert_eq!(tries, [(28, None), (40, Some(REQUEST))]);
    }

    #[test]
    fn a_failed_execution_ends_the_step_it_was_in_and_has_the_reason() {
        let timeline = Timeline::of(&refused());
        let last = timeline.steps.last().unwrap();
        assert!(last.failed && last.ended.is_some());
        assert_eq!(timeline.end.unwrap().trouble.to_string(), "not an image");
    }

    #[test]
    fn half_a_history_is_still_open() {
        let timeline = Timeline::of(&resized()[..3]);
        assert_eq!(timeline.end, None);
        assert_eq!(timeline.steps[0].ended, None);
    }
}
