//! How long to wait before something is tried again.

/// Milliseconds before another try after `tries` of them: a second first, each wait twice the one before, at most `most`.
pub fn doubled(tries: u32, most: i64) -> i64 {
    // More doublings than any `most` allows for.
    (1000 << tries.min(20)).min(most)
}
