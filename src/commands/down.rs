use std::fmt;

use clap::Args;
use futures_util::future::try_join_all;
use serde::Serialize;

use super::ending::{self, Command};
use super::interrupt::{nothing_changed, stop_on_ctrl_c, unless_interrupted};
use super::stacks_turn::stacks_turn;
use super::{notice, standing};
use crate::config::{Place, Settings};
use crate::engine::{Graph, NodeId, Outcome, Plan, Reading, Report, Stop};
use crate::error::CommandError;
use crate::names::Names;
use crate::outputs::Outputs;
use crate::resources::{BUCKET, Contents, count};
use crate::session::{Session, WhenAbsent};
use crate::stack;
use crate::turn::Turn;
use crate::ui::Ui;
use crate::ui::format;
use crate::ui::progress::Progress;
use crate::ui::table::{aligned, width_of_stdout};
use crate::ui::waiting::{READING, waited};
use crate::ui::wrap::columns_of;

const EXAMPLES: &str = "\
Examples:
  resizer down --dry-run                       what would go, with every bucket's count and size
  resizer down                                 lists it, and asks
  resizer down --yes --keep-buckets            all but the pictures, without asking";

/// Takes the stack away again, with every picture in its buckets.
///
/// Lists what goes and asks. What is already gone is fine; at the end everything is looked for again, to prove that
/// nothing is left.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DownArgs {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// List what would go, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Leave the buckets, with every picture in them: the next `up` finds them again
    #[arg(long)]
    keep_buckets: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    removed: Vec<Resource>,
    /// What is there and stays.
    kept: Vec<Resource>,
    /// What could not be looked for: it may be there.
    unseen: Option<String>,
    outputs: Outputs,
    #[serde(rename = "dryRun")]
    dry_run: bool,
}

#[derive(Serialize)]
struct Resource {
    resource: String,
    kind: &'static str,
    name: String,
    /// Of a bucket that goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<Contents>,
    /// Why it is not the stack's, which is why it stays.
    #[serde(rename = "notOurs", skip_serializing_if = "Option::is_none")]
    not_ours: Option<String>,
    /// What others have put there, which goes along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<String>,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// What stands before that which is in a bucket, where it has a line of its own.
const LIST_INDENT: usize = 4;
/// How often it is looked for what came back.
const LOOKS: usize = 5;

pub async fn run(settings: &Settings, args: DownArgs, ui: &Ui) -> Result<(), CommandError> {
    if settings.place.is_untouched() {
        return show_nothing_there(settings, &args, ui).await;
    }
    let Looked {
        session,
        graph,
        plan,
        _turn,
    } = unless_interrupted(Looked::at(settings, &args, ui), nothing_changed).await?;
    let document = document(&session, &graph, &plan, args.dry_run, ui);
    let document = waited(ui, "Counting what is in the buckets", document);
    let document = unless_interrupted(document, nothing_changed).await?;
    if plan.is_empty() {
        show(ui, &document, &document.nothing_removed())?;
        document.say_how_to_go_on(settings, ui);
        return Ok(());
    }
    let asks = !args.yes && !args.dry_run;
    if !ui.json {
        ui.result(document.listing(&session.names))?;
    } else if asks {
        // Whoever is asked has to see what about.
        ui.say(document.listing(&session.names));
    }
    if args.dry_run {
        return show(ui, &document, "nothing was removed");
    }
    if asks && !confirmed(settings, &args, ui).await? {
        return Err(CommandError::failed("nothing was removed: it was not confirmed"));
    }
    remove(settings, &graph, &plan, ui).await?;
    show(ui, &document, &document.told())?;
    document.say_how_to_go_on(settings, ui);
    if let Some(bucket) = &settings.lent.original {
        ui.say(format!(
            "the bucket {bucket} goes on telling EventBridge of its objects: others may listen by now"
        ));
    }
    if matches!(settings.place, Place::Local { .. }) {
        ui.say("the local cloud still runs; `resizer local stop` ends it");
    }
    Ok(())
}

/// What there is to remove.
struct Looked {
    session: Session,
    graph: Graph,
    plan: Plan,
    /// Held until it is removed: nobody on this machine changes the stack meanwhile.
    _turn: Option<Turn>,
}

impl Looked {
    async fn at(settings: &Settings, args: &DownArgs, ui: &Ui) -> Result<Self, CommandError> {
        let session = waited(ui, READING, Session::open(settings, WhenAbsent::Resume)).await?;
        let turn = if args.dry_run {
            None
        } else {
            stacks_turn(&session, settings, ui).await?
        };
        let graph = stack::graph_to_remove(&session, settings)?;
        let buckets = graph
            .nodes()
            .filter(|node| args.keep_buckets && graph.resource(*node).kind() == BUCKET);
        let buckets: Vec<NodeId> = buckets.collect();
        let progress = Progress::new(ui, &graph);
        let stop = Stop::never();
        let readings = waited(ui, READING, graph.read(&progress, &stop)).await?;
        let plan = Plan::to_remove(&graph, readings).keeping(&buckets);
        Ok(Self {
            session,
            graph,
            plan,
            _turn: turn,
        })
    }
}

/// No local cloud was ever started here: there is no one to ask.
async fn show_nothing_there(settings: &Settings, args: &DownArgs, ui: &Ui) -> Result<(), CommandError> {
    let session = Session::before_the_first_up(settings).await?;
    let document = Document {
        removed: Vec::new(),
        kept: Vec::new(),
        unseen: None,
        outputs: standing::outputs_with(&session, None),
        dry_run: args.dry_run,
    };
    show(ui, &document, "nothing to remove: no local cloud stands here")
}

fn show(ui: &Ui, document: &Document, text: &str) -> Result<(), CommandError> {
    if ui.json {
        return ui.json(document);
    }
    ui.result(text)
}

async fn document(
    session: &Session,
    graph: &Graph,
    plan: &Plan,
    dry_run: bool,
    ui: &Ui,
) -> Result<Document, CommandError> {
    let described = |node: NodeId| {
        let resource = graph.resource(node);
        Resource {
            resource: resource.id().to_owned(),
            kind: resource.kind(),
            name: resource.name().to_owned(),
            contents: None,
            not_ours: plan.not_ours(node).map(str::to_owned),
            others: plan.others(node).to_vec(),
        }
    };
    let (progress, stop) = (Progress::new(ui, graph), Stop::never());
    let going = plan.steps.iter().filter(|step| step.action.writes());
    let going = going.map(async |step| {
        let mut going = described(step.node);
        if going.kind == BUCKET {
            let ask = async || count(&session.clients.s3, &going.name, &session.names.account).await;
            going.contents = Some(graph.patiently(step.node, &progress, &stop, ask).await?);
        }
        Ok::<_, CommandError>(going)
    });
    Ok(Document {
        removed: try_join_all(going).await?,
        kept: plan.kept().into_iter().map(described).collect(),
        unseen: notice::unseen(graph, plan),
        outputs: standing::outputs_of(session, graph, plan),
        dry_run,
    })
}

impl Document {
    fn nothing_removed(&self) -> String {
        match self.left() {
            Some(left) => format!("nothing to remove; {left}"),
            None => "nothing to remove: nothing of the stack is there".to_owned(),
        }
    }

    /// What is left, or may be.
    fn left(&self) -> Option<String> {
        let kept = self.names_of_kept();
        let kept = (!kept.is_empty()).then(|| format!("what is left: {kept}"));
        let left: Vec<String> = kept.into_iter().chain(self.unseen.clone()).collect();
        (!left.is_empty()).then(|| left.join("; "))
    }

    fn names_of_kept(&self) -> String {
        let kept = self.kept.iter().map(|kept| match &kept.not_ours {
            Some(reason) => format!("{kept}, which is not the stack's: {reason}"),
            None => kept.to_string(),
        });
        kept.collect::<Vec<_>>().join("; ")
    }

    /// Everything that goes, in the order in which it goes, and what is in the buckets.
    fn listing(&self, names: &Names) -> String {
        let rows = self.removed.iter().rev().map(|going| {
            [
                going.kind.to_owned(),
                going.name.clone(),
                going.contents.map(described).unwrap_or_default(),
            ]
        });
        let rows: Vec<[String; 3]> = rows.collect();
        let along = self.removed.iter().filter(|going| !going.others.is_empty());
        let along = along.map(|going| {
            format!(
                "\nWith the {going} goes what others have put there: {}.",
                going.others.join(", ")
            )
        });
        let kept = self.kept.iter().map(|kept| match &kept.not_ours {
            Some(reason) => format!("\nThe {kept} stays: {reason}."),
            None => format!("\nThe {kept} stays."),
        });
        let unseen = self.unseen.iter().map(|unseen| format!("\nNot known: {unseen}."));
        format!(
            "This removes from account {} in {}:\n\n{}\n{}",
            names.account,
            names.region,
            list(&rows, width_of_stdout()),
            along.chain(kept).chain(unseen).collect::<String>()
        )
    }

    /// With what has the stack's names and is not its own.
    fn say_how_to_go_on(&self, settings: &Settings, ui: &Ui) {
        if self.kept.iter().any(|kept| kept.not_ours.is_some()) {
            ui.insist(format!(
                "what is not the stack's is not removed: if it is yours to give, `resizer up{0} --adopt` takes over what has \
                 no tag, and `resizer down{0}` removes it then",
                settings.flags
            ));
        }
    }

    /// What came of it.
    fn told(&self) -> String {
        let count = self.removed.len();
        let left = self.left();
        let left = left.as_deref().unwrap_or("nothing is left");
        format!("removed {count} resources; {left}")
    }
}

/// The rows, none of which is cut: it is what one decides by. Where they are wider than the terminal, what is in the buckets
/// stands below them.
fn list(rows: &[[String; 3]], width: usize) -> String {
    let lines = aligned(rows, usize::MAX);
    if lines.iter().all(|line| columns_of(line) <= width) {
        return lines.join("\n");
    }
    let names: Vec<_> = rows
        .iter()
        .map(|[kind, name, _]| [kind.clone(), name.clone()])
        .collect();
    let contents = rows.iter().map(|[.., contents]| match contents.as_str() {
        "" => String::new(),
        contents => format!("\n{:LIST_INDENT$}{contents}", ""),
    });
    let lines = aligned(&names, usize::MAX).into_iter().zip(contents);
    let lines = lines.map(|(name, contents)| name + &contents);
    lines.collect::<Vec<_>>().join("\n")
}

fn described(contents: Contents) -> String {
    let Contents {
        objects,
        bytes,
        truncated,
    } = contents;
    let more = if truncated { "more than " } else { "" };
    let plural = if objects == 1 { "" } else { "s" };
    match objects {
        0 => "empty".to_owned(),
        _ => format!("{more}{objects} object{plural}, {}", format::bytes(bytes)),
    }
}

async fn confirmed(settings: &Settings, args: &DownArgs, ui: &Ui) -> Result<bool, CommandError> {
    let stack = &settings.stack;
    let question = format!("Remove it all? Type {stack} or y:");
    let answer = unless_interrupted(asked(*ui, question), nothing_changed).await;
    if answer.is_err() {
        // The cursor still stands behind the question.
        ui.say("");
    }
    match answer? {
        Some(answer) => {
            let yes = [stack.as_str(), "y", "yes"];
            Ok(yes.iter().any(|yes| answer.eq_ignore_ascii_case(yes)))
        }
        None => {
            let (what, flag) = if args.keep_buckets {
                ("down removes all but the buckets", " --keep-buckets")
            } else {
                ("down removes every picture", "")
            };
            let error = CommandError::usage(format!("{what}, and there is no terminal to ask at"));
            Err(error.hint(format!("say `resizer down{}{flag} --yes`", settings.flags)))
        }
    }
}

/// The answer, waited for in a thread of its own: Ctrl-C has to be heard meanwhile.
async fn asked(ui: Ui, question: String) -> Result<Option<String>, CommandError> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || tell.send(ui.ask(&question)));
    let answer = told
        .await
        .map_err(|_| CommandError::failed("the question could not be asked"))?;
    Ok(answer?)
}

/// Removes what is planned, then looks again until nothing is found.
async fn remove(settings: &Settings, graph: &Graph, plan: &Plan, ui: &Ui) -> Result<(), CommandError> {
    let progress = Progress::new(ui, graph);
    let stop = stop_on_ctrl_c(progress.announcer());
    let report = plan.carry_out(graph, &progress, &stop).await;
    ending::check(Command::Down, graph, &report, &stop, settings)?;
    let left = Left {
        graph,
        removed: removed(graph, &report),
        kept: plan.kept(),
    };
    left.prove_to_be_nothing(settings, &progress, &stop).await?;
    // It may have come while it was looked for what is left.
    ending::check(Command::Down, graph, &report, &stop, settings)
}

fn removed(graph: &Graph, report: &Report) -> Vec<NodeId> {
    let done = graph.nodes().zip(&report.outcomes);
    done.filter(|(_, outcome)| matches!(outcome, Outcome::Done(_)))
        .map(|(node, _)| node)
        .collect()
}

/// What may be left.
struct Left<'a> {
    graph: &'a Graph,
    removed: Vec<NodeId>,
    kept: Vec<NodeId>,
}

impl Left<'_> {
    /// Reads everything once more. A log group comes back with the last lines that were on their way.
    async fn prove_to_be_nothing(
        &self,
        settings: &Settings,
        progress: &Progress,
        stop: &Stop,
    ) -> Result<(), CommandError> {
        let graph = self.graph;
        for _ in 0..LOOKS {
            let readings = graph.read(progress, stop).await?;
            let is_gone = |(node, reading): (NodeId, &Reading)| {
                matches!(reading, Reading::Absent | Reading::Unseen(_)) || self.kept.contains(&node)
            };
            if graph.nodes().zip(&readings).all(is_gone) {
                return Ok(());
            }
            let plan = Plan::to_stay_gone(graph, readings, &self.removed).keeping(&self.kept);
            let report = plan.carry_out(graph, progress, stop).await;
            ending::check(Command::Down, graph, &report, stop, settings)?;
        }
        Err(
            CommandError::failed("something of the stack comes back each time it is removed")
                .hint("is another `resizer up` at work?"),
        )
    }
}
