use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::ending::{self, Command};
use super::interrupt::stop_on_ctrl_c;
use super::standing;
use crate::config::{Architecture, Settings};
use crate::engine::{Action, FieldChange, Graph, Outcome, Plan, Reading, Report};
use crate::error::CommandError;
use crate::outputs::Outputs;
use crate::package::{Target, function_package, function_package_at_hand};
use crate::resources::API_ID;
use crate::session::{Session, WhenAbsent};
use crate::stack;
use crate::ui::format::shell_word;
use crate::ui::progress::Progress;
use crate::ui::table::{aligned, width_of_stdout};
use crate::ui::{self, Ui};

/// Builds the function, makes or updates the stack, and shows what stands.
///
/// What is there and right is left alone: run again, it changes nothing and says so. A run that was cut off is carried
/// on by running it again.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Show what would be done, field by field, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// A ready zip with the function's `bootstrap`, instead of building it
    #[arg(long, value_name = "PATH")]
    handler_zip: Option<PathBuf>,
    /// The processor the function runs on [default: x86_64]
    #[arg(long, value_name = "NAME")]
    architecture: Option<Architecture>,
}

impl UpArgs {
    /// As they were given, for the command that carries on.
    fn flags(&self) -> String {
        let zip = self
            .handler_zip
            .as_ref()
            .map(|path| format!(" --handler-zip {}", shell_word(&path.to_string_lossy())));
        let architecture = self.architecture.map(|architecture| match architecture {
            Architecture::X86_64 => " --architecture x86_64",
            Architecture::Arm64 => " --architecture arm64",
        });
        zip.unwrap_or_default() + architecture.unwrap_or_default()
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    outputs: Outputs,
    changes: Vec<Change>,
    changed: bool,
    #[serde(rename = "dryRun")]
    dry_run: bool,
}

#[derive(Serialize)]
struct Change {
    resource: String,
    kind: &'static str,
    name: String,
    action: &'static str,
    fields: Vec<FieldChange>,
}

pub async fn run(settings: &Settings, args: UpArgs, ui: &Ui) -> Result<(), CommandError> {
    let mut settings = settings.clone();
    if let Some(architecture) = args.architecture {
        settings.function.architecture = architecture;
    }
    let place_flags = settings.flags.clone();
    settings.flags.push_str(&args.flags());
    let zip = args.handler_zip.as_deref();
    let (session, graph, plan) = if args.dry_run {
        foresee(&settings, zip, ui).await?
    } else {
        plan(&settings, zip, ui).await?
    };
    ending::refuse_foreign(&graph, &plan, &settings.stack)?;
    let up = Up {
        settings: &settings,
        place_flags,
        session,
        graph,
        plan,
        ui,
    };
    if args.dry_run {
        up.show_plan()
    } else if up.plan.is_empty() {
        up.show_nothing_to_do()
    } else {
        up.carry_out().await
    }
}

/// Builds the function, but only once all else is read: a wrong region or a missing permission shows at once.
async fn plan(
    settings: &Settings,
    zip: Option<&Path>,
    ui: &Ui,
) -> Result<(Session, Graph, Plan), CommandError> {
    let session = Session::open(settings, WhenAbsent::Start).await?;
    let readings = stack::graph(&session, settings, None)?.read().await?;
    let package = function_package(Target::of(settings), zip, ui).await?;
    let graph = stack::graph(&session, settings, Some(package))?;
    let plan = Plan::to_stand(&graph, readings);
    Ok((session, graph, plan))
}

/// Plans without making anything: no local cloud is made, and no function is built to compare with.
async fn foresee(
    settings: &Settings,
    zip: Option<&Path>,
    ui: &Ui,
) -> Result<(Session, Graph, Plan), CommandError> {
    let target = Target::of(settings);
    let package = match zip {
        Some(_) => Some(function_package(target, zip, ui).await?),
        None => function_package_at_hand(target).await,
    };
    let is_compared = package.is_some();
    let is_untouched = settings.place.is_untouched();
    let session = if is_untouched {
        Session::before_the_first_up(settings).await
    } else {
        Session::open(settings, WhenAbsent::Resume).await?
    };
    let graph = stack::graph(&session, settings, package)?;
    let readings = if is_untouched {
        graph.nodes().map(|_| Reading::Absent).collect()
    } else {
        graph.read().await?
    };
    let plan = Plan::to_stand(&graph, readings);
    let function = graph.find(stack::FUNCTION).and_then(|node| plan.found(node));
    if !is_compared && function.is_some() {
        ui.say("The function's code is not compared, since it is not built yet");
    }
    Ok((session, graph, plan))
}

/// An `up` whose plan is made.
struct Up<'a> {
    settings: &'a Settings,
    /// The flags that other commands take too.
    place_flags: String,
    session: Session,
    graph: Graph,
    plan: Plan,
    ui: &'a Ui,
}

/// Whether a plan was carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carried {
    Out,
    NotAtAll,
}

impl Up<'_> {
    async fn carry_out(&self) -> Result<(), CommandError> {
        let progress = Progress::new(self.ui, &self.graph);
        let stop = stop_on_ctrl_c(progress.announcer());
        let report = self.plan.carry_out(&self.graph, &progress, &stop).await;
        ending::check(Command::Up, &self.graph, &report, &stop, self.settings)?;
        self.show_stack(&report)
    }

    fn show_plan(&self) -> Result<(), CommandError> {
        let outputs = self.outputs();
        if self.ui.json {
            return self.ui.json(&self.document(outputs, Carried::NotAtAll));
        }
        if self.plan.is_empty() {
            self.ui.result("nothing to do: the stack is as it should be");
        } else {
            self.ui.result(ui::plan::text(&self.graph, &self.plan));
            let again = format!("resizer up{}", self.settings.flags);
            self.ui.say(format!("nothing was done; `{again}` does it"));
        }
        Ok(())
    }

    fn show_nothing_to_do(&self) -> Result<(), CommandError> {
        let outputs = self.outputs();
        if self.ui.json {
            return self.ui.json(&self.document(outputs, Carried::Out));
        }
        self.ui.result("nothing to do: the stack is as it should be");
        self.ui.result(self.next_commands(&outputs));
        Ok(())
    }

    fn show_stack(&self, report: &Report) -> Result<(), CommandError> {
        let api = self
            .graph
            .find(stack::REST_API)
            .and_then(|node| match &report.outcomes[node.index()] {
                Outcome::Done(Reading::Found(found)) | Outcome::Kept(Reading::Found(found)) => {
                    found.fields.text(API_ID).map(str::to_owned)
                }
                _ => None,
            });
        let outputs = standing::outputs_with(&self.session, api);
        if self.ui.json {
            return self.ui.json(&self.document(outputs, Carried::Out));
        }
        self.ui.result(format!("\n{}\n", self.table()));
        self.ui.result(self.next_commands(&outputs));
        if self.tells_event_bridge_anew() {
            self.ui.say(
                "\nS3 takes about five minutes until it tells EventBridge of uploads to a new bucket; \
                 the REST API works within seconds",
            );
        }
        Ok(())
    }

    fn outputs(&self) -> Outputs {
        standing::outputs_of(&self.session, &self.graph, &self.plan)
    }

    fn document(&self, outputs: Outputs, carried: Carried) -> Document {
        Document {
            outputs,
            changes: self.changes(),
            changed: carried == Carried::Out && !self.plan.is_empty(),
            dry_run: carried == Carried::NotAtAll,
        }
    }

    fn changes(&self) -> Vec<Change> {
        let change = |step: &crate::engine::Planned| {
            let resource = self.graph.resource(step.node);
            let (action, fields) = match &step.action {
                Action::Create(fields) => ("create", fields.clone()),
                Action::Change(fields) => ("update", fields.clone()),
                _ => ("none", Vec::new()),
            };
            Change {
                resource: resource.id().to_owned(),
                kind: resource.kind(),
                name: resource.name().to_owned(),
                action,
                fields,
            }
        };
        self.plan.steps.iter().map(change).collect()
    }

    fn table(&self) -> String {
        let row = |step: &crate::engine::Planned| {
            let resource = self.graph.resource(step.node);
            let state = match &step.action {
                Action::Create(_) => "created",
                Action::Change(_) => "changed",
                _ => "unchanged",
            };
            [
                resource.kind().to_owned(),
                resource.name().to_owned(),
                state.to_owned(),
            ]
        };
        let rows: Vec<[String; 3]> = self.plan.steps.iter().map(row).collect();
        aligned(&rows, width_of_stdout()).join("\n")
    }

    fn next_commands(&self, outputs: &Outputs) -> String {
        let flags = &self.place_flags;
        let mut rows = vec![
            [
                format!("resizer invoke{flags} --key cat.jpg --file cat.jpg"),
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
        if let Some(url) = &outputs.api_url {
            let call = format!(r#"curl -H 'Content-Type: application/json' -d '{{"key": "cat.jpg"}}' {url}"#);
            rows.push([call, String::new()]);
        }
        let lines = rows
            .iter()
            .map(|[command, what]| format!("  {command:<52}  {what}"));
        let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        format!("Next:\n{}", lines.join("\n"))
    }

    /// Whether S3 itself, which takes its time, was just told to tell EventBridge.
    fn tells_event_bridge_anew(&self) -> bool {
        let bucket = self.graph.find(stack::ORIGINAL_BUCKET);
        self.session.clients.endpoint_url.is_none()
            && bucket.is_some_and(|node| self.plan.steps[node.index()].action.writes())
    }
}
