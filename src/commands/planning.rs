//! The plan of what `up` does: made, and shown as text or as a document.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::stacks_turn::stacks_turn;
use super::{ending, notice, standing};
use crate::config::{Architecture, Place, Settings};
use crate::engine::{Action, FieldChange, Graph, Plan, Planned, Reading, Stop};
use crate::error::{CommandError, FailureDocument};
use crate::outputs::Outputs;
use crate::package::{Program, function_package, function_package_at_hand};
use crate::resources::ARCHITECTURE;
use crate::session::{Session, WhenAbsent};
use crate::stack;
use crate::turn::Turn;
use crate::ui::format::shell_word;
use crate::ui::progress::Progress;
use crate::ui::waiting::{READING, waited};
use crate::ui::{self, Ui};

pub const NOTHING_TO_DO: &str = "nothing to do: the stack is as it should be";

/// What is wanted beside the configuration.
#[derive(Debug, Args)]
pub struct WantedArgs {
    /// A ready zip with the function's `bootstrap`, instead of building it
    #[arg(long, value_name = "PATH")]
    handler_zip: Option<PathBuf>,
    /// The processor the function runs on [default: as it stands, else x86_64]
    #[arg(long, value_name = "NAME")]
    architecture: Option<Architecture>,
    /// Take over what has the stack's names but not its tag: from then on it is the stack's, and `down` removes it
    #[arg(long)]
    adopt: bool,
}

impl WantedArgs {
    /// The settings with these flags, also for the command that carries on.
    ///
    /// # Errors
    /// An architecture for the local cloud, where it is this machine's.
    pub fn applied(&self, settings: &Settings) -> Result<Settings, CommandError> {
        if self.architecture.is_some() && matches!(settings.place, Place::Local { .. }) {
            let reason =
                "--architecture is for AWS: with --local the function runs on this machine's processor";
            return Err(CommandError::usage(reason));
        }
        let mut settings = settings.clone();
        settings.flags.push_str(&self.flags());
        settings.adopts = self.adopt;
        settings.function.architecture = self.architecture.or(settings.function.architecture);
        Ok(settings)
    }

    /// As they were given.
    fn flags(&self) -> String {
        let zip = self
            .handler_zip
            .as_ref()
            .map(|path| format!(" --handler-zip {}", shell_word(&path.to_string_lossy())));
        let architecture = self
            .architecture
            .map(|architecture| format!(" --architecture {}", architecture.name()));
        let adopt = if self.adopt { " --adopt" } else { "" };
        zip.unwrap_or_default() + architecture.as_deref().unwrap_or_default() + adopt
    }
}

/// A plan, and what it is of.
pub struct Planning {
    pub session: Session,
    pub graph: Graph,
    pub plan: Plan,
    /// Whether the function's code stands and was not compared, as it was not built.
    is_code_unknown: bool,
    /// Held until the plan is carried out: nobody on this machine changes the stack meanwhile.
    _turn: Option<Turn>,
}

/// What `--json` prints of a plan.
#[derive(Serialize)]
struct Document<'a> {
    outputs: Outputs,
    changes: Vec<Change>,
    /// What stands and was not compared: it may differ.
    #[serde(rename = "notCompared", skip_serializing_if = "Vec::is_empty")]
    not_compared: Vec<&'static str>,
    changed: bool,
    #[serde(rename = "dryRun")]
    dry_run: bool,
    /// Why `up` would do nothing.
    #[serde(flatten)]
    refused: Option<FailureDocument<'a>>,
}

#[derive(Serialize)]
struct Change {
    resource: String,
    kind: &'static str,
    name: String,
    action: &'static str,
    fields: Vec<FieldChange>,
    /// Why nothing is done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What others have put there, which stays.
    others: Vec<String>,
}

/// What is to be done where the function's code is not built yet, to be compared with what stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unbuilt {
    /// It takes minutes, and a look at the plan should not.
    LeaveOut,
    /// Without it, whether there is anything to do is not known.
    Build,
}

/// Whether a plan was carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    Out,
    NotAtAll,
}

impl Planning {
    /// Builds the function, but only once all else is read: a wrong region or a missing permission shows at once.
    pub async fn make(settings: &Settings, args: &WantedArgs, ui: &Ui) -> Result<Self, CommandError> {
        let session = waited(ui, READING, Session::open(settings, WhenAbsent::Start)).await?;
        let turn = stacks_turn(&session, settings, ui).await?;
        let graph = stack::graph(&session, settings, None)?;
        let readings = read(&graph, &session, settings, ui).await?;
        let settings = &keeping_architecture(settings, &graph, &readings);
        if args.handler_zip.is_none() && settings.place.is_other_cloud_on_this_machine() {
            ui.say(
                "The endpoint is on this machine, but the function is built as for AWS; for the local cloud, \
                 `resizer up --local` is quicker",
            );
        }
        let package = function_package(Program::of(settings), args.handler_zip.as_deref(), ui).await?;
        let graph = stack::graph(&session, settings, Some(package))?;
        let planning = Self::of(session, graph, readings, settings, ui);
        ending::check_refusals(&planning.graph, &planning.plan, settings)?;
        Ok(Self {
            _turn: turn,
            ..planning
        })
    }

    /// Plans without making anything: no local cloud is made.
    pub async fn foresee(
        settings: &Settings,
        args: &WantedArgs,
        unbuilt: Unbuilt,
        ui: &Ui,
    ) -> Result<Self, CommandError> {
        let is_untouched = settings.place.is_untouched();
        let session = if is_untouched {
            Session::before_the_first_up(settings).await?
        } else {
            waited(ui, READING, Session::open(settings, WhenAbsent::Resume)).await?
        };
        let graph = stack::graph(&session, settings, None)?;
        let readings = if is_untouched {
            graph.nodes().map(|_| Reading::Absent).collect()
        } else {
            read(&graph, &session, settings, ui).await?
        };
        let settings = &keeping_architecture(settings, &graph, &readings);
        let program = Program::of(settings);
        let function = graph.find(stack::FUNCTION).map(|node| &readings[node.index()]);
        let stands = matches!(function, Some(Reading::Found(_)));
        let package = match &args.handler_zip {
            None if !stands || unbuilt == Unbuilt::LeaveOut => function_package_at_hand(program).await,
            zip => Some(function_package(program, zip.as_deref(), ui).await?),
        };
        let is_code_unknown = stands && package.is_none();
        let graph = stack::graph(&session, settings, package)?;
        let planning = Self::of(session, graph, readings, settings, ui);
        if is_code_unknown {
            ui.say("The function's code is not compared, since it is not built yet; with --exit-code it is built");
        }
        Ok(Self {
            is_code_unknown,
            ..planning
        })
    }

    fn of(session: Session, graph: Graph, readings: Vec<Reading>, settings: &Settings, ui: &Ui) -> Self {
        let plan = if settings.adopts {
            Plan::to_adopt(&graph, readings)
        } else {
            Plan::to_stand(&graph, readings)
        };
        if let Some(unseen) = notice::unseen(&graph, &plan) {
            ui.say(unseen);
        }
        settings.doubts.iter().for_each(|doubt| ui.say(doubt));
        Self {
            session,
            graph,
            plan,
            is_code_unknown: false,
            _turn: None,
        }
    }

    /// Shows a plan that is not carried out.
    ///
    /// # Errors
    /// What is refused, and how to go on: after all else has been shown.
    pub fn show(&self, settings: &Settings, ui: &Ui) -> Result<(), CommandError> {
        let refused = ending::check_refusals(&self.graph, &self.plan, settings).err();
        if ui.json {
            ui.json(&Document {
                refused: refused.as_ref().map(CommandError::document),
                ..self.document(self.outputs(), Carried::NotAtAll)
            })?;
            return refused.map_or(Ok(()), |refused| Err(refused.documented()));
        }
        let text = ui::plan::text(&self.graph, &self.plan);
        if !text.is_empty() {
            ui.result(text)?;
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        if self.plan.is_empty() {
            ui.result(NOTHING_TO_DO)?;
        } else {
            let again = format!("resizer up{}", settings.flags);
            ui.say(format!("nothing was done; `{again}` does it"));
        }
        Ok(())
    }

    pub fn show_document(&self, outputs: Outputs, carried: Carried, ui: &Ui) -> Result<(), CommandError> {
        ui.json(&self.document(outputs, carried))
    }

    fn document(&self, outputs: Outputs, carried: Carried) -> Document<'_> {
        Document {
            outputs,
            changes: self
                .plan
                .shown(&self.graph)
                .map(|step| self.change(step))
                .collect(),
            not_compared: self
                .is_code_unknown
                .then_some("function code")
                .into_iter()
                .collect(),
            changed: carried == Carried::Out && !self.plan.is_empty(),
            dry_run: carried == Carried::NotAtAll,
            refused: None,
        }
    }

    /// What the stack is made of, as far as it stood when the plan was made.
    pub fn outputs(&self) -> Outputs {
        standing::outputs_of(&self.session, &self.graph, &self.plan)
    }

    fn change(&self, step: &Planned) -> Change {
        let resource = self.graph.resource(step.node);
        let (action, fields) = match &step.action {
            Action::Create(fields) => ("create", fields.clone()),
            Action::Change(fields) if self.plan.is_adopted(step.node) => ("adopt", fields.clone()),
            Action::Change(fields) => ("update", fields.clone()),
            Action::Remove => ("remove", Vec::new()),
            Action::Refuse(_) => ("refuse", Vec::new()),
            Action::Keep => ("none", Vec::new()),
        };
        let reason = match &step.action {
            Action::Refuse(refusal) => Some(refusal.to_string()),
            _ => None,
        };
        Change {
            resource: resource.id().to_owned(),
            kind: resource.kind(),
            name: resource.name().to_owned(),
            action,
            fields,
            reason,
            others: self.plan.others(step.node).to_vec(),
        }
    }
}

/// What stands, waited for where AWS has no time to tell; says what stands beside it.
async fn read(
    graph: &Graph,
    session: &Session,
    settings: &Settings,
    ui: &Ui,
) -> Result<Vec<Reading>, CommandError> {
    let (progress, stop) = (Progress::new(ui, graph), Stop::never());
    let read = waited(ui, READING, graph.read(&progress, &stop));
    let (readings, notice) = futures_util::join!(read, notice::of_former_buckets(session, settings));
    if let Some(notice) = notice {
        ui.say(notice);
    }
    Ok(readings?)
}

/// With the architecture of the function that stands, where no other is asked for.
fn keeping_architecture(settings: &Settings, graph: &Graph, readings: &[Reading]) -> Settings {
    let function = graph.find(stack::FUNCTION).map(|node| &readings[node.index()]);
    let found = match function {
        Some(Reading::Found(found)) => found
            .fields
            .text(ARCHITECTURE)
            .and_then(|name| Architecture::from_str(name, false).ok()),
        _ => None,
    };
    let mut settings = settings.clone();
    let wanted = settings.function.architecture.or(found);
    settings.function.architecture = Some(wanted.unwrap_or_default());
    settings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::engine::{Fields, Found, Owner};

    #[tokio::test]
    async fn a_function_keeps_its_architecture_unless_another_is_asked_for() {
        let cli = Cli::try_parse_from(["resizer", "up", "--local"]).unwrap();
        let mut settings = Settings::load(&cli.global).unwrap();
        let session = Session::before_the_first_up(&settings).await.unwrap();
        let graph = stack::graph(&session, &settings, None).unwrap();
        let function = graph.find(stack::FUNCTION).unwrap();
        let mut readings: Vec<_> = graph.nodes().map(|_| Reading::Absent).collect();
        let kept = |settings: &Settings, readings: &[Reading]| {
            keeping_architecture(settings, &graph, readings)
                .function
                .architecture
        };

        assert_eq!(kept(&settings, &readings), Some(Architecture::X86_64));
        readings[function.index()] = Reading::Found(Found {
            fields: Fields::default().with(ARCHITECTURE, "arm64"),
            owner: Owner::Ours,
            settling: None,
            others: Vec::new(),
        });
        assert_eq!(kept(&settings, &readings), Some(Architecture::Arm64));
        settings.function.architecture = Some(Architecture::X86_64);
        assert_eq!(kept(&settings, &readings), Some(Architecture::X86_64));
    }
}
