//! `status --watch` on a terminal's whole screen: keys in, screen out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use common::near::{self, NearCloud, UP, refusal};
use common::terminal::{Screen, printed_until};
use common::{Ended, Place, corpus, sample, signal};
use resizer_local::{Fault, Mishap, Realism};
use unicode_width::UnicodeWidthStr;

const WATCH: [&str; 3] = ["status", "--local", "--watch"];
const ENTER: &str = "\r";
const DOWN: &str = "\x1b[B";
const ESCAPE: &str = "\x1b";

/// A stack through which a picture and another file went.
fn used_stack() -> Place {
    let place = Place::with_stack();
    let picture = sample("rocket.jpg");
    place
        .resizer(&["invoke", "--local", "--file", picture.to_str().unwrap()])
        .ok();
    let bad = corpus("bad-html.png");
    place
        .resizer(&["invoke", "--local", "--file", bad.to_str().unwrap()])
        .code(1);
    place
}

#[test]
fn one_goes_through_the_executions_and_their_stories_with_the_keys() {
    let place = used_stack();
    let mut screen = Screen::start(&place, &WATCH, 100, 40);
    let shown = screen.wait_for("rocket.jpg");
    assert!(shown.starts_with("Stack resizer in us-east-1"), "{shown}");
    assert!(shown.contains("there and right"), "{shown}");
    assert!(shown.contains("Last 24 hours"), "{shown}");
    assert!(shown.contains("not an image"), "{shown}");
    assert!(shown.contains("q quit"), "{shown}");

    // The newest is the first, and it went wrong.
    screen.press(ENTER);
    let story = screen.wait_for("FAILED in");
    assert!(story.contains("Esc back"), "{story}");
    screen.press(ESCAPE);
    screen.wait_for("/ filter");
    screen.press(DOWN);
    screen.press(ENTER);
    screen.wait_for("SUCCEEDED in");
    screen.press(ESCAPE);

    screen.wait_for("/ filter");
    screen.press("f");
    screen.wait_until("only what failed", |shown| {
        shown.contains("only failed") && !shown.contains("rocket.jpg")
    });
    screen.press("f/rocket");
    screen.press(ENTER);
    screen.wait_until("only what has the word", |shown| {
        shown.contains("with \"rocket\"") && !shown.contains("bad-html.png")
    });
    screen.press(ESCAPE);
    screen.wait_for("bad-html.png");
    screen.press("q");
    assert!(screen.ended().success());
}

#[test]
fn lines_that_were_on_their_way_come_into_the_story_that_is_open() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.behave(Realism {
        log_delivery: 8_000,
        ..Realism::default()
    });
    let picture = sample("rocket.jpg");
    let invoke = [
        "invoke",
        "--local",
        "--quiet",
        "--file",
        picture.to_str().unwrap(),
    ];
    near.place.resizer(&invoke).ok();
    let mut screen = Screen::start(&near.place, &WATCH, 120, 40);
    screen.wait_for("rocket.jpg");
    screen.press(ENTER);
    screen.wait_for("log  CloudWatch Logs takes some seconds");
    screen.wait_until("the function's lines", |shown| {
        shown.contains("billed") && shown.contains("told by CloudWatch Logs")
    });
}

#[test]
fn what_happens_meanwhile_comes_to_the_screen_whatever_its_size() {
    let place = used_stack();
    let mut screen = Screen::start(&place, &WATCH, 80, 24);
    screen.wait_for("rocket.jpg");
    let picture = sample("chelsea.jpg");
    place
        .resizer(&["invoke", "--local", "--file", picture.to_str().unwrap()])
        .ok();
    screen.wait_for("chelsea.jpg");
    screen.resize(50, 10);
    let shown = screen.wait_until("a small screen", |shown| {
        shown.lines().count() <= 10 && shown.contains("chelsea") && shown.contains("q quit")
    });
    assert!(shown.lines().all(|line| line.width() <= 50), "{shown}");
    screen.resize(140, 50);
    screen.wait_for("Last 24 hours");
    // Ctrl-C, which is a key here.
    screen.press("\x03");
    assert_eq!(screen.ended().code(), Some(130));
}

#[test]
fn when_it_cannot_be_read_again_it_says_so_and_goes_on() {
    let place = used_stack();
    let screen = Screen::start(&place, &WATCH, 100, 30);
    screen.wait_for("rocket.jpg");
    place.kill_the_cloud();
    let shown = screen.wait_for("not read again since ");
    assert!(shown.contains("rocket.jpg"), "what was read last stays: {shown}");
}

#[test]
fn after_down_it_shows_that_nothing_stands_and_then_what_comes() {
    let near = NearCloud::start();
    near.place.resizer(&UP).ok();
    let screen = Screen::start(&near.place, &WATCH, 100, 40);
    screen.wait_for("Resources: all 13 there and right");
    near.place.resizer(&near::DOWN).ok();
    let nothing = "Resources: none of 13 is there; `resizer up --local` makes them";
    let shown = screen.wait_for(nothing);
    assert!(!shown.contains("not read"), "{shown}");
    near.place.resizer(&UP).ok();
    screen.wait_for("Resources: all 13 there and right");

    near.place.resizer(&near::DOWN).ok();
    let status = near.place.resizer(&["status", "--local", "--exit-code"]).code(2);
    assert!(status.stdout.contains(nothing), "{}", status.stdout);
    near.place
        .resizer(&["status", "--local"])
        .code(1)
        .says("does not stand");
}

#[test]
fn when_it_cannot_be_read_at_first_it_says_so_and_tries_again() {
    let near = NearCloud::start();
    near.place.resizer(&UP).ok();
    near.behave(in_trouble("states:ListExecutions", TRIES));
    let screen = Screen::start(&near.place, &WATCH, 100, 40);
    screen.wait_for("not read: states:ListExecutions");
    screen.wait_for("Resources: all 13 there and right");
}

/// An operation is refused for a while, by a service that is in trouble: so many times from now on.
fn in_trouble(operation: &str, times: u64) -> Realism {
    Realism {
        faults: vec![Fault {
            operation: operation.to_owned(),
            call: 1,
            times,
            after: false,
            does: refusal(503, "ServiceUnavailableException", "come back later"),
        }],
        ..Realism::default()
    }
}

/// As often as the SDK tries a call, and once more.
const TRIES: u64 = 5;

#[test]
fn a_story_that_cannot_be_read_just_now_is_read_later() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.place.invoke(&sample("rocket.jpg"), "rocket.jpg").ok();
    let mut screen = Screen::start(&near.place, &WATCH, 100, 40);
    screen.wait_for("rocket.jpg");
    near.behave(in_trouble("states:DescribeExecution", TRIES));
    screen.press(ENTER);
    screen.wait_for("not read again since ");
    let story = screen.wait_for("SUCCEEDED in");
    assert!(story.contains("Esc back"), "{story}");
}

#[test]
fn an_execution_that_runs_is_described_once_however_often_one_looks() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.behave(Realism {
        faults: vec![Fault {
            operation: "s3:GetObject".to_owned(),
            call: 1,
            times: 1,
            after: false,
            does: Mishap::Stall,
        }],
        ..Realism::default()
    });
    let picture = sample("rocket.jpg");
    let mut invoke = near
        .place
        .spawn(&["invoke", "--local", "--file", picture.to_str().unwrap()]);
    near.wait_for("s3:GetObject", 1);
    signal("KILL", invoke.id().into());
    invoke.wait().unwrap();
    let calls = |operation: &str| near.calls().get(operation).copied().unwrap_or_default();
    let (looks, described) = (calls("states:ListExecutions"), calls("states:DescribeExecution"));
    let mut watch = near.place.spawn(&WATCH);
    near.wait_for("states:ListExecutions", looks + 3);
    signal("INT", watch.id().into());
    watch.wait().unwrap();
    assert_eq!(calls("states:DescribeExecution"), described + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn which_executions_are_for_a_key_is_read_once_however_often_one_looks() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    let states = aws_sdk_sfn::Client::new(&near.place.sdk_config());
    let machines = states.list_state_machines().send().await.unwrap();
    let machine = machines.state_machines()[0].state_machine_arn().to_owned();
    // More than are described.
    for number in 0..130 {
        let start = states.start_execution().state_machine_arn(&machine);
        let input = format!(r#"{{"bucket": "b", "key": "other/{number}.jpg"}}"#);
        start.input(input).send().await.unwrap();
    }
    let calls = |operation: &str| near.calls().get(operation).copied().unwrap_or_default();
    let running = || {
        let list = states.list_executions().state_machine_arn(&machine);
        list.status_filter(ExecutionStatus::Running).send()
    };
    while !running().await.unwrap().executions().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let watch = ["status", "--local", "--watch", "--key", "mine/", "--since", "1d"];
    let (looks, read) = (calls("states:ListExecutions"), calls("logs:FilterLogEvents"));
    let mut watch = near.place.spawn(&watch);
    near.wait_for("states:ListExecutions", looks + 2);
    let first = calls("logs:FilterLogEvents");
    assert!(first > read, "the beginnings of the others are read");
    near.wait_for("states:ListExecutions", looks + 5);
    assert_eq!(calls("logs:FilterLogEvents"), first);
    signal("INT", watch.id().into());
    watch.wait().unwrap();
}

#[test]
fn what_a_list_may_lack_is_seen_beside_it_on_a_small_screen_too() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.behave(Realism {
        faults: vec![Fault {
            operation: "states:ListExecutions".to_owned(),
            call: 1,
            times: 1000,
            after: false,
            does: refusal(403, "AccessDeniedException", "not authorized to perform it"),
        }],
        ..Realism::default()
    });
    let mut screen = Screen::start(&near.place, &WATCH, 80, 24);
    screen.wait_for("they could not be read");
    screen.wait_for("none to be seen");
    // All that is above the list.
    screen.press("s");
    screen.wait_for("REST API");
    screen.press(ESCAPE);
    screen.wait_for("none to be seen");
}

#[test]
fn without_a_terminal_it_waits_until_it_can_be_read_again() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.behave(in_trouble("states:ListExecutions", TRIES));
    let mut child = near.place.spawn(&WATCH);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("Stack resizer in"), "{first}");
    signal("INT", child.id().into());
    let ended = Ended::from(child.wait_with_output().unwrap()).code(130);
    assert_eq!(
        ended.stderr.matches("; trying again").count(),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
fn on_a_terminal_without_control_codes_it_writes_lines() {
    let place = Place::with_stack();
    let shown = printed_until(&place, &WATCH, "dumb", "requests 0, 4xx 0, 5xx 0");
    assert!(!shown.contains('\x1b'), "{shown:?}");
}
