//! Random bad days, the same again for the same seed.

use std::collections::BTreeMap;

use resizer_local::Realism;

use crate::mishaps::ways;

/// A generator of numbers that look random. SplitMix64, which is in the public domain:
/// <https://prng.di.unimi.it/splitmix64.c>
pub struct Random(u64);

impl Random {
    pub fn from(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of `items`.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.below(items.len() as u64);
        &items[usize::try_from(index).unwrap()]
    }

    /// A day on which AWS is slow, knows nothing at once, and up to three of `calls` go wrong.
    pub fn day(&mut self, calls: &BTreeMap<String, u64>) -> Realism {
        let operations: Vec<_> = calls.iter().collect();
        let faults = (0..self.below(4)).map(|_| {
            let (operation, count) = *self.one_of(&operations);
            let call = 1 + self.below(*count);
            self.one_of(&ways(operation, call)).fault.clone()
        });
        Realism {
            faults: faults.collect(),
            latency: self.below(4),
            propagation: self.below(2) * self.below(1_500),
            function: self.below(2) * self.below(600),
            state_machine_deletion: self.below(2) * self.below(800),
            quotas: self.below(4) == 0,
            bucket_deletion: self.below(2) * self.below(1_500),
            ..Realism::default()
        }
    }
}
