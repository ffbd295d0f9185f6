//! `resizer logs`: what the function and the executions log, in one stream.
//!
//! # Layout
//! - [`entry`]: one line, from either log group
//! - [`selection`]: which lines are wanted, and to which execution a line of the function belongs
//! - [`window`]: from when on a log group is read, and what of that was shown already

mod entry;
mod selection;
mod window;

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;

use crate::aws::CallFailure;
use crate::commands::interrupt::unless_interrupted;
use crate::commands::since::ago;
use crate::commands::{find, standing};
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{
    CLOCK_DIFFERENCE_MILLIS, DELIVERY_MAX_MILLIS, Logged, Search, Timeline, are_lines_whole, from_history,
    is_logging_off, pattern_of, search, timestamp,
};
use crate::session::{Session, WhenAbsent};
use crate::ui::Ui;
use crate::ui::format::{date_and_time, printable};
use crate::ui::table::width_of_stdout;
use entry::{Entry, Source};
use selection::{Selection, Wanted};
use window::Window;

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
    /// Show only executions for this key, of those that have begun since, and the function's lines that belong to them
    #[arg(long)]
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
/// The most lines of a log group that are read at once.
const LINES_MAX: usize = 50_000;

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
        let session = Session::open(settings, WhenAbsent::Resume).await?;
        let stream = Stream::open(&session, &args).await?;
        if args.follow {
            stream.follow(ui).await
        } else {
            stream.show(ui).await
        }
    };
    unless_interrupted(shown, interrupted).await
}

/// A log group that is read.
struct Feed {
    source: Source,
    log_group: String,
    pattern: Option<String>,
    window: Window,
    until: Option<i64>,
}

/// All that is asked for.
struct Stream<'a> {
    session: &'a Session,
    feeds: Vec<Feed>,
    selection: Selection,
    /// Only lines of these.
    shown: Option<Source>,
    since: Timestamp,
    /// Whether one execution is asked for.
    is_one: bool,
}

/// What is new, in the order of time.
struct New {
    entries: Vec<Entry>,
    /// Whether there is more than was read.
    is_cut: bool,
    /// Whether anything was read, wanted or not.
    is_something: bool,
}

impl New {
    /// Whether to read on at once. Of a cut where nothing was read, the same would be read again.
    fn goes_on(&self) -> bool {
        self.is_cut && self.is_something
    }
}

impl<'a> Stream<'a> {
    async fn open(session: &'a Session, args: &LogsArgs) -> Result<Self, CommandError> {
        let mut since = args.since;
        let (mut until, mut pattern) = (None, None);
        let wanted = if let Some(execution) = &args.execution {
            let described = find::execution(session, execution).await?;
            since = timestamp(&described.start_date);
            let stopped = described.stop_date.as_ref().filter(|_| !args.follow);
            until = stopped.map(|stopped| timestamp(stopped).as_millisecond() + DELIVERY_MAX_MILLIS);
            pattern = Some(pattern_of(&described.execution_arn));
            Wanted::Execution(described.execution_arn)
        } else {
            args.key.clone().map_or(Wanted::All, Wanted::Key)
        };
        let earlier = if args.execution.is_some() {
            CLOCK_DIFFERENCE_MILLIS
        } else {
            0
        };
        let feed = |source, log_group, pattern| Feed {
            source,
            log_group,
            pattern,
            window: Window::new(since.as_millisecond() - earlier),
            until,
        };
        let mut feeds = Vec::new();
        // Which of the function's lines are wanted is said by the executions' events.
        if !args.function || wanted != Wanted::All {
            let log_group = session.names.state_machine_log_group();
            feeds.push(feed(Source::Executions, log_group, pattern));
        }
        if !args.executions {
            feeds.push(feed(Source::Function, session.names.function_log_group(), None));
        }
        let shown = [
            (args.function, Source::Function),
            (args.executions, Source::Executions),
        ];
        Ok(Self {
            session,
            feeds,
            selection: Selection::new(wanted),
            shown: shown
                .into_iter()
                .find_map(|(is_asked, source)| is_asked.then_some(source)),
            since,
            is_one: args.execution.is_some(),
        })
    }

    /// Reads what was not there, or not yet to be found, when it was read last.
    async fn read(&mut self) -> Result<New, CallFailure> {
        // Only once all are read is anything taken for shown: of two, the second may fail.
        let mut read = Vec::new();
        for feed in &self.feeds {
            let wanted = Search {
                log_group: &feed.log_group,
                from: feed.window.from(),
                until: feed.until,
                pattern: feed.pattern.as_deref(),
                stream: None,
            };
            read.push(search(&self.session.clients, wanted, LINES_MAX).await?);
        }
        let is_cut = read.iter().any(|found| found.is_cut);
        let is_something = read.iter().any(|found| !found.events.is_empty());
        let now = Timestamp::now().as_millisecond();
        let mut entries = Vec::new();
        for (feed, found) in self.feeds.iter_mut().zip(read) {
            let new = feed.window.new_of(found, now);
            entries.extend(new.into_iter().map(|line| Entry::of(feed.source, line)));
        }
        let mut entries = self.selection.of(entries);
        if self.find_nameless().await? {
            entries.extend(self.selection.of(Vec::new()));
            entries.sort_by_key(Entry::order);
        }
        entries.retain(|entry| self.shown.is_none_or(|shown| shown == entry.source));
        Ok(New {
            entries,
            is_cut,
            is_something,
        })
    }

    /// Looks for the requests of tries of which no event names one, as a story does; whether any was found.
    async fn find_nameless(&mut self) -> Result<bool, CallFailure> {
        let mut is_found = false;
        for arn in self.selection.nameless() {
            let mut timeline = Timeline::of(&from_history(&self.session.clients, &arn).await?);
            self.session.function_log().read(&arn, &mut timeline).await;
            for each in timeline.steps.iter().flat_map(|step| &step.tries) {
                if let Some(Logged::Found(invocation)) = &each.logged {
                    self.selection.belongs(&invocation.request_id, &arn);
                    is_found = true;
                }
            }
            if are_lines_whole(&timeline) {
                self.selection.is_known(&arn);
            }
        }
        Ok(is_found)
    }

    /// Shows what there is.
    async fn show(mut self, ui: &Ui) -> Result<(), CommandError> {
        let new = self
            .read()
            .await
            .map_err(|failure| absent(self.session, failure))?;
        print(&new.entries, ui)?;
        let since = date_and_time(self.since);
        if new.is_cut {
            ui.insist(format!(
                "of each log group these are the first {LINES_MAX} lines since {since}: a shorter --since shows the newest"
            ));
        } else if new.entries.is_empty()
            && self.selection.is_choice()
            && is_logging_off(&self.session.clients, &self.session.names.state_machine_arn()).await
        {
            ui.insist(format!(
                "nothing of it was logged: the state machine's logging is off; `resizer up{}` switches it on",
                self.session.flags
            ));
        } else if new.entries.is_empty() {
            let flags = &self.session.flags;
            let next = if self.is_one {
                format!("`resizer plan{flags}` shows whether logs go there")
            } else {
                format!(
                    "--since 7d looks further back, and `resizer invoke{flags} --file PATH` runs the pipeline"
                )
            };
            ui.say(format!(
                "nothing of it was logged since {since}, or it is not there yet: CloudWatch Logs takes some seconds; {next}"
            ));
        }
        Ok(())
    }

    /// Shows what there is and what comes, as long as somebody reads it.
    async fn follow(mut self, ui: &Ui) -> Result<(), CommandError> {
        let groups: Vec<&str> = self.feeds.iter().map(|feed| feed.log_group.as_str()).collect();
        ui.say(format!("Following {} (Ctrl-C ends)", groups.join(" and ")));
        let mut read = self.read().await;
        let mut fails = false;
        loop {
            match read {
                Ok(new) => {
                    fails = false;
                    print(&new.entries, ui)?;
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
                Err(failure) => return Err(absent(self.session, failure)),
            }
            if ui.is_unread() {
                return Ok(());
            }
            read = self.read().await;
        }
    }
}

fn print(entries: &[Entry], ui: &Ui) -> Result<(), CommandError> {
    if entries.is_empty() {
        return Ok(());
    }
    if ui.json {
        let documents: Vec<_> = entries.iter().map(Entry::document).collect();
        return ui.json_lines(&documents);
    }
    let width = width_of_stdout();
    let lines: Vec<String> = entries.iter().map(|entry| entry.line(width)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_cut_where_nothing_was_read_the_same_is_not_read_again_at_once() {
        let goes_on = |is_cut, is_something| {
            let entries = Vec::new();
            New {
                entries,
                is_cut,
                is_something,
            }
            .goes_on()
        };
        assert!(goes_on(true, true), "none of it may be wanted");
        assert!(!goes_on(true, false));
        assert!(!goes_on(false, true));
    }
}
