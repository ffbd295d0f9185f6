use std::path::Path;

use clap::Args;
use resizer_local::Endpoint;

use crate::config::Settings;
use crate::error::CommandError;
use crate::session::WhenAbsent;
use crate::ui::Ui;

/// The local cloud: runs it, stops it, and prints what other tools need to talk to it.
#[derive(Debug, Args)]
pub struct LocalArgs {}

pub async fn run(_settings: &Settings, _args: LocalArgs, _ui: &Ui) -> Result<(), CommandError> {
    Err(CommandError::failed("not built yet"))
}

/// The endpoint of the local cloud in `data_dir`, started in the background if none runs.
pub async fn find_or_start(
    _data_dir: &Path,
    _region: Option<&str>,
    _when_absent: WhenAbsent,
) -> Result<Endpoint, CommandError> {
    Err(CommandError::failed("not built yet"))
}
