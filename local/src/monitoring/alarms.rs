//! Alarms on one metric or the sum of several: kept as they are put, judged when they are described. What they are to tell is told nobody.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use serde_json::{Map, Value, json};

use super::aggregate::Statistic;
use super::evaluation::{self, Judgement, Watch};
use super::{dimensions, integer, invalid, is_denied, list, number, required, tagging};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::paging;

/// The longest name.
const LONGEST_NAME: usize = 255;
/// The most actions of one kind.
const MOST_ACTIONS: usize = 5;
/// The most names that one call takes, and the most alarms on a page.
const MOST_ALARMS: usize = 100;
/// The fields of a definition that say which metric it is, where it is one.
const OF_ONE_METRIC: [&str; 5] = ["MetricName", "Namespace", "Statistic", "Period", "Dimensions"];
/// The fields of a definition that are lists of ARNs.
const ACTIONS: [&str; 3] = ["OKActions", "AlarmActions", "InsufficientDataActions"];

pub fn arn(cloud: &Cloud, name: &str) -> String {
    cloud.arn("cloudwatch", &format!("alarm:{name}"))
}

/// Makes an alarm, or another of one that is there: then the tags that come with it say nothing.
pub async fn put(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let name = required(input, "AlarmName")?.to_owned();
    if name.chars().count() > LONGEST_NAME {
        return Err(invalid("The AlarmName must be at most 255 characters."));
    }
    let definition = definition(input)?;
    Watch::of(&definition)?;
    let tags = tagging::given(input)?;
    let put = cloud.store.write(move |tx| {
        tx.execute(
            "INSERT INTO alarms (name, definition, changed, state, reason, since, tags)
             VALUES (?1, ?2, ?3, 'INSUFFICIENT_DATA', 'Unchecked: Initial alarm creation', ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET definition = ?2, changed = ?3",
            params![
                name,
                definition.to_string(),
                Timestamp::now().as_second(),
                tags.to_string()
            ],
        )?;
        Ok(json!({}))
    });
    put.await
}

/// What an input says of an alarm, in the words and types of its description.
fn definition(input: &Value) -> Result<Value, AwsError> {
    let mut definition = Map::new();
    let mut set = |field: &str, value: Value| definition.insert(field.to_owned(), value);
    set(
        "ComparisonOperator",
        json!(required(input, "ComparisonOperator")?),
    );
    let whole = |field: &str| {
        integer(input, field)
            .filter(|number| *number > 0)
            .ok_or_else(|| invalid(&format!("{field} must be a whole number above 0.")))
    };
    match list(input, "Metrics") {
        [] => {
            for field in ["MetricName", "Namespace", "Statistic"] {
                set(field, json!(required(input, field)?));
            }
            if Statistic::named(required(input, "Statistic")?)
                .is_none_or(|statistic| matches!(statistic, Statistic::Percentile(_)))
            {
                return Err(invalid("Statistic is none of CloudWatch's."));
            }
            set("Period", json!(whole("Period")?));
            set("Dimensions", given_dimensions(input)?);
        }
        queries => {
            if let Some(field) = OF_ONE_METRIC.iter().find(|field| input.get(**field).is_some()) {
                return Err(invalid(&format!("There must be no {field} beside Metrics.")));
            }
            let queries: Result<Vec<_>, _> = queries.iter().map(query).collect();
            set("Metrics", json!(queries?));
        }
    }
    let periods = whole("EvaluationPeriods")?;
    set("EvaluationPeriods", json!(periods));
    if input.get("DatapointsToAlarm").is_some() {
        let enough = whole("DatapointsToAlarm")?;
        if enough > periods {
            return Err(invalid("DatapointsToAlarm must not exceed EvaluationPeriods."));
        }
        set("DatapointsToAlarm", json!(enough));
    }
    let threshold = number(input, "Threshold").ok_or_else(|| invalid("Threshold must be a number."))?;
    set("Threshold", json!(threshold));
    for field in ACTIONS {
        let actions = list(input, field);
        let is_arn = |action: &Value| action.as_str().is_some_and(|action| action.starts_with("arn:"));
        if actions.len() > MOST_ACTIONS || !actions.iter().all(is_arn) {
            return Err(invalid(&format!("{field} must be at most 5 ARNs.")));
        }
        set(field, json!(actions));
    }
    set("ActionsEnabled", json!(!is_denied(input, "ActionsEnabled")));
    for field in ["AlarmDescription", "TreatMissingData"] {
        if let Some(text) = input.get(field).and_then(Value::as_str) {
            set(field, json!(text));
        }
    }
    Ok(Value::Object(definition))
}

/// One of an alarm's metrics, or their sum.
fn query(input: &Value) -> Result<Value, AwsError> {
    let mut query = json!({"Id": required(input, "Id")?, "ReturnData": !is_denied(input, "ReturnData")});
    if let Some(stat) = input.get("MetricStat") {
        let metric = &stat["Metric"];
        query["MetricStat"] = json!({
            "Metric": {
                "Namespace": required(metric, "Namespace")?,
                "MetricName": required(metric, "MetricName")?,
                "Dimensions": given_dimensions(metric)?,
            },
            "Period": integer(stat, "Period"),
            "Stat": required(stat, "Stat")?,
        });
    } else {
        query["Expression"] = json!(required(input, "Expression")?);
    }
    Ok(query)
}

fn given_dimensions(input: &Value) -> Result<Value, AwsError> {
    let dimensions = dimensions(input)?.into_iter();
    Ok(dimensions
        .map(|(name, value)| json!({"Name": name, "Value": value}))
        .collect())
}

/// An alarm as it is kept.
struct Alarm {
    name: String,
    definition: Value,
    changed: i64,
    state: String,
    reason: String,
    since: i64,
}

impl Alarm {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let definition: String = row.get(1)?;
        Ok(Self {
            name: row.get(0)?,
            definition: serde_json::from_str(&definition).unwrap_or_default(),
            changed: row.get(2)?,
            state: row.get(3)?,
            reason: row.get(4)?,
            since: row.get(5)?,
        })
    }

    /// Judges it as of now: what is new since it was last judged is kept.
    async fn judged(mut self, cloud: &Cloud) -> Result<Self, AwsError> {
        let now = Timestamp::now().as_second();
        let Judgement { state, reason } = evaluation::judge(cloud, &Watch::of(&self.definition)?, now)?;
        if state == self.state {
            return Ok(self);
        }
        (self.state, self.reason, self.since) = (state.to_owned(), reason, now);
        let (name, state, reason) = (self.name.clone(), self.state.clone(), self.reason.clone());
        let keep = move |tx: &Transaction<'_>| {
            let keep = "UPDATE alarms SET state = ?2, reason = ?3, since = ?4 WHERE name = ?1";
            tx.execute(keep, params![name, state, reason, now])?;
            Ok(())
        };
        cloud.store.write(keep).await?;
        Ok(self)
    }

    fn described(self, cloud: &Cloud) -> Value {
        let mut described = self.definition;
        described["AlarmName"] = json!(self.name);
        described["AlarmArn"] = json!(arn(cloud, &self.name));
        described["AlarmConfigurationUpdatedTimestamp"] = json!(self.changed);
        described["StateValue"] = json!(self.state);
        described["StateReason"] = json!(self.reason);
        described["StateUpdatedTimestamp"] = json!(self.since);
        described["StateTransitionedTimestamp"] = json!(self.since);
        described
    }
}

pub async fn describe(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let names = list(input, "AlarmNames");
    let prefix = text("AlarmNamePrefix");
    if names.len() > MOST_ALARMS || (!names.is_empty() && prefix.is_some()) {
        return Err(invalid(
            "There must be at most 100 AlarmNames, and none beside an AlarmNamePrefix.",
        ));
    }
    let alarms: Vec<Alarm> = cloud.store.read(|db| {
        let mut all = db.prepare_cached(
            "SELECT name, definition, changed, state, reason, since FROM alarms ORDER BY name",
        )?;
        let rows = all.query_map([], Alarm::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let mut described = Vec::new();
    for alarm in alarms {
        let is_asked_for = names.is_empty() || names.iter().any(|name| *name == alarm.name);
        if !is_asked_for || !alarm.name.starts_with(prefix.unwrap_or_default()) {
            continue;
        }
        let alarm = alarm.judged(cloud).await?;
        if text("StateValue").is_none_or(|state| state == alarm.state) {
            described.push(alarm.described(cloud));
        }
    }
    let most = integer(input, "MaxRecords").and_then(|most| usize::try_from(most).ok());
    let most = most.unwrap_or(50).clamp(1, MOST_ALARMS);
    let page = paging::page(described, text("NextToken"), most).ok_or_else(|| {
        AwsError::bad_request(
            "InvalidNextToken",
            "The NextToken is not one that this list gave.",
        )
    })?;
    Ok(json!({"MetricAlarms": page.items, "CompositeAlarms": [], "NextToken": page.next}))
}

/// Deletes all of them, or none where one is not there.
pub async fn delete(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let names = list(input, "AlarmNames").to_vec();
    if names.is_empty() || names.len() > MOST_ALARMS {
        return Err(invalid("AlarmNames must be from 1 to 100 names."));
    }
    let deleted = cloud.store.write(move |tx| {
        for name in names.iter().filter_map(Value::as_str) {
            if tx.execute("DELETE FROM alarms WHERE name = ?1", [name])? == 0 {
                return Err(AwsError::not_found(
                    "ResourceNotFound",
                    format!("Alarm {name} does not exist"),
                ));
            }
        }
        Ok(json!({}))
    });
    deleted.await
}
