//! GetMetricData, GetMetricStatistics and ListMetrics.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::aggregate::{Aggregate, Statistic};
use super::metrics::{Metric, minutes};
use super::{dimensions, integer, invalid, is_denied, list, required, time};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::paging;

const MOST_QUERIES: usize = 500;
/// The most data points of one GetMetricStatistics.
const MOST_POINTS: i64 = 1440;
/// The most metrics on a page.
const MOST_METRICS: usize = 500;

/// A metric over a time, period by period.
pub struct Series {
    pub metric: Metric,
    pub unit: Option<String>,
    pub start: i64,
    pub end: i64,
    pub period: i64,
}

impl Series {
    /// All of the time taken together, if there is anything.
    pub fn whole(&self, cloud: &Cloud) -> Result<Option<Aggregate>, AwsError> {
        let minutes = cloud
            .store
            .read(|db| minutes(db, &self.metric, self.start, self.end))?;
        Ok(minutes
            .into_iter()
            .map(|(.., values)| values)
            .reduce(|mut all, values| {
                all.merge(&values);
                all
            }))
    }

    fn points(&self, cloud: &Cloud) -> Result<BTreeMap<i64, (String, Aggregate)>, AwsError> {
        // Periods begin at multiples of the period, as in CloudWatch.
        let start = self.start - self.start.rem_euclid(self.period);
        let minutes = cloud
            .store
            .read(|db| minutes(db, &self.metric, start, self.end))?;
        let mut points: BTreeMap<i64, (String, Aggregate)> = BTreeMap::new();
        for (minute, unit, values) in minutes {
            if self.unit.as_ref().is_some_and(|wanted| *wanted != unit) {
                continue;
            }
            let period = minute - minute.rem_euclid(self.period);
            match points.get_mut(&period) {
                Some((_, sum)) => sum.merge(&values),
                None => {
                    points.insert(period, (unit, values));
                }
            }
        }
        Ok(points)
    }
}

fn period(input: &Value) -> Result<i64, AwsError> {
    match integer(input, "Period") {
        Some(period) if period >= 60 && period % 60 == 0 => Ok(period),
        _ => Err(invalid("Period must be a multiple of 60 seconds.")),
    }
}

fn range(input: &Value) -> Result<(i64, i64), AwsError> {
    let bound = |name| time(input, name).ok_or_else(|| invalid(&format!("The parameter {name} is missing.")));
    let (start, end) = (bound("StartTime")?, bound("EndTime")?);
    if start >= end {
        return Err(invalid(
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    Ok((start, end))
}

fn statistic(name: &str) -> Result<Statistic, AwsError> {
    Statistic::named(name)
        .ok_or_else(|| invalid(&format!("The local cloud does not have the statistic {name}.")))
}

pub fn get_metric_data(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let queries = list(input, "MetricDataQueries");
    if queries.is_empty() || queries.len() > MOST_QUERIES {
        return Err(invalid("MetricDataQueries must be from 1 to 500 queries."));
    }
    let (start, end) = range(input)?;
    let newest_first = match input.get("ScanBy").and_then(Value::as_str) {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => return Err(invalid(&format!("ScanBy cannot be {other}."))),
    };
    let mut results = Vec::new();
    for query in queries {
        let id = required(query, "Id")?;
        let Some(stat) = query.get("MetricStat") else {
            return Err(invalid(
                "The local cloud has metric queries, no expressions: MetricStat is missing.",
            ));
        };
        let name = required(stat, "Stat")?;
        let statistic = statistic(name)?;
        let metric = stat
            .get("Metric")
            .ok_or_else(|| invalid("The parameter Metric is missing."))?;
        let series = Series {
            metric: Metric::new(
                required(metric, "Namespace")?,
                required(metric, "MetricName")?,
                dimensions(metric)?,
            ),
            unit: stat.get("Unit").and_then(Value::as_str).map(str::to_owned),
            start,
            end,
            period: period(stat)?,
        };
        if is_denied(query, "ReturnData") {
            continue;
        }
        let mut points: Vec<(i64, f64)> = series
            .points(cloud)?
            .into_iter()
            .map(|(time, (_, values))| (time, values.statistic(statistic)))
            .collect();
        if newest_first {
            points.reverse();
        }
        let label = query
            .get("Label")
            .and_then(Value::as_str)
            .unwrap_or(&series.metric.name);
        results.push(json!({
            "Id": id,
            "Label": label,
            "Timestamps": points.iter().map(|(time, _)| *time).collect::<Vec<_>>(),
            "Values": points.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "StatusCode": "Complete",
        }));
    }
    Ok(json!({ "MetricDataResults": results, "Messages": [] }))
}

pub fn get_metric_statistics(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let (start, end) = range(input)?;
    let series = Series {
        metric: Metric::new(
            required(input, "Namespace")?,
            required(input, "MetricName")?,
            dimensions(input)?,
        ),
        unit: input.get("Unit").and_then(Value::as_str).map(str::to_owned),
        start,
        end,
        period: period(input)?,
    };
    if (end - start) / series.period > MOST_POINTS {
        let message =
            "You have requested more data points than the limit of 1440; raise Period or shorten the time.";
        return Err(AwsError::bad_request("InvalidParameterCombination", message));
    }
    let names = |field| {
        list(input, field)
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
    };
    let (plain, extended) = (names("Statistics"), names("ExtendedStatistics"));
    if plain.is_empty() && extended.is_empty() {
        return Err(invalid("Statistics or ExtendedStatistics must be given."));
    }
    let mut datapoints = Vec::new();
    for (time, (unit, values)) in series.points(cloud)? {
        let mut point = Map::from_iter([
            ("Timestamp".to_owned(), json!(time)),
            ("Unit".to_owned(), json!(unit)),
        ]);
        for name in &plain {
            point.insert((*name).to_owned(), json!(values.statistic(statistic(name)?)));
        }
        let mut percentiles = Map::new();
        for name in &extended {
            percentiles.insert((*name).to_owned(), json!(values.statistic(statistic(name)?)));
        }
        if !percentiles.is_empty() {
            point.insert("ExtendedStatistics".to_owned(), Value::Object(percentiles));
        }
        datapoints.push(Value::Object(point));
    }
    Ok(json!({ "Label": series.metric.name, "Datapoints": datapoints }))
}

pub fn list_metrics(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let known: BTreeSet<(String, String, String)> = cloud.store.read(|db| {
        let mut all =
            db.prepare_cached("SELECT DISTINCT namespace, metric, dimensions FROM metric_minutes")?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let mut listed = Vec::new();
    for (namespace, name, dimensions) in known {
        let dimensions: Vec<(String, String)> =
            serde_json::from_str(&dimensions).map_err(|error| AwsError::internal(error.to_string()))?;
        let has_all = list(input, "Dimensions").iter().all(|wanted| {
            let (wanted_name, wanted_value) = (wanted["Name"].as_str(), wanted["Value"].as_str());
            dimensions.iter().any(|(name, value)| {
                Some(name.as_str()) == wanted_name && wanted_value.is_none_or(|wanted| wanted == value)
            })
        });
        let named = text("Namespace").is_none_or(|wanted| wanted == namespace)
            && text("MetricName").is_none_or(|wanted| wanted == name);
        if named && has_all {
            let dimensions: Vec<Value> = dimensions
                .into_iter()
                .map(|(name, value)| json!({ "Name": name, "Value": value }))
                .collect();
            listed.push(json!({ "Namespace": namespace, "MetricName": name, "Dimensions": dimensions }));
        }
    }
    let page = paging::page(listed, text("NextToken"), MOST_METRICS)
        .ok_or_else(|| invalid("The NextToken is not one that this list gave."))?;
    Ok(json!({ "Metrics": page.items, "NextToken": page.next }))
}
