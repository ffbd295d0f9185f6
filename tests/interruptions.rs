//! A run that is cut off anywhere is carried on by running it again, and nothing is lost or made twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use aws_sdk_s3::primitives::ByteStream;
use common::gate::Gate;
use common::near::{NearCloud, UP, refusal};
use common::{Ended, Place, eventually, sample, signal};
use resizer_local::{Fault, Realism};
use tokio::task::JoinSet;

/// Requests of an `up`, from its beginning to its end, as their heads name them.
const CALLS_OF_UP: [&str; 8] = [
    "?publicAccessBlock",
    "PutRetentionPolicy",
    "POST /2015-03-31/functions",
    "CreateStateMachine",
    "PutRule",
    "PutTargets",
    "POST /restapis",
    "/deployments",
];

/// What becomes of an `up` that is interrupted while that call is under way.
fn up_interrupted_at(place: &Place, call: &'static str) -> Ended {
    let gate = Gate::before(place, call);
    let up = place.spawn(&["up", "--local"]);
    gate.wait_for_arrival();
    signal("INT", up.id().into());
    // The signal is on its way while the answer is held back.
    std::thread::sleep(std::time::Duration::from_millis(300));
    gate.open();
    Ended::from(up.wait_with_output().unwrap())
}

#[test]
fn ctrl_c_lets_what_is_under_way_end_and_up_carries_on() {
    let place = Place::with_a_cloud();
    let ended = up_interrupted_at(&place, "CreateStateMachine").code(130);
    let ended = ended.says("interrupted").says("`resizer up --local` carries on");
    assert!(ended.stderr.contains("not started: rule"), "{}", ended.stderr);

    let status = place.json(&["status", "--local"]);
    assert_eq!(status["healthy"], false, "{status}");
    let state = |id: &str| {
        let resources = status["resources"].as_array().unwrap();
        let resource = resources.iter().find(|resource| resource["id"] == id);
        resource.unwrap()["state"].clone()
    };
    assert_eq!(state("state_machine"), "right", "{status}");
    assert_eq!(state("rule"), "missing", "{status}");

    place.resizer(&["up", "--local"]).ok();
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
}

#[test]
fn what_ctrl_c_cuts_short_is_interrupted_and_no_failure() {
    let near = NearCloud::start();
    let up = [&UP[..], &["--json"]].concat();
    near.behave(Realism {
        propagation: 60_000,
        faults: vec![Fault {
            operation: "monitoring:PutDashboard".to_owned(),
            call: 1,
            times: 1,
            after: false,
            does: refusal(403, "AccessDenied", "no"),
        }],
        ..Realism::default()
    });
    let run = near.place.spawn(&up);
    near.wait_for("lambda:CreateFunction", 1);
    near.wait_for("states:CreateStateMachine", 1);
    near.wait_for("apigateway:CreateDeployment", 1);
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal("INT", run.id().into());
    let ended = Ended::from(run.wait_with_output().unwrap()).code(130);
    for what in ["function ", "state machine "] {
        let line = format!("· interrupted  {what}");
        assert!(ended.stderr.contains(&line), "{line}: {}", ended.stderr);
    }
    let told = ended.document();
    assert_eq!(told["error"], "interrupted before the end");
    let hints = told["hints"].to_string();
    for what in [
        "the dashboard resizer-eu-central-1 failed: cloudwatch:PutDashboard",
        "9 of 13 resources are as they should be; 1 failed; interrupted: function resizer-resize, state machine \
         resizer-resize; not started: rule resizer-object-created",
        "these stand: log group /aws/lambda/resizer-resize, log group ",
    ] {
        assert!(hints.contains(what), "{what}: {hints}");
    }
}

#[test]
fn ctrl_c_between_planning_and_making_is_not_lost() {
    let place = Place::with_a_cloud();
    place.write_function();
    let pipe = place.path().join("pipe.zip");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let up = place.spawn(&["up", "--local", "--handler-zip", "pipe.zip"]);
    // All else is read when it reads the zip, and it hears nothing meanwhile.
    let mut zip = File::options().write(true).open(&pipe).unwrap();
    signal("INT", up.id().into());
    // The signal is on its way while the zip is held back.
    std::thread::sleep(std::time::Duration::from_millis(300));
    zip.write_all(&std::fs::read(place.path().join("function.zip")).unwrap())
        .unwrap();
    drop(zip);

    let ended = Ended::from(up.wait_with_output().unwrap()).code(130);
    ended.says("interrupted before anything was changed");
    let status = place.resizer(&["status", "--local"]).code(1);
    status.says("the stack \"resizer\" does not stand");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_the_last_step_goes_on_ends_with_what_stands() {
    let place = Place::with_stack();
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&place.sdk_config());
    let delete = cloudwatch
        .delete_dashboards()
        .dashboard_names("resizer-us-east-1");
    delete.send().await.unwrap();
    let ended = up_interrupted_at(&place, "PutDashboard").code(130);
    ended
        .says("interrupted when the last step had begun already")
        .says("resources are as they should be")
        .says("these stand: ");
}

#[test]
fn ctrl_c_while_only_looking_says_so_and_leaves_a_document() {
    let place = Place::with_stack();
    for (args, call) in [
        (&["up", "--local", "--json"][..], "GetRole"),
        (&["plan", "--local", "--json"], "GetRole"),
        (&["status", "--local", "--json"], "ListExecutions"),
        (&["down", "--local", "--json"], "GetRole"),
    ] {
        let gate = Gate::before(&place, call);
        let run = place.spawn(args);
        gate.wait_for_arrival();
        // CI runners and containers say it with the other.
        signal(if args[0] == "up" { "TERM" } else { "INT" }, run.id().into());
        let told = Ended::from(run.wait_with_output().unwrap()).code(130).document();
        let error = told["error"].as_str().unwrap();
        assert!(error.starts_with("interrupted before"), "{args:?}: {told}");
        gate.open();
    }
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
}

#[test]
fn ctrl_c_while_the_log_is_waited_for_ends_with_the_outcome_and_fetches_nothing() {
    let place = Place::with_stack();
    let rocket = sample("rocket.jpg");
    let invoke = ["invoke", "--local", "--file", rocket.to_str().unwrap()];
    let gate = Gate::before(&place, "FilterLogEvents");
    let interrupted = |more: &[&str]| {
        let run = place.spawn(&[&invoke[..], more].concat());
        gate.wait_for_arrival();
        signal("INT", run.id().into());
        Ended::from(run.wait_with_output().unwrap())
    };
    let told = interrupted(&[]).ok().stdout;
    assert!(told.contains("output/rocket_resized.jpg"), "{told}");
    let stopped = interrupted(&["--download", "small"]).code(130);
    stopped.says("stopped before the result was here; the execution has ended");
    let fetched = std::fs::read_dir(place.path().join("small")).unwrap();
    assert_eq!(fetched.count(), 0);
    gate.open();
}

#[test]
fn down_beside_up_waits_for_its_end_and_removes_everything() {
    let place = Place::with_a_cloud();
    let gate = Gate::before(&place, "CreateStateMachine");
    let up = place.spawn(&["up", "--local"]);
    gate.wait_for_arrival();
    let mut down = place.spawn(&["down", "--local", "--yes"]);
    let mut said = BufReader::new(down.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let waits = "Another `up` or `down` is at work on the stack \"resizer\": waiting for it to end";
    assert!(said.any(|line| line == waits), "down went ahead");
    gate.open();

    Ended::from(up.wait_with_output().unwrap()).ok();
    // What it says further has to go somewhere.
    said.for_each(drop);
    let removed = Ended::from(down.wait_with_output().unwrap()).ok();
    assert!(removed.stdout.contains("nothing is left"), "{}", removed.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_removes_while_down_is_at_it_is_gone_all_the_same() {
    let place = Place::with_stack();
    let states = aws_sdk_sfn::Client::new(&place.sdk_config());
    let machine = place.outputs()["state_machine_arn"].as_str().unwrap().to_owned();
    let gate = Gate::before(&place, "ListExecutions");
    let down = place.spawn(&["down", "--local", "--yes"]);
    gate.wait_for_arrival();
    let delete = states.delete_state_machine().state_machine_arn(machine);
    delete.send().await.unwrap();
    gate.open();

    let removed = Ended::from(down.wait_with_output().unwrap()).ok();
    assert!(removed.stdout.contains("nothing is left"), "{}", removed.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn down_cut_off_among_the_pictures_has_left_the_logs() {
    let place = Place::with_stack();
    place
        .resizer(&[
            "invoke",
            "--local",
            "--file",
            sample("rocket.jpg").to_str().unwrap(),
        ])
        .ok();
    let gate = Gate::before(&place, "?delete");
    let mut down = place.spawn(&["down", "--local", "--yes"]);
    gate.wait_for_arrival();
    // Whatever does not wait for the pictures has gone by now.
    let lambda = aws_sdk_lambda::Client::new(&place.sdk_config());
    let function = || async {
        lambda
            .get_function()
            .function_name("resizer-resize")
            .send()
            .await
            .err()
    };
    eventually("the function to go", function).await;
    std::thread::sleep(std::time::Duration::from_secs(1));
    down.kill().unwrap();
    down.wait().unwrap();
    gate.open();

    let logs = aws_sdk_cloudwatchlogs::Client::new(&place.sdk_config());
    let groups = logs.describe_log_groups().send().await.unwrap();
    assert_eq!(groups.log_groups().len(), 2, "{groups:?}");
    place.resizer(&["down", "--local", "--yes"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_call_up_carries_on_and_makes_nothing_twice() {
    let runs = CALLS_OF_UP.map(|call| {
        tokio::task::spawn_blocking(move || {
            let place = Place::with_a_cloud();
            let gate = Gate::before(&place, call);
            let mut up = place.spawn(&["up", "--local"]);
            gate.wait_for_arrival();
            up.kill().unwrap();
            up.wait().unwrap();
            gate.open();

            place.resizer(&["up", "--local"]).ok();
            let again = place.json(&["up", "--local"]);
            assert_eq!(again["changed"], false, "killed at {call}: {again}");
            place
        })
    });
    for run in runs {
        let place = run.await.unwrap();
        let apis = aws_sdk_apigateway::Client::new(&place.sdk_config());
        let apis = apis.get_rest_apis().send().await.unwrap();
        assert_eq!(apis.items().len(), 1, "{apis:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_uploads_in_flight_the_cloud_loses_none_that_it_acknowledged() {
    let place = Place::with_stack();
    let outputs = place.outputs();
    let bucket = |name: &str| outputs[name].as_str().unwrap().to_owned();
    let (original, resized) = (bucket("original_bucket"), bucket("resized_bucket"));
    let picture = std::fs::read(sample("chelsea.jpg")).unwrap();

    let s3 = place.s3();
    let mut uploads: JoinSet<Option<String>> = (0..30)
        .map(|n| {
            let put = s3.put_object().bucket(&original).key(format!("{n}.jpg"));
            let sent = put.body(ByteStream::from(picture.clone())).send();
            async move { sent.await.is_ok().then(|| format!("{n}.jpg")) }
        })
        .collect();
    // With the first one acknowledged the others are on their way.
    let first = uploads.join_next().await.unwrap().unwrap();
    place.kill_the_cloud();
    assert!(first.is_some(), "the first upload failed");
    // The SDK tries again and again; whoever comes back finds it there.
    let status = place.json(&["status", "--local"]);
    assert_eq!(status["healthy"], true, "{status}");
    let others = uploads.join_all().await;
    let acknowledged: Vec<String> = [first].into_iter().chain(others).flatten().collect();

    let s3 = place.s3();
    let results = |key: &str| format!("output/{}_resized.jpg", key.trim_end_matches(".jpg"));
    eventually("a result of every upload", async || {
        let listed = s3.list_objects_v2().bucket(&resized).send().await.ok()?;
        let there: Vec<&str> = listed
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .collect();
        let all = acknowledged
            .iter()
            .all(|key| there.contains(&results(key).as_str()));
        all.then_some(())
    })
    .await;

    // An upload whose answer was lost may have been sent again: that is a second upload, with an event of its own.
    let status = place.json(&["status", "--local", "--limit", "1000"]);
    let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
    for execution in status["executions"].as_array().unwrap() {
        *runs.entry(execution["key"].as_str().unwrap()).or_default() += 1;
    }
    for key in &acknowledged {
        assert!(
            (1..=2).contains(&runs[key.as_str()]),
            "{key}: {} executions",
            runs[key.as_str()]
        );
    }
}

#[test]
fn up_beside_up_and_up_beside_down_end_with_a_word_and_converge() {
    let place = Place::with_a_cloud();
    let both = [place.spawn(&["up", "--local"]), place.spawn(&["up", "--local"])];
    for each in both {
        explained(each);
    }
    place.resizer(&["up", "--local"]).ok();
    assert_eq!(place.json(&["up", "--local"])["changed"], false);

    let both = [
        place.spawn(&["down", "--local", "--yes"]),
        place.spawn(&["up", "--local"]),
    ];
    for each in both {
        explained(each);
    }
    place.resizer(&["up", "--local"]).ok();
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
}

/// Two machines see nothing of each other but the stack: no turn is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn two_machines_at_once_end_with_a_word_and_converge() {
    let place = Place::with_a_cloud();
    let zip = Place::built_zip();
    let up = ["up", "--handler-zip", zip.to_str().unwrap()];
    let down = ["down", "--yes"];
    let api_gateway = aws_sdk_apigateway::Client::new(&place.sdk_config());
    for (round, both) in [[&up[..], &up], [&up, &down], [&down, &down], [&up, &up]]
        .into_iter()
        .enumerate()
    {
        let runs = ["here", "there"].iter().zip(both);
        let runs: Vec<_> = runs
            .map(|(machine, args)| on_a_machine(&place, machine, args).spawn().unwrap())
            .collect();
        for run in runs {
            explained(run);
        }
        Ended::from(on_a_machine(&place, "here", &up).output().unwrap()).ok();
        let again = on_a_machine(&place, "there", &[&up[..], &["--json"]].concat());
        let again = Ended::from({ again }.output().unwrap()).ok().document();
        assert_eq!(again["changed"], false, "round {round}: {again}");
        // The one thing whose name does not keep it from being there twice.
        let apis = api_gateway.get_rest_apis().send().await.unwrap();
        assert_eq!(apis.items().len(), 1, "round {round}");
    }
    Ended::from(on_a_machine(&place, "here", &down).output().unwrap()).ok();
    let left = on_a_machine(&place, "there", &["down", "--yes", "--json"])
        .output()
        .unwrap();
    let left = Ended::from(left).ok().document();
    assert_eq!(left["removed"].as_array().unwrap().len(), 0, "{left}");
}

/// As when a `down` on another machine comes to its end while this `up` still waits for the function.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_while_up_waits_is_missed_at_its_end() {
    let near = NearCloud::start();
    near.behave(Realism {
        function: 7_000,
        ..Realism::default()
    });
    let run = near.place.spawn(&UP);
    near.wait_for("apigateway:CreateDeployment", 1);
    near.wait_for("lambda:CreateFunction", 1);
    let sdk = near.place.sdk_config();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
    let delete = logs
        .delete_log_group()
        .log_group_name("/aws/lambda/resizer-resize");
    delete.send().await.unwrap();
    Ended::from(run.wait_with_output().unwrap())
        .code(1)
        .says("all was made, and by now this is gone again: log group /aws/lambda/resizer-resize\n")
        .says("does a `resizer down` run elsewhere?");
    near.behave(Realism::default());
    near.place.resizer(&UP).ok();
}

/// The binary as on a machine of that name: with a home of its own, and the stack's cloud over the network.
fn on_a_machine(place: &Place, machine: &str, args: &[&str]) -> Command {
    let env = place.json(&["local", "env"]);
    let mut command = place.command(args);
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ] {
        command.env(name, env[name].as_str().unwrap());
    }
    command
        .env("XDG_CACHE_HOME", place.path().join(machine))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// It ended well, or said why it did not and what to do.
fn explained(child: std::process::Child) {
    let ended = Ended::from(child.wait_with_output().unwrap());
    if ended.code != Some(0) {
        ended.code(1).says("error:").says("hint:");
    }
}
