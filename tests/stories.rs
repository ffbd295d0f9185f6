//! The story of an execution: its states, with what the function logged at its place, and what is missing said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::near::NearCloud;
use common::{Ended, Place, sample};
use resizer_local::Realism;
use rusqlite::Connection;
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
    let quiet = invoke(&place, &["--quiet", "--again"]).ok();
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
    near.fail_a_function();
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
    assert_eq!(tries[0]["found_by"], "input", "{told}");
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
        failed < ran && story.stdout.contains("by the input"),
        "{}",
        story.stdout
    );
}

#[test]
fn lines_for_people_are_found_and_told_as_those_for_programs_are() {
    let near = NearCloud::start();
    std::fs::write(
        near.place.path().join("resizer.toml"),
        "[logs]\nformat = \"text\"\n",
    )
    .unwrap();
    near.place.resizer(&["up", "--local"]).ok();
    near.fail_a_function();
    let invoked = invoke(&near.place, &[]).ok();
    let resized = "log  INFO resized \"rocket.jpg\" of resizer-original-";
    assert!(invoked.stderr.contains(resized), "{}", invoked.stderr);

    let told = told(&near.place, &newest(&near.place), |told| {
        told["steps"][0]["tries"][1]["report"] != Value::Null
    });
    let tries = &told["steps"][0]["tries"];
    let line = |number: usize| tries[number]["lines"][0]["message"].as_str().unwrap();
    assert_eq!(tries[0]["found_by"], "input", "{told}");
    assert!(line(0).contains("; the event was {"), "{told}");
    assert_eq!(tries[1]["found_by"], "request_id", "{told}");
    assert!(line(1).contains(" (JPEG, 640x427, 47029 bytes) to "), "{told}");
    assert!(line(1).contains("; milliseconds: download "), "{told}");

    let logs = near.place.resizer(&["logs", "--local"]).ok().stdout;
    assert!(logs.contains("  INFO resized \"rocket.jpg\" of"), "{logs}");
    let request = tries[1]["request_id"].as_str().unwrap();
    let of_key = near
        .place
        .resizer(&["logs", "--local", "--key", "rocket.jpg", "--json"]);
    let lines = of_key.ok().stdout;
    let own = lines.lines().find(|line| line.contains("INFO RequestId"));
    assert!(own.unwrap_or_default().contains(request), "{lines}");
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
    let story = story.says("Step Functions' own, since the log does not have all of them");
    for words in [
        "✓ Resize ",
        "log  CloudWatch Logs takes some seconds to have them",
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
    // With its last line: a late one would make the group anew.
    invoke(&place, &[]).ok();
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
        "log  the log group /aws/lambda/resizer-resize is not there; `resizer up --local`",
    ] {
        assert!(story.stdout.contains(words), "{words}: {}", story.stdout);
    }
}

#[tokio::test]
async fn where_the_state_machine_s_logging_is_off_that_is_said_at_once() {
    let place = Place::with_stack();
    let states = aws_sdk_sfn::Client::new(&place.sdk_config());
    let machines = states.list_state_machines().send().await.unwrap();
    let off = aws_sdk_sfn::types::LoggingConfiguration::builder().level(aws_sdk_sfn::types::LogLevel::Off);
    let update = states
        .update_state_machine()
        .state_machine_arn(machines.state_machines()[0].state_machine_arn());
    let update = update.logging_configuration(off.build());
    update.send().await.unwrap();
    // With its last line.
    invoke(&place, &["--key", "a.jpg"]).ok();
    let off = "the state machine's logging is off; `resizer up --local` switches it on";
    let execution = newest(&place);
    for args in [
        ["status", "--local", "--execution", &execution],
        ["logs", "--local", "--execution", &execution],
        ["logs", "--local", "--key", "a.jpg"],
    ] {
        place.resizer(&args).ok().says(off);
    }
    place
        .resizer(&["logs", "--local", "--key", "a.jpg"])
        .says("found by --execution, with a name that `resizer status --local --key a.jpg` lists");
    // The function's lines are there all the same.
    let both = place.resizer(&["logs", "--local"]).ok().says(off);
    assert!(both.stdout.contains("INFO answer"), "{}", both.stdout);
    let function = place.resizer(&["logs", "--local", "--function"]).ok();
    assert!(!function.stderr.contains(off), "{}", function.stderr);
}

/// Changes what the place's local cloud has in its store, which is stopped meanwhile.
fn rewrite(place: &Place, statements: &str) {
    place.resizer(&["local", "stop"]).ok();
    let db = Connection::open(place.path().join(".resizer/local/cloud.db")).unwrap();
    db.execute_batch(statements).unwrap();
}

#[test]
fn of_two_whose_names_begin_alike_none_is_taken_for_the_other() {
    let place = Place::with_stack();
    invoke(&place, &["--quiet"]).ok();
    // A thousand are listed at once.
    let columns = "revision, status, input, started, stopped, output, error, cause, run";
    rewrite(
        &place,
        &format!(
            "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 1200)
             INSERT INTO executions (machine, name, {columns})
                 SELECT machine, CASE n WHEN 1 THEN 'twin-a' WHEN 1200 THEN 'twin-b' ELSE 'load-' || n END, {columns}
                 FROM executions, count ORDER BY n"
        ),
    );
    place
        .resizer(&["status", "--local", "--execution", "twin-"])
        .code(1)
        .says("2 executions have names that begin with twin-")
        .says("twin-b and twin-a");
    place
        .resizer(&["status", "--local", "--execution", "twin-a"])
        .ok();
}

/// Four hundred days: longer than any log is kept.
const LONG_AGO: &str = "400 * 86400000";

#[test]
fn of_an_execution_older_than_its_logs_it_is_said_that_they_are_gone() {
    let place = Place::with_stack();
    invoke(&place, &["--quiet"]).ok();
    let execution = newest(&place);
    rewrite(
        &place,
        &format!("UPDATE executions SET started = started - {LONG_AGO}, stopped = stopped - {LONG_AGO}"),
    );
    let story = place
        .resizer(&["status", "--local", "--execution", &execution])
        .ok();
    let story =
        story.says("the log does not have all of them: the log group /aws/vendedlogs/states/resizer-resize keeps lines for ");
    assert!(story.stdout.contains("SUCCEEDED in"), "{}", story.stdout);
    place
        .resizer(&["logs", "--local", "--execution", &execution])
        .ok()
        .says("nothing of it is to be read: the log group /aws/vendedlogs/states/resizer-resize keeps lines for ");
}

#[test]
fn where_the_log_does_not_tell_the_keys_of_older_executions_that_is_said() {
    let place = Place::with_stack();
    invoke(&place, &["--quiet", "--key", "old/a.jpg"]).ok();
    rewrite(
        &place,
        &format!(
            "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 350)
             INSERT INTO executions (machine, name, revision, status, input, started, stopped, output, error, cause, run)
                 SELECT machine, 'old-' || n, revision, status, input, started - {LONG_AGO} + n * 1000,
                        stopped - {LONG_AGO} + n * 1000, output, error, cause, run
                 FROM executions, count ORDER BY n;
             DELETE FROM executions WHERE name NOT LIKE 'old-%';"
        ),
    );
    let key = ["status", "--local", "--key", "old/", "--limit"];
    // Step Functions itself tells of the newest.
    let few = place.json(&[&key[..], &["100"]].concat());
    assert_eq!(few["executions"].as_array().unwrap().len(), 100);
    assert_eq!(few["executions_missing"], serde_json::json!([]));

    let many = place.json(&[&key[..], &["101"]].concat());
    assert_eq!(many["executions"].as_array().unwrap().len(), 100);
    let shown = place.resizer(&[&key[..], &["101"]].concat()).ok().stdout;
    let said = [
        "200 older executions may be for such keys as well",
        "tell of their beginning (the log group /aws/vendedlogs/states/resizer-resize keeps lines for ",
        "only the newest 300 executions were looked at: `--since 7d` looks further back",
    ];
    for words in said {
        assert!(shown.contains(words), "{words}: {shown}");
        assert!(
            many["executions_missing"].to_string().contains(words),
            "{words}: {many}"
        );
    }
}

/// An execution whose first try failed in the function: its name, and what is told of its tries.
fn failed_once(near: &NearCloud) -> (String, Value) {
    near.place.resizer(&["up", "--local"]).ok();
    near.fail_a_function();
    invoke(&near.place, &["--quiet"]).ok();
    let execution = newest(&near.place);
    let told = told(&near.place, &execution, |told| {
        told["steps"][0]["tries"][1]["report"] != Value::Null
    });
    (execution, told)
}

/// Makes these all that the function's log group has, each so many milliseconds after 1970.
async fn log_only(place: &Place, lines: &[(i64, String)]) {
    let logs = aws_sdk_cloudwatchlogs::Client::new(&place.sdk_config());
    let (group, stream) = ("/aws/lambda/resizer-resize", "other");
    let delete = logs.delete_log_group().log_group_name(group);
    delete.send().await.unwrap();
    let create = logs.create_log_group().log_group_name(group);
    create.send().await.unwrap();
    let create = logs.create_log_stream().log_group_name(group);
    create.log_stream_name(stream).send().await.unwrap();
    let event = |(millis, text): &(i64, String)| {
        let event = aws_sdk_cloudwatchlogs::types::InputLogEvent::builder();
        event.timestamp(*millis).message(text).build().unwrap()
    };
    let put = logs.put_log_events().log_group_name(group);
    let put = put.log_stream_name(stream);
    let events = lines.iter().map(event).collect();
    put.set_log_events(Some(events)).send().await.unwrap();
}

/// What the function logs of a failure.
fn failure(request: &Value, event: &Value) -> String {
    let line =
        serde_json::json!({"level": "ERROR", "requestId": request, "failure": "slow down", "event": event});
    line.to_string()
}

fn millis(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_millisecond()
}

#[tokio::test]
async fn the_function_s_clock_may_differ_from_that_of_step_functions() {
    let near = NearCloud::start();
    let (execution, told) = failed_once(&near);
    let tries = &told["steps"][0]["tries"];
    let early = millis(&tries[0]["began"]) - 30_000;
    let request = &tries[0]["request_id"];
    log_only(&near.place, &[(early, failure(request, &told["input"]))]).await;
    let again = near.place.json(&["status", "--local", "--execution", &execution]);
    let first = &again["steps"][0]["tries"][0];
    assert_eq!(first["found_by"], "input", "{again}");
    assert_eq!(first["request_id"], *request, "{again}");
}

#[tokio::test]
async fn another_execution_s_lines_are_not_taken_for_this_one_s_that_are_not_there() {
    let near = NearCloud::start();
    let (execution, told) = failed_once(&near);
    let meanwhile = millis(&told["steps"][0]["tries"][0]["began"]) + 1;
    let request = Value::from("aaaaaaaa-7a3e-4c1f-9d4e-0a1b2c3d4e5f");
    let mut event = told["input"].clone();
    event["key"] = "other.jpg".into();
    let start = format!("START RequestId: {} Version: 1", request.as_str().unwrap());
    let lines = [(meanwhile, start), (meanwhile, failure(&request, &event))];
    log_only(&near.place, &lines).await;
    let again = near.place.json(&["status", "--local", "--execution", &execution]);
    let first = &again["steps"][0]["tries"][0];
    assert_eq!(first["request_id"], Value::Null, "{again}");
    let why = first["lines_missing"].as_str().unwrap();
    assert!(why.starts_with("CloudWatch Logs takes some seconds"), "{again}");
}

#[tokio::test]
async fn of_two_executions_for_one_object_neither_has_the_other_s_lines() {
    let near = NearCloud::start();
    let (one, told) = failed_once(&near);
    near.fail_a_function();
    invoke(&near.place, &["--quiet", "--again"]).ok();
    let other = newest(&near.place);
    assert_ne!(one, other);
    let again = self::told(&near.place, &other, |told| {
        told["steps"][0]["tries"][0]["report"] != Value::Null
    });
    assert_eq!(again["input"], told["input"]);
    let failed = &again["steps"][0]["tries"][0];
    // Of the first one's nothing is there.
    let request = &failed["request_id"];
    log_only(
        &near.place,
        &[(millis(&failed["began"]) + 1, failure(request, &told["input"]))],
    )
    .await;
    let of = |execution: &str| near.place.json(&["status", "--local", "--execution", execution]);
    let (one, other) = (of(&one), of(&other));
    let first = |told: &Value| told["steps"][0]["tries"][0]["request_id"].clone();
    assert_eq!(first(&one), Value::Null, "{one}");
    assert_eq!(first(&other), *request, "{other}");
}

#[tokio::test]
async fn lines_of_one_millisecond_stand_as_they_were_written_and_a_flood_of_them_hides_no_report() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    invoke(&near.place, &["--quiet"]).ok();
    let execution = newest(&near.place);
    let told = told(&near.place, &execution, |told| {
        told["steps"][0]["tries"][0]["report"] != Value::Null
    });
    let ran = &told["steps"][0]["tries"][0];
    let (at, request) = (millis(&ran["began"]), ran["request_id"].as_str().unwrap());
    let start = (at, format!("START RequestId: {request} Version: 1"));
    let report = format!(
        "REPORT RequestId: {request}\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: 1769 MB\tMax Memory Used: 38 MB"
    );
    let line = |n: i64| {
        let id = if n % 2 == 0 { request } else { "without" };
        (at + 1, format!("line {n} {id}"))
    };
    let again = async |lines: i64| {
        let lines: Vec<_> = (0..lines).map(line).collect();
        let report = (at + 2, report.clone());
        log_only(
            &near.place,
            &[std::slice::from_ref(&start), &lines[..], &[report]].concat(),
        )
        .await;
        let told = near.place.json(&["status", "--local", "--execution", &execution]);
        told["steps"][0]["tries"][0].clone()
    };
    let few = again(6).await;
    let words: Vec<&str> = few["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["message"].as_str().unwrap().rsplit_once(' ').unwrap().0)
        .collect();
    assert_eq!(
        words,
        ["line 0", "line 1", "line 2", "line 3", "line 4", "line 5"],
        "{few}"
    );
    let flood = again(2_500).await;
    assert_ne!(flood["report"], Value::Null);
}

#[test]
fn a_function_that_dies_while_it_starts_has_its_last_words_told() {
    let near = NearCloud::start();
    // Without arguments it complains and ends.
    near.place
        .write_program("dying.zip", &std::fs::read("/bin/cp").unwrap());
    let up = ["up", "--local", "--handler-zip", "dying.zip"];
    near.place.resizer(&up).ok();
    let invoked = invoke(&near.place, &[]).code(1);
    assert!(invoked.stderr.contains("exit status 1"), "{}", invoked.stderr);
    assert!(
        invoked.stderr.contains("missing file operand"),
        "{}",
        invoked.stderr
    );
    let execution = newest(&near.place);
    let logs = near
        .place
        .resizer(&["logs", "--local", "--execution", &execution])
        .ok();
    assert!(
        logs.stdout.contains("Runtime exited with error"),
        "{}",
        logs.stdout
    );
}
