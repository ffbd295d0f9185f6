//! `SimulatePrincipalPolicy`: what a role may do, told without doing it.

use serde_json::{Value, json};

use super::access::{Simulated, simulate};
use super::policy::Decision;
use super::{invalid, required};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// Decisions in one answer: as many as AWS gives on a page.
const MOST: usize = 1000;

/// A result an action, with each resource's below it: `ActionNames` on `ResourceArns`, which are `*` where none is named.
pub fn simulate_principal_policy(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let arn = required(input, "PolicySourceArn")?;
    let actions = list(input, "ActionNames");
    if actions.is_empty() {
        return Err(invalid("ActionNames must not be empty".to_owned()));
    }
    let mut resources = list(input, "ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    if actions.len() * resources.len() > MOST {
        return Err(invalid(format!(
            "at most {MOST} actions on resources are simulated at once"
        )));
    }
    let simulated = simulate(cloud, &arn, &actions, &resources)?
        .ok_or_else(|| AwsError::not_found("NoSuchEntity", format!("The entity {arn} cannot be found.")))?;
    let results = actions.iter().zip(&simulated);
    let results: Vec<Value> = results
        .map(|(action, on_each)| result(action, &resources, on_each))
        .collect();
    Ok(json!({"EvaluationResults": results, "IsTruncated": false}))
}

fn result(action: &str, resources: &[String], on_each: &[Simulated]) -> Value {
    let strictest = on_each.iter().map(|one| one.decision).max();
    let specific = resources.iter().zip(on_each).map(|(resource, one)| {
        json!({
            "EvalResourceName": resource,
            "EvalResourceDecision": word(one.decision),
            "MissingContextValues": one.missing_keys,
        })
    });
    json!({
        "EvalActionName": action,
        "EvalDecision": word(strictest.unwrap_or(Decision::Silent)),
        "ResourceSpecificResults": specific.collect::<Vec<_>>(),
    })
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allowed",
        Decision::ExplicitDeny => "explicitDeny",
        Decision::Silent => "implicitDeny",
    }
}

fn list(input: &Value, name: &str) -> Vec<String> {
    let items = input.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
