//! A Step Functions state machine of type STANDARD.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_state_machine::DescribeStateMachineOutput;
use aws_sdk_sfn::types::{
    CloudWatchLogsLogGroup, ExecutionListItem, ExecutionStatus, LogDestination, LogLevel,
    LoggingConfiguration, StateMachineStatus, StateMachineType, Tag,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{STATES_BUSY, STATES_DELETING, STATES_LOGS, STATES_ROLE};
use crate::aws::{CallFailure, During, UnlessGone};
use crate::engine::{
    Failure, FieldChange, Fields, Found, Mending, NotYet, Reading, Resource, Step, document,
};

/// A state machine that logs everything.
pub struct StateMachine {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    pub arn: String,
    pub definition: Value,
    pub role_arn: String,
    /// Without the `:*` that Step Functions wants behind it.
    pub log_group_arn: String,
}

/// How long executions that were stopped may go on to be listed as running, since the last one was found.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Calls at once: AWS takes 25 a second for long, and more for a while.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const STOPS_AT_ONCE: usize = 8;

const TYPE: &str = "type";
const DEFINITION: &str = "definition";
const ROLE: &str = "role";
const LOGGING: &str = "logging";

impl StateMachine {
    fn logging_configuration(&self) -> LoggingConfiguration {
        let group = CloudWatchLogsLogGroup::builder().log_group_arn(self.log_destination());
        LoggingConfiguration::builder()
            .level(LogLevel::All)
            .include_execution_data(true)
            .destinations(
                LogDestination::builder()
                    .cloud_watch_logs_log_group(group.build())
                    .build(),
            )
            .build()
    }

    fn log_destination(&self) -> String {
        format!("{}:*", self.log_group_arn)
    }

    fn marks(&self) -> Vec<Tag> {
        let tags = self.mark.tags();
        tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect()
    }

    async fn delete(&self) -> Result<(), Failure> {
        let answer = self
            .client
            .delete_state_machine()
            .state_machine_arn(&self.arn)
            .send()
            .await;
        answer
            .during("states:DeleteStateMachine", &self.name)
            .unless_gone()?;
        Ok(())
    }

    /// The ARN of what was stopped.
    async fn stop(&self, execution: ExecutionListItem) -> Result<String, CallFailure> {
        let stop = self
            .client
            .stop_execution()
            .execution_arn(&execution.execution_arn)
            .error("Stopped")
            .cause("resizer down removes the state machine");
        let answer = stop.send().await;
        answer
            .during("states:StopExecution", execution.name)
            .unless_gone()?;
        Ok(execution.execution_arn)
    }

    /// A state machine with executions still running would only go when they have ended.
    async fn stop_executions(&self, step: &Step<'_>) -> Result<(), Failure> {
        let mut stopped = HashSet::new();
        let mut patience = Instant::now() + STOP_PATIENCE;
        loop {
            let running = self
                .client
                .list_executions()
                .state_machine_arn(&self.arn)
                .status_filter(ExecutionStatus::Running)
                .max_results(100)
                .send()
                .await
                .during("states:ListExecutions", &self.name)
                .unless_gone()?;
            let Some(running) = running.filter(|running| !running.executions().is_empty()) else {
                return Ok(());
            };
            if step.is_stopped() {
                return Err(Failure::stopped("stopping the running executions"));
            }
            if Instant::now() > patience {
                let name = running.executions()[0].name();
                return Err(Failure::new(format!(
                    "the execution {name} was stopped, and still runs after {} s",
                    STOP_PATIENCE.as_secs()
                )));
            }
            let mut stops = stream::iter(running.executions)
                .map(|execution| self.stop(execution))
                .buffer_unordered(STOPS_AT_ONCE);
            while let Some(execution) = stops.try_next().await? {
                if stopped.insert(execution) {
                    patience = Instant::now() + STOP_PATIENCE;
                }
                step.note(&format!("stopped {} running executions", stopped.len()));
            }
            // The list takes a moment to know.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn found_fields(machine: &DescribeStateMachineOutput) -> Fields {
    Fields::default()
        .with(TYPE, machine.r#type().as_str())
        .with(DEFINITION, document(machine.definition()))
        .with(ROLE, machine.role_arn())
        .with_some(LOGGING, machine.logging_configuration().map(logging_value))
}

fn logging_value(logging: &LoggingConfiguration) -> Value {
    let log_group = logging
        .destinations()
        .iter()
        .find_map(|destination| destination.cloud_watch_logs_log_group()?.log_group_arn());
    json!({
        "level": logging.level().map(LogLevel::as_str),
        "includeExecutionData": logging.include_execution_data(),
        "logGroup": log_group,
    })
}

#[async_trait]
impl Resource for StateMachine {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        "state machine"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack)
            .with(TYPE, StateMachineType::Standard.as_str())
            .with(DEFINITION, self.definition.clone())
            .with(ROLE, self.role_arn.as_str())
            .with(
                LOGGING,
                json!({
                    "level": LogLevel::All.as_str(),
                    "includeExecutionData": true,
                    "logGroup": self.log_destination(),
                }),
            )
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&STATES_ROLE, &STATES_LOGS, &STATES_DELETING, &STATES_BUSY]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["states:CreateStateMachine", "states:TagResource"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[TYPE], "states:DeleteStateMachine"),
            (&[TYPE], "states:CreateStateMachine"),
            (&[DEFINITION, ROLE, LOGGING], "states:UpdateStateMachine"),
            (&[ownership::FIELD], "states:TagResource"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let describe = self
            .client
            .describe_state_machine()
            .state_machine_arn(&self.arn)
            .send();
        let tags = self
            .client
            .list_tags_for_resource()
            .resource_arn(&self.arn)
            .send();
        let (machine, tags) = futures_util::join!(describe, tags);
        let machine = machine.during("states:DescribeStateMachine", &self.name);
        let Some(machine) = machine.unless_gone()? else {
            return Ok(Reading::Absent);
        };
        let tags = tags.during("states:ListTagsForResource", &self.name);
        let Some(tags) = tags.unless_gone()? else {
            return Ok(Reading::Absent);
        };
        let tags = tags.tags().iter();
        let tags: Tags = tags.filter_map(|tag| Some((tag.key()?, tag.value()?))).collect();
        let deleting = machine.status() == Some(&StateMachineStatus::Deleting);
        Ok(Reading::Found(Found {
            owner: tags.owner(&self.mark.stack),
            fields: tags.found(found_fields(&machine)),
            settling: deleting.then(|| "Step Functions to remove the state machine".to_owned()),
            others: tags.others(),
        }))
    }

    async fn create(&self, _step: &Step<'_>) -> Result<(), Failure> {
        self.client
            .create_state_machine()
            .name(&self.name)
            .r#type(StateMachineType::Standard)
            .definition(format!("{:#}", self.definition))
            .role_arn(&self.role_arn)
            .logging_configuration(self.logging_configuration())
            .set_tags(Some(self.marks()))
            .send()
            .await
            .during("states:CreateStateMachine", &self.name)?;
        Ok(())
    }

    /// A state machine has its type for good.
    fn is_remade(&self, changes: &[FieldChange]) -> bool {
        touches(changes, &[TYPE])
    }

    async fn change(&self, _: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if self.is_remade(changes) {
            return self.delete().await;
        }
        if touches(changes, &[DEFINITION, ROLE, LOGGING]) {
            self.client
                .update_state_machine()
                .state_machine_arn(&self.arn)
                .definition(format!("{:#}", self.definition))
                .role_arn(&self.role_arn)
                .logging_configuration(self.logging_configuration())
                .send()
                .await
                .during("states:UpdateStateMachine", &self.name)?;
        }
        if touches(changes, &[ownership::FIELD]) {
            let answer = self
                .client
                .tag_resource()
                .resource_arn(&self.arn)
                .set_tags(Some(self.marks()))
                .send()
                .await;
            answer.during("states:TagResource", &self.name)?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, step: &Step<'_>) -> Result<(), Failure> {
        self.stop_executions(step).await?;
        self.delete().await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::aws::{Clients, Connection};

    #[tokio::test]
    async fn a_machine_of_another_type_is_made_anew() {
        let nowhere = resizer_local::Endpoint {
            url: "http://127.0.0.1:0".to_owned(),
            region: "us-east-1".to_owned(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
            pid: 0,
        };
        let wanted = StateMachine {
            client: Clients::connect(&Connection::Local(nowhere)).await.states,
            mark: Mark {
                stack: "resizer".to_owned(),
                run: None,
            },
            id: "state_machine",
            name: "resizer-resize".to_owned(),
            arn: "arn".to_owned(),
            definition: json!({}),
            role_arn: "role".to_owned(),
            log_group_arn: "group".to_owned(),
        };
        let found = |kind| {
            let machine = DescribeStateMachineOutput::builder()
                .state_machine_arn("arn")
                .name("resizer-resize")
                .definition("{}")
                .role_arn("role")
                .r#type(kind)
                .creation_date(aws_sdk_sfn::primitives::DateTime::from_secs(0))
                .logging_configuration(wanted.logging_configuration());
            found_fields(&machine.build().unwrap()).with(ownership::FIELD, "resizer")
        };
        let changes = |kind| wanted.wanted().differences(&found(kind));
        assert_eq!(changes(StateMachineType::Standard), []);
        let express = changes(StateMachineType::Express);
        assert_eq!(express[0].field, TYPE);
        assert!(wanted.is_remade(&express));
    }
}
