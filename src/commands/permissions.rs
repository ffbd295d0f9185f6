use clap::Args;

use crate::config::Settings;
use crate::error::CommandError;
use crate::session::{Session, WhenAbsent};
use crate::stack;
use crate::ui::Ui;

/// Prints the IAM policy that whoever runs the commands on this stack needs, and nothing more.
///
/// Give it to the person or the CI role that runs up, plan, status, logs, invoke and down. It names the resources of this
/// stack alone, but for REST APIs, whose ids AWS chooses, and for what has no ARN or is only found in a list: metrics, alarms, log
/// groups, the ends of subscriptions. Its actions are what these commands call.
/// Whoever may also call iam:SimulatePrincipalPolicy and iam:GetRole on themselves has `up` look, before it begins, whether
/// anything that it takes is lacking; without them it is told at the call that lacks it.
/// Who may make the stack's roles and give them policies gets at what those allow: give it to whom you trust with that.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PermissionsArgs {}

const EXAMPLES: &str = "\
Examples:
  resizer permissions --region eu-central-1 > operator.json
  aws iam create-policy --policy-name resizer-operator --policy-document file://operator.json";

pub async fn run(settings: &Settings, ui: &Ui) -> Result<(), CommandError> {
    let session = if settings.place.is_untouched() {
        Session::before_the_first_up(settings).await?
    } else {
        Session::open(settings, WhenAbsent::Resume).await?
    };
    let policy = stack::operator_policy(&session.names)?;
    ui.json(&policy)
}
