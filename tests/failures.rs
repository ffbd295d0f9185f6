//! What a person sees when something is wrong: one clear message that says what was tried, on what, and what to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::io::{Read, Write};

use common::gate::with_another_clock;
use common::near::empty_program;
use common::terminal::typed;
use common::{Ended, Place, eventually, sample};
use serde_json::json;

#[test]
fn a_name_that_aws_would_refuse_is_refused_before_the_first_call() {
    let place = Place::new();
    for stack in [
        "Prod",
        "my_stack",
        "-x",
        "a-name-far-longer-than-a-bucket-may-have",
    ] {
        place
            .resizer(&["up", "--local", &format!("--stack={stack}")])
            .code(2)
            .says("a stack's name");
    }
    assert!(!place.path().join(".resizer").exists(), "nothing was started");
}

#[test]
fn a_region_that_is_none_is_refused_and_a_local_cloud_keeps_its_own() {
    let place = Place::new();
    place
        .resizer(&["up", "--local", "--dry-run", "--region", "us-east-1/x"])
        .code(2)
        .says("us-east-1/x");
    let place = Place::with_a_cloud();
    place.resizer(&["local", "stop"]).ok();
    place
        .resizer(&["local", "env", "--region", "eu-west-1"])
        .code(1)
        .says("what was made in us-east-1")
        .says("leave the region out");
}

#[test]
fn missing_credentials_are_named() {
    let place = Place::new();
    let ended = place.resizer(&["status", "--region", "eu-central-1"]).code(1);
    ended.says("credentials").says("--local");
}

#[test]
fn a_missing_region_is_named() {
    let place = Place::new();
    place.resizer(&["status"]).code(2).says("--region");
}

#[test]
fn an_endpoint_that_does_not_answer_is_named() {
    let place = Place::new();
    let mut command = place.command(&[
        "status",
        "--region",
        "us-east-1",
        "--endpoint-url",
        "http://127.0.0.1:9",
    ]);
    command
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    Ended::from(command.output().unwrap())
        .code(1)
        .says("http://127.0.0.1:9");
}

#[test]
fn a_wrong_secret_is_named() {
    let place = Place::with_stack();
    let env = place.json(&["local", "env"]);
    let url = env["AWS_ENDPOINT_URL"].as_str().unwrap();
    let mut command = place.command(&["status", "--region", "us-east-1", "--endpoint-url", url]);
    command
        .env("AWS_ACCESS_KEY_ID", env["AWS_ACCESS_KEY_ID"].as_str().unwrap())
        .env("AWS_SECRET_ACCESS_KEY", "wrong");
    Ended::from(command.output().unwrap())
        .code(1)
        .says("SignatureDoesNotMatch")
        .says("secret key");
}

#[test]
fn a_configuration_that_is_not_understood_is_shown_with_its_place() {
    let place = Place::new();
    fs::write(place.path().join("resizer.toml"), "[resize]\nwidht = 3\n").unwrap();
    place
        .resizer(&["up", "--local"])
        .code(2)
        .says("widht")
        .says("resizer.toml");
    fs::write(place.path().join("resizer.toml"), "[resize]\nwidth = 0\n").unwrap();
    place.resizer(&["up", "--local"]).code(2).says("resize.width");
    for (wrong, words) in [
        ("resize.quality = 300", "resize.quality is a number from 1 to 100"),
        ("resize.width = \"wide\"", "expected a whole number"),
        ("resize = 5", "expected a table"),
        ("limits.side = 0", "limits.side"),
        ("stack = \"No\"", "stack: a stack's name"),
        (
            "region = \"No where\"",
            "region: \"No where\" is no region's name",
        ),
        (
            "buckets.resized = \"No\"",
            "buckets.resized: \"No\" is no bucket's name",
        ),
        ("limits.result_bytes = 99999999999", "limits.result_bytes"),
    ] {
        fs::write(place.path().join("resizer.toml"), wrong).unwrap();
        place.resizer(&["up", "--local"]).code(2).says(words);
    }
}

#[test]
fn a_configuration_without_end_is_not_read_to_its_end() {
    let place = Place::new();
    place
        .resizer(&["plan", "--local", "--config", "/dev/zero"])
        .code(2)
        .says("larger than 64 KiB");
}

#[test]
fn an_object_that_is_not_there_is_named() {
    let place = Place::with_stack();
    place
        .resizer(&["invoke", "--local", "--key", "nowhere.jpg"])
        .code(1)
        .says("nowhere.jpg");
}

/// Starts an execution, and waits until it has failed.
async fn failed_execution(place: &Place, input: &serde_json::Value) -> serde_json::Value {
    let states = aws_sdk_sfn::Client::new(&place.sdk_config());
    let machine = place.outputs()["state_machine_arn"].as_str().unwrap().to_owned();
    let start = states.start_execution().name("by-hand").input(input.to_string());
    start.state_machine_arn(machine).send().await.unwrap();
    eventually("the execution's end", || async {
        let told = place.json(&["status", "--local", "--execution", "by-hand"]);
        (told["status"] == "FAILED").then_some(told)
    })
    .await
}

/// Whoever knows the API's URL may name any bucket: that is no reason to let the function read there.
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_in_another_bucket_is_refused_unread() {
    let place = Place::with_stack();
    let input = json!({"bucket": "others", "key": "a.jpg", "size": 1});
    let told = failed_execution(&place, &input).await;
    let own = &place.outputs()["original_bucket"];
    let reason = format!(
        "the event names bucket others, and this function reads pictures of {} alone",
        own.as_str().unwrap()
    );
    assert_eq!(told["error"], reason);
}

/// It was deleted between its event and its execution: that is no fault of the function's, and no retry brings it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_gone_is_its_own_reason() {
    let place = Place::with_stack();
    let bucket = &place.outputs()["original_bucket"];
    let told = failed_execution(&place, &json!({"bucket": bucket, "key": "gone.jpg", "size": 1})).await;
    assert_eq!(
        told["error"],
        "the source object does not exist (NoSuchKey): it was deleted, or never there"
    );
    assert_eq!(told["steps"][0]["retries"], 0, "{told}");
}

#[test]
fn limits_that_are_set_are_the_functions() {
    let place = Place::with_stack();
    for (limit, words) in [
        ("side = 600", "its longer side is 600 pixels (limits.side)"),
        (
            "result_bytes = 1000",
            "the limit of 1000 bytes for one (limits.result_bytes)",
        ),
        ("pixels = 1000", "(limits.pixels)"),
        ("source_bytes = 1000", "(limits.source_bytes)"),
    ] {
        fs::write(place.path().join("resizer.toml"), format!("[limits]\n{limit}\n")).unwrap();
        place.resizer(&["up", "--local"]).ok();
        place
            .invoke(&sample("rocket.jpg"), "rocket.jpg")
            .code(1)
            .says(words);
    }
}

#[test]
fn without_a_stack_every_command_says_how_to_get_one() {
    let place = Place::new();
    place
        .resizer(&["status", "--local"])
        .code(1)
        .says("resizer up --local");
    place
        .resizer(&["invoke", "--local", "--key", "a.jpg"])
        .code(1)
        .says("resizer up --local");
}

#[test]
fn where_no_local_cloud_was_ever_started_there_is_nothing_to_remove() {
    let place = Place::new();
    let down = place.resizer(&["down", "--local"]).ok();
    assert!(
        down.stdout.contains("no local cloud stands here"),
        "{}",
        down.stdout
    );
    let told = place.json(&["down", "--local", "--yes"]);
    assert_eq!(told["removed"], json!([]), "{told}");
    assert!(!place.path().join(".resizer").exists(), "something was started");
}

#[test]
fn this_machines_processor_cannot_be_chosen() {
    let place = Place::new();
    place
        .resizer(&["up", "--local", "--architecture", "arm64"])
        .code(2)
        .says("--architecture");
    place
        .resizer(&["--local", "plan", "--architecture", "x86_64"])
        .code(2)
        .says("--architecture");
}

#[test]
fn who_forgets_that_it_is_a_local_cloud_is_told() {
    let hint = "this folder has a local cloud: --local is for it";
    let forgotten = Place::with_a_cloud();
    forgotten.resizer(&["status"]).code(2).says(hint);
    let elsewhere = Place::new().resizer(&["status"]).code(2);
    assert!(!elsewhere.stderr.contains(hint), "{}", elsewhere.stderr);
}

#[test]
fn with_json_every_failure_is_one_document_on_stdout() {
    let place = Place::new();
    for (args, code, words) in [
        (
            &["status", "--local", "--json"][..],
            1,
            "no local cloud stands here",
        ),
        (&["status", "--json"], 2, "no AWS region is set"),
        (&["up", "--frobnicate", "--json"], 2, "--frobnicate"),
        (&["invoke", "--local", "--json"], 2, "--key"),
        (&["up", "--local", "--stack", "No", "--json"], 2, "a stack's name"),
    ] {
        let told = place.resizer(args).code(code).document();
        let error = told["error"].as_str().unwrap();
        assert!(error.contains(words), "{args:?}: {told}");
        assert!(told["hints"].is_array(), "{args:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_our_name_but_is_not_ours_is_left_alone() {
    let place = Place::with_a_cloud();
    let iam = aws_sdk_iam::Client::new(&place.sdk_config());
    iam.create_role()
        .role_name("resizer-us-east-1-rule")
        .assume_role_policy_document(TRUST)
        .send()
        .await
        .unwrap();

    place
        .resizer(&["up", "--local"])
        .code(1)
        .says("role resizer-us-east-1-rule")
        .says("is not touched")
        .says("resizer:stack=resizer");
    let buckets = place.s3().list_buckets().send().await.unwrap();
    assert_eq!(buckets.buckets().len(), 0, "nothing was begun");
    let down = place.resizer(&["down", "--local", "--yes"]).ok();
    let left = "what is left: role resizer-us-east-1-rule, which is not the stack's: it has no tag";
    assert!(down.stdout.contains(left), "{}", down.stdout);
    iam.get_role()
        .role_name("resizer-us-east-1-rule")
        .send()
        .await
        .unwrap();
}

/// A role's trust policy.
const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
]}"#;

#[test]
fn down_asks_before_it_deletes() {
    let place = Place::with_stack();
    place.resizer(&["down", "--local"]).code(2).says("--yes");
    place.resizer(&["status", "--local"]).ok();
}

#[test]
fn down_takes_no_for_an_answer_and_yes_too() {
    let place = Place::with_stack();
    let (status, said) = typed(&place, &["down", "--local"], "n\n");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("Remove it all? Type resizer or y:"), "{said}");
    assert!(said.contains("nothing was removed"), "{said}");
    place.resizer(&["status", "--local"]).ok();

    let (status, said) = typed(&place, &["down", "--local"], "resizer\n");
    assert!(status.success(), "{said}");
    place.resizer(&["status", "--local"]).code(1);
}

#[test]
fn a_function_zip_that_lambda_could_not_run_is_refused() {
    let place = Place::new();
    let junk = place.path().join("junk.zip");
    fs::write(&junk, b"not a zip").unwrap();
    place
        .resizer(&["up", "--local", "--handler-zip", "junk.zip"])
        .code(1)
        .says("junk.zip");
    place
        .resizer(&["up", "--local", "--handler-zip", "missing.zip"])
        .code(1)
        .says("missing.zip");

    let mut foreign = empty_program();
    // The processor of an ELF (`e_machine`), here z/Architecture.
    foreign[18..20].copy_from_slice(&22_u16.to_le_bytes());
    place.write_program("foreign.zip", &foreign);
    place
        .resizer(&["up", "--local", "--handler-zip", "foreign.zip"])
        .code(1)
        .says("foreign.zip")
        .says("another processor (ELF machine 22)");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::with_stack();
    let mut child = place.spawn(&["status", "--local"]);
    drop(child.stdout.take());
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert!(!ended.stderr.contains("panic"), "{}", ended.stderr);
    ended.ok();
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let place = Place::with_stack();
    let mut status = place.command(&["status", "--local"]);
    status.stdout(fs::File::create("/dev/full").unwrap());
    Ended::from(status.output().unwrap())
        .code(1)
        .says("cannot be written");
    let mut help = place.command(&["--help"]);
    help.stdout(fs::File::create("/dev/full").unwrap());
    Ended::from(help.output().unwrap()).code(1);
}

#[test]
fn a_post_without_a_key_is_refused_and_starts_nothing() {
    let place = Place::with_stack();
    let url = place.outputs()["api_url"].as_str().unwrap().to_owned();
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "no json",
        r#"{"key": 5}"#,
        r#"{"key": ""}"#,
        r#"{"Key": "a.jpg"}"#,
        r#"{"key": "a.jpg", "size": "1"}"#,
        r#"{"key": "a.jpg", "width": 50}"#,
        r#"{"size": 1}"#,
        r#"{"Records": 1}"#,
    ] {
        assert_eq!(post(&url, body), 400, "{body}");
    }
    assert_eq!(place.json(&["status", "--local"])["executions"], json!([]));
    for body in [
        r#"{"key": "a.jpg"}"#,
        r#"{"bucket": "a-bucket", "key": "a.jpg", "size": 1}"#,
        r#"{"Records": [{"s3": {"bucket": {"name": "a-bucket"}, "object": {"key": "a.jpg"}}}]}"#,
    ] {
        assert_eq!(post(&url, body), 200, "{body}");
    }
}

/// The answer's status.
fn post(url: &str, body: &str) -> u16 {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Changes what the function's role may do, by hand.
async fn change_the_functions_policy(place: &Place, change: impl FnOnce(&mut Vec<serde_json::Value>)) {
    let iam = aws_sdk_iam::Client::new(&place.sdk_config());
    let role = place.outputs()["roles"]["function"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let policies = iam.list_role_policies().role_name(&role).send().await.unwrap();
    let policy = policies.policy_names()[0].clone();
    let standing = iam
        .get_role_policy()
        .role_name(&role)
        .policy_name(&policy)
        .send()
        .await
        .unwrap();
    let document = percent_decoded(standing.policy_document());
    let mut document: serde_json::Value = serde_json::from_str(&document).unwrap();
    change(document["Statement"].as_array_mut().unwrap());
    iam.put_role_policy()
        .role_name(&role)
        .policy_name(&policy)
        .policy_document(document.to_string())
        .send()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_permission_to_write_the_execution_fails_with_access_denied() {
    let place = Place::with_stack();
    change_the_functions_policy(&place, |statements| {
        statements.retain(|statement| statement["Action"] != "s3:PutObject");
    })
    .await;

    let rocket = sample("rocket.jpg");
    let arguments = [
        "invoke",
        "--local",
        "--key",
        "r.jpg",
        "--file",
        rocket.to_str().unwrap(),
        "--json",
    ];
    let told = place.resizer(&arguments).code(1).document();
    assert_eq!(told["status"], "FAILED", "{told}");
    let reason = format!("{} {}", told["error"], told["cause"]);
    assert!(
        reason.contains("AccessDenied") && reason.contains("s3:PutObject"),
        "{told}"
    );

    // It is drift like any other: `up` puts it back.
    let repaired = place.json(&["up", "--local"]);
    assert_eq!(repaired["changed"], true, "{repaired}");
    place.resizer(&["invoke", "--local", "--key", "r.jpg"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_rendition_is_not_stored_the_execution_fails_and_names_those_that_were() {
    let place = Place::new();
    let three =
        ["large", "middle", "small"].map(|name| format!("[[rendition]]\nname = \"{name}\"\nwidth = 100\n"));
    fs::write(place.path().join("resizer.toml"), three.concat()).unwrap();
    place.resizer(&["up", "--local"]).ok();
    change_the_functions_policy(&place, |statements| {
        statements.push(json!({
            "Effect": "Deny",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::*/output/r_middle.jpg",
        }));
    })
    .await;

    let rocket = sample("rocket.jpg");
    let file = rocket.to_str().unwrap();
    let arguments = ["invoke", "--local", "--key", "r.jpg", "--file", file, "--json"];
    let told = place.resizer(&arguments).code(1).document();
    let cause = told["cause"].as_str().unwrap();
    assert!(
        cause.contains("key output/r_middle.jpg: HTTP 403 AccessDenied"),
        "{told}"
    );
    assert!(
        cause.contains("; stored were output/r_large.jpg, output/r_small.jpg"),
        "{told}"
    );
    let s3 = place.s3();
    let listed = s3
        .list_objects_v2()
        .bucket(place.outputs()["resized_bucket"].as_str().unwrap());
    let listed = listed.send().await.unwrap();
    let keys: Vec<_> = listed
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    assert_eq!(keys, ["output/r_large.jpg", "output/r_small.jpg"]);

    // Once it may be stored, the same event completes them.
    place.resizer(&["up", "--local"]).ok();
    let told = place.json(&["invoke", "--local", "--key", "r.jpg"]);
    assert_eq!(
        told["output"]["renditions"].as_array().unwrap().len(),
        3,
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_the_local_cloud_has_lost_nothing() {
    let place = Place::with_stack();
    let rocket = sample("rocket.jpg");
    place
        .resizer(&[
            "invoke",
            "--local",
            "--key",
            "r.jpg",
            "--file",
            rocket.to_str().unwrap(),
        ])
        .ok();
    let before = place.json(&["status", "--local"]);

    place.kill_the_cloud();

    let after = place.json(&["status", "--local"]);
    assert_eq!(after["outputs"], before["outputs"]);
    assert_eq!(after["executions"], before["executions"]);
    let told = place.json(&["invoke", "--local", "--key", "r.jpg", "--again"]);
    assert_eq!(told["earlier"], false, "{told}");
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            decoded.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).unwrap()
}

#[test]
fn a_clock_that_is_off_is_told_of_and_reckoned_with() {
    let place = Place::with_stack();
    let rocket = sample("rocket.jpg");
    place
        .resizer(&["invoke", "--local", "--file", rocket.to_str().unwrap()])
        .ok();
    let newest = |place: &Place| place.json(&["status", "--local", "--since", "5m"])["executions"].clone();
    assert_eq!(newest(&place).as_array().unwrap().len(), 1);
    // At its cloud it is later: what has just ended is ten minutes old there.
    with_another_clock(&place, 600);
    let status = place.resizer(&["status", "--local", "--since", "5m"]).ok();
    let status = status.says("this machine's clock is 10 minutes behind AWS's, which all times here are by");
    assert!(status.stdout.contains(": none"), "{}", status.stdout);
    assert_eq!(newest(&place), json!([]));
}
