//! The whole pipeline on a local cloud, with a real process behind Lambda, driven by the AWS SDK.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;
mod deliveries;
mod functions;
mod killed;
mod stack;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};
use stack::{FUNCTION, MACHINE, Stack};

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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_supported_is_refused() {
    let stack = Stack::start().await;
    let cloud = &stack.cloud;
    let map = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true}}});
    let create = cloud
        .states()
        .create_state_machine()
        .name("m")
        .role_arn(stack::role_arn("machine"));
    let refused = create
        .definition(map.to_string())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(refused.is_invalid_definition(), "{refused:?}");
    let put = cloud
        .events()
        .put_rule()
        .name("r")
        .event_pattern(r#"{"source": [{"cidr": "10.0.0.0/8"}]}"#);
    assert!(
        put.send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_invalid_event_pattern_exception()
    );
    let delete = cloud
        .events()
        .delete_rule()
        .name("uploads")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        delete.into_service_error().meta().message(),
        Some("Rule can't be deleted since it has targets.")
    );
    let role = cloud
        .lambda()
        .create_function()
        .function_name("f")
        .role(stack::role_arn("api"));
    let code = aws_sdk_lambda::types::FunctionCode::builder()
        .zip_file(Blob::new(stack::code()))
        .build();
    let refused = role
        .code(code)
        .handler("b")
        .runtime(aws_sdk_lambda::types::Runtime::Providedal2023)
        .send()
        .await;
    let refused = refused.unwrap_err().into_service_error();
    assert_eq!(
        refused.meta().message(),
        Some("The role defined for the function cannot be assumed by Lambda.")
    );
    let (status, answer) = stack.post("/elsewhere", "{}").await;
    assert_eq!(
        (status, answer),
        (403, json!({"message": "Missing Authentication Token"}))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_changed_listed_and_taken_away() {
    let stack = Stack::start().await;
    let (functions, states, events, apis) = (
        stack.cloud.lambda(),
        stack.cloud.states(),
        stack.cloud.events(),
        stack.cloud.apigateway(),
    );

    let changed = functions
        .update_function_configuration()
        .function_name("resize")
        .memory_size(512)
        .send()
        .await
        .unwrap();
    assert_eq!((changed.memory_size, changed.timeout), (Some(512), Some(2)));
    functions
        .tag_resource()
        .resource(FUNCTION)
        .tags("a", "b")
        .send()
        .await
        .unwrap();
    assert_eq!(
        functions
            .list_tags()
            .resource(FUNCTION)
            .send()
            .await
            .unwrap()
            .tags()
            .unwrap()["a"],
        "b"
    );
    functions
        .update_function_code()
        .function_name("resize")
        .zip_file(Blob::new(stack::code()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        functions.list_functions().send().await.unwrap().functions().len(),
        1
    );

    let mut definition = stack::definition();
    definition["Comment"] = json!("changed");
    let update = states
        .update_state_machine()
        .state_machine_arn(MACHINE)
        .definition(definition.to_string());
    update.send().await.unwrap();
    let described = states
        .describe_state_machine()
        .state_machine_arn(MACHINE)
        .send()
        .await
        .unwrap();
    assert_eq!(described.definition, definition.to_string());
    assert_eq!(
        states
            .list_state_machines()
            .send()
            .await
            .unwrap()
            .state_machines
            .len(),
        1
    );

    assert_eq!(
        events
            .list_targets_by_rule()
            .rule("uploads")
            .send()
            .await
            .unwrap()
            .targets()
            .len(),
        1
    );
    let named = events
        .list_rule_names_by_target()
        .target_arn(MACHINE)
        .send()
        .await
        .unwrap();
    assert_eq!(named.rule_names(), ["uploads"]);
    events
        .remove_targets()
        .rule("uploads")
        .ids("machine")
        .send()
        .await
        .unwrap();
    events.delete_rule().name("uploads").send().await.unwrap();
    assert!(events.describe_rule().name("uploads").send().await.is_err());

    let listed = apis.get_rest_apis().send().await.unwrap();
    assert_eq!(listed.items()[0].name(), Some("resize"));
    let resources = apis
        .get_resources()
        .rest_api_id(&stack.api)
        .embed("methods")
        .send()
        .await
        .unwrap();
    assert_eq!(resources.items().len(), 2);
    assert!(
        apis.get_stage()
            .rest_api_id(&stack.api)
            .stage_name("prod")
            .send()
            .await
            .unwrap()
            .deployment_id()
            .is_some()
    );
    apis.delete_rest_api()
        .rest_api_id(&stack.api)
        .send()
        .await
        .unwrap();
    assert!(
        apis.get_rest_api()
            .rest_api_id(&stack.api)
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );

    states
        .delete_state_machine()
        .state_machine_arn(MACHINE)
        .send()
        .await
        .unwrap();
    let gone = states
        .describe_state_machine()
        .state_machine_arn(MACHINE)
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_state_machine_does_not_exist());
    functions
        .delete_function()
        .function_name("resize")
        .send()
        .await
        .unwrap();
    let gone = functions
        .get_function()
        .function_name("resize")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(gone.is_resource_not_found_exception());
}
