//! What is drawn where the locale takes ASCII alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::process::Command;

use common::terminal::Screen;
use common::{Ended, Place, corpus, sample};

fn command(place: &Place, locale: &str, args: &[&str]) -> Command {
    let mut command = place.command(args);
    command.env("LC_ALL", locale);
    command
}

#[test]
fn what_a_locale_does_not_take_is_not_printed_and_columns_stay_where_they_were() {
    let place = Place::with_stack();
    fs::create_dir(place.path().join("album")).unwrap();
    fs::copy(sample("rocket.jpg"), place.path().join("album/rocket.jpg")).unwrap();
    fs::copy(corpus("bad-html.png"), place.path().join("bad.png")).unwrap();
    let run = |locale: &str, args: &[&str]| Ended::from(command(&place, locale, args).output().unwrap());
    let invoke = ["invoke", "--local", "--again", "--file"];
    let many = run("C", &[&invoke[..], &["album", "bad.png"]].concat()).code(1);
    assert!(many.stdout.contains("+ album/rocket.jpg"), "{}", many.stdout);
    assert!(many.stdout.contains("x bad.png"), "{}", many.stdout);
    let one = run("C", &[&invoke[..], &["bad.png"]].concat()).code(1);
    for told in [&many, &one] {
        assert!(
            told.stdout.is_ascii() && told.stderr.is_ascii(),
            "{}{}",
            told.stdout,
            told.stderr
        );
    }
    for args in [
        &["status", "--local"][..],
        &["logs", "--local"],
        &["down", "--local", "--dry-run"],
    ] {
        let [ascii, unicode] = ["POSIX", "C.UTF-8"].map(|locale| run(locale, args).ok().stdout);
        assert!(ascii.is_ascii(), "{ascii}");
        let widths = |text: &str| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
        assert_eq!(widths(&ascii), widths(&unicode), "{ascii}\n{unicode}");
    }
    let unicode = run("C.UTF-8", &["status", "--local"]).ok().stdout;
    assert!(unicode.contains('✓') && unicode.contains('✗'), "{unicode}");
}

#[test]
fn programs_are_told_keys_as_they_are_whatever_the_locale() {
    let place = Place::with_stack();
    let (rocket, key) = (sample("rocket.jpg"), "日本 ✓ → ….jpg");
    let args = ["invoke", "--local", "--json", "--key", key, "--file"];
    let mut invoke = command(&place, "C", &args);
    let told = Ended::from(invoke.arg(rocket).output().unwrap()).ok().document();
    assert_eq!(told["input"]["key"], key, "{told}");
}

#[test]
fn the_whole_screen_is_drawn_in_ascii() {
    let place = Place::with_stack();
    place.invoke(&corpus("bad-html.png"), "bad.png").code(1);
    let mut screen = Screen::run(command(&place, "C", &["status", "--local", "--watch"]), 80, 40);
    let shown = screen.wait_until("the list", |shown| shown.contains("bad.png"));
    assert!(shown.is_ascii(), "{shown}");
    screen.press("\x1b[B\r");
    let shown = screen.wait_until("the story", |shown| shown.contains("FAILED in"));
    assert!(shown.is_ascii(), "{shown}");
    screen.press("q");
    assert!(screen.ended().success());
}
