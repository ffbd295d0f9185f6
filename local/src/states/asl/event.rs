//! One event of an execution's history.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    pub id: u64,
    pub previous_event_id: u64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// For example `TaskStateEntered`.
    #[serde(rename = "type")]
    pub event_type: String,
    pub details: Value,
}

impl HistoryEvent {
    /// The event as GetExecutionHistory gives it.
    pub fn to_api(&self) -> Value {
        let mut event = json!({
            "id": self.id,
            "previousEventId": self.previous_event_id,
            "timestamp": seconds(self.timestamp),
            "type": self.event_type,
        });
        if self
            .details
            .as_object()
            .is_some_and(|details| !details.is_empty())
        {
            event[self.details_member()] = self.details.clone();
        }
        event
    }

    /// The member of the API's event that holds this type's details.
    fn details_member(&self) -> String {
        if self.event_type.ends_with("StateEntered") {
            return "stateEnteredEventDetails".to_owned();
        }
        if self.event_type.ends_with("StateExited") {
            return "stateExitedEventDetails".to_owned();
        }
        let mut name = self.event_type.clone();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        name + "EventDetails"
    }
}

/// Milliseconds as the awsJson protocols write times: seconds with a fraction.
pub fn seconds(milliseconds: i64) -> f64 {
    // Milliseconds stay far below 2^52.
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = milliseconds as f64;
    milliseconds / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_stand_under_the_name_of_their_type() {
        let api = |event_type: &str, details: Value| {
            let event_type = event_type.to_owned();
            HistoryEvent {
                id: 2,
                previous_event_id: 0,
                timestamp: 1500,
                event_type,
                details,
            }
            .to_api()
        };
        assert_eq!(
            api("TaskStateEntered", json!({"name": "A"})),
            json!({"id": 2, "previousEventId": 0, "timestamp": 1.5, "type": "TaskStateEntered",
                   "stateEnteredEventDetails": {"name": "A"}})
        );
        assert!(
            api("TaskScheduled", json!({"resource": "invoke"}))
                .get("taskScheduledEventDetails")
                .is_some()
        );
        assert!(
            api("ExecutionSucceeded", json!({"output": "1"}))
                .get("executionSucceededEventDetails")
                .is_some()
        );
    }
}
