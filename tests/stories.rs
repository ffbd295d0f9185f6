//! The story of an execution: its states, with what the function logged at its place, and what is missing said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::near::{NearCloud, refusal};
use common::{Ended, Place, sample};
use resizer_local::{Fault, Realism};
use serde_json::Value;

/// Uploads a photograph and follows it: what is told of it.
fn invoke(place: &Place, more: &[&str]) -> Ended {
    let rocket = sample("rocket.jpg");
    let args = ["invoke", "--local", "--file", rocket.to_str().unwrap()];
    place.resizer(&[&args, more].concat())
}

/// The name of the newest execution.
fn newest(place: &Place) -> String {
    let status = place.json(&["status", "--local"]);
    status["executions"][0]["name"].as_str().unwrap().to_owned()
}

/// What `status --execution` tells programs, once the logs have come so far that `is_told` is true.
fn told(place: &Place, execution: &str, is_told: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let told = place.json(&["status", "--local", "--execution", execution]);
        if is_told(&told) {
            return told;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("not told within a minute");
}

#[test]
fn the_function_s_lines_and_its_report_stand_where_it_ran() {
    let place = Place::with_stack();
    let invoked = invoke(&place, &[]).ok();
    for words in ["log  INFO answer {", "ran  ", " of 1769 MB, cold start "] {
        assert!(invoked.stderr.contains(words), "{words}: {}", invoked.stderr);
    }
    let quiet = invoke(&place, &["--quiet"]).ok();
    assert_eq!(quiet.stderr, "");

    // The first one's: it started the function cold.
    let status = place.json(&["status", "--local"]);
    let execution = status["executions"][1]["name"].as_str().unwrap();
    let told = place.json(&["status", "--local", "--execution", execution]);
    let ran = &told["steps"][0]["tries"][0];
    assert_eq!(ran["found_by"], "request_id", "{told}");
    let line: Value = serde_json::from_str(ran["lines"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!(line["requestId"], ran["request_id"], "{told}");
    assert_eq!(ran["lines"].as_array().unwrap().len(), 1, "{told}");
    assert!(ran["report"]["billed_millis"].as_f64().unwrap() > 0.0, "{told}");
    assert!(ran["report"]["init_millis"].as_f64().unwrap() > 0.0, "{told}");
}

#[test]
fn a_try_that_failed_has_the_lines_of_its_time() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    // As often as the function itself tries.
    near.behave(Realism {
        faults: vec![Fault {
            operation: "s3:GetObject".to_owned(),
            call: 1,
            times: 3,
            after: false,
            does: refusal(503, "SlowDown", "Please reduce your request rate."),
        }],
        ..Realism::default()
    });
    let invoked = invoke(&near.place, &[]).ok();
    assert!(
        invoked.stderr.contains("↻ try 1 failed: S3.SlowDown"),
        "{}",
        invoked.stderr
    );
    let execution = newest(&near.place);
    let told = told(&near.place, &execution, |told| {
        told["steps"][0]["tries"][1]["report"] != Value::Null
    });
    let tries = &told["steps"][0]["tries"];
    assert_eq!(tries[0]["found_by"], "time", "{told}");
    assert!(
        tries[0]["lines"][0]["message"]
            .as_str()
            .unwrap()
            .contains("ERROR"),
        "{told}"
    );
    assert_eq!(tries[1]["found_by"], "request_id", "{told}");
    assert_ne!(tries[0]["request_id"], tries[1]["request_id"], "{told}");
    let story = near
        .place
        .resizer(&["status", "--local", "--execution", &execution])
        .ok();
    let (failed, ran) = (
        story.stdout.find("try 1 failed").unwrap(),
        story.stdout.find("ran  ").unwrap(),
    );
    assert!(
        failed < ran && story.stdout.contains("by the time"),
        "{}",
        story.stdout
    );
}

#[test]
fn lines_that_are_on_their_way_are_said_to_be_and_the_story_is_step_functions_own() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.behave(Realism {
        log_delivery: 3_600_000,
        ..Realism::default()
    });
    invoke(&near.place, &["--quiet"]).ok();
    let args = ["status", "--local", "--execution", &newest(&near.place)];
    let story = near.place.resizer(&args).ok();
    let story = story.says("Step Functions' own, since CloudWatch Logs does not have all of them");
    for words in [
        "✓ Resize ",
        "log  not there yet: CloudWatch Logs takes some seconds",
        "SUCCEEDED in",
    ] {
        assert!(story.stdout.contains(words), "{words}: {}", story.stdout);
    }
    assert_eq!(near.place.json(&args)["read_from"], "step_functions");
    near.behave(Realism::default());
    assert_eq!(near.place.json(&args)["read_from"], "cloudwatch_logs");
}

#[tokio::test]
async fn without_its_log_groups_the_story_is_told_all_the_same() {
    let place = Place::with_stack();
    invoke(&place, &["--quiet"]).ok();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&place.sdk_config());
    for group in [
        "/aws/lambda/resizer-resize",
        "/aws/vendedlogs/states/resizer-resize",
    ] {
        logs.delete_log_group()
            .log_group_name(group)
            .send()
            .await
            .unwrap();
    }
    let story = place
        .resizer(&["status", "--local", "--execution", &newest(&place)])
        .ok();
    let story = story.says("the log group /aws/vendedlogs/states/resizer-resize is not there");
    for words in [
        "✓ Resize ",
        "log  nowhere: the log group /aws/lambda/resizer-resize is not there; `resizer up --local`",
    ] {
        assert!(story.stdout.contains(words), "{words}: {}", story.stdout);
    }
}
