//! Metrics as they are kept: aggregates a minute, in memory until the next flush, then in the store.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::aggregate::Aggregate;
use crate::cloud::Cloud;
use crate::error::AwsError;

/// How often what is in memory is written.
const FLUSH: Duration = Duration::from_secs(1);
/// How long minutes are kept, as CloudWatch keeps one-minute data points.
const KEPT_SECONDS: i64 = 15 * 24 * 3600;

/// What names a metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    /// JSON: a list of `[name, value]` in the order of the names.
    pub dimensions: String,
}

impl Metric {
    pub fn new(namespace: &str, name: &str, mut dimensions: Vec<(&str, &str)>) -> Self {
        dimensions.sort_unstable();
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: serde_json::json!(dimensions).to_string(),
        }
    }
}

/// One minute of one metric in one unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Minute {
    metric: Metric,
    unit: String,
    start: i64,
}

impl Minute {
    /// The minute of a time in seconds since the epoch.
    pub fn of(metric: Metric, unit: &str, time: i64) -> Self {
        Self {
            metric,
            unit: unit.to_owned(),
            start: time - time.rem_euclid(60),
        }
    }
}

/// The values that are not in the store yet.
#[derive(Default)]
pub struct Metrics {
    pending: Mutex<HashMap<Minute, Aggregate>>,
    /// Held while they are on their way there: who flushes finds all in the store, also what another took.
    flushing: tokio::sync::Mutex<()>,
}

impl Metrics {
    fn add(&self, minute: Minute, values: &Aggregate) {
        match self
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(minute)
        {
            Entry::Occupied(mut entry) => entry.get_mut().merge(values),
            Entry::Vacant(entry) => {
                entry.insert(values.clone());
            }
        }
    }

    /// Writes what is in memory. If that fails it stays in memory.
    pub async fn flush(&self, cloud: &Cloud) -> Result<(), AwsError> {
        let _flushing = self.flushing.lock().await;
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if pending.is_empty() {
            return Ok(());
        }
        let pending = Arc::new(pending);
        let minutes = Arc::clone(&pending);
        let written = cloud.store.write(move |tx| {
            minutes
                .iter()
                .try_for_each(|(minute, values)| write(tx, minute, values))
        });
        let written = written.await;
        if written.is_err() {
            for (minute, values) in pending.iter() {
                self.add(minute.clone(), values);
            }
        }
        written
    }
}

fn write(tx: &Transaction<'_>, minute: &Minute, values: &Aggregate) -> Result<(), AwsError> {
    let Minute {
        metric: Metric {
            namespace,
            name,
            dimensions,
        },
        unit,
        start,
    } = minute;
    let stored: Option<String> = tx
        .prepare_cached(
            "SELECT aggregate FROM metric_minutes
             WHERE namespace = ?1 AND metric = ?2 AND dimensions = ?3 AND unit = ?4 AND minute = ?5",
        )?
        .query_row(params![namespace, name, dimensions, unit, start], |row| {
            row.get(0)
        })
        .optional()?;
    let merged = match stored {
        Some(text) => {
            let mut stored = read(&text)?;
            stored.merge(values);
            stored
        }
        None => values.clone(),
    };
    let merged = serde_json::to_string(&merged).map_err(|error| AwsError::internal(error.to_string()))?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO metric_minutes (namespace, metric, dimensions, unit, minute, aggregate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![namespace, name, dimensions, unit, start, merged])?;
    Ok(())
}

fn read(text: &str) -> Result<Aggregate, AwsError> {
    serde_json::from_str(text).map_err(|error| AwsError::internal(error.to_string()))
}

/// A metric's minutes from `start` to before `end`, with their units.
pub fn minutes(
    db: &Connection,
    metric: &Metric,
    start: i64,
    end: i64,
) -> Result<Vec<(i64, String, Aggregate)>, AwsError> {
    let mut statement = db.prepare_cached(
        "SELECT minute, unit, aggregate FROM metric_minutes
         WHERE namespace = ?1 AND metric = ?2 AND dimensions = ?3 AND minute >= ?4 AND minute < ?5",
    )?;
    let rows = statement.query_map(
        params![metric.namespace, metric.name, metric.dimensions, start, end],
        |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)),
    )?;
    rows.map(|row| {
        let (minute, unit, text) = row?;
        Ok((minute, unit, read(&text)?))
    })
    .collect()
}

/// Counts one value now. Cheap: it stays in memory until the next flush, within a second.
pub fn record(
    cloud: &Cloud,
    namespace: &str,
    metric: &str,
    dimensions: &[(&str, &str)],
    value: f64,
    unit: &str,
) {
    let metric = Metric::new(namespace, metric, dimensions.to_vec());
    let minute = Minute::of(metric, unit, Timestamp::now().as_second());
    cloud.metrics.add(minute, &Aggregate::of(value, 1.0));
}

/// Writes what a caller gave; on return it is in the store.
pub async fn put(cloud: &Cloud, given: Vec<(Minute, Aggregate)>) -> Result<(), AwsError> {
    let written = cloud.store.write(move |tx| {
        given
            .iter()
            .try_for_each(|(minute, values)| write(tx, minute, values))
    });
    written.await
}

/// Begins flushing, for as long as the cloud is there.
pub fn start(cloud: &Arc<Cloud>) {
    let cloud = Arc::downgrade(cloud);
    tokio::spawn(async move {
        forget_old(&cloud).await;
        loop {
            tokio::time::sleep(FLUSH).await;
            let Some(cloud) = cloud.upgrade() else { break };
            log_failure(cloud.metrics.flush(&cloud).await);
        }
    });
}

/// Flushes what is in memory.
pub async fn stop(cloud: &Arc<Cloud>) {
    log_failure(cloud.metrics.flush(cloud).await);
}

async fn forget_old(cloud: &std::sync::Weak<Cloud>) {
    let Some(cloud) = cloud.upgrade() else { return };
    let oldest = Timestamp::now().as_second() - KEPT_SECONDS;
    let forgotten = cloud.store.write(move |tx| {
        tx.execute("DELETE FROM metric_minutes WHERE minute < ?1", [oldest])?;
        Ok(())
    });
    log_failure(forgotten.await);
}

fn log_failure(outcome: Result<(), AwsError>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "failed to write metrics");
    }
}
