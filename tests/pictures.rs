//! `invoke` with many pictures: whole folders side by side, results fetched and opened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use common::gate::Gate;
use common::near::{NearCloud, refusal};
use common::terminal::printed;
use common::{Ended, Place, eventually, sample, signal};
use resizer_local::{Fault, Mishap, Realism};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

/// One of the album that [`make_album`] makes.
const ROCKET: &str = "album/rocket.jpg";

/// Puts a folder `album` with four pictures and two other files in the place.
fn make_album(place: &Place) {
    let album = place.path().join("album");
    fs::create_dir_all(album.join("summer")).unwrap();
    for name in [
        "rocket.jpg",
        "chelsea.jpg",
        "it's \"me\".jpg",
        "summer/rocket.jpg",
    ] {
        let sample = if name == "chelsea.jpg" { name } else { "rocket.jpg" };
        fs::copy(common::sample(sample), album.join(name)).unwrap();
    }
    fs::write(album.join("notes.txt"), "no picture").unwrap();
    fs::write(album.join(".hidden"), "no picture").unwrap();
}

/// The lines of JSON that a run printed.
fn lines(ended: &Ended) -> Vec<Value> {
    let parsed = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    parsed.collect()
}

#[test]
fn a_folder_goes_through_side_by_side_and_a_bad_file_takes_none_with_it() {
    let place = Place::with_stack();
    make_album(&place);
    fs::write(place.path().join("bad.jpg"), "not a picture").unwrap();
    let ended = place
        .resizer(&[
            "invoke",
            "--local",
            "--file",
            "album",
            "bad.jpg",
            "--key",
            "in/",
            "--download",
            "small",
        ])
        .code(1)
        .says("1 file that is no picture is passed over")
        .says("1 of 5 pictures failed");
    assert!(
        ended.stdout.contains("✓ in/album/summer/rocket.jpg"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("640 × 427 → 500 × 334"), "{}", ended.stdout);
    assert!(ended.stdout.contains("✗ in/bad.jpg"), "{}", ended.stdout);
    assert!(ended.stdout.contains("not an image"), "{}", ended.stdout);
    assert!(ended.stdout.contains("4 resized to s3://"), "{}", ended.stdout);

    for name in ["rocket", "chelsea", "it's \"me\"", "summer/rocket"] {
        let fetched = place.path().join(format!("small/in/album/{name}_resized.jpg"));
        let picture = image::open(&fetched).unwrap();
        assert!(picture.width() <= 500, "{name}: {}", picture.width());
    }
    let left = fs::read_dir(place.path().join("small/in/album")).unwrap();
    assert_eq!(left.count(), 4, "nothing half fetched is left");

    let executions = place.json(&["status", "--local"])["executions"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(executions, 5, "one execution a picture");
}

#[test]
fn programs_read_a_line_for_each_picture() {
    let place = Place::with_stack();
    make_album(&place);
    fs::write(place.path().join("bad.jpg"), "not a picture").unwrap();
    symlink("album/rocket.jpg", place.path().join("linked.jpg")).unwrap();
    let ended = place
        .resizer(&[
            "invoke",
            "--local",
            "--json",
            "--file",
            "album",
            "bad.jpg",
            "linked.jpg",
        ])
        .code(1);
    let mut told = lines(&ended);
    let last = told.pop().unwrap();
    assert_eq!(last["error"], "1 of 6 pictures failed");
    let keys: BTreeSet<&str> = told.iter().map(|line| line["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), 6, "{told:?}");
    for line in &told {
        let is_bad = line["key"] == "bad.jpg";
        assert_eq!(line["failure"].is_null(), !is_bad, "{line}");
        assert_eq!(
            line["status"],
            if is_bad { "FAILED" } else { "SUCCEEDED" },
            "{line}"
        );
        assert_eq!(line["result"].is_null(), is_bad, "{line}");
        assert!(Path::new(line["file"].as_str().unwrap()).is_relative(), "{line}");
    }
}

#[test]
fn no_result_takes_the_place_of_the_picture_that_it_came_of() {
    let place = Place::new();
    let in_its_place = "[[rendition]]\nname = \"small\"\nwidth = 50\nkey = \"{dir}{stem}.{ext}\"\n";
    fs::write(place.path().join("resizer.toml"), in_its_place).unwrap();
    place.resizer(&["up", "--local"]).ok();
    make_album(&place);
    let picture = place.path().join("album/rocket.jpg");
    let before = fs::read(&picture).unwrap();
    for files in ["album/rocket.jpg", "album"] {
        let key = ["--key", "album/rocket.jpg"];
        let key: &[&str] = if files == "album" { &[] } else { &key };
        let args = [
            &["invoke", "--local", "--again", "--file", files, "--download", "."][..],
            key,
        ]
        .concat();
        let (code, words) = match files {
            "album" => (2, "results in . would lie among the pictures of album"),
            _ => (1, "this is the picture that was uploaded; name another folder"),
        };
        place.resizer(&args).code(code).says(words);
        assert_eq!(fs::read(&picture).unwrap(), before, "{files}");
    }
}

#[test]
fn results_are_not_uploaded_by_the_next_run() {
    let place = Place::with_stack();
    make_album(&place);
    let invoke = |download: &str| {
        place.resizer(&[
            "invoke",
            "--local",
            "--again",
            "--file",
            "album",
            "--download",
            download,
        ])
    };
    invoke("album")
        .code(2)
        .says("the next run would upload them as well");
    invoke("album/../album").code(2);
    invoke("album/small").ok();
    let again = invoke("album/small").ok();
    let again = again.says("album/small is where the results go, and is passed over");
    assert!(again.stdout.contains("\n4 resized to s3://"), "{}", again.stdout);
}

#[test]
fn a_result_that_cannot_be_fetched_is_that_picture_s_failure_alone() {
    let place = Place::with_stack();
    make_album(&place);
    // A file where the folder of one result has to be.
    fs::create_dir_all(place.path().join("small/album")).unwrap();
    fs::write(place.path().join("small/album/summer"), "in the way").unwrap();
    let ended = place.resizer(&[
        "invoke",
        "--local",
        "--json",
        "--file",
        "album",
        "--download",
        "small",
    ]);
    let mut told = lines(&ended.code(1));
    assert_eq!(told.pop().unwrap()["error"], "1 result was not fetched");
    let (fetched, others): (Vec<_>, Vec<_>) = told
        .iter()
        .partition(|line| line["downloaded"] != serde_json::json!([]));
    assert_eq!(fetched.len(), 3, "{told:?}");
    let failed = others
        .iter()
        .find(|line| line["key"] == "album/summer/rocket.jpg")
        .unwrap();
    assert_eq!(failed["status"], "SUCCEEDED");
    let why = failed["failure"]["error"].as_str().unwrap();
    assert!(why.contains("cannot be fetched"), "{why}");

    let args = ["invoke", "--local", "--file", "album", "--download", "small"];
    let ended = place.resizer(&args).code(1).says("1 result was not fetched");
    let ended = ended.says("resizer invoke --local --key album/summer/rocket.jpg --download DIR");
    assert!(!ended.stderr.contains("--failed"), "{}", ended.stderr);
    let table = &ended.stdout;
    assert!(table.contains("4 resized to s3://"), "{table}");
    assert!(table.contains(", 3 of them fetched to small"), "{table}");
    // However narrow the terminal, the reason is there to its end.
    let narrow = printed(&place, &args, 60, &[]);
    let joined = |text: &str| text.split_whitespace().collect::<String>();
    assert!(joined(&narrow).contains(&joined(why)), "{narrow}");
}

#[test]
fn what_of_a_folder_cannot_be_uploaded_takes_none_with_it() {
    let place = Place::with_stack();
    make_album(&place);
    let odd = place.path().join("album").join(OsStr::from_bytes(b"caf\xe9.jpg"));
    fs::copy(sample("rocket.jpg"), &odd).unwrap();
    fs::write(place.path().join("album/empty.jpg"), "").unwrap();
    fs::write(place.path().join("album/text.JPG"), "no picture").unwrap();
    symlink("nowhere.jpg", place.path().join("album/gone.jpg")).unwrap();
    symlink("summer", place.path().join("album/winter")).unwrap();
    mknodat(
        CWD,
        place.path().join("album/pipe.jpg"),
        FileType::Fifo,
        Mode::RWXU,
        0,
    )
    .unwrap();
    let invoke = |more: &[&str]| place.resizer(&[&["invoke", "--local", "--file"], more].concat());
    let ended = invoke(&["album"]).code(1);
    let ended = ended
        .says("1 path was left out")
        .says("album/empty.jpg is empty, and is passed over")
        .says("album/text.JPG is no picture, whatever its name says, and is passed over")
        .says("album/gone.jpg is a link that leads nowhere, and is passed over")
        .says("album/winter is a link to a folder, which is not followed, and is passed over")
        .says("album/pipe.jpg is no regular file, and is passed over")
        .says("1 file that is no picture is passed over");
    assert!(
        ended.stdout.contains("✗ album/caf\u{fffd}.jpg"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("has no name to make a key of"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("4 resized to s3://"), "{}", ended.stdout);

    let told = lines(&invoke(&["album", "--json"]).code(1));
    let left_out = told
        .iter()
        .find(|line| line["file"] == "album/caf\u{fffd}.jpg")
        .unwrap();
    assert_eq!(left_out["key"], Value::Null);
    let why = left_out["failure"]["error"].as_str().unwrap();
    assert!(why.contains("has no name"), "{why}");

    // With a key it needs no name.
    let mut command = place.command(&["invoke", "--local", "--key", "cafe.jpg", "--file"]);
    Ended::from(command.arg(&odd).output().unwrap()).ok();
}

#[test]
fn what_the_rule_passes_over_is_left_out_and_takes_none_with_it() {
    let place = Place::new();
    fs::write(place.path().join("resizer.toml"), "[keys]\nsuffix = \".jpg\"\n").unwrap();
    place.resizer(&["up", "--local"]).ok();
    make_album(&place);
    let album = place.path().join("album");
    fs::copy(album.join("rocket.jpg"), album.join("rocket.jpeg")).unwrap();
    let ended = place.resizer(&["invoke", "--local", "--file", "album"]).code(1);
    let ended = ended.says("1 path was left out");
    assert!(ended.stdout.contains("4 resized to s3://"), "{}", ended.stdout);
    assert!(
        ended
            .stdout
            .contains("an upload under album/rocket.jpeg starts nothing"),
        "{}",
        ended.stdout
    );
    place
        .resizer(&["invoke", "--local", "--file", "album/rocket.jpeg"])
        .code(2)
        .says("an upload under rocket.jpeg starts nothing");
}

#[test]
fn what_is_named_twice_goes_through_once() {
    let place = Place::with_stack();
    make_album(&place);
    place
        .resizer(&["invoke", "--local", "--file", ROCKET, ROCKET, "album"])
        .ok();
    let status = place.json(&["status", "--local"]);
    assert_eq!(status["executions"].as_array().unwrap().len(), 4, "{status}");
}

#[test]
fn a_failure_that_passes_is_waited_out_and_said_once() {
    let near = NearCloud::start();
    let place = &near.place;
    place.resizer(&["up", "--local"]).ok();
    make_album(place);
    // More often than the SDK tries by itself, and twice over.
    let throttled = |operation: &str, call, times| Fault {
        operation: operation.to_owned(),
        call,
        times,
        after: false,
        does: refusal(400, "ThrottlingException", "Rate exceeded"),
    };
    for (file, operation, call, times) in [
        // What was there before is asked for first.
        ("album", "states:ListExecutions", 2, 8),
        // Four at a time.
        ("album", "states:DescribeExecution", 1, 20),
        (ROCKET, "states:ListExecutions", 2, 8),
        (ROCKET, "states:GetExecutionHistory", 1, 8),
    ] {
        near.behave(Realism {
            faults: vec![throttled(operation, call, times)],
            ..Realism::default()
        });
        let ended = place
            .resizer(&["invoke", "--local", "--again", "--file", file])
            .ok();
        let times = ended.stderr.matches("Rate exceeded; trying again").count();
        assert_eq!(times, 1, "{file}, {operation}: {}", ended.stderr);
    }

    near.behave(Realism {
        faults: vec![throttled("states:GetExecutionHistory", 1, 1000)],
        ..Realism::default()
    });
    let late = place.resizer(&["invoke", "--local", "--again", "--file", ROCKET, "--timeout", "1"]);
    late.code(1)
        .says("has not ended in time")
        .says("the last look at it failed");
}

#[test]
fn an_upload_that_stands_still_is_given_up_in_time() {
    let place = Place::with_stack();
    make_album(&place);
    let gate = Gate::before(&place, "x-id=PutObject");
    for file in ["album", ROCKET] {
        let ended = place.resizer(&["invoke", "--local", "--file", file, "--timeout", "1"]);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("has not ended in time, and is given up"), "{said}");
        ended.code(1).says("--timeout SECONDS gives it longer");
    }
    gate.open();
}

#[test]
fn results_are_put_in_a_folder_and_not_in_a_file() {
    let place = Place::with_stack();
    make_album(&place);
    let download = ["--download", "album/notes.txt"];
    let ended = place.resizer(&[&["invoke", "--local", "--file", "album"][..], &download].concat());
    ended.code(2).says("album/notes.txt is a file");
    let status = place.json(&["status", "--local"]);
    assert_eq!(
        status["executions"],
        Value::Array(Vec::new()),
        "nothing was uploaded"
    );
}

#[test]
fn interrupted_among_many_it_says_how_far_it_was() {
    let place = Place::with_stack();
    make_album(&place);
    let gate = Gate::before(&place, "DescribeExecution");
    let run = place.spawn(&["invoke", "--local", "--file", "album"]);
    gate.wait_for_arrival();
    signal("INT", run.id().into());
    let ended = Ended::from(run.wait_with_output().unwrap()).code(130);
    ended.says("stopped looking on: 0 of 4 pictures are done, 4 were under way, 0 were not begun");
    gate.open();
}

#[test]
fn when_its_cloud_ends_it_shows_what_went_through() {
    let mut near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    make_album(&near.place);
    near.behave(Realism {
        faults: vec![Fault {
            operation: "s3:GetObject".to_owned(),
            call: 4,
            times: 1,
            after: false,
            does: Mishap::Stall,
        }],
        ..Realism::default()
    });
    let mut run = near.place.spawn(&["invoke", "--local", "--file", "album"]);
    let mut said = BufReader::new(run.stderr.take().unwrap()).lines();
    let done = said.by_ref().map(Result::unwrap);
    assert_eq!(done.filter(|line| line.contains("  ✓ ")).take(3).count(), 3);
    near.end();
    let said: String = said.map(|line| line.unwrap() + "\n").collect();
    let ended = Ended::from(run.wait_with_output().unwrap()).code(1);
    assert!(
        said.contains("3 of 4 pictures are done, 1 were under way, 0 were not begun"),
        "{said}"
    );
    assert_eq!(ended.stdout.matches('✓').count(), 3, "{}", ended.stdout);
    assert!(ended.stdout.contains("\n3 resized to s3://"), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_uploads_start_nothing_it_says_why_and_waits_no_longer() {
    let place = Place::with_stack();
    make_album(&place);
    let events = aws_sdk_eventbridge::Client::new(&place.sdk_config());
    let rule = "resizer-object-created";
    events.disable_rule().name(rule).send().await.unwrap();
    place
        .resizer(&["invoke", "--local", "--file", "album", "--timeout", "60"])
        .code(1)
        .says("an upload starts nothing here: the rule resizer-object-created is disabled")
        .says("`resizer up --local` mends it")
        .says("0 of 4 pictures are done, 4 were under way, 0 were not begun");
    events.enable_rule().name(rule).send().await.unwrap();
    let targets = events.list_targets_by_rule().rule(rule).send().await.unwrap();
    let remove = events.remove_targets().rule(rule).ids(targets.targets()[0].id());
    remove.send().await.unwrap();
    place
        .resizer(&["invoke", "--local", "--file", ROCKET, "--timeout", "60"])
        .code(1)
        .says("the rule resizer-object-created has no target that starts the state machine");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_is_opened_with_what_the_machine_has_for_pictures() {
    let place = Place::with_stack();
    let opener = place.path().join("bin/xdg-open");
    fs::create_dir(place.path().join("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$1\" > {}/opened.new\nmv {0}/opened.new {0}/opened\n",
        place.path().display()
    );
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let picture = sample("rocket.jpg");
    let args = ["invoke", "--local", "--file", picture.to_str().unwrap(), "--open"];
    let path = format!(
        "{}:{}",
        place.path().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let ended = Ended::from(
        place
            .command(&args)
            .env("PATH", &path)
            .env("TMPDIR", place.path())
            .output()
            .unwrap(),
    );
    let ended = ended.ok();
    let opened = eventually("the picture is opened", || async {
        fs::read_to_string(place.path().join("opened")).ok()
    })
    .await;
    assert!(
        ended.stdout.contains(&format!("fetched to {}", opened.trim())),
        "{}",
        ended.stdout
    );
    assert_eq!(image::open(opened.trim()).unwrap().width(), 500);

    // One that is there and fails.
    let script = "#!/bin/sh\nexit 3\n";
    fs::write(&opener, script).unwrap();
    let mut failing = place.command(&args);
    failing.env("PATH", &path).env("TMPDIR", place.path());
    Ended::from(failing.output().unwrap())
        .code(1)
        .says("cannot be opened: xdg-open ended with exit status: 3");

    // Where there is no result, no folder for it is left.
    let temporary = place.path().join("temporary");
    fs::create_dir(&temporary).unwrap();
    fs::write(place.path().join("bad.jpg"), "not a picture").unwrap();
    let mut failing = place.command(&["invoke", "--local", "--file", "bad.jpg", "--open"]);
    Ended::from(failing.env("TMPDIR", &temporary).output().unwrap()).code(1);
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);

    let none = place
        .command(&args)
        .env("PATH", "/nowhere")
        .env("TMPDIR", place.path())
        .output();
    Ended::from(none.unwrap())
        .code(1)
        .says("cannot be opened: xdg-open")
        .says("the result is there");
}

#[test]
fn what_cannot_be_uploaded_is_told_before_anything_is() {
    let place = Place::new();
    make_album(&place);
    for (args, words) in [
        (&["--file", "album", "--key", "one.jpg"][..], "--key one.jpg/"),
        (
            &["--file", "album/rocket.jpg", "album/summer/rocket.jpg"],
            "would both be rocket.jpg",
        ),
        (&["--file", "album/notes.txt/x"], "cannot be read"),
        (&["--file", "nowhere"], "cannot be read"),
        (&["--key", "a", "--download", "album/notes.txt"], "no local cloud"),
    ] {
        let ended = place.resizer(&[&["invoke", "--local"][..], args].concat());
        assert_ne!(ended.code, Some(0), "{args:?}");
        ended.says(words);
    }
    assert!(!place.path().join(".resizer").exists());
}
