//! `resizer graph`: the stack as a picture, with nobody called.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Place;
use insta::assert_snapshot;

#[test]
fn the_readmes_picture_is_what_it_prints() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = std::fs::read_to_string(root.join("docs/stack.svg")).unwrap();
    let printed = Place::new().resizer(&["graph"]).ok().stdout;
    assert!(
        printed == committed,
        "`cargo run -- graph > docs/stack.svg` draws it anew"
    );
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("](docs/stack.svg)"), "the README shows it");
}

#[test]
fn nothing_is_called_and_nothing_is_made() {
    let place = Place::new();
    // An endpoint that nobody answers at, and no credentials.
    let args = ["graph", "--endpoint-url", "http://127.0.0.1:9", "--format", "dot"];
    let graph = place.resizer(&args).ok();
    assert_eq!(graph.stderr, "");
    place.resizer(&["graph", "--local"]).ok();
    assert_eq!(
        std::fs::read_dir(place.path()).unwrap().count(),
        0,
        "no local cloud"
    );
}

#[test]
fn mermaid() {
    let place = Place::new();
    let args = [
        "graph",
        "--format",
        "mermaid",
        "--stack",
        "demo",
        "--region",
        "eu-central-1",
    ];
    assert_snapshot!(place.resizer(&args).ok().stdout);
}

#[test]
fn every_resource_and_every_edge_is_in_the_document() {
    let place = Place::new();
    let document = place.json(&["graph"]);
    let resources = document["resources"].as_array().unwrap();
    let svg = place.resizer(&["graph"]).ok().stdout;
    assert!(resources.len() >= 12, "{document}");
    for resource in resources {
        let name = resource["name"].as_str().unwrap();
        assert!(
            svg.contains(&format!("<title>{name}</title>")),
            "{name} is not drawn"
        );
    }
    for expected in [
        r#"{"type":"flow","from":"original_bucket","what":"Object Created","to":"rule"}"#,
        r#"{"type":"uses","from":"function","to":"function_role"}"#,
        r#"{"type":"acts_on","from":"state_machine","to":"function"}"#,
    ] {
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        assert!(
            document["edges"].as_array().unwrap().contains(&expected),
            "{expected}"
        );
    }
}

#[test]
fn a_format_is_for_people_and_a_document_for_programs() {
    let refused = Place::new()
        .resizer(&["graph", "--format", "dot", "--json"])
        .code(2);
    assert!(refused.stderr.contains("--json"), "{}", refused.stderr);
}
