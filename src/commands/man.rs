use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
        write(&definition(), &mut page)?;
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
        .and_then(|()| write_all(&definition(), folder))
        .map_err(|error| {
            CommandError::usage(format!(
                "the pages cannot be written to {}: {error}",
                folder.display()
            ))
        })?;
    ui.say(format!("The pages are in {}", folder.display()));
    Ok(())
}

/// The page of a command, and those of the commands below it.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    let name = Man::new(command.clone()).get_filename();
    write(command, &mut File::create(folder.join(name))?)?;
    let mut below = command.get_subcommands().filter(|command| !command.is_hide_set());
    below.try_for_each(|command| write_all(command, folder))
}

/// The page of a command. Its examples stand as in its help: what is typed is not to be filled to lines.
fn write(command: &Command, page: &mut impl Write) -> io::Result<()> {
    let man = Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    if let Some(examples) = command.get_after_long_help().or(command.get_after_help()) {
        writeln!(page, ".SH EXAMPLES\n.nf")?;
        let examples = examples.to_string();
        for line in examples.trim_start_matches("Examples:\n").lines() {
            writeln!(page, "{}", verbatim(line))?;
        }
        writeln!(page, ".fi")?;
    }
    man.render_version_section(page)
}

/// A line as roff shows it unchanged.
fn verbatim(line: &str) -> String {
    let escaped = line
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq");
    // A dot at the beginning would be a command.
    format!("\\&{escaped}")
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
