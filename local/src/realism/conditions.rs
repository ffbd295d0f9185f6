//! What befalls each call, and what is not known everywhere yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Realism;
use super::faults::Happening;
use super::quotas::Quotas;
use crate::error::AwsError;

/// How a cloud behaves just now.
#[derive(Debug, Default)]
pub struct Conditions {
    /// Whether it was said how to behave: without, a call pays for no more than this look.
    is_on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    realism: Realism,
    /// How many calls there were, by operation.
    calls: BTreeMap<String, u64>,
    all: u64,
    quotas: Quotas,
    /// Since when what was changed is what it is.
    changes: HashMap<Change, Instant>,
}

/// A change that takes its time to be known, or to be over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// Who may assume the role of this name.
    Trust(String),
    /// What the role of this name may do.
    Permissions(String),
    /// The function of this name was made.
    FunctionMade(String),
    /// The code or the configuration of the function of this name was changed.
    FunctionUpdated(String),
    /// The state machine of this name was updated.
    StateMachineUpdated(String),
    /// The bucket of this name was deleted.
    BucketDeleted(String),
}

impl Change {
    fn takes(&self, realism: &Realism) -> Duration {
        Duration::from_millis(match self {
            Self::Trust(_) | Self::Permissions(_) => realism.propagation,
            Self::FunctionMade(_) | Self::FunctionUpdated(_) => realism.function,
            Self::StateMachineUpdated(_) => realism.state_machine_update,
            Self::BucketDeleted(_) => realism.bucket_deletion,
        })
    }
}

impl Conditions {
    /// Behaves like `realism` from now on; calls are counted anew.
    pub fn set(&self, realism: Realism) {
        *self.state() = State {
            realism,
            ..State::default()
        };
        self.is_on.store(true, Ordering::Release);
    }

    /// How many calls there were by operation, since it was said how to behave.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Counts a call, lets it take its time, and says what befalls it. `operation` is `lambda:CreateFunction`.
    pub(crate) async fn befalls(&self, operation: impl FnOnce() -> String) -> Option<Happening> {
        if !self.is_on() {
            return None;
        }
        let (latency, happening) = self.state().next(&operation());
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        happening
    }

    /// Something changed just now.
    pub(crate) fn note(&self, change: Change) {
        if self.is_on() {
            self.state().changes.insert(change, Instant::now());
        }
    }

    /// Whether a change, if there was one, is known everywhere and over.
    pub(crate) fn is_over(&self, change: impl FnOnce() -> Change) -> bool {
        if !self.is_on() {
            return true;
        }
        let (change, state) = (change(), self.state());
        let since = state.changes.get(&change);
        since.is_none_or(|since| since.elapsed() >= change.takes(&state.realism))
    }

    /// Whether a function that is made just now is never ready.
    pub(crate) fn fails_a_function(&self) -> bool {
        if !self.is_on() {
            return false;
        }
        let left = &mut self.state().realism.failing_functions;
        let fails = *left > 0;
        *left -= u64::from(fails);
        fails
    }

    /// Milliseconds until a log event that was written is read.
    pub(crate) fn log_delivery(&self) -> u64 {
        if !self.is_on() {
            return 0;
        }
        self.state().realism.log_delivery
    }

    /// How long a state machine is to be `DELETING`.
    pub(crate) fn state_machine_deletion(&self) -> Duration {
        Duration::from_millis(self.state().realism.state_machine_deletion)
    }
}

impl State {
    fn next(&mut self, operation: &str) -> (u64, Option<Happening>) {
        self.all += 1;
        let count = self.calls.entry(operation.to_owned()).or_default();
        *count += 1;
        let count = *count;
        let fault = self
            .realism
            .faults
            .iter()
            .find(|fault| fault.befalls(operation, count, self.all));
        let happening = if self.realism.expires_at.is_some_and(|first| self.all >= first) {
            let message = "The security token included in the request is expired";
            Some(Happening::refused(AwsError::new(403, "ExpiredToken", message)))
        } else if self.realism.quotas && !self.quotas.allow(operation, Instant::now()) {
            let refused = AwsError::new(429, "TooManyRequestsException", "Too Many Requests");
            Some(Happening::refused(refused))
        } else {
            fault.map(Happening::of)
        };
        (self.realism.latency_of(operation), happening)
    }
}
