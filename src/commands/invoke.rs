use clap::Args;

use crate::config::Settings;
use crate::error::CommandError;
use crate::ui::Ui;

/// Runs the pipeline on an object and follows it to the end.
#[derive(Debug, Args)]
pub struct InvokeArgs {}

pub async fn run(_settings: &Settings, _args: InvokeArgs, _ui: &Ui) -> Result<(), CommandError> {
    Err(CommandError::failed("not built yet"))
}
