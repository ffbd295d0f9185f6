//! cargo at work on the function, and what its failures mean.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::cache::Cache;
use super::toolchain::{Builder, Toolchain, not_started};
use super::{Program, Target};
use crate::error::CommandError;
use crate::ui::Ui;
use crate::ui::waiting::Waiting;

/// How cargo compiles the function for `target`, as a configuration file.
pub fn profile(target: Target) -> &'static str {
    match target {
        Target::Lambda(_) => include_str!("profile/lambda.toml"),
        Target::Host => include_str!("profile/host.toml"),
    }
}

/// How many of cargo's last lines are shown when it fails.
const LAST_LINES: usize = 20;

/// Compiles `program` of the source in `cache` and reads it.
pub async fn run(
    cache: &Cache,
    toolchain: &Toolchain,
    builder: &Builder,
    program: Program,
    ui: &Ui,
) -> Result<Vec<u8>, CommandError> {
    tokio::fs::write(cache.profile(), profile(program.target)).await?;
    let started = Instant::now();
    let waiting = Waiting::new(ui, "Building the function (the first time takes some minutes)");
    let mut child = cargo(cache, toolchain, builder, program)
        .spawn()
        .map_err(not_started)?;
    let mut tail = VecDeque::new();
    if let Some(stderr) = child.stderr.take() {
        follow(stderr, |line| match Line::of(line) {
            Line::Progress(progress) => waiting.update(progress),
            Line::Message(message) => {
                tail.push_back(message.to_owned());
                if tail.len() > LAST_LINES {
                    tail.pop_front();
                }
            }
        })
        .await?;
    }
    let status = child.wait().await?;
    if !status.success() {
        waiting.clear();
        return Err(failure(&tail));
    }
    waiting.done(format!(
        "Built the function in {:.0} s",
        started.elapsed().as_secs_f64()
    ));
    let bootstrap = cache.target().join(&builder.triple).join("release/bootstrap");
    Ok(tokio::fs::read(bootstrap).await?)
}

fn cargo(cache: &Cache, toolchain: &Toolchain, builder: &Builder, program: Program) -> Command {
    let mut cargo = Command::new("cargo");
    // `cargo run` tells us of our own package. Dependencies that look at it (ring) would be built anew with every change
    // between run and run.
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&variable);
        }
    }
    let mut features = vec!["--no-default-features"];
    if program.writes_avif {
        features.extend(["--features", "avif"]);
    }
    cargo
        .args([builder.subcommand, "--release", "--bin", "bootstrap"])
        .args(features)
        .args(["--target", &builder.target])
        .arg("--target-dir")
        .arg(cache.target())
        .arg("--config")
        .arg(cache.profile())
        .current_dir(cache.source())
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(cache, toolchain))
        // Progress as on a terminal, one line rewritten; `follow` takes it apart.
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "80")
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    cargo
}

/// Takes this machine's folders out of the program, so that the same source gives the same bytes anywhere.
/// Said through `CARGO_ENCODED_RUSTFLAGS`, which also keeps the user's own flags out.
fn rust_flags(cache: &Cache, toolchain: &Toolchain) -> OsString {
    let folders = [
        (cache.source(), "/handler"),
        (cache.target(), "/target"),
        (cargo_home(), "/cargo"),
        (toolchain.sysroot.clone(), "/rust"),
    ];
    let mut flags = OsString::new();
    for (folder, name) in folders {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    flags
}

fn cargo_home() -> PathBuf {
    env::var_os("CARGO_HOME").map_or_else(
        || env::home_dir().unwrap_or_default().join(".cargo"),
        PathBuf::from,
    )
}

/// A piece of what cargo writes to stderr.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// Its progress bar: how far it is, such as `12/150: serde, tokio`.
    Progress(&'a str),
    /// Anything else: what it says, warns of, or fails with.
    Message(&'a str),
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let line = line.trim_end();
        // `    Building [=====>      ] 12/150: serde, tokio`
        let progress = line
            .trim_start()
            .strip_prefix("Building [")
            .and_then(|rest| rest.split_once("] "));
        match progress {
            Some((_, progress)) => Self::Progress(progress.trim()),
            None => Self::Message(line),
        }
    }
}

/// Gives each line to `take`, whether a line feed or a carriage return ends it.
async fn follow(mut from: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) -> Result<(), CommandError> {
    let mut chunk = [0; 4096];
    let mut line = Vec::new();
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            break;
        }
        for byte in &chunk[..read] {
            match byte {
                b'\n' | b'\r' => {
                    take_line(&mut line, &mut take);
                }
                byte => line.push(*byte),
            }
        }
    }
    take_line(&mut line, &mut take);
    Ok(())
}

fn take_line(line: &mut Vec<u8>, take: &mut impl FnMut(&str)) {
    let text = String::from_utf8_lossy(line);
    if !text.trim().is_empty() {
        take(&text);
    }
    line.clear();
}

/// What cargo said last, and what to do about what is known.
fn failure(tail: &VecDeque<String>) -> CommandError {
    let said = tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let error = CommandError::failed(format!(
        "the function cannot be built; cargo's last lines:\n{said}"
    ));
    let has = |part: &str| said.contains(part);
    let hint = if has("linker `cc` not found") || has("failed to find tool") || has("is `cc` installed") {
        "a C compiler is missing: `apt install build-essential`, `dnf install gcc` or `xcode-select --install`"
    } else if has("No space left on device") {
        "the disk is full; another folder can be chosen with XDG_CACHE_HOME"
    } else if has("failed to download") || has("Could not resolve host") || has("failed to get") {
        "cargo could not reach its registry: is the network up? A ready zip can be given with --handler-zip"
    } else if has("requires rustc") {
        "this Rust is too old: `rustup update stable`"
    } else {
        return error;
    };
    error.hint(hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn progress_and_messages_are_told_apart() {
        let said =
            b"   Compiling serde v1.0.0\r    Building [==>      ] 12/150: serde, tokio\rwarning: odd\n";
        let mut lines = Vec::new();
        follow(said.as_slice(), |line| match Line::of(line) {
            Line::Progress(progress) => lines.push(format!("progress {progress}")),
            Line::Message(message) => lines.push(format!("message {}", message.trim())),
        })
        .await
        .unwrap();
        assert_eq!(
            lines,
            [
                "message Compiling serde v1.0.0",
                "progress 12/150: serde, tokio",
                "message warning: odd"
            ]
        );
    }

    #[test]
    fn a_missing_c_compiler_is_named() {
        let tail = VecDeque::from(["error: linker `cc` not found".to_owned()]);
        let error = failure(&tail);
        assert!(error.message.contains("linker `cc` not found"));
        assert!(error.hints[0].contains("C compiler"));
    }
}
