//! Goes through a graph, as much at once as the order allows.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::graph::NodeId;
use super::resource::{Failure, Reading};
use super::stop::Stop;

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There was nothing to do.
    Kept(Reading),
    Done(Reading),
    Failed(Failure),
    /// It was begun, and ended early since the run was asked to stop; what it was at.
    Interrupted(Failure),
    /// It was not begun, because of a step before it, or because the run was asked to stop.
    NotStarted {
        because_of: Option<NodeId>,
    },
}

impl Outcome {
    fn is_good(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Done(_))
    }
}

/// How every step ended.
#[derive(Debug)]
pub struct Report {
    /// In the order of the graph's nodes.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Whether every step reached its goal.
    pub fn is_good(&self) -> bool {
        self.outcomes.iter().all(Outcome::is_good)
    }
}

/// Runs `work` for every node after all of `before[node]` went well.
///
/// A node behind one that failed is not started. Once `stop` is requested, none is.
pub async fn walk(
    before: &[Vec<NodeId>],
    stop: &Stop,
    work: impl AsyncFn(NodeId) -> Outcome,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; before.len()];
    let mut begun = vec![false; before.len()];
    let mut running = FuturesUnordered::new();
    let work = &work;
    loop {
        for (index, waits_for) in before.iter().enumerate() {
            let is_due = waits_for
                .iter()
                .all(|node| outcomes[node.index()].as_ref().is_some_and(Outcome::is_good));
            if is_due && !begun[index] && !stop.is_requested() {
                begun[index] = true;
                let node = NodeId::from_index(index);
                running.push(async move { (index, work(node).await) });
            }
        }
        match running.next().await {
            Some((index, outcome)) => outcomes[index] = Some(outcome),
            None => break,
        }
    }
    let culprits: Vec<Option<NodeId>> = (0..before.len())
        .map(|index| culprit(before, &outcomes, index))
        .collect();
    outcomes
        .into_iter()
        .zip(culprits)
        .map(|(outcome, because_of)| outcome.unwrap_or(Outcome::NotStarted { because_of }))
        .collect()
}

/// The failed step that a step which was not begun stands behind.
fn culprit(before: &[Vec<NodeId>], outcomes: &[Option<Outcome>], index: usize) -> Option<NodeId> {
    before[index]
        .iter()
        .find_map(|node| match &outcomes[node.index()] {
            Some(Outcome::Failed(_)) => Some(*node),
            Some(_) => None,
            None => culprit(before, outcomes, node.index()),
        })
}
