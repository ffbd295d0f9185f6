//! From the queue to the targets.
//!
//! An execution is inserted in the transaction that takes the event from the queue: each event starts it once, also
//! when the local cloud is killed in between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::pattern::Pattern;
use super::retry::{self, Failed, RetryPolicy};
use super::rules::{self, Rule};
use super::targets;
use super::transformer::{Matched, Transformer};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::states::{self, NewExecution};
use crate::{iam, monitoring, random};

/// Events taken from the queue together, and deliveries tried again together.
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
    id: String,
    arn: String,
    role_arn: String,
    transformer: Transformer,
    retry: RetryPolicy,
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
            id: text("Id"),
            arn: text("Arn"),
            role_arn: text("RoleArn"),
            transformer,
            retry: RetryPolicy::of_target(target)?,
        })
    }
}

/// Delivers what is in the queue, and again whenever something was enqueued or is to be tried again.
pub async fn deliver(cloud: Arc<Cloud>) {
    loop {
        match deliver_batch(&cloud).await {
            Ok(0) => wait(&cloud).await,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "failed to deliver events, trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn wait(cloud: &Cloud) {
    let due = match retry::next_due(cloud) {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "failed to read the failed deliveries, trying again");
            Some(Timestamp::now().as_millisecond() + 1000)
        }
    };
    let due = async {
        match due {
            Some(due) => {
                let left = u64::try_from(due - Timestamp::now().as_millisecond()).unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(left)).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = cloud.events.pending.notified() => {}
        () = due => {}
    }
}

/// What one batch comes to, to be written together.
#[derive(Default)]
struct Batch {
    events: Vec<i64>,
    /// Rows of deliveries that have come to their end.
    ended: Vec<i64>,
    starts: Vec<Start>,
    again: Vec<Failed>,
    /// Rules and their metrics that are counted when all this is written.
    counts: Vec<(String, &'static str)>,
}

/// An execution that a rule starts.
struct Start {
    rule: String,
    new: NewExecution,
}

/// An event on its way to one target.
struct Delivery<'e> {
    /// The row of [`Failed`], where it failed before.
    failed: Option<i64>,
    body: &'e str,
    queued: i64,
    retries: u32,
}

/// Delivers the oldest events of the queue and what is to be tried again, and returns how many they were.
async fn deliver_batch(cloud: &Arc<Cloud>) -> Result<usize, AwsError> {
    let rules = cloud.events.rules.get(cloud)?;
    let mut batch = Batch::default();
    for (id, body, queued) in pending(cloud)? {
        batch.events.push(id);
        batch.add_event(cloud, &rules, &body, queued);
    }
    for failed in retry::due(cloud, BATCH)? {
        batch.try_again(cloud, &rules, failed);
    }
    let delivered = batch.events.len() + batch.ended.len() + batch.again.len();
    if delivered > 0 {
        batch.write(cloud).await?;
    }
    Ok(delivered)
}

/// The oldest events: ids, bodies and times.
fn pending(cloud: &Cloud) -> Result<Vec<(i64, String, i64)>, AwsError> {
    cloud.store.read(|db| {
        let mut query =
            db.prepare_cached("SELECT id, body, created FROM pending_events ORDER BY id LIMIT ?1")?;
        let rows = query.query_map([i64::try_from(BATCH).unwrap_or(i64::MAX)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    })
}

impl Batch {
    fn count(&mut self, rule: &str, metric: &'static str) {
        self.counts.push((rule.to_owned(), metric));
    }

    /// Delivers an event to the targets of each rule that it matches.
    fn add_event(&mut self, cloud: &Cloud, rules: &[ReadyRule], body: &str, queued: i64) {
        let event: Value = match serde_json::from_str(body) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, "an event in the queue is no JSON and is dropped");
                return;
            }
        };
        for rule in rules.iter().filter(|rule| rule.pattern.matches(&event)) {
            self.count(&rule.name, "MatchedEvents");
            self.count(&rule.name, "TriggeredRules");
            for target in &rule.targets {
                let delivery = Delivery {
                    failed: None,
                    body,
                    queued,
                    retries: 0,
                };
                self.attempt(cloud, rule, target, &event, &delivery);
            }
        }
    }

    /// Tries a delivery again, by what its rule and target are now.
    fn try_again(&mut self, cloud: &Cloud, rules: &[ReadyRule], failed: Failed) {
        let rule = rules.iter().find(|rule| rule.name == failed.rule);
        let target = rule.and_then(|rule| rule.targets.iter().find(|target| target.id == failed.target));
        let delivery = Delivery {
            failed: failed.id,
            body: &failed.body,
            queued: failed.queued,
            retries: failed.retries + 1,
        };
        match (rule, target, serde_json::from_str(&failed.body)) {
            (Some(rule), Some(target), Ok(event)) => self.attempt(cloud, rule, target, &event, &delivery),
            _ => self.give_up(
                &failed.rule,
                failed.id,
                "its rule or target does not exist any more",
            ),
        }
    }

    /// One attempt. It is kept where it fails in a way that passes.
    fn attempt(
        &mut self,
        cloud: &Cloud,
        rule: &ReadyRule,
        target: &ReadyTarget,
        event: &Value,
        delivery: &Delivery<'_>,
    ) {
        let error = match start_of(cloud, rule, target, event) {
            Ok(new) => {
                self.count(&rule.name, "Invocations");
                self.ended.extend(delivery.failed);
                self.starts.push(Start {
                    rule: rule.name.clone(),
                    new,
                });
                return;
            }
            Err(error) => error,
        };
        let now = Timestamp::now().as_millisecond();
        // A missing permission or machine is not tried again on AWS either; our own trouble (the store, file handles) is.
        let next = (error.status >= 500)
            .then(|| target.retry.next(delivery.queued, delivery.retries, now))
            .flatten();
        match next {
            Some(due) => {
                tracing::warn!(%error, rule = rule.name, target = target.arn, "an invocation is tried again");
                self.again.push(Failed {
                    id: delivery.failed,
                    rule: rule.name.clone(),
                    target: target.id.clone(),
                    body: delivery.body.to_owned(),
                    queued: delivery.queued,
                    due,
                    retries: delivery.retries,
                });
            }
            None => {
                let reason = format!("{}: {}", target.arn, error.message);
                self.give_up(&rule.name, delivery.failed, &reason);
            }
        }
    }

    fn give_up(&mut self, rule: &str, failed: Option<i64>, reason: &str) {
        tracing::warn!(rule, reason, "an invocation failed");
        self.count(rule, "Invocations");
        self.count(rule, "FailedInvocations");
        self.ended.extend(failed);
    }

    async fn write(self, cloud: &Arc<Cloud>) -> Result<(), AwsError> {
        let Self {
            events,
            ended,
            starts,
            again,
            counts,
        } = self;
        let written = cloud.store.write(move |tx| {
            let mut delete = tx.prepare_cached("DELETE FROM pending_events WHERE id = ?1")?;
            for id in events {
                delete.execute([id])?;
            }
            let mut delete = tx.prepare_cached("DELETE FROM failed_deliveries WHERE id = ?1")?;
            for id in ended {
                delete.execute([id])?;
            }
            again.iter().try_for_each(|failed| failed.keep(tx))?;
            starts
                .into_iter()
                .map(|start| Ok((start.rule, states::insert(tx, start.new)?)))
                .collect::<Result<Vec<_>, AwsError>>()
        });
        let started = written.await?;
        for (rule, metric) in counts {
            count(cloud, &rule, metric);
        }
        for (rule, execution) in started {
            match execution {
                Some(execution) => states::begin(cloud, execution),
                None => {
                    tracing::warn!(
                        rule,
                        "an invocation failed: the state machine does not exist any more"
                    );
                    count(cloud, &rule, "FailedInvocations");
                }
            }
        }
        Ok(())
    }
}

fn count(cloud: &Cloud, rule: &str, metric: &str) {
    let dimensions = [("RuleName", rule)];
    monitoring::record(cloud, "AWS/Events", metric, &dimensions, 1.0, "Count");
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
