//! The local cloud as a process: one a folder, its owner's alone, and gone when its folder is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use common::{Ended, Place, sample, signal};

fn data_dir(place: &Place) -> PathBuf {
    place.path().join(".resizer/local")
}

/// The process that its endpoint file names.
fn pid(place: &Place) -> Option<u32> {
    let endpoint = fs::read(data_dir(place).join("endpoint.json")).ok()?;
    let endpoint: serde_json::Value = serde_json::from_slice(&endpoint).ok()?;
    endpoint["pid"].as_u64()?.try_into().ok()
}

/// Asks until it is so; for a minute.
fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1200 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: not within a minute");
}

/// A server in the foreground that has come so far as to be found.
fn serve(place: &Place, args: &[&str]) -> Child {
    let mut command = place.command(&["local", "serve"]);
    command.args(args);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("the server's endpoint", || pid(place) == Some(child.id()));
    child
}

fn is_alive(pid: u32) -> bool {
    let mut ask = Command::new("kill");
    ask.args(["-0", &pid.to_string()]).stderr(Stdio::null());
    ask.status().unwrap().success()
}

#[test]
fn a_folder_has_one_server_and_another_after_a_kill() {
    let place = Place::new();
    let mut first = serve(&place, &[]);
    place
        .resizer(&["local", "serve"])
        .code(1)
        .says(&format!("process {}", first.id()))
        .says("resizer local stop");
    first.kill().unwrap();
    first.wait().unwrap();
    place.resizer(&["local", "stop"]).ok().says("No local cloud runs");

    let second = serve(&place, &["--json"]);
    let url = place.endpoint()["url"].clone();
    place.resizer(&["local", "stop"]).ok().says("has ended");
    let told = Ended::from(second.wait_with_output().unwrap()).ok().document();
    assert_eq!(told["endpoint_url"], url);
}

#[test]
fn a_server_ends_when_its_folder_is_removed() {
    let place = Place::new();
    let child = serve(&place, &[]);
    fs::remove_dir_all(place.path().join(".resizer")).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    ended.code(1).says("was removed");
    assert!(!place.path().join(".resizer").exists(), "it does not come back");
}

#[test]
fn after_its_folder_was_removed_a_stack_is_made_anew() {
    let place = Place::with_stack();
    let first = pid(&place).unwrap();
    fs::remove_dir_all(place.path().join(".resizer")).unwrap();
    let made = place.json(&["up", "--local"]);
    assert_eq!(made["changed"], true, "{made}");
    assert_ne!(pid(&place), Some(first));
    until("the end of the server without a folder", || !is_alive(first));
    let rocket = sample("rocket.jpg");
    let file = rocket.to_str().unwrap();
    let told = place.json(&["invoke", "--local", "--key", "r.jpg", "--file", file]);
    assert_eq!(told["status"], "SUCCEEDED", "{told}");

    let open = open_to_others(&data_dir(&place));
    assert_eq!(open, Vec::<PathBuf>::new(), "all is the owner's alone");
}

/// The files and folders, from `path` on, that others than their owner have any permission on.
fn open_to_others(path: &Path) -> Vec<PathBuf> {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mut open = Vec::new();
    if metadata.permissions().mode() & 0o077 != 0 {
        open.push(path.to_owned());
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            open.extend(open_to_others(&entry.unwrap().path()));
        }
    }
    open
}

#[test]
fn a_server_in_the_foreground_runs_functions_from_its_relative_folder() {
    let place = Place::new();
    let server = serve(&place, &[]);
    place.resizer(&["up", "--local"]).ok();
    let rocket = sample("rocket.jpg");
    place
        .resizer(&["invoke", "--local", "--file", rocket.to_str().unwrap()])
        .ok();
    signal("TERM", server.id().into());
    Ended::from(server.wait_with_output().unwrap()).ok();
}
