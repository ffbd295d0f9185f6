//! A CloudWatch alarm on one metric, or on the sum of several.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, StateValue, Statistic,
};
use serde_json::{Value, json};

use super::cloudwatch_tags::{put_mark, tags_of, tags_that_mark};
use super::ownership::{self, Mark, tagged, touches};
use super::patience::{CLOUDWATCH_BUSY, CLOUDWATCH_TAGS};
use crate::aws::{During, UnlessGone};
use crate::engine::{Failure, FieldChange, Fields, Found, Mending, NotYet, Reading, Resource, Step};

/// An alarm that goes off as soon as something is counted that should not happen, and tells topics of it and of its end.
pub struct Alarm {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    pub arn: String,
    pub description: &'static str,
    pub counted: Counted,
    /// The ARNs of the topics.
    pub topics: Vec<String>,
}

/// What is counted of one resource.
pub struct Counted {
    pub namespace: &'static str,
    /// The names of the metrics, whose sum it is.
    pub metrics: &'static [&'static str],
    pub dimension: &'static str,
    /// The dimension's value.
    pub value: String,
}

/// What kind of thing an alarm is, for those who look for them.
pub const ALARM: &str = "alarm";
/// The state that was read: `OK`, `ALARM` or `INSUFFICIENT_DATA`. Nobody's to mend.
pub const ALARM_STATE: &str = "state";

const DESCRIPTION: &str = "description";
const METRIC: &str = "metric";
/// Assumption (AWS docs: CloudWatch User Guide, Using math expressions): in an array's sum a metric without data is left out,
/// where `+` would make nothing of all.
const SUM: &str = "SUM(METRICS())";
const CONDITION: &str = "condition";
const ACTIONS: &str = "actions";

/// Seconds.
const PERIOD: i32 = 300;
const PERIODS: i32 = 1;
const THRESHOLD: f64 = 1.0;
/// A metric that counts what should not happen has no data as long as it does not.
const MISSING_DATA: &str = "notBreaching";

impl Alarm {
    /// Sets all of it: what is not said is not so any more. Tags that come with an alarm that is there are ignored.
    async fn put(&self) -> Result<(), Failure> {
        let put = self.client.put_metric_alarm().alarm_name(&self.name);
        self.counted
            .put(put)
            .alarm_description(self.description)
            .evaluation_periods(PERIODS)
            .datapoints_to_alarm(PERIODS)
            .threshold(THRESHOLD)
            .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
            .treat_missing_data(MISSING_DATA)
            .actions_enabled(true)
            .set_alarm_actions(Some(self.topics.clone()))
            .set_ok_actions(Some(self.topics.clone()))
            .set_tags(Some(tags_that_mark(&self.mark)))
            .send()
            .await
            .during("cloudwatch:PutMetricAlarm", &self.name)?;
        Ok(())
    }
}

impl Counted {
    fn dimension(&self) -> Dimension {
        Dimension::builder()
            .name(self.dimension)
            .value(&self.value)
            .build()
    }

    fn put(&self, put: PutMetricAlarmFluentBuilder) -> PutMetricAlarmFluentBuilder {
        match self.metrics {
            [name] => put
                .namespace(self.namespace)
                .metric_name(*name)
                .dimensions(self.dimension())
                .statistic(Statistic::Sum)
                .period(PERIOD),
            _ => put.set_metrics(Some(self.summed())),
        }
    }

    /// The metrics, and their sum.
    fn summed(&self) -> Vec<MetricDataQuery> {
        let metrics = self.metrics.iter().enumerate().map(|(index, name)| {
            let metric = Metric::builder()
                .namespace(self.namespace)
                .metric_name(*name)
                .dimensions(self.dimension());
            let stat = MetricStat::builder()
                .metric(metric.build())
                .stat(Statistic::Sum.as_str())
                .period(PERIOD);
            MetricDataQuery::builder()
                .id(format!("m{index}"))
                .metric_stat(stat.build())
                .return_data(false)
                .build()
        });
        let sum = MetricDataQuery::builder()
            .id("sum")
            .expression(SUM)
            .return_data(true)
            .build();
        metrics.chain([sum]).collect()
    }

    fn wanted(&self) -> Value {
        match self.metrics {
            [name] => metric(Some(self.namespace), Some(name), &[self.dimension()]),
            _ => self.summed().iter().map(query).collect(),
        }
    }

    /// What comes with the condition where it is one metric; each of several has its own.
    fn statistic_and_period(&self) -> (Option<&'static str>, Option<i32>) {
        match self.metrics {
            [_] => (Some(Statistic::Sum.as_str()), Some(PERIOD)),
            _ => (None, None),
        }
    }
}

fn metric(namespace: Option<&str>, name: Option<&str>, dimensions: &[Dimension]) -> Value {
    let dimensions = dimensions.iter();
    let dimensions: BTreeMap<_, _> = dimensions
        .map(|dimension| (dimension.name().unwrap_or_default(), dimension.value()))
        .collect();
    json!({"namespace": namespace, "name": name, "dimensions": dimensions})
}

/// One of several metrics, or what is made of them.
fn query(query: &MetricDataQuery) -> Value {
    let stat = query.metric_stat();
    let counted = stat.and_then(MetricStat::metric);
    json!({
        "id": query.id(),
        "expression": query.expression(),
        "metric": counted.map(|counted| metric(counted.namespace(), counted.metric_name(), counted.dimensions())),
        "statistic": stat.and_then(MetricStat::stat),
        "period": stat.and_then(MetricStat::period),
        "isReturned": query.return_data().unwrap_or(true),
    })
}

fn found_metric(alarm: &MetricAlarm) -> Value {
    match alarm.metrics() {
        [] => metric(alarm.namespace(), alarm.metric_name(), alarm.dimensions()),
        several => several.iter().map(query).collect(),
    }
}

fn found_condition(alarm: &MetricAlarm) -> Value {
    json!({
        "statistic": alarm.statistic().map(Statistic::as_str),
        "period": alarm.period(),
        "evaluationPeriods": alarm.evaluation_periods(),
        "datapointsToAlarm": alarm.datapoints_to_alarm(),
        "threshold": alarm.threshold(),
        "comparisonOperator": alarm.comparison_operator().map(ComparisonOperator::as_str),
        "treatMissingData": alarm.treat_missing_data(),
    })
}

fn found_actions(alarm: &MetricAlarm) -> Value {
    json!({
        "enabled": alarm.actions_enabled(),
        "alarm": alarm.alarm_actions(),
        "ok": alarm.ok_actions(),
        "insufficientData": alarm.insufficient_data_actions(),
    })
}

#[async_trait]
impl Resource for Alarm {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        ALARM
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        let (statistic, period) = self.counted.statistic_and_period();
        tagged(&self.mark.stack)
            .with(DESCRIPTION, self.description)
            .with(METRIC, self.counted.wanted())
            .with(
                CONDITION,
                json!({
                    "statistic": statistic,
                    "period": period,
                    "evaluationPeriods": PERIODS,
                    "datapointsToAlarm": PERIODS,
                    "threshold": THRESHOLD,
                    "comparisonOperator": ComparisonOperator::GreaterThanOrEqualToThreshold.as_str(),
                    "treatMissingData": MISSING_DATA,
                }),
            )
            .with(
                ACTIONS,
                json!({"enabled": true, "alarm": self.topics, "ok": self.topics, "insufficientData": []}),
            )
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&CLOUDWATCH_BUSY, &CLOUDWATCH_TAGS]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (
                &[DESCRIPTION, METRIC, CONDITION, ACTIONS],
                "cloudwatch:PutMetricAlarm",
            ),
            (&[ownership::FIELD], "cloudwatch:TagResource"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let describe = self.client.describe_alarms().alarm_names(&self.name);
        let described = describe.send().await;
        let described = described.during("cloudwatch:DescribeAlarms", &self.name)?;
        let Some(alarm) = described.metric_alarms().first() else {
            return Ok(Reading::Absent);
        };
        let Some(tags) = tags_of(&self.client, &self.arn).await? else {
            return Ok(Reading::Absent);
        };
        let fields = Fields::default()
            .with_some(DESCRIPTION, alarm.alarm_description())
            .with(METRIC, found_metric(alarm))
            .with(CONDITION, found_condition(alarm))
            .with(ACTIONS, found_actions(alarm))
            .with_some(ALARM_STATE, alarm.state_value().map(StateValue::as_str));
        Ok(Reading::Found(Found {
            owner: tags.owner(&self.mark.stack),
            fields: tags.found(fields),
            settling: None,
            others: tags.others(),
        }))
    }

    async fn create(&self, _: &Step<'_>) -> Result<(), Failure> {
        self.put().await
    }

    async fn change(&self, _: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[DESCRIPTION, METRIC, CONDITION, ACTIONS]) {
            self.put().await?;
        }
        if touches(changes, &[ownership::FIELD]) {
            put_mark(&self.client, &self.arn, &self.mark).await?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        let delete = self.client.delete_alarms().alarm_names(&self.name);
        let answer = delete.send().await;
        answer
            .during("cloudwatch:DeleteAlarms", &self.name)
            .unless_gone()?;
        Ok(())
    }
}
