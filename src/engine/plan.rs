//! What differs, and so what is to be done: pure data.

use std::fmt;

use super::converge::{Goal, converge};
use super::event::{Event, Listener, Step};
use super::fields::{FieldChange, Fields};
use super::graph::{Graph, NodeId};
use super::resource::{Failure, Found, Owner, Reading};
use super::stop::Stop;
use super::walk::{Outcome, Report, walk};

/// What is to be done to every resource of a graph.
#[derive(Debug)]
pub struct Plan {
    goal: Goal,
    /// In the order of [`Graph::nodes`].
    pub steps: Vec<Planned>,
}

/// What is to be done to one resource.
#[derive(Debug)]
pub struct Planned {
    pub node: NodeId,
    pub action: Action,
    reading: Reading,
}

/// What is done to a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It is as it should be.
    Keep,
    Create(Vec<FieldChange>),
    Change(Vec<FieldChange>),
    Remove,
    /// Nothing is done to it.
    Refuse(Refusal),
}

/// Why nothing is done to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is not ours, for this reason; whether it can be taken over.
    NotOurs { reason: String, adoptable: bool },
    /// It is to be lent to us, and is not there.
    NotThere,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs { reason, .. } => f.write_str(reason),
            Self::NotThere => f.write_str("it is not there"),
        }
    }
}

impl Refusal {
    fn not_ours(reason: impl Into<String>) -> Self {
        Self::NotOurs {
            reason: reason.into(),
            adoptable: false,
        }
    }
}

impl Action {
    /// Whether carrying it out writes anything.
    pub fn writes(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Change(_) | Self::Remove)
    }
}

impl Plan {
    /// What makes everything stand as it should. `readings` are the graph's own.
    pub fn to_stand(graph: &Graph, readings: Vec<Reading>) -> Self {
        Self::new(graph, readings, Goal::Stands)
    }

    /// What makes everything stand as it should, of what has our name and no one's mark.
    pub fn to_adopt(graph: &Graph, readings: Vec<Reading>) -> Self {
        Self::new(graph, readings, Goal::StandsAdopting)
    }

    /// What leaves nothing standing. `readings` are the graph's own.
    pub fn to_remove(graph: &Graph, readings: Vec<Reading>) -> Self {
        Self::new(graph, readings, Goal::Gone)
    }

    /// What removes the nodes of `removed` again where they came back: a log group is made anew by a late line.
    pub fn to_stay_gone(graph: &Graph, readings: Vec<Reading>, removed: &[NodeId]) -> Self {
        let mut plan = Self::new(graph, readings, Goal::StaysGone);
        for step in &mut plan.steps {
            if step.action.writes() && !removed.contains(&step.node) {
                let reason = "it was made while the stack was removed";
                step.action = Action::Refuse(Refusal::not_ours(reason));
            }
        }
        plan
    }

    /// The same plan, but nothing is done to what is among `nodes`.
    #[must_use]
    pub fn keeping(mut self, nodes: &[NodeId]) -> Self {
        for step in &mut self.steps {
            if nodes.contains(&step.node) {
                step.action = Action::Keep;
            }
        }
        self
    }

    /// What is there and stays.
    pub fn kept(&self) -> Vec<NodeId> {
        let kept = self
            .steps
            .iter()
            .filter(|step| step.action == Action::Keep && matches!(step.reading, Reading::Found(_)));
        kept.map(|step| step.node).collect()
    }

    /// Whether a resource is not there and is made.
    pub fn is_made(&self, node: NodeId) -> bool {
        matches!(self.steps[node.index()].action, Action::Create(_))
    }

    /// Whether a resource has no one's mark and gets ours.
    pub fn is_adopted(&self, node: NodeId) -> bool {
        let step = &self.steps[node.index()];
        let is_unmarked =
            matches!(&step.reading, Reading::Found(found) if matches!(found.owner, Owner::Unmarked(_)));
        is_unmarked && step.action.writes()
    }

    fn new(graph: &Graph, readings: Vec<Reading>, goal: Goal) -> Self {
        let those = |is_so: &dyn Fn(NodeId, &Owner) -> bool| -> Vec<NodeId> {
            let readings = graph.nodes().zip(&readings);
            let found = readings.filter_map(|(node, reading)| Some((node, &reading.found()?.owner)));
            let those = found.filter(|(node, owner)| is_so(*node, owner));
            those.map(|(node, _)| node).collect()
        };
        let ours = those(&|node, owner| *owner == Owner::Ours && !graph.resource(node).is_lent());
        let theirs = those(&|_, owner| owner.not_ours().is_some());
        let plan_one = |(node, reading): (NodeId, Reading)| {
            let reading = claimed(graph, node, reading, goal, (&ours, &theirs));
            Planned {
                node,
                action: action(graph, node, &reading, goal),
                reading,
            }
        };
        Self {
            goal,
            steps: graph.nodes().zip(readings).map(plan_one).collect(),
        }
    }

    /// The steps that there is anything to say of: what is not wanted any more and not there has none.
    pub fn shown<'a>(&'a self, graph: &'a Graph) -> impl Iterator<Item = &'a Planned> {
        self.steps.iter().filter(|step| !step.is_past(graph))
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|step| step.action.writes())
    }

    /// The steps that are refused, each with the reason.
    pub fn refusals(&self) -> impl Iterator<Item = (NodeId, &Refusal)> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Refuse(refusal) => Some((step.node, refusal)),
            _ => None,
        })
    }

    /// What was found in a resource when the plan was made.
    pub fn found(&self, node: NodeId) -> Option<&Fields> {
        Some(&self.steps[node.index()].reading.found()?.fields)
    }

    /// What others have put into a resource, which stays.
    pub fn others(&self, node: NodeId) -> &[String] {
        let found = self.steps[node.index()].reading.found();
        found.map_or(&[], |found| &found.others)
    }

    /// Why a resource that is there is not ours, if it is not.
    pub fn not_ours(&self, node: NodeId) -> Option<&str> {
        self.steps[node.index()].reading.found()?.owner.not_ours()
    }

    /// What could not be looked for, each with the reason.
    pub fn unseen(&self) -> impl Iterator<Item = (NodeId, &Failure)> {
        let steps = self.steps.iter();
        steps.filter_map(|step| Some((step.node, step.unseen()?)))
    }

    /// Does what is planned, as much at once as the graph allows.
    ///
    /// What stands on a failed step is not started; the other branches go on to their end.
    pub async fn carry_out(&self, graph: &Graph, listener: &dyn Listener, stop: &Stop) -> Report {
        let before = match self.goal {
            Goal::Stands | Goal::StandsAdopting => graph.makers_first(),
            Goal::Gone | Goal::StaysGone => graph.users_first(),
        };
        let mut outcomes = walk(&before, stop, async |node: NodeId| {
            let outcome = self.carry_out_one(graph, node, listener, stop).await;
            listener.on(node, Event::Ended(&outcome));
            outcome
        })
        .await;
        for (step, outcome) in self.steps.iter().zip(&mut outcomes) {
            if step.is_past(graph) {
                *outcome = Outcome::Kept(step.reading.clone());
            }
        }
        for (node, outcome) in graph.nodes().zip(&outcomes) {
            if matches!(outcome, Outcome::NotStarted { .. }) {
                listener.on(node, Event::Ended(outcome));
            }
        }
        Report { outcomes }
    }

    async fn carry_out_one(
        &self,
        graph: &Graph,
        node: NodeId,
        listener: &dyn Listener,
        stop: &Stop,
    ) -> Outcome {
        let Planned { action, reading, .. } = &self.steps[node.index()];
        let step = Step { node, listener, stop };
        match action {
            Action::Keep => Outcome::Kept(reading.clone()),
            Action::Refuse(refusal) => Outcome::Failed(Failure::new(refusal)),
            Action::Create(_) | Action::Change(_) | Action::Remove => {
                step.tell(Event::Started(action));
                // What is not wanted any more goes, also where all else is to stand.
                let goal = match action {
                    Action::Remove if self.goal != Goal::StaysGone => Goal::Gone,
                    _ => self.goal,
                };
                match converge(graph.resource(node), goal, reading.clone(), &step).await {
                    Ok(reading) => Outcome::Done(reading),
                    Err(failure) if failure.is_stop => Outcome::Interrupted(failure),
                    Err(failure) if *action == Action::Remove => Outcome::Failed(failure),
                    Err(failure) => Outcome::Failed(with_what_went_missing(graph, node, failure).await),
                }
            }
        }
    }
}

impl Planned {
    /// Why it could not be looked for, if that is so.
    pub fn unseen(&self) -> Option<&Failure> {
        match &self.reading {
            Reading::Unseen(failure) => Some(failure),
            Reading::Absent | Reading::Found(_) => None,
        }
    }

    /// Whether it is of something that is not wanted any more, and not there.
    fn is_past(&self, graph: &Graph) -> bool {
        graph.is_former(self.node) && self.action == Action::Keep
    }
}

/// `failure`, and which of the things that `node` uses were taken away since: the service's words for it may well be those
/// for something new that is not known everywhere yet.
async fn with_what_went_missing(graph: &Graph, node: NodeId, failure: Failure) -> Failure {
    let mut failure = failure;
    for used in graph.uses(node) {
        if let Ok(false) = graph.resource(*used).is_there().await {
            failure = failure.hint(format!(
                "the {} is not there any more: somebody removed it meanwhile; `up` again makes it anew",
                graph.described(*used)
            ));
        }
    }
    failure
}

/// `reading`, where what nothing claims has found its owner among what is `ours`: what uses it, if it is to stand, and else
/// anything, unless what uses it is `theirs`.
fn claimed(
    graph: &Graph,
    node: NodeId,
    reading: Reading,
    goal: Goal,
    (ours, theirs): (&[NodeId], &[NodeId]),
) -> Reading {
    let Reading::Found(found) = reading else {
        return reading;
    };
    let Owner::Unclaimed(reason) = &found.owner else {
        return Reading::Found(found);
    };
    let is_used_by = |users: &[NodeId]| users.iter().any(|user| graph.uses(*user).contains(&node));
    let is_ours = match goal {
        Goal::Stands | Goal::StandsAdopting => is_used_by(ours),
        Goal::Gone => !ours.is_empty() && !is_used_by(theirs),
        Goal::StaysGone => true,
    };
    let owner = match goal {
        _ if is_ours => Owner::Ours,
        Goal::Gone | Goal::StaysGone => found.owner,
        Goal::Stands | Goal::StandsAdopting => Owner::Unmarked(reason.clone()),
    };
    Reading::Found(Found { owner, ..found })
}

fn action(graph: &Graph, node: NodeId, reading: &Reading, goal: Goal) -> Action {
    let resource = graph.resource(node);
    let found = match reading {
        Reading::Found(found) => found,
        Reading::Unseen(_) => return Action::Keep,
        Reading::Absent => {
            return match goal {
                Goal::Gone | Goal::StaysGone => Action::Keep,
                _ if graph.is_former(node) => Action::Keep,
                _ if resource.is_lent() => Action::Refuse(Refusal::NotThere),
                _ => Action::Create(resource.wanted().differences(&Fields::default())),
            };
        }
    };
    match (&found.owner, goal) {
        // It stays, and is in nobody's way: all else goes.
        (Owner::Foreign(_) | Owner::Unmarked(_), Goal::Gone) => return Action::Keep,
        (Owner::Foreign(reason), Goal::Stands | Goal::StandsAdopting) => {
            return Action::Refuse(Refusal::not_ours(reason));
        }
        (Owner::Unmarked(reason), Goal::Stands) => {
            return Action::Refuse(Refusal::NotOurs {
                reason: reason.clone(),
                adoptable: true,
            });
        }
        _ => {}
    }
    match goal {
        Goal::Gone | Goal::StaysGone if resource.is_lent() => Action::Keep,
        // It may be anyone's, and is nobody's business.
        Goal::Gone if matches!(found.owner, Owner::Unclaimed(_)) => Action::Keep,
        Goal::Gone | Goal::StaysGone => Action::Remove,
        Goal::Stands | Goal::StandsAdopting if graph.is_former(node) => Action::Remove,
        Goal::Stands | Goal::StandsAdopting => {
            let changes = resource.wanted().differences(&found.fields);
            if changes.is_empty() && found.settling.is_none() {
                Action::Keep
            } else {
                Action::Change(changes)
            }
        }
    }
}
