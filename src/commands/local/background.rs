//! The local cloud as a process in the background: found by its data folder, started, ended.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use resizer_local::{Endpoint, FindError};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::error::CommandError;
use crate::session::WhenAbsent;

/// The longest a start may take.
const START_MAX: Duration = Duration::from_secs(10);
/// The longest an end may take: requests under way are let finish.
const STOP_MAX: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);
/// How much of the log is shown when a start fails.
const LAST_LINES: usize = 5;

/// The endpoint of the local cloud in `data_dir`, started in the background if none runs.
///
/// # Errors
/// Nothing is there and nothing may be made; it does not start; it runs in another region than `region`.
pub async fn find_or_start(
    data_dir: &Path,
    region: Option<&str>,
    when_absent: WhenAbsent,
) -> Result<Endpoint, CommandError> {
    let endpoint = match find(data_dir).await? {
        Some(endpoint) => endpoint,
        None if when_absent == WhenAbsent::Resume && !data_dir.exists() => {
            return Err(CommandError::failed(format!(
                "no local cloud stands here: there is no {}",
                data_dir.display()
            ))
            .hint("run `resizer up --local` first, or go to the folder where it was run"));
        }
        None => start(data_dir, region).await?,
    };
    match region {
        Some(region) if region != endpoint.region => Err(CommandError::usage(format!(
            "the local cloud in {} runs in {}, not in {region}",
            data_dir.display(),
            endpoint.region
        ))
        .hint("leave the region out; for a local cloud of another one, go to another folder")),
        _ => Ok(endpoint),
    }
}

/// The server that holds `data_dir` and answers.
async fn find(data_dir: &Path) -> Result<Option<Endpoint>, CommandError> {
    let Some(endpoint) = Endpoint::find(data_dir).map_err(damaged)? else {
        return Ok(None);
    };
    // While a server starts, the folder may still name the port of the one before.
    Ok(answers(&endpoint).await.then_some(endpoint))
}

fn damaged(error: FindError) -> CommandError {
    let failure = CommandError::failed(&error);
    if error.is_no_folder() {
        return failure.hint("a file is in the way: move it aside, or go to another folder");
    }
    failure
        .hint("`resizer local stop` ends what runs there; move what is in the way aside, and it is made anew")
}

fn holder(data_dir: &Path) -> Result<Option<u32>, CommandError> {
    Endpoint::holder(data_dir).map_err(damaged)
}

async fn answers(endpoint: &Endpoint) -> bool {
    let address = endpoint.url.trim_start_matches("http://").parse::<SocketAddr>();
    match address {
        Ok(address) => TcpStream::connect(address).await.is_ok(),
        Err(_) => false,
    }
}

/// Starts a server and waits until it answers. Of two starts at once the folder's lock chooses one; the other finds it.
async fn start(data_dir: &Path, region: Option<&str>) -> Result<Endpoint, CommandError> {
    keep_out_of_git(data_dir)?;
    let log = data_dir.join("local.log");
    let mut child = spawn(data_dir, &log, region)?;
    let deadline = Instant::now() + START_MAX;
    let mut ended = false;
    while Instant::now() < deadline {
        if let Some(endpoint) = find(data_dir).await?
            && (ended || Some(endpoint.pid) == child.id())
        {
            return Ok(endpoint);
        }
        // It may have lost to another start: then that one is about to answer.
        if !ended && child.try_wait()?.is_some() {
            ended = true;
            if holder(data_dir)?.is_none() {
                break;
            }
        }
        tokio::time::sleep(POLL).await;
    }
    Err(CommandError::failed(format!(
        "the local cloud in {} does not start; its last lines:\n{}",
        data_dir.display(),
        last_lines(&log)
    ))
    .hint(format!("all it said is in {}", log.display())))
}

/// The server as a process of its own, which outlives this one and its terminal.
fn spawn(data_dir: &Path, log: &Path, region: Option<&str>) -> Result<Child, CommandError> {
    let said = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(log)?;
    let data_dir = fs::canonicalize(data_dir)?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["local", "serve", "--data-dir"])
        .arg(&data_dir)
        // There it finds no resizer.toml, which is this command's matter.
        .current_dir(&data_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::from(said.try_clone()?))
        .stderr(Stdio::from(said))
        .process_group(0);
    if let Some(region) = region {
        command.args(["--region", region]);
    }
    command
        .spawn()
        .map_err(|error| CommandError::failed(format!("the local cloud does not start: {error}")))
}

/// Makes the data folder, its owner's alone, and has git pass over the `.resizer` that it lies in.
pub fn keep_out_of_git(data_dir: &Path) -> Result<(), CommandError> {
    let failed = |error: io::Error| {
        CommandError::failed(format!(
            "the data folder {} cannot be made: {error}",
            data_dir.display()
        ))
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(failed)?;
    let parent = fs::canonicalize(data_dir).map_err(failed)?;
    let Some(parent) = parent.parent().filter(|parent| parent.ends_with(".resizer")) else {
        return Ok(());
    };
    let ignore = parent.join(".gitignore");
    if !ignore.exists() {
        fs::write(ignore, "*\n").map_err(failed)?;
    }
    Ok(())
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

/// Ends the server of `data_dir` and waits until it is gone; whether one ran.
pub async fn stop(data_dir: &Path) -> Result<bool, CommandError> {
    let Some(process) = holder(data_dir)? else {
        return Ok(false);
    };
    let pid = i32::try_from(process)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| CommandError::failed(format!("{process} is no process id")))?;
    match kill_process(pid, Signal::TERM) {
        // Gone by itself in this moment.
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => {
            return Err(CommandError::failed(format!(
                "the local cloud (process {process}) cannot be ended: {error}"
            )));
        }
    }
    let deadline = Instant::now() + STOP_MAX;
    while holder(data_dir)? == Some(process) {
        if Instant::now() > deadline {
            return Err(CommandError::failed(format!(
                "the local cloud (process {process}) has not ended within {} s",
                STOP_MAX.as_secs()
            ))
            .hint(format!(
                "`kill -9 {process}` ends it at once; nothing it acknowledged is lost"
            )));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(true)
}
