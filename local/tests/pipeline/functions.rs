//! Which function is invoked, and when its clock runs.

use std::io::Cursor;

use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};

use crate::stack::{FUNCTION, Stack, code, role_arn};

#[tokio::test(flavor = "multi_thread")]
async fn a_function_elsewhere_is_not_ours() {
    let stack = Stack::start().await;
    let lambda = stack.cloud.lambda();
    let echo = || Blob::new("{\"do\": \"echo\"}");
    for (name, code) in [
        (
            "arn:aws:lambda:eu-west-3:000000000000:function:resize",
            "ResourceNotFoundException",
        ),
        (
            "arn:aws-cn:lambda:us-east-1:000000000000:function:resize",
            "ResourceNotFoundException",
        ),
        (
            "arn:aws:lambda:us-east-1:111111111111:function:resize",
            "AccessDeniedException",
        ),
        ("111111111111:function:resize", "AccessDeniedException"),
        (
            "arn:aws:s3:us-east-1:000000000000:function:resize",
            "ValidationException",
        ),
    ] {
        let refused = lambda
            .invoke()
            .function_name(name)
            .payload(echo())
            .send()
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some(code), "{name}: {refused:?}");
        let refused = lambda
            .get_function()
            .function_name(name)
            .send()
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some(code), "{name}: {refused:?}");
    }
    for name in ["resize", "000000000000:function:resize", FUNCTION] {
        lambda
            .invoke()
            .function_name(name)
            .payload(echo())
            .send()
            .await
            .unwrap();
    }

    let elsewhere = task("arn:aws:lambda:eu-west-3:000000000000:function:resize");
    let ended = run(&stack, "elsewhere", &elsewhere).await;
    assert_eq!(
        ended,
        (
            ExecutionStatus::Failed,
            Some("Lambda.ResourceNotFoundException".to_owned())
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_clock_runs_while_an_invocation_waits_for_room() {
    let stack = Stack::start().await;
    let mut hurried = task(FUNCTION);
    hurried["TimeoutSeconds"] = json!(2);
    hurried["States"]["Echo"]["TimeoutSeconds"] = json!(2);
    let rooms = std::thread::available_parallelism().unwrap().get() * 4;
    for _ in 0..3 * rooms {
        let sleep = stack.cloud.lambda().invoke().function_name("resize");
        let sleep = sleep.invocation_type(InvocationType::Event);
        let sleep = sleep.payload(Blob::new("{\"do\": \"sleep\", \"seconds\": 1}"));
        sleep.send().await.unwrap();
    }
    let ended = run(&stack, "hurried", &hurried).await;
    assert_eq!(ended, (ExecutionStatus::Succeeded, None));
}

/// Until then an invocation may be about to start it.
#[tokio::test(flavor = "multi_thread")]
async fn replaced_code_goes_at_the_next_start() {
    let mut stack = Stack::start().await;
    let mut zip = zip::ZipWriter::new_append(Cursor::new(code())).unwrap();
    zip.start_file("more", zip::write::SimpleFileOptions::default())
        .unwrap();
    let other = zip.finish().unwrap().into_inner();
    let update = stack.cloud.lambda().update_function_code();
    let update = update.function_name("resize").zip_file(Blob::new(other));
    update.send().await.unwrap();
    let folders = |stack: &Stack| {
        let kept = std::fs::read_dir(stack.cloud.data_dir().join("functions"));
        kept.unwrap().count()
    };
    assert_eq!(folders(&stack), 2);
    stack.cloud = stack.cloud.restart().await;
    let found = stack.run(json!({"do": "sleep", "seconds": 0})).await;
    assert_eq!(found.status, ExecutionStatus::Succeeded, "{found:?}");
    assert_eq!(folders(&stack), 1);
}

/// So that a deployment sees that it has to bring it again.
#[tokio::test(flavor = "multi_thread")]
async fn code_that_somebody_removed_has_no_hash() {
    let stack = Stack::start().await;
    let lambda = stack.cloud.lambda();
    let hash = async || {
        let found = lambda
            .get_function_configuration()
            .function_name("resize")
            .send()
            .await;
        found.unwrap().code_sha256.unwrap()
    };
    let before = hash().await;
    std::fs::remove_dir_all(stack.cloud.data_dir().join("functions")).unwrap();
    assert_eq!(hash().await, "");
    let update = lambda.update_function_code();
    let update = update.function_name("resize").zip_file(Blob::new(code()));
    update.send().await.unwrap();
    assert_eq!(hash().await, before);
}

fn task(function: &str) -> Value {
    let parameters = json!({"FunctionName": function, "Payload": {"do": "echo"}});
    json!({"StartAt": "Echo", "States": {"Echo": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, "End": true,
    }}})
}

/// How an execution of a new machine ends, and its error.
async fn run(stack: &Stack, name: &str, definition: &Value) -> (ExecutionStatus, Option<String>) {
    let states = stack.cloud.states();
    let create = states
        .create_state_machine()
        .name(name)
        .role_arn(role_arn("machine"));
    let made = create.definition(definition.to_string()).send().await.unwrap();
    let start = states.start_execution().state_machine_arn(made.state_machine_arn);
    let started = start.send().await.unwrap();
    let ended = stack.end_of(&started.execution_arn).await;
    (ended.status, ended.error)
}
