//! Log groups.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Map, Value, json};

use super::{group_arn, group_name, invalid, no_such_group, page, required};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The days of retention that AWS takes.
const RETENTIONS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
/// A day in milliseconds.
const DAY: i64 = 24 * 3_600_000;
/// The most events that one transaction of a sweep deletes.
const SWEPT_AT_ONCE: usize = 1000;
/// The most groups on a page.
const MOST_GROUPS: usize = 50;

/// Fails if there is no such group.
pub fn require(db: &Connection, group: &str) -> Result<(), AwsError> {
    let found = db
        .prepare_cached("SELECT 1 FROM log_groups WHERE name = ?1")?
        .exists([group])?;
    if found { Ok(()) } else { Err(no_such_group()) }
}

/// The oldest time, in milliseconds since the epoch, whose events the group still keeps. Fails if there is no such group.
pub fn oldest_kept(db: &Connection, group: &str) -> Result<i64, AwsError> {
    let days: Option<i64> = db
        .prepare_cached("SELECT retention FROM log_groups WHERE name = ?1")?
        .query_row([group], |row| row.get(0))
        .optional()?
        .ok_or_else(no_such_group)?;
    Ok(days.map_or(i64::MIN, |days| Timestamp::now().as_millisecond() - days * DAY))
}

/// Deletes what the groups' retentions let go: a little in each transaction, so that nobody waits for it.
pub async fn sweep(cloud: &Cloud) -> Result<(), AwsError> {
    loop {
        let now = Timestamp::now().as_millisecond();
        let deleted = cloud.store.write(move |tx| {
            let mut delete = tx.prepare_cached(
                "DELETE FROM log_events WHERE id IN (
                     SELECT log_events.id FROM log_groups
                     JOIN log_streams ON log_group = log_groups.name
                     JOIN log_events ON stream = log_streams.id
                     WHERE retention IS NOT NULL AND time < ?1 - retention * ?2
                     LIMIT ?3)",
            )?;
            Ok(delete.execute(params![now, DAY, SWEPT_AT_ONCE])?)
        });
        if deleted.await? < SWEPT_AT_ONCE {
            return Ok(());
        }
    }
}

pub async fn create(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "logGroupName")?;
    let fits = name.len() <= 512
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-/#".contains(c));
    if !fits {
        return Err(invalid(
            "The log group's name must be at most 512 of a-zA-Z0-9, '_', '-', '/', '.', '#'.",
        ));
    }
    let tags = input.get("tags").cloned().unwrap_or_else(|| json!({}));
    let created = cloud.store.write(move |tx| {
        let made = tx.execute(
            "INSERT OR IGNORE INTO log_groups (name, created, tags) VALUES (?1, ?2, ?3)",
            params![name, Timestamp::now().as_millisecond(), tags.to_string()],
        )?;
        if made == 0 {
            let message = "The specified log group already exists";
            return Err(AwsError::bad_request("ResourceAlreadyExistsException", message));
        }
        Ok(json!({}))
    });
    created.await
}

/// Makes a group that is not there, with nothing but its name.
pub fn make_missing(tx: &Transaction<'_>, name: &str) -> Result<(), AwsError> {
    tx.prepare_cached("INSERT OR IGNORE INTO log_groups (name, created, tags) VALUES (?1, ?2, '{}')")?
        .execute(params![name, Timestamp::now().as_millisecond()])?;
    Ok(())
}

pub fn describe(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let prefix = text("logGroupNamePrefix").unwrap_or_default();
    let pattern = text("logGroupNamePattern")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let groups = cloud.store.read(|db| {
        let mut all = db.prepare_cached("SELECT name, created, retention FROM log_groups ORDER BY name")?;
        let groups = all
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<(String, i64, Option<i64>)>, _>>()?;
        Ok(groups)
    })?;
    let described = groups
        .into_iter()
        .filter(|(name, ..)| name.starts_with(prefix) && name.to_ascii_lowercase().contains(&pattern))
        .map(|(name, created, retention)| {
            let arn = group_arn(&cloud.region, &name);
            let mut group = json!({
                "logGroupName": name,
                "creationTime": created,
                "metricFilterCount": 0,
                "arn": format!("{arn}:*"),
                "storedBytes": 0,
                "logGroupClass": "STANDARD",
                "logGroupArn": arn,
            });
            if let Some(days) = retention {
                group["retentionInDays"] = json!(days);
            }
            group
        })
        .collect();
    page(input, "logGroups", described, MOST_GROUPS)
}

pub async fn delete(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "logGroupName")?;
    let deleted =
        cloud.store.write(
            move |tx| match tx.execute("DELETE FROM log_groups WHERE name = ?1", [name])? {
                0 => Err(no_such_group()),
                _ => Ok(json!({})),
            },
        );
    deleted.await
}

pub async fn set_retention(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let days = input.get("retentionInDays").and_then(Value::as_i64);
    match days {
        Some(days) if RETENTIONS.contains(&days) => {}
        _ => {
            return Err(invalid(&format!(
                "retentionInDays must be one of {RETENTIONS:?}."
            )));
        }
    }
    change_retention(cloud, &input, days).await
}

pub async fn reset_retention(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    change_retention(cloud, &input, None).await
}

async fn change_retention(cloud: &Cloud, input: &Value, days: Option<i64>) -> Result<Value, AwsError> {
    let name = required(input, "logGroupName")?;
    let changed = cloud.store.write(move |tx| {
        match tx.execute(
            "UPDATE log_groups SET retention = ?2 WHERE name = ?1",
            params![name, days],
        )? {
            0 => Err(no_such_group()),
            _ => Ok(json!({})),
        }
    });
    changed.await
}

pub async fn tag(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = group_name(&input)?;
    let added: Map<String, Value> = input
        .get("tags")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    change_tags(cloud, name, move |tags| tags.extend(added)).await
}

pub async fn untag(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = group_name(&input)?;
    let gone: Vec<Value> = input
        .get("tagKeys")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    change_tags(cloud, name, move |tags| {
        tags.retain(|key, _| !gone.iter().any(|gone| gone.as_str() == Some(key)));
    })
    .await
}

async fn change_tags(
    cloud: &Cloud,
    name: String,
    edit: impl FnOnce(&mut Map<String, Value>) + Send + 'static,
) -> Result<Value, AwsError> {
    let changed = cloud.store.write(move |tx| {
        let mut tags = tags_of(tx, &name)?;
        edit(&mut tags);
        if tags.len() > 50 {
            let message = "A resource has at most 50 tags.";
            return Err(AwsError::bad_request("TooManyTagsException", message));
        }
        let tags = Value::Object(tags).to_string();
        tx.execute(
            "UPDATE log_groups SET tags = ?2 WHERE name = ?1",
            params![name, tags],
        )?;
        Ok(json!({}))
    });
    changed.await
}

pub fn list_tags(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = group_name(input)?;
    Ok(json!({ "tags": cloud.store.read(|db| tags_of(db, &name))? }))
}

fn tags_of(db: &Connection, name: &str) -> Result<Map<String, Value>, AwsError> {
    let text: String = db
        .prepare_cached("SELECT tags FROM log_groups WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?
        .ok_or_else(no_such_group)?;
    serde_json::from_str(&text).map_err(|error| AwsError::internal(error.to_string()))
}
