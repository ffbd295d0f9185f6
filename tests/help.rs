//! What the binary tells of itself: manual pages, completions, and what was meant by a word it does not know.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use common::Place;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

#[test]
fn every_shell_completes_every_command() {
    let place = Place::new();
    for shell in SHELLS {
        let script = place.resizer(&["completions", shell]).ok().stdout;
        for word in ["invoke", "download", "permissions", "realism"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn there_is_a_manual_page_for_every_command_even_where_the_configuration_is_broken() {
    let place = Place::new();
    fs::write(place.path().join("resizer.toml"), "no configuration").unwrap();
    let page = place.resizer(&["man"]).ok().stdout;
    assert!(page.contains(".TH resizer 1"), "{page}");
    assert!(page.contains("\\fBresizer\\fR [OPTIONS] <COMMAND>"), "{page}");
    place.resizer(&["man", "pages/man1"]).ok();
    let page = fs::read_to_string(place.path().join("pages/man1/resizer-local-serve.1")).unwrap();
    assert!(page.contains("\\fBresizer local serve\\fR [OPTIONS]"), "{page}");
    for command in ["", "-up", "-invoke", "-local-serve", "-completions"] {
        let page = fs::read_to_string(place.path().join(format!("pages/man1/resizer{command}.1"))).unwrap();
        // As they are typed, and not filled to lines.
        assert!(
            page.contains(".SH EXAMPLES\n.nf\n\\&  resizer "),
            "{command}: {page}"
        );
    }
    place
        .resizer(&["man", "resizer.toml"])
        .code(2)
        .says("cannot be written to resizer.toml");
    place
        .resizer(&["man", "status"])
        .code(2)
        .says("status is a command")
        .says("`resizer status --help` tells of it");
    assert!(!place.path().join("status").exists());
}

#[test]
fn a_word_it_does_not_know_is_answered_with_the_one_that_was_meant() {
    let place = Place::new();
    for (args, meant) in [
        (&["stauts"][..], "'status'"),
        (&["status", "--limt", "3"], "'--limit'"),
        (&["invoke", "--via", "stats"], "'states'"),
        (&["completions", "bsh"], "'bash'"),
        (&["invoke", "--key", "-dash.jpg"], "--key=-dash.jpg"),
        (&["status", "--limit", "-5"], "--limit=-5"),
        (&["invoke", "--json", "--key", "-a b.jpg"], "'--key=-a b.jpg'"),
    ] {
        place.resizer(args).code(2).says(meant);
    }
}
