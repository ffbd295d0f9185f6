//! The screens on terminals of several widths, with colour and without.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use anstream::adapter::strip_str;
use common::near::NearCloud;
use common::steady::steady;
use common::terminal::{Screen, printed};
use common::{Place, corpus, sample};
use insta::assert_snapshot;
use resizer_local::Realism;
use rusqlite::Connection;
use unicode_width::UnicodeWidthStr;

const WIDTHS: [u16; 3] = [60, 80, 120];

/// Enough for every screen.
const ROWS: u16 = 70;

/// Compares what `show` shows in each width, without colour and with it, to what it showed before.
#[track_caller]
fn assert_screen(name: &str, show: impl Fn(u16, &[(&str, &str)]) -> String) {
    let styles = regex_lite::Regex::new("⟨[a-z ]*⟩").unwrap();
    let mut views = String::new();
    for width in WIDTHS {
        let plain = steady(&show(width, &[("NO_COLOR", "1")]));
        let coloured = steady(&show(width, &[]));
        assert_eq!(
            styles.replace_all(&coloured, ""),
            styles.replace_all(&plain, ""),
            "{name} at {width}: colour changes the words"
        );
        views +=
            &format!("── {width} columns ──\n{plain}\n\n── {width} columns, with colour ──\n{coloured}\n\n");
    }
    assert_snapshot!(name, views);
}

/// Runs the binary on a terminal.
fn run(place: &Place, args: &[&str], width: u16, settings: &[(&str, &str)]) -> Screen {
    let mut command = place.command(args);
    command.envs(settings.iter().copied());
    Screen::run(command, width, ROWS)
}

/// A stack through which a picture went, and then one that is none; what took its time at random takes always the same.
fn used_stack() -> Place {
    let place = Place::with_stack();
    fs::create_dir(place.path().join("album")).unwrap();
    fs::copy(sample("rocket.jpg"), place.path().join("album/rocket.jpg")).unwrap();
    fs::copy(corpus("bad-html.png"), place.path().join("bad.png")).unwrap();
    place
        .resizer(&["invoke", "--local", "--file", "album/rocket.jpg"])
        .ok();
    place.resizer(&["invoke", "--local", "--file", "bad.png"]).code(1);
    place.resizer(&["local", "stop"]).ok();
    let db = Connection::open(place.path().join(".resizer/local/cloud.db")).unwrap();
    db.execute_batch(
        r"UPDATE log_events SET message = json_set(message, '$.event_timestamp', CAST(
              (SELECT started FROM executions WHERE instr(message, name)) + 2 * json_extract(message, '$.id') AS TEXT))
              WHERE instr(message, 'execution_arn');
          UPDATE log_events SET time = CAST(json_extract(message, '$.event_timestamp') AS INTEGER)
              WHERE instr(message, 'execution_arn');
          UPDATE log_events SET time = (SELECT max(started) FROM executions) + 7
              WHERE NOT instr(message, 'execution_arn') AND time >= (SELECT max(started) FROM executions);
          UPDATE log_events SET message = substr(message, 1, instr(message, 'Duration') - 1)
              || 'Duration: 12.34 ms' || char(9) || 'Billed Duration: 13 ms' || char(9) || 'Memory Size: 1769 MB'
              || char(9) || 'Max Memory Used: 38 MB' || char(9)
              WHERE message LIKE 'REPORT %';
          UPDATE executions SET stopped = started + 26;",
    )
    .unwrap();
    place
}

#[test]
fn every_screen_of_a_stack_at_work_fits_its_terminal_with_colour_and_without() {
    let place = used_stack();
    let newest = place.json(&["status", "--local"])["executions"][0]["name"].clone();
    let newest = newest.as_str().unwrap();
    for (name, args) in [
        ("status", &["status", "--local", "--limit", "2"][..]),
        ("execution", &["status", "--local", "--execution", newest]),
        (
            "status_failed",
            &["status", "--local", "--failed", "--since", "1d"],
        ),
        ("status_none", &["status", "--local", "--key", "album/nobody's/"]),
        ("logs", &["logs", "--local", "--key", "bad.png"]),
        ("logs_none", &["logs", "--local", "--key", "album/nobody's/"]),
        ("plan_none", &["plan", "--local"]),
        ("down_dry_run", &["down", "--local", "--dry-run"]),
        ("no_such_object", &["invoke", "--local", "--key", "nowhere.jpg"]),
    ] {
        assert_screen(name, |width, settings| {
            run(&place, args, width, settings).picture_at_its_end()
        });
    }
    assert_screen("watch", |width, settings| {
        let mut command = place.command(&["status", "--local", "--watch"]);
        command.envs(settings.iter().copied());
        let mut screen = Screen::run(command, width, 36);
        screen.wait_until("the list", |shown| {
            shown.contains("rocket.jpg") && shown.contains("filter")
        });
        let list = screen.picture();
        screen.press("\r");
        screen.wait_until("the story to its end", |shown| {
            let end = shown.split_once("FAILED in").unwrap_or_default().1;
            end.contains("404<") && end.contains("scroll")
        });
        format!("{list}\n\n{}", screen.picture())
    });
    assert_screen("down", |width, settings| {
        let mut screen = run(&place, &["down", "--local"], width, settings);
        screen.wait_for("or y: ");
        screen.press("n\n");
        screen.picture_at_its_end()
    });
    assert_screen("report", |width, settings| {
        let report = run(&place, &["report", "--local"], width, settings);
        let size = regex_lite::Regex::new("[0-9]+ kB").unwrap();
        let picture = report.picture_at_its_end();
        size.replace(&picture, "[size]").into_owned()
    });
    // They change what the others show.
    fs::copy(corpus("bad-empty.jpg"), place.path().join("empty.jpg")).unwrap();
    // The first starts the function cold.
    place
        .resizer(&["invoke", "--local", "--file", "empty.jpg"])
        .code(1);
    for (name, args) in [
        (
            "invoke",
            &["invoke", "--local", "--again", "--file", "empty.jpg"][..],
        ),
        (
            "invoke_many",
            &["invoke", "--local", "--again", "--file", "album", "bad.png"],
        ),
    ] {
        assert_screen(name, |width, settings| {
            run(&place, args, width, settings).picture_at_its_end()
        });
    }
    fs::write(
        place.path().join("resizer.toml"),
        "[resize]\nwidth = 120\n[logs]\nretention_days = 30\n",
    )
    .unwrap();
    assert_screen("plan", |width, settings| {
        run(&place, &["plan", "--local"], width, settings).picture_at_its_end()
    });
    fs::write(
        place.path().join("resizer.toml"),
        "[alarms]\nemail = \"ops@example.org\"\n",
    )
    .unwrap();
    place.resizer(&["up", "--local"]).ok();
    assert_screen("status_alarms", |width, settings| {
        let status = run(&place, &["status", "--local", "--limit", "1"], width, settings);
        let picture = status.picture_at_its_end();
        // Whether they have gone off is a matter of minutes.
        let of_alarms = picture.lines().skip_while(|line| !line.starts_with("Alarms: "));
        of_alarms
            .skip(1)
            .take_while(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    });
}

#[test]
fn every_screen_of_a_stack_that_comes_fits_its_terminal_with_colour_and_without() {
    let place = Place::with_a_cloud();
    assert_screen("no_stack", |width, settings| {
        run(&place, &["status", "--local"], width, settings).picture_at_its_end()
    });
    assert_screen("up", |width, settings| {
        let up = run(&place, &["up", "--local"], width, settings).picture_at_its_end();
        place.resizer(&["down", "--local", "--yes"]).ok();
        // Which address the local cloud has is no concern of this.
        let (up, _) = up.split_once("http://").unwrap();
        // What is made at once is done in any order.
        let (mut steps, result): (Vec<_>, Vec<_>) =
            up.trim_end().lines().partition(|line| line.contains('✓'));
        steps.sort_unstable();
        [steps, result].concat().join("\n")
    });
}

/// That nothing of it is wider than the terminal.
#[track_caller]
fn assert_fits(screen: &str, width: u16, what: &str) {
    for line in screen.lines() {
        let columns = line.width();
        assert!(
            columns <= width.into(),
            "{what} at {width}, {columns} wide: {line}\n{screen}"
        );
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_and_none_is_cut() {
    let place = Place::with_stack();
    let picture = sample("rocket.jpg");
    let key = "an album/with a long name/and another in it/夏の写真/rocket with all its smoke.jpg";
    place.invoke(&picture, key).ok();
    place.invoke(&corpus("bad-html.png"), "bad.png").code(1);
    let status = place.json(&["status", "--local"]);
    let [bad, good] = [0, 1].map(|index| status["executions"][index]["name"].as_str().unwrap());
    for width in [40, 60, 80, 120, 200] {
        let shown = |args: &[&str]| {
            let shown = strip_str(&printed(&place, args, width, &[])).to_string();
            assert_fits(&shown, width, &args.join(" "));
            // In one line again, to look for words in.
            shown.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let overview = shown(&["status", "--local"]);
        for words in [
            "executions started 2, succeeded 1, failed 1, timed out 0, aborted 0, p50 ",
            "not an image",
        ] {
            assert!(overview.contains(words), "{words} at {width}: {overview}");
        }
        let story = shown(&["status", "--local", "--execution", bad]);
        assert!(story.contains("FAILED in"), "{story}");
        assert!(story.contains("not an image"), "{story}");
        let story = shown(&["status", "--local", "--execution", good]).replace(' ', "");
        assert!(story.contains(&key.replace(' ', "")), "at {width}: {story}");
        let logs = shown(&["logs", "--local"]).replace(' ', "");
        assert!(
            logs.contains(&format!("startedfor{}", key.replace(' ', ""))),
            "at {width}: {logs}"
        );

        let mut screen = Screen::start(&place, &["status", "--local", "--watch"], width, 60);
        // The terminal would cut what is too long: this must stand there whole.
        let whole = screen.wait_until("the counts", |shown| {
            let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            words.contains("requests 0, 4xx 0, 5xx 0") && words.contains("/ filter")
        });
        let whole = whole.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            whole.contains("timed out 0, aborted 0, p50 "),
            "at {width}: {whole}"
        );
        screen.press("\x1b[B\r");
        screen.wait_until("the key", |shown| {
            let story: String = shown.split_whitespace().collect();
            story.contains(&key.replace(' ', ""))
        });
        // To its end.
        screen.press("G");
        screen.wait_until("the story to its end", |shown| {
            let story: String = shown.split_whitespace().collect();
            story.contains("SUCCEEDEDin")
        });
        screen.press("q");
        assert!(screen.ended().success());
    }
}

#[test]
fn what_was_said_while_it_was_waited_for_does_not_stay() {
    let near = NearCloud::start();
    near.place.resizer(&["up", "--local"]).ok();
    near.behave(Realism {
        latency: 400,
        ..Realism::default()
    });
    for args in [
        &["status", "--local"][..],
        &["status", "--local", "--key", "a"],
        &["report", "--local"],
    ] {
        let screen = Screen::start(&near.place, args, 100, ROWS);
        screen.wait_for("Reading what stands");
        let shown = screen.picture_at_its_end();
        assert!(!shown.contains("Reading"), "{args:?}: {shown}");
    }
}
