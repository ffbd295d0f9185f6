//! CloudWatch's counts of the last 24 hours, in one call.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use serde::Serialize;

use crate::aws::During;
use crate::error::CommandError;
use crate::names::Names;
use crate::session::Session;
use crate::ui::table::aligned;

/// Seconds of a day: one value for each metric.
const DAY: u32 = 86_400;

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

const fn sum(id: &'static str, metric: &'static str) -> Count {
    Count {
        id,
        metric,
        statistic: "Sum",
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
            sum("executions_started", "ExecutionsStarted"),
            sum("executions_succeeded", "ExecutionsSucceeded"),
            sum("executions_failed", "ExecutionsFailed"),
            sum("executions_timed_out", "ExecutionsTimedOut"),
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
            Count {
                id: "function_duration_p50",
                metric: "Duration",
                statistic: "p50",
            },
            Count {
                id: "function_duration_p99",
                metric: "Duration",
                statistic: "p99",
            },
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

/// A value for each count that CloudWatch has anything of.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<String, f64>);

/// Asks for all of them at once.
pub async fn read(session: &Session) -> Result<Counts, CommandError> {
    let now = SystemTime::now();
    let start = now - Duration::from_secs(DAY.into());
    let queries = SOURCES.iter().flat_map(|source| {
        let value = (source.value)(&session.names);
        source
            .counts
            .iter()
            .map(move |count| query(source, count, &value))
    });
    let mut values = BTreeMap::new();
    let mut next = None;
    loop {
        let answer = session
            .clients
            .cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone().collect()))
            .start_time(DateTime::from(start))
            .end_time(DateTime::from(now))
            .set_next_token(next)
            .send()
            .await
            .during("cloudwatch:GetMetricData", &session.names.stack)?;
        for result in answer.metric_data_results() {
            let id = result.id().unwrap_or_default();
            if let Some(value) = together(id, result.values()) {
                values.insert(id.to_owned(), value);
            }
        }
        next = answer.next_token;
        if next.is_none() {
            return Ok(Counts(values));
        }
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
        .period(DAY.cast_signed())
        .stat(count.statistic)
        .build();
    MetricDataQuery::builder()
        .id(count.id)
        .metric_stat(statistic)
        .build()
}

/// One value of a metric's values: where CloudWatch splits the day, sums add up, and of percentiles the worse stands.
fn together(id: &str, values: &[f64]) -> Option<f64> {
    if id.contains("duration") {
        values.iter().copied().reduce(f64::max)
    } else {
        (!values.is_empty()).then(|| values.iter().sum())
    }
}

/// The counts as people read them.
pub fn table(counts: &Counts, width: usize) -> String {
    let rows: Vec<_> = SOURCES.iter().map(|source| row(source, counts)).collect();
    let heading = if counts.0.is_empty() {
        "Last 24 hours: nothing counted yet (CloudWatch takes some minutes)"
    } else {
        "Last 24 hours"
    };
    format!(
        "{heading}\n  {}",
        aligned(&rows, width.saturating_sub(2)).join("\n  ")
    )
}

fn row(source: &Source, counts: &Counts) -> [String; 2] {
    let shown = source.counts.iter().map(|count| {
        let (_, what) = count.id.split_once('_').unwrap_or(("", count.id));
        let what = what.replace('_', " ");
        match (counts.0.get(count.id), count.statistic) {
            (value, "Sum") => format!("{what} {:.0}", value.unwrap_or(&0.0)),
            (Some(millis), percentile) => format!("{percentile} {millis:.0} ms"),
            (None, percentile) => format!("{percentile} –"),
        }
    });
    [source.heading.to_owned(), shown.collect::<Vec<_>>().join(", ")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_shown_by_resource() {
        let counts = [
            ("executions_started", 12.0),
            ("executions_succeeded", 11.0),
            ("executions_failed", 1.0),
            ("function_invocations", 13.0),
            ("function_errors", 1.0),
            ("function_duration_p50", 41.4),
            ("function_duration_p99", 120.0),
            ("api_requests", 3.0),
        ];
        let counts = Counts(counts.map(|(id, value)| (id.to_owned(), value)).into());
        insta::assert_snapshot!(table(&counts, 100), @"
        Last 24 hours
          executions  started 12, succeeded 11, failed 1, timed out 0
          function    invocations 13, errors 1, throttles 0, p50 41 ms, p99 120 ms
          rule        invocations 0, failed invocations 0
          REST API    requests 3, 4xx 0, 5xx 0
        ");
    }

    #[test]
    fn a_new_stack_has_nothing_counted() {
        insta::assert_snapshot!(table(&Counts::default(), 100), @"
        Last 24 hours: nothing counted yet (CloudWatch takes some minutes)
          executions  started 0, succeeded 0, failed 0, timed out 0
          function    invocations 0, errors 0, throttles 0, p50 –, p99 –
          rule        invocations 0, failed invocations 0
          REST API    requests 0, 4xx 0, 5xx 0
        ");
    }

    #[test]
    fn a_split_day_adds_up() {
        assert_eq!(together("executions_started", &[1.0, 2.0]), Some(3.0));
        assert_eq!(together("function_duration_p99", &[1.0, 2.0]), Some(2.0));
        assert_eq!(together("executions_started", &[]), None);
    }
}
