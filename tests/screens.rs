//! What a person sees: every screen as it is, but for what differs from run to run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Place, corpus, sample};
use insta::assert_snapshot;

/// The text with `[…]` for times, durations, ids and ports, and without the spaces that stand at the end of a line.
fn steady(text: &str) -> String {
    let patterns = [
        (r"invoke-[0-9a-f]{32}", "[execution]"),
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[execution]",
        ),
        (
            r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
            "[date and time]",
        ),
        (r"[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", "[day and time]"),
        // The beginning of a name, as the list shows it.
        (r"([✓✗]) [0-9a-f]{8}(-[0-9a-f]+)? ", "$1 [execution] "),
        // The run may have been at the turn of an hour.
        (r"[·▁▂▃▄▅▆▇█]{24}", "[24 bars]"),
        (r"at most [0-9]+ an hour", "at most [number] an hour"),
        (r" [0-9]{2}:[0-9]{2} +now", " [time of day] now"),
        // However wide they are, and whatever room is left before them.
        (r" *\+[0-9.]+ (ms|s)\b", " +[time]"),
        (r" *[0-9.]+ (ms|s)\b", " [time]"),
        (
            r"127\.0\.0\.1:[0-9]+/restapis/[0-9a-z]+/",
            "127.0.0.1:[port]/restapis/[id]/",
        ),
        (r" +\n", "\n"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, steady)| {
        regex_lite::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *steady)
            .into_owned()
    })
}

#[test]
fn help() {
    let place = Place::new();
    for command in [
        &[][..],
        &["up"],
        &["plan"],
        &["invoke"],
        &["status"],
        &["down"],
        &["permissions"],
        &["local"],
        &["local", "serve"],
        &["local", "env"],
        &["local", "stop"],
    ] {
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let name = ["help"]
            .into_iter()
            .chain(command.iter().copied())
            .collect::<Vec<_>>()
            .join("_");
        assert_snapshot!(name, steady(&place.resizer(&args).ok().stdout));
    }
}

#[test]
fn the_way_of_a_stack() {
    let place = Place::new();
    let shown = |args: &[&str]| steady(&place.resizer(args).ok().stdout);
    assert_snapshot!("plan_of_a_new_stack", shown(&["plan", "--local"]));
    assert_snapshot!("up", shown(&["up", "--local"]));
    assert_snapshot!("up_again", shown(&["up", "--local"]));

    std::fs::write(place.path().join("resizer.toml"), "[resize]\nwidth = 120\n").unwrap();
    assert_snapshot!("plan_of_a_change", shown(&["plan", "--local"]));
    std::fs::remove_file(place.path().join("resizer.toml")).unwrap();

    let rocket = sample("rocket.jpg");
    let invoke = ["invoke", "--local", "--file", rocket.to_str().unwrap()];
    let invoked = place.resizer(&invoke).ok();
    assert_snapshot!("invoke", steady(&invoked.stdout));
    assert_snapshot!(
        "invoke_on_the_way",
        steady(&invoked.stderr.replace(rocket.to_str().unwrap(), "rocket.jpg"))
    );
    let bad = corpus("bad-html.png");
    let failed = place
        .resizer(&["invoke", "--local", "--file", bad.to_str().unwrap()])
        .code(1);
    assert_snapshot!(
        "invoke_that_fails",
        steady(&failed.stderr.replace(bad.to_str().unwrap(), "bad-html.png"))
    );

    assert_snapshot!("status", shown(&["status", "--local"]));
    let status = place.json(&["status", "--local"]);
    let failed = status["executions"][0]["name"].as_str().unwrap();
    // As much of the name as the list shows.
    let begun = &failed[..12];
    assert_snapshot!("execution", shown(&["status", "--local", "--execution", begun]));

    assert_snapshot!("down_dry_run", shown(&["down", "--local", "--dry-run"]));
    assert_snapshot!("down", shown(&["down", "--local", "--yes"]));
    assert_snapshot!("down_again", shown(&["down", "--local", "--yes"]));
}
