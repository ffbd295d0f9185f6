use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::error::CommandError;
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  resizer man | man -l -                       read it
  resizer man ~/.local/share/man/man1          a page for every command, for `man resizer-up`";

/// Prints the manual page, or writes one for every command to a folder.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ManArgs {
    /// Write a page for every command to this folder
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub fn run(args: &ManArgs, ui: &Ui) -> Result<(), CommandError> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page)?;
        return ui.raw(&page);
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| {
            CommandError::usage(format!(
                "the pages cannot be written to {}: {error}",
                folder.display()
            ))
        })?;
    ui.say(format!("The pages are in {}", folder.display()));
    Ok(())
}
