//! State machines made, changed, read and deleted.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::params;
use serde_json::{Value, json};

use super::asl::seconds;
use super::executions;
use super::revisions::{
    Machine, Wanted, current, does_not_exist, find, load, name_of, remove_if_done, revision,
};
use super::validation::{check_definition, check_logging, check_name, check_role};
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::realism::Change;
use crate::{iam, paging, tags};

fn check(wanted: &Wanted, cloud: &Cloud, call: &Call, arn: &str) -> Result<(), AwsError> {
    check_definition(&wanted.definition)?;
    check_role(cloud, call, &wanted.role_arn, arn)?;
    check_logging(cloud, &wanted.logging, &wanted.role_arn, arn)
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
    iam::authorize_tags(cloud, &call.principal, "states:TagResource", &arn, &input["tags"])?;
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
    check(&wanted, cloud, call, &arn)?;
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
    check(&wanted, cloud, call, &arn)?;
    let now = Timestamp::now().as_millisecond();
    let updated = Change::StateMachineUpdated(name.clone());
    let revision = cloud
        .store
        .write(move |tx| {
            let revision = wanted.save(tx, &name, now)?;
            let updated = tx.execute(
                "UPDATE state_machines SET revision = ?1 WHERE name = ?2",
                params![revision, name],
            )?;
            if updated == 0 {
                // Deleted meanwhile.
                return Err(does_not_exist(&arn));
            }
            Ok(revision)
        })
        .await?;
    cloud.conditions.note(updated);
    Ok(json!({"updateDate": seconds(now), "revisionId": revision.to_string()}))
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["stateMachineArn"]);
    iam::authorize(cloud, &call.principal, "states:DescribeStateMachine", &arn, &[])?;
    let machine = find(cloud, &arn)?;
    let revision = revision(cloud, shown(cloud, &machine, &arn)?)?;
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

/// The revision that is told of: the one before, where an update takes its time to show.
fn shown(cloud: &Cloud, machine: &Machine, arn: &str) -> Result<i64, AwsError> {
    let name = name_of(cloud, arn)?;
    if cloud
        .conditions
        .is_over(|| Change::StateMachineUpdated(name.to_owned()))
    {
        return Ok(machine.revision);
    }
    let before = cloud.store.read(|db| {
        Ok(db
            .prepare_cached("SELECT max(id) FROM state_machine_revisions WHERE name = ?1 AND id < ?2")?
            .query_row(params![name, machine.revision], |row| {
                row.get::<_, Option<i64>>(0)
            })?)
    })?;
    Ok(before.unwrap_or(machine.revision))
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
    let takes = cloud.conditions.state_machine_deletion();
    let marked = name.clone();
    cloud
        .store
        .write(move |tx| {
            tx.execute(
                "UPDATE state_machines SET deleting = 1 WHERE name = ?1",
                [&marked],
            )?;
            if takes.is_zero() {
                remove_if_done(tx, &marked)?;
            }
            Ok(())
        })
        .await?;
    if !takes.is_zero() {
        let cloud = Arc::clone(cloud);
        tokio::spawn(async move {
            tokio::time::sleep(takes).await;
            end_deletion(&cloud, name).await;
        });
    }
    Ok(json!({}))
}

async fn end_deletion(cloud: &Cloud, name: String) {
    let removed = cloud.store.write(move |tx| remove_if_done(tx, &name));
    if let Err(error) = removed.await {
        tracing::warn!(%error, "failed to remove a state machine that was being deleted");
    }
}

/// Goes on with the deletions that a stop cut off.
pub fn end_deletions(cloud: &Arc<Cloud>) {
    let deleting = cloud.store.read(|db| {
        let mut query = db.prepare("SELECT name FROM state_machines WHERE deleting")?;
        let names = query.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<Vec<String>, _>>()?)
    });
    match deleting {
        Ok(names) => {
            let cloud = Arc::clone(cloud);
            tokio::spawn(async move {
                for name in names {
                    end_deletion(&cloud, name).await;
                }
            });
        }
        Err(error) => tracing::warn!(%error, "failed to read the state machines that were being deleted"),
    }
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
    let machine = find(cloud, &arn).map_err(|_| no_resource(&arn))?;
    Ok(json!({"tags": machine.tags}))
}

pub async fn tag(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["resourceArn"]);
    iam::authorize(cloud, &call.principal, "states:TagResource", &arn, &[])?;
    let given = call.input["tags"].clone();
    change_tags(cloud, arn, move |tags| tags::add(tags, &given)).await
}

pub async fn untag(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let arn = text(&call.input["resourceArn"]);
    iam::authorize(cloud, &call.principal, "states:UntagResource", &arn, &[])?;
    let keys = call.input["tagKeys"].as_array().cloned().unwrap_or_default();
    change_tags(cloud, arn, move |tags| {
        tags::remove(tags, keys.iter().filter_map(Value::as_str));
    })
    .await
}

fn no_resource(arn: &str) -> AwsError {
    AwsError::bad_request("ResourceNotFound", format!("Resource not found: '{arn}'"))
}

async fn change_tags<F>(cloud: &Cloud, arn: String, edit: F) -> Result<Value, AwsError>
where
    F: FnOnce(&mut Value) + Send + 'static,
{
    let missing = no_resource(&arn);
    let Ok(name) = name_of(cloud, &arn) else {
        return Err(missing);
    };
    tags::change(cloud, "state_machines", name.to_owned(), missing, edit).await
}
