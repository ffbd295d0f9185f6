//! The whole life of a stack, as a person drives it: up, up again, pictures through it three ways, status, down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use common::{Ended, Place, corpus, sample, signal};
use serde_json::{Value, json};
use zip::ZipArchive;

/// How long a test waits for a line to come.
const PATIENCE: Duration = Duration::from_secs(60);

const OUTPUTS: [&str; 16] = [
    "account",
    "api_url",
    "dashboard",
    "dashboard_url",
    "function_arn",
    "function_name",
    "log_groups",
    "original_bucket",
    "region",
    "resized_bucket",
    "rest_api_id",
    "roles",
    "rule_arn",
    "rule_name",
    "stack",
    "state_machine_arn",
];

#[test]
fn a_photograph_goes_through_the_whole_pipeline() {
    let place = Place::new();

    let first = place.json(&["up", "--local"]);
    assert_eq!(first["changed"], true, "{first}");
    let outputs = &first["outputs"];
    assert_eq!(outputs["stack"], "resizer");
    assert_eq!(outputs["account"], "000000000000");
    let mut fields: Vec<&str> = outputs.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, OUTPUTS, "scripts rely on these words");

    let again = place.json(&["up", "--local"]);
    assert_eq!(
        again["changed"], false,
        "the second run has nothing to do: {again}"
    );
    assert_eq!(&again["outputs"], outputs);

    let rocket = sample("rocket.jpg");
    let rocket = rocket.to_str().unwrap();
    let told = place.json(&["invoke", "--local", "--key", "in/rocket.jpg", "--file", rocket]);
    assert_eq!(told["status"], "SUCCEEDED", "{told}");
    assert_eq!(told["result"]["bucket"], outputs["resized_bucket"]);
    assert_eq!(told["result"]["key"], "output/in/rocket_resized.jpg");
    assert_eq!(
        (
            told["result"]["width"].as_u64(),
            told["result"]["height"].as_u64()
        ),
        (Some(500), Some(334))
    );

    let status = place.json(&["status", "--local"]);
    let executions = status["executions"].as_array().unwrap();
    assert_eq!(
        executions.len(),
        1,
        "the upload started one execution, and invoke no second: {status}"
    );
    assert_eq!(executions[0]["key"], "in/rocket.jpg");

    for via in ["states", "api"] {
        let invoke = [
            "invoke",
            "--local",
            "--key",
            "in/rocket.jpg",
            "--again",
            "--via",
            via,
        ];
        let told = place.json(&invoke);
        assert_eq!(told["status"], "SUCCEEDED", "via {via}: {told}");
        assert_eq!(told["earlier"], false, "via {via} it ran: {told}");
        assert_eq!(told["result"]["key"], "output/in/rocket_resized.jpg");
    }

    let down = place.json(&["down", "--local", "--yes"]);
    let removed = down["removed"].as_array().unwrap();
    assert!(removed.len() >= 10, "{down}");
    let originals = removed.iter().find(|each| each["resource"] == "original_bucket");
    let bytes = std::fs::metadata(rocket).unwrap().len();
    assert_eq!(
        originals.unwrap()["contents"],
        json!({"objects": 1, "bytes": bytes, "truncated": false}),
        "what it took with it is told"
    );
    let again = place.resizer(&["down", "--local", "--yes"]).ok();
    assert!(again.stdout.contains("nothing to remove"), "{}", again.stdout);
}

#[test]
fn a_bad_image_fails_with_the_handlers_reason() {
    let place = Place::with_stack();
    for name in ["bad-truncated.jpg", "bad-html.png", "bad-empty.jpg"] {
        let file = corpus(name);
        let ended = place
            .resizer(&[
                "invoke",
                "--local",
                "--key",
                name,
                "--file",
                file.to_str().unwrap(),
                "--json",
            ])
            .code(1);
        let told = ended.document();
        assert_eq!(told["status"], "FAILED", "{told}");
        assert!(!told["cause"].as_str().unwrap().is_empty(), "{told}");
        assert_eq!(told["error"], told["cause"], "{told}");

        let execution = told["execution"].as_str().unwrap();
        let history = place
            .resizer(&["status", "--local", "--execution", execution])
            .ok();
        assert!(
            history.stdout.contains(told["cause"].as_str().unwrap()),
            "{}",
            history.stdout
        );
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let place = Place::new();
    let mut command = place.command(&["up", "--local", "--dry-run", "--json"]);
    command.env("XDG_CACHE_HOME", place.path().join("cache"));
    let plan = Ended::from(command.output().unwrap()).ok().document();
    assert_eq!(plan["dryRun"], true, "{plan}");
    assert_eq!(plan["outputs"]["account"], "000000000000", "{plan}");
    let changes = plan["changes"].as_array().unwrap();
    assert!(changes.len() >= 10, "{plan}");
    assert!(
        changes.iter().all(|change| change["action"] == "create"),
        "{plan}"
    );
    assert_eq!(
        std::fs::read_dir(place.path()).unwrap().count(),
        0,
        "no folder of a local cloud, none to build in"
    );
}

#[test]
fn a_dry_run_on_a_stack_tells_what_differs_and_leaves_it() {
    let place = Place::with_stack();
    std::fs::write(place.path().join("resizer.toml"), "[resize]\nwidth = 120\n").unwrap();
    let plan = place.json(&["up", "--local", "--dry-run"]);
    let [function] = &changed(&plan)[..] else {
        panic!("{plan}");
    };
    assert_eq!(function["kind"], "function");
    assert_eq!(function["fields"][0]["field"], "environment", "{plan}");
    assert_eq!(place.json(&["status", "--local"])["healthy"], false);

    let carried_out = place.json(&["up", "--local"]);
    assert_eq!(carried_out["changes"], plan["changes"]);
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
}

/// Other code of the function is found by its hash; a ready zip is taken as it is.
#[test]
fn a_ready_zip_is_taken_and_told_from_the_code_built_here() {
    let place = Place::with_stack();
    let zip = place.path().join("other.zip");
    Place::built_zip_with_a_note(&zip);

    let up = place.json(&["up", "--local", "--handler-zip", "other.zip"]);
    let [function] = &changed(&up)[..] else {
        panic!("{up}");
    };
    assert_eq!(function["fields"][0]["field"], "code (sha-256)", "{up}");
    let rocket = sample("rocket.jpg");
    place
        .resizer(&["invoke", "--local", "--file", rocket.to_str().unwrap()])
        .ok();

    assert_eq!(place.json(&["status", "--local"])["healthy"], true);

    let up = place.json(&["up", "--local"]);
    assert_eq!(changed(&up).len(), 1, "{up}");
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
}

/// The same source gives the same zip on any machine: a folder's name in the program would make it another.
#[test]
fn the_function_knows_nothing_of_the_folders_it_was_built_in() {
    let _built = Place::with_stack();
    let zip = File::open(Place::built_zip()).unwrap();
    let mut program = Vec::new();
    let mut archive = ZipArchive::new(zip).unwrap();
    let mut entry = archive.by_name("bootstrap").unwrap();
    entry.read_to_end(&mut program).unwrap();
    let program = String::from_utf8_lossy(&program);
    let cargo_home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME"))
        .unwrap();
    for folder in [
        env!("CARGO_TARGET_TMPDIR"),
        env!("CARGO_MANIFEST_DIR"),
        &cargo_home,
    ] {
        assert!(!program.contains(folder), "{folder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_others_have_put_there_shows_and_is_put_back() {
    let place = Place::with_stack();
    let zip = place.path().join("other.zip");
    Place::built_zip_with_a_note(&zip);
    let lambda = aws_sdk_lambda::Client::new(&place.sdk_config());
    lambda
        .update_function_code()
        .function_name("resizer-resize")
        .zip_file(Blob::new(std::fs::read(zip).unwrap()))
        .send()
        .await
        .unwrap();

    let status = place.json(&["status", "--local"]);
    assert_eq!(status["healthy"], false, "{status}");
    assert!(status.to_string().contains("code changed by others"), "{status}");
    assert_eq!(place.json(&["up", "--local"])["changed"], true);
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
    assert_eq!(place.json(&["up", "--local"])["changed"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn down_ends_uploads_that_were_never_finished_whatever_their_key() {
    let place = Place::with_stack();
    let bucket = place.outputs()["original_bucket"].as_str().unwrap().to_owned();
    let s3 = place.s3();
    for key in ["plain.jpg", "a+b c%20.jpg", "\u{1}.jpg"] {
        // The answer repeats the key, and the last is none that XML can carry.
        let _ = s3.create_multipart_upload().bucket(&bucket).key(key).send().await;
    }
    let down = place.resizer(&["down", "--local", "--yes"]).ok();
    assert!(down.stdout.contains("nothing is left"), "{}", down.stdout);
}

/// The changes that do something.
fn changed(document: &Value) -> Vec<&Value> {
    let changes = document["changes"].as_array().unwrap().iter();
    changes.filter(|change| change["action"] != "none").collect()
}

#[test]
fn watched_the_status_shows_each_execution_until_ctrl_c() {
    let place = Place::with_stack();
    let mut watch = place.spawn(&["status", "--local", "--watch"]);
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
    // A line that never comes must not hold up the tests for ever.
    let shows = |words: &str| {
        while let Ok(line) = told.recv_timeout(PATIENCE) {
            if line.contains(words) {
                return true;
            }
        }
        false
    };
    assert!(shows("Executions: none yet"));
    let rocket = sample("rocket.jpg");
    place
        .resizer(&["invoke", "--local", "--file", rocket.to_str().unwrap()])
        .ok();
    assert!(shows("rocket.jpg  → output/rocket_resized.jpg"));
    signal("INT", watch.id().into());
    Ended::from(watch.wait_with_output().unwrap()).code(130);
}

#[test]
fn two_stacks_live_side_by_side() {
    let place = Place::new();
    for stack in ["dev", "prod"] {
        place.resizer(&["up", "--local", "--stack", stack]).ok();
    }
    place
        .resizer(&["down", "--local", "--stack", "dev", "--yes"])
        .ok();
    let rocket = sample("rocket.jpg");
    let told = place.json(&[
        "invoke",
        "--local",
        "--stack",
        "prod",
        "--key",
        "r.jpg",
        "--file",
        rocket.to_str().unwrap(),
    ]);
    assert_eq!(told["status"], "SUCCEEDED", "{told}");
}

#[test]
fn another_width_is_changed_in_place() {
    let place = Place::with_stack();
    std::fs::write(
        place.path().join("resizer.toml"),
        "[resize]\nwidth = 120\nformat = \"png\"\n",
    )
    .unwrap();
    let document = place.json(&["up", "--local"]);
    let touched: Vec<&str> = changed(&document)
        .iter()
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    assert_eq!(touched, ["function"], "{document}");

    let rocket = sample("rocket.jpg");
    let told = place.json(&[
        "invoke",
        "--local",
        "--key",
        "r.jpg",
        "--file",
        rocket.to_str().unwrap(),
    ]);
    assert_eq!(told["result"]["width"], 120, "{told}");
    assert!(
        told["result"]["key"].as_str().unwrap().ends_with(".png"),
        "{told}"
    );
}

#[test]
fn watched_by_nobody_any_more_the_status_ends() {
    let place = Place::with_stack();
    let mut watch = place.spawn(&["status", "--local", "--watch"]);
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Stack resizer"));
    drop(lines);
    let (tell, told) = std::sync::mpsc::channel();
    let pid = watch.id();
    std::thread::spawn(move || tell.send(watch.wait_with_output().unwrap()));
    match told.recv_timeout(PATIENCE) {
        Ok(ended) => drop(Ended::from(ended).ok()),
        Err(_) => {
            signal("KILL", pid.into());
            panic!("it goes on");
        }
    }
}
