use clap::Args;

use super::interrupt::{nothing_changed, unless_interrupted};
use super::planning::{Planning, Unbuilt, WantedArgs};
use crate::config::Settings;
use crate::error::CommandError;
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  resizer plan --region eu-central-1           what up would do there
  resizer plan --exit-code                     in CI: 0 nothing to do, 2 changes, 1 it failed
  resizer plan --json | jq '.changes'          for programs";

/// Shows what `up` would do, field by field, and does nothing.
///
/// It makes read calls only. What others have put into a resource of the stack (a policy, a target, a tag) is named and
/// stays.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    /// Exit with 0 when there is nothing to do, 2 when there are changes, 1 when it fails; the function is built for it
    #[arg(long)]
    pub exit_code: bool,
    #[command(flatten)]
    wanted: WantedArgs,
}

/// Whether there is anything to do.
pub async fn run(settings: &Settings, args: &PlanArgs, ui: &Ui) -> Result<bool, CommandError> {
    let settings = args.wanted.applied(settings)?;
    shown(&settings, &args.wanted, args.exit_code, ui).await
}

/// Shows the plan, and gives whether there is anything to do; with `exit_code` that is known for certain.
pub async fn shown(
    settings: &Settings,
    wanted: &WantedArgs,
    exit_code: bool,
    ui: &Ui,
) -> Result<bool, CommandError> {
    let unbuilt = if exit_code {
        Unbuilt::Build
    } else {
        Unbuilt::LeaveOut
    };
    let planning = Planning::foresee(settings, wanted, unbuilt, ui);
    let planning = unless_interrupted(planning, nothing_changed).await?;
    planning.show(settings, ui)?;
    Ok(!planning.plan.is_empty())
}
