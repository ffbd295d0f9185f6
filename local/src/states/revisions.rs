//! State machines and their revisions, as rows of the store.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::asl::StateMachine;
use super::validation::check_definition;
use crate::cloud::Cloud;
use crate::error::AwsError;

/// What a state machine is, or was when an execution began.
pub struct Revision {
    pub id: i64,
    pub name: String,
    pub definition: String,
    pub parsed: StateMachine,
    pub role_arn: String,
    pub logging: Value,
    pub tracing: Value,
    pub updated: i64,
}

/// A state machine's row.
pub struct Machine {
    pub revision: i64,
    pub created: i64,
    pub deleting: bool,
    pub tags: Value,
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

pub fn load(db: &Connection, name: &str) -> Result<Option<Machine>, AwsError> {
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
pub fn find(cloud: &Cloud, arn: &str) -> Result<Machine, AwsError> {
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

/// What a revision is to be.
pub struct Wanted {
    pub definition: String,
    pub role_arn: String,
    pub logging: Value,
    pub tracing: Value,
}

impl Wanted {
    pub fn is(&self, revision: &Revision) -> bool {
        self.definition == revision.definition
            && self.role_arn == revision.role_arn
            && self.logging == revision.logging
            && self.tracing == revision.tracing
    }

    pub fn save(&self, tx: &Transaction<'_>, name: &str, now: i64) -> Result<i64, AwsError> {
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
