//! From the queue to the targets.
//!
//! An execution is inserted in the transaction that takes the event from the queue: each event starts it once, also
//! when the local cloud is killed in between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::pattern::Pattern;
use super::rules::{self, Rule};
use super::targets;
use super::transformer::{Matched, Transformer};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::states::{self, NewExecution};
use crate::{iam, monitoring, random};

/// Events taken from the queue together.
const BATCH: usize = 128;
/// How long to wait after the store failed.
const RETRY: Duration = Duration::from_secs(1);

/// The enabled rules, parsed; read again after a change.
#[derive(Default)]
pub struct ReadyRules(Mutex<Option<Arc<Vec<ReadyRule>>>>);

struct ReadyRule {
    name: String,
    arn: String,
    pattern: Pattern,
    targets: Vec<ReadyTarget>,
}

struct ReadyTarget {
    arn: String,
    role_arn: String,
    transformer: Transformer,
}

impl ReadyRules {
    /// Called after every committed change.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The lock is held while rules are read, so that a [`ReadyRules::forget`] comes after what was read before it.
    fn get(&self, cloud: &Cloud) -> Result<Arc<Vec<ReadyRule>>, AwsError> {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = ready.as_ref() {
            return Ok(Arc::clone(ready));
        }
        let read = cloud.store.read(|db| {
            let mut ready = Vec::new();
            for rule in rules::all(db)? {
                if rule.state != "DISABLED" {
                    let targets = targets::of_rule(db, &rule.name)?;
                    ready.extend(ReadyRule::of_readable(cloud, &rule, &targets));
                }
            }
            Ok(ready)
        })?;
        Ok(Arc::clone(ready.insert(Arc::new(read))))
    }
}

impl ReadyRule {
    /// A rule that another version took and this one does not read must not hold up the others.
    fn of_readable(cloud: &Cloud, rule: &Rule, targets: &[Value]) -> Option<Self> {
        Self::of(cloud, rule, targets)
            .inspect_err(
                |error| tracing::error!(%error, rule = rule.name, "a rule cannot be read and is skipped"),
            )
            .ok()
    }

    fn of(cloud: &Cloud, rule: &Rule, targets: &[Value]) -> Result<Self, AwsError> {
        Ok(Self {
            name: rule.name.clone(),
            arn: rules::arn(cloud, &rule.name),
            pattern: rules::check_pattern(&rule.pattern)?,
            targets: targets.iter().map(ReadyTarget::of).collect::<Result<_, _>>()?,
        })
    }
}

impl ReadyTarget {
    fn of(target: &Value) -> Result<Self, AwsError> {
        let text = |member: &str| target[member].as_str().unwrap_or_default().to_owned();
        let transformer = Transformer::of_target(target).map_err(AwsError::validation)?;
        Ok(Self {
            arn: text("Arn"),
            role_arn: text("RoleArn"),
            transformer,
        })
    }
}

/// Delivers what is in the queue, and again whenever something was enqueued.
pub async fn deliver(cloud: Arc<Cloud>) {
    loop {
        match deliver_batch(&cloud).await {
            Ok(0) => cloud.events.pending.notified().await,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "failed to deliver events, trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Delivers the oldest events of the queue and returns how many they were.
async fn deliver_batch(cloud: &Arc<Cloud>) -> Result<usize, AwsError> {
    let pending = cloud.store.read(|db| {
        let mut query = db.prepare_cached("SELECT id, body FROM pending_events ORDER BY id LIMIT ?1")?;
        let rows = query.query_map([i64::try_from(BATCH).unwrap_or(i64::MAX)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    })?;
    if pending.is_empty() {
        return Ok(0);
    }
    let rules = cloud.events.rules.get(cloud)?;
    let mut starts = Vec::new();
    for (_, body) in &pending {
        match serde_json::from_str(body) {
            Ok(event) => {
                for rule in rules.iter() {
                    starts.extend(match_rule(cloud, rule, &event)?);
                }
            }
            Err(error) => tracing::error!(%error, "an event in the queue is no JSON and is dropped"),
        }
    }
    let ids: Vec<i64> = pending.iter().map(|(id, _)| *id).collect();
    let delivered = ids.len();
    let started = cloud
        .store
        .write(move |tx| {
            let mut delete = tx.prepare_cached("DELETE FROM pending_events WHERE id = ?1")?;
            for id in ids {
                delete.execute([id])?;
            }
            starts
                .into_iter()
                .map(|start| Ok((start.rule, states::insert(tx, start.new)?)))
                .collect::<Result<Vec<_>, AwsError>>()
        })
        .await?;
    for (rule, execution) in started {
        match execution {
            Some(execution) => states::carry_on(cloud, execution),
            None => count_failed(cloud, &rule, "the state machine does not exist any more"),
        }
    }
    Ok(delivered)
}

/// An execution that a rule starts.
struct Start {
    rule: String,
    new: NewExecution,
}

fn count(cloud: &Cloud, rule: &str, metric: &str) {
    let dimensions = [("RuleName", rule)];
    monitoring::record(cloud, "AWS/Events", metric, &dimensions, 1.0, "Count");
}

fn count_failed(cloud: &Cloud, rule: &str, reason: &str) {
    tracing::warn!(rule, reason, "an invocation failed");
    count(cloud, rule, "FailedInvocations");
}

/// The executions that an event starts through a rule. What fails is counted and dropped: a missing permission or machine
/// is not retried on AWS either.
fn match_rule(cloud: &Cloud, rule: &ReadyRule, event: &Value) -> Result<Vec<Start>, AwsError> {
    if !rule.pattern.matches(event) {
        return Ok(Vec::new());
    }
    count(cloud, &rule.name, "MatchedEvents");
    count(cloud, &rule.name, "TriggeredRules");
    let mut starts = Vec::new();
    for target in &rule.targets {
        count(cloud, &rule.name, "Invocations");
        match start_of(cloud, rule, target, event) {
            Ok(new) => starts.push(Start {
                rule: rule.name.clone(),
                new,
            }),
            // Our own trouble (the store, file handles) passes: the batch is tried again.
            Err(error) if error.status >= 500 => return Err(error),
            Err(error) => count_failed(cloud, &rule.name, &format!("{}: {}", target.arn, error.message)),
        }
    }
    Ok(starts)
}

fn start_of(
    cloud: &Cloud,
    rule: &ReadyRule,
    target: &ReadyTarget,
    event: &Value,
) -> Result<NewExecution, AwsError> {
    let matched = Matched {
        rule_name: &rule.name,
        rule_arn: &rule.arn,
    };
    let input = target
        .transformer
        .apply(event, matched)
        .map_err(AwsError::validation)?;
    let session = iam::assume_for_service(
        cloud,
        &target.role_arn,
        "events.amazonaws.com",
        &rule.arn,
        &rule.name,
    )?;
    iam::authorize(
        cloud,
        &session.principal,
        "states:StartExecution",
        &target.arn,
        &[],
    )?;
    let revision = states::current(cloud, &target.arn)?;
    let event_id = event["id"].as_str().unwrap_or_default();
    // AWS chooses the name: the event's id and another.
    let name = format!("{event_id}_{}", random::uuid()?);
    Ok(NewExecution::of(&revision, name, input.to_string()))
}
