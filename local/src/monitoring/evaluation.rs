//! What state an alarm is in, by the metrics that are kept.

use serde_json::Value;

use super::aggregate::Statistic;
use super::metrics::Metric;
use super::queries::Series;
use super::{dimensions, integer, invalid, list, number, required};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// The longest that an alarm looks back: a day, or with periods of an hour and more, a week. Seconds.
const DAY: i64 = 24 * 3600;

/// What an alarm watches, and what it takes for too much.
pub struct Watch {
    /// Those whose sum is looked at.
    metrics: Vec<Metric>,
    statistic: Statistic,
    /// Seconds.
    period: i64,
    periods: i64,
    /// So many of the periods have to be beyond the threshold.
    enough: i64,
    threshold: f64,
    operator: Operator,
    missing: Missing,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    AtLeast,
    Above,
    Below,
    AtMost,
}

/// What a period without data counts for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Missing {
    Breaching,
    NotBreaching,
    Nothing,
}

/// A state, and why.
#[derive(Debug, PartialEq)]
pub struct Judgement {
    pub state: &'static str,
    pub reason: String,
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "GreaterThanOrEqualToThreshold" => Self::AtLeast,
            "GreaterThanThreshold" => Self::Above,
            "LessThanThreshold" => Self::Below,
            "LessThanOrEqualToThreshold" => Self::AtMost,
            _ => return None,
        })
    }

    fn is_breached(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "greater than or equal to",
            Self::Above => "greater than",
            Self::Below => "less than",
            Self::AtMost => "less than or equal to",
        }
    }
}

impl Watch {
    /// # Errors
    /// What an alarm's definition cannot say.
    pub fn of(definition: &Value) -> Result<Self, AwsError> {
        let (metrics, statistic, period) = match list(definition, "Metrics") {
            [] => {
                let metric = metric(definition)?;
                let period = integer(definition, "Period").unwrap_or_default();
                (vec![metric], required(definition, "Statistic")?, period)
            }
            queries => summed(queries)?,
        };
        let periods = integer(definition, "EvaluationPeriods").unwrap_or_default();
        if period < 60 || period % 60 != 0 {
            return Err(invalid("Period must be a multiple of 60 seconds."));
        }
        let longest = if period >= 3600 { 7 * DAY } else { DAY };
        if period
            .checked_mul(periods)
            .is_none_or(|seconds| seconds > longest)
        {
            return Err(invalid(
                "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or a week \
                 with periods of an hour and more.",
            ));
        }
        let operator = required(definition, "ComparisonOperator")?;
        let missing = definition.get("TreatMissingData").and_then(Value::as_str);
        Ok(Self {
            metrics,
            statistic: Statistic::named(statistic).ok_or_else(|| invalid("Statistic is not known."))?,
            period,
            periods,
            enough: integer(definition, "DatapointsToAlarm").unwrap_or(periods),
            threshold: number(definition, "Threshold").unwrap_or_default(),
            operator: Operator::named(operator).ok_or_else(|| invalid("ComparisonOperator is not known."))?,
            missing: match missing {
                Some("breaching") => Missing::Breaching,
                Some("notBreaching") => Missing::NotBreaching,
                _ => Missing::Nothing,
            },
        })
    }
}

fn metric(input: &Value) -> Result<Metric, AwsError> {
    let (namespace, name) = (required(input, "Namespace")?, required(input, "MetricName")?);
    Ok(Metric::new(namespace, name, dimensions(input)?))
}

/// The metrics of an alarm on a sum, their statistic, and their period in seconds: all of them have the same here.
fn summed(queries: &[Value]) -> Result<(Vec<Metric>, &str, i64), AwsError> {
    let (stats, sums): (Vec<&Value>, Vec<&Value>) = queries
        .iter()
        .partition(|query| query.get("MetricStat").is_some());
    let returned = queries.iter().filter(|query| query["ReturnData"] == true);
    let ([sum], 1) = (sums.as_slice(), returned.count()) else {
        return Err(invalid(
            "Exactly one of Metrics must be an expression, and returned.",
        ));
    };
    if sum["ReturnData"] != true {
        return Err(invalid(
            "Of Metrics the expression must be the one that is returned.",
        ));
    }
    let stats: Vec<&Value> = stats.iter().map(|query| &query["MetricStat"]).collect();
    let Some(first) = stats.first() else {
        return Err(invalid("There must be a metric among Metrics."));
    };
    let of = |stat: &Value| (stat["Stat"].clone(), stat["Period"].clone());
    if stats.iter().any(|stat| of(stat) != of(first)) {
        return Err(invalid(
            "The local cloud adds up metrics with the same Stat and the same Period.",
        ));
    }
    let metrics: Result<_, _> = stats.iter().map(|stat| metric(&stat["Metric"])).collect();
    let period = integer(first, "Period").unwrap_or_default();
    Ok((metrics?, required(first, "Stat")?, period))
}

/// The state as of `now`, seconds since the epoch: the last period ends with the minute that runs.
pub fn judge(cloud: &Cloud, watch: &Watch, now: i64) -> Result<Judgement, AwsError> {
    let end = now - now.rem_euclid(60) + 60;
    let mut values = Vec::new();
    for period in 0..watch.periods {
        let end = end - period * watch.period;
        let mut sum = None;
        for metric in &watch.metrics {
            let series = Series {
                metric: metric.clone(),
                unit: None,
                start: end - watch.period,
                end,
                period: watch.period,
            };
            if let Some(all) = series.whole(cloud)? {
                sum = Some(sum.unwrap_or_default() + all.statistic(watch.statistic));
            }
        }
        values.push(sum);
    }
    Ok(watch.judgement(&values))
}

impl Watch {
    /// Of the values of the periods, the newest first.
    fn judgement(&self, values: &[Option<f64>]) -> Judgement {
        let breaching = values.iter().filter(|value| match value {
            Some(value) => self.operator.is_breached(*value, self.threshold),
            None => self.missing == Missing::Breaching,
        });
        let breaching = breaching.count();
        let known: Vec<String> = values.iter().flatten().map(f64::to_string).collect();
        if known.is_empty() && self.missing == Missing::Nothing {
            return Judgement {
                state: "INSUFFICIENT_DATA",
                reason: format!("Insufficient Data: {} datapoints were unknown.", values.len()),
            };
        }
        let state = if i64::try_from(breaching).is_ok_and(|count| count >= self.enough) {
            "ALARM"
        } else {
            "OK"
        };
        let data = if known.is_empty() {
            let treated = if self.missing == Missing::Breaching {
                "Breaching"
            } else {
                "NonBreaching"
            };
            format!(
                "no datapoints were received for {} periods and missing datapoints were treated as [{treated}]",
                values.len()
            )
        } else {
            format!(
                "{breaching} out of the last {} datapoints [{}] were {} the threshold ({})",
                values.len(),
                known.join(", "),
                self.operator.words(),
                self.threshold
            )
        };
        let reason = format!("Threshold Crossed: {data}.");
        Judgement { state, reason }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn watch(periods: i64, enough: i64, operator: &str, missing: Option<&str>) -> Watch {
        let mut definition = json!({
            "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 300, "Threshold": 1.0,
            "EvaluationPeriods": periods, "DatapointsToAlarm": enough, "ComparisonOperator": operator,
        });
        if let Some(missing) = missing {
            definition["TreatMissingData"] = json!(missing);
        }
        Watch::of(&definition).unwrap()
    }

    #[test]
    fn a_state_follows_from_the_periods_and_what_is_missing() {
        const AT_LEAST: &str = "GreaterThanOrEqualToThreshold";
        let quiet = Some("notBreaching");
        for (watch, values, state) in [
            (watch(1, 1, AT_LEAST, quiet), &[Some(1.0)][..], "ALARM"),
            (watch(1, 1, AT_LEAST, quiet), &[Some(0.5)], "OK"),
            (watch(1, 1, AT_LEAST, quiet), &[None], "OK"),
            (watch(1, 1, AT_LEAST, Some("breaching")), &[None], "ALARM"),
            (watch(1, 1, AT_LEAST, None), &[None], "INSUFFICIENT_DATA"),
            (watch(1, 1, "GreaterThanThreshold", quiet), &[Some(1.0)], "OK"),
            (watch(1, 1, "LessThanThreshold", quiet), &[Some(0.0)], "ALARM"),
            (
                watch(1, 1, "LessThanOrEqualToThreshold", quiet),
                &[Some(1.0)],
                "ALARM",
            ),
            (
                watch(3, 2, AT_LEAST, quiet),
                &[Some(1.0), None, Some(3.0)],
                "ALARM",
            ),
            (watch(3, 2, AT_LEAST, quiet), &[Some(1.0), None, None], "OK"),
        ] {
            let judgement = watch.judgement(values);
            assert_eq!(judgement.state, state, "{values:?}: {}", judgement.reason);
        }
    }
}
