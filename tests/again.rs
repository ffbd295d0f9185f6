//! `invoke` of an object that went through before: shown where that is an answer, run anew where it is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Place, sample};
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
