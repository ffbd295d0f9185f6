use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::ending::{self, Command};
use super::interrupt::stop_on_ctrl_c;
use crate::config::{Architecture, Settings};
use crate::engine::{Action, FieldChange, Graph, Outcome, Plan, Reading, Report};
use crate::error::CommandError;
use crate::outputs::Outputs;
use crate::package::{Target, function_package};
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
    settings.flags.push_str(&args.flags());
    let session = Session::open(&settings, WhenAbsent::Start).await?;
    let (graph, plan) = plan(&session, &settings, &args, ui).await?;
    ending::refuse_foreign(&graph, &plan, &settings.stack)?;
    let up = Up {
        settings: &settings,
        session: &session,
        graph: &graph,
        plan: &plan,
        ui,
    };
    if args.dry_run {
        return up.show_plan();
    }
    if plan.is_empty() {
        return up.show_nothing_to_do();
    }
    let progress = Progress::new(ui, &graph);
    let stop = stop_on_ctrl_c(progress.announcer());
    let report = plan.carry_out(&graph, &progress, &stop).await;
    ending::check(Command::Up, &graph, &report, &stop, &settings)?;
    up.show_stack(&report)
}

/// Reads what is there, before the function is built: a wrong region or a missing permission shows at once.
async fn plan(
    session: &Session,
    settings: &Settings,
    args: &UpArgs,
    ui: &Ui,
) -> Result<(Graph, Plan), CommandError> {
    let graph = stack::graph(session, settings, None)?;
    let readings = graph.read().await?;
    let function_stands = graph
        .find(stack::FUNCTION)
        .is_some_and(|function| matches!(readings[function.index()], Reading::Found(_)));
    if args.dry_run && args.handler_zip.is_none() && !function_stands {
        // There is no code to compare with.
        let plan = Plan::to_stand(&graph, readings);
        return Ok((graph, plan));
    }
    let package = function_package(Target::of(settings), args.handler_zip.as_deref(), ui).await?;
    let graph = stack::graph(session, settings, Some(package))?;
    let plan = Plan::to_stand(&graph, readings);
    Ok((graph, plan))
}

/// A planned `up`, and how it is shown.
struct Up<'a> {
    settings: &'a Settings,
    session: &'a Session,
    graph: &'a Graph,
    plan: &'a Plan,
    ui: &'a Ui,
}

/// Whether a plan was carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carried {
    Out,
    NotAtAll,
}

impl Up<'_> {
    fn show_plan(&self) -> Result<(), CommandError> {
        let outputs = self.outputs(self.found_api());
        if self.ui.json {
            return self.ui.json(&self.document(outputs, Carried::NotAtAll));
        }
        if self.plan.is_empty() {
            self.ui.result("nothing to do: the stack is as it should be");
        } else {
            self.ui.result(ui::plan::text(self.graph, self.plan));
            let again = format!("resizer up{}", self.settings.flags);
            self.ui.say(format!("nothing was done; `{again}` does it"));
        }
        Ok(())
    }

    fn show_nothing_to_do(&self) -> Result<(), CommandError> {
        let outputs = self.outputs(self.found_api());
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
        let outputs = self.outputs(api);
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

    fn found_api(&self) -> Option<String> {
        let found = self.plan.found(self.graph.find(stack::REST_API)?)?;
        found.text(API_ID).map(str::to_owned)
    }

    fn outputs(&self, rest_api_id: Option<String>) -> Outputs {
        let endpoint_url = self.session.clients.endpoint_url.as_deref();
        Outputs::new(&self.session.names, rest_api_id, endpoint_url)
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
        let flags = &self.settings.flags;
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
