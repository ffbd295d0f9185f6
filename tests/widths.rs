//! The screens on terminals of several widths, with colour and without.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use anstream::adapter::strip_str;
use common::steady::steady;
use common::terminal::{Screen, printed};
use common::{Place, corpus, sample};
use insta::assert_snapshot;
use unicode_width::UnicodeWidthStr;

const WIDTHS: [u16; 3] = [60, 80, 120];

/// What a screen is called, and the command that shows it.
const SCREENS: [(&str, &[&str]); 3] = [
    ("status", &["status", "--local", "--limit", "2"]),
    ("down_dry_run", &["down", "--local", "--dry-run"]),
    (
        "invoke_many",
        &["invoke", "--local", "--again", "--file", "album", "bad.png"],
    ),
];

#[test]
fn every_screen_fits_its_terminal_with_colour_and_without() {
    let place = Place::with_stack();
    fs::create_dir(place.path().join("album")).unwrap();
    fs::copy(sample("rocket.jpg"), place.path().join("album/rocket.jpg")).unwrap();
    fs::copy(corpus("bad-html.png"), place.path().join("bad.png")).unwrap();
    place
        .resizer(&["invoke", "--local", "--file", "album/rocket.jpg"])
        .ok();
    place.resizer(&["invoke", "--local", "--file", "bad.png"]).code(1);
    for (name, args) in SCREENS {
        for width in WIDTHS {
            let coloured = printed(&place, args, width, &[]);
            let plain = printed(&place, args, width, &[("NO_COLOR", "1")]);
            assert!(!plain.contains('\x1b'), "{name} at {width}: {plain:?}");
            assert_eq!(
                steady(&strip_str(&coloured).to_string()),
                steady(&plain),
                "{name} at {width}: colour changes the words"
            );
            assert_snapshot!(format!("{name}_{width}"), steady(&plain));
            if width == 80 {
                let visible = steady(&with_visible_styles(&coloured));
                assert_snapshot!(format!("{name}_{width}_coloured"), visible);
            }
        }
    }
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
            words.contains("requests 0, 4xx 0, 5xx 0") && words.contains("f only failed")
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

/// With its styles where they can be seen.
fn with_visible_styles(coloured: &str) -> String {
    let names = regex_lite::Regex::new(" [0-9a-f]{8}  ").unwrap();
    names.replace_all(coloured, " [execution]  ").replace('\x1b', "␛")
}
