//! `invoke` of what went through before, an object or a file: shown where that is an answer, run anew where it is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::near::NearCloud;
use common::{Ended, Place, sample};
use resizer_local::Realism;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_object_with_the_same_settings_runs_once_unless_again() {
    let place = Place::with_stack();
    let outputs = place.outputs();
    let resized = outputs["resized_bucket"].as_str().unwrap();
    let s3 = place.s3();
    let invoke = |more: &[&str]| {
        let told = place.json(&[&["invoke", "--local", "--key", "a.jpg"][..], more].concat());
        let name = told["execution"].as_str().unwrap().to_owned();
        (name, told["earlier"].as_bool().unwrap())
    };
    let upload = |name: &'static str| {
        place.json(&[
            "invoke",
            "--local",
            "--key",
            "a.jpg",
            "--file",
            sample(name).to_str().unwrap(),
        ])
    };
    let name = |told: Value| told["execution"].as_str().unwrap().to_owned();
    let first = name(upload("rocket.jpg"));
    assert_eq!(
        invoke(&[]),
        (first.clone(), true),
        "the upload's is shown, not run again"
    );
    let quiet = place.resizer(&["invoke", "--local", "-q", "--key", "a.jpg"]).ok();
    quiet.says("the same object went through with the same settings before");
    let (again, earlier) = invoke(&["--again"]);
    assert!(again != first && !earlier, "run again when asked");

    let result = s3.delete_object().bucket(resized).key("output/a_resized.jpg");
    result.send().await.unwrap();
    let (anew, earlier) = invoke(&[]);
    assert!(anew != first && !earlier, "the result was gone");
    assert_eq!(invoke(&[]), (anew.clone(), true));
    let head = s3.head_object().bucket(resized).key("output/a_resized.jpg");
    head.send().await.unwrap();

    let other = name(upload("chelsea.jpg"));
    assert_eq!(invoke(&[]), (other.clone(), true), "other bytes");
    fs::write(place.path().join("resizer.toml"), "[resize]\nwidth = 64\n").unwrap();
    place.resizer(&["up", "--local"]).ok();
    let (narrow, earlier) = invoke(&[]);
    assert!(narrow != other && !earlier, "other settings");
    assert_eq!(invoke(&[]), (narrow.clone(), true));
    fs::remove_file(place.path().join("resizer.toml")).unwrap();
    place.resizer(&["up", "--local"]).ok();
    let (back, earlier) = invoke(&[]);
    assert!(
        back != other && !earlier,
        "the bucket holds the picture of other settings"
    );
}

/// A photograph, and something behind its end that no decoder reads: other bytes, and as many.
fn photograph(path: &Path, behind: &str) {
    let picture = fs::read(sample("rocket.jpg")).unwrap();
    fs::write(path, [&picture, behind.as_bytes()].concat()).unwrap();
}

fn executions(place: &Place) -> usize {
    place.json(&["status", "--local"])["executions"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn a_file_that_went_through_before_is_not_uploaded_again_unless_again() {
    let place = Place::with_stack();
    let file = place.path().join("a.jpg");
    photograph(&file, "one");
    let invoke = |more: &[&str]| {
        let told = place.json(&[&["invoke", "--local", "--file", "a.jpg"][..], more].concat());
        assert_eq!(told["status"], "SUCCEEDED", "{told}");
        let name = told["execution"].as_str().unwrap().to_owned();
        (name, told["earlier"].as_bool().unwrap())
    };
    let (first, earlier) = invoke(&[]);
    assert!(!earlier);
    assert_eq!(invoke(&[]), (first.clone(), true));
    assert_eq!(executions(&place), 1);
    let told = place.resizer(&["invoke", "--local", "--file", "a.jpg"]).ok();
    assert!(told.stdout.contains("output/a_resized.jpg"), "{}", told.stdout);
    let told = told.says("the same object went through with the same settings before");
    assert!(!told.stderr.contains("Uploading"), "{}", told.stderr);

    let (again, earlier) = invoke(&["--again"]);
    assert!(again != first && !earlier, "run again when asked");
    photograph(&file, "two");
    let (other, earlier) = invoke(&[]);
    assert!(other != again && !earlier, "other bytes");
    let (elsewhere, earlier) = invoke(&["--key", "b.jpg"]);
    assert!(elsewhere != other && !earlier, "another key");
    assert_eq!(executions(&place), 4);
}

/// Step Functions tells of the newest alone what they were for; the log tells of all.
#[test]
fn an_upload_of_long_ago_is_not_run_again_either() {
    let place = Place::with_stack();
    place.invoke(&sample("rocket.jpg"), "rocket.jpg");
    for number in 0..12 {
        place.invoke(&sample("chelsea.jpg"), &format!("chelsea-{number}.jpg"));
    }
    let rocket = sample("rocket.jpg");
    let again = place.json(&["invoke", "--local", "--file", rocket.to_str().unwrap()]);
    assert_eq!(again["earlier"], true, "{again}");
}

#[test]
fn of_a_folder_only_what_is_new_goes_through() {
    let place = Place::with_stack();
    let album = place.path().join("album");
    fs::create_dir(&album).unwrap();
    photograph(&album.join("a.jpg"), "a");
    photograph(&album.join("b.jpg"), "b");
    let args = ["invoke", "--local", "--file", "album"];
    let told = place.resizer(&args).ok();
    assert!(!told.stdout.contains("before"), "{}", told.stdout);
    photograph(&album.join("c.jpg"), "c");
    let lines = |more: &[&str]| {
        let told = place.resizer(&[&args[..], &["--json"], more].concat()).ok();
        let lines = told.stdout.lines();
        let told = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        told.map(|line| {
            assert_eq!(line["status"], "SUCCEEDED", "{line}");
            let key = line["key"].as_str().unwrap().to_owned();
            (key, line["earlier"].as_bool().unwrap())
        })
        .collect::<BTreeMap<_, _>>()
    };
    let keys = ["album/a.jpg", "album/b.jpg", "album/c.jpg"].map(str::to_owned);
    let all = |earlier: [bool; 3]| keys.clone().into_iter().zip(earlier).collect();
    assert_eq!(lines(&[]), all([true, true, false]));
    assert_eq!(executions(&place), 3);
    let download = ["--download", "small"];
    let told = place.resizer(&[&args[..], &download].concat()).ok();
    assert!(
        told.stdout.contains("and fetched to small, 3 of them before"),
        "{}",
        told.stdout
    );
    assert!(place.path().join("small/album/c_resized.jpg").is_file());
    assert_eq!(lines(&["--again"]), all([false; 3]));
    assert_eq!(executions(&place), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_of_another_upload_of_the_same_key_is_not_taken_for_ones_own() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    let [own, other] = ["own", "other"].map(|name| near.place.path().join(name));
    photograph(&own, "one");
    photograph(&other, "two");
    near.behave(Realism {
        latencies: BTreeMap::from([("s3:GetObject".to_owned(), 3_000)]),
        ..Realism::default()
    });
    let invoke = near
        .place
        .spawn(&["invoke", "--local", "--file", "own", "--key", "a.jpg"]);
    near.wait_for("s3:GetObject", 1);
    let outputs = near.place.outputs();
    let put = near.place.s3().put_object().key("a.jpg");
    let put = put.bucket(outputs["original_bucket"].as_str().unwrap());
    put.body(fs::read(&other).unwrap().into()).send().await.unwrap();
    Ended::from(invoke.wait_with_output().unwrap())
        .code(1)
        .says("another upload took this key before it was read")
        .says("--again uploads it once more");
}

#[test]
fn a_setting_that_the_function_does_not_have_yet_is_said() {
    let place = Place::with_stack();
    photograph(&place.path().join("a.jpg"), "one");
    let invoke = || place.resizer(&["invoke", "--local", "--file", "a.jpg"]).ok();
    let words =
        "the function differs from the configuration in environment: `resizer up --local` brings it there";
    assert!(!invoke().stderr.contains(words));
    fs::write(place.path().join("resizer.toml"), "[resize]\nwidth = 64\n").unwrap();
    invoke().says(words);
    place.resizer(&["up", "--local"]).ok();
    let told = invoke();
    assert!(!told.stderr.contains(words), "{}", told.stderr);
    assert!(told.stdout.contains("→ 64 ×"), "{}", told.stdout);
}

#[test]
fn a_run_that_failed_is_no_answer_and_is_run_anew() {
    let place = Place::with_stack();
    let bad = place.path().join("bad.jpg");
    fs::write(&bad, "not a picture").unwrap();
    place.invoke(&bad, "bad.jpg").code(1);
    let invoke = || {
        let told = place.resizer(&["invoke", "--local", "--json", "--key", "bad.jpg"]);
        let told = told.code(1).document();
        assert_eq!(told["earlier"], false, "{told}");
        told["execution"].as_str().unwrap().to_owned()
    };
    let names: BTreeSet<String> = (0..3).map(|_| invoke()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}
