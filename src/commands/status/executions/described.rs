//! What an execution was for and what came of it: Step Functions tells of one at a time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_sfn::types::ExecutionListItem;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Execution, millis_between};
use crate::aws::CallFailure;
use crate::execution::{describe, timestamp};
use crate::session::Session;

/// So many are described without a pause, and then one after each: of all the account, DescribeExecution takes some 250 at
/// once and, for long, 10 to 15 a second, as the region is.
const AT_ONCE_MAX: u32 = 200;
const PAUSE: Duration = Duration::from_millis(125);

/// What an earlier look has found.
#[derive(Debug, Default)]
pub struct Known {
    /// Executions by their ARNs: as long as the list says the same of one, there is nothing more to ask.
    described: HashMap<String, Described>,
    /// The ARNs of others that are for other keys than those that are looked for.
    others: HashSet<String>,
}

/// What Step Functions said of one.
#[derive(Debug, Clone)]
pub struct Described {
    pub execution: Execution,
    /// How often it had been redriven.
    redrives: Option<i32>,
}

impl Known {
    fn get(&self, item: &ExecutionListItem) -> Option<&Described> {
        let known = self.described.get(&item.execution_arn)?;
        let is_same = known.execution.status == item.status.as_str() && known.redrives == item.redrive_count;
        is_same.then_some(known)
    }

    /// Whether it is for a key that begins with `prefix`, if that is known: it never changes.
    pub fn is_for(&self, item: &ExecutionListItem, prefix: &str) -> Option<bool> {
        if self.others.contains(&item.execution_arn) {
            return Some(false);
        }
        let known = self.described.get(&item.execution_arn)?;
        Some(known.execution.key.as_ref()?.starts_with(prefix))
    }

    /// Those, and none that is not listed any more.
    pub fn remember(&mut self, met: Vec<Described>, others: HashSet<String>) {
        let by_arn = met.into_iter().map(|met| (met.execution.arn.clone(), met));
        self.described = by_arn.collect();
        self.others = others;
    }
}

/// What the list does not say: what an execution was for, and why it failed.
pub async fn described(
    session: &Session,
    item: &ExecutionListItem,
    known: &Known,
) -> Result<Described, CallFailure> {
    if let Some(known) = known.get(item) {
        return Ok(known.clone());
    }
    // A custom endpoint, as the local cloud's, has no such quota.
    if session.clients.endpoint_url.is_none() {
        pace().await;
    }
    let described = describe(&session.clients, &item.execution_arn).await?;
    let member = |document: Option<&str>, name: &str| {
        let document: Value = serde_json::from_str(document.unwrap_or_default()).unwrap_or_default();
        document[name].as_str().map(str::to_owned)
    };
    let started = timestamp(&described.start_date);
    let stopped = described.stop_date().map(timestamp);
    let execution = Execution {
        status: described.status.as_str().to_owned(),
        started,
        millis: stopped.and_then(|stopped| millis_between(started, stopped)),
        bucket: member(described.input(), "bucket"),
        key: member(described.input(), "key"),
        result_key: member(described.output(), "destKey"),
        answer: described
            .output()
            .and_then(|output| serde_json::from_str(output).ok()),
        error: described.error,
        cause: described.cause,
        ..Execution::of_list(item)
    };
    Ok(Described {
        execution,
        redrives: item.redrive_count,
    })
}

/// Waits until one more call is within the quota, whoever of this process made those before.
async fn pace() {
    static QUOTA: Mutex<Quota> = Mutex::const_new(Quota { used_until: None });
    let may_begin = QUOTA.lock().await.take(Instant::now());
    tokio::time::sleep_until(may_begin).await;
}

/// A bucket of [`AT_ONCE_MAX`] calls that one more comes into every [`PAUSE`].
struct Quota {
    /// When the bucket is full again.
    used_until: Option<Instant>,
}

impl Quota {
    /// When a call may begin that is wanted now.
    fn take(&mut self, now: Instant) -> Instant {
        let used_until = self.used_until.map_or(now, |until| until.max(now)) + PAUSE;
        self.used_until = Some(used_until);
        let may_begin = used_until.checked_sub(PAUSE * AT_ONCE_MAX);
        may_begin.map_or(now, |begin| begin.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_before_counts_until_it_has_come_in_again() {
        let mut quota = Quota { used_until: None };
        let began = Instant::now();
        for _ in 0..AT_ONCE_MAX {
            assert_eq!(quota.take(began), began);
        }
        assert_eq!(quota.take(began), began + PAUSE);
        // The next look: one more has come in since, and no more.
        let later = began + PAUSE * 2;
        assert_eq!(quota.take(later), later);
        assert_eq!(quota.take(later), later + PAUSE);
    }
}
