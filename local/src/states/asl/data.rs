//! What goes through a state: its input, its result and its output, by paths and templates.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::definition::{Filter, Shape, Text, Until};
use super::expression::Scope;
use super::interpreter::Step;
use super::task::Fault;

/// The most a state may take in or give out, in bytes.
const MAX_DATA: usize = 262_144;

impl Step<'_> {
    /// `$$`
    pub(super) fn context(&self) -> Value {
        let identity = self.identity;
        json!({
            "Execution": {
                "Id": identity.execution_arn,
                "Input": self.run.input,
                "Name": identity.name,
                "RoleArn": identity.role_arn,
                "StartTime": rfc3339(identity.started),
                "RedriveCount": 0,
            },
            "State": {
                "EnteredTime": rfc3339(self.run.entered_at),
                "Name": self.run.state,
                "RetryCount": self.run.retries.iter().sum::<u32>(),
            },
            "StateMachine": {
                "Id": identity.state_machine_arn,
                "Name": identity.state_machine_name,
            },
        })
    }

    pub(super) fn filter(&self, filter: &Filter, value: Value, field: &str) -> Result<Value, Fault> {
        match filter {
            Filter::All => Ok(value),
            Filter::Nothing => Ok(json!({})),
            Filter::Select(path) => path.evaluate(
                Scope {
                    input: &value,
                    context: &self.context(),
                },
                field,
            ),
        }
    }

    pub(super) fn filtered_input(&self) -> Result<Value, Fault> {
        self.filter(
            &self.state()?.input_path,
            self.run.state_input.clone(),
            "InputPath",
        )
    }

    /// The input after `InputPath` and `Parameters`.
    pub(super) fn effective_input(&self, shape: &Shape) -> Result<Value, Fault> {
        let input = self.filtered_input()?;
        match &shape.parameters {
            Some(template) => template.evaluate(Scope {
                input: &input,
                context: &self.context(),
            }),
            None => Ok(input),
        }
    }

    /// The result after `ResultSelector`, put into the input by `ResultPath`.
    pub(super) fn shaped(&self, shape: &Shape, result: Value) -> Result<Value, Fault> {
        let result = match &shape.result_selector {
            Some(template) => template.evaluate(Scope {
                input: &result,
                context: &self.context(),
            })?,
            None => result,
        };
        match &shape.result_path {
            Some(path) => path.place(self.run.state_input.clone(), result),
            None => Ok(self.run.state_input.clone()),
        }
    }

    pub(super) fn check_size(&self, text: &str) -> Result<(), Fault> {
        if text.len() <= MAX_DATA {
            return Ok(());
        }
        Err(Fault::new(
            "States.DataLimitExceeded",
            format!(
                "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit.",
                self.run.state
            ),
        ))
    }

    pub(super) fn wake_time(&self, until: &Until) -> Result<Timestamp, Fault> {
        let input = self.filtered_input()?;
        let context = self.context();
        let scope = Scope {
            input: &input,
            context: &context,
        };
        let after = |seconds: u64| {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            self.now
                .checked_add(SignedDuration::from_secs(seconds))
                .unwrap_or(Timestamp::MAX)
        };
        match until {
            Until::Seconds(seconds) => Ok(after(*seconds)),
            Until::Timestamp(time) => Ok(*time),
            Until::SecondsPath(path) => {
                let value = path.evaluate(scope, "SecondsPath")?;
                value.as_u64().map(after).ok_or_else(|| {
                    Fault::runtime(format!(
                        "The SecondsPath parameter does not reference a positive integer: {value}"
                    ))
                })
            }
            Until::TimestampPath(path) => {
                let value = path.evaluate(scope, "TimestampPath")?;
                value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
                    Fault::runtime(format!("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: {value}"))
                })
            }
        }
    }

    pub(super) fn text(&self, text: &Option<Text>) -> Result<Option<String>, Fault> {
        match text {
            None => Ok(None),
            Some(Text::Literal(text)) => Ok(Some(text.clone())),
            Some(Text::Computed(expression)) => {
                let scope = Scope {
                    input: &self.run.state_input,
                    context: &self.context(),
                };
                match expression.evaluate(scope, &expression.text())? {
                    Value::String(text) => Ok(Some(text)),
                    other => Err(Fault::runtime(format!(
                        "The value of '{}' must be a string, but is {other}",
                        expression.text()
                    ))),
                }
            }
        }
    }
}

fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}
