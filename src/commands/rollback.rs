//! Takes back what a run of `up` has made, and that alone.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::ending;
use super::planning::Planning;
use crate::config::Settings;
use crate::engine::{Action, Event, Listener, NodeId, Outcome, Plan, Report, Stop};
use crate::error::CommandError;
use crate::resources::{BUCKET, RUN, count};
use crate::ui::Ui;
use crate::ui::progress::Progress;

/// Hears what a run makes, and lets the progress hear everything.
pub struct Makings<'a> {
    progress: &'a Progress,
    made: Mutex<BTreeSet<NodeId>>,
}

impl<'a> Makings<'a> {
    pub fn heard_by(progress: &'a Progress) -> Self {
        Self {
            progress,
            made: Mutex::default(),
        }
    }

    fn made(&self) -> BTreeSet<NodeId> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Listener for Makings<'_> {
    fn on(&self, node: NodeId, event: Event<'_>) {
        if matches!(event, Event::Made) {
            self.made
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(node);
        }
        self.progress.on(node, event);
    }
}

/// Removes what the run has made. What stood before stays as it is now, and so does a bucket that has pictures by now. The
/// error is that of the run that failed, with what came of taking it back.
pub async fn roll_back(
    planning: &Planning,
    makings: &Makings<'_>,
    failed: &Report,
    stop: &Stop,
    settings: &Settings,
    ui: &Ui,
) -> CommandError {
    ui.say("Rolling back: removing what this run has made");
    let graph = &planning.graph;
    let error = ending::failures(graph, failed);
    let again = format!(
        "`resizer plan{0}` shows what is there and what is not; `resizer up{0}` makes the stack whole",
        settings.flags
    );
    let removal = match removal(planning, makings, settings, stop).await {
        Ok(removal) => removal,
        Err(undone) => {
            return error
                .hint(format!("nothing was rolled back: {}", undone.message))
                .hint(again);
        }
    };
    let report = removal
        .plan
        .carry_out(graph, &Progress::new(ui, graph), stop)
        .await;
    let is_gone = |node: &NodeId| matches!(report.outcomes[node.index()], Outcome::Done(_));
    let (gone, left): (Vec<NodeId>, Vec<NodeId>) = removal.nodes.iter().partition(|node| is_gone(node));
    if stop.is_requested() {
        return CommandError::interrupted("interrupted while rolling back").hint(again);
    }
    let error = removal.with_pictures.iter().fold(error, |error, name| {
        error.hint(format!(
            "the bucket {name} stays: pictures have come into it meanwhile"
        ))
    });
    let error = removal.unsure.iter().fold(error, |error, name| {
        error.hint(format!(
            "the {name} stays: it was not there at first, but no answer said that this run has made it"
        ))
    });
    let error = removal.unmarked.iter().fold(error, |error, stays| {
        error.hint(format!("the {stays}, which this run had not come to put there"))
    });
    let changed = planning.plan.steps.iter().filter(|step| {
        let is_done = matches!(failed.outcomes[step.node.index()], Outcome::Done(_));
        is_done && matches!(step.action, Action::Change(_))
    });
    let error = match changed.count() {
        0 => error,
        count => error.hint(format!(
            "what this run has changed or adopted ({}) stays as it is now",
            counted(count)
        )),
    };
    if left.is_empty() {
        return error.hint(match gone.len() {
            0 => "this run had made nothing that was to be taken back".to_owned(),
            gone => format!(
                "rolled back: what this run had made ({}) is gone again",
                counted(gone)
            ),
        });
    }
    let undone = ending::failures(graph, &report);
    let error = error.hint(format!(
        "rolling back did not come to its end: {}",
        undone.message
    ));
    undone.hints.iter().fold(error, CommandError::hint).hint(again)
}

fn counted(resources: usize) -> String {
    let plural = if resources == 1 { "" } else { "s" };
    format!("{resources} resource{plural}")
}

/// What is to be taken back.
struct Removal {
    plan: Plan,
    nodes: Vec<NodeId>,
    /// The names of buckets that were made, and stay.
    with_pictures: Vec<String>,
    /// What stands and did not when the run began, has not the run's mark, and of whose making nothing is known: somebody
    /// else was there.
    unsure: Vec<String>,
    /// What the run has made and could not mark, and so would not know from others'; why, each.
    unmarked: Vec<String>,
}

async fn removal(
    planning: &Planning,
    makings: &Makings<'_>,
    settings: &Settings,
    stop: &Stop,
) -> Result<Removal, CommandError> {
    let Planning { graph, session, .. } = planning;
    let made = makings.made();
    let plan = Plan::to_remove(graph, graph.read(makings, stop).await?);
    let (mut kept, mut with_pictures, mut unsure) = (Vec::new(), Vec::new(), Vec::new());
    let mut unmarked = Vec::new();
    let is_marked = |node| {
        let run = plan.found(node).and_then(|found| found.text(RUN));
        run.is_some() && run == settings.run.as_deref()
    };
    for node in graph.nodes() {
        let resource = graph.resource(node);
        // What stood before is marked as well, where the run has mended its tags or made it anew.
        let is_made = planning.plan.is_made(node);
        if !is_made || (!made.contains(&node) && !is_marked(node)) {
            kept.push(node);
            if is_made && plan.found(node).is_some() {
                unsure.push(graph.described(node));
            }
        } else if let Some(reason) = plan.not_ours(node) {
            kept.push(node);
            unmarked.push(format!("{} stays: {reason}", graph.described(node)));
        } else if resource.kind() == BUCKET {
            let ask = async || count(&session.clients.s3, resource.name(), &session.names.account).await;
            let contents = graph.patiently(node, makings, stop, ask).await?;
            if contents.objects > 0 {
                kept.push(node);
                with_pictures.push(resource.name().to_owned());
            }
        }
    }
    let plan = plan.keeping(&kept);
    let nodes = plan.steps.iter().filter(|step| step.action.writes());
    let nodes = nodes.map(|step| step.node).collect();
    Ok(Removal {
        plan,
        nodes,
        with_pictures,
        unsure,
        unmarked,
    })
}
