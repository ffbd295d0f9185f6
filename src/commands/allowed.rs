//! Whether the caller may make what is to be made, asked before anything is: a stack is not left half made for want of a
//! permission that could have been missed at once.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType};
use futures_util::future::join_all;
use serde_json::Value;

use crate::engine::{Graph, Plan};
use crate::error::CommandError;
use crate::session::Session;
use crate::stack;

/// Refuses to begin when IAM says that the caller may not do something that making the stack takes.
///
/// Assumption (AWS docs: IAM API Reference, SimulatePrincipalPolicy; not tried there): one result an action, with each
/// resource's below it; resources that do not stand yet are simulated like others.
///
/// It is IAM's simulation of the caller's policies. Who may not ask for it, or whom it does not know (the account's root),
/// goes on, and is told by the first call that is denied.
///
/// # Errors
/// What is denied, on every resource of the stack that it could be for.
pub async fn check(session: &Session, graph: &Graph, plan: &Plan) -> Result<(), CommandError> {
    let made = graph.nodes().filter(|node| plan.is_made(*node));
    let taken: BTreeSet<&str> = made
        .flat_map(|node| graph.resource(node).making_takes())
        .copied()
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    let Some(principal) = principal(session).await else {
        return Ok(());
    };
    let operator = stack::operator_policy(&session.names)?;
    let asked = questions(&taken, &operator).into_iter();
    let denied =
        join_all(asked.map(|(resources, actions)| denied(session, &principal, resources, actions))).await;
    let denied = denied.concat();
    if denied.is_empty() {
        return Ok(());
    }
    let error = CommandError::failed(format!(
        "{principal} may not do all that making the stack takes, and nothing was done: its policies deny {}",
        denied.join(", ")
    ));
    Err(error.hint(format!(
        "give it the policy that `resizer permissions{}` prints",
        session.flags
    )))
}

/// The user or the role that the caller is, as policies are attached to it.
async fn principal(session: &Session) -> Option<String> {
    let (kind, name) = session.caller.rsplit_once(':')?.1.split_once('/')?;
    match kind {
        "user" => Some(session.caller.clone()),
        "assumed-role" => {
            // The session's ARN leaves out the role's path.
            let role = session.clients.iam.get_role().role_name(name.split('/').next()?);
            Some(role.send().await.ok()?.role?.arn)
        }
        _ => None,
    }
}

/// Actions by the resources that they can be for: those of the operator's policy, of the action's own service.
fn questions<'a>(taken: &BTreeSet<&'a str>, operator: &Value) -> BTreeMap<Vec<String>, Vec<&'a str>> {
    let mut questions: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    for action in taken {
        let service = action.split(':').next();
        let statements = operator["Statement"].as_array().into_iter().flatten();
        let resources = statements
            .filter(|statement| strings(&statement["Action"]).any(|named| named == *action))
            .flat_map(|statement| strings(&statement["Resource"]))
            .filter(|arn| arn.split(':').nth(2) == service && !arn.contains('*'));
        questions
            .entry(resources.map(str::to_owned).collect())
            .or_default()
            .push(action);
    }
    questions
}

/// A string, or each of a list.
fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().into_iter().flatten();
    list.chain([value]).filter_map(Value::as_str)
}

/// Those of `actions` that the principal may do on none of `resources`; none where that is not to be known.
async fn denied(
    session: &Session,
    principal: &str,
    resources: Vec<String>,
    actions: Vec<&str>,
) -> Vec<String> {
    let simulation = session
        .clients
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_resource_arns(Some(resources))
        .set_action_names(Some(actions.into_iter().map(str::to_owned).collect()));
    let Ok(simulated) = simulation.send().await else {
        return Vec::new();
    };
    let results = simulated.evaluation_results.unwrap_or_default().into_iter();
    results
        .filter(is_denied)
        .map(|result| result.eval_action_name)
        .collect()
}

/// Whether an action is denied on every resource. What depends on a request's own keys (`aws:RequestTag`) is not known.
fn is_denied(result: &EvaluationResult) -> bool {
    let is_refused = |decision: &PolicyEvaluationDecisionType, missing: &[String]| {
        *decision != PolicyEvaluationDecisionType::Allowed && missing.is_empty()
    };
    let on_each = result.resource_specific_results();
    if on_each.is_empty() {
        return is_refused(&result.eval_decision, result.missing_context_values());
    }
    on_each
        .iter()
        .all(|on| is_refused(&on.eval_resource_decision, on.missing_context_values()))
}
