//! Many uploads at once, and keys of every kind: none lost, none double, none mangled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use common::near::NearCloud;
use common::{Place, eventually, sample};
use futures_util::future::join_all;
use resizer_local::Realism;
use serde_json::Value;

/// Keys that some engine on the way once got wrong.
fn awkward_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "plain.jpg",
        "with space.jpg",
        "plus+plus.jpg",
        "percent%20and%.jpg",
        "it's.jpg",
        "say \"cheese\".jpg",
        "back\\slash.jpg",
        "ünï/çødé/写真.jpg",
        "emoji 🏞️.jpg",
        "a/very/deep/folder/cat.jpg",
        "double//slash.jpg",
        "/leading.jpg",
        "dollar$and#hash&amp.jpg",
        "brackets[1](2){3}<4>.jpg",
        "tab\there.jpg",
        "question?.jpg",
        "no-extension",
        "UPPER.JPG",
        "dot./..hidden.jpg",
        "/",
        "///",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("1024".repeat(256));
    keys.push(format!("{}.jpg", "k".repeat(1024 - "output/_resized.jpg".len())));
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_uploads_of_one_key_the_newer_has_the_last_word_however_slow_the_older_is() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    let (original, resized) = buckets(&near.place.outputs());
    let s3 = near.place.s3();
    let upload = async |name: &str| {
        let picture = ByteStream::from(std::fs::read(sample(name)).unwrap());
        let put = s3.put_object().bucket(&original).key("a.jpg").body(picture);
        put.send().await.unwrap().e_tag.unwrap()
    };
    near.behave(Realism {
        latencies: BTreeMap::from([("s3:PutObject".to_owned(), 4_000)]),
        ..Realism::default()
    });
    upload("chelsea.jpg").await;
    // The first upload is the test's, the second is of its result, which is held up.
    near.wait_for("s3:PutObject", 2);
    near.behave(Realism::default());
    let newer = upload("rocket.jpg").await;
    let source = async || {
        let head = s3.head_object().bucket(&resized).key("output/a_resized.jpg");
        let head = head.send().await.ok()?;
        let source = head.metadata()?.get("source-etag")?;
        Some(format!("\"{source}\""))
    };
    eventually("both have gone through", async || {
        let status = near.place.json(&["status", "--local"]);
        let all = status["executions"].as_array()?;
        (all.len() == 2 && all.iter().all(|one| one["status"] == "SUCCEEDED")).then_some(())
    })
    .await;
    assert_eq!(source().await, Some(newer));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_uploads_at_once_give_fifty_results() {
    let place = Place::with_stack();
    let outputs = place.outputs();
    let (original, resized) = buckets(&outputs);
    let s3 = place.s3();
    let picture = std::fs::read(sample("chelsea.jpg")).unwrap();

    let uploads = (0..50).map(|n| {
        s3.put_object()
            .bucket(&original)
            .key(format!("album/{n}.jpg"))
            .body(ByteStream::from(picture.clone()))
            .send()
    });
    for upload in join_all(uploads).await {
        upload.unwrap();
    }

    eventually("50 results", || async {
        let listed = s3.list_objects_v2().bucket(&resized).send().await.unwrap();
        (listed.key_count() == Some(50)).then_some(())
    })
    .await;
    eventually("50 executions, each succeeded", || async {
        let status = place.json(&["status", "--local", "--limit", "200"]);
        let mut per_key: BTreeMap<String, usize> = BTreeMap::new();
        for execution in status["executions"].as_array().unwrap() {
            if execution["status"] != "SUCCEEDED" {
                return None;
            }
            *per_key
                .entry(execution["key"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        assert_eq!(per_key.len(), 50, "none lost");
        assert!(
            per_key.values().all(|&runs| runs == 1),
            "none double: {per_key:?}"
        );
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_configuration_code_and_definition_under_load_loses_no_upload() {
    let place = Place::with_stack();
    let outputs = place.outputs();
    let machine = outputs["state_machine_arn"].as_str().unwrap();
    comment_the_definition(&place, machine).await;
    Place::built_zip_with_a_note(&place.path().join("other.zip"));
    let (original, resized) = buckets(&outputs);
    let s3 = place.s3();
    let picture = std::fs::read(sample("chelsea.jpg")).unwrap();
    std::fs::write(
        place.path().join("resizer.toml"),
        "[resize]\nwidth = 90\n[function]\nmemory = 512\ntimeout = 30\n[logs]\nretention_days = 30\n\
         [keys]\nprefix = \"album/\"\nsuffix = \".jpg\"\n",
    )
    .unwrap();

    let changes = place
        .json(&["plan", "--local", "--handler-zip", "other.zip"])
        .to_string();
    for field in ["definition", "code (sha-256)", "environment", "memory"] {
        assert!(changes.contains(field), "no other {field}: {changes}");
    }
    let mut up = place.spawn(&["up", "--local", "--handler-zip", "other.zip"]);
    let (mut sent, mut after) = (0, 0);
    // While it is at work, and a while longer.
    while after < 10 {
        after += usize::from(up.try_wait().unwrap().is_some());
        let put = s3.put_object().bucket(&original).key(format!("album/{sent}.jpg"));
        put.body(ByteStream::from(picture.clone())).send().await.unwrap();
        sent += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(sent < 900, "up takes too long for what can be listed at once");
    }
    assert!(up.wait().unwrap().success());
    assert!(sent > 20, "{sent} uploads were no load");

    eventually("a result of every upload", || async {
        let listed = s3.list_objects_v2().bucket(&resized).send().await.unwrap();
        (listed.key_count() == Some(sent)).then_some(())
    })
    .await;
    let status = place.json(&["status", "--local", "--limit", "1000"]);
    let executions = status["executions"].as_array().unwrap();
    assert_eq!(
        i32::try_from(executions.len()).unwrap(),
        sent,
        "none lost, none double"
    );

    // What the filter passes over starts nothing.
    let put = s3.put_object().bucket(&original).key("elsewhere/1.jpg");
    put.body(ByteStream::from(picture)).send().await.unwrap();
    let file = sample("chelsea.jpg");
    let invoke = ["invoke", "--local", "--file", file.to_str().unwrap()];
    place
        .resizer(&invoke)
        .code(2)
        .says("an upload under chelsea.jpg starts nothing");
    place
        .resizer(&[&invoke[..], &["--key", "album/last.jpg"]].concat())
        .ok();
    let status = place.json(&["status", "--local", "--limit", "1000"]);
    let executions = status["executions"].as_array().unwrap();
    assert_eq!(i32::try_from(executions.len()).unwrap(), sent + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn down_leaves_nothing_behind_that_the_services_would_know_of() {
    let place = Place::with_stack();
    let (original, _) = buckets(&place.outputs());
    let s3 = place.s3();
    let versioned = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    s3.put_bucket_versioning()
        .bucket(&original)
        .versioning_configuration(versioned)
        .send()
        .await
        .unwrap();
    for _ in 0..3 {
        let put = s3.put_object().bucket(&original).key("again and \u{1f304}.txt");
        put.body(ByteStream::from_static(b"no image"))
            .send()
            .await
            .unwrap();
    }
    s3.delete_object()
        .bucket(&original)
        .key("again and \u{1f304}.txt")
        .send()
        .await
        .unwrap();
    s3.create_multipart_upload()
        .bucket(&original)
        .key("unfinished.jpg")
        .send()
        .await
        .unwrap();

    place.resizer(&["down", "--local", "--yes"]).ok();

    let config = place.sdk_config();
    assert_eq!(s3.list_buckets().send().await.unwrap().buckets(), []);
    let roles = aws_sdk_iam::Client::new(&config)
        .list_roles()
        .send()
        .await
        .unwrap();
    assert_eq!(roles.roles(), []);
    let functions = aws_sdk_lambda::Client::new(&config)
        .list_functions()
        .send()
        .await
        .unwrap();
    assert_eq!(functions.functions(), []);
    let machines = aws_sdk_sfn::Client::new(&config)
        .list_state_machines()
        .send()
        .await
        .unwrap();
    assert_eq!(machines.state_machines(), []);
    let rules = aws_sdk_eventbridge::Client::new(&config)
        .list_rules()
        .send()
        .await
        .unwrap();
    assert_eq!(rules.rules(), []);
    let apis = aws_sdk_apigateway::Client::new(&config)
        .get_rest_apis()
        .send()
        .await
        .unwrap();
    assert_eq!(apis.items(), []);
    let groups = aws_sdk_cloudwatchlogs::Client::new(&config)
        .describe_log_groups()
        .send()
        .await
        .unwrap();
    assert_eq!(groups.log_groups(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_any_kind_comes_through_the_upload() {
    let place = Place::with_stack();
    let (original, resized) = buckets(&place.outputs());
    let s3 = place.s3();
    let picture = std::fs::read(sample("chelsea.jpg")).unwrap();
    let keys = awkward_keys();
    for key in &keys {
        s3.put_object()
            .bucket(&original)
            .key(key)
            .body(ByteStream::from(picture.clone()))
            .send()
            .await
            .unwrap();
    }
    let written = eventually("a result for each key", || async {
        let listed = s3.list_objects_v2().bucket(&resized).send().await.unwrap();
        let written: Vec<String> = listed
            .contents()
            .iter()
            .map(|object| object.key().unwrap().to_owned())
            .collect();
        (written.len() == keys.len()).then_some(written)
    })
    .await;
    for key in &keys {
        if key.len() == 1024 {
            // Its result's key would be too long, and is shortened to one that no other source has.
            let shortened = |result: &&String| result.starts_with("output/1024") && result.contains('~');
            assert_eq!(written.iter().filter(shortened).count(), 1, "{written:#?}");
            continue;
        }
        let expected = match key.strip_suffix(".jpg") {
            Some(stem) => format!("output/{stem}_resized.jpg"),
            None if key.ends_with(".JPG") => format!("output/{key}_resized.jpg"),
            None => format!("output/{key}.resized.jpg"),
        };
        assert!(
            written.contains(&expected),
            "{key:?} → {expected:?} is not in {written:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_any_kind_comes_through_invoke_both_ways() {
    let place = Place::with_stack();
    let (original, _) = buckets(&place.outputs());
    let s3 = place.s3();
    let picture = std::fs::read(sample("chelsea.jpg")).unwrap();
    for key in awkward_keys() {
        s3.put_object()
            .bucket(&original)
            .key(&key)
            .body(ByteStream::from(picture.clone()))
            .send()
            .await
            .unwrap();
        for via in ["states", "api"] {
            let told = place.json(&["invoke", "--local", "--key", &key, "--again", "--via", via]);
            assert_eq!(told["status"], "SUCCEEDED", "{key:?} via {via}: {told}");
            assert_eq!(told["earlier"], false, "{key:?} via {via} ran: {told}");
        }
    }
}

/// Another definition that does the same, as an earlier version may have left it.
async fn comment_the_definition(place: &Place, machine: &str) {
    let states = aws_sdk_sfn::Client::new(&place.sdk_config());
    let described = states.describe_state_machine().state_machine_arn(machine);
    let definition = described.send().await.unwrap().definition;
    let mut definition: Value = serde_json::from_str(&definition).unwrap();
    definition["Comment"] = Value::from("Of an earlier version");
    let update = states.update_state_machine().state_machine_arn(machine);
    let update = update.definition(definition.to_string());
    update.send().await.unwrap();
}

fn buckets(outputs: &Value) -> (String, String) {
    let name = |field: &str| outputs[field].as_str().unwrap().to_owned();
    (name("original_bucket"), name("resized_bucket"))
}
