//! `resizer local`: the local cloud as a process.
//!
//! # Layout
//! - [`background`]: finding the server of a data folder, starting one, ending it
//! - [`environment`]: what other tools need to talk to it

mod background;
mod environment;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use resizer_local::{Cloud, Realism, StartError};
use rustix::fs::Mode;
use rustix::process::umask;
use serde::Serialize;

use super::interrupt::ctrl_c;
use crate::config::{LOCAL_DATA_DIR, Settings, read_toml};
use crate::error::CommandError;
use crate::session::WhenAbsent;
use crate::ui::Ui;

pub use background::find_or_start;

const EXAMPLES: &str = "\
Examples:
  resizer local serve                          in the foreground, until Ctrl-C
  eval \"$(resizer local env)\" && aws s3 ls     other tools, on the local cloud
  resizer local stop                           ends the one in the background";

/// The local cloud: runs it, stops it, and prints what other tools need to talk to it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LocalArgs {
    /// Where the local cloud keeps everything
    #[arg(long, global = true, value_name = "DIR", default_value = LOCAL_DATA_DIR)]
    data_dir: PathBuf,
    #[command(subcommand)]
    command: LocalCommand,
}

#[derive(Debug, Subcommand)]
enum LocalCommand {
    /// Runs it in the foreground, until Ctrl-C
    #[command(after_help = SERVE_EXAMPLES)]
    Serve {
        /// The port to listen on, on 127.0.0.1 [default: the one used last, else any that is free]
        #[arg(long)]
        port: Option<u16>,
        /// Behave like a cloud far away, as this TOML file says: latency, roles that are not known yet, faults
        #[arg(long, value_name = "FILE")]
        realism: Option<PathBuf>,
    },
    /// Prints what to export for the AWS CLI and SDKs: eval "$(resizer local env)"
    #[command(after_help = ENV_EXAMPLES)]
    Env,
    /// Ends it; everything it keeps stays for the next start
    #[command(after_help = STOP_EXAMPLES)]
    Stop,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  resizer local serve                          on the port used last, else any that is free
  resizer local serve --port 4566              on this one
  resizer local serve --realism bad-day.toml   with latency, roles that are not known yet, faults";

const ENV_EXAMPLES: &str = "\
Examples:
  eval \"$(resizer local env)\"                  for this shell
  resizer local env --json                     for programs";

const STOP_EXAMPLES: &str = "\
Examples:
  resizer local stop                           the one of this folder
  resizer local stop --data-dir ../other/.resizer/local";

/// What `serve --json` prints.
#[derive(Serialize)]
struct Serving<'a> {
    endpoint_url: &'a str,
}

/// What `stop --json` prints.
#[derive(Serialize)]
struct Stopped {
    /// Whether one ran.
    ran: bool,
}

pub async fn run(settings: &Settings, args: LocalArgs, ui: &Ui) -> Result<(), CommandError> {
    let region = settings.place.region();
    match args.command {
        LocalCommand::Serve { port, realism } => {
            let realism = realism.map(|file| read_realism(&file)).transpose()?;
            let settings = resizer_local::Settings {
                data_dir: args.data_dir,
                port,
                region: region.map(str::to_owned),
                realism,
            };
            serve(settings, ui).await
        }
        LocalCommand::Env => {
            let endpoint = find_or_start(&args.data_dir, region, WhenAbsent::Resume).await?;
            environment::print(&endpoint, ui)
        }
        LocalCommand::Stop => stop(&args.data_dir, ui).await,
    }
}

fn read_realism(file: &Path) -> Result<Realism, CommandError> {
    let realism: Realism = read_toml("the realism", file)?;
    realism.check().map_err(|reason| {
        CommandError::usage(format!("the realism {} is refused: {reason}", file.display()))
    })?;
    Ok(realism)
}

async fn stop(data_dir: &Path, ui: &Ui) -> Result<(), CommandError> {
    let ran = background::stop(data_dir).await?;
    if ui.json {
        return ui.json(&Stopped { ran });
    }
    let data_dir = data_dir.display();
    ui.say(if ran {
        format!("The local cloud in {data_dir} has ended")
    } else {
        format!("No local cloud runs in {data_dir}")
    });
    Ok(())
}

/// Serves until SIGINT or SIGTERM, then lets what is under way end.
async fn serve(settings: resizer_local::Settings, ui: &Ui) -> Result<(), CommandError> {
    // All that it and the functions write is its owner's alone, as the data folder is.
    umask(Mode::RWXG | Mode::RWXO);
    background::keep_out_of_git(&settings.data_dir)?;
    let data_dir = settings.data_dir.display().to_string();
    let settings = resizer_local::Settings {
        // Functions run in folders of their own: from there a relative one leads nowhere.
        data_dir: fs::canonicalize(&settings.data_dir)?,
        ..settings
    };
    let asked_to_end = ctrl_c();
    let cloud = Cloud::start(settings).map_err(start_error)?;
    let endpoint_url = &cloud.endpoint().url;
    ui.say(format!(
        "The local cloud in {data_dir} is at {endpoint_url} (Ctrl-C ends it)"
    ));
    if ui.json {
        ui.json(&Serving { endpoint_url })?;
    }
    cloud
        .run_until(asked_to_end)
        .await
        .map_err(CommandError::failed)?;
    ui.say("The local cloud has ended");
    Ok(())
}

fn start_error(error: StartError) -> CommandError {
    let failure = CommandError::failed(format!("the local cloud does not start: {error}"));
    match error {
        StartError::OtherRegion { .. } => failure
            .hint("leave the region out; for another one, go to another folder or say another --data-dir"),
        StartError::Listen { .. } => failure.hint("choose another with --port, or leave it out"),
        _ => failure,
    }
}
