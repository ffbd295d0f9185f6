//! Executions: how they fail, go on after a restart, and are stopped.

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};

use crate::stack::{MACHINE, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn failures_show_as_on_aws() {
    let stack = Stack::start().await;
    for (input, error, cause) in [
        (json!({"do": "refuse"}), "NotResized", "not an image"),
        (json!({"do": "fail"}), "Transient", "try again"),
        (json!({"do": "crash"}), "Runtime.ExitError", "exit status 3"),
        (
            json!({"do": "sleep", "seconds": 5}),
            "Sandbox.Timedout",
            "Task timed out after 2.00 seconds",
        ),
        (json!({"bucket": "original", "key": "gone"}), "AccessDenied", ""),
    ] {
        let found = stack.run(input.clone()).await;
        assert_eq!(found.status, ExecutionStatus::Failed);
        assert_eq!(found.error.as_deref(), Some(error), "{input} {:?}", found.cause);
        assert!(found.cause.unwrap().contains(cause), "{input}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_goes_on_after_a_restart() {
    let mut stack = Stack::start().await;
    let start = stack
        .cloud
        .states()
        .start_execution()
        .state_machine_arn(MACHINE)
        .name("long");
    let started = start
        .input(json!({"do": "sleep", "seconds": 1}).to_string())
        .send()
        .await
        .unwrap();
    stack.cloud = stack.cloud.restart().await;
    let found = stack.end_of(&started.execution_arn).await;
    assert_eq!(found.status, ExecutionStatus::Succeeded, "{found:?}");
}

/// Stopped in whatever moment of theirs, they fail of nothing that the stop takes away.
#[tokio::test(flavor = "multi_thread")]
async fn executions_that_just_begin_go_on_after_a_restart() {
    let mut stack = Stack::start().await;
    let states = stack.cloud.states();
    let starts = (0..40).map(|n| {
        let start = states.start_execution().state_machine_arn(MACHINE);
        start
            .name(format!("short-{n}"))
            .input(r#"{"do": "sleep", "seconds": 0}"#)
            .send()
    });
    let started = futures_util::future::join_all(starts).await;
    stack.cloud = stack.cloud.restart().await;
    for started in started {
        let found = stack.end_of(&started.unwrap().execution_arn).await;
        assert_eq!(found.status, ExecutionStatus::Succeeded, "{:?}", found.cause());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_stopped_and_named_once() {
    let stack = Stack::start().await;
    let states = stack.cloud.states();
    let start = |input: Value| {
        states
            .start_execution()
            .state_machine_arn(MACHINE)
            .name("one")
            .input(input.to_string())
            .send()
    };
    let sleep = json!({"do": "sleep", "seconds": 1});
    let arn = start(sleep.clone()).await.unwrap().execution_arn;
    assert_eq!(start(sleep.clone()).await.unwrap().execution_arn, arn);
    let other = start(json!({"do": "echo"}))
        .await
        .unwrap_err()
        .into_service_error();
    assert!(other.is_execution_already_exists(), "{other:?}");
    states
        .stop_execution()
        .execution_arn(&arn)
        .error("Enough")
        .send()
        .await
        .unwrap();
    let found = stack.end_of(&arn).await;
    assert_eq!(
        (found.status, found.error.as_deref()),
        (ExecutionStatus::Aborted, Some("Enough"))
    );
    assert!(
        start(sleep)
            .await
            .unwrap_err()
            .into_service_error()
            .is_execution_already_exists()
    );
}
