//! What a person sees: every screen as it is, but for what differs from run to run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::steady::steady;
use common::{Place, corpus, sample};
use insta::assert_snapshot;

#[test]
fn help() {
    let place = Place::new();
    for command in [
        &[][..],
        &["up"],
        &["plan"],
        &["invoke"],
        &["status"],
        &["logs"],
        &["down"],
        &["report"],
        &["graph"],
        &["permissions"],
        &["local"],
        &["local", "serve"],
        &["local", "env"],
        &["local", "stop"],
        &["completions"],
        &["man"],
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

/// Without what is another on each machine: its processor, and the function's code, if it is built yet.
fn everywhere(plan: &str) -> String {
    let lines = plan.lines().filter(|line| {
        let field = line.trim_start();
        !field.starts_with("architecture: ") && !field.starts_with("code (sha-256): ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_way_of_a_stack() {
    let place = Place::new();
    let shown = |args: &[&str]| steady(&place.resizer(args).ok().stdout);
    assert_snapshot!("plan_of_a_new_stack", everywhere(&shown(&["plan", "--local"])));
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

    assert_snapshot!(
        "logs",
        shown(&["logs", "--local", "--key", "rocket.jpg", "--executions"])
    );

    assert_snapshot!("down_dry_run", shown(&["down", "--local", "--dry-run"]));
    assert_snapshot!("down", shown(&["down", "--local", "--yes"]));
    assert_snapshot!("down_again", shown(&["down", "--local", "--yes"]));
}
