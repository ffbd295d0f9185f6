//! API Gateway's control-plane quotas, per account, which cannot be raised.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Operation, the time that one call of it takes up, and how many may come at once.
const QUOTAS: &[(&str, Duration, u32)] = &[
    ("apigateway:CreateRestApi", Duration::from_secs(3), 1),
    ("apigateway:ImportRestApi", Duration::from_secs(3), 1),
    ("apigateway:DeleteRestApi", Duration::from_secs(30), 1),
    ("apigateway:CreateDeployment", Duration::from_secs(5), 1),
    ("apigateway:PutRestApi", Duration::from_secs(1), 1),
    ("apigateway:GetResources", Duration::from_millis(400), 5),
    ("apigateway:", Duration::from_millis(100), 40),
];

/// When each quota is free again.
#[derive(Debug, Default)]
pub struct Quotas(HashMap<&'static str, Instant>);

impl Quotas {
    /// Whether a call is within every quota that it counts for; it counts if it is.
    pub fn allow(&mut self, operation: &str, now: Instant) -> bool {
        let counts = || {
            QUOTAS.iter().filter(|(name, ..)| {
                operation == *name || (name.ends_with(':') && operation.starts_with(name))
            })
        };
        let free = |quotas: &Self, name, period: Duration, burst: u32| {
            let full = quotas.0.get(name).copied().unwrap_or(now);
            full <= now + period * (burst - 1)
        };
        if !counts().all(|(name, period, burst)| free(self, *name, *period, *burst)) {
            return false;
        }
        for (name, period, _) in counts() {
            let full = self.0.entry(name).or_insert(now);
            *full = (*full).max(now) + *period;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_delete_is_let_through_after_thirty_seconds() {
        let (mut quotas, now) = (Quotas::default(), Instant::now());
        let mut delete =
            |seconds| quotas.allow("apigateway:DeleteRestApi", now + Duration::from_secs(seconds));
        assert!(delete(0));
        assert!(!delete(29));
        assert!(delete(30));
        assert!(!delete(31));
    }

    #[test]
    fn forty_calls_may_come_at_once_and_then_ten_a_second() {
        let (mut quotas, now) = (Quotas::default(), Instant::now());
        let allowed = (0..60)
            .filter(|_| quotas.allow("apigateway:GetRestApis", now))
            .count();
        assert_eq!(allowed, 40);
        let later = now + Duration::from_secs(1);
        let allowed = (0..60)
            .filter(|_| quotas.allow("apigateway:GetRestApis", later))
            .count();
        assert_eq!(allowed, 10);
        assert!(
            quotas.allow("lambda:GetFunction", now),
            "it is no call to API Gateway"
        );
    }
}
