//! A CloudWatch alarm on one metric.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricAlarm, StateValue, Statistic};
use serde_json::{Value, json};

use super::cloudwatch_tags::{mark, stack_tag, tags_of};
use super::ownership::{self, tagged, touches};
use super::patience::{CLOUDWATCH_BUSY, CLOUDWATCH_TAGS, PACE, PACE_THROTTLING};
use crate::aws::{During, UnlessGone};
use crate::engine::{Failure, FieldChange, Fields, Found, NotYet, Reading, Resource, Step};

/// An alarm that goes off as soon as something is counted that should not happen, and tells topics of it and of its end.
pub struct Alarm {
    pub client: Client,
    pub stack: String,
    pub id: &'static str,
    pub name: String,
    pub arn: String,
    pub description: &'static str,
    pub metric: CountedMetric,
    /// The ARNs of the topics.
    pub topics: Vec<String>,
}

/// A metric of one resource.
pub struct CountedMetric {
    pub namespace: &'static str,
    pub name: &'static str,
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
        let dimension = Dimension::builder()
            .name(self.metric.dimension)
            .value(&self.metric.value)
            .build();
        self.client
            .put_metric_alarm()
            .alarm_name(&self.name)
            .alarm_description(self.description)
            .namespace(self.metric.namespace)
            .metric_name(self.metric.name)
            .dimensions(dimension)
            .statistic(Statistic::Sum)
            .period(PERIOD)
            .evaluation_periods(PERIODS)
            .datapoints_to_alarm(PERIODS)
            .threshold(THRESHOLD)
            .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
            .treat_missing_data(MISSING_DATA)
            .actions_enabled(true)
            .set_alarm_actions(Some(self.topics.clone()))
            .set_ok_actions(Some(self.topics.clone()))
            .tags(stack_tag(&self.stack))
            .send()
            .await
            .during("cloudwatch:PutMetricAlarm", &self.name)?;
        Ok(())
    }
}

fn metric(namespace: Option<&str>, name: Option<&str>, dimensions: &[(&str, &str)]) -> Value {
    json!({
        "namespace": namespace,
        "name": name,
        "dimensions": dimensions.iter().copied().collect::<BTreeMap<_, _>>(),
    })
}

fn found_metric(alarm: &MetricAlarm) -> Value {
    let dimensions = alarm.dimensions().iter();
    let dimensions: Vec<_> = dimensions
        .map(|dimension| {
            (
                dimension.name().unwrap_or_default(),
                dimension.value().unwrap_or_default(),
            )
        })
        .collect();
    metric(alarm.namespace(), alarm.metric_name(), &dimensions)
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
        let CountedMetric {
            namespace,
            name,
            dimension,
            value,
        } = &self.metric;
        tagged(&self.stack)
            .with(DESCRIPTION, self.description)
            .with(METRIC, metric(Some(namespace), Some(name), &[(dimension, value)]))
            .with(
                CONDITION,
                json!({
                    "statistic": Statistic::Sum.as_str(),
                    "period": PERIOD,
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
        &[&CLOUDWATCH_BUSY, &CLOUDWATCH_TAGS, &PACE, &PACE_THROTTLING]
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
            owner: tags.owner(&self.stack),
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
            mark(&self.client, &self.arn, &self.stack).await?;
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
