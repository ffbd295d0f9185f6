//! What time it is at AWS: this machine's clock may be off, and the SDK signs for the right time all the same.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use jiff::{SignedDuration, Timestamp};

/// The difference between this machine's clock and AWS's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    ahead: SignedDuration,
}

/// An answer tells whole seconds, and is on its way for some.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

impl Clock {
    fn compared(here: Timestamp, there: Timestamp) -> Self {
        let ahead = here.duration_since(there);
        Self {
            ahead: if ahead.abs() < TOLERANCE {
                SignedDuration::ZERO
            } else {
                ahead
            },
        }
    }

    /// What time it is at AWS.
    pub fn now(self) -> Timestamp {
        self.at(Timestamp::now())
    }

    /// What time it was at AWS when it was `here` at this machine.
    pub fn at(self, here: Timestamp) -> Timestamp {
        here.saturating_sub(self.ahead).unwrap_or(here)
    }

    /// How far it is off, if it is.
    pub fn notice(self) -> Option<String> {
        let minutes = (self.ahead.abs() + SignedDuration::from_secs(30)).as_mins();
        let off = match minutes {
            0 => return None,
            1 => "a minute".to_owned(),
            ..120 => format!("{minutes} minutes"),
            _ => format!("{} hours", minutes / 60),
        };
        let where_to = if self.ahead.is_positive() {
            "ahead of"
        } else {
            "behind"
        };
        Some(format!(
            "this machine's clock is {off} {where_to} AWS's, which all times here are by"
        ))
    }
}

/// Hears from an answer what time it is at AWS.
#[derive(Debug, Clone, Default)]
pub struct TimeSignal(Arc<OnceLock<Clock>>);

impl TimeSignal {
    /// What was heard; where nothing was, the clock is taken for right.
    pub fn clock(&self) -> Clock {
        self.0.get().copied().unwrap_or_default()
    }
}

#[dyn_dispatch_hint]
impl Intercept for TimeSignal {
    fn name(&self) -> &'static str {
        "TimeSignal"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        // A date that cannot be read tells nothing.
        let there = date
            .and_then(|date| DateTime::from_str(date, Format::HttpDate).ok())
            .and_then(|date| Timestamp::from_second(date.secs()).ok());
        if let Some(there) = there {
            self.0.get_or_init(|| Clock::compared(Timestamp::now(), there));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_of_and_reckoned_with() {
        let there = Timestamp::UNIX_EPOCH;
        let notice = |seconds| {
            let here = there + SignedDuration::from_secs(seconds);
            let clock = Clock::compared(here, there);
            assert!(clock.notice().is_none() || clock.at(here) == there);
            clock.notice()
        };
        assert_eq!(notice(59), None);
        assert_eq!(notice(-59), None);
        let told = |off| {
            Some(format!(
                "this machine's clock is {off} AWS's, which all times here are by"
            ))
        };
        assert_eq!(notice(61), told("a minute ahead of"));
        assert_eq!(notice(-600), told("10 minutes behind"));
        assert_eq!(notice(7_300), told("2 hours ahead of"));
    }
}
