//! Dashboards: kept as they are put, and shown by nobody.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use super::{invalid, list as members, required, tagging};
use crate::cloud::{ACCOUNT, Cloud, PARTITION};
use crate::error::AwsError;
use crate::paging;

/// The longest name.
const LONGEST_NAME: usize = 255;
/// The most widgets of a dashboard (AWS's quota).
const MOST_WIDGETS: usize = 500;
/// The most names that one call deletes.
const MOST_DELETED: usize = 100;
/// The most dashboards on a page.
const MOST_DASHBOARDS: usize = 1000;

/// Dashboards are an account's, in all its regions: their ARNs name none.
pub fn arn(_: &Cloud, name: &str) -> String {
    format!("arn:{PARTITION}:cloudwatch::{ACCOUNT}:dashboard/{name}")
}

fn missing(name: &str) -> AwsError {
    AwsError::not_found("ResourceNotFound", format!("Dashboard {name} does not exist"))
}

/// Makes a dashboard, or another of one that is there: then the tags that come with it say nothing.
pub async fn put(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = required(input, "DashboardName")?.to_owned();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.len() > LONGEST_NAME || !name.chars().all(is_allowed) {
        return Err(invalid(
            "The DashboardName must be at most 255 of A-Z, a-z, 0-9, - and _.",
        ));
    }
    let body = required(input, "DashboardBody")?.to_owned();
    check_body(&body)?;
    let tags = tagging::given(input)?;
    let put = cloud.store.write(move |tx| {
        tx.execute(
            "INSERT INTO dashboards (name, body, modified, tags) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET body = ?2, modified = ?3",
            params![name, body, Timestamp::now().as_second(), tags.to_string()],
        )?;
        Ok(json!({"DashboardValidationMessages": []}))
    });
    put.await
}

/// What makes a body none that CloudWatch would show. What is in a widget is not looked into.
fn check_body(body: &str) -> Result<(), AwsError> {
    let refused = |reason: &str| {
        let message = format!("The dashboard body is invalid, there is 1 validation error: {reason}");
        Err(AwsError::bad_request("InvalidParameterInput", message))
    };
    let Ok(body) = serde_json::from_str::<Value>(body) else {
        return refused("The field DashboardBody must be a valid JSON object");
    };
    let Some(widgets) = body["widgets"].as_array() else {
        return refused("Should have required property 'widgets'");
    };
    if widgets.len() > MOST_WIDGETS {
        return refused("Should not have more than 500 widgets");
    }
    if !widgets
        .iter()
        .all(|widget| widget["type"].is_string() && widget["properties"].is_object())
    {
        return refused("Every widget should have a 'type' and 'properties'");
    }
    Ok(())
}

pub fn get(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = required(input, "DashboardName")?;
    let body: Option<String> = cloud.store.read(|db| {
        let mut found = db.prepare_cached("SELECT body FROM dashboards WHERE name = ?1")?;
        Ok(found.query_row([name], |row| row.get(0)).optional()?)
    })?;
    Ok(json!({
        "DashboardArn": arn(cloud, name),
        "DashboardName": name,
        "DashboardBody": body.ok_or_else(|| missing(name))?,
    }))
}

/// Deletes those that are there, and tells of the first that is not.
pub async fn delete(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let names: Vec<String> = members(input, "DashboardNames")
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    if names.is_empty() || names.len() > MOST_DELETED {
        return Err(invalid("DashboardNames must be from 1 to 100 names."));
    }
    let deleted = cloud.store.write(move |tx| {
        let mut not_there = None;
        for name in names {
            if tx.execute("DELETE FROM dashboards WHERE name = ?1", [&name])? == 0 {
                not_there.get_or_insert(name);
            }
        }
        Ok(not_there)
    });
    match deleted.await? {
        None => Ok(json!({})),
        Some(name) => Err(missing(&name)),
    }
}

pub fn list(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let prefix = text("DashboardNamePrefix").unwrap_or_default();
    let found: Vec<(String, i64, i64)> = cloud.store.read(|db| {
        let mut all = db.prepare_cached(
            "SELECT name, modified, length(CAST(body AS BLOB)) FROM dashboards ORDER BY name",
        )?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let entries = found
        .into_iter()
        .filter(|(name, ..)| name.starts_with(prefix))
        .map(|(name, modified, size)| {
            json!({
                "DashboardArn": arn(cloud, &name),
                "DashboardName": name,
                "LastModified": modified,
                "Size": size,
            })
        });
    let page = paging::page(entries.collect(), text("NextToken"), MOST_DASHBOARDS)
        .ok_or_else(|| invalid("The NextToken is not one that this list gave."))?;
    Ok(json!({"DashboardEntries": page.items, "NextToken": page.next}))
}
