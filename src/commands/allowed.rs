//! Whether the caller may make what is to be made, asked before anything is: a stack is not left half made for want of a
//! permission that could have been missed at once.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType};
use futures_util::future::join_all;
use serde_json::Value;

use crate::engine::{Action, Graph, Plan, Planned};
use crate::error::CommandError;
use crate::resources::API_ID;
use crate::session::Session;
use crate::stack;

/// Refuses to begin when IAM says that the caller may not do something that making or mending the stack takes.
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
    let steps = plan.steps.iter();
    let taken: BTreeSet<&str> = steps.flat_map(|step| taken(graph, step)).collect();
    if taken.is_empty() {
        return Ok(());
    }
    let Some(principal) = principal(session).await else {
        return Ok(());
    };
    let operator = stack::operator_policy(&session.names)?;
    let api = graph.find(stack::REST_API).and_then(|node| plan.found(node));
    let api = api.and_then(|found| found.text(API_ID));
    let asked = questions(&taken, &operator, api).into_iter();
    let denied =
        join_all(asked.map(|(resources, actions)| denied(session, &principal, resources, actions))).await;
    let denied = denied.concat();
    if denied.is_empty() {
        return Ok(());
    }
    let error = CommandError::failed(format!(
        "{principal} may not do all that this takes, and nothing was done: its policies deny {}",
        denied.join(", ")
    ));
    Err(error.hint(format!(
        "give it the policy that `resizer permissions{}` prints",
        session.flags
    )))
}

/// What a step takes.
fn taken(graph: &Graph, step: &Planned) -> Vec<&'static str> {
    let resource = graph.resource(step.node);
    match &step.action {
        Action::Create(_) => resource.making_takes().to_vec(),
        Action::Change(changes) => {
            let is_for = |fields: &[&str]| {
                changes
                    .iter()
                    .any(|change| fields.contains(&change.field.as_str()))
            };
            let takes = resource.mending_takes().iter();
            takes
                .filter(|(fields, _)| is_for(fields))
                .map(|(_, permission)| *permission)
                .collect()
        }
        Action::Keep | Action::Remove | Action::Refuse(_) => Vec::new(),
    }
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

/// Actions by the resources that they can be for: those of the operator's policy, of the action's own service. The REST API
/// has a place of its own there where it stands, with this id; of what only a pattern names, nothing is asked.
fn questions<'a>(
    taken: &BTreeSet<&'a str>,
    operator: &Value,
    api: Option<&str>,
) -> BTreeMap<Vec<String>, Vec<&'a str>> {
    let mut questions: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    for action in taken {
        let service = action.split(':').next();
        let statements = operator["Statement"].as_array().into_iter().flatten();
        let resources = statements
            .filter(|statement| strings(&statement["Action"]).any(|named| named == *action))
            .flat_map(|statement| strings(&statement["Resource"]))
            .filter(|arn| arn.split(':').nth(2) == service)
            .map(|arn| match api {
                Some(api) => arn.replace("/restapis/*", &format!("/restapis/{api}")),
                None => arn.to_owned(),
            })
            .filter(|arn| !arn.contains('*'));
        let resources: Vec<String> = resources.collect();
        if !resources.is_empty() {
            questions.entry(resources).or_default().push(action);
        }
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
