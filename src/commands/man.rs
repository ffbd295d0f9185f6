use std::fs;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};
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
        Man::new(definition()).render(&mut page)?;
        return ui.raw(&page);
    };
    if let Some(name) = folder
        .to_str()
        .filter(|name| definition().find_subcommand(name).is_some())
    {
        return Err(CommandError::usage(format!(
            "{name} is a command, and man takes a folder to write all pages to"
        ))
        .hint(format!(
            "`resizer {name} --help` tells of it; a folder of that name is ./{name}"
        )));
    }
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(definition(), folder))
        .map_err(|error| {
            CommandError::usage(format!(
                "the pages cannot be written to {}: {error}",
                folder.display()
            ))
        })?;
    ui.say(format!("The pages are in {}", folder.display()));
    Ok(())
}

/// All commands, each with a synopsis as in its help: the page's own would name every option without its value.
fn definition() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    // Usages have the names of the commands above.
    command.build();
    with_synopsis(command)
}

fn with_synopsis(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    command.override_usage(usage).mut_subcommands(with_synopsis)
}
