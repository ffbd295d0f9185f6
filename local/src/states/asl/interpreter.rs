//! Steps an execution through its states.
//!
//! A [`Run`] holds all there is to know about where an execution stands. [`Run::advance`] interprets
//! until something has to happen outside (a function invoked, a time waited for) and says what. A
//! stored `Run` that is read again continues there: a task that was on its way is invoked again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::definition::{Kind, State, StateMachine, Transition};
use super::event::HistoryEvent;
use super::expression::Scope;
use super::task::{Answer, Fault, TaskCall};

/// The most events a history has.
const MAX_EVENTS: u64 = 25_000;

/// What an execution is called: the constant part of the context object.
#[derive(Debug, Clone)]
pub struct ExecutionIdentity {
    pub execution_arn: String,
    pub name: String,
    pub state_machine_arn: String,
    pub state_machine_name: String,
    pub role_arn: String,
    pub region: String,
    pub started: Timestamp,
}

/// Where an execution stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// The execution's input.
    pub(super) input: Value,
    pub(super) state: String,
    pub(super) state_input: Value,
    /// The id of the event with which the state was entered, and when that was.
    pub(super) entered: u64,
    pub(super) entered_at: Timestamp,
    /// Retries made so far, for each of the state's retriers.
    pub(super) retries: Vec<u32>,
    pub(super) phase: Phase,
    last_event: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Phase {
    Entering,
    /// A task is on its way.
    Invoking,
    /// A Wait state.
    Waiting {
        until: Timestamp,
    },
    /// A failed task, before its next try.
    Backoff {
        until: Timestamp,
    },
}

/// What came in from outside since the last step.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// Nothing: the execution begins, or was read back from the store.
    Continue,
    TaskEnded(Result<Answer, Fault>),
    /// The time asked for by [`Next::Sleep`] has come.
    Woken,
}

/// What has to happen outside before the execution can go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    Invoke(TaskCall),
    Sleep { until: Timestamp },
    End(Outcome),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Succeeded { output: Value },
    Failed(Fault),
}

impl Run {
    /// An execution about to enter its first state.
    pub fn new(machine: &StateMachine, input: Value, now: Timestamp) -> Self {
        Self {
            state: machine.start_at.clone(),
            state_input: input.clone(),
            input,
            entered: 0,
            entered_at: now,
            retries: Vec::new(),
            phase: Phase::Entering,
            last_event: 0,
        }
    }

    /// Interprets until something has to happen outside. The events since the last step are
    /// appended to `events`.
    pub fn advance(
        &mut self,
        machine: &StateMachine,
        identity: &ExecutionIdentity,
        signal: Signal,
        now: Timestamp,
        events: &mut Vec<HistoryEvent>,
    ) -> Next {
        let mut step = Step {
            run: self,
            machine,
            identity,
            now,
            events,
        };
        if step.run.last_event == 0 {
            let input = step.run.input.to_string();
            let details =
                json!({"input": input, "inputDetails": {"truncated": false}, "roleArn": identity.role_arn});
            // Of when it was started everything tells alike, however long it waited to begin.
            step.now = identity.started;
            step.emit("ExecutionStarted", details);
            step.now = now;
        }
        let mut signal = Some(signal);
        loop {
            let moved = match step.take(signal.take().unwrap_or(Signal::Continue)) {
                Ok(moved) => moved,
                Err(fault) => step.fail(fault),
            };
            if let Some(next) = moved {
                return next;
            }
        }
    }

    /// Ends the history from outside: `ExecutionAborted`, `ExecutionTimedOut`.
    pub fn close(&mut self, event_type: &str, details: Value, now: Timestamp) -> HistoryEvent {
        self.event(event_type, details, now)
    }

    fn event(&mut self, event_type: &str, details: Value, now: Timestamp) -> HistoryEvent {
        self.last_event += 1;
        let id = self.last_event;
        // The first state is entered with no event before it, as AWS counts.
        let previous_event_id = if id <= 2 { 0 } else { id - 1 };
        let timestamp = now.as_millisecond();
        HistoryEvent {
            id,
            previous_event_id,
            timestamp,
            event_type: event_type.to_owned(),
            details,
        }
    }

    fn enter(&mut self, state: String, input: Value) {
        self.state = state;
        self.state_input = input;
        self.retries.clear();
        self.phase = Phase::Entering;
    }
}

/// One call of [`Run::advance`]. Its methods give `None` to go on with the next state.
pub(super) struct Step<'a> {
    pub(super) run: &'a mut Run,
    machine: &'a StateMachine,
    pub(super) identity: &'a ExecutionIdentity,
    pub(super) now: Timestamp,
    events: &'a mut Vec<HistoryEvent>,
}

impl<'a> Step<'a> {
    fn take(&mut self, signal: Signal) -> Result<Option<Next>, Fault> {
        let kind = &self.state()?.kind;
        match (kind, self.run.phase.clone(), signal) {
            (kind, Phase::Entering, _) => {
                self.enter(kind)?;
                self.execute(kind)
            }
            (Kind::Task(task), Phase::Invoking, Signal::TaskEnded(Ok(answer))) => {
                self.task_succeeded(task, answer)
            }
            (Kind::Task(task), Phase::Invoking, Signal::TaskEnded(Err(fault))) => {
                self.task_failed(task, &fault);
                Err(fault)
            }
            (Kind::Task(task), Phase::Invoking, _) => self.call(task).map(|call| Some(Next::Invoke(call))),
            (Kind::Task(task), Phase::Backoff { .. }, Signal::Woken) => self.schedule(task),
            (Kind::Wait { next, .. }, Phase::Waiting { .. }, Signal::Woken) => {
                let output = self.filtered_input()?;
                self.leave(output, next)
            }
            (_, Phase::Waiting { until } | Phase::Backoff { until }, _) => Ok(Some(Next::Sleep { until })),
            (_, Phase::Invoking, _) => Err(Fault::runtime("The definition does not fit the execution")),
        }
    }

    pub(super) fn state(&self) -> Result<&'a State, Fault> {
        let name = &self.run.state;
        self.machine
            .states
            .get(name)
            .ok_or_else(|| Fault::runtime(format!("There is no state '{name}'")))
    }

    pub(super) fn emit(&mut self, event_type: &str, details: Value) {
        self.events.push(self.run.event(event_type, details, self.now));
    }

    fn enter(&mut self, kind: &Kind) -> Result<(), Fault> {
        if self.run.last_event + 1 >= MAX_EVENTS {
            return Err(Fault::runtime(format!(
                "The execution reached the maximum number of history events ({MAX_EVENTS})."
            )));
        }
        let details = json!({
            "name": self.run.state,
            "input": self.run.state_input.to_string(),
            "inputDetails": {"truncated": false},
        });
        self.emit(&format!("{}StateEntered", kind.name()), details);
        self.run.entered = self.run.last_event;
        self.run.entered_at = self.now;
        Ok(())
    }

    fn execute(&mut self, kind: &Kind) -> Result<Option<Next>, Fault> {
        match kind {
            Kind::Pass { result, shape, next } => {
                let input = self.effective_input(shape)?;
                let output = self.shaped(shape, result.clone().unwrap_or(input))?;
                self.leave(output, next)
            }
            Kind::Task(task) => {
                self.run.retries = vec![0; task.retry.len()];
                self.schedule(task)
            }
            Kind::Choice { rules, default } => {
                let input = self.filtered_input()?;
                let context = self.context();
                let scope = Scope {
                    input: &input,
                    context: &context,
                };
                let mut chosen = default.as_ref();
                for (rule, next) in rules {
                    if rule.holds(scope)? {
                        chosen = Some(next);
                        break;
                    }
                }
                let Some(next) = chosen else {
                    return Err(Fault::new(
                        "States.NoChoiceMatched",
                        "Failed to transition out of the state. The state does not point to a next state.",
                    ));
                };
                self.leave(input, &Transition::Next(next.clone()))
            }
            Kind::Wait { until, .. } => {
                let until = self.wake_time(until)?;
                self.run.phase = Phase::Waiting { until };
                Ok(Some(Next::Sleep { until }))
            }
            Kind::Succeed => {
                let output = self.filtered_input()?;
                self.leave(output, &Transition::End)
            }
            Kind::Fail { error, cause } => {
                let fault = Fault {
                    error: self.text(error)?,
                    cause: self.text(cause)?,
                };
                Ok(Some(self.end_failed(fault)))
            }
        }
    }

    /// Ends a state with `output`, to which `OutputPath` is still to be applied.
    pub(super) fn leave(&mut self, output: Value, next: &Transition) -> Result<Option<Next>, Fault> {
        let state = self.state()?;
        let output = self.filter(&state.output_path, output, "OutputPath")?;
        self.exit(state.kind.name(), output, next)
    }

    pub(super) fn exit(
        &mut self,
        kind: &str,
        output: Value,
        next: &Transition,
    ) -> Result<Option<Next>, Fault> {
        let text = output.to_string();
        self.check_size(&text)?;
        let details = json!({"name": self.run.state, "output": text, "outputDetails": {"truncated": false}});
        self.emit(&format!("{kind}StateExited"), details);
        match next {
            Transition::Next(name) => {
                self.run.enter(name.clone(), output);
                Ok(None)
            }
            Transition::End => {
                let details = json!({"output": output.to_string(), "outputDetails": {"truncated": false}});
                self.emit("ExecutionSucceeded", details);
                Ok(Some(Next::End(Outcome::Succeeded { output })))
            }
        }
    }

    /// A failure while a state was interpreted or its task ran: retried, caught, or the end.
    fn fail(&mut self, fault: Fault) -> Option<Next> {
        if let Ok(State {
            kind: Kind::Task(task),
            ..
        }) = self.state()
        {
            if let Some(until) = self.next_try(task, &fault) {
                self.run.phase = Phase::Backoff { until };
                return Some(Next::Sleep { until });
            }
            if let Some(caught) = self.catch(task, &fault) {
                return caught.unwrap_or_else(|fault| Some(self.end_failed(fault)));
            }
        }
        Some(self.end_failed(fault))
    }

    fn end_failed(&mut self, fault: Fault) -> Next {
        let fault = if fault.is_raised_here() {
            let place = format!(
                "An error occurred while executing the state '{}' (entered at the event id #{}). ",
                self.run.state, self.run.entered
            );
            Fault {
                cause: fault.cause.map(|cause| place + &cause),
                ..fault
            }
        } else {
            fault
        };
        self.emit("ExecutionFailed", fault.details());
        Next::End(Outcome::Failed(fault))
    }
}
