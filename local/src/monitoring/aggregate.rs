//! Statistics of many values in little space.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Neighbouring buckets of a histogram differ by this factor: a percentile is right within one percent.
const STEP: f64 = 1.01;
/// Keeps the buckets of values below one apart from those of negative values.
const OFFSET: i32 = 3000;

/// Count, sum, extremes and a histogram of values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Aggregate {
    count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
    /// How many values there are in a bucket; the buckets are in the order of their values.
    histogram: BTreeMap<i32, f64>,
}

impl Aggregate {
    pub fn of(value: f64, count: f64) -> Self {
        let histogram = BTreeMap::from([(bucket(value), count)]);
        Self {
            count,
            sum: value * count,
            minimum: value,
            maximum: value,
            histogram,
        }
    }

    /// From a set whose values are not known: percentiles take them all for the average.
    pub fn of_set(count: f64, sum: f64, minimum: f64, maximum: f64) -> Self {
        let histogram = BTreeMap::from([(bucket(sum / count), count)]);
        Self {
            count,
            sum,
            minimum,
            maximum,
            histogram,
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
        for (bucket, count) in &other.histogram {
            *self.histogram.entry(*bucket).or_default() += count;
        }
    }

    pub fn statistic(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::SampleCount => self.count,
            Statistic::Sum => self.sum,
            Statistic::Average => self.sum / self.count,
            Statistic::Minimum => self.minimum,
            Statistic::Maximum => self.maximum,
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    fn percentile(&self, percent: f64) -> f64 {
        let rank = self.count * percent / 100.0;
        let mut below = 0.0;
        for (bucket, count) in &self.histogram {
            below += count;
            if below >= rank {
                return value(*bucket).clamp(self.minimum, self.maximum);
            }
        }
        self.maximum
    }
}

fn bucket(value: f64) -> i32 {
    if value.abs() < 1e-9 {
        return 0;
    }
    // A cast from f64 saturates: values beyond all measure share the last bucket.
    let size = (value.abs().ln() / STEP.ln()).round() as i32 + OFFSET;
    if value < 0.0 { -size } else { size }
}

fn value(bucket: i32) -> f64 {
    match bucket {
        0 => 0.0,
        bucket => STEP.powi(bucket.abs() - OFFSET).copysign(f64::from(bucket)),
    }
}

/// What can be asked of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// From 0 to 100.
    Percentile(f64),
}

impl Statistic {
    /// `Sum`, `p99`, `p99.9` …; none if it is another of CloudWatch's.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
                return (0.0..=100.0)
                    .contains(&percent)
                    .then_some(Self::Percentile(percent));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn percentiles_are_right_within_a_percent() {
        let mut all = Aggregate::of(1.0, 1.0);
        for value in 2..=1000 {
            all.merge(&Aggregate::of(f64::from(value), 1.0));
        }
        for (name, expected) in [
            ("p50", 500.0),
            ("p90", 900.0),
            ("p99", 990.0),
            ("p100", 1000.0),
            ("Average", 500.5),
        ] {
            let found = all.statistic(Statistic::named(name).unwrap());
            assert!((found - expected).abs() <= expected * 0.01, "{name}: {found}");
        }
        assert_eq!(all.statistic(Statistic::SampleCount), 1000.0);
    }

    #[test]
    fn small_zero_and_negative_values_keep_their_order() {
        let mut all = Aggregate::of(-5.0, 1.0);
        for value in [0.0, 0.001, 5.0] {
            all.merge(&Aggregate::of(value, 1.0));
        }
        let at = |percent| all.statistic(Statistic::Percentile(percent));
        assert_eq!(at(25.0), -5.0);
        assert_eq!(at(50.0), 0.0);
        assert!((at(75.0) - 0.001).abs() < 0.0001);
        assert_eq!(at(100.0), 5.0);
    }
}
