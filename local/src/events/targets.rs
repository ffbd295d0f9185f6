//! A rule's targets.

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::retry::RetryPolicy;
use super::rules;
use super::transformer::Transformer;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::iam;

/// The most targets a rule has.
const MOST_TARGETS: usize = 5;

pub fn of_rule(db: &Connection, rule: &str) -> Result<Vec<Value>, AwsError> {
    let mut query = db.prepare_cached("SELECT target FROM targets WHERE rule = ?1 ORDER BY id")?;
    let texts = query
        .query_map([rule], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(texts
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect())
}

pub async fn put(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let rule = rules::authorized(cloud, call, "Rule", "events:PutTargets")?.name;
    let given = call.input["Targets"].as_array().cloned().unwrap_or_default();
    for target in &given {
        check(cloud, call, target)?;
    }
    cloud
        .store
        .write(move |tx| {
            rules::load(tx, &rule)?.ok_or_else(|| rules::missing(&rule))?;
            for target in &given {
                let id = target["Id"].as_str().unwrap_or_default();
                tx.execute(
                    "INSERT OR REPLACE INTO targets (rule, id, target) VALUES (?1, ?2, ?3)",
                    params![rule, id, target.to_string()],
                )?;
            }
            if of_rule(tx, &rule)?.len() > MOST_TARGETS {
                let message = "The requested resource exceeds the maximum number allowed.";
                return Err(AwsError::bad_request("LimitExceededException", message));
            }
            Ok(())
        })
        .await?;
    cloud.events.rules.forget();
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

fn check(cloud: &Cloud, call: &Call, target: &Value) -> Result<(), AwsError> {
    let text = |member: &str| target[member].as_str().unwrap_or_default();
    if text("Id").is_empty() || text("Id").len() > 64 {
        return Err(AwsError::validation("A target's Id has 1 to 64 characters"));
    }
    if !text("Arn").starts_with(&cloud.arn("states", "stateMachine:")) {
        return Err(AwsError::validation(format!(
            "The local cloud delivers to state machines of this account alone, not to {}",
            text("Arn")
        )));
    }
    if text("RoleArn").is_empty() {
        return Err(AwsError::validation(format!(
            "RoleArn is required for target {}.",
            text("Arn")
        )));
    }
    let service = "events.amazonaws.com";
    iam::authorize(
        cloud,
        &call.principal,
        "iam:PassRole",
        text("RoleArn"),
        &[("iam:PassedToService", service)],
    )?;
    RetryPolicy::of_target(target)?;
    Transformer::of_target(target)
        .map(drop)
        .map_err(|reason| AwsError::validation(format!("Target {}: {reason}", text("Id"))))
}

pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let rule = rules::authorized(cloud, call, "Rule", "events:ListTargetsByRule")?.name;
    let targets = cloud.store.read(|db| of_rule(db, &rule))?;
    rules::page(&call.input, "Targets", targets)
}

pub async fn remove(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let rule = rules::authorized(cloud, call, "Rule", "events:RemoveTargets")?.name;
    let ids = call.input["Ids"].as_array().cloned().unwrap_or_default();
    let failed = cloud
        .store
        .write(move |tx| {
            let mut failed = Vec::new();
            for id in &ids {
                let removed = tx.execute(
                    "DELETE FROM targets WHERE rule = ?1 AND id = ?2",
                    params![rule, id.as_str()],
                )?;
                if removed == 0 {
                    failed.push(json!({"TargetId": id, "ErrorCode": "ResourceNotFoundException",
                                       "ErrorMessage": format!("Rule {rule} does not have target {id}")}));
                }
            }
            Ok(failed)
        })
        .await?;
    cloud.events.rules.forget();
    Ok(json!({"FailedEntryCount": failed.len(), "FailedEntries": failed}))
}

pub fn rules_of(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let every = cloud.arn("events", "rule/*");
    iam::authorize(
        cloud,
        &call.principal,
        "events:ListRuleNamesByTarget",
        &every,
        &[],
    )?;
    let names = cloud.store.read(|db| {
        let mut query = db.prepare_cached(
            "SELECT DISTINCT rule FROM targets WHERE json_extract(target, '$.Arn') = ?1 ORDER BY rule",
        )?;
        let names = query.query_map([call.input["TargetArn"].as_str()], |row| row.get::<_, String>(0))?;
        Ok(names.collect::<Result<Vec<_>, _>>()?)
    })?;
    rules::page(
        &call.input,
        "RuleNames",
        names.into_iter().map(Value::from).collect(),
    )
}
