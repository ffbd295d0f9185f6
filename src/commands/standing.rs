//! What stands of a stack, for the commands that only look.

use crate::config::Settings;
use crate::engine::{Graph, Owner, Plan, Reading};
use crate::error::CommandError;
use crate::outputs::Outputs;
use crate::resources::API_ID;
use crate::session::Session;
use crate::stack;

/// What the stack is made of, with the REST API's id if it stands.
pub async fn outputs(session: &Session, settings: &Settings) -> Result<Outputs, CommandError> {
    let graph = stack::graph(session, settings, None)?;
    let mut api_id = None;
    if let Some(node) = graph.find(stack::REST_API)
        && let Reading::Found(found) = graph.resource(node).read().await?
        && found.owner == Owner::Ours
    {
        api_id = found.fields.text(API_ID).map(str::to_owned);
    }
    Ok(outputs_with(session, api_id))
}

/// What the stack is made of, with the REST API's id if `plan` found it.
pub fn outputs_of(session: &Session, graph: &Graph, plan: &Plan) -> Outputs {
    let found = graph.find(stack::REST_API).and_then(|node| plan.found(node));
    let api_id = found.and_then(|found| found.text(API_ID));
    outputs_with(session, api_id.map(str::to_owned))
}

/// What the stack is made of, with this id of the REST API.
pub fn outputs_with(session: &Session, api_id: Option<String>) -> Outputs {
    Outputs::new(&session.names, api_id, session.clients.endpoint_url.as_deref())
}

/// The error of a command that found no stack to work on.
pub fn nothing_stands(session: &Session) -> CommandError {
    not_standing(session, "")
}

/// The error of a command that missed one piece of the stack.
pub fn not_whole(session: &Session, missing: &str) -> CommandError {
    not_standing(session, &format!(", or not whole: {missing} is not there"))
}

fn not_standing(session: &Session, more: &str) -> CommandError {
    let names = &session.names;
    CommandError::failed(format!(
        "the stack \"{}\" does not stand in {} (account {}){more}",
        names.stack, names.region, names.account
    ))
    .hint(format!("`resizer up{}` makes it", session.flags))
}
