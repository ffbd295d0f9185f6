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
use resources::Resource;

/// Shows whether every resource is there and right, and what the pipeline did.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show this execution step by step, from CloudWatch Logs
    #[arg(long, value_name = "NAME|ARN")]
    execution: Option<String>,
    /// How many of the newest executions to list
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    limit: u16,
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

pub async fn run(settings: &Settings, args: StatusArgs, ui: &Ui) -> Result<(), CommandError> {
    let session = Session::open(settings, WhenAbsent::Resume).await?;
    if let Some(execution) = &args.execution {
        return one::show(&session, settings, execution, ui).await;
    }
    let (standing, executions, counts) = tokio::try_join!(
        resources::read(&session, settings),
        executions::newest(&session, args.limit),
        counts::read(&session),
    )?;
    if standing.resources.iter().all(Resource::is_missing) {
        return Err(standing::nothing_stands(&session));
    }
    let outputs = &standing.outputs;
    if ui.json {
        return ui.json(&Document {
            outputs,
            healthy: standing.is_healthy(),
            resources: &standing.resources,
            executions: &executions,
            metrics: &counts,
        });
    }
    let width = width_of_stdout();
    let sections = [
        format!(
            "Stack {} in {} (account {})",
            outputs.stack, outputs.region, outputs.account
        ),
        resources::table(&standing.resources, &session.flags, width),
        executions::table(&executions, &session.flags, width),
        counts::table(&counts, width),
    ];
    ui.result(sections.join("\n\n"));
    Ok(())
}
