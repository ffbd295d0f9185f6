//! Every flag and its help; from the arguments to the exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::config::Settings;
use crate::error::{CommandError, FailureDocument};
use crate::ui::format::shell_word;
use crate::ui::{Ui, print_document, unless_unread};

/// Puts a serverless image-resize pipeline on AWS, shows it at work, and takes it away again.
///
/// An upload to the original bucket starts a Step Functions execution, which runs a Lambda function, which writes
/// the resized picture to the resized bucket. A POST to the REST API starts the same. With --local everything runs
/// on this machine, with nothing installed and no AWS account.
#[derive(Debug, Parser)]
#[command(name = "resizer", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  resizer up --local                          the whole pipeline, on this machine
  resizer invoke --local --key cat.jpg --file cat.jpg
                                              upload a picture and follow it to the end
  resizer status --local                      what stands, and what happened
  resizer logs --local --follow               what the function and the executions log, as it comes
  resizer up --region eu-central-1            the same on AWS";

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where")]
pub struct GlobalArgs {
    /// The stack's name; several stacks live side by side in one account and region [default: resizer]
    #[arg(long, global = true, value_name = "NAME")]
    pub stack: Option<String>,
    /// The AWS region [default: as the AWS CLI finds it]
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// The profile of ~/.aws/config to use
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Talk to this endpoint instead of AWS
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "AWS_ENDPOINT_URL",
        hide_env_values = true
    )]
    pub endpoint_url: Option<String>,
    /// Run on this machine: a local cloud, kept in .resizer/local
    #[arg(long, global = true)]
    pub local: bool,
    /// A bucket that is there, for the originals [default: one of the stack's own]
    ///
    /// It is never emptied or removed, and nothing of it is changed but that it tells EventBridge of its objects.
    #[arg(long, global = true, value_name = "NAME")]
    pub original_bucket: Option<String>,
    /// A bucket that is there, for the results [default: one of the stack's own]
    ///
    /// It is never changed, emptied or removed.
    #[arg(long, global = true, value_name = "NAME")]
    pub resized_bucket: Option<String>,
    /// The configuration file [default: resizer.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the result as one JSON document
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Say more: AWS calls as they are made (-vv: with the SDK's retries and credentials look-up)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// Say nothing while waiting
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Output"
    )]
    pub quiet: bool,
    /// Colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Output"
    )]
    pub color: ColorWhen,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    OnStack(StackCommand),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

/// What to do on a stack, as it is configured.
#[derive(Debug, Subcommand)]
pub enum StackCommand {
    Up(commands::up::UpArgs),
    Plan(commands::plan::PlanArgs),
    Invoke(commands::invoke::InvokeArgs),
    Status(commands::status::StatusArgs),
    Logs(commands::logs::LogsArgs),
    Down(commands::down::DownArgs),
    Report(commands::report::ReportArgs),
    Graph(commands::graph::GraphArgs),
    Permissions(commands::permissions::PermissionsArgs),
    Local(commands::local::LocalArgs),
}

/// Parses `arguments`, runs the command, prints what went wrong if it did.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(mut error) => {
            tip_for_value_with_dash(&mut error, &arguments);
            if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") {
                document(&error);
            }
            // A reader that has gone away is no reason to fail; a disk that is full is one.
            let is_printed = unless_unread(error.print().and_then(|()| io::stdout().flush())).is_ok();
            if !is_printed && !error.use_stderr() {
                return ExitCode::FAILURE;
            }
            let has = |word| arguments.iter().any(|argument| argument == word);
            if error.use_stderr() && ["plan", "up", "status"].into_iter().any(has) && has("--exit-code") {
                return ExitCode::FAILURE;
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let ui = Ui::new(&cli.global);
    log_to_stderr(cli.global.verbose);
    let tells_of_changes = match &cli.command {
        Command::OnStack(StackCommand::Plan(args)) => args.exit_code,
        Command::OnStack(StackCommand::Up(args)) => args.exit_code,
        Command::OnStack(StackCommand::Status(args)) => args.exit_code,
        _ => false,
    };
    match execute(cli, &ui) {
        Ok(HasChanges(true)) if tells_of_changes => ExitCode::from(2),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            ui.failure(&error);
            // There, 2 says that there are changes.
            if tells_of_changes {
                ExitCode::FAILURE
            } else {
                error.exit_code()
            }
        }
    }
}

/// Where a value that begins with a dash was taken for a flag: how to say it.
fn tip_for_value_with_dash(error: &mut clap::Error, arguments: &[OsString]) {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    let is_meant = |(flag, value): &(&str, &str)| {
        let is_wrong = value.starts_with(wrong.as_str()) || wrong.split([' ', '=']).next() == Some(flag);
        value.starts_with('-') && !value.starts_with("--") && is_wrong && takes_value(&Cli::command(), flag)
    };
    let mut pairs = arguments
        .windows(2)
        .filter_map(|pair| Some((pair[0].to_str()?, pair[1].to_str()?)));
    if let Some((flag, value)) = pairs.find(is_meant) {
        let said = shell_word(&format!("{flag}={value}"));
        let tip = format!("a value that begins with a dash is joined to its flag: {said}");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
}

fn takes_value(command: &clap::Command, flag: &str) -> bool {
    let is_it = |arg: &clap::Arg| {
        let name = arg.get_long().map(|name| format!("--{name}"));
        name.as_deref() == Some(flag) && arg.get_action().takes_values()
    };
    command.get_arguments().any(is_it)
        || command
            .get_subcommands()
            .any(|command| takes_value(command, flag))
}

/// Tells programs what is wrong with the arguments.
fn document(error: &clap::Error) {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let first = paragraphs.next().unwrap_or_default();
    let hints: Vec<String> = paragraphs.map(str::to_owned).collect();
    // What it is made of can always be written.
    let _ = print_document(&FailureDocument {
        error: first.trim_start_matches("error: "),
        hints: &hints,
    });
}

/// What the local cloud warns of, and for `-v` and `-vv` what the libraries and we say of what they do.
fn log_to_stderr(verbose: u8) {
    let filter = match verbose {
        // What the local cloud's clients are not told goes to its log.
        0 => "resizer_local=warn",
        1 => "resizer=debug",
        // Never bodies or headers: they hold credentials. s3s calls an ordinary 404 an error.
        _ => "resizer=debug,resizer_local=debug,aws_config=debug,aws_smithy_runtime::client::retries=debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(AutoStream::choice(&io::stderr()) != ColorChoice::Never)
        .with_writer(io::stderr)
        // Of a log that cannot be written (a full disk) it would tell on the same stderr, and panic.
        .log_internal_errors(false)
        .init();
}

/// Whether a plan, or a look at what stands, found anything to do; of other commands, no.
struct HasChanges(bool);

fn execute(cli: Cli, ui: &Ui) -> Result<HasChanges, CommandError> {
    match cli.command {
        Command::OnStack(command) => execute_on_stack(command, &Settings::load(&cli.global)?, ui),
        Command::Completions(args) => commands::completions::run(&args, ui).map(|()| HasChanges(false)),
        Command::Man(args) => commands::man::run(&args, ui).map(|()| HasChanges(false)),
    }
}

fn execute_on_stack(command: StackCommand, settings: &Settings, ui: &Ui) -> Result<HasChanges, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match command {
            StackCommand::Plan(args) => {
                return commands::plan::run(settings, &args, ui).await.map(HasChanges);
            }
            StackCommand::Up(args) => {
                return commands::up::run(settings, &args, ui).await.map(HasChanges);
            }
            StackCommand::Invoke(args) => commands::invoke::run(settings, args, ui).await,
            StackCommand::Status(args) => {
                let is_right = commands::status::run(settings, args, ui).await?;
                return Ok(HasChanges(!is_right));
            }
            StackCommand::Logs(args) => commands::logs::run(settings, args, ui).await,
            StackCommand::Down(args) => commands::down::run(settings, args, ui).await,
            StackCommand::Report(args) => commands::report::run(settings, &args, ui).await,
            StackCommand::Graph(args) => commands::graph::run(settings, &args, ui).await,
            StackCommand::Permissions(_) => commands::permissions::run(settings, ui).await,
            StackCommand::Local(args) => commands::local::run(settings, args, ui).await,
        }
        .map(|()| HasChanges(false))
    });
    if done.is_err() {
        // What is still compressed or scaled nobody waits for any more.
        runtime.shutdown_background();
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
