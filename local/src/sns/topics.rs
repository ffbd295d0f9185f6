//! Topics.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::{invalid, page, required, subscriptions};
use crate::cloud::{ACCOUNT, Cloud};
use crate::error::AwsError;
use crate::tags;

/// The longest name.
const LONGEST_NAME: usize = 256;
/// The longest policy, in bytes.
const LONGEST_POLICY: usize = 30_720;

pub fn arn(cloud: &Cloud, name: &str) -> String {
    cloud.arn("sns", name)
}

/// The name in a topic's ARN, under `field` of the input.
pub fn named(cloud: &Cloud, input: &Value, field: &str) -> Result<String, AwsError> {
    let given = required(input, field)?;
    given
        .strip_prefix(&arn(cloud, ""))
        .filter(|name| !name.is_empty() && !name.contains(':'))
        .map(str::to_owned)
        .ok_or_else(|| invalid(&format!("{field} Reason: it is no topic's here: {given}")))
}

pub fn missing() -> AwsError {
    AwsError::not_found("NotFound", "Topic does not exist")
}

fn missing_resource() -> AwsError {
    AwsError::not_found("ResourceNotFound", "Resource does not exist")
}

/// Fails if there is no such topic.
pub fn require(db: &Connection, name: &str) -> Result<(), AwsError> {
    let found = db
        .prepare_cached("SELECT 1 FROM topics WHERE name = ?1")?
        .exists([name])?;
    if found { Ok(()) } else { Err(missing()) }
}

/// Makes a topic. One that is there is as good, if it is the same.
pub async fn create(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = required(input, "Name")?.to_owned();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.len() > LONGEST_NAME || !name.chars().all(is_allowed) {
        return Err(invalid("Topic Name"));
    }
    let attribute = |attribute: &str| input["Attributes"][attribute].as_str().map(str::to_owned);
    let (policy, display_name) = (attribute("Policy"), attribute("DisplayName"));
    if let Some(policy) = &policy {
        check_policy(policy)?;
    }
    let tags = given_tags(input)?;
    let topic_arn = arn(cloud, &name);
    let default = default_policy(&topic_arn);
    let created = cloud.store.write(move |tx| {
        let found: Option<(String, String, String)> = tx
            .prepare_cached("SELECT policy, display_name, tags FROM topics WHERE name = ?1")?
            .query_row([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((stands, called, tagged)) = found else {
            tx.execute(
                "INSERT INTO topics (name, policy, display_name, tags) VALUES (?1, ?2, ?3, ?4)",
                params![
                    name,
                    policy.unwrap_or(default),
                    display_name.unwrap_or_default(),
                    tags.to_string()
                ],
            )?;
            return Ok(());
        };
        if policy.is_some_and(|policy| policy != stands) || display_name.is_some_and(|name| name != called) {
            return Err(invalid(
                "Attributes Reason: Topic already exists with different attributes",
            ));
        }
        let tagged: Value = serde_json::from_str(&tagged).unwrap_or_default();
        if tags != json!([]) && tags != tagged {
            return Err(invalid("Tags Reason: Topic already exists with different tags"));
        }
        Ok(())
    });
    created.await?;
    Ok(json!({"TopicArn": topic_arn}))
}

/// The owner may do everything.
fn default_policy(topic_arn: &str) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
            ],
            "Resource": topic_arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
        }],
    })
    .to_string()
}

fn check_policy(policy: &str) -> Result<(), AwsError> {
    let document: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = document["Statement"].as_array().is_some_and(|statements| {
        statements.iter().all(|statement| {
            let has = |field: &str| !statement[field].is_null();
            has("Effect") && has("Principal") && has("Action") && has("Resource")
        })
    });
    if statements && policy.len() <= LONGEST_POLICY {
        Ok(())
    } else {
        Err(invalid("Policy Error: null"))
    }
}

fn given_tags(input: &Value) -> Result<Value, AwsError> {
    tags::given(input).ok_or_else(|| invalid("Tags"))
}

/// What is not there is deleted. Its subscriptions go with it.
pub async fn delete(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = named(cloud, input, "TopicArn")?;
    let deleted = cloud.store.write(move |tx| {
        tx.execute("DELETE FROM topics WHERE name = ?1", [&name])?;
        Ok(json!({}))
    });
    deleted.await
}

pub fn get(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = named(cloud, input, "TopicArn")?;
    let (policy, display_name, confirmed, pending) = cloud.store.read(|db| {
        let mut found = db.prepare_cached("SELECT policy, display_name FROM topics WHERE name = ?1")?;
        let found = found
            .query_row([&name], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })
            .optional()?;
        let (policy, display_name) = found.ok_or_else(missing)?;
        let (confirmed, pending) = subscriptions::counted(db, &name)?;
        Ok((policy, display_name, confirmed, pending))
    })?;
    Ok(json!({"Attributes": {
        "TopicArn": arn(cloud, &name),
        "Owner": ACCOUNT,
        "Policy": policy,
        "DisplayName": display_name,
        "SubscriptionsConfirmed": confirmed.to_string(),
        "SubscriptionsPending": pending.to_string(),
        "SubscriptionsDeleted": "0",
    }}))
}

pub async fn set(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = named(cloud, input, "TopicArn")?;
    let value = input["AttributeValue"].as_str().unwrap_or_default().to_owned();
    let update = match required(input, "AttributeName")? {
        "Policy" => {
            check_policy(&value)?;
            "UPDATE topics SET policy = ?2 WHERE name = ?1"
        }
        "DisplayName" => "UPDATE topics SET display_name = ?2 WHERE name = ?1",
        _ => return Err(invalid("AttributeName")),
    };
    let changed = cloud
        .store
        .write(move |tx| match tx.execute(update, [&name, &value])? {
            0 => Err(missing()),
            _ => Ok(json!({})),
        });
    changed.await
}

pub fn list(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let names: Vec<String> = cloud.store.read(|db| {
        let mut all = db.prepare_cached("SELECT name FROM topics ORDER BY name")?;
        let rows = all.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let topics = names.iter().map(|name| json!({"TopicArn": arn(cloud, name)}));
    page(input, "Topics", topics.collect())
}

pub fn list_tags(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = named(cloud, input, "ResourceArn")?;
    let tags: Option<String> = cloud.store.read(|db| {
        let mut found = db.prepare_cached("SELECT tags FROM topics WHERE name = ?1")?;
        Ok(found.query_row([&name], |row| row.get(0)).optional()?)
    })?;
    let tags = tags.ok_or_else(missing_resource)?;
    Ok(json!({"Tags": serde_json::from_str::<Value>(&tags).unwrap_or_default()}))
}

pub async fn tag(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = named(cloud, input, "ResourceArn")?;
    let given = given_tags(input)?;
    tags::change(cloud, "topics", name, missing_resource(), move |tags| {
        tags::add(tags, &given);
    })
    .await
}

pub async fn untag(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = named(cloud, input, "ResourceArn")?;
    let keys = input["TagKeys"].as_array().cloned().unwrap_or_default();
    tags::change(cloud, "topics", name, missing_resource(), move |tags| {
        tags::remove(tags, keys.iter().filter_map(Value::as_str));
    })
    .await
}
