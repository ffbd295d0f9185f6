use clap::Args;

use crate::config::Settings;
use crate::error::CommandError;
use crate::ui::Ui;

/// Shows whether every resource is there and right, and what the pipeline did.
#[derive(Debug, Args)]
pub struct StatusArgs {}

pub async fn run(_settings: &Settings, _args: StatusArgs, _ui: &Ui) -> Result<(), CommandError> {
    Err(CommandError::failed("not built yet"))
}
