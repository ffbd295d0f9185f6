//! The screens on terminals of 60, 80 and 120 columns, with colour and without.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use anstream::adapter::strip_str;
use common::steady::steady;
use common::terminal::printed;
use common::{Place, corpus, sample};
use insta::assert_snapshot;

const WIDTHS: [u16; 3] = [60, 80, 120];

/// What a screen is called, and the command that shows it.
const SCREENS: [(&str, &[&str]); 3] = [
    ("status", &["status", "--local", "--limit", "2"]),
    ("down_dry_run", &["down", "--local", "--dry-run"]),
    (
        "invoke_many",
        &["invoke", "--local", "--file", "album", "bad.png"],
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

/// With its styles where they can be seen.
fn with_visible_styles(coloured: &str) -> String {
    let names = regex_lite::Regex::new(" [0-9a-f]{8}  ").unwrap();
    names.replace_all(coloured, " [execution]  ").replace('\x1b', "␛")
}
