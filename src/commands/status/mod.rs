//! `resizer status`: what stands, and what the pipeline did.
//!
//! # Layout
//! - [`resources`]: whether each resource is there and right
//! - [`executions`]: the newest executions
//! - [`alarms`]: what the alarms say
//! - [`counts`]: CloudWatch's counts of the last day
//! - [`memory`]: how much the function used
//! - [`one`]: one execution, step by step, from CloudWatch Logs
//! - [`watch`]: the same again and again

pub mod alarms;
pub mod counts;
pub mod executions;
pub mod memory;
mod one;
pub mod resources;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::interrupt::{ctrl_c, unless_interrupted};
use crate::commands::since::ago;
use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::outputs::Outputs;
use crate::session::{Session, WhenAbsent};
use crate::ui::Ui;
use crate::ui::live::Live;
use crate::ui::table::width_of_stdout;
use crate::ui::waiting::{READING, waited, waited_telling};
use crate::ui::wrap::fitted;
use alarms::Alarms;
use counts::{Counts, Day, Hours};
use executions::{Execution, Known, Newest, Wanted};
use memory::Memory;
use resources::{Resource, Standing};

const EXAMPLES: &str = "\
Examples:
  resizer status                               is it working, and what happened
  resizer status --failed --since 2h           what went wrong lately
  resizer status --key album/                  what became of these pictures
  resizer status --execution 51c0a7d2          the story of one of them
  resizer status --watch                       live, until q
  resizer status --exit-code > /dev/null       in CI: 0 all is right, 2 something is not";

/// Shows whether every resource is there and right, and what the pipeline did.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// Show this execution step by step, from CloudWatch Logs; the beginning of its name will do
    #[arg(long, value_name = "NAME|ARN", value_parser = NonEmptyStringValueParser::new(),
          conflicts_with_all = ["limit", "failed", "since", "key"])]
    execution: Option<String>,
    /// How many of the newest executions to list; those of --watch on a terminal are at least 100
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// List only executions that ended without success
    #[arg(long)]
    failed: bool,
    /// List only executions of the last hours or days, such as 90m, 2h or 7d
    #[arg(long, value_name = "TIME", value_parser = ago)]
    since: Option<Timestamp>,
    /// List only executions for keys that begin so (without --since among the newest 300)
    #[arg(long, value_name = "PREFIX")]
    key: Option<String>,
    /// Keep looking: at a terminal full-screen, with keys to go through the executions and their stories
    #[arg(long, conflicts_with_all = ["execution", "json"])]
    watch: bool,
    /// Exit with 0 when every resource is there and right, 2 when one is not, 1 when that cannot be told
    #[arg(long, conflicts_with_all = ["execution", "watch"])]
    pub exit_code: bool,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    outputs: &'a Outputs,
    /// Whether every resource is there and right.
    healthy: bool,
    resources: &'a [Resource],
    alarms: &'a Alarms,
    executions: &'a [Execution],
    /// Why some of those that are wanted may not be among them; empty if all are.
    executions_missing: &'a [String],
    /// Of the last 24 hours.
    metrics: &'a Day,
    hours: &'a Hours,
    /// Why they may say less than there was; empty if they do not.
    metrics_missing: Vec<String>,
    function_memory: Option<Memory>,
}

impl StatusArgs {
    fn wanted(&self, session: &Session) -> Wanted {
        Wanted {
            limit: self.limit.try_into().unwrap_or(usize::MAX),
            failed: self.failed,
            since: self.since.map(|since| session.clock.at(since)),
            key: self.key.clone(),
        }
    }
}

/// Whether every resource is there and right, as far as that was looked at.
pub async fn run(settings: &Settings, args: StatusArgs, ui: &Ui) -> Result<bool, CommandError> {
    let opened = waited(ui, READING, Session::open(settings, WhenAbsent::Resume));
    let session = unless_interrupted(opened, interrupted).await?;
    session.tell_of_the_clock(ui);
    if let Some(execution) = &args.execution {
        let shown = one::show(&session, settings, execution, ui);
        return unless_interrupted(shown, interrupted).await.map(|()| true);
    }
    let wanted = args.wanted(&session);
    if args.watch {
        let watching = async {
            if Live::is_possible() {
                watch::live(&session, settings, wanted, ui).await
            } else {
                watch::plainly(&session, settings, wanted, ui).await
            }
        };
        return tokio::select! {
            watched = watching => watched.map(|()| true),
            () = ctrl_c() => Err(watch::stopped()),
        };
    }
    let overview = unless_interrupted(read(&session, settings, &wanted, ui), interrupted).await?;
    if !args.exit_code {
        overview.check_stands(&session)?;
    }
    let is_healthy = overview.standing.is_healthy();
    if ui.json {
        ui.json(&Document {
            outputs: &overview.standing.outputs,
            healthy: is_healthy,
            resources: &overview.standing.resources,
            alarms: &overview.standing.alarms,
            executions: &overview.executions,
            executions_missing: &overview.missing,
            metrics: &overview.counts.day,
            hours: &overview.counts.hours,
            metrics_missing: overview.counts.missing(&overview.executions),
            function_memory: overview.counts.memory,
        })?;
    } else {
        ui.result(overview.text(&session, settings, &wanted))?;
    }
    if args.exit_code {
        overview.standing.check_seen()?;
    }
    Ok(is_healthy)
}

/// Reads all of it; on a terminal it is said that it takes long, and of a search how far it is.
async fn read(
    session: &Session,
    settings: &Settings,
    wanted: &Wanted,
    ui: &Ui,
) -> Result<Overview, CommandError> {
    let mut known = Known::default();
    let looked_at = AtomicUsize::new(0);
    let count = |so_far| looked_at.store(so_far, Ordering::Relaxed);
    let read = Overview::read(session, settings, wanted, &mut known, &count);
    let how_far = || match looked_at.load(Ordering::Relaxed) {
        0 => String::new(),
        so_far => format!("{so_far} executions looked at"),
    };
    waited_telling(ui, READING, read, how_far).await
}

fn interrupted() -> CommandError {
    CommandError::interrupted("interrupted before all was read")
}

fn heading(session: &Session) -> String {
    let names = &session.names;
    format!(
        "Stack {} in {} (account {})",
        names.stack, names.region, names.account
    )
}

/// All that the screen shows.
pub struct Overview {
    pub standing: Arc<Standing>,
    pub executions: Vec<Execution>,
    /// Why some of those may be missing.
    pub missing: Vec<String>,
    pub counts: Arc<Counts>,
    /// Why some of it could not be read.
    unread: Vec<CommandError>,
}

impl Overview {
    /// Tells `looked_at` of how many executions it is known whether they are wanted.
    ///
    /// # Errors
    /// Nothing is known of the resources.
    pub async fn read(
        session: &Session,
        settings: &Settings,
        wanted: &Wanted,
        known: &mut Known,
        looked_at: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, CommandError> {
        let (standing, newest, counts) = tokio::join!(
            resources::read(session, settings),
            executions::newest(session, wanted, known, looked_at),
            counts::read(session),
        );
        let standing = standing?;
        // What is known of the resources is told without the rest.
        let mut unread = Vec::new();
        let newest = newest.unwrap_or_else(|failure| {
            let newest = Newest::unread(&failure);
            unread.push(failure);
            newest
        });
        let counts = counts.unwrap_or_else(|failure| {
            let counts = Counts::unread(&failure, session.clock.now());
            unread.push(failure);
            counts
        });
        Ok(Self {
            standing: Arc::new(standing),
            executions: newest.executions,
            missing: newest.missing,
            counts: Arc::new(counts),
            unread,
        })
    }

    /// That nothing is missing which may be there a little later.
    ///
    /// # Errors
    /// Something is.
    pub fn check_nothing_passes(&mut self) -> Result<(), CommandError> {
        let passing = self.unread.iter().position(|failure| failure.is_passing);
        passing.map_or(Ok(()), |passing| Err(self.unread.swap_remove(passing)))
    }

    /// That there is a stack to tell of.
    ///
    /// # Errors
    /// Nothing of it is there.
    pub fn check_stands(&self, session: &Session) -> Result<(), CommandError> {
        if resources::are_all_missing(&self.standing.resources) {
            return Err(standing::nothing_stands(session));
        }
        Ok(())
    }

    /// The same with other executions.
    fn with_executions(&self, newest: Newest) -> Self {
        Self {
            standing: Arc::clone(&self.standing),
            executions: newest.executions,
            missing: newest.missing,
            counts: Arc::clone(&self.counts),
            unread: Vec::new(),
        }
    }

    fn text(&self, session: &Session, settings: &Settings, wanted: &Wanted) -> String {
        let width = width_of_stdout();
        let sections = [
            fitted(&heading(session), width),
            resources::table(&self.standing.resources, &session.flags, width),
        ];
        let alarms = self.standing.alarms.text(settings);
        let alarms = alarms.map(|alarms| fitted(&alarms, width));
        let sections = sections.into_iter().chain(alarms).chain([
            executions::table(&self.executions, &self.missing, wanted, &session.flags, width),
            counts::table(&self.counts, &self.executions, width),
        ]);
        sections.collect::<Vec<_>>().join("\n\n")
    }
}
