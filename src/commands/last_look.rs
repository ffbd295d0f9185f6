//! What a long run looks at once more before it says that all is well.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::planning::Planning;
use crate::config::Settings;
use crate::engine::{Graph, Listener, NodeId, Stop};
use crate::error::CommandError;

/// What was looked at no longer ago is not looked at again.
const RECENT: Duration = Duration::from_secs(5);

/// What is missed is looked for once more after this time: a service may answer from where it is not known yet.
const DOUBT: Duration = Duration::from_secs(3);

/// Misses what somebody else, such as a `down` on another machine, has taken away since the run `began`; not once it is to stop.
///
/// # Errors
/// What is gone, and how to go on; that it could not be looked for.
pub async fn check(
    planning: &Planning,
    began: Instant,
    listener: &dyn Listener,
    stop: &Stop,
    settings: &Settings,
) -> Result<(), CommandError> {
    if began.elapsed() < RECENT {
        return Ok(());
    }
    let graph = &planning.graph;
    let mut gone = missing(graph, listener, stop).await?;
    if !gone.is_empty() {
        tokio::select! {
            () = sleep(DOUBT) => {}
            () = stop.requested() => return Ok(()),
        }
        let still = missing(graph, listener, stop).await?;
        gone.retain(|node| still.contains(node));
    }
    if gone.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = gone.iter().map(|node| graph.described(*node)).collect();
    Err(CommandError::failed(format!(
        "all was made, and by now this is gone again: {}",
        names.join(", ")
    ))
    .hint("somebody took it away meanwhile: does a `resizer down` run elsewhere?")
    .hint(format!(
        "`resizer up{}` makes the stack whole again",
        settings.flags
    )))
}

async fn missing(graph: &Graph, listener: &dyn Listener, stop: &Stop) -> Result<Vec<NodeId>, CommandError> {
    let look = async |node: NodeId| {
        let ask = async || graph.resource(node).is_there().await;
        let is_there = graph.patiently(node, listener, stop, ask).await?;
        Ok::<_, CommandError>((!is_there).then_some(node))
    };
    let wanted = graph.nodes().filter(|node| !graph.is_former(*node));
    let looked = try_join_all(wanted.map(look)).await?;
    Ok(looked.into_iter().flatten().collect())
}
