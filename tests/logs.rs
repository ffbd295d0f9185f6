//! The stream of what the function and the executions log: in the order of time, each line once, however late it comes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use common::near::{NearCloud, UP, refusal};
use common::{Ended, Place, corpus, sample, signal};
use resizer_local::{Fault, Realism};
use serde_json::Value;

/// How long a test waits for a line to come.
const PATIENCE: Duration = Duration::from_secs(60);

const FUNCTION_GROUP: &str = "/aws/lambda/resizer-resize";
const EXECUTIONS_GROUP: &str = "/aws/vendedlogs/states/resizer-resize";

/// Puts a picture, or what is none, through the pipeline; returns when the function's lines are there.
fn invoke(place: &Place, file: &std::path::Path, key: &str) {
    let ended = place.invoke(file, key);
    assert!(ended.stderr.contains("ran  "), "{}", ended.stderr);
}

/// The documents that `logs` prints, a line each.
fn documents(stdout: &str) -> Vec<Value> {
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// `logs --follow` under way, and its lines as they come.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(place: &Place, more: &[&str]) -> Self {
        let mut child = place.spawn(&[&["logs", "--local", "--follow"], more].concat());
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, lines) = channel();
        std::thread::spawn(move || stdout.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    /// All lines until the one with these words, which must come.
    fn until(&self, words: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            let is_it = line.contains(words);
            before.push(line);
            if is_it {
                return before;
            }
        }
        panic!("{words:?} has not come after {before:#?}");
    }

    /// Interrupts it: how it ended, and the lines that were not read yet.
    fn stop(self) -> (Ended, Vec<String>) {
        signal("INT", self.child.id().into());
        let ended = Ended::from(self.child.wait_with_output().unwrap());
        (ended, self.lines.iter().collect())
    }
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis().try_into().unwrap()
}

/// Writes a line that is so many milliseconds old to a log group.
async fn write(logs: &Client, group: &str, age: i64, text: &str) {
    let stream = logs
        .create_log_stream()
        .log_group_name(group)
        .log_stream_name("test");
    // It may be there.
    let _ = stream.send().await;
    let event = InputLogEvent::builder()
        .timestamp(now() - age)
        .message(text)
        .build()
        .unwrap();
    let put = logs
        .put_log_events()
        .log_group_name(group)
        .log_stream_name("test");
    put.log_events(event).send().await.unwrap();
}

/// FilterLogEvents is refused from this call on, so many times.
fn refused(call: u64, times: u64) -> Realism {
    Realism {
        faults: vec![Fault {
            operation: "logs:FilterLogEvents".to_owned(),
            call,
            times,
            after: false,
            does: refusal(503, "ServiceUnavailableException", "come back later"),
        }],
        ..Realism::default()
    }
}

#[test]
fn both_logs_are_one_stream_in_the_order_of_time() {
    let place = Place::with_stack();
    let empty = place.resizer(&["logs", "--local"]).ok();
    let empty = empty
        .says("nothing of it was logged since")
        .says("`resizer invoke --local --file PATH`");
    assert_eq!(empty.stdout, "");

    invoke(&place, &sample("rocket.jpg"), "good.jpg");
    invoke(&place, &corpus("bad-html.png"), "bad.png");
    let shown = place.resizer(&["logs", "--local"]).ok().stdout;
    for words in [
        "started for good.jpg",
        "entered Resize",
        "function       START RequestId: ",
        "function       INFO answer {",
        "succeeded → output/good_resized.jpg",
        "execution failed: not an image",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let all = documents(&place.resizer(&["logs", "--local", "--json"]).ok().stdout);
    let times: Vec<&str> = all.iter().map(|line| line["time"].as_str().unwrap()).collect();
    let times: Vec<jiff::Timestamp> = times.iter().map(|time| time.parse().unwrap()).collect();
    assert!(times.is_sorted(), "{all:#?}");
    let sources: HashSet<&str> = all.iter().map(|line| line["source"].as_str().unwrap()).collect();
    assert_eq!(sources, HashSet::from(["function", "executions"]));

    let colored = place
        .resizer(&["logs", "--local", "--color", "always"])
        .ok()
        .stdout;
    let is_red = |line: &&str| line.contains("\u{1b}[31mexecution failed: ");
    assert_eq!(colored.lines().filter(is_red).count(), 1, "{colored}");

    for (flag, source) in [("--function", "function"), ("--executions", "executions")] {
        let some = documents(&place.resizer(&["logs", "--local", "--json", flag]).ok().stdout);
        let expected = all.iter().filter(|line| line["source"] == source).count();
        assert!(some.iter().all(|line| line["source"] == source), "{some:#?}");
        assert_eq!(some.len(), expected, "{flag}");
    }
}

#[test]
fn one_execution_and_one_key_have_their_own_lines_and_no_others() {
    let place = Place::with_stack();
    invoke(&place, &sample("rocket.jpg"), "one.jpg");
    invoke(&place, &sample("rocket.jpg"), "other.jpg");
    let status = place.json(&["status", "--local", "--key", "one.jpg"]);
    let execution = &status["executions"][0];
    let (name, arn) = (execution["name"].as_str().unwrap(), &execution["arn"]);
    let of = |args: &[&str]| {
        let ended = place.resizer(&[&["logs", "--local", "--json"], args].concat());
        documents(&ended.ok().stdout)
    };
    let of_execution = of(&["--execution", &name[..13]]);
    assert!(
        of_execution.iter().all(|line| &line["execution"] == arn),
        "{of_execution:#?}"
    );
    let of_function = of_execution.iter().filter(|line| line["source"] == "function");
    // START, what the function prints, END, REPORT.
    assert_eq!(of_function.count(), 4, "{of_execution:#?}");
    assert_eq!(of(&["--key", "one.jpg"]), of_execution);
    let of_function = of(&["--key", "one.jpg", "--function"]);
    assert_eq!(of_function.len(), 4, "{of_function:#?}");
    assert_eq!(of(&["--key", "one"]), of_execution);
    assert_eq!(of(&["--key", "ne.jpg"]), Vec::<Value>::new());
    place
        .resizer(&["logs", "--local", "--execution", "nonsense"])
        .code(1)
        .says("there is no execution nonsense");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_execution_the_lines_of_a_try_that_failed_in_the_function_are_shown() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.fail_a_function();
    invoke(&near.place, &sample("rocket.jpg"), "slow.jpg");
    let status = near.place.json(&["status", "--local"]);
    let execution = status["executions"][0]["name"].as_str().unwrap();
    for which in [["--execution", execution], ["--key", "slow.jpg"]] {
        let args = [&["logs", "--local", "--json", "--function"][..], &which].concat();
        let shown = documents(&near.place.resizer(&args).ok().stdout);
        let failures = shown
            .iter()
            .filter(|line| line["message"].as_str().unwrap().contains("SlowDown"));
        assert_eq!(failures.count(), 1, "{which:?}: {shown:#?}");
        // START, what the function prints, END, REPORT; of either try.
        assert_eq!(shown.len(), 8, "{which:?}: {shown:#?}");
    }

    let logs = Client::new(&near.place.sdk_config());
    for group in [FUNCTION_GROUP, EXECUTIONS_GROUP] {
        logs.delete_log_group()
            .log_group_name(group)
            .send()
            .await
            .unwrap();
        logs.create_log_group()
            .log_group_name(group)
            .send()
            .await
            .unwrap();
    }
    let nothing = near
        .place
        .resizer(&["logs", "--local", "--execution", execution])
        .ok();
    nothing.says("nothing of it is to be read: CloudWatch Logs takes some seconds to have them");
}

#[tokio::test(flavor = "multi_thread")]
async fn followed_a_late_line_comes_once_and_none_is_lost_or_repeated() {
    let near = NearCloud::start();
    near.place.resizer(&UP).ok();
    let logs = Client::new(&near.place.sdk_config());
    write(&logs, FUNCTION_GROUP, 5_000, "first").await;
    let following = Following::start(&near.place, &["--function"]);
    let mut told = following.until("first");
    write(&logs, FUNCTION_GROUP, 0, "newer").await;
    told.extend(following.until("newer"));
    write(&logs, FUNCTION_GROUP, 540_000, "late, and older than all").await;
    told.extend(following.until("late, and older than all"));
    for n in 0..20 {
        write(&logs, FUNCTION_GROUP, n * 1_000, &format!("line {n} of many")).await;
    }
    write(&logs, FUNCTION_GROUP, 0, "the last").await;
    told.extend(following.until("the last"));
    let (ended, rest) = following.stop();
    let ended = ended.code(130);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
    told.extend(rest);
    let count = |words: &str| told.iter().filter(|line| line.ends_with(words)).count();
    for words in ["first", "newer", "late, and older than all", "the last"] {
        assert_eq!(count(words), 1, "{words}: {told:#?}");
    }
    for n in 0..20 {
        assert_eq!(count(&format!(" line {n} of many")), 1, "{n}: {told:#?}");
    }
}

#[test]
fn followed_on_a_day_with_late_logs_an_execution_is_told_whole() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.behave(Realism {
        log_delivery: 2_500,
        ..Realism::default()
    });
    let following = Following::start(&near.place, &["--json", "--key", "late.jpg"]);
    let rocket = sample("rocket.jpg");
    let args = [
        "invoke",
        "--local",
        "--quiet",
        "--again",
        "--key",
        "late.jpg",
        "--file",
        rocket.to_str().unwrap(),
    ];
    let mut told = Vec::new();
    for _ in 0..2 {
        near.place.resizer(&args).ok();
        // Whichever log group is read first.
        let mut come = following.until("ExecutionSucceeded");
        if !come.iter().any(|line| line.contains("REPORT ")) {
            come.extend(following.until("REPORT "));
        }
        told.extend(come);
    }
    let (ended, rest) = following.stop();
    ended.code(130);
    told.extend(rest);
    let told = documents(&told.join("\n"));
    let executions: HashSet<&str> = told
        .iter()
        .filter_map(|line| line["execution"].as_str())
        .collect();
    assert_eq!(executions.len(), 2, "{told:#?}");
    for execution in executions {
        let lines = told.iter().filter(|line| line["execution"] == execution);
        let (of_function, events): (Vec<&Value>, Vec<&Value>) =
            lines.partition(|line| line["source"] == "function");
        assert_eq!(of_function.len(), 4, "{told:#?}");
        let ids: Vec<u32> = events
            .iter()
            .map(|line| line["event"]["id"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(ids, Vec::from_iter(1..=11), "{told:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn followed_through_a_bad_time_nothing_is_lost() {
    let near = NearCloud::start();
    near.place.resizer(&UP).ok();
    let logs = Client::new(&near.place.sdk_config());
    let following = Following::start(&near.place, &[]);
    near.behave(refused(1, u64::MAX));
    near.wait_for("logs:FilterLogEvents", 1);
    for group in [EXECUTIONS_GROUP, FUNCTION_GROUP] {
        write(&logs, group, 0, &format!("meanwhile in {group}")).await;
    }
    // The first log group is read, the second is not, however often it is tried.
    near.behave(refused(2, 4));
    let told = following.until(&format!("meanwhile in {FUNCTION_GROUP}"));
    let count = |group: &str| {
        told.iter()
            .filter(|line| line.ends_with(&format!("in {group}")))
            .count()
    };
    assert_eq!(
        (count(EXECUTIONS_GROUP), count(FUNCTION_GROUP)),
        (1, 1),
        "{told:#?}"
    );
    let (ended, _) = following.stop();
    ended.code(130).says("; trying again");
}

#[test]
fn followed_by_nobody_any_more_it_ends() {
    let place = Place::with_stack();
    invoke(&place, &sample("rocket.jpg"), "a.jpg");
    let mut child = place.spawn(&["logs", "--local", "--follow"]);
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    drop(stdout);
    let pid = child.id();
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(child.wait_with_output().unwrap()));
    match told.recv_timeout(PATIENCE) {
        Ok(ended) => drop(Ended::from(ended).ok()),
        Err(_) => {
            signal("KILL", pid.into());
            panic!("it goes on");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_log_group_it_says_what_makes_it() {
    let place = Place::with_stack();
    invoke(&place, &sample("rocket.jpg"), "a.jpg");
    let logs = Client::new(&place.sdk_config());
    logs.delete_log_group()
        .log_group_name(FUNCTION_GROUP)
        .send()
        .await
        .unwrap();
    let why = "some lines are missing: the log group /aws/lambda/resizer-resize is not there; `resizer up --local` makes it";
    let told = place.resizer(&["logs", "--local"]).ok();
    let told = told.says(why);
    assert!(told.stdout.contains("entered Resize"), "{}", told.stdout);
    let following = Following::start(&place, &["--executions"]);
    following.until("entered Resize");
    following.stop().0.code(130);
    let following = Following::start(&place, &[]);
    following.until("entered Resize");
    let ended = following.stop().0.code(130);
    assert_eq!(ended.stderr.matches(why).count(), 1, "{}", ended.stderr);
    place
        .resizer(&["logs", "--local", "--function"])
        .code(1)
        .says("or not whole: the log group /aws/lambda/resizer-resize is not there")
        .says("`resizer up --local` makes it");
}
