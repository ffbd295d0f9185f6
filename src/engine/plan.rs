//! What differs, and so what is to be done: pure data.

use super::converge::{Goal, converge};
use super::event::{Event, Listener, Step};
use super::fields::{FieldChange, Fields};
use super::graph::{Graph, NodeId};
use super::resource::{Failure, Owner, Reading};
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
    /// It is not ours: nothing is done to it. Why we think so.
    Refuse(String),
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

    /// What leaves nothing standing. `readings` are the graph's own.
    pub fn to_remove(graph: &Graph, readings: Vec<Reading>) -> Self {
        Self::new(graph, readings, Goal::Gone)
    }

    /// What removes the nodes of `removed` again where they came back: a log group is made anew by a late line.
    pub fn to_stay_gone(graph: &Graph, readings: Vec<Reading>, removed: &[NodeId]) -> Self {
        let mut plan = Self::new(graph, readings, Goal::StaysGone);
        for step in &mut plan.steps {
            if step.action.writes() && !removed.contains(&step.node) {
                step.action = Action::Refuse("it was made while the stack was removed".to_owned());
            }
        }
        plan
    }

    fn new(graph: &Graph, readings: Vec<Reading>, goal: Goal) -> Self {
        let is_ours =
            |reading: &Reading| matches!(reading, Reading::Found(found) if found.owner == Owner::Ours);
        let something_is_ours = readings.iter().any(is_ours);
        let plan_one = |(node, reading): (NodeId, Reading)| Planned {
            node,
            action: action(graph, node, &reading, goal, something_is_ours),
            reading,
        };
        Self {
            goal,
            steps: graph.nodes().zip(readings).map(plan_one).collect(),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|step| step.action.writes())
    }

    /// The steps that are refused, each with the reason.
    pub fn refusals(&self) -> impl Iterator<Item = (NodeId, &str)> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Refuse(reason) => Some((step.node, reason.as_str())),
            _ => None,
        })
    }

    /// What was found in a resource when the plan was made.
    pub fn found(&self, node: NodeId) -> Option<&Fields> {
        match &self.steps[node.index()].reading {
            Reading::Found(found) => Some(&found.fields),
            Reading::Absent => None,
        }
    }

    /// What others have put into a resource, which stays.
    pub fn others(&self, node: NodeId) -> &[String] {
        match &self.steps[node.index()].reading {
            Reading::Found(found) => &found.others,
            Reading::Absent => &[],
        }
    }

    /// Does what is planned, as much at once as the graph allows.
    ///
    /// What stands on a failed step is not started; the other branches go on to their end.
    pub async fn carry_out(&self, graph: &Graph, listener: &dyn Listener, stop: &Stop) -> Report {
        let before = match self.goal {
            Goal::Stands => graph.makers_first(),
            Goal::Gone | Goal::StaysGone => graph.users_first(),
        };
        let outcomes = walk(&before, stop, async |node: NodeId| {
            let outcome = self.carry_out_one(graph, node, listener, stop).await;
            listener.on(node, Event::Ended(&outcome));
            outcome
        })
        .await;
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
            Action::Refuse(reason) => Outcome::Failed(Failure::new(reason)),
            Action::Create(_) | Action::Change(_) | Action::Remove => {
                step.tell(Event::Started(action));
                match converge(graph.resource(node), self.goal, reading.clone(), &step).await {
                    Ok(reading) => Outcome::Done(reading),
                    Err(failure) => Outcome::Failed(self.with_what_went_missing(graph, node, failure).await),
                }
            }
        }
    }

    /// `failure`, and which of the things that `node` uses were taken away since: the service's words for it may
    /// well be those for something new that is not known everywhere yet.
    async fn with_what_went_missing(&self, graph: &Graph, node: NodeId, failure: Failure) -> Failure {
        if self.goal != Goal::Stands {
            return failure;
        }
        let mut failure = failure;
        for used in graph.uses(node) {
            let used = graph.resource(*used);
            if let Ok(Reading::Absent) = used.read().await {
                failure = failure.hint(format!(
                    "the {} {} is not there any more: somebody removed it meanwhile; `up` again makes it anew",
                    used.kind(),
                    used.name()
                ));
            }
        }
        failure
    }
}

fn action(graph: &Graph, node: NodeId, reading: &Reading, goal: Goal, something_is_ours: bool) -> Action {
    let resource = graph.resource(node);
    let found = match reading {
        Reading::Found(found) => found,
        Reading::Absent => {
            return match goal {
                Goal::Stands => Action::Create(resource.wanted().differences(&Fields::default())),
                Goal::Gone | Goal::StaysGone => Action::Keep,
            };
        }
    };
    if let (Owner::Foreign(reason), Goal::Stands | Goal::Gone) = (&found.owner, goal) {
        return Action::Refuse(reason.clone());
    }
    match goal {
        Goal::Gone if found.owner == Owner::Unclaimed && !something_is_ours => Action::Keep,
        Goal::Gone | Goal::StaysGone => Action::Remove,
        Goal::Stands => {
            let changes = resource.wanted().differences(&found.fields);
            if changes.is_empty() && found.settling.is_none() {
                Action::Keep
            } else {
                Action::Change(changes)
            }
        }
    }
}
