//! Which resource uses which.

use futures_util::future::try_join_all;

use super::converge::patiently;
use super::event::{Listener, Step};
use super::patience::Waits;
use super::resource::{Failure, Owner, Reading, Resource};
use super::stop::Stop;

/// Resources and what each of them uses or acts on.
///
/// A resource is made after what it uses, and removed before it. What it acts on once all stands may be made side by side
/// with it, but is removed after it too.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

struct Node {
    resource: Box<dyn Resource>,
    uses: Vec<NodeId>,
    acts_on: Vec<NodeId>,
    is_former: bool,
}

/// A resource's place in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(usize);

impl NodeId {
    pub(super) fn from_index(index: usize) -> Self {
        Self(index)
    }

    pub fn index(self) -> usize {
        self.0
    }
}

impl Node {
    async fn read(&self) -> Result<Reading, Failure> {
        self.taken(self.resource.read().await)
    }

    /// What a reading says of what is, or is not, wanted.
    fn taken(&self, read: Result<Reading, Failure>) -> Result<Reading, Failure> {
        match read {
            Ok(Reading::Found(found)) if self.is_former && found.owner != Owner::Ours => Ok(Reading::Absent),
            Err(failure) if self.is_former && failure.lacks.is_some() => Ok(Reading::Unseen(failure)),
            reading => reading,
        }
    }
}

impl Graph {
    /// Adds a resource that uses those of `uses`. Since they are in the graph already, there is never a circle.
    pub fn add(&mut self, resource: impl Resource + 'static, uses: &[NodeId]) -> NodeId {
        self.nodes.push(Node {
            resource: Box::new(resource),
            uses: uses.to_vec(),
            acts_on: Vec::new(),
            is_former: false,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// Adds a resource that is not wanted any more: where it stands and is ours it goes, after those of `after` have changed,
    /// and else it is nobody's business. Who may not look for it can do without.
    pub fn add_former(&mut self, resource: impl Resource + 'static, after: &[NodeId]) -> NodeId {
        let node = self.add(resource, after);
        self.nodes[node.0].is_former = true;
        node
    }

    pub fn is_former(&self, node: NodeId) -> bool {
        self.nodes[node.0].is_former
    }

    /// Says what a resource acts on beside what it uses: none that uses it or acts on it.
    pub fn acts_on(&mut self, node: NodeId, others: &[NodeId]) {
        self.nodes[node.0].acts_on.extend(others);
    }

    /// Every node, in an order in which each comes after what it uses.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The node of the resource with this id.
    pub fn find(&self, id: &str) -> Option<NodeId> {
        self.nodes().find(|node| self.resource(*node).id() == id)
    }

    pub fn resource(&self, node: NodeId) -> &dyn Resource {
        &*self.nodes[node.0].resource
    }

    /// What people call the resource: `role resizer-us-east-1-rule`.
    pub fn described(&self, node: NodeId) -> String {
        let resource = self.resource(node);
        format!("{} {}", resource.kind(), resource.name())
    }

    /// What `node` uses, directly.
    pub fn uses(&self, node: NodeId) -> &[NodeId] {
        &self.nodes[node.0].uses
    }

    /// What `node` acts on beside what it uses.
    pub fn acted_on(&self, node: NodeId) -> &[NodeId] {
        &self.nodes[node.0].acts_on
    }

    /// What each node has to wait for when they are made.
    pub(super) fn makers_first(&self) -> Vec<Vec<NodeId>> {
        self.nodes().map(|node| self.uses(node).to_vec()).collect()
    }

    /// What each node has to wait for when they are removed.
    pub(super) fn users_first(&self) -> Vec<Vec<NodeId>> {
        let mut users = vec![Vec::new(); self.nodes.len()];
        for node in self.nodes() {
            for other in self.uses(node).iter().chain(self.acted_on(node)) {
                users[other.0].push(node);
            }
        }
        users
    }

    /// Reads every resource, all at once, with the patience of a step: what is waited for is told. The readings are in the order
    /// of [`Graph::nodes`].
    ///
    /// # Errors
    /// The first reading that failed in a way that no waiting mends.
    pub async fn read(&self, listener: &dyn Listener, stop: &Stop) -> Result<Vec<Reading>, Failure> {
        let read = async |id: NodeId| {
            let read = self.patiently(id, listener, stop, async || self.resource(id).read().await);
            self.nodes[id.0].taken(read.await)
        };
        try_join_all(self.nodes().map(read)).await
    }

    /// What `ask` tells of a resource, with the patience of a step.
    ///
    /// # Errors
    /// What `ask` fails with, when no waiting mends it.
    pub async fn patiently<T>(
        &self,
        node: NodeId,
        listener: &dyn Listener,
        stop: &Stop,
        ask: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let step = Step { node, listener, stop };
        patiently(self.resource(node), &mut Waits::default(), &step, ask).await
    }

    /// Reads every resource, all at once, for those who only look: what a service refused to tell is unseen.
    ///
    /// # Errors
    /// The first reading that failed, where a service did not answer or none told anything.
    pub async fn look(&self) -> Result<Vec<Reading>, Failure> {
        let look = async |node: &Node| match node.read().await {
            Err(failure) if failure.code.is_some() => Ok(Reading::Unseen(failure)),
            reading => reading,
        };
        let readings = try_join_all(self.nodes.iter().map(look)).await?;
        let is_unseen = |reading: &Reading| matches!(reading, Reading::Unseen(_));
        match readings.first() {
            Some(Reading::Unseen(failure)) if readings.iter().all(is_unseen) => Err(failure.clone()),
            _ => Ok(readings),
        }
    }
}
