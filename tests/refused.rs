//! What a service does not tell takes nothing else from the screen: the rest is there, and why that is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::near::{NearCloud, refusal};
use common::sample;
use resizer_local::{Fault, Realism};

/// All calls of `operation` are refused to whoever makes them.
fn denied(operation: &str) -> Realism {
    Realism {
        faults: vec![Fault {
            operation: operation.to_owned(),
            call: 1,
            times: u64::MAX,
            after: false,
            does: refusal(403, "AccessDeniedException", "not authorized to perform it"),
        }],
        ..Realism::default()
    }
}

#[test]
fn a_status_shows_all_that_it_may_read_and_why_the_rest_is_missing() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.place.invoke(&sample("rocket.jpg"), "rocket.jpg").ok();

    let (all_right, in_the_list, counted) = (
        "Resources: all 13 there and right",
        "  rocket.jpg",
        "invocations 1, errors 0",
    );
    for (operation, is_said, is_there) in [
        (
            "monitoring:GetMetricData",
            "they could not be read: cloudwatch:GetMetricData",
            [all_right, in_the_list, "memory "],
        ),
        (
            "logs:FilterLogEvents",
            "the function's memory could not be read: logs:FilterLogEvents",
            [all_right, in_the_list, counted],
        ),
        (
            "states:ListExecutions",
            "they could not be read: states:ListExecutions",
            [all_right, "Newest executions: none", counted],
        ),
        (
            "states:DescribeExecution",
            "what some were for could not be read: states:DescribeExecution",
            [all_right, "succeeded", counted],
        ),
        (
            "monitoring:GetDashboard",
            "cloudwatch:GetDashboard",
            [
                "Resources: 12 of 13 there and right, 1 not to be seen",
                in_the_list,
                counted,
            ],
        ),
        (
            "logs:DescribeLogGroups",
            "logs:DescribeLogGroups",
            [
                "Resources: 11 of 13 there and right, 2 not to be seen",
                in_the_list,
                counted,
            ],
        ),
    ] {
        near.behave(denied(operation));
        let status = near.place.resizer(&["status", "--local"]).ok();
        for words in is_there.into_iter().chain([is_said, "AccessDenied"]) {
            assert!(
                status.stdout.contains(words),
                "{operation}: {words}: {}",
                status.stdout
            );
        }
    }
}

#[test]
fn whether_all_is_right_cannot_be_told_of_what_is_not_to_be_seen() {
    let near = NearCloud::start();
    near.place.resizer(&common::near::UP).ok();
    let status = ["status", "--local", "--exit-code"];
    near.behave(denied("monitoring:GetDashboard"));
    near.place
        .resizer(&status)
        .code(1)
        .says("whether every resource is there and right cannot be told: cloudwatch:GetDashboard");
    let document = near.place.json(&["status", "--local"]);
    assert_eq!(document["healthy"], false);
    let unseen = document["resources"].as_array().unwrap();
    let unseen: Vec<_> = unseen.iter().filter(|it| it["state"] == "unseen").collect();
    assert_eq!(unseen.len(), 1, "{document:#}");
    assert!(
        unseen[0]["reason"].as_str().unwrap().contains("AccessDenied"),
        "{document:#}"
    );

    // Where anything is known to be wrong, that is the answer.
    let changed = "[logs]\nretention_days = 30\n";
    std::fs::write(near.place.path().join("resizer.toml"), changed).unwrap();
    near.place.resizer(&status).code(2);
}
