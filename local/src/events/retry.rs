//! Which failed deliveries are tried again, when, and for how long.
//!
//! Facts: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html>

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use crate::backoff;
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The longest wait before another try, in milliseconds; the first is a second, each one twice the one before. Assumption: AWS
/// tells "exponential back off and jitter" and no numbers; with this one, 185 tries take a day. Jitter would spread many
/// senders, and there is one.
const MOST_WAIT: i64 = 512_000;

/// A target's RetryPolicy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// MaximumRetryAttempts.
    attempts: u32,
    /// MaximumEventAgeInSeconds, in milliseconds.
    age: i64,
}

impl RetryPolicy {
    /// What a target says, and AWS's defaults: a day and 185 tries.
    pub fn of_target(target: &Value) -> Result<Self, AwsError> {
        let policy = &target["RetryPolicy"];
        let attempts = in_range(policy, "MaximumRetryAttempts", 0, 185)?;
        let age = in_range(policy, "MaximumEventAgeInSeconds", 60, 86_400)?;
        Ok(Self {
            attempts: u32::try_from(attempts).unwrap_or(0),
            age: age * 1000,
        })
    }

    /// When an event of the time `queued` is tried again that was tried again `retries` times; none where it is given up.
    pub fn next(self, queued: i64, retries: u32, now: i64) -> Option<i64> {
        let due = now + backoff::doubled(retries, MOST_WAIT);
        (retries < self.attempts && due - queued <= self.age).then_some(due)
    }
}

/// A member of the policy; `most` where it is not said.
fn in_range(policy: &Value, member: &str, least: i64, most: i64) -> Result<i64, AwsError> {
    match &policy[member] {
        Value::Null => Ok(most),
        given => given
            .as_i64()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                AwsError::validation(format!(
                    "1 validation error detected: Value '{given}' at 'targets.member.retryPolicy.{member}' failed to \
                     satisfy constraint: Member must have value from {least} to {most}"
                ))
            }),
    }
}

/// A delivery that failed, as it waits in the store.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Its row; none before its first try again.
    pub id: Option<i64>,
    pub rule: String,
    pub target: String,
    pub body: String,
    pub queued: i64,
    pub due: i64,
    pub retries: u32,
}

const COLUMNS: &str = "id, rule, target, body, queued, due, retries";

impl Failed {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            rule: row.get(1)?,
            target: row.get(2)?,
            body: row.get(3)?,
            queued: row.get(4)?,
            due: row.get(5)?,
            retries: row.get(6)?,
        })
    }

    /// Keeps it for its next try.
    pub fn keep(&self, tx: &Transaction<'_>) -> Result<(), AwsError> {
        tx.prepare_cached(&format!(
            "INSERT OR REPLACE INTO failed_deliveries ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        ))?
        .execute(params![
            self.id,
            self.rule,
            self.target,
            self.body,
            self.queued,
            self.due,
            self.retries
        ])?;
        Ok(())
    }
}

/// The deliveries whose time has come, at most so many.
pub fn due(cloud: &Cloud, most: usize) -> Result<Vec<Failed>, AwsError> {
    let now = Timestamp::now().as_millisecond();
    cloud.store.read(|db| {
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM failed_deliveries WHERE due <= ?1 ORDER BY due, id LIMIT ?2"
        ))?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = query.query_map([now, most], Failed::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
}

/// When the next delivery is tried again, if one is to be.
pub fn next_due(cloud: &Cloud) -> Result<Option<i64>, AwsError> {
    cloud.store.read(|db| {
        let query = "SELECT due FROM failed_deliveries ORDER BY due LIMIT 1";
        Ok(db
            .prepare_cached(query)?
            .query_row([], |row| row.get(0))
            .optional()?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn policy(policy: Value) -> Result<RetryPolicy, AwsError> {
        RetryPolicy::of_target(&json!({"RetryPolicy": policy}))
    }

    /// When it is tried, from its first failure until it is given up.
    fn tries(policy: RetryPolicy) -> Vec<i64> {
        let (mut now, mut tries) = (0, Vec::new());
        while let Some(due) = policy.next(0, u32::try_from(tries.len()).unwrap(), now) {
            tries.push(due);
            now = due;
        }
        tries
    }

    #[test]
    fn a_delivery_is_tried_for_a_day_or_185_times_unless_told() {
        let all = tries(RetryPolicy::of_target(&json!({})).unwrap());
        assert_eq!(all[..4], [1000, 3000, 7000, 15_000]);
        assert!(all.len() <= 185 && *all.last().unwrap() > 80_000_000 && *all.last().unwrap() <= 86_400_000);

        assert_eq!(
            tries(policy(json!({"MaximumRetryAttempts": 2})).unwrap()),
            [1000, 3000]
        );
        assert_eq!(tries(policy(json!({"MaximumRetryAttempts": 0})).unwrap()), [0; 0]);
        let minute = policy(json!({"MaximumEventAgeInSeconds": 60})).unwrap();
        assert_eq!(tries(minute), [1000, 3000, 7000, 15_000, 31_000]);
    }

    #[test]
    fn numbers_that_aws_refuses_are_refused() {
        for wrong in [
            json!({"MaximumRetryAttempts": 186}),
            json!({"MaximumRetryAttempts": -1}),
            json!({"MaximumEventAgeInSeconds": 59}),
            json!({"MaximumEventAgeInSeconds": 86_401}),
        ] {
            assert_eq!(policy(wrong).unwrap_err().code, "ValidationException");
        }
    }
}
