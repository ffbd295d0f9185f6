//! The whole pipeline on a local cloud, with a real process behind Lambda, driven by the AWS SDK.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;
mod control;
mod deliveries;
mod executions;
mod functions;
mod killed;
mod stack;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};
use stack::{FUNCTION, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_as_a_result() {
    let stack = Stack::start().await;
    stack.upload("in/a.jpg").await;
    let executions = stack.ended(1).await;
    let found = stack.end_of(&executions[0]).await;
    assert_eq!(found.status, ExecutionStatus::Succeeded, "{found:?}");
    let input: Value = serde_json::from_str(&found.input.unwrap()).unwrap();
    assert_eq!(input, json!({"bucket": "original", "key": "in/a.jpg", "size": 8}));
    assert_eq!(stack.resized("in/a.jpg").await.unwrap(), b"in/a.jpg");

    let history = stack
        .cloud
        .states()
        .get_execution_history()
        .execution_arn(&executions[0])
        .send()
        .await
        .unwrap();
    let types: Vec<_> = history.events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(
        types[..5],
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskStarted",
            "TaskSucceeded"
        ]
    );
    assert_eq!(types.last(), Some(&"ExecutionSucceeded"));
    let logged = stack
        .cloud
        .logs()
        .filter_log_events()
        .log_group_name("/aws/vendedlogs/states/resize");
    assert_eq!(logged.send().await.unwrap().events().len(), types.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_kind_pass_through_the_rule_and_the_api() {
    let stack = Stack::start().await;
    let keys = [
        "a b+c%20.jpg",
        "it's.jpg",
        "say \"hi\".jpg",
        "back\\slash.jpg",
        "日本/é\u{1F600}.jpg",
        "\\'.jpg",
    ];
    for key in keys {
        stack.upload(key).await;
    }
    stack.ended(keys.len()).await;
    for key in keys {
        assert_eq!(stack.resized(key).await.as_deref(), Some(key.as_bytes()), "{key}");
        stack
            .cloud
            .s3()
            .delete_object()
            .bucket("resized")
            .key(key)
            .send()
            .await
            .unwrap();
        let (status, answer) = stack
            .post("/resize", &json!({"bucket": "original", "key": key}).to_string())
            .await;
        assert_eq!(status, 200, "{answer}");
        let found = stack.end_of(answer["executionArn"].as_str().unwrap()).await;
        assert_eq!(found.status, ExecutionStatus::Succeeded, "{key} {found:?}");
        assert_eq!(stack.resized(key).await.as_deref(), Some(key.as_bytes()), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_taken_away_is_missed() {
    let stack = Stack::start().await;
    stack.upload("a.jpg").await;
    stack.ended(1).await;
    let remove = |role: &'static str| {
        stack
            .cloud
            .iam()
            .delete_role_policy()
            .role_name(role)
            .policy_name("inline")
            .send()
    };

    remove("api").await.unwrap();
    let (status, answer) = stack.post("/resize", "no JSON").await;
    assert_eq!(status, 400, "{answer}");
    let (status, answer) = stack.post("/resize", "{}").await;
    assert_eq!(status, 400);
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("is not authorized to perform: states:StartExecution"),
        "{answer}"
    );

    remove("function").await.unwrap();
    let found = stack.run(json!({"bucket": "original", "key": "a.jpg"})).await;
    assert_eq!(found.error.as_deref(), Some("AccessDenied"));

    remove("machine").await.unwrap();
    let found = stack.run(json!({"bucket": "original", "key": "a.jpg"})).await;
    assert_eq!(
        found.error.as_deref(),
        Some("Lambda.AWSLambdaException"),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_uploads_at_once_are_fifty_executions() {
    let stack = Stack::start().await;
    let keys: Vec<_> = (0..50).map(|at| format!("{at}.jpg")).collect();
    futures_util::future::join_all(keys.iter().map(|key| stack.upload(key))).await;
    assert_eq!(stack.ended(50).await.len(), 50);
    for key in &keys {
        assert!(stack.resized(key).await.is_some(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_invoked_with_a_clean_environment_and_its_log() {
    let stack = Stack::start().await;
    let invoke = stack
        .cloud
        .lambda()
        .invoke()
        .function_name(FUNCTION)
        .payload(Blob::new("{\"do\": \"print\"}"));
    let invoked = invoke.send().await.unwrap();
    assert_eq!(invoked.function_error, None);
    let answer: Value = serde_json::from_slice(invoked.payload.unwrap().as_ref()).unwrap();
    let variables = answer["variables"].as_object().unwrap();
    assert_eq!(variables["RESIZED_BUCKET"], "resized");
    assert!(!variables.contains_key("HOME"), "{variables:?}");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let logged = stack
        .cloud
        .logs()
        .filter_log_events()
        .log_group_name("/aws/lambda/resize")
        .send()
        .await
        .unwrap();
    let lines: Vec<_> = logged
        .events()
        .iter()
        .filter_map(|event| event.message())
        .collect();
    assert!(
        lines.iter().any(|line| line.starts_with("START RequestId: ")),
        "{lines:?}"
    );
    assert!(lines.contains(&"hello from the function"), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("Init Duration: ")),
        "{lines:?}"
    );
}
