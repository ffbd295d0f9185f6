//! CloudWatch's counts of the last 24 hours, in one call: as totals, and of executions hour by hour.
//!
//! # Layout
//! - [`table`]: as people read them

mod table;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MessageData, Metric, MetricDataQuery, MetricStat, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::executions::Execution;
use super::memory::{self, Memory};
use crate::aws::During;
use crate::error::CommandError;
use crate::names::Names;
use crate::session::Session;

pub use table::{table, what};

/// Seconds.
const HOUR: i32 = 3600;
/// Seconds.
const DAY: i32 = 24 * HOUR;
/// How many hours are looked at, the one that runs included.
pub const HOURS: usize = 24;

/// What is counted, and of which resource.
struct Count {
    /// Its name here, and the query's id.
    id: &'static str,
    metric: &'static str,
    /// `Sum`, or a percentile of milliseconds.
    statistic: &'static str,
}

/// The metrics of one resource.
struct Source {
    heading: &'static str,
    namespace: &'static str,
    dimension: &'static str,
    /// The dimension's value.
    value: fn(&Names) -> String,
    counts: &'static [Count],
}

/// The count that executions which are listed are in.
const STARTED: &str = "executions_started";

const fn sum(id: &'static str, metric: &'static str) -> Count {
    Count {
        id,
        metric,
        statistic: "Sum",
    }
}

const fn percentile(id: &'static str, metric: &'static str, statistic: &'static str) -> Count {
    Count {
        id,
        metric,
        statistic,
    }
}

/// Names and dimensions as each service's documentation has them.
const SOURCES: [Source; 4] = [
    Source {
        heading: "executions",
        namespace: "AWS/States",
        dimension: "StateMachineArn",
        value: Names::state_machine_arn,
        counts: &[
            sum(STARTED, "ExecutionsStarted"),
            sum("executions_succeeded", "ExecutionsSucceeded"),
            sum("executions_failed", "ExecutionsFailed"),
            sum("executions_timed_out", "ExecutionsTimedOut"),
            sum("executions_aborted", "ExecutionsAborted"),
            percentile("executions_duration_p50", "ExecutionTime", "p50"),
            percentile("executions_duration_p90", "ExecutionTime", "p90"),
            percentile("executions_duration_p99", "ExecutionTime", "p99"),
        ],
    },
    Source {
        heading: "function",
        namespace: "AWS/Lambda",
        dimension: "FunctionName",
        value: Names::function,
        counts: &[
            sum("function_invocations", "Invocations"),
            sum("function_errors", "Errors"),
            sum("function_throttles", "Throttles"),
            percentile("function_duration_p50", "Duration", "p50"),
            percentile("function_duration_p90", "Duration", "p90"),
            percentile("function_duration_p99", "Duration", "p99"),
        ],
    },
    Source {
        heading: "rule",
        namespace: "AWS/Events",
        dimension: "RuleName",
        value: Names::rule,
        counts: &[
            sum("rule_invocations", "Invocations"),
            sum("rule_failed_invocations", "FailedInvocations"),
        ],
    },
    Source {
        heading: "REST API",
        namespace: "AWS/ApiGateway",
        dimension: "ApiName",
        value: Names::rest_api,
        counts: &[
            sum("api_requests", "Count"),
            sum("api_4xx", "4XXError"),
            sum("api_5xx", "5XXError"),
        ],
    },
];

/// What CloudWatch has counted.
#[derive(Debug)]
pub struct Counts {
    /// A value for each count that there is anything of.
    pub day: Day,
    pub hours: Hours,
    pub memory: Option<Memory>,
    /// What CloudWatch did not count in full, or did not tell, with its reason.
    pub untold: Untold,
}

/// By the counts' names, CloudWatch's status, such as `Forbidden`; and what it says of the whole.
#[derive(Debug, Default)]
pub struct Untold {
    statuses: BTreeMap<&'static str, String>,
    messages: BTreeSet<String>,
    /// Why nothing at all was told.
    failure: Option<String>,
    /// Why the function's memory was not.
    memory: Option<String>,
}

/// Of the last 24 hours, by the counts' names.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Day(pub BTreeMap<&'static str, f64>);

/// What adds up, hour by hour, the oldest first.
#[derive(Debug, Serialize)]
pub struct Hours {
    /// When the first begins.
    pub start: Timestamp,
    #[serde(flatten)]
    pub counts: BTreeMap<&'static str, [f64; HOURS]>,
}

/// Asks for all of them at once, and for the function's memory.
pub async fn read(session: &Session) -> Result<Counts, CommandError> {
    let (counted, memory) = futures_util::join!(counted(session), memory::read(session));
    let mut counts = counted?;
    match memory {
        Ok(memory) => counts.memory = memory,
        Err(failure) => counts.untold.memory = Some(CommandError::from(failure).in_a_sentence()),
    }
    Ok(counts)
}

/// From when to when is counted at `now`, in seconds since 1970: the hour that runs is the last of the day.
fn day(now: Timestamp) -> (i64, i64) {
    let now = now.as_second();
    let end = now - now.rem_euclid(HOUR.into()) + i64::from(HOUR);
    (end - i64::from(DAY), end)
}

async fn counted(session: &Session) -> Result<Counts, CommandError> {
    let (start, end) = day(session.clock.now());
    let queries = SOURCES.iter().flat_map(|source| {
        let value = (source.value)(&session.names);
        source
            .counts
            .iter()
            .map(move |count| query(source, count, &value))
    });
    let queries: Vec<_> = queries.collect();
    let mut counts = Counts::since(start);
    let mut next = None;
    loop {
        let answer = session
            .clients
            .cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(end))
            .set_next_token(next)
            .send()
            .await
            .during("cloudwatch:GetMetricData", &session.names.stack)?;
        for result in answer.metric_data_results() {
            let times = result.timestamps().iter().map(DateTime::secs);
            let points = times.zip(result.values().iter().copied());
            let id = result.id().unwrap_or_default();
            counts.add(id, points);
            counts.untold.read(id, result.status_code(), result.messages());
        }
        counts.untold.say(answer.messages());
        next = answer.next_token;
        if next.is_none() {
            return Ok(counts);
        }
    }
}

impl Counts {
    /// None, since they could not be read.
    pub fn unread(failure: &CommandError, now: Timestamp) -> Self {
        let mut counts = Self::since(day(now).0);
        counts.untold.failure = Some(failure.in_a_sentence());
        counts
    }

    /// Whether nothing is known of them.
    pub fn is_unread(&self) -> bool {
        self.untold.failure.is_some()
    }

    /// Nothing counted since `start`, seconds since 1970.
    fn since(start: i64) -> Self {
        let sums = SOURCES
            .iter()
            .flat_map(|source| source.counts)
            .filter(|count| count.is_sum());
        Self {
            day: Day::default(),
            hours: Hours {
                start: Timestamp::from_second(start).unwrap_or_default(),
                counts: sums.map(|count| (count.id, [0.0; HOURS])).collect(),
            },
            memory: None,
            untold: Untold::default(),
        }
    }

    /// Adds a count's points: seconds since 1970, and what was counted from then on. Sums add up; of percentiles, where
    /// CloudWatch splits the day, the worse stands.
    fn add(&mut self, id: &str, points: impl Iterator<Item = (i64, f64)>) {
        let Some(count) = count_of(id) else {
            return;
        };
        for (time, value) in points {
            let day = self.day.0.entry(count.id).or_default();
            *day = if count.is_sum() {
                *day + value
            } else {
                day.max(value)
            };
            let hour = (time - self.hours.start.as_second()) / i64::from(HOUR);
            let hours = self.hours.counts.get_mut(count.id);
            if let Some(hour) = hours.and_then(|hours| hours.get_mut(usize::try_from(hour).ok()?)) {
                *hour += value;
            }
        }
    }
}

fn count_of(id: &str) -> Option<&'static Count> {
    let mut counts = SOURCES.iter().flat_map(|source| source.counts);
    counts.find(|count| count.id == id)
}

impl Untold {
    /// Reads how a page of a count's values ended: a later page may complete them.
    fn read(&mut self, id: &str, status: Option<&StatusCode>, messages: &[MessageData]) {
        let Some(count) = count_of(id) else {
            return;
        };
        match status {
            None | Some(StatusCode::Complete) => self.statuses.remove(count.id),
            Some(status) => self.statuses.insert(count.id, status.as_str().to_owned()),
        };
        self.say(messages);
    }

    /// Whether a count that has no value was none.
    fn is_told(&self, id: &str) -> bool {
        self.failure.is_none() && !self.statuses.contains_key(id)
    }

    fn say(&mut self, messages: &[MessageData]) {
        let said = messages.iter().map(|message| {
            let parts = [message.code(), message.value()].into_iter().flatten();
            parts.collect::<Vec<_>>().join(": ")
        });
        self.messages.extend(said);
    }

    /// Each in a sentence's part; empty if all was told.
    pub fn reasons(&self) -> Vec<String> {
        let mut by_status: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, status) in &self.statuses {
            by_status.entry(status).or_default().push(id);
        }
        let statuses = by_status.into_iter().map(|(status, ids)| {
            let what = match status {
                "Forbidden" => "may not be read (the policy of this identity needs cloudwatch:GetMetricData)",
                "InternalError" => "could not be counted just now; look again in a while",
                _ => "were not counted in full; look again in a while",
            };
            let ids: Vec<_> = ids.iter().map(|id| id.replace('_', " ")).collect();
            format!("{} {what}: {status} of CloudWatch", ids.join(", "))
        });
        let messages = self
            .messages
            .iter()
            .map(|message| format!("CloudWatch says of the counts: {message}"));
        let failure = self
            .failure
            .iter()
            .map(|why| format!("they could not be read: {why}"));
        let memory = self
            .memory
            .iter()
            .map(|why| format!("the function's memory could not be read: {why}"));
        failure.chain(statuses).chain(messages).chain(memory).collect()
    }
}

impl Counts {
    /// Why what is counted may be less than there was, beside the executions that are listed; empty if it is not.
    pub fn missing(&self, executions: &[Execution]) -> Vec<String> {
        let mut missing = self.untold.reasons();
        let of_these_hours = executions
            .iter()
            .filter(|execution| execution.started >= self.hours.start);
        let counted = self.day.0.get(STARTED).copied().unwrap_or_default();
        // Where nothing at all is counted, that is what is said.
        if !self.day.0.is_empty() && self.untold.is_told(STARTED) && of_these_hours.count() as f64 > counted {
            missing
                .push("the newest executions are not counted yet: on AWS it takes some minutes".to_owned());
        }
        missing
    }
}

impl Count {
    fn is_sum(&self) -> bool {
        self.statistic == "Sum"
    }
}

fn query(source: &Source, count: &Count, value: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name(source.dimension).value(value).build();
    let metric = Metric::builder()
        .namespace(source.namespace)
        .metric_name(count.metric)
        .dimensions(dimension)
        .build();
    let statistic = MetricStat::builder()
        .metric(metric)
        .period(if count.is_sum() { HOUR } else { DAY })
        .stat(count.statistic)
        .build();
    MetricDataQuery::builder()
        .id(count.id)
        .metric_stat(statistic)
        .build()
}
