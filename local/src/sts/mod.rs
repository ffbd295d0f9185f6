//! STS: who am I, and sessions of roles.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::cloud::{ACCOUNT, Cloud};
use crate::error::AwsError;
use crate::iam;
use crate::inputs::Operation;

const OPERATIONS: &[Operation] = &[
    ("AssumeRole", &["RoleArn", "RoleSessionName", "DurationSeconds"]),
    ("GetCallerIdentity", &[]),
];

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    match call.operation.as_str() {
        // AWS lets everyone ask this, whatever their policies say.
        "GetCallerIdentity" => Ok(Reply::ok(json!({
            "UserId": call.principal.user_id(),
            "Account": ACCOUNT,
            "Arn": call.principal.arn(),
        }))),
        "AssumeRole" => assume_role(cloud, &call),
        _ => Err(call.not_implemented()),
    }
}

fn assume_role(cloud: &Cloud, call: &Call) -> Result<Reply, AwsError> {
    let invalid = |message: String| AwsError::bad_request("ValidationError", message);
    let text = |name: &str| call.input.get(name).and_then(Value::as_str);
    let required =
        |name: &str| text(name).ok_or_else(|| invalid(format!("The parameter {name} is missing.")));
    let (role_arn, session_name) = (required("RoleArn")?, required("RoleSessionName")?);
    let named_well = (2..=64).contains(&session_name.len())
        && session_name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if !named_well {
        return Err(invalid(format!(
            "The RoleSessionName {session_name} is not 2 to 64 of [A-Za-z0-9_+=,.@-]."
        )));
    }
    let seconds: i64 = match text("DurationSeconds").unwrap_or("3600").parse() {
        Ok(seconds @ 900..=43200) => seconds,
        _ => return Err(invalid("DurationSeconds must be from 900 to 43200.".to_owned())),
    };
    let lifetime = SignedDuration::from_secs(seconds);
    let session = iam::assume(cloud, &call.principal, role_arn, session_name, lifetime)?;
    Ok(Reply::ok(json!({
        "Credentials": {
            "AccessKeyId": session.credentials.access_key_id,
            "SecretAccessKey": session.credentials.secret_access_key,
            "SessionToken": session.credentials.session_token,
            "Expiration": session.credentials.expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": session.principal.user_id(),
            "Arn": session.principal.arn(),
        },
    })))
}
