//! IAM: roles, their policies, and what they allow.

mod access;
mod condition;
mod managed;
mod policy;
mod role_policies;
mod roles;
mod simulation;
mod wildcard;

use std::sync::Arc;

use serde_json::{Value, json};

pub use access::{Iam, assume, assume_for_service, authorize, authorize_tags};

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::inputs::Operation;
use crate::paging;
use crate::realism::Change;

const OPERATIONS: &[Operation] = &[
    ("AttachRolePolicy", &["RoleName", "PolicyArn"]),
    (
        "CreateRole",
        &[
            "Path",
            "RoleName",
            "AssumeRolePolicyDocument",
            "Description",
            "MaxSessionDuration",
            "Tags.Key",
            "Tags.Value",
        ],
    ),
    ("DeleteRole", &["RoleName"]),
    ("DeleteRolePolicy", &["RoleName", "PolicyName"]),
    ("DetachRolePolicy", &["RoleName", "PolicyArn"]),
    ("GetPolicy", &["PolicyArn"]),
    ("GetPolicyVersion", &["PolicyArn", "VersionId"]),
    ("GetRole", &["RoleName"]),
    ("GetRolePolicy", &["RoleName", "PolicyName"]),
    (
        "ListAttachedRolePolicies",
        &["RoleName", "PathPrefix", "Marker", "MaxItems"],
    ),
    ("ListRolePolicies", &["RoleName", "Marker", "MaxItems"]),
    ("ListRoleTags", &["RoleName", "Marker", "MaxItems"]),
    ("ListRoles", &["PathPrefix", "Marker", "MaxItems"]),
    ("PutRolePolicy", &["RoleName", "PolicyName", "PolicyDocument"]),
    (
        "SimulatePrincipalPolicy",
        &["PolicySourceArn", "ActionNames", "ResourceArns"],
    ),
    ("TagRole", &["RoleName", "Tags.Key", "Tags.Value"]),
    ("UntagRole", &["RoleName", "TagKeys"]),
    ("UpdateAssumeRolePolicy", &["RoleName", "PolicyDocument"]),
    ("UpdateRole", &["RoleName", "Description", "MaxSessionDuration"]),
];

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    permit(cloud, &call)?;
    let input = call.input.clone();
    let document = match call.operation.as_str() {
        "CreateRole" => roles::create(cloud, input).await?,
        "GetRole" => roles::get(cloud, &input)?,
        "ListRoles" => roles::list(cloud, &input)?,
        "DeleteRole" => roles::delete(cloud, input).await?,
        "UpdateRole" => roles::update(cloud, input).await?,
        "UpdateAssumeRolePolicy" => roles::update_trust(cloud, input).await?,
        "TagRole" => roles::tag(cloud, input).await?,
        "UntagRole" => roles::untag(cloud, input).await?,
        "ListRoleTags" => roles::list_tags(cloud, &input)?,
        "PutRolePolicy" => role_policies::put(cloud, input).await?,
        "GetRolePolicy" => role_policies::get(cloud, &input)?,
        "DeleteRolePolicy" => role_policies::delete(cloud, input).await?,
        "ListRolePolicies" => role_policies::list(cloud, &input)?,
        "AttachRolePolicy" => role_policies::attach(cloud, input).await?,
        "DetachRolePolicy" => role_policies::detach(cloud, input).await?,
        "ListAttachedRolePolicies" => role_policies::list_attached(cloud, &input)?,
        "SimulatePrincipalPolicy" => simulation::simulate_principal_policy(cloud, &input)?,
        "GetPolicy" => role_policies::get_managed(&input)?,
        "GetPolicyVersion" => role_policies::get_managed_version(&input)?,
        _ => return Err(call.not_implemented()),
    };
    note_change(cloud, &call);
    Ok(Reply::ok(document))
}

/// A new role, and what it is allowed at first, is not known everywhere at once.
fn note_change(cloud: &Cloud, call: &Call) {
    let role = || call.input["RoleName"].as_str().unwrap_or_default().to_owned();
    match call.operation.as_str() {
        "CreateRole" => cloud.conditions.note(Change::Trust(role())),
        "PutRolePolicy" | "AttachRolePolicy" if !cloud.conditions.is_over(|| Change::Trust(role())) => {
            cloud.conditions.note(Change::Permissions(role()));
        }
        _ => {}
    }
}

/// Every operation is on a role, by its name or its ARN, on a managed policy, or on the roles as a whole.
fn permit(cloud: &Cloud, call: &Call) -> Result<(), AwsError> {
    let text = |name: &str| call.input.get(name).and_then(Value::as_str);
    let policy = text("PolicyArn");
    let resource = match (text("RoleName"), policy.or(text("PolicySourceArn"))) {
        (Some(role), _) => roles::arn_of(cloud, role, text("Path").unwrap_or("/"))?,
        (None, Some(arn)) => arn.to_owned(),
        (None, None) => roles::role_arn("/", ""),
    };
    let context: Vec<(&str, &str)> = policy.map(|arn| ("iam:PolicyARN", arn)).into_iter().collect();
    authorize(
        cloud,
        &call.principal,
        &format!("iam:{}", call.operation),
        &resource,
        &context,
    )?;
    if call.operation == "CreateRole" {
        authorize_tags(
            cloud,
            &call.principal,
            "iam:TagRole",
            &resource,
            &call.input["Tags"],
        )?;
    }
    Ok(())
}

/// A parameter that must be there.
fn required(input: &Value, name: &str) -> Result<String, AwsError> {
    match input.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(invalid(format!(
            "Value at '{name}' failed to satisfy constraint: Member must not be null"
        ))),
    }
}

fn invalid(message: String) -> AwsError {
    AwsError::bad_request("ValidationError", message)
}

/// `items` under `field`, from the place where the last page ended, at most `MaxItems`.
fn page(input: &Value, field: &str, items: Vec<Value>) -> Result<Value, AwsError> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let invalid = |name: &str| invalid(format!("Invalid {name}: {}", text(name).unwrap_or_default()));
    let most: usize = text("MaxItems")
        .unwrap_or("100")
        .parse()
        .map_err(|_| invalid("MaxItems"))?;
    let page = paging::page(items, text("Marker"), most.clamp(1, 1000)).ok_or_else(|| invalid("Marker"))?;
    Ok(json!({field: page.items, "IsTruncated": page.next.is_some(), "Marker": page.next}))
}
