//! The tags of alarms and dashboards.

use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::{alarms, dashboards, invalid, list as members, required};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::tags;

/// The tags that an input gives, a list of `{Key, Value}`.
pub fn given(input: &Value) -> Result<Value, AwsError> {
    tags::given(input).ok_or_else(|| {
        invalid(
            "There are at most 50 tags, each with a Key of 1 to 128 and a Value of at most 256 characters.",
        )
    })
}

/// The table that `arn` leads to, and the name in it.
fn place(cloud: &Cloud, arn: &str) -> Result<(&'static str, String), AwsError> {
    let named = |prefix: String| arn.strip_prefix(&prefix).map(str::to_owned);
    let alarm = named(alarms::arn(cloud, "")).map(|name| ("alarms", name));
    let dashboard = || named(dashboards::arn(cloud, "")).map(|name| ("dashboards", name));
    alarm.or_else(dashboard).ok_or_else(|| missing(arn))
}

fn missing(arn: &str) -> AwsError {
    AwsError::not_found("ResourceNotFoundException", format!("{arn} does not exist"))
}

pub fn list(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let arn = required(input, "ResourceARN")?;
    let (table, name) = place(cloud, arn)?;
    let tags: Option<String> = cloud.store.read(|db| {
        let mut found = db.prepare_cached(&format!("SELECT tags FROM {table} WHERE name = ?1"))?;
        Ok(found.query_row([&name], |row| row.get(0)).optional()?)
    })?;
    let tags = tags.ok_or_else(|| missing(arn))?;
    Ok(json!({"Tags": serde_json::from_str::<Value>(&tags).unwrap_or_default()}))
}

pub async fn tag(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let given = given(input)?;
    change(cloud, input, move |tags| tags::add(tags, &given)).await
}

pub async fn untag(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let keys = members(input, "TagKeys").to_vec();
    change(cloud, input, move |tags| {
        tags::remove(tags, keys.iter().filter_map(Value::as_str));
    })
    .await
}

async fn change<F>(cloud: &Cloud, input: &Value, edit: F) -> Result<Value, AwsError>
where
    F: FnOnce(&mut Value) + Send + 'static,
{
    let arn = required(input, "ResourceARN")?;
    let (table, name) = place(cloud, arn)?;
    tags::change(cloud, table, name, missing(arn), edit).await
}
