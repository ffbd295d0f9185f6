//! What the alarms say, and whether anybody hears of it.

use serde::Serialize;

use crate::commands::notice;
use crate::config::Settings;
use crate::engine::{Graph, Plan};
use crate::resources::{ALARM, ALARM_STATE};
use crate::stack;
use crate::ui::picture::Health;
use crate::ui::styles::{BAD, GOOD};

/// The alarms that stand.
#[derive(Debug, Serialize)]
pub struct Alarms {
    states: Vec<Alarm>,
    /// An address that has not confirmed yet that it wants to be told.
    unconfirmed: Option<String>,
    /// What is not wanted and could not be looked for.
    unseen: Option<String>,
}

#[derive(Debug, Serialize)]
struct Alarm {
    name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    state: String,
}

impl Alarms {
    /// As they were read for a plan.
    pub fn of(graph: &Graph, plan: &Plan) -> Self {
        let alarms = graph.nodes().filter(|node| graph.resource(*node).kind() == ALARM);
        let states = alarms.filter_map(|node| {
            Some(Alarm {
                name: graph.resource(node).name().to_owned(),
                state: plan.found(node)?.text(ALARM_STATE)?.to_owned(),
            })
        });
        let topic = graph.find(stack::TOPIC).and_then(|node| plan.found(node));
        Self {
            states: states.collect(),
            unconfirmed: topic.and_then(notice::unconfirmed).map(str::to_owned),
            unseen: notice::unseen(graph, plan),
        }
    }

    /// How those stand that there are.
    pub fn health(&self) -> Health {
        let any = |state: &str| self.states.iter().any(|alarm| alarm.state == state);
        if any("ALARM") {
            Health::Wrong
        } else if any("INSUFFICIENT_DATA") || self.unseen.is_some() {
            Health::Differs
        } else {
            Health::Right
        }
    }

    /// As people read them, if there are any.
    pub fn text(&self, settings: &Settings) -> Option<String> {
        if self.states.is_empty() {
            return self.unseen.as_ref().map(|unseen| format!("Alarms: {unseen}"));
        }
        let notice = notice::of_alarms(settings, self.unconfirmed.as_deref());
        let notices = notice.iter().chain(&self.unseen);
        Some(self.line() + &notices.map(|notice| format!("\n  {notice}")).collect::<String>())
    }

    fn line(&self) -> String {
        let named = |state: &str| -> Vec<&str> {
            let alike = self.states.iter().filter(|alarm| alarm.state == state);
            alike.map(|alarm| alarm.name.as_str()).collect()
        };
        let (off, fine, unknown) = (named("ALARM"), named("OK"), named("INSUFFICIENT_DATA"));
        if fine.len() == self.states.len() {
            return format!("Alarms: {GOOD}all {} OK{GOOD:#}", fine.len());
        }
        let said = [
            (!off.is_empty()).then(|| format!("{BAD}ALARM{BAD:#} {}", off.join(", "))),
            (!unknown.is_empty()).then(|| format!("no data yet {}", unknown.join(", "))),
            (!fine.is_empty()).then(|| format!("{} OK", fine.len())),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        format!("Alarms: {}", said.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    #[test]
    fn what_has_gone_off_is_said_by_its_name() {
        let line = |states: [&str; 3]| {
            let alarms = Alarms {
                states: ["failed", "throttled", "rule"]
                    .iter()
                    .zip(states)
                    .map(|(name, state)| Alarm {
                        name: (*name).to_owned(),
                        state: state.to_owned(),
                    })
                    .collect(),
                unconfirmed: None,
                unseen: None,
            };
            strip_str(&alarms.line()).to_string()
        };
        assert_eq!(line(["OK", "OK", "OK"]), "Alarms: all 3 OK");
        assert_eq!(line(["ALARM", "OK", "OK"]), "Alarms: ALARM failed; 2 OK");
        assert_eq!(
            line(["ALARM", "INSUFFICIENT_DATA", "ALARM"]),
            "Alarms: ALARM failed, rule; no data yet throttled"
        );
    }
}
