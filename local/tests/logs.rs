//! CloudWatch Logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, OrderBy};
use common::{TestCloud, code};
use serde_json::json;

const GROUP: &str = "/aws/vendedlogs/states/resizer";

fn event(time: i64, message: &str) -> InputLogEvent {
    InputLogEvent::builder()
        .timestamp(time)
        .message(message)
        .build()
        .unwrap()
}

async fn cloud_with_group() -> (TestCloud, Client) {
    let cloud = TestCloud::start().await;
    let logs = cloud.logs();
    let create = logs.create_log_group().log_group_name(GROUP);
    create.send().await.unwrap();
    (cloud, logs)
}

async fn put(logs: &Client, stream: &str, events: &[(i64, &str)]) {
    let _ = logs
        .create_log_stream()
        .log_group_name(GROUP)
        .log_stream_name(stream)
        .send()
        .await;
    let events = events
        .iter()
        .map(|(time, message)| event(*time, message))
        .collect();
    let put = logs
        .put_log_events()
        .log_group_name(GROUP)
        .log_stream_name(stream)
        .set_log_events(Some(events));
    put.send().await.unwrap();
}

#[tokio::test]
async fn a_group_lives_and_is_gone() {
    let cloud = TestCloud::start().await;
    let logs = cloud.logs();
    let create = || {
        logs.create_log_group()
            .log_group_name(GROUP)
            .tags("stack", "resizer")
    };
    create().send().await.unwrap();
    assert_eq!(
        code(&create().send().await.unwrap_err()),
        "ResourceAlreadyExistsException"
    );
    logs.put_retention_policy()
        .log_group_name(GROUP)
        .retention_in_days(14)
        .send()
        .await
        .unwrap();
    let odd = logs
        .put_retention_policy()
        .log_group_name(GROUP)
        .retention_in_days(2)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&odd), "InvalidParameterException");

    let described = logs
        .describe_log_groups()
        .log_group_name_prefix("/aws/vended")
        .send()
        .await
        .unwrap();
    let group = &described.log_groups()[0];
    assert_eq!(group.retention_in_days(), Some(14));
    let arn = format!("arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}");
    assert_eq!(group.arn(), Some(format!("{arn}:*").as_str()));
    assert_eq!(group.log_group_arn(), Some(arn.as_str()));

    logs.tag_resource()
        .resource_arn(&arn)
        .tags("more", "x")
        .send()
        .await
        .unwrap();
    logs.untag_resource()
        .resource_arn(&arn)
        .tag_keys("stack")
        .send()
        .await
        .unwrap();
    let tags = logs
        .list_tags_for_resource()
        .resource_arn(&arn)
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tags().unwrap().keys().collect::<Vec<_>>(), ["more"]);

    logs.delete_retention_policy()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    put(&logs, "s", &[(1, "x")]).await;
    logs.delete_log_group()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    let gone = logs
        .delete_log_group()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&gone), "ResourceNotFoundException");
}

#[tokio::test]
async fn a_stream_is_read_from_both_ends() {
    let (_cloud, logs) = cloud_with_group().await;
    put(&logs, "s", &[(10, "a"), (20, "b"), (20, "c"), (30, "d")]).await;
    let get = || {
        logs.get_log_events()
            .log_group_name(GROUP)
            .log_stream_name("s")
            .limit(3)
    };
    let read = |reply: &aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput| {
        reply
            .events()
            .iter()
            .map(|event| event.message().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = get().start_from_head(true).send().await.unwrap();
    assert_eq!(read(&first), ["a", "b", "c"]);
    let second = get()
        .next_token(first.next_forward_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(read(&second), ["d"]);
    let end = get()
        .next_token(second.next_forward_token().unwrap())
        .send()
        .await
        .unwrap();
    assert!(end.events().is_empty());
    assert_eq!(end.next_forward_token(), second.next_forward_token());
    let last = get().send().await.unwrap();
    assert_eq!(read(&last), ["b", "c", "d"]);
    let before = get()
        .next_token(last.next_backward_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(read(&before), ["a"]);
    assert_eq!(
        read(&get().start_time(20).end_time(30).send().await.unwrap()),
        ["b", "c"]
    );
}

#[tokio::test]
async fn a_group_is_searched_by_stream_time_and_pattern() {
    let (_cloud, logs) = cloud_with_group().await;
    put(
        &logs,
        "states/a",
        &[
            (10, r#"{"type":"ExecutionStarted","id":"1"}"#),
            (30, r#"{"type":"ExecutionFailed","id":"1"}"#),
        ],
    )
    .await;
    put(&logs, "other", &[(20, "plain ERROR line")]).await;
    let found = |pattern: &'static str| {
        let search = logs
            .filter_log_events()
            .log_group_name(GROUP)
            .filter_pattern(pattern);
        async move {
            let found = search.send().await.unwrap();
            found
                .events()
                .iter()
                .map(|event| event.timestamp().unwrap())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(found("").await, [10, 20, 30]);
    assert_eq!(found("ERROR").await, [20]);
    assert_eq!(found("{ $.type = \"ExecutionFailed\" }").await, [30]);

    let search = || logs.filter_log_events().log_group_name(GROUP);
    let by_stream = search()
        .log_stream_name_prefix("states/")
        .start_time(20)
        .send()
        .await
        .unwrap();
    assert_eq!(by_stream.events()[0].log_stream_name(), Some("states/a"));
    let mut pages = search().limit(2).into_paginator().send();
    assert_eq!(pages.next().await.unwrap().unwrap().events().len(), 2);
    assert_eq!(pages.next().await.unwrap().unwrap().events().len(), 1);
    // One stream's events stand between those of another, on every page.
    let mut pages = search().limit(1).into_paginator().send();
    let mut times = Vec::new();
    while let Some(page) = pages.next().await {
        times.extend(
            page.unwrap()
                .events()
                .iter()
                .filter_map(|event| event.timestamp()),
        );
    }
    assert_eq!(times, [10, 20, 30]);
    let refused = search().filter_pattern("[a, b]").send().await.unwrap_err();
    assert_eq!(code(&refused), "InvalidParameterException");
}

#[tokio::test]
async fn streams_are_listed_by_name_or_newest_first() {
    let (_cloud, logs) = cloud_with_group().await;
    put(&logs, "a", &[(30, "x")]).await;
    put(&logs, "b", &[(10, "x")]).await;
    let list = || logs.describe_log_streams().log_group_name(GROUP);
    let newest = list()
        .order_by(OrderBy::LastEventTime)
        .descending(true)
        .limit(1)
        .send()
        .await
        .unwrap();
    assert_eq!(newest.log_streams()[0].log_stream_name(), Some("a"));
    assert_eq!(newest.log_streams()[0].last_event_timestamp(), Some(30));
    let rest = list()
        .order_by(OrderBy::LastEventTime)
        .descending(true)
        .set_next_token(newest.next_token);
    assert_eq!(
        rest.send().await.unwrap().log_streams()[0].log_stream_name(),
        Some("b")
    );
    let missing = logs
        .put_log_events()
        .log_group_name(GROUP)
        .log_stream_name("none")
        .log_events(event(1, "x"));
    assert_eq!(
        code(&missing.send().await.unwrap_err()),
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn a_role_writes_where_its_policy_says() {
    let cloud = TestCloud::start().await;
    cloud
        .logs()
        .create_log_group()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": format!("arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}:*"),
    }]});
    let logs = cloud.logs_as(cloud.session("writer", &policy).await);
    put(&logs, "s", &[(1, "allowed")]).await;
    let denied = logs
        .create_log_group()
        .log_group_name("/other")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&denied), "AccessDeniedException");
}

#[tokio::test]
async fn an_operation_that_is_not_built_says_so() {
    let cloud = TestCloud::start().await;
    let refused = cloud.logs().describe_queries().send().await.unwrap_err();
    assert_eq!(code(&refused), "NotImplemented");
    assert!(refused.message().unwrap().contains("logs DescribeQueries"));
}

#[tokio::test]
async fn what_no_retention_keeps_is_not_told_and_deleted() {
    let (cloud, logs) = cloud_with_group().await;
    let now = jiff::Timestamp::now().as_millisecond();
    let days_ago = |days: i64| now - days * 24 * 3_600_000;
    let old: Vec<_> = (0..2500).map(|at| (days_ago(2) + at, "old")).collect();
    put(&logs, "s", &old).await;
    put(&logs, "s", &[(now, "new")]).await;
    let keep = logs
        .put_retention_policy()
        .log_group_name(GROUP)
        .retention_in_days(1);
    keep.send().await.unwrap();

    let told = logs
        .filter_log_events()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    assert_eq!(
        messages(told.events().iter().map(|event| event.message())),
        ["new"]
    );
    let told = logs
        .get_log_events()
        .log_group_name(GROUP)
        .log_stream_name("s")
        .start_from_head(true);
    let told = told.send().await.unwrap();
    assert_eq!(
        messages(told.events().iter().map(|event| event.message())),
        ["new"]
    );
    let late = logs.put_log_events().log_group_name(GROUP).log_stream_name("s");
    let late = late
        .log_events(event(days_ago(3), "late"))
        .log_events(event(now, "new"));
    let rejected = late.send().await.unwrap().rejected_log_events_info.unwrap();
    assert_eq!(rejected.expired_log_event_end_index, Some(1));

    let cloud = cloud.restart().await;
    let db = rusqlite::Connection::open(cloud.data_dir().join("cloud.db")).unwrap();
    for _ in 0..1500 {
        let left: i64 = db
            .query_row("SELECT count(*) FROM log_events", [], |row| row.get(0))
            .unwrap();
        if left == 2 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("old events are still there");
}

fn messages<'a>(all: impl Iterator<Item = Option<&'a str>>) -> Vec<&'a str> {
    all.flatten().collect()
}
