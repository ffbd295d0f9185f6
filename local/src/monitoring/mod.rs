//! CloudWatch: metrics, the alarms that watch them, and dashboards.
//!
//! **Layout.** `metrics` keeps what is counted, as `aggregate`s, and `queries` answers from it; `alarms` are judged by
//! `evaluation`; `dashboards` and `tagging` are kept as they are given. `inputs` says what is honoured.

mod aggregate;
mod alarms;
mod dashboards;
mod evaluation;
mod inputs;
mod metrics;
mod queries;
mod tagging;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use metrics::{Metrics, record, start, stop};

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::iam;
use aggregate::Aggregate;
use inputs::OPERATIONS;
use metrics::{Metric, Minute};

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    call.check(OPERATIONS)?;
    permit(cloud, &call)?;
    let input = &call.input;
    let operation = call.operation.as_str();
    // Queries are answered from the store, and alarms judged by it, so what is in memory goes there first.
    if READS_METRICS.contains(&operation) {
        cloud.metrics.flush(cloud).await?;
    }
    let document = match operation {
        "PutMetricData" => {
            metrics::put(cloud, given(input)?).await?;
            json!({})
        }
        "GetMetricData" => queries::get_metric_data(cloud, input)?,
        "GetMetricStatistics" => queries::get_metric_statistics(cloud, input)?,
        "ListMetrics" => queries::list_metrics(cloud, input)?,
        "PutDashboard" => dashboards::put(cloud, input).await?,
        "GetDashboard" => dashboards::get(cloud, input)?,
        "DeleteDashboards" => dashboards::delete(cloud, input).await?,
        "ListDashboards" => dashboards::list(cloud, input)?,
        "PutMetricAlarm" => alarms::put(cloud, input).await?,
        "DescribeAlarms" => alarms::describe(cloud, input).await?,
        "DeleteAlarms" => alarms::delete(cloud, input).await?,
        "ListTagsForResource" => tagging::list(cloud, input)?,
        "TagResource" => tagging::tag(cloud, input).await?,
        "UntagResource" => tagging::untag(cloud, input).await?,
        _ => return Err(call.not_implemented()),
    };
    Ok(Reply::ok(document))
}

/// What is answered by the metrics that were recorded.
const READS_METRICS: [&str; 4] = [
    "GetMetricData",
    "GetMetricStatistics",
    "ListMetrics",
    "DescribeAlarms",
];

/// Metrics have no ARN; alarms and dashboards have.
fn permit(cloud: &Cloud, call: &Call) -> Result<(), AwsError> {
    let input = &call.input;
    let named = |field: &str, arn: fn(&Cloud, &str) -> String| -> Vec<String> {
        let names = list(input, field).iter().filter_map(Value::as_str);
        names.map(|name| arn(cloud, name)).collect()
    };
    let text = |field: &str| input[field].as_str().unwrap_or_default();
    let resources = match call.operation.as_str() {
        "PutDashboard" | "GetDashboard" => vec![dashboards::arn(cloud, text("DashboardName"))],
        "DeleteDashboards" => named("DashboardNames", dashboards::arn),
        "PutMetricAlarm" => vec![alarms::arn(cloud, text("AlarmName"))],
        "DeleteAlarms" => named("AlarmNames", alarms::arn),
        // Assumption (AWS docs: Service Authorization Reference, CloudWatch): whichever are asked for.
        "DescribeAlarms" => vec![alarms::arn(cloud, "*")],
        "ListTagsForResource" | "TagResource" | "UntagResource" => vec![text("ResourceARN").to_owned()],
        _ => vec!["*".to_owned()],
    };
    let action = format!("cloudwatch:{}", call.operation);
    for resource in &resources {
        iam::authorize(cloud, &call.principal, &action, resource, &[])?;
        if call.operation.starts_with("Put") {
            let tags = &input["Tags"];
            iam::authorize_tags(cloud, &call.principal, "cloudwatch:TagResource", resource, tags)?;
        }
    }
    Ok(())
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

/// Whether a flag is there and says no.
fn is_denied(input: &Value, name: &str) -> bool {
    input
        .get(name)
        .is_some_and(|flag| *flag == json!(false) || *flag == json!("false"))
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
