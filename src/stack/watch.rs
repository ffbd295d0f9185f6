//! What shows and tells how the stack fares: its dashboard, and where the configuration asks for it alarms and their topic.

use serde_json::Value;

use super::Stack;
use crate::config::AlarmSettings;
use crate::engine::{Failure, Graph, NodeId};
use crate::names::{self, Names};
use crate::resources::documents::{self, DocumentError, render};
use crate::resources::{Alarm, Counted, Dashboard, Topic};

/// The id of the topic.
pub const TOPIC: &str = "alarm_topic";

/// Adds all of it. It needs nothing but names, so it is made beside everything else; alarms and topic that are not wanted
/// (any more) are looked for, to be removed.
///
/// # Errors
/// A document that does not fit its values.
pub fn add(graph: &mut Graph, stack: &Stack<'_>) -> Result<(), Failure> {
    graph.add(stack.dashboard()?, &[]);
    let Some(alarms) = &stack.settings.alarms else {
        let nobody = AlarmSettings::default();
        let former = names::Alarm::ALL.map(|alarm| graph.add_former(stack.alarm(alarm, &nobody), &[]));
        graph.add_former(stack.topic(&nobody)?, &former);
        return Ok(());
    };
    let add_alarms = |graph: &mut Graph, uses: &[NodeId]| {
        names::Alarm::ALL.map(|alarm| graph.add(stack.alarm(alarm, alarms), uses))
    };
    let topic = stack.topic(alarms)?;
    if alarms.email.is_some() {
        let topic = graph.add(topic, &[]);
        add_alarms(graph, &[topic]);
    } else {
        let alarms = add_alarms(graph, &[]);
        // Once none of them tells it any more.
        graph.add_former(topic, &alarms);
    }
    Ok(())
}

impl Stack<'_> {
    fn dashboard(&self) -> Result<Dashboard, Failure> {
        Ok(Dashboard {
            client: self.session.clients.cloudwatch.clone(),
            mark: self.mark(),
            id: "dashboard",
            name: self.names.dashboard(),
            arn: self.names.dashboard_arn(),
            body: dashboard(self.names)?,
        })
    }

    fn topic(&self, alarms: &AlarmSettings) -> Result<Topic, Failure> {
        Ok(Topic {
            client: self.session.clients.sns.clone(),
            mark: self.mark(),
            id: TOPIC,
            name: self.names.topic(),
            arn: self.names.topic_arn(),
            policy: topic_policy(self.names)?,
            email: alarms.email.clone().unwrap_or_default(),
        })
    }

    fn alarm(&self, alarm: names::Alarm, alarms: &AlarmSettings) -> Alarm {
        let (id, description, counted) = watched(self.names, alarm);
        let own_topic = alarms.email.as_ref().map(|_| self.names.topic_arn());
        Alarm {
            client: self.session.clients.cloudwatch.clone(),
            mark: self.mark(),
            id,
            name: self.names.alarm(alarm),
            arn: self.names.alarm_arn(alarm),
            description,
            counted,
            topics: own_topic.into_iter().chain(alarms.topic.clone()).collect(),
        }
    }
}

/// An alarm's id, what it says, and what it watches.
fn watched(names: &Names, alarm: names::Alarm) -> (&'static str, &'static str, Counted) {
    match alarm {
        names::Alarm::ExecutionsFailed => (
            "executions_failed_alarm",
            "Executions of the state machine have failed or run out of time: `resizer status --failed` tells which, and why",
            Counted {
                namespace: "AWS/States",
                metrics: &["ExecutionsFailed", "ExecutionsTimedOut"],
                dimension: "StateMachineArn",
                value: names.state_machine_arn(),
            },
        ),
        names::Alarm::FunctionThrottled => (
            "function_throttled_alarm",
            "Lambda has refused to run the function: the account's concurrency is used up",
            Counted {
                namespace: "AWS/Lambda",
                metrics: &["Throttles"],
                dimension: "FunctionName",
                value: names.function(),
            },
        ),
        names::Alarm::RuleFailed => (
            "rule_failed_alarm",
            "The rule could not start the state machine: uploads have come and started nothing",
            Counted {
                namespace: "AWS/Events",
                metrics: &["FailedInvocations"],
                dimension: "RuleName",
                value: names.rule(),
            },
        ),
    }
}

pub(super) fn dashboard(names: &Names) -> Result<Value, DocumentError> {
    render(
        documents::DASHBOARD,
        &[
            ("stack", &names.stack),
            ("region", &names.region),
            ("state_machine_arn", &names.state_machine_arn()),
            ("function", &names.function()),
            ("rule", &names.rule()),
            ("rest_api", &names.rest_api()),
            ("state_machine_log_group", &names.state_machine_log_group()),
        ],
    )
}

pub(super) fn topic_policy(names: &Names) -> Result<Value, DocumentError> {
    render(
        documents::ALARM_TOPIC_POLICY,
        &[("topic_arn", &names.topic_arn()), ("account", &names.account)],
    )
}
