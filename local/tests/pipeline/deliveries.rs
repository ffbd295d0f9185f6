//! Deliveries to a target that cannot be reached for a while.

use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types::{DeadLetterConfig, RetryPolicy, Target};
use jiff::Timestamp;
use serde_json::json;

use crate::common::TestCloud;
use crate::stack::{MACHINE, Stack, definition, role_arn};

/// Makes the machine's definition unreadable, or readable again: the local cloud's own trouble, which passes.
fn change_revision(cloud: &TestCloud, by: i64) {
    let db = rusqlite::Connection::open(cloud.data_dir().join("cloud.db")).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    let change = "UPDATE state_machine_revisions SET id = id + ?1 WHERE name = 'resize'";
    assert_eq!(db.execute(change, [by]).unwrap(), 1);
}

async fn with_broken_machine(mut stack: Stack) -> Stack {
    change_revision(&stack.cloud, 1000);
    // What it has read is in memory.
    stack.cloud = stack.cloud.restart().await;
    stack
}

async fn executions(cloud: &TestCloud, machine: &str) -> usize {
    let list = cloud.states().list_executions().state_machine_arn(machine);
    list.send().await.unwrap().executions.len()
}

/// Asks until it is so; for half a minute.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1500 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: not within half a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_fails_is_tried_again_and_holds_up_no_other() {
    let stack = with_broken_machine(Stack::start().await).await;
    let states = stack.cloud.states();
    let other = states
        .create_state_machine()
        .name("other")
        .role_arn(role_arn("machine"));
    let other = other.definition(definition().to_string()).send().await.unwrap();
    let other = other.state_machine_arn;
    let events = stack.cloud.events();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"},
    ]});
    let allow = stack
        .cloud
        .iam()
        .put_role_policy()
        .role_name("rule")
        .policy_name("inline");
    allow.policy_document(policy.to_string()).send().await.unwrap();
    events
        .put_rule()
        .name("others")
        .event_pattern(r#"{"source": ["aws.s3"]}"#)
        .send()
        .await
        .unwrap();
    let target = Target::builder()
        .id("other")
        .arn(&other)
        .role_arn(role_arn("rule"));
    let put = events
        .put_targets()
        .rule("others")
        .targets(target.build().unwrap());
    put.send().await.unwrap();

    stack.upload("a.jpg").await;
    until("the other delivery", async || {
        executions(&stack.cloud, &other).await == 1
    })
    .await;
    assert_eq!(executions(&stack.cloud, MACHINE).await, 0);

    change_revision(&stack.cloud, -1000);
    assert_eq!(stack.ended(1).await.len(), 1);
    assert!(stack.resized("a.jpg").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_says_how_often_it_is_tried() {
    let stack = Stack::start().await;
    let events = stack.cloud.events();
    let put = |target: aws_sdk_eventbridge::types::builders::TargetBuilder| {
        let target = target.id("machine").arn(MACHINE).role_arn(role_arn("rule"));
        events
            .put_targets()
            .rule("uploads")
            .targets(target.build().unwrap())
            .send()
    };
    let often = RetryPolicy::builder().maximum_retry_attempts(186).build();
    let refused = put(Target::builder().retry_policy(often)).await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    let queue = DeadLetterConfig::builder()
        .arn("arn:aws:sqs:us-east-1:000000000000:dead")
        .build();
    let refused = put(Target::builder().dead_letter_config(queue))
        .await
        .unwrap_err();
    assert!(
        refused.message().unwrap().contains("DeadLetterConfig"),
        "{refused:?}"
    );
    let never = RetryPolicy::builder().maximum_retry_attempts(0).build();
    put(Target::builder().retry_policy(never)).await.unwrap();

    let stack = with_broken_machine(stack).await;
    stack.upload("a.jpg").await;
    until("the failed invocation", async || {
        failed_invocations(&stack.cloud).await == 1.0
    })
    .await;
    change_revision(&stack.cloud, -1000);
    stack.upload("b.jpg").await;
    stack.ended(1).await;
    assert_eq!(
        executions(&stack.cloud, MACHINE).await,
        1,
        "the first one was given up"
    );
}

async fn failed_invocations(cloud: &TestCloud) -> f64 {
    let now = Timestamp::now().as_second();
    let rule = Dimension::builder().name("RuleName").value("uploads").build();
    let read = cloud.cloudwatch().get_metric_statistics().namespace("AWS/Events");
    let read = read.metric_name("FailedInvocations").dimensions(rule);
    let read = read.statistics(Statistic::Sum).period(86_400);
    let read = read
        .start_time(DateTime::from_secs(now - 86_400))
        .end_time(DateTime::from_secs(now + 3600));
    let points = read.send().await.unwrap().datapoints.unwrap_or_default();
    points.iter().filter_map(|point| point.sum).sum()
}
