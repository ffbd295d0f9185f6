//! Rules made, changed, read and deleted.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::pattern::Pattern;
use crate::call::Call;
use crate::cloud::{ACCOUNT, Cloud};
use crate::error::AwsError;
use crate::{iam, paging, tags};

pub struct Rule {
    pub name: String,
    pub pattern: String,
    pub state: String,
    description: String,
    tags: Value,
}

const COLUMNS: &str = "name, pattern, state, description, tags";

impl Rule {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let tags: String = row.get(4)?;
        Ok(Self {
            name: row.get(0)?,
            pattern: row.get(1)?,
            state: row.get(2)?,
            description: row.get(3)?,
            tags: serde_json::from_str(&tags).unwrap_or_else(|_| json!([])),
        })
    }

    fn document(&self, cloud: &Cloud) -> Value {
        let mut document = json!({
            "Name": self.name,
            "Arn": arn(cloud, &self.name),
            "EventPattern": self.pattern,
            "State": self.state,
            "EventBusName": "default",
        });
        if !self.description.is_empty() {
            document["Description"] = json!(self.description);
        }
        document
    }
}

pub fn arn(cloud: &Cloud, name: &str) -> String {
    cloud.arn("events", &format!("rule/{name}"))
}

pub fn load(db: &Connection, name: &str) -> Result<Option<Rule>, AwsError> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM rules WHERE name = ?1"))?;
    Ok(query.query_row([name], Rule::read).optional()?)
}

pub fn all(db: &Connection) -> Result<Vec<Rule>, AwsError> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM rules ORDER BY name"))?;
    Ok(query.query_map([], Rule::read)?.collect::<Result<_, _>>()?)
}

pub fn missing(name: &str) -> AwsError {
    let message = format!("Rule {name} does not exist on EventBus default.");
    AwsError::bad_request("ResourceNotFoundException", message)
}

/// The rule named by the input's `member`, if the caller may do `action` to it.
pub fn authorized(cloud: &Cloud, call: &Call, member: &str, action: &str) -> Result<Rule, AwsError> {
    let name = call.input[member].as_str().unwrap_or_default();
    iam::authorize(cloud, &call.principal, action, &arn(cloud, name), &[])?;
    cloud
        .store
        .read(|db| load(db, name))?
        .ok_or_else(|| missing(name))
}

pub async fn put(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = input["Name"].as_str().unwrap_or_default().to_owned();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_allowed) {
        return Err(AwsError::validation(format!(
            "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [\\.\\-_A-Za-z0-9]+"
        )));
    }
    let rule_arn = arn(cloud, &name);
    iam::authorize(cloud, &call.principal, "events:PutRule", &rule_arn, &[])?;
    iam::authorize_tags(
        cloud,
        &call.principal,
        "events:TagResource",
        &rule_arn,
        &input["Tags"],
    )?;
    let pattern = input["EventPattern"].as_str().unwrap_or_default().to_owned();
    check_pattern(&pattern)?;
    let state = input["State"].as_str().unwrap_or("ENABLED").to_owned();
    let description = input["Description"].as_str().unwrap_or_default().to_owned();
    let tags = if input["Tags"].is_array() {
        input["Tags"].clone()
    } else {
        json!([])
    };
    cloud
        .store
        .write(move |tx| {
            tx.execute(
                "INSERT INTO rules (name, pattern, state, description, tags) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (name) DO UPDATE SET pattern = ?2, state = ?3, description = ?4",
                params![name, pattern, state, description, tags.to_string()],
            )?;
            Ok(())
        })
        .await?;
    cloud.events.rules.forget();
    Ok(json!({"RuleArn": rule_arn}))
}

pub fn check_pattern(pattern: &str) -> Result<Pattern, AwsError> {
    Pattern::parse(pattern).map_err(|reason| {
        AwsError::bad_request(
            "InvalidEventPatternException",
            format!("Event pattern is not valid. Reason: {reason}"),
        )
    })
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let rule = authorized(cloud, call, "Name", "events:DescribeRule")?;
    let mut document = rule.document(cloud);
    document["CreatedBy"] = json!(ACCOUNT);
    Ok(document)
}

pub async fn delete(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let name = match authorized(cloud, call, "Name", "events:DeleteRule") {
        Ok(rule) => rule.name,
        // What is not there is deleted.
        Err(error) if error.code == "ResourceNotFoundException" => return Ok(json!({})),
        Err(error) => return Err(error),
    };
    cloud
        .store
        .write(move |tx| {
            if tx
                .prepare("SELECT 1 FROM targets WHERE rule = ?1")?
                .exists([&name])?
            {
                return Err(AwsError::validation(
                    "Rule can't be deleted since it has targets.",
                ));
            }
            tx.execute("DELETE FROM rules WHERE name = ?1", [&name])?;
            Ok(())
        })
        .await?;
    cloud.events.rules.forget();
    Ok(json!({}))
}

pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    iam::authorize(
        cloud,
        &call.principal,
        "events:ListRules",
        &cloud.arn("events", "rule/*"),
        &[],
    )?;
    let prefix = call.input["NamePrefix"].as_str().unwrap_or_default();
    let rules: Vec<_> = cloud
        .store
        .read(all)?
        .iter()
        .filter(|rule| rule.name.starts_with(prefix))
        .map(|rule| rule.document(cloud))
        .collect();
    page(&call.input, "Rules", rules)
}

/// One page of a list.
pub fn page(input: &Value, member: &str, items: Vec<Value>) -> Result<Value, AwsError> {
    let limit = input["Limit"].as_u64().unwrap_or(100).clamp(1, 100);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = paging::page(items, input["NextToken"].as_str(), limit)
        .ok_or_else(|| AwsError::validation("The NextToken is not one that this list gave."))?;
    Ok(json!({member: page.items, "NextToken": page.next}))
}

pub async fn set_state(cloud: &Arc<Cloud>, call: &Call, state: &'static str) -> Result<Value, AwsError> {
    let action = if state == "ENABLED" {
        "events:EnableRule"
    } else {
        "events:DisableRule"
    };
    let name = authorized(cloud, call, "Name", action)?.name;
    let changed = cloud.store.write(move |tx| {
        tx.execute("UPDATE rules SET state = ?1 WHERE name = ?2", [state, &name])?;
        Ok(json!({}))
    });
    let output = changed.await?;
    cloud.events.rules.forget();
    Ok(output)
}

/// The name in the rule's ARN that the tagging operations give.
fn tagged(cloud: &Cloud, call: &Call, action: &str) -> Result<String, AwsError> {
    let resource = call.input["ResourceARN"].as_str().unwrap_or_default();
    iam::authorize(cloud, &call.principal, action, resource, &[])?;
    let name = resource.rsplit('/').next().unwrap_or_default();
    if arn(cloud, name) == resource {
        Ok(name.to_owned())
    } else {
        Err(missing(name))
    }
}

pub fn list_tags(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = tagged(cloud, call, "events:ListTagsForResource")?;
    let rule = cloud.store.read(|db| load(db, &name))?;
    Ok(json!({"Tags": rule.ok_or_else(|| missing(&name))?.tags}))
}

pub async fn tag(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let name = tagged(cloud, call, "events:TagResource")?;
    let given = call.input["Tags"].clone();
    change_tags(cloud, name, move |tags| tags::add(tags, &given)).await
}

pub async fn untag(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let name = tagged(cloud, call, "events:UntagResource")?;
    let keys = call.input["TagKeys"].as_array().cloned().unwrap_or_default();
    change_tags(cloud, name, move |tags| {
        tags::remove(tags, keys.iter().filter_map(Value::as_str));
    })
    .await
}

async fn change_tags<F>(cloud: &Cloud, name: String, edit: F) -> Result<Value, AwsError>
where
    F: FnOnce(&mut Value) + Send + 'static,
{
    let missing = missing(&name);
    tags::change(cloud, "rules", name, missing, edit).await
}
