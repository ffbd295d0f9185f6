//! AWS's bad days, on request: what a cloud far away does, and one on the same machine never would. Off by default.
//!
//! # Layout
//! - [`Realism`], here: what can be asked for; [`Fault`] in `faults`: what goes wrong at single calls
//! - [`Conditions`], in `conditions`: what befalls each call, and what is not known everywhere yet
//! - `quotas`: API Gateway's, which nobody can have raised

mod conditions;
mod faults;
mod quotas;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use conditions::{Change, Conditions};
pub use faults::{Fault, Mishap};
pub(crate) use faults::{Happening, Unanswered};

/// What is asked for; [`Realism::default`] is nothing. Times are in milliseconds; operations are named as in `lambda:CreateFunction`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Realism {
    /// How long every call takes at least.
    pub latency: u64,
    /// How long the calls of an operation take at least, where that is something else.
    pub latencies: BTreeMap<String, u64>,
    /// Until services know of a new role, and of its first policies.
    pub propagation: u64,
    /// How long a new function is `Pending`, and an update of one `InProgress`.
    pub function: u64,
    /// How many of the functions that are made from now on are never ready, but `Failed`.
    pub failing_functions: u64,
    /// How long an updated state machine is described as it was before.
    pub state_machine_update: u64,
    /// How long a state machine is `DELETING`.
    pub state_machine_deletion: u64,
    /// How long the name of a deleted bucket is taken.
    pub bucket_deletion: u64,
    /// Until a log event is read by anyone after it was written.
    pub log_delivery: u64,
    /// Whether API Gateway's quotas are kept.
    pub quotas: bool,
    /// The number of the call from which on the credentials have expired, from 1.
    pub expires_at: Option<u64>,
    /// What goes wrong at single calls.
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
}

impl Realism {
    /// Whether it asks for something that can happen.
    ///
    /// # Errors
    /// A fault that never could, and why.
    pub fn check(&self) -> Result<(), String> {
        self.faults.iter().try_for_each(Fault::check)
    }

    fn latency_of(&self, operation: &str) -> u64 {
        self.latencies.get(operation).copied().unwrap_or(self.latency)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fault(operation: &str, call: u64, status: u16) -> Realism {
        let does = Mishap::Refuse {
            status,
            code: "Busy".to_owned(),
            message: String::new(),
        };
        Realism {
            faults: vec![Fault {
                operation: operation.to_owned(),
                call,
                times: 1,
                after: false,
                does,
            }],
            ..Realism::default()
        }
    }

    #[test]
    fn a_fault_that_never_could_happen_is_refused() {
        fault("lambda:CreateFunction", 1, 503).check().unwrap();
        fault("*", 7, 400).check().unwrap();
        for never in [
            fault("CreateFunction", 1, 503),
            fault("lamda:CreateFunction", 1, 503),
            fault("lambda:CreateFunction", 0, 503),
            fault("lambda:CreateFunction", 1, 200),
        ] {
            assert!(never.check().is_err(), "{never:?}");
        }
    }
}
