use clap::Args;

use crate::config::Settings;
use crate::error::CommandError;
use crate::ui::Ui;

/// Takes the stack away again, with every picture in its buckets.
#[derive(Debug, Args)]
pub struct DownArgs {}

pub async fn run(_settings: &Settings, _args: DownArgs, _ui: &Ui) -> Result<(), CommandError> {
    Err(CommandError::failed("not built yet"))
}
