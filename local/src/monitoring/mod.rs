//! CloudWatch metrics.

mod aggregate;
mod metrics;
mod queries;

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

pub use metrics::{Metrics, record, start, stop};

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::iam;
use crate::inputs::Operation;
use aggregate::Aggregate;
use metrics::{Metric, Minute};

const OPERATIONS: &[Operation] = &[
    (
        "GetMetricData",
        &[
            "MetricDataQueries.Id",
            "MetricDataQueries.MetricStat.Metric.Namespace",
            "MetricDataQueries.MetricStat.Metric.MetricName",
            "MetricDataQueries.MetricStat.Metric.Dimensions.Name",
            "MetricDataQueries.MetricStat.Metric.Dimensions.Value",
            "MetricDataQueries.MetricStat.Period",
            "MetricDataQueries.MetricStat.Stat",
            "MetricDataQueries.MetricStat.Unit",
            "MetricDataQueries.Label",
            "MetricDataQueries.ReturnData",
            "StartTime",
            "EndTime",
            "ScanBy",
        ],
    ),
    (
        "GetMetricStatistics",
        &[
            "Namespace",
            "MetricName",
            "Dimensions.Name",
            "Dimensions.Value",
            "StartTime",
            "EndTime",
            "Period",
            "Statistics",
            "ExtendedStatistics",
            "Unit",
        ],
    ),
    (
        "ListMetrics",
        &[
            "Namespace",
            "MetricName",
            "Dimensions.Name",
            "Dimensions.Value",
            "NextToken",
            "IncludeLinkedAccounts=false",
        ],
    ),
    (
        "PutMetricData",
        &[
            "Namespace",
            "MetricData.MetricName",
            "MetricData.Dimensions.Name",
            "MetricData.Dimensions.Value",
            "MetricData.Timestamp",
            "MetricData.Value",
            "MetricData.StatisticValues.SampleCount",
            "MetricData.StatisticValues.Sum",
            "MetricData.StatisticValues.Minimum",
            "MetricData.StatisticValues.Maximum",
            "MetricData.Values",
            "MetricData.Counts",
            "MetricData.Unit",
            "MetricData.StorageResolution=60",
            "StrictEntityValidation=false",
        ],
    ),
];

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    iam::authorize(
        cloud,
        &call.principal,
        &format!("cloudwatch:{}", call.operation),
        "*",
        &[],
    )?;
    if call.operation == "PutMetricData" {
        metrics::put(cloud, given(&call.input)?).await?;
        return Ok(Reply::with_status(
            StatusCode::OK,
            Value::Object(serde_json::Map::new()),
        ));
    }
    // Queries are answered from the store, so what is in memory goes there first.
    cloud.metrics.flush(cloud).await?;
    let document = match call.operation.as_str() {
        "GetMetricData" => queries::get_metric_data(cloud, &call.input)?,
        "GetMetricStatistics" => queries::get_metric_statistics(cloud, &call.input)?,
        "ListMetrics" => queries::list_metrics(cloud, &call.input)?,
        _ => return Err(call.not_implemented()),
    };
    Ok(Reply::ok(document))
}

/// PutMetricData's data.
fn given(input: &Value) -> Result<Vec<(Minute, Aggregate)>, AwsError> {
    let namespace = required(input, "Namespace")?;
    if namespace.starts_with("AWS/") {
        return Err(invalid("The namespace must not begin with AWS/."));
    }
    let mut all = Vec::new();
    for datum in list(input, "MetricData") {
        let metric = Metric::new(namespace, required(datum, "MetricName")?, dimensions(datum)?);
        let unit = datum.get("Unit").and_then(Value::as_str).unwrap_or("None");
        let time = time(datum, "Timestamp").unwrap_or_else(|| Timestamp::now().as_second());
        all.push((Minute::of(metric, unit, time), values(datum)?));
    }
    Ok(all)
}

/// A datum is a value, values with their counts, or a set's statistics.
fn values(datum: &Value) -> Result<Aggregate, AwsError> {
    if let Some(value) = number(datum, "Value") {
        return Ok(Aggregate::of(value, 1.0));
    }
    if let Some(set) = datum.get("StatisticValues") {
        let part =
            |name| number(set, name).ok_or_else(|| invalid(&format!("StatisticValues has no {name}.")));
        let count = part("SampleCount")?;
        if count <= 0.0 {
            return Err(invalid("StatisticValues' SampleCount must be above 0."));
        }
        return Ok(Aggregate::of_set(
            count,
            part("Sum")?,
            part("Minimum")?,
            part("Maximum")?,
        ));
    }
    let (values, counts) = (list(datum, "Values"), list(datum, "Counts"));
    let mut all: Option<Aggregate> = None;
    for (index, value) in values.iter().enumerate() {
        let value = as_number(value).ok_or_else(|| invalid("Values must be numbers."))?;
        let one = Aggregate::of(value, counts.get(index).and_then(as_number).unwrap_or(1.0));
        match &mut all {
            Some(all) => all.merge(&one),
            None => all = Some(one),
        }
    }
    all.ok_or_else(|| invalid("A datum needs a Value, Values or StatisticValues."))
}

fn invalid(message: &str) -> AwsError {
    AwsError::bad_request("InvalidParameterValue", message)
}

fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, AwsError> {
    input
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            AwsError::bad_request("MissingParameter", format!("The parameter {name} is required."))
        })
}

fn list<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    input
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn dimensions(input: &Value) -> Result<Vec<(&str, &str)>, AwsError> {
    list(input, "Dimensions")
        .iter()
        .map(|dimension| Ok((required(dimension, "Name")?, required(dimension, "Value")?)))
        .collect()
}

/// A number, which the query protocol writes as text.
fn as_number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.parse().ok())
        .filter(|number| number.is_finite())
}

fn number(input: &Value, name: &str) -> Option<f64> {
    as_number(input.get(name)?)
}

fn integer(input: &Value, name: &str) -> Option<i64> {
    let value = input.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// A time in whole seconds since the epoch: a number, or in the query protocol ISO 8601 text.
fn time(input: &Value, name: &str) -> Option<i64> {
    let value = input.get(name)?;
    match value.as_str() {
        Some(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_second),
        // A cast from f64 saturates.
        None => value.as_f64().map(|seconds| seconds.floor() as i64),
    }
}
