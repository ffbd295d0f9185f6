//! State machines made, changed, read and deleted.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::asl::{StateMachine, seconds};
use super::executions;
use super::validation::{check_definition, check_logging, check_name, check_role};
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::{iam, paging, tags};

/// What a state machine is, or was when an execution began.
pub struct Revision {
    pub id: i64,
    pub name: String,
    pub definition: String,
    pub parsed: StateMachine,
    pub role_arn: String,
    pub logging: Value,
    tracing: Value,
    updated: i64,
}

/// A state machine's row.
struct Machine {
    revision: i64,
    created: i64,
    deleting: bool,
    tags: Value,
}

impl Revision {
    pub fn arn(&self, cloud: &Cloud) -> String {
        cloud.arn("states", &format!("stateMachine:{}", self.name))
    }
}

/// The name in a state machine's ARN.
pub fn name_of<'a>(cloud: &Cloud, arn: &'a str) -> Result<&'a str, AwsError> {
    let prefix = cloud.arn("states", "stateMachine:");
    match arn.strip_prefix(&prefix) {
        Some(name) if !name.is_empty() && !name.contains(':') => Ok(name),
        _ if arn.starts_with("arn:") => Err(does_not_exist(arn)),
        _ => Err(AwsError::bad_request(
            "InvalidArn",
            format!("Invalid Arn: '{arn}'"),
        )),
    }
}

pub fn does_not_exist(arn: &str) -> AwsError {
    AwsError::bad_request(
        "StateMachineDoesNotExist",
        format!("State Machine Does Not Exist: '{arn}'"),
    )
}

fn load(db: &Connection, name: &str) -> Result<Option<Machine>, AwsError> {
    let machine = db
        .prepare_cached("SELECT revision, created, deleting, tags FROM state_machines WHERE name = ?1")?
        .query_row([name], |row| {
            let tags: String = row.get(3)?;
            Ok(Machine {
                revision: row.get(0)?,
                created: row.get(1)?,
                deleting: row.get(2)?,
                tags: serde_json::from_str(&tags).unwrap_or_else(|_| json!([])),
            })
        })
        .optional()?;
    Ok(machine)
}

/// The machine with this ARN, deleting or not.
fn find(cloud: &Cloud, arn: &str) -> Result<Machine, AwsError> {
    let name = name_of(cloud, arn)?;
    cloud
        .store
        .read(|db| load(db, name))?
        .ok_or_else(|| does_not_exist(arn))
}

/// Fails where there is no machine with this ARN, deleting or not.
pub fn require(cloud: &Cloud, arn: &str) -> Result<(), AwsError> {
    find(cloud, arn).map(drop)
}

/// The current revision of the machine with this ARN, for a new execution.
pub fn current(cloud: &Cloud, arn: &str) -> Result<Arc<Revision>, AwsError> {
    let machine = find(cloud, arn)?;
    if machine.deleting {
        return Err(AwsError::bad_request(
            "StateMachineDeleting",
            format!("State Machine Deleting: '{arn}'"),
        ));
    }
    revision(cloud, machine.revision)
}

pub fn revision(cloud: &Cloud, id: i64) -> Result<Arc<Revision>, AwsError> {
    if let Some(revision) = cloud.states.known(id) {
        return Ok(revision);
    }
    let (name, definition, role_arn, logging, tracing, updated) = cloud.store.read(|db| {
        let columns = "name, definition, role_arn, logging, tracing, updated";
        let mut query = db.prepare_cached(&format!(
            "SELECT {columns} FROM state_machine_revisions WHERE id = ?1"
        ))?;
        let row = query.query_row([id], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, i64>(5)?,
            ))
        })?;
        Ok(row)
    })?;
    let parsed = check_definition(&definition)?;
    let document = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
    let (logging, tracing) = (document(logging), document(tracing));
    let revision = Arc::new(Revision {
        id,
        name,
        definition,
        parsed,
        role_arn,
        logging,
        tracing,
        updated,
    });
    cloud.states.remember(&revision);
    Ok(revision)
}

/// What Create and Update give.
struct Wanted {
    definition: String,
    role_arn: String,
    logging: Value,
    tracing: Value,
}

impl Wanted {
    fn check(&self, cloud: &Cloud, call: &Call, arn: &str) -> Result<(), AwsError> {
        check_definition(&self.definition)?;
        check_role(cloud, call, &self.role_arn, arn)?;
        check_logging(cloud, &self.logging, &self.role_arn, arn)
    }

    fn is(&self, revision: &Revision) -> bool {
        self.definition == revision.definition
            && self.role_arn == revision.role_arn
            && self.logging == revision.logging
            && self.tracing == revision.tracing
    }

    fn save(&self, tx: &Transaction<'_>, name: &str, now: i64) -> Result<i64, AwsError> {
        tx.prepare_cached(
            "INSERT INTO state_machine_revisions (name, definition, role_arn, logging, tracing, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            name,
            self.definition,
            self.role_arn,
            self.logging.to_string(),
            self.tracing.to_string(),
            now
        ])?;
        Ok(tx.last_insert_rowid())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn given(value: &Value, otherwise: Value) -> Value {
    if value.is_null() { otherwise } else { value.clone() }
}

pub async fn create(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = text(&input["name"]);
    check_name(&name)?;
    let arn = cloud.arn("states", &format!("stateMachine:{name}"));
    iam::authorize(cloud, &call.principal, "states:CreateStateMachine", &arn, &[])?;
    if !matches!(input["type"].as_str(), None | Some("STANDARD")) {
        return Err(AwsError::bad_request(
            "StateMachineTypeNotSupported",
            "The local cloud runs STANDARD state machines only",
        ));
    }
    let wanted = Wanted {
        definition: text(&input["definition"]),
        role_arn: text(&input["roleArn"]),
        logging: given(&input["loggingConfiguration"], default_logging()),
        tracing: given(&input["tracingConfiguration"], json!({"enabled": false})),
    };
    wanted.check(cloud, call, &arn)?;
    if let Some(machine) = cloud.store.read(|db| load(db, &name))? {
        if machine.deleting {
            return Err(AwsError::bad_request(
                "StateMachineDeleting",
                format!("State Machine Deleting: '{arn}'"),
            ));
        }
        if wanted.is(revision(cloud, machine.revision)?.as_ref()) {
            return Ok(json!({"stateMachineArn": arn, "creationDate": seconds(machine.created)}));
        }
        return Err(AwsError::bad_request(
            "StateMachineAlreadyExists",
            format!("State Machine Already Exists: '{arn}'"),
        ));
    }
    let now = Timestamp::now().as_millisecond();
    let tags = given(&input["tags"], json!([]));
    cloud
        .store
        .write(move |tx| {
            let revision = wanted.save(tx, &name, now)?;
            tx.execute(
                "INSERT INTO state_machines (name, revision, created, tags) VALUES (?1, ?2, ?3, ?4)",
                params![name, revision, now, tags.to_string()],
            )?;
            Ok(())
        })
        .await?;
    Ok(json!({"stateMachineArn": arn, "creationDate": seconds(now)}))
}

fn default_logging() -> Value {
    json!({"level": "OFF", "includeExecutionData": false})
}

pub async fn update(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let arn = text(&input["stateMachineArn"]);
    iam::authorize(cloud, &call.principal, "states:UpdateStateMachine", &arn, &[])?;
    let name = name_of(cloud, &arn)?.to_owned();
    let before = current(cloud, &arn)?;
    let or_before = |value: &Value, before: &str| value.as_str().unwrap_or(before).to_owned();
    let wanted = Wanted {
        definition: or_before(&input["definition"], &before.definition),
        role_arn: or_before(&input["roleArn"], &before.role_arn),
        logging: given(&input["loggingConfiguration"], before.logging.clone()),
        tracing: given(&input["tracingConfiguration"], before.tracing.clone()),
    };
    wanted.check(cloud, call, &arn)?;
    let now = Timestamp::now().as_millisecond();
    let revision = cloud
        .store
        .write(move |tx| {
            let revision = wanted.save(tx, &name, now)?;
            tx.execute(
                "UPDATE state_machines SET revision = ?1 WHERE name = ?2",
                params![revision, name],
            )?;
            Ok(revision)
        })
        .await?;
    Ok(json!({"updateDate": seconds(now), "revisionId": revision.to_string()}))
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["stateMachineArn"]);
    iam::authorize(cloud, &call.principal, "states:DescribeStateMachine", &arn, &[])?;
    let machine = find(cloud, &arn)?;
    let revision = revision(cloud, machine.revision)?;
    Ok(json!({
        "stateMachineArn": arn,
        "name": revision.name,
        "status": if machine.deleting { "DELETING" } else { "ACTIVE" },
        "definition": revision.definition,
        "roleArn": revision.role_arn,
        "type": "STANDARD",
        "creationDate": seconds(machine.created),
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "revisionId": revision.id.to_string(),
    }))
}

pub fn describe_for_execution(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let execution_arn = text(&call.input["executionArn"]);
    iam::authorize(
        cloud,
        &call.principal,
        "states:DescribeStateMachineForExecution",
        &execution_arn,
        &[],
    )?;
    let execution = executions::find(cloud, &execution_arn)?;
    let revision = revision(cloud, execution.revision)?;
    Ok(json!({
        "stateMachineArn": revision.arn(cloud),
        "name": revision.name,
        "definition": revision.definition,
        "roleArn": revision.role_arn,
        "updateDate": seconds(revision.updated),
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "revisionId": revision.id.to_string(),
    }))
}

/// Deletes a machine at once, or marks it until its running executions have ended.
pub async fn delete(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["stateMachineArn"]);
    iam::authorize(cloud, &call.principal, "states:DeleteStateMachine", &arn, &[])?;
    let name = match name_of(cloud, &arn) {
        Ok(name) => name.to_owned(),
        // What is not there is deleted.
        Err(error) if error.code == "StateMachineDoesNotExist" => return Ok(json!({})),
        Err(error) => return Err(error),
    };
    cloud
        .store
        .write(move |tx| {
            tx.execute("UPDATE state_machines SET deleting = 1 WHERE name = ?1", [&name])?;
            remove_if_done(tx, &name)
        })
        .await?;
    Ok(json!({}))
}

/// Removes a machine that is being deleted and all its executions, once none of them runs.
pub fn remove_if_done(tx: &Transaction<'_>, name: &str) -> Result<(), AwsError> {
    let is_done = tx
        .prepare_cached(
            "SELECT 1 FROM state_machines WHERE name = ?1 AND deleting
             AND NOT EXISTS (SELECT 1 FROM executions WHERE machine = ?1 AND status = 'RUNNING')",
        )?
        .exists([name])?;
    if is_done {
        tx.execute(
            "DELETE FROM execution_events WHERE execution IN (SELECT id FROM executions WHERE machine = ?1)",
            [name],
        )?;
        tx.execute("DELETE FROM executions WHERE machine = ?1", [name])?;
        tx.execute("DELETE FROM state_machine_revisions WHERE name = ?1", [name])?;
        tx.execute("DELETE FROM state_machines WHERE name = ?1", [name])?;
    }
    Ok(())
}

pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    iam::authorize(cloud, &call.principal, "states:ListStateMachines", "*", &[])?;
    let most = executions::page_size(&call.input)?;
    let after = text(&call.input["nextToken"]);
    let mut machines = cloud.store.read(|db| {
        let mut query = db.prepare_cached(
            "SELECT name, created FROM state_machines WHERE name > ?1 ORDER BY name LIMIT ?2",
        )?;
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let rows = query.query_map(params![after, limit], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    })?;
    let next = paging::cut(&mut machines, most).map(|(name, _)| name.clone());
    let listed: Vec<_> = machines
        .iter()
        .map(|(name, created)| {
            let arn = cloud.arn("states", &format!("stateMachine:{name}"));
            json!({"stateMachineArn": arn, "name": name, "type": "STANDARD", "creationDate": seconds(*created)})
        })
        .collect();
    let mut output = json!({"stateMachines": listed});
    if let Some(next) = next {
        output["nextToken"] = json!(next);
    }
    Ok(output)
}

pub fn list_tags(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["resourceArn"]);
    iam::authorize(cloud, &call.principal, "states:ListTagsForResource", &arn, &[])?;
    Ok(json!({"tags": tagged(cloud, &arn)?.tags}))
}

pub async fn tag(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["resourceArn"]);
    iam::authorize(cloud, &call.principal, "states:TagResource", &arn, &[])?;
    let mut tags = tagged(cloud, &arn)?.tags;
    tags::add(&mut tags, &call.input["tags"]);
    save_tags(cloud, &arn, tags).await
}

pub async fn untag(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["resourceArn"]);
    iam::authorize(cloud, &call.principal, "states:UntagResource", &arn, &[])?;
    let mut tags = tagged(cloud, &arn)?.tags;
    let keys = call.input["tagKeys"].as_array().into_iter().flatten();
    tags::remove(&mut tags, keys.filter_map(Value::as_str));
    save_tags(cloud, &arn, tags).await
}

fn tagged(cloud: &Cloud, arn: &str) -> Result<Machine, AwsError> {
    find(cloud, arn)
        .map_err(|_| AwsError::bad_request("ResourceNotFound", format!("Resource not found: '{arn}'")))
}

async fn save_tags(cloud: &Arc<Cloud>, arn: &str, tags: Value) -> Result<Value, AwsError> {
    let (name, tags) = (name_of(cloud, arn)?.to_owned(), tags.to_string());
    cloud
        .store
        .write(move |tx| {
            tx.execute(
                "UPDATE state_machines SET tags = ?1 WHERE name = ?2",
                [&tags, &name],
            )?;
            Ok(json!({}))
        })
        .await
}
