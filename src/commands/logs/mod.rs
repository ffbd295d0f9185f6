//! `resizer logs`: what the function and the executions log, in one stream.
//!
//! # Layout
//! - [`entry`]: one line, from either log group
//! - [`selection`]: which lines are wanted, and to which execution a line of the function belongs
//! - [`stream`]: what the log groups have of it, read again and again
//! - [`window`]: from when on a log group is read, and what of that was shown already

mod entry;
mod selection;
mod stream;
mod window;

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;

use crate::aws::CallFailure;
use crate::commands::interrupt::unless_interrupted;
use crate::commands::since::ago;
use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::session::{Session, WhenAbsent};
use crate::ui::Ui;
use crate::ui::format::{date_and_time, printable, shell_word};
use crate::ui::table::width_of_stdout;
use crate::ui::waiting::waited;
use entry::{Entry, Source};
use stream::{LINES_MAX, New, Stream};

/// Shows what the function and the executions log, in one stream.
///
/// Lines are in the order of time, each with its time and whose it is: the function's, or an execution's by the beginning of
/// its name. CloudWatch Logs has them some seconds late. With --json each line is a JSON document.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LogsArgs {
    /// Go on with what comes, until Ctrl-C; a line that comes late stands where it comes
    #[arg(long, short)]
    follow: bool,
    /// Show only what the function logs
    #[arg(long, conflicts_with = "executions")]
    function: bool,
    /// Show only the executions' events
    #[arg(long)]
    executions: bool,
    /// How far to look back, such as 90m, 2h or 7d
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = ago)]
    since: Timestamp,
    /// Show only this execution and the function's lines that belong to it; the beginning of its name will do
    #[arg(long, value_name = "NAME|ARN", value_parser = NonEmptyStringValueParser::new(),
          conflicts_with_all = ["since", "key"])]
    execution: Option<String>,
    /// Show only executions for keys that begin so, of those that have begun since, and the function's lines that
    /// belong to them
    #[arg(long, value_name = "PREFIX")]
    key: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  resizer logs --follow                       what is logged from now on, and in the last ten minutes
  resizer logs --since 2h --key album/cat.jpg
                                              what became of one picture
  resizer logs --function --since 1d --json | jq -r 'select(.message | contains(\"ERROR\")) | .request_id'
                                              the invocations that failed";

/// How often to look for more; FilterLogEvents takes 5 calls a second, and each look is one a log group.
const POLL: Duration = Duration::from_secs(1);

pub async fn run(settings: &Settings, args: LogsArgs, ui: &Ui) -> Result<(), CommandError> {
    let interrupted = || {
        // What was printed are whole lines: there is no document to say it in.
        let interrupted = CommandError::interrupted("stopped reading the logs").documented();
        if args.follow {
            interrupted.asked_for()
        } else {
            interrupted
        }
    };
    let shown = async {
        let session = waited(ui, READING, Session::open(settings, WhenAbsent::Resume)).await?;
        session.tell_of_the_clock(ui);
        let stream = waited(ui, READING, Stream::open(&session, &args)).await?;
        if args.follow {
            follow(stream, &session, &args, ui).await
        } else {
            show(stream, &session, &args, ui).await
        }
    };
    unless_interrupted(shown, interrupted).await
}

/// What is said while it takes long.
const READING: &str = "Reading the logs";

/// Shows what there is.
async fn show(
    mut stream: Stream<'_>,
    session: &Session,
    args: &LogsArgs,
    ui: &Ui,
) -> Result<(), CommandError> {
    let new = waited(ui, READING, stream.read())
        .await
        .map_err(|failure| absent(session, failure))?;
    print(&new, ui)?;
    let since = date_and_time(stream.since());
    let is_event = |entry: &Entry| entry.source == Source::Executions;
    let why = if new.is_cut {
        format!(
            "of each log group these are the first {LINES_MAX} lines since {since}: a shorter --since shows the newest"
        )
    } else if !new.entries.iter().any(is_event) && stream.is_logging_off().await {
        logging_is_off(session, args)
    } else if new.entries.is_empty() && !new.missed.is_empty() {
        format!(
            "without the executions' events nothing tells whose the function's lines are: `resizer logs{} --function` \
             shows all of them",
            session.flags
        )
    } else if !new.entries.is_empty() {
        return Ok(());
    } else if let Some(absence) = stream.absence().await {
        format!("nothing of it is to be read: {absence}")
    } else {
        nothing_since(&since, stream.is_one(), &session.flags)
    };
    ui.insist(why);
    Ok(())
}

fn logging_is_off(session: &Session, args: &LogsArgs) -> String {
    let flags = &session.flags;
    // Whose key it is, only the executions' events say.
    let without = args.key.as_ref().map(|key| {
        let key = shell_word(key);
        format!("; the function's lines are found by --execution, with a name that `resizer status{flags} --key {key}` lists")
    });
    format!(
        "executions log nothing: the state machine's logging is off; `resizer up{flags}` switches it on{}",
        without.unwrap_or_default()
    )
}

fn nothing_since(since: &str, is_one: bool, flags: &str) -> String {
    let next = if is_one {
        format!("`resizer plan{flags}` shows whether logs go there")
    } else {
        format!("--since 7d looks further back, and `resizer invoke{flags} --file PATH` runs the pipeline")
    };
    format!(
        "nothing of it was logged since {since}, or it is not there yet: CloudWatch Logs takes some seconds; {next}"
    )
}

/// Shows what there is and what comes, as long as somebody reads it.
async fn follow(
    mut stream: Stream<'_>,
    session: &Session,
    args: &LogsArgs,
    ui: &Ui,
) -> Result<(), CommandError> {
    ui.say(format!(
        "Following {} (Ctrl-C ends)",
        stream.log_groups().join(" and ")
    ));
    if stream.is_logging_off().await {
        ui.say(logging_is_off(session, args));
    }
    let mut fails = false;
    loop {
        match stream.read().await {
            Ok(new) => {
                fails = false;
                print(&new, ui)?;
                if !new.goes_on() {
                    tokio::time::sleep(POLL).await;
                }
            }
            // Nothing is missed by it: the next look goes as far back.
            Err(failure) if failure.is_passing() => {
                if !fails {
                    ui.say(format!("{}; trying again", printable(&failure.to_string())));
                }
                fails = true;
                tokio::time::sleep(POLL).await;
            }
            Err(failure) => return Err(absent(session, failure)),
        }
        if ui.is_unread() {
            return Ok(());
        }
    }
}

fn print(new: &New, ui: &Ui) -> Result<(), CommandError> {
    for missed in &new.missed {
        ui.insist(format!("some lines are missing: {missed}"));
    }
    if new.entries.is_empty() {
        return Ok(());
    }
    if ui.json {
        let documents: Vec<_> = new.entries.iter().map(Entry::document).collect();
        return ui.json_lines(&documents);
    }
    let width = width_of_stdout();
    let lines: Vec<String> = new.entries.iter().map(|entry| entry.line(width)).collect();
    ui.result(lines.join("\n"))
}

/// What a failed call means: that the stack does not stand, or not whole, when a log group is not found.
fn absent(session: &Session, failure: CallFailure) -> CommandError {
    if failure.is_not_found() {
        standing::not_whole(session, &format!("the log group {}", failure.resource))
    } else {
        failure.into()
    }
}
