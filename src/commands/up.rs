use std::hash::{BuildHasher, Hasher, RandomState};

use clap::Args;
use serde_json::Value;
use tokio::time::Instant;

use super::allowed;
use super::ending::{self, Command};
use super::interrupt::{nothing_changed, stop_on_ctrl_c, unless_interrupted};
use super::last_look;
use super::notice;
use super::plan;
use super::planning::{Carried, NOTHING_TO_DO, Planning, WantedArgs};
use super::rollback::{Makings, roll_back};
use super::standing;
use crate::config::Settings;
use crate::engine::{Action, Fields, Outcome, Planned, Reading, Report};
use crate::error::CommandError;
use crate::outputs::Outputs;
use crate::resources::API_ID;
use crate::stack;
use crate::ui::format::shell_word;
use crate::ui::progress::Progress;
use crate::ui::table::{aligned, width_of_stdout};
use crate::ui::wrap::columns_of;
use crate::ui::{self, Ui};

const EXAMPLES: &str = "\
Examples:
  resizer up --local                           the whole pipeline, on this machine
  resizer up --region eu-central-1             the same on AWS
  resizer up --dry-run                         what would be done
  resizer up --rollback-on-failure             in CI: all of it, or nothing more than before
  resizer up --stack staging --original-bucket photos
                                               a second stack, on a bucket that is there";

/// Builds the function, makes or updates the stack, and shows what stands.
///
/// What is there and right is left alone: run again, it changes nothing and says so. A run that was cut off is carried
/// on by running it again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct UpArgs {
    /// Show what would be done, field by field, and do nothing: as `resizer plan`
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: exit with 0 when there is nothing to do, 2 when there are changes, 1 when it fails
    #[arg(long, requires = "dry_run")]
    pub exit_code: bool,
    /// Where it fails, remove what this run has made, and that alone
    #[arg(long)]
    rollback_on_failure: bool,
    #[command(flatten)]
    wanted: WantedArgs,
}

/// Whether there is anything left to do.
pub async fn run(settings: &Settings, args: &UpArgs, ui: &Ui) -> Result<bool, CommandError> {
    let place_flags = settings.flags.clone();
    let mut settings = args.wanted.applied(settings)?;
    if args.rollback_on_failure {
        settings.run = Some(new_run());
    }
    if args.dry_run {
        return plan::shown(&settings, &args.wanted, args.exit_code, ui).await;
    }
    let up = Up {
        began: Instant::now(),
        planning: unless_interrupted(Planning::make(&settings, &args.wanted, ui), nothing_changed).await?,
        settings: &settings,
        place_flags,
        rolls_back: args.rollback_on_failure,
        ui,
    };
    if up.planning.plan.is_empty() {
        return up.show_nothing_to_do().map(|()| false);
    }
    let Planning {
        session, graph, plan, ..
    } = &up.planning;
    unless_interrupted(allowed::check(session, graph, plan), nothing_changed).await?;
    up.carry_out().await.map(|()| false)
}

/// A name that no other run has.
fn new_run() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// An `up` whose plan is made.
struct Up<'a> {
    /// Before anything was looked at.
    began: Instant,
    planning: Planning,
    settings: &'a Settings,
    /// The flags that other commands take too.
    place_flags: String,
    /// Whether what was made goes again when something fails.
    rolls_back: bool,
    ui: &'a Ui,
}

impl Up<'_> {
    async fn carry_out(&self) -> Result<(), CommandError> {
        let Planning { graph, plan, .. } = &self.planning;
        self.show_what_is_adopted();
        let progress = Progress::new(self.ui, graph);
        let stop = stop_on_ctrl_c(progress.announcer());
        let makings = Makings::heard_by(&progress);
        let report = plan.carry_out(graph, &makings, &stop).await;
        if self.rolls_back && !report.is_good() && !stop.is_requested() {
            let taken_back = roll_back(&self.planning, &makings, &report, &stop, self.settings, self.ui);
            return Err(taken_back.await);
        }
        let check = || ending::check(Command::Up, graph, &report, &stop, self.settings);
        let not_taken_back = |error: CommandError| match self.rolls_back {
            true => error.hint(format!(
                "then nothing is taken back: `resizer down{}` removes what stands",
                self.place_flags
            )),
            false => error,
        };
        check().map_err(not_taken_back)?;
        let looked = last_look::check(&self.planning, self.began, &progress, &stop, self.settings).await;
        // It may have come while it was looked.
        check().and(looked).map_err(not_taken_back)?;
        self.show_stack(&report)
    }

    /// Before anything of it is changed.
    fn show_what_is_adopted(&self) {
        let Planning { graph, plan, .. } = &self.planning;
        let adopted = graph.nodes().filter(|node| plan.is_adopted(*node)).count();
        if adopted > 0 {
            self.ui.insist(ui::plan::text(graph, plan));
            self.ui.insist(format!(
                "What is adopted ({adopted}) is the stack's from now on: `down` removes it, and a bucket with all that is in it"
            ));
        }
    }

    fn show_nothing_to_do(&self) -> Result<(), CommandError> {
        let outputs = self.planning.outputs();
        if self.ui.json {
            return self.planning.show_document(outputs, Carried::Out, self.ui);
        }
        self.ui.result(NOTHING_TO_DO)?;
        self.ui.result(self.next_commands(&outputs))?;
        let topic = self.planning.graph.find(stack::TOPIC);
        self.say_who_is_not_told(topic.and_then(|node| self.planning.plan.found(node)));
        Ok(())
    }

    fn show_stack(&self, report: &Report) -> Result<(), CommandError> {
        let found = |id| {
            let node = self.planning.graph.find(id)?;
            match &report.outcomes[node.index()] {
                Outcome::Done(Reading::Found(found)) | Outcome::Kept(Reading::Found(found)) => {
                    Some(&found.fields)
                }
                _ => None,
            }
        };
        let api = found(stack::REST_API).and_then(|found| found.text(API_ID));
        let api = api.map(str::to_owned);
        let topic = found(stack::TOPIC);
        let outputs = standing::outputs_with(&self.planning.session, api);
        if self.ui.json {
            return self.planning.show_document(outputs, Carried::Out, self.ui);
        }
        self.ui.result(format!("\n{}\n", self.table()))?;
        self.ui.result(self.next_commands(&outputs))?;
        if self.tells_event_bridge_anew() {
            self.ui.say(
                "\nS3 takes about five minutes until it tells EventBridge of uploads to a new bucket; \
                 the REST API works within seconds",
            );
        }
        self.say_who_is_not_told(topic);
        Ok(())
    }

    /// Of alarms that nobody would hear of.
    fn say_who_is_not_told(&self, topic: Option<&Fields>) {
        if let Some(notice) = notice::of_alarms(self.settings, topic.and_then(notice::unconfirmed)) {
            self.ui.say(format!("\nAlarms: {notice}"));
        }
    }

    fn table(&self) -> String {
        let row = |step: &Planned| {
            let resource = self.planning.graph.resource(step.node);
            let state = match &step.action {
                Action::Create(_) => "created",
                Action::Change(_) if self.planning.plan.is_adopted(step.node) => "adopted",
                Action::Change(_) => "changed",
                Action::Remove => "removed",
                _ => "unchanged",
            };
            [
                resource.kind().to_owned(),
                resource.name().to_owned(),
                state.to_owned(),
            ]
        };
        let Planning { graph, plan, .. } = &self.planning;
        let rows: Vec<[String; 3]> = plan.shown(graph).map(row).collect();
        aligned(&rows, width_of_stdout()).join("\n")
    }

    fn next_commands(&self, outputs: &Outputs) -> String {
        let flags = &self.place_flags;
        let key = self.settings.keys.example();
        let rows = [
            [
                format!("resizer invoke{flags} --key {} --file cat.jpg", shell_word(&key)),
                "upload a picture and follow it to the end".to_owned(),
            ],
            [
                format!("resizer status{flags}"),
                "what stands, and what happened".to_owned(),
            ],
            [
                format!("resizer down{flags}"),
                "take it all away again".to_owned(),
            ],
        ];
        let mut lines = aligned(&rows, usize::MAX);
        if lines.iter().any(|line| columns_of(line) + 2 > width_of_stdout()) {
            // What they do is told by their help as well; a command is to be copied whole.
            lines = rows.map(|[command, _]| command).into();
        }
        if let Some(url) = &outputs.api_url {
            lines.push(format!(
                "curl -H 'Content-Type: application/json' -d {} {url}",
                shell_word(&format!(r#"{{"key": {}}}"#, Value::from(key)))
            ));
        }
        lines.extend(outputs.dashboard_url.clone());
        format!("Next:\n  {}", lines.join("\n  "))
    }

    /// Whether S3 itself, which takes its time, was just told to tell EventBridge.
    fn tells_event_bridge_anew(&self) -> bool {
        let bucket = self.planning.graph.find(stack::ORIGINAL_BUCKET);
        self.planning.session.clients.endpoint_url.is_none()
            && bucket.is_some_and(|node| self.planning.plan.steps[node.index()].action.writes())
    }
}
