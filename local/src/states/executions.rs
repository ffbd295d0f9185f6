//! Executions: started, described, listed, stopped.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::{Value, json};

use super::asl::{Fault, seconds};
use super::revisions::{self, Revision};
use super::runner::{self, End};
use super::validation::check_name;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::{iam, monitoring, paging, random, states};

/// The most an input may have, in bytes.
const MOST_INPUT: usize = 262_144;

/// An execution's row.
#[derive(Debug, Clone)]
pub struct Execution {
    pub id: i64,
    pub machine: String,
    pub name: String,
    pub revision: i64,
    pub status: String,
    pub input: String,
    pub started: i64,
    pub stopped: Option<i64>,
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// Where it stands; `None` before its first stop.
    pub run: Option<String>,
}

const COLUMNS: &str =
    "id, machine, name, revision, status, input, started, stopped, output, error, cause, run";

impl Execution {
    pub fn arn(&self, cloud: &Cloud) -> String {
        cloud.arn("states", &format!("execution:{}:{}", self.machine, self.name))
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            machine: row.get(1)?,
            name: row.get(2)?,
            revision: row.get(3)?,
            status: row.get(4)?,
            input: row.get(5)?,
            started: row.get(6)?,
            stopped: row.get(7)?,
            output: row.get(8)?,
            error: row.get(9)?,
            cause: row.get(10)?,
            run: row.get(11)?,
        })
    }
}

/// An execution that is to be.
#[derive(Debug, Clone)]
pub struct NewExecution {
    pub machine: String,
    pub name: String,
    pub revision: i64,
    pub input: String,
}

impl NewExecution {
    pub fn of(revision: &Revision, name: String, input: String) -> Self {
        Self {
            machine: revision.name.clone(),
            name,
            revision: revision.id,
            input,
        }
    }
}

/// Inserts an execution, in the transaction that acknowledges it. It runs from [`states::begin`] on. None where its
/// machine was deleted since it was looked up.
pub fn insert(tx: &Transaction<'_>, new: NewExecution) -> Result<Option<Execution>, AwsError> {
    let started = Timestamp::now().as_millisecond();
    let inserted = tx
        .prepare_cached(
            "INSERT INTO executions (machine, name, revision, status, input, started)
             SELECT ?1, ?2, ?3, 'RUNNING', ?4, ?5
             WHERE EXISTS (SELECT 1 FROM state_machines WHERE name = ?1 AND NOT deleting)
             AND EXISTS (SELECT 1 FROM state_machine_revisions WHERE id = ?3)",
        )?
        .execute(params![new.machine, new.name, new.revision, new.input, started])?;
    if inserted == 0 {
        return Ok(None);
    }
    Ok(Some(Execution {
        id: tx.last_insert_rowid(),
        machine: new.machine,
        name: new.name,
        revision: new.revision,
        status: "RUNNING".to_owned(),
        input: new.input,
        started,
        stopped: None,
        output: None,
        error: None,
        cause: None,
        run: None,
    }))
}

/// The executions that a restart has to carry on with.
pub fn running(cloud: &Cloud) -> Result<Vec<Execution>, AwsError> {
    cloud.store.read(|db| {
        let mut query = db.prepare(&format!(
            "SELECT {COLUMNS} FROM executions WHERE status = 'RUNNING' ORDER BY id"
        ))?;
        let rows = query.query_map([], Execution::read)?.collect::<Result<_, _>>()?;
        Ok(rows)
    })
}

fn load(db: &Connection, machine: &str, name: &str) -> Result<Option<Execution>, AwsError> {
    let query = format!("SELECT {COLUMNS} FROM executions WHERE machine = ?1 AND name = ?2");
    Ok(db
        .prepare_cached(&query)?
        .query_row([machine, name], Execution::read)
        .optional()?)
}

pub fn find(cloud: &Cloud, arn: &str) -> Result<Execution, AwsError> {
    let missing = || {
        AwsError::bad_request(
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{arn}'"),
        )
    };
    let prefix = cloud.arn("states", "execution:");
    if !arn.starts_with("arn:") {
        return Err(AwsError::bad_request(
            "InvalidArn",
            format!("Invalid Arn: '{arn}'"),
        ));
    }
    let (machine, name) = arn
        .strip_prefix(&prefix)
        .and_then(|rest| rest.split_once(':'))
        .ok_or_else(missing)?;
    cloud
        .store
        .read(|db| load(db, machine, name))?
        .ok_or_else(missing)
}

pub async fn start(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let arn = input["stateMachineArn"].as_str().unwrap_or_default();
    iam::authorize(cloud, &call.principal, "states:StartExecution", arn, &[])?;
    let execution = start_as(
        cloud,
        arn,
        input["name"].as_str(),
        input["input"].as_str().unwrap_or("{}"),
    )
    .await?;
    Ok(json!({"executionArn": execution.arn(cloud), "startDate": seconds(execution.started)}))
}

/// Starts an execution for a caller who may.
pub async fn start_as(
    cloud: &Arc<Cloud>,
    arn: &str,
    name: Option<&str>,
    input: &str,
) -> Result<Execution, AwsError> {
    let revision = revisions::current(cloud, arn)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => random::uuid()?,
    };
    check_name(&name)?;
    check_input(input)?;
    let new = NewExecution::of(&revision, name, input.to_owned());
    let wanted = new.clone();
    let (execution, is_new) = cloud
        .store
        .write(move |tx| match load(tx, &new.machine, &new.name)? {
            Some(there) => Ok((Some(there), false)),
            None => insert(tx, new).map(|execution| (execution, true)),
        })
        .await?;
    let execution = execution.ok_or_else(|| revisions::does_not_exist(arn))?;
    if is_new {
        states::begin(cloud, execution.clone());
    } else if execution.status != "RUNNING" || execution.input != wanted.input {
        let message = format!("Execution Already Exists: '{}'", execution.arn(cloud));
        return Err(AwsError::bad_request("ExecutionAlreadyExists", message));
    }
    Ok(execution)
}

fn check_input(input: &str) -> Result<(), AwsError> {
    if input.len() > MOST_INPUT {
        return Err(AwsError::validation(format!(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or \
             equal to {MOST_INPUT}"
        )));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(input)
        .map(drop)
        .map_err(|error| {
            AwsError::bad_request(
                "InvalidExecutionInput",
                format!("Invalid State Machine Execution Input: '{error}'"),
            )
        })
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = call.input["executionArn"].as_str().unwrap_or_default();
    iam::authorize(cloud, &call.principal, "states:DescribeExecution", arn, &[])?;
    let execution = find(cloud, arn)?;
    let mut output = summary(cloud, &execution);
    output["input"] = json!(execution.input);
    output["inputDetails"] = json!({"included": true});
    output["redriveCount"] = json!(0);
    if let Some(text) = execution.output {
        output["output"] = json!(text);
        output["outputDetails"] = json!({"included": true});
    }
    for (name, text) in [("error", execution.error), ("cause", execution.cause)] {
        if let Some(text) = text {
            output[name] = json!(text);
        }
    }
    let redrivable = ["FAILED", "TIMED_OUT", "ABORTED"].contains(&execution.status.as_str());
    output["redriveStatus"] = json!("NOT_REDRIVABLE");
    let reason = if redrivable {
        "The local cloud does not redrive executions"
    } else {
        "Execution is not in a state that can be redriven"
    };
    output["redriveStatusReason"] = json!(reason);
    Ok(output)
}

fn summary(cloud: &Cloud, execution: &Execution) -> Value {
    let mut summary = json!({
        "executionArn": execution.arn(cloud),
        "stateMachineArn": cloud.arn("states", &format!("stateMachine:{}", execution.machine)),
        "name": execution.name,
        "status": execution.status,
        "startDate": seconds(execution.started),
    });
    if let Some(stopped) = execution.stopped {
        summary["stopDate"] = json!(seconds(stopped));
    }
    summary
}

/// `maxResults`: 100 unless told, 1000 at most.
pub fn page_size(input: &Value) -> Result<usize, AwsError> {
    match input["maxResults"].as_u64().unwrap_or(0) {
        0 => Ok(100),
        most @ 1..=1000 => usize::try_from(most).map_err(|error| AwsError::validation(error.to_string())),
        _ => Err(AwsError::validation(
            "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value less than \
             or equal to 1000",
        )),
    }
}

pub fn invalid_token(token: &str) -> AwsError {
    AwsError::bad_request("InvalidToken", format!("Invalid Token: '{token}'"))
}

/// ListExecutions: the newest first.
pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let arn = input["stateMachineArn"].as_str().unwrap_or_default();
    iam::authorize(cloud, &call.principal, "states:ListExecutions", arn, &[])?;
    let machine = revisions::name_of(cloud, arn)?;
    revisions::require(cloud, arn)?;
    let most = page_size(input)?;
    let before: i64 = match input["nextToken"].as_str() {
        Some(token) => token.parse().map_err(|_| invalid_token(token))?,
        None => i64::MAX,
    };
    let status = input["statusFilter"].as_str();
    // Each an index walk: by the index of the machine alone, all of its executions would be sorted for every page.
    let wanted = match status {
        Some(_) => "machine = ?1 AND status = ?3",
        None => "+machine = ?1 AND ?3 IS NULL",
    };
    let mut found = cloud.store.read(|db| {
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM executions WHERE {wanted} AND id < ?2 ORDER BY id DESC LIMIT ?4"
        ))?;
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let rows = query
            .query_map(params![machine, before, status, limit], Execution::read)?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(rows)
    })?;
    let next = paging::cut(&mut found, most).map(|last| last.id.to_string());
    let mut output =
        json!({"executions": found.iter().map(|execution| summary(cloud, execution)).collect::<Vec<_>>()});
    if let Some(next) = next {
        output["nextToken"] = json!(next);
    }
    Ok(output)
}

/// StopExecution: returns when the execution has ended.
pub async fn stop(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let arn = input["executionArn"].as_str().unwrap_or_default();
    iam::authorize(cloud, &call.principal, "states:StopExecution", arn, &[])?;
    let execution = find(cloud, arn)?;
    let text = |name: &str| input[name].as_str().map(str::to_owned);
    let fault = Fault {
        error: text("error"),
        cause: text("cause"),
    };
    if execution.status == "RUNNING" && !cloud.states.running.abort(execution.id, fault.clone()).await {
        runner::close(cloud, &execution, End::aborted(fault)).await?;
    }
    let stopped = find(cloud, arn)?.stopped.unwrap_or(execution.started);
    Ok(json!({"stopDate": seconds(stopped)}))
}

/// Counts in AWS/States for the machine.
pub fn count(cloud: &Cloud, machine: &str, metric: &str, value: f64, unit: &str) {
    let arn = cloud.arn("states", &format!("stateMachine:{machine}"));
    monitoring::record(
        cloud,
        "AWS/States",
        metric,
        &[("StateMachineArn", &arn)],
        value,
        unit,
    );
}
