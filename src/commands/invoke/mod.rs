//! `resizer invoke`: one object through the pipeline, followed to the end.
//!
//! # Layout
//! - [`upload`]: the file, sent to the original bucket
//! - [`caused`]: the execution that an upload caused
//! - [`start`]: starting one, at Step Functions or through the REST API
//! - [`follow`]: looking on until it ends
//! - [`outcome`]: what came of it, for people and for programs

mod caused;
mod follow;
mod outcome;
mod start;
mod upload;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::time::Instant;

use crate::aws::{CallFailure, During};
use crate::commands::interrupt::{nothing_changed, unless_interrupted};
use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::session::{Session, WhenAbsent};
use crate::ui::Ui;
use crate::ui::format::s3_uri;

/// The longest key S3 takes, in bytes.
const KEY_MAX: usize = 1024;

/// Runs the pipeline on an object and follows it to the end.
///
/// With --file the file is uploaded, and what is followed is the execution which an upload of that key and size causes
/// by itself.
/// Without it, the object is there already and an execution is started for it.
#[derive(Debug, Args)]
pub struct InvokeArgs {
    /// The object's key in the original bucket [default: the name of --file]
    #[arg(long)]
    key: Option<String>,
    /// Upload this file first, under the key
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// How the execution starts [default: event with --file, else states]
    #[arg(long, value_enum)]
    via: Option<Via>,
    /// The most seconds to wait for the end
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// A way into the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Via {
    /// By the event of the upload, as in everyday use
    Event,
    /// By StartExecution of Step Functions
    States,
    /// By a POST to the REST API
    Api,
}

/// What is asked for, found to make sense.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    /// Upload the file and follow what that causes.
    Upload { key: String, file: PathBuf },
    /// Start an execution for the object that is there.
    Start { key: String, through: Door },
}

/// Where an execution is started by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    States,
    Api,
}

/// An object of the original bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    bucket: String,
    key: String,
    /// Bytes.
    size: u64,
}

impl InvokeArgs {
    fn request(&self) -> Result<Request, CommandError> {
        let key = match (&self.key, &self.file) {
            (Some(key), _) => key.clone(),
            (None, Some(file)) => name_of(file)?,
            (None, None) => {
                return Err(CommandError::usage(
                    "which picture? say --key KEY for one in the bucket, or --file PATH to upload one",
                ));
            }
        };
        if key.is_empty() || key.len() > KEY_MAX {
            return Err(CommandError::usage(format!(
                "S3 takes keys of 1 to {KEY_MAX} bytes; this one has {}",
                key.len()
            )));
        }
        match (&self.file, self.via) {
            (Some(file), None | Some(Via::Event)) => Ok(Request::Upload {
                key,
                file: file.clone(),
            }),
            (Some(_), Some(Via::States | Via::Api)) => Err(CommandError::usage(
                "an upload starts an execution by itself; --via states or api would start a second one for the same object",
            )
            .hint("upload with --file alone; then, to run it once more, say --key and --via without --file")),
            (None, None | Some(Via::States)) => Ok(Request::Start {
                key,
                through: Door::States,
            }),
            (None, Some(Via::Api)) => Ok(Request::Start {
                key,
                through: Door::Api,
            }),
            (None, Some(Via::Event)) => Err(CommandError::usage(
                "--via event is what an upload does, and there is no --file to upload",
            )
            .hint("say --file PATH, or --via states for an object that is there")),
        }
    }
}

fn name_of(file: &Path) -> Result<String, CommandError> {
    file.file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .ok_or_else(|| {
            CommandError::usage(format!(
                "{} has no name to make a key of: say --key",
                file.display()
            ))
        })
}

pub async fn run(settings: &Settings, args: InvokeArgs, ui: &Ui) -> Result<(), CommandError> {
    let request = args.request()?;
    if let Request::Upload { key, .. } = &request
        && !settings.keys.admit(key)
    {
        return Err(CommandError::usage(format!(
            "an upload under {key} starts nothing: the configuration has the rule pass over keys that do not begin with \"{}\" \
             and end with \"{}\"",
            settings.keys.prefix, settings.keys.suffix
        ))
        .hint("choose another with --key; one that is there can be run with --via states"));
    }
    let session = unless_interrupted(Session::open(settings, WhenAbsent::Resume), nothing_changed).await?;
    let deadline = Instant::now() + Duration::from_secs(args.timeout);
    let begun = begin(settings, &session, &request, deadline, ui);
    let (execution, object) = unless_interrupted(begun, || {
        CommandError::interrupted("stopped before an execution was seen").hint(format!(
            "if one was started, it goes on: `resizer status{}` lists the newest",
            session.flags
        ))
    })
    .await?;
    let followed = follow::to_the_end(&session, &execution, deadline, ui);
    let timeline = unless_interrupted(followed, || {
        CommandError::interrupted("stopped looking on; the execution goes on").hint(format!(
            "`resizer status{} --execution {}` shows it",
            settings.flags,
            name_part(&execution)
        ))
    })
    .await?;
    outcome::tell(settings, &session, &execution, &object, &timeline, ui).await
}

/// Has an execution begin as `request` says: its ARN, and the object it is for.
async fn begin(
    settings: &Settings,
    session: &Session,
    request: &Request,
    deadline: Instant,
    ui: &Ui,
) -> Result<(String, Object), CommandError> {
    let bucket = session.names.original_bucket();
    match request {
        Request::Upload { key, file } => {
            let before = caused::Before::note(session)
                .await
                .map_err(|f| absent(session, f))?;
            let size = upload::upload(session, key, file, ui).await?;
            let object = Object {
                bucket,
                key: key.clone(),
                size,
            };
            let execution = caused::find(session, &object, before, deadline, ui).await?;
            Ok((execution, object))
        }
        Request::Start { key, through } => {
            let object = find(session, bucket, key).await?;
            let execution = match through {
                Door::States => start::through_states(session, &object).await?,
                Door::Api => start::through_api(settings, session, &object).await?,
            };
            Ok((execution, object))
        }
    }
}

/// The object that is there under `key`.
async fn find(session: &Session, bucket: String, key: &str) -> Result<Object, CommandError> {
    let s3 = &session.clients.s3;
    let uri = s3_uri(&bucket, key);
    match s3
        .head_object()
        .bucket(&bucket)
        .expected_bucket_owner(&session.names.account)
        .key(key)
        .send()
        .await
        .during("s3:GetObject", &uri)
    {
        Ok(head) => Ok(Object {
            size: head
                .content_length()
                .and_then(|size| size.try_into().ok())
                .unwrap_or(0),
            bucket,
            key: key.to_owned(),
        }),
        Err(failure) if failure.is_not_found() => {
            // The answer to a HEAD does not say which of the two is missing.
            let there = s3
                .head_bucket()
                .bucket(&bucket)
                .expected_bucket_owner(&session.names.account)
                .send()
                .await
                .during("s3:ListBucket", &bucket);
            there.map_err(|failure| absent(session, failure))?;
            Err(
                CommandError::failed(format!("there is no object {uri}")).hint(format!(
                    "upload one and run the pipeline on it: resizer invoke{} --key KEY --file PATH",
                    session.flags
                )),
            )
        }
        Err(failure) => Err(failure.into()),
    }
}

/// What a failed call means: that the stack does not stand, or not whole, when a piece of it is not found.
fn absent(session: &Session, failure: CallFailure) -> CommandError {
    if failure.is_not_found() {
        standing::not_whole(session, &failure.resource)
    } else {
        failure.into()
    }
}

/// The name at the end of an execution's ARN.
fn name_part(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn request(arguments: &str) -> Result<Request, CommandError> {
        let arguments = ["resizer", "invoke"]
            .into_iter()
            .chain(arguments.split_whitespace());
        match Cli::try_parse_from(arguments).unwrap().command {
            Command::Invoke(args) => args.request(),
            _ => unreachable!(),
        }
    }

    #[test]
    fn a_file_is_uploaded_under_its_name_unless_a_key_is_given() {
        for (arguments, key) in [
            ("--file pictures/cat.jpg", "cat.jpg"),
            (
                "--file pictures/cat.jpg --key in/kitten.jpg --via event",
                "in/kitten.jpg",
            ),
        ] {
            let wanted = Request::Upload {
                key: key.to_owned(),
                file: PathBuf::from("pictures/cat.jpg"),
            };
            assert_eq!(request(arguments).unwrap(), wanted);
        }
    }

    #[test]
    fn an_object_that_is_there_is_started_by_hand() {
        for (arguments, through) in [
            ("--key a", Door::States),
            ("--key a --via states", Door::States),
            ("--key a --via api", Door::Api),
        ] {
            let key = "a".to_owned();
            assert_eq!(request(arguments).unwrap(), Request::Start { key, through });
        }
    }

    #[test]
    fn what_would_start_two_executions_or_none_is_refused() {
        for arguments in [
            "--key a --file b --via states",
            "--key a --file b --via api",
            "--key a --via event",
        ] {
            assert!(request(arguments).is_err(), "{arguments}");
        }
    }

    #[test]
    fn a_key_that_s3_would_refuse_is_refused_first() {
        assert!(request(&format!("--key {}", "k".repeat(KEY_MAX))).is_ok());
        assert!(request(&format!("--key {}", "k".repeat(KEY_MAX + 1))).is_err());
    }
}
