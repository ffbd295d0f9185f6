use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::error::CommandError;
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  resizer completions bash > ~/.local/share/bash-completion/completions/resizer
  resizer completions zsh > \"${fpath[1]}/_resizer\"
  resizer completions fish > ~/.config/fish/completions/resizer.fish";

/// Prints what makes a shell complete the commands and flags.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    shell: Shell,
}

pub fn run(args: &CompletionsArgs, ui: &Ui) -> Result<(), CommandError> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "resizer", &mut script);
    ui.raw(&script)
}
