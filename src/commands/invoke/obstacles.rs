//! What lies between an upload and its execution, looked at where none begins.

use std::time::Duration;

use crate::config::Settings;
use crate::engine::{FieldChange, Reading, Resource};
use crate::error::CommandError;
use crate::resources::{EVENT_BRIDGE, RULE_PATTERN, RULE_STATE, RULE_TARGET};
use crate::session::Session;
use crate::stack::{self, ORIGINAL_BUCKET, RULE, STATE_MACHINE};

/// How long after an upload it is time to look: mostly an execution begins within a second.
pub const SILENCE: Duration = Duration::from_secs(8);

/// Looks whether an upload can start anything: the bucket tells EventBridge, the rule is on and has the state machine as its
/// target. Where one may not look, or cannot just now, it is taken to be so.
///
/// # Errors
/// It cannot: what is in the way.
pub async fn check(session: &Session, settings: &Settings) -> Result<(), CommandError> {
    let graph = stack::graph(session, settings, None)?;
    let mut obstacles = Vec::new();
    for id in [ORIGINAL_BUCKET, RULE, STATE_MACHINE] {
        if let Some(node) = graph.find(id) {
            obstacles.extend(obstacle_in(graph.resource(node)).await);
        }
    }
    if obstacles.is_empty() {
        return Ok(());
    }
    let error = CommandError::failed(format!("an upload starts nothing here: {}", obstacles.join("; ")));
    Err(error.hint(format!("`resizer up{}` mends it", session.flags)))
}

async fn obstacle_in(resource: &dyn Resource) -> Option<String> {
    let wrong: Vec<&str> = match resource.read().await {
        Err(_) | Ok(Reading::Unseen(_)) => Vec::new(),
        Ok(Reading::Absent) => vec!["is not there"],
        Ok(Reading::Found(found)) => {
            let changes = resource.wanted().differences(&found.fields);
            changes.iter().filter_map(meaning).collect()
        }
    };
    (!wrong.is_empty()).then(|| {
        let wrong = wrong.join(", ");
        format!("the {} {} {wrong}", resource.kind(), resource.name())
    })
}

/// What a field that is not as it should be means to an upload, if anything.
fn meaning(change: &FieldChange) -> Option<&'static str> {
    Some(match change.field.as_str() {
        EVENT_BRIDGE => "does not tell EventBridge of uploads",
        RULE_STATE => "is disabled",
        RULE_PATTERN => "matches other events than it should",
        RULE_TARGET if change.before.is_none() => "has no target that starts the state machine",
        RULE_TARGET => "has a target that is not as it should be",
        _ => return None,
    })
}
