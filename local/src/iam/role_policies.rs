//! The policies of roles: inline ones, and AWS's managed ones that are attached.

use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use super::managed::{self, Managed};
use super::policy::{Document, Kind};
use super::roles::{encode_document, require};
use super::{page, required};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The longest text of all inline policies of a role together, in characters without whitespace (AWS's quota).
const LONGEST_INLINE: usize = 10_240;

pub async fn put(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (role, name) = (required(&input, "RoleName")?, required(&input, "PolicyName")?);
    let document = required(&input, "PolicyDocument")?;
    if document.chars().filter(|c| !c.is_whitespace()).count() > LONGEST_INLINE {
        let message = format!("Maximum policy size of {LONGEST_INLINE} bytes exceeded for role {role}");
        return Err(AwsError::conflict("LimitExceeded", message));
    }
    Document::read(&document, Kind::Identity)?;
    let put = cloud.store.write(move |tx| {
        require(tx, &role)?;
        tx.execute(
            "INSERT OR REPLACE INTO role_policies (role, name, document) VALUES (?1, ?2, ?3)",
            params![role, name, document],
        )?;
        Ok(json!({}))
    });
    let reply = put.await?;
    cloud.iam.forget();
    Ok(reply)
}

pub fn get(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let (role, name) = (required(input, "RoleName")?, required(input, "PolicyName")?);
    let document = cloud.store.read(|db| {
        require(db, &role)?;
        db.prepare_cached("SELECT document FROM role_policies WHERE role = ?1 AND name = ?2")?
            .query_row([&role, &name], |row| row.get::<_, String>(0))
            .optional()?
            .ok_or_else(|| no_such_policy(&name))
    })?;
    Ok(json!({ "RoleName": role, "PolicyName": name, "PolicyDocument": encode_document(&document) }))
}

fn no_such_policy(name: &str) -> AwsError {
    AwsError::not_found(
        "NoSuchEntity",
        format!("The role policy with name {name} cannot be found."),
    )
}

pub async fn delete(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (role, name) = (required(&input, "RoleName")?, required(&input, "PolicyName")?);
    let deleted = cloud.store.write(move |tx| {
        require(tx, &role)?;
        match tx.execute(
            "DELETE FROM role_policies WHERE role = ?1 AND name = ?2",
            [&role, &name],
        )? {
            0 => Err(no_such_policy(&name)),
            _ => Ok(json!({})),
        }
    });
    let reply = deleted.await?;
    cloud.iam.forget();
    Ok(reply)
}

pub fn list(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let role = required(input, "RoleName")?;
    let names = column(
        cloud,
        &role,
        "SELECT name FROM role_policies WHERE role = ?1 ORDER BY name",
    )?;
    page(input, "PolicyNames", names.into_iter().map(Value::from).collect())
}

pub async fn attach(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (role, arn) = (required(&input, "RoleName")?, required(&input, "PolicyArn")?);
    if managed::find(&arn).is_none() {
        let message = format!("Policy {arn} does not exist or is not attachable.");
        return Err(AwsError::not_found("NoSuchEntity", message));
    }
    let attached = cloud.store.write(move |tx| {
        require(tx, &role)?;
        tx.execute(
            "INSERT OR IGNORE INTO attached_policies (role, arn) VALUES (?1, ?2)",
            [&role, &arn],
        )?;
        Ok(json!({}))
    });
    let reply = attached.await?;
    cloud.iam.forget();
    Ok(reply)
}

pub async fn detach(cloud: &Cloud, input: Value) -> Result<Value, AwsError> {
    let (role, arn) = (required(&input, "RoleName")?, required(&input, "PolicyArn")?);
    let detached = cloud.store.write(move |tx| {
        require(tx, &role)?;
        match tx.execute(
            "DELETE FROM attached_policies WHERE role = ?1 AND arn = ?2",
            [&role, &arn],
        )? {
            0 => Err(AwsError::not_found(
                "NoSuchEntity",
                format!("Policy {arn} was not found."),
            )),
            _ => Ok(json!({})),
        }
    });
    let reply = detached.await?;
    cloud.iam.forget();
    Ok(reply)
}

pub fn list_attached(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let role = required(input, "RoleName")?;
    let arns = column(
        cloud,
        &role,
        "SELECT arn FROM attached_policies WHERE role = ?1 ORDER BY arn",
    )?;
    let prefix = input.get("PathPrefix").and_then(Value::as_str).unwrap_or("/");
    let attached = arns
        .iter()
        .filter_map(|arn| managed::find(arn))
        .filter(|policy| policy.path.starts_with(prefix))
        .map(|policy| json!({ "PolicyName": policy.name, "PolicyArn": policy.arn }))
        .collect();
    page(input, "AttachedPolicies", attached)
}

fn column(cloud: &Cloud, role: &str, select: &str) -> Result<Vec<String>, AwsError> {
    cloud.store.read(|db| {
        require(db, role)?;
        let mut statement = db.prepare_cached(select)?;
        let column = statement
            .query_map([role], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(column)
    })
}

pub fn get_managed(input: &Value) -> Result<Value, AwsError> {
    let policy = managed_policy(input)?;
    Ok(json!({ "Policy": {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": "v1",
        "IsAttachable": true,
        "CreateDate": "2015-04-09T15:03:43Z",
        "UpdateDate": "2015-04-09T15:03:43Z",
    }}))
}

pub fn get_managed_version(input: &Value) -> Result<Value, AwsError> {
    let policy = managed_policy(input)?;
    let version = required(input, "VersionId")?;
    if version != "v1" {
        let message = format!(
            "Policy {} version {version} does not exist or is not attachable.",
            policy.arn
        );
        return Err(AwsError::not_found("NoSuchEntity", message));
    }
    Ok(json!({ "PolicyVersion": {
        "Document": encode_document(policy.document),
        "VersionId": version,
        "IsDefaultVersion": true,
        "CreateDate": "2015-04-09T15:03:43Z",
    }}))
}

fn managed_policy(input: &Value) -> Result<&'static Managed, AwsError> {
    let arn = required(input, "PolicyArn")?;
    managed::find(&arn)
        .ok_or_else(|| AwsError::not_found("NoSuchEntity", format!("Policy {arn} was not found.")))
}
