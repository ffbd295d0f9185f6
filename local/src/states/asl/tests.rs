//! Whole executions, interpreted without a cloud around them.

#![allow(clippy::unwrap_used, clippy::panic)]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;

fn machine(definition: &Value) -> StateMachine {
    StateMachine::parse(&definition.to_string()).unwrap()
}

fn problems(definition: &Value) -> Vec<String> {
    let problems = StateMachine::parse(&definition.to_string()).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn identity() -> ExecutionIdentity {
    ExecutionIdentity {
        execution_arn: "arn:aws:states:eu-west-1:000000000000:execution:m:run-1".to_owned(),
        name: "run-1".to_owned(),
        state_machine_arn: "arn:aws:states:eu-west-1:000000000000:stateMachine:m".to_owned(),
        state_machine_name: "m".to_owned(),
        role_arn: "arn:aws:iam::000000000000:role/r".to_owned(),
        region: "eu-west-1".to_owned(),
        started: start(),
    }
}

fn start() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

/// An execution under test, its clock moved by its sleeps.
struct Execution {
    machine: StateMachine,
    run: Run,
    now: Timestamp,
    events: Vec<HistoryEvent>,
}

impl Execution {
    fn new(definition: &Value, input: Value) -> Self {
        let machine = machine(definition);
        let run = Run::new(&machine, input, start());
        Self {
            machine,
            run,
            now: start(),
            events: Vec::new(),
        }
    }

    fn advance(&mut self, signal: Signal) -> Next {
        self.run
            .advance(&self.machine, &identity(), signal, self.now, &mut self.events)
    }

    /// Runs to the end: tasks are answered by `function`, sleeps pass at once.
    fn finish(&mut self, mut function: impl FnMut(&TaskCall) -> Result<Value, Fault>) -> Outcome {
        let mut signal = Signal::Continue;
        loop {
            signal = match self.advance(signal) {
                Next::End(outcome) => return outcome,
                Next::Sleep { until } => {
                    self.now = until;
                    Signal::Woken
                }
                Next::Invoke(call) => Signal::TaskEnded(function(&call).map(answer)),
            }
        }
    }

    fn event_types(&self) -> Vec<&str> {
        self.events
            .iter()
            .map(|event| event.event_type.as_str())
            .collect()
    }
}

fn answer(payload: Value) -> Answer {
    Answer {
        payload,
        executed_version: "$LATEST".to_owned(),
        request_id: "r".to_owned(),
    }
}

fn succeeded(output: Value) -> Outcome {
    Outcome::Succeeded { output }
}

fn resize() -> Value {
    json!({
        "StartAt": "Resize",
        "States": {
            "Resize": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "resize", "Payload.$": "$"},
                "OutputPath": "$.Payload",
                "TimeoutSeconds": 60,
                "Retry": [{"ErrorEquals": ["Lambda.Unknown"], "IntervalSeconds": 2, "MaxAttempts": 2}],
                "Next": "Resized?"
            },
            "Resized?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "Done"}],
                "Default": "Refused"
            },
            "Done": {"Type": "Succeed"},
            "Refused": {"Type": "Fail", "Error": "NotResized", "CausePath": "$.error"}
        }
    })
}

#[test]
fn a_resize_that_works_succeeds_with_the_whole_history() {
    let mut execution = Execution::new(&resize(), json!({"bucket": "b", "key": "k"}));
    let outcome = execution.finish(|call| {
        assert_eq!(call.function, "resize");
        assert_eq!(call.payload, json!({"bucket": "b", "key": "k"}));
        assert_eq!(call.timeout_seconds, Some(60));
        Ok(json!({"ok": true}))
    });
    assert_eq!(outcome, succeeded(json!({"ok": true})));
    assert_eq!(
        execution.event_types(),
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskStarted",
            "TaskSucceeded",
            "TaskStateExited",
            "ChoiceStateEntered",
            "ChoiceStateExited",
            "SucceedStateEntered",
            "SucceedStateExited",
            "ExecutionSucceeded",
        ]
    );
    let ids: Vec<_> = execution
        .events
        .iter()
        .map(|event| (event.id, event.previous_event_id))
        .collect();
    assert_eq!(ids[..4], [(1, 0), (2, 0), (3, 2), (4, 3)]);
    assert_eq!(
        execution.events[2].details["parameters"],
        json!(r#"{"FunctionName":"resize","Payload":{"bucket":"b","key":"k"}}"#)
    );
}

#[test]
fn a_refused_picture_fails_with_the_handlers_reason() {
    let mut execution = Execution::new(&resize(), json!({}));
    let outcome = execution.finish(|_| Ok(json!({"ok": false, "error": "not an image"})));
    assert_eq!(outcome, Outcome::Failed(Fault::new("NotResized", "not an image")));
    assert_eq!(
        execution.event_types()[8..],
        ["FailStateEntered", "ExecutionFailed"]
    );
}

#[test]
fn transient_errors_are_retried_and_then_fail_the_execution() {
    let mut execution = Execution::new(&resize(), json!({}));
    let mut calls = 0;
    let outcome = execution.finish(|_| {
        calls += 1;
        Err(Fault::new("Lambda.Unknown", "gone"))
    });
    assert_eq!(outcome, Outcome::Failed(Fault::new("Lambda.Unknown", "gone")));
    assert_eq!(calls, 3);
    assert_eq!(
        execution.now.duration_since(start()),
        SignedDuration::from_secs(2 + 4)
    );
    assert_eq!(
        execution.event_types()[4..8],
        ["TaskFailed", "TaskScheduled", "TaskStarted", "TaskFailed"]
    );
}

#[test]
fn a_timeout_is_not_caught_by_task_failed_but_by_all() {
    let mut definition = resize();
    definition["States"]["Resize"]["Catch"] = json!([
        {"ErrorEquals": ["States.TaskFailed"], "Next": "Refused"},
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.trouble", "Next": "Done"}
    ]);
    let mut execution = Execution::new(&definition, json!({"key": "k"}));
    let outcome = execution.finish(|_| Err(Fault::timeout()));
    assert_eq!(
        outcome,
        succeeded(json!({"key": "k", "trouble": {"Error": "States.Timeout", "Cause": ""}}))
    );
    assert_eq!(execution.event_types()[4..6], ["TaskTimedOut", "TaskStateExited"]);
}

#[test]
fn a_stored_run_invokes_its_task_again_and_goes_on() {
    let mut execution = Execution::new(&resize(), json!({}));
    let Next::Invoke(call) = execution.advance(Signal::Continue) else {
        panic!("a task")
    };
    let stored = serde_json::to_string(&execution.run).unwrap();
    execution.run = serde_json::from_str(&stored).unwrap();
    let events = execution.events.len();
    assert_eq!(execution.advance(Signal::Continue), Next::Invoke(call));
    assert_eq!(execution.events.len(), events);
    let outcome = execution.finish_from(Signal::TaskEnded(Ok(answer(json!({"ok": true})))));
    assert_eq!(outcome, succeeded(json!({"ok": true})));
}

impl Execution {
    fn finish_from(&mut self, signal: Signal) -> Outcome {
        match self.advance(signal) {
            Next::End(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_wait_that_was_stored_keeps_its_end() {
    let wait = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 30, "End": true}}});
    let mut execution = Execution::new(&wait, json!({"a": 1}));
    let until = start() + SignedDuration::from_secs(30);
    assert_eq!(execution.advance(Signal::Continue), Next::Sleep { until });
    execution.now += SignedDuration::from_secs(10);
    assert_eq!(execution.advance(Signal::Continue), Next::Sleep { until });
    assert_eq!(execution.finish_from(Signal::Woken), succeeded(json!({"a": 1})));
}

#[test]
fn paths_select_shape_and_place_data() {
    let definition = json!({"StartAt": "P", "States": {
        "P": {
            "Type": "Pass", "InputPath": "$.in", "ResultPath": "$.out", "OutputPath": "$.out",
            "Parameters": {"both.$": "States.Format('{}-{}', $.a, $$.Execution.Name)"}, "Next": "Q"
        },
        "Q": {"Type": "Pass", "Result": {"c": 2}, "ResultPath": "$.more", "Next": "R"},
        "R": {"Type": "Pass", "InputPath": null, "ResultPath": "$.nothing", "End": true}
    }});
    let outcome = Execution::new(&definition, json!({"in": {"a": 1}})).finish(|_| panic!("no task"));
    assert_eq!(
        outcome,
        succeeded(json!({"both": "1-run-1", "more": {"c": 2}, "nothing": {}}))
    );
}

#[test]
fn a_result_selector_and_a_plain_function_arn() {
    let definition = json!({"StartAt": "T", "States": {"T": {
        "Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:000000000000:function:f",
        "ResultSelector": {"size.$": "$.n"}, "ResultPath": "$.r", "End": true
    }}});
    let mut execution = Execution::new(&definition, json!({"k": 1}));
    assert_eq!(
        execution.finish(|_| Ok(json!({"n": 7, "x": 0}))),
        succeeded(json!({"k": 1, "r": {"size": 7}}))
    );
    assert_eq!(
        execution.event_types()[2..5],
        [
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionSucceeded"
        ]
    );
}

#[test]
fn runtime_faults_name_the_state_and_are_not_caught() {
    let mut definition = resize();
    definition["States"]["Resize"]["Parameters"]["Payload.$"] = json!("$.gone");
    definition["States"]["Resize"]["Catch"] = json!([{"ErrorEquals": ["States.ALL"], "Next": "Done"}]);
    let outcome = Execution::new(&definition, json!({})).finish(|_| panic!("no task"));
    assert_eq!(
        outcome,
        Outcome::Failed(Fault::runtime(
            "An error occurred while executing the state 'Resize' (entered at the event id #2). \
         The JSONPath '$.gone' specified for the field 'Payload.$' could not be found in the input '{}'"
        ))
    );
}

#[test]
fn a_result_over_256_kib_is_too_much() {
    let mut execution = Execution::new(&resize(), json!({}));
    let outcome = execution.finish(|_| Ok(json!({"ok": true, "blob": "x".repeat(262_144)})));
    let Outcome::Failed(fault) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(fault.error.as_deref(), Some("States.DataLimitExceeded"));
}

#[test]
fn an_endless_loop_ends_at_the_limit_of_the_history() {
    let definition = json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}});
    let mut execution = Execution::new(&definition, json!({}));
    let Outcome::Failed(fault) = execution.finish(|_| panic!("no task")) else {
        panic!("endless")
    };
    assert_eq!(fault.error.as_deref(), Some("States.Runtime"));
    assert!(execution.events.len() <= 25_001);
}

#[test]
fn problems_are_named_with_their_place() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "Gone"},
        "Lost": {"Type": "Succeed"}
    }});
    assert_eq!(
        problems(&definition),
        [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Gone at /States/A/Next",
            "MISSING_TRANSITION_TARGET: State \"Lost\" is not reachable. at /States/Lost",
        ]
    );
    assert!(StateMachine::parse("{").is_err());
    assert_eq!(
        problems(&json!({"StartAt": "A"})),
        ["SCHEMA_VALIDATION_FAILED: 'States' must be a non-empty object at /States"]
    );
}

#[test]
fn constructs_not_interpreted_here_are_refused() {
    let task = |extra: Value| {
        let mut task = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                              "Parameters": {"FunctionName": "f"}, "End": true});
        task.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        task
    };
    for (state, place) in [
        (json!({"Type": "Map", "End": true}), "/States/S/Type"),
        (
            json!({"Type": "Parallel", "Branches": [], "End": true}),
            "/States/S/Type",
        ),
        (
            json!({"Type": "Pass", "QueryLanguage": "JSONata", "End": true}),
            "/States/S/QueryLanguage",
        ),
        (
            json!({"Type": "Pass", "Assign": {"x": 1}, "End": true}),
            "/States/S/Assign",
        ),
        (task(json!({"HeartbeatSeconds": 5})), "/States/S/HeartbeatSeconds"),
        (
            task(json!({"Resource": "arn:aws:states:::sqs:sendMessage"})),
            "/States/S/Resource",
        ),
        (
            task(json!({"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"})),
            "/States/S/Resource",
        ),
        (
            task(json!({"Credentials": {"RoleArn": "r"}})),
            "/States/S/Credentials",
        ),
        (
            task(json!({"Parameters": {"FunctionName": "f", "InvocationType": "Event"}})),
            "/States/S/Parameters/InvocationType",
        ),
        (
            task(json!({"Parameters": {"FunctionName": "f", "Payload.$": "States.Hash($.a, 'MD5')"}})),
            "/States/S/Parameters/Payload.$",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["A"], "Jitter": 1}]})),
            "/States/S/Retry[0]/Jitter",
        ),
        (
            task(json!({"Catch": [{"ErrorEquals": ["A", "States.ALL"], "Next": "S"}]})),
            "/States/S/Catch[0]/ErrorEquals",
        ),
    ] {
        let found = problems(&json!({"StartAt": "S", "States": {"S": state}}));
        assert!(
            found
                .iter()
                .any(|problem| problem.ends_with(&format!(" at {place}"))),
            "{place}: {found:?}"
        );
    }
}
