//! Resource policies: kept for the services that read them before they deliver logs.

use jiff::Timestamp;
use rusqlite::params;
use serde_json::{Value, json};

use super::{invalid, page, required};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// AWS's quotas: policies a region, and characters a policy.
const MOST_POLICIES: i64 = 10;
const LONGEST_POLICY: usize = 5120;
/// The most policies on a page.
const MOST_ON_PAGE: usize = 50;

pub async fn put(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (name, document) = (
        required(&input, "policyName")?,
        required(&input, "policyDocument")?,
    );
    if document.len() > LONGEST_POLICY || serde_json::from_str::<Value>(&document).is_err() {
        return Err(invalid(
            "The policy document must be JSON of at most 5120 characters.",
        ));
    }
    let put = cloud.store.write(move |tx| {
        let updated = Timestamp::now().as_millisecond();
        tx.execute(
            "INSERT OR REPLACE INTO log_resource_policies (name, document, updated) VALUES (?1, ?2, ?3)",
            params![name, document, updated],
        )?;
        let count: i64 = tx.query_row("SELECT count(*) FROM log_resource_policies", [], |row| row.get(0))?;
        if count > MOST_POLICIES {
            return Err(AwsError::bad_request(
                "LimitExceededException",
                "Resource limit exceeded.",
            ));
        }
        Ok(json!({ "resourcePolicy": policy(&name, &document, updated) }))
    });
    put.await
}

pub fn describe(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let policies = cloud.store.read(|db| {
        let mut all =
            db.prepare_cached("SELECT name, document, updated FROM log_resource_policies ORDER BY name")?;
        let rows = all.query_map([], |row| {
            Ok(policy(
                &row.get::<_, String>(0)?,
                &row.get::<_, String>(1)?,
                row.get(2)?,
            ))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    })?;
    page(input, "resourcePolicies", policies, MOST_ON_PAGE)
}

fn policy(name: &str, document: &str, updated: i64) -> Value {
    json!({ "policyName": name, "policyDocument": document, "lastUpdatedTime": updated })
}

pub async fn delete(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "policyName")?;
    let deleted = cloud.store.write(move |tx| {
        match tx.execute("DELETE FROM log_resource_policies WHERE name = ?1", [&name])? {
            0 => {
                let message = format!("Policy with name [{name}] does not exist");
                Err(AwsError::bad_request("ResourceNotFoundException", message))
            }
            _ => Ok(json!({})),
        }
    });
    deleted.await
}
