//! Roles.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use super::policy::{Document, Kind};
use super::{invalid, page, required};
use crate::cloud::{ACCOUNT, Cloud, PARTITION};
use crate::error::AwsError;
use crate::random;

/// A trust policy's longest text, in characters without whitespace (AWS's default quota).
const LONGEST_TRUST: usize = 2048;
/// How IAM encodes documents in its replies (RFC 3986).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

pub fn encode_document(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

pub fn role_arn(path: &str, name: &str) -> String {
    format!("arn:{PARTITION}:iam::{ACCOUNT}:role{path}{name}")
}

/// The ARN of a role that is there, or that would be made at `path`.
pub fn arn_of(cloud: &Cloud, name: &str, path: &str) -> Result<String, AwsError> {
    let found = cloud.store.read(|db| {
        Ok(db
            .prepare_cached("SELECT path FROM roles WHERE name = ?1")?
            .query_row([name], |row| row.get::<_, String>(0))
            .optional()?)
    })?;
    Ok(role_arn(found.as_deref().unwrap_or(path), name))
}

pub fn no_such_role(name: &str) -> AwsError {
    AwsError::not_found(
        "NoSuchEntity",
        format!("The role with name {name} cannot be found."),
    )
}

/// Fails if there is no such role.
pub fn require(db: &Connection, name: &str) -> Result<(), AwsError> {
    let found = db
        .prepare_cached("SELECT 1 FROM roles WHERE name = ?1")?
        .exists([name])?;
    if found { Ok(()) } else { Err(no_such_role(name)) }
}

pub async fn create(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "RoleName")?;
    check_name(&name)?;
    let path = input
        .get("Path")
        .and_then(Value::as_str)
        .unwrap_or("/")
        .to_owned();
    if !path.starts_with('/') || !path.ends_with('/') || path.len() > 512 {
        return Err(invalid(
            "The specified value for path is invalid. It must begin and end with /.".to_owned(),
        ));
    }
    let trust = trust_document(&input, "AssumeRolePolicyDocument", &name)?;
    let description = input
        .get("Description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let max_session = max_session(&input)?.unwrap_or(3600);
    let mut tags = Map::new();
    merge_tags(&mut tags, &input)?;
    let role_id = random::unique_id("AROA")?;
    let written = cloud.store.write(move |tx| {
        if tx
            .prepare_cached("SELECT 1 FROM roles WHERE name = ?1")?
            .exists([&name])?
        {
            return Err(AwsError::conflict(
                "EntityAlreadyExists",
                format!("Role with name {name} already exists."),
            ));
        }
        tx.execute(
            "INSERT INTO roles (name, role_id, path, created, trust, description, max_session, tags)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                name,
                role_id,
                path,
                Timestamp::now().as_second(),
                trust,
                description,
                max_session,
                Value::Object(tags).to_string()
            ],
        )?;
        read(tx, &name)
    });
    let role = written.await?;
    cloud.iam.forget();
    Ok(json!({ "Role": role }))
}

pub fn get(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = required(input, "RoleName")?;
    Ok(json!({ "Role": cloud.store.read(|db| read(db, &name))? }))
}

pub fn list(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let prefix = input
        .get("PathPrefix")
        .and_then(Value::as_str)
        .unwrap_or("/")
        .to_owned();
    let roles = cloud.store.read(|db| {
        let mut all = db.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
        let roles = all.query_map([], row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(roles)
    })?;
    let listed = roles
        .into_iter()
        .filter(|role| {
            role["Path"]
                .as_str()
                .is_some_and(|path| path.starts_with(&prefix))
        })
        .map(|mut role| {
            // ListRoles leaves the tags out.
            if let Some(fields) = role.as_object_mut() {
                fields.remove("Tags");
            }
            role
        })
        .collect();
    page(input, "Roles", listed)
}

pub async fn delete(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "RoleName")?;
    let deleted = cloud.store.write(move |tx| {
        require(tx, &name)?;
        let conflict = |message: &str| Err(AwsError::conflict("DeleteConflict", message));
        if tx
            .prepare_cached("SELECT 1 FROM attached_policies WHERE role = ?1")?
            .exists([&name])?
        {
            return conflict("Cannot delete entity, must detach all policies first.");
        }
        if tx
            .prepare_cached("SELECT 1 FROM role_policies WHERE role = ?1")?
            .exists([&name])?
        {
            return conflict("Cannot delete entity, must delete policies first.");
        }
        tx.execute("DELETE FROM roles WHERE name = ?1", [&name])?;
        Ok(json!({}))
    });
    let reply = deleted.await?;
    cloud.iam.forget();
    Ok(reply)
}

pub async fn update(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "RoleName")?;
    let description = input
        .get("Description")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let max_session = max_session(&input)?;
    change(
        cloud,
        name,
        "UPDATE roles SET description = coalesce(?2, description), max_session = coalesce(?3, max_session)
         WHERE name = ?1",
        description,
        max_session,
    )
    .await
}

pub async fn update_trust(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "RoleName")?;
    let trust = trust_document(&input, "PolicyDocument", &name)?;
    change(
        cloud,
        name,
        "UPDATE roles SET trust = coalesce(?2, ?3) WHERE name = ?1",
        Some(trust),
        None,
    )
    .await
}

async fn change(
    cloud: &Cloud,
    name: String,
    update: &'static str,
    text: Option<String>,
    number: Option<i64>,
) -> Result<Value, AwsError> {
    let changed = cloud.store.write(move |tx| {
        if tx.execute(update, params![name, text, number])? == 0 {
            return Err(no_such_role(&name));
        }
        Ok(json!({}))
    });
    let reply = changed.await?;
    cloud.iam.forget();
    Ok(reply)
}

pub async fn tag(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "RoleName")?;
    change_tags(cloud, name, move |tags| merge_tags(tags, &input)).await
}

pub async fn untag(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let name = required(&input, "RoleName")?;
    let keys: Vec<Value> = input
        .get("TagKeys")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    change_tags(cloud, name, move |tags| {
        tags.retain(|key, _| !keys.iter().any(|gone| gone.as_str() == Some(key)));
        Ok(())
    })
    .await
}

async fn change_tags(
    cloud: &Cloud,
    name: String,
    edit: impl FnOnce(&mut Map<String, Value>) -> Result<(), AwsError> + Send + 'static,
) -> Result<Value, AwsError> {
    let changed = cloud.store.write(move |tx| {
        let mut tags = tags_of(tx, &name)?;
        edit(&mut tags)?;
        tx.execute(
            "UPDATE roles SET tags = ?2 WHERE name = ?1",
            params![name, Value::Object(tags).to_string()],
        )?;
        Ok(json!({}))
    });
    changed.await
}

pub fn list_tags(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = required(input, "RoleName")?;
    let tags = cloud.store.read(|db| tags_of(db, &name))?;
    page(input, "Tags", tag_list(&tags))
}

fn tags_of(db: &Connection, name: &str) -> Result<Map<String, Value>, AwsError> {
    let text: String = db
        .prepare_cached("SELECT tags FROM roles WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?
        .ok_or_else(|| no_such_role(name))?;
    serde_json::from_str(&text).map_err(|error| AwsError::internal(error.to_string()))
}

fn tag_list(tags: &Map<String, Value>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}

fn merge_tags(tags: &mut Map<String, Value>, input: &Value) -> Result<(), AwsError> {
    for tag in input.get("Tags").and_then(Value::as_array).into_iter().flatten() {
        let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) else {
            return Err(invalid("A tag needs a Key and a Value.".to_owned()));
        };
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("The tag {key} is too long.")));
        }
        tags.insert(key.to_owned(), json!(value));
    }
    if tags.len() > 50 {
        let message = "The number of tags has reached the maximum limit.";
        return Err(AwsError::conflict("LimitExceeded", message));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let fits = name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if fits {
        return Ok(());
    }
    Err(invalid(format!(
        "The specified value for roleName is invalid: {name}. It must have at most 64 alphanumeric characters and/or the \
         following: +=,.@_-"
    )))
}

fn max_session(input: &Value) -> Result<Option<i64>, AwsError> {
    let Some(text) = input.get("MaxSessionDuration").and_then(Value::as_str) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds @ 3600..=43200) => Ok(Some(seconds)),
        _ => Err(invalid(format!(
            "MaxSessionDuration is {text}, it must be from 3600 to 43200 seconds"
        ))),
    }
}

fn trust_document(input: &Value, field: &str, role: &str) -> Result<String, AwsError> {
    let trust = required(input, field)?;
    if trust.chars().filter(|c| !c.is_whitespace()).count() > LONGEST_TRUST {
        let message = format!("Cannot exceed quota for ACLSizePerRole: {LONGEST_TRUST} ({role})");
        return Err(AwsError::conflict("LimitExceeded", message));
    }
    Document::read(&trust, Kind::Trust)?;
    Ok(trust)
}

const SELECT: &str = "SELECT name, role_id, path, created, trust, description, max_session, tags FROM roles";

fn read(db: &Connection, name: &str) -> Result<Value, AwsError> {
    db.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?
        .query_row([name], row)
        .optional()?
        .ok_or_else(|| no_such_role(name))
}

fn row(row: &Row<'_>) -> rusqlite::Result<Value> {
    let (name, path): (String, String) = (row.get("name")?, row.get("path")?);
    let created = Timestamp::from_second(row.get("created")?).unwrap_or_default();
    let tags: Map<String, Value> = serde_json::from_str(&row.get::<_, String>("tags")?).unwrap_or_default();
    Ok(json!({
        "Path": path,
        "RoleName": name,
        "RoleId": row.get::<_, String>("role_id")?,
        "Arn": role_arn(&path, &name),
        "CreateDate": created.to_string(),
        "AssumeRolePolicyDocument": encode_document(&row.get::<_, String>("trust")?),
        "Description": row.get::<_, String>("description")?,
        "MaxSessionDuration": row.get::<_, i64>("max_session")?,
        "Tags": tag_list(&tags),
        "RoleLastUsed": {},
    }))
}
