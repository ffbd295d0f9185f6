//! Waiting, as data: what is waited for, and for how long.

use std::collections::HashMap;
use std::time::Duration;

use super::resource::Failure;

/// An error that means "not yet": the same call will do later.
#[derive(Debug)]
pub struct NotYet {
    /// The call, as IAM writes it. Empty: whichever it is.
    pub operation: &'static str,
    /// The error's code.
    pub code: &'static str,
    /// A part of the error's message; services change the rest of it. Empty: whatever it says.
    pub says: &'static str,
    /// Read after "waits for …".
    pub waits_for: &'static str,
    pub schedule: Schedule,
}

impl NotYet {
    /// Whether `failure` is this error.
    pub fn means(&self, failure: &Failure) -> bool {
        (self.operation.is_empty() || failure.operation == self.operation)
            && failure.code.as_deref() == Some(self.code)
            && failure.detail.contains(self.says)
    }
}

/// Pauses that double from `first` to `longest`, until `total` has been spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub first: Duration,
    pub longest: Duration,
    pub total: Duration,
}

/// The pauses of one step, counted for each thing that is waited for.
#[derive(Debug, Default)]
pub struct Waits(HashMap<String, Spent>);

#[derive(Debug, Default)]
struct Spent {
    pauses: u32,
    total: Duration,
}

impl Waits {
    /// The next pause, or `None` when the schedule has come to its end.
    pub fn next(&mut self, waits_for: &str, schedule: Schedule) -> Option<Duration> {
        let spent = self.0.entry(waits_for.to_owned()).or_default();
        if spent.total >= schedule.total {
            return None;
        }
        let pause = schedule
            .first
            .saturating_mul(1 << spent.pauses.min(20))
            .min(schedule.longest);
        spent.pauses += 1;
        spent.total += pause;
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let schedule = Schedule {
            first: Duration::from_millis(250),
            longest: Duration::from_secs(2),
            total: Duration::from_secs(6),
        };
        let mut waits = Waits::default();
        let pauses: Vec<u128> = std::iter::from_fn(|| waits.next("rain", schedule))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 2000, 2000]);
        assert!(
            waits.next("snow", schedule).is_some(),
            "each wait has its own time"
        );
    }
}
