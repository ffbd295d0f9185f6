//! `resizer report`: the status as a page, with the newest pictures.
//!
//! # Layout
//! - [`gallery`]: reads the pictures
//! - [`page`]: the HTML, a file a section
//! - [`file`]: writes it

mod file;
mod gallery;
mod page;

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::graph;
use super::interrupt::unless_interrupted;
use super::status::Overview;
use super::status::alarms::Alarms;
use super::status::executions::{Known, Wanted};
use crate::config::Settings;
use crate::error::CommandError;
use crate::outputs::Outputs;
use crate::session::{Session, WhenAbsent};
use crate::stack;
use crate::ui::Ui;
use crate::ui::format::bytes;
use crate::ui::picture::Picture;
use crate::ui::waiting::{READING, waited};
use gallery::Pair;

/// Writes what `status` shows as a page to look at or to send: the stack as a picture, the last day as charts, the newest
/// pictures before and after.
///
/// It is one HTML file that needs nothing else: no script, no font and no picture is fetched from anywhere. The pictures are
/// in it, large ones as thumbnails, so give it to those who may see them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// Where to write the page; `-`: to standard output
    #[arg(long, value_name = "FILE", default_value = "resizer-report.html")]
    html: PathBuf,
    /// How many of the newest executions to list
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Of how many of those to show the picture, before and after
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(0..=100))]
    pictures: u16,
}

const EXAMPLES: &str = "\
Examples:
  resizer report                              resizer-report.html, here
  resizer report --html /srv/www/today.html --pictures 12
  resizer report --html - | gzip > report.html.gz";

/// All that the page shows.
struct Report<'a> {
    session: &'a Session,
    at: Timestamp,
    overview: Overview,
    /// What the alarms say, if there are any.
    alarms: Option<String>,
    stack: Picture,
    /// None where none are asked for.
    pairs: Option<Vec<Pair>>,
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    outputs: &'a Outputs,
    /// The page's file.
    path: String,
    /// The page's size.
    bytes: usize,
    /// Whether every resource is there and right.
    healthy: bool,
    resources: usize,
    alarms: &'a Alarms,
    executions: usize,
    pictures: &'a [Pair],
}

pub async fn run(settings: &Settings, args: &ReportArgs, ui: &Ui) -> Result<(), CommandError> {
    let is_stdout = args.html.as_os_str() == "-";
    if is_stdout && ui.json {
        return Err(
            CommandError::usage("page and document cannot both go to standard output")
                .hint("say a file with --html, or leave out --json"),
        );
    }
    let opened = waited(ui, READING, Session::open(settings, WhenAbsent::Resume));
    let session = unless_interrupted(opened, interrupted).await?;
    session.tell_of_the_clock(ui);
    let read = waited(ui, READING, Report::read(&session, settings, args));
    let report = unless_interrupted(read, interrupted).await?;
    let page = page::html(&report);
    if is_stdout {
        return ui.result(page);
    }
    let path = args.html.display();
    file::write(&args.html, &page).map_err(|error| {
        CommandError::failed(format!("the page cannot be written to {path}: {error}"))
            .hint("say another file with --html; `--html -` writes to standard output")
    })?;
    ui.say(format!(
        "The report is in {path} ({}){}",
        bytes(page.len() as u64),
        report.missing_pictures()
    ));
    if ui.json {
        return ui.json(&report.document(path.to_string(), page.len()));
    }
    Ok(())
}

fn interrupted() -> CommandError {
    CommandError::interrupted("interrupted before the page was written")
}

impl<'a> Report<'a> {
    async fn read(
        session: &'a Session,
        settings: &Settings,
        args: &ReportArgs,
    ) -> Result<Self, CommandError> {
        let wanted = Wanted {
            limit: args.limit.into(),
            failed: false,
            since: None,
            key: None,
        };
        let overview = Overview::read(session, settings, &wanted, &mut Known::default(), &|_| ()).await?;
        overview.check_stands(session)?;
        let pairs = match args.pictures {
            0 => None,
            most => Some(gallery::read(session, &overview.executions, most.into()).await),
        };
        let graph = stack::graph(session, settings, None)?;
        let mut stack = graph::picture(&graph, &session.names);
        for node in &mut stack.nodes {
            let resources = &overview.standing.resources;
            let resource = resources.iter().find(|resource| resource.id == node.id);
            node.health = resource.and_then(|resource| resource.health());
        }
        Ok(Self {
            session,
            at: session.clock.now(),
            alarms: overview.standing.alarms.text(settings),
            overview,
            stack,
            pairs,
        })
    }

    fn document(&self, path: String, bytes: usize) -> Document<'_> {
        let Overview {
            standing, executions, ..
        } = &self.overview;
        Document {
            outputs: &standing.outputs,
            path,
            bytes,
            healthy: standing.is_healthy(),
            resources: standing.resources.len(),
            alarms: &standing.alarms,
            executions: executions.len(),
            pictures: self.pairs(),
        }
    }

    fn pairs(&self) -> &[Pair] {
        self.pairs.as_deref().unwrap_or_default()
    }

    /// How many pictures the page does not show, if any.
    fn missing_pictures(&self) -> String {
        let objects = self.pairs().iter().flat_map(|pair| [&pair.before, &pair.after]);
        match objects.filter(|object| object.picture.is_none()).count() {
            0 => String::new(),
            1 => "; one picture is not shown, and the page says why".to_owned(),
            several => format!("; {several} pictures are not shown, and the page says why"),
        }
    }

    /// The command that makes such a page.
    fn command(&self, more: &str) -> String {
        format!("resizer {more}{}", self.session.flags)
    }
}
