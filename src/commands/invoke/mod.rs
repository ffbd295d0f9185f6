//! `resizer invoke`: pictures through the pipeline, followed to the end.
//!
//! # Layout
//! - [`request`]: what the flags ask for
//! - [`pictures`]: the files that are named, and their keys
//! - [`earlier`]: what ran before and is an answer still
//! - [`upload`]: a file, sent to the original bucket
//! - [`caused`]: the executions that uploads caused
//! - [`sought`]: which of them is whose
//! - [`obstacles`]: why none begins
//! - [`start`]: starting one, at Step Functions or through the REST API
//! - [`follow`]: looking on until it ends
//! - [`passing`]: what is waited out meanwhile
//! - [`outcome`]: what came of it, for people and for programs
//! - [`many`]: several pictures side by side
//! - [`way`]: how far each of them has come, and what is told of it
//! - [`results`]: results on this machine

mod caused;
mod earlier;
mod follow;
mod many;
mod obstacles;
mod outcome;
mod passing;
mod pictures;
mod request;
mod results;
mod sought;
mod start;
mod upload;
mod way;

use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use clap::{Args, ValueEnum};
use tokio::time::Instant;

use crate::aws::{CallFailure, During};
use crate::commands::interrupt::{ctrl_c, nothing_changed, unless_interrupted};
use crate::commands::standing;
use crate::config::Settings;
use crate::engine::Reading;
use crate::error::CommandError;
use crate::execution::{ToldBy, name_part};
use crate::session::{Session, WhenAbsent};
use crate::stack;
use crate::ui::format::{printable, s3_uri};
use crate::ui::table::width_of_stderr;
use crate::ui::waiting::{READING, Waiting, waited};
use crate::ui::{Ui, timeline};
use earlier::Earlier;
use pictures::Odd;
use request::{Door, One, Request};
use results::Destination;

/// Of files that are passed over, so many are named.
const NAMED_MAX: usize = 3;
/// The longest key S3 takes, in bytes.
const KEY_MAX: usize = 1024;

const EXAMPLES: &str = "\
Examples:
  resizer invoke --local --file cat.jpg             upload a picture and follow it to the end
  resizer invoke --file album/ --download small/    all pictures of a folder, and the results back
  resizer invoke --file *.jpg --key 2026/           several, under 2026/
  resizer invoke --key cat.jpg                      one that is in the bucket
  resizer invoke --key cat.jpg --via api            the same through the REST API
  resizer invoke --key cat.jpg --open               and look at the result";

/// Runs the pipeline on pictures and follows them to the end.
///
/// With --file they are uploaded, and what is followed are the executions which uploads of those keys and sizes cause by
/// themselves. Several, and those of folders, are uploaded side by side; --json then prints a line for each as it ends.
/// Without --file the object is there already, and an execution is started for it. What went through the same function
/// with the same settings before, and made what is there, is not run again: that execution is shown.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InvokeArgs {
    /// The object's key in the original bucket [default: the name of --file]; of several files, ending in /, what is put
    /// before their names
    #[arg(long)]
    key: Option<String>,
    /// Upload these files first, and the pictures in these folders
    #[arg(long, value_name = "PATH", num_args = 1..)]
    file: Vec<PathBuf>,
    /// How the execution starts [default: event with --file, else states]; through the REST API it always runs anew
    #[arg(long, value_enum)]
    via: Option<Via>,
    /// Run it again, although the same object went through with the same settings, as far as the newest executions tell
    #[arg(long)]
    again: bool,
    /// Fetch the results to this folder; a file of a result's name there is replaced
    #[arg(long, value_name = "DIR")]
    download: Option<PathBuf>,
    /// Open the results with the program that this machine has for pictures
    #[arg(long)]
    open: bool,
    /// The most seconds to wait for the end; of several, of each
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

/// An object of the original bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    bucket: String,
    key: String,
    /// Bytes.
    size: u64,
    /// What S3 calls its bytes, where it was asked.
    etag: Option<String>,
}

impl Object {
    /// As S3 tells of it.
    fn of(bucket: String, key: &str, head: HeadObjectOutput) -> Self {
        Self {
            bucket,
            key: key.to_owned(),
            size: head
                .content_length()
                .and_then(|size| size.try_into().ok())
                .unwrap_or(0),
            etag: head.e_tag,
        }
    }
}

pub async fn run(settings: &Settings, args: InvokeArgs, ui: &Ui) -> Result<(), CommandError> {
    let request = args.request(&settings.keys)?;
    let opened = waited(ui, READING, Session::open(settings, WhenAbsent::Resume));
    let session = unless_interrupted(opened, nothing_changed).await?;
    session.tell_of_the_clock(ui);
    let timeout = Duration::from_secs(args.timeout);
    let destination = Destination::new(args.download.as_deref(), args.open)?
        .map(|destination| destination.sparing(request.files()));
    let told = async {
        match request {
            Request::Many(found) => {
                for Odd { path, why } in &found.odd {
                    let path = printable(&path.display().to_string());
                    ui.say(format!("{path} {why}, and is passed over"));
                }
                if let Some(words) = passed_over(&found.passed_over) {
                    ui.say(words);
                }
                let order = many::Order {
                    pictures: found.pictures,
                    left_out: found.left_out,
                    again: args.again,
                    timeout,
                    destination: destination.clone(),
                };
                many::run(settings, &session, &order, ui).await
            }
            Request::One(picture) => {
                let deadline = Instant::now() + timeout;
                follow_one(settings, &session, &picture, deadline, destination.as_ref(), ui).await
            }
        }
    };
    let (told, unapplied) = tokio::join!(told, unapplied(settings, &session));
    if let Some(unapplied) = unapplied {
        ui.insist(unapplied);
    }
    if let Some(destination) = destination {
        destination.remove_if_unused();
    }
    told
}

/// How many files are passed over, and the names of some; none where none is.
fn passed_over(files: &[PathBuf]) -> Option<String> {
    let how_many = match files.len() {
        0 => return None,
        1 => "1 file that is no picture is passed over".to_owned(),
        more => format!("{more} files that are no pictures are passed over"),
    };
    let named = files.iter().take(NAMED_MAX);
    let mut names: Vec<String> = named.map(|file| printable(&file.display().to_string())).collect();
    if files.len() > NAMED_MAX {
        names.push("…".to_owned());
    }
    Some(format!("{how_many}: {}", names.join(", ")))
}

/// That the function is not as the configuration has it, if it can be seen and that is so: who has changed a setting may
/// take what they see for what it makes.
async fn unapplied(settings: &Settings, session: &Session) -> Option<String> {
    let graph = stack::graph(session, settings, None).ok()?;
    let function = graph.resource(graph.find(stack::FUNCTION)?);
    let Ok(Reading::Found(found)) = function.read().await else {
        return None;
    };
    let changes = function.wanted().differences(&found.fields);
    let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
    (!fields.is_empty()).then(|| {
        format!(
            "the function differs from the configuration in {}: `resizer up{}` brings it there",
            fields.join(", "),
            session.flags
        )
    })
}

/// One picture, step by step.
async fn follow_one(
    settings: &Settings,
    session: &Session,
    picture: &One,
    deadline: Instant,
    destination: Option<&Destination>,
    ui: &Ui,
) -> Result<(), CommandError> {
    let begun = begin(settings, session, picture, deadline, ui);
    let begun = unless_interrupted(begun, || {
        CommandError::interrupted("stopped before an execution was seen").hint(format!(
            "if one was started, it goes on: `resizer status{}` lists the newest",
            session.flags
        ))
    })
    .await?;
    if begun.is_earlier {
        // Quiet or not: who asked for a run is to know that there was none.
        ui.insist("the same object went through with the same settings before, and this is how (--again runs it again):");
    }
    let followed = follow::to_the_end(session, &begun, deadline, ui);
    let mut timeline = unless_interrupted(followed, || {
        CommandError::interrupted("stopped looking on; the execution goes on").hint(format!(
            "`resizer status{} --execution {}` shows it",
            settings.flags,
            name_part(&begun.execution)
        ))
    })
    .await?;
    let mut is_cut_short = false;
    if ui.json || !ui.quiet {
        // Who has seen the end may not want to wait for the rest.
        tokio::select! {
            () = follow::function_log(session, &begun.execution, &mut timeline, ui) => {}
            () = ctrl_c() => is_cut_short = true,
        }
    }
    if !ui.json && !ui.quiet {
        let story = timeline::story(
            &begun.execution,
            &timeline,
            ToldBy::StepFunctions,
            width_of_stderr(),
        );
        ui.say(format!("\n{story}\n"));
    }
    let outcome = outcome::Outcome {
        session,
        begun: &begun,
        timeline: &timeline,
    };
    let told = outcome.tell(settings, destination, ui);
    if is_cut_short && destination.is_none() {
        return told.await;
    }
    unless_interrupted(told, || {
        CommandError::interrupted("stopped before the result was here; the execution has ended")
    })
    .await
}

/// An execution that has begun.
#[derive(Debug)]
struct Begun {
    /// Its ARN.
    execution: String,
    /// What it is for.
    object: Object,
    /// It was not begun now.
    is_earlier: bool,
}

/// Has an execution begin for `picture`.
async fn begin(
    settings: &Settings,
    session: &Session,
    picture: &One,
    deadline: Instant,
    ui: &Ui,
) -> Result<Begun, CommandError> {
    match picture {
        One::Upload { picture, again } => {
            if !again && let Some((object, execution)) = Earlier::of(1).find(session, picture).await? {
                return Ok(Begun {
                    execution: execution.execution_arn,
                    object,
                    is_earlier: true,
                });
            }
            let seeker = caused::Seeker::new(session)
                .await
                .map_err(|failure| absent(session, failure))?;
            let object = {
                let name = printable(&picture.file.display().to_string());
                let target = s3_uri(&session.names.original_bucket(), &picture.key);
                let _waiting = Waiting::new(ui, format!("Uploading {name} to {target}"));
                upload::upload(session, picture, deadline).await?
            };
            Ok(Begun {
                execution: caused::find(settings, seeker, &object, deadline, ui).await?,
                object,
                is_earlier: false,
            })
        }
        One::Start { key, through } => {
            let object = find(session, session.names.original_bucket(), key).await?;
            let (execution, is_earlier) = match through {
                Door::States { again } => {
                    let started = start::through_states(session, &object, *again).await?;
                    (started.arn, started.is_earlier)
                }
                Door::Api => (start::through_api(settings, session, &object).await?, false),
            };
            Ok(Begun {
                execution,
                object,
                is_earlier,
            })
        }
    }
}

/// The object that is there under `key`.
async fn find(session: &Session, bucket: String, key: &str) -> Result<Object, CommandError> {
    match head(session, &bucket, key).await {
        Ok(head) => Ok(Object::of(bucket, key, head)),
        Err(failure) if failure.is_not_found() => {
            // The answer to a HEAD does not say which of the two is missing.
            let s3 = &session.clients.s3;
            let there = s3
                .head_bucket()
                .bucket(&bucket)
                .expected_bucket_owner(&session.names.account)
                .send()
                .await
                .during("s3:ListBucket", &bucket);
            there.map_err(|failure| absent(session, failure))?;
            Err(
                CommandError::failed(format!("there is no object {}", s3_uri(&bucket, key))).hint(format!(
                    "`resizer invoke{} --key KEY --file PATH` uploads one and runs the pipeline on it",
                    session.flags
                )),
            )
        }
        Err(failure) => Err(failure.into()),
    }
}

/// What S3 says of an object.
async fn head(session: &Session, bucket: &str, key: &str) -> Result<HeadObjectOutput, CallFailure> {
    let s3 = &session.clients.s3;
    let head = s3
        .head_object()
        .bucket(bucket)
        .expected_bucket_owner(&session.names.account)
        .key(key)
        .send()
        .await;
    head.during("s3:GetObject", s3_uri(bucket, key))
}

/// What a failed call means: that the stack does not stand, or not whole, when a piece of it is not found.
fn absent(session: &Session, failure: CallFailure) -> CommandError {
    if failure.is_not_found() {
        standing::not_whole(session, &failure.resource)
    } else {
        failure.into()
    }
}
