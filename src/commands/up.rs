use clap::Args;

use crate::config::Settings;
use crate::error::CommandError;
use crate::ui::Ui;

/// Builds the function, makes or updates the stack, and shows what stands.
#[derive(Debug, Args)]
pub struct UpArgs {}

pub async fn run(_settings: &Settings, _args: UpArgs, _ui: &Ui) -> Result<(), CommandError> {
    Err(CommandError::failed("not built yet"))
}
