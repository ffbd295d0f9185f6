//! `resizer status`: what stands, and what the pipeline did.
//!
//! # Layout
//! - [`resources`]: whether each resource is there and right
//! - [`executions`]: the newest executions
//! - [`counts`]: CloudWatch's counts of the last day
//! - [`one`]: one execution, step by step, from CloudWatch Logs

mod counts;
mod executions;
mod one;
mod resources;

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::outputs::Outputs;
use crate::session::{Session, WhenAbsent};
use crate::ui::Ui;
use crate::ui::table::width_of_stdout;
use counts::Counts;
use executions::Execution;
use resources::{Resource, Standing};

/// Shows whether every resource is there and right, and what the pipeline did.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show this execution step by step, from CloudWatch Logs
    #[arg(long, value_name = "NAME|ARN")]
    execution: Option<String>,
    /// How many of the newest executions to list
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Look again every two seconds and show what is new, until Ctrl-C
    #[arg(long, conflicts_with_all = ["execution", "json"])]
    watch: bool,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    outputs: &'a Outputs,
    /// Whether every resource is there and right.
    healthy: bool,
    resources: &'a [Resource],
    executions: &'a [Execution],
    /// Of the last 24 hours.
    metrics: &'a Counts,
}

/// How often to look again.
const WATCH: Duration = Duration::from_secs(2);

pub async fn run(settings: &Settings, args: StatusArgs, ui: &Ui) -> Result<(), CommandError> {
    let session = Session::open(settings, WhenAbsent::Resume).await?;
    if let Some(execution) = &args.execution {
        return one::show(&session, settings, execution, ui).await;
    }
    if args.watch {
        return tokio::select! {
            watched = watch(&session, settings, args.limit, ui) => watched,
            _ = tokio::signal::ctrl_c() => Ok(()),
        };
    }
    let overview = Overview::read(&session, settings, args.limit).await?;
    if ui.json {
        return ui.json(&Document {
            outputs: &overview.standing.outputs,
            healthy: overview.standing.is_healthy(),
            resources: &overview.standing.resources,
            executions: &overview.executions,
            metrics: &overview.counts,
        });
    }
    ui.result(overview.text(&session));
    Ok(())
}

/// Shows it anew whenever something of it is new.
async fn watch(session: &Session, settings: &Settings, limit: u16, ui: &Ui) -> Result<(), CommandError> {
    let mut shown = String::new();
    loop {
        let text = Overview::read(session, settings, limit).await?.text(session);
        if text != shown {
            ui.screen(&text);
            shown = text;
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// All that the screen shows.
struct Overview {
    standing: Standing,
    executions: Vec<Execution>,
    counts: Counts,
}

impl Overview {
    async fn read(session: &Session, settings: &Settings, limit: u16) -> Result<Self, CommandError> {
        let (standing, executions, counts) = tokio::try_join!(
            resources::read(session, settings),
            executions::newest(session, limit),
            counts::read(session),
        )?;
        if standing.resources.iter().all(Resource::is_missing) {
            return Err(standing::nothing_stands(session));
        }
        Ok(Self {
            standing,
            executions,
            counts,
        })
    }

    fn text(&self, session: &Session) -> String {
        let width = width_of_stdout();
        let outputs = &self.standing.outputs;
        let sections = [
            format!(
                "Stack {} in {} (account {})",
                outputs.stack, outputs.region, outputs.account
            ),
            resources::table(&self.standing.resources, &session.flags, width),
            executions::table(&self.executions, &session.flags, width),
            counts::table(&self.counts, width),
        ];
        sections.join("\n\n")
    }
}
