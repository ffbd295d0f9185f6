//! How long ago, as people write it.

use jiff::{Span, SpanRelativeTo, Timestamp};

/// The time that `text` (`2h`) ago was.
pub fn ago(text: &str) -> Result<Timestamp, String> {
    let what = || format!("'{text}' is no time; write it as 90m, 2h or 7d");
    let span: Span = text.parse().map_err(|_| what())?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| what())?;
    if duration.is_zero() {
        return Err(what());
    }
    Timestamp::now()
        .checked_sub(duration.abs())
        .map_err(|_| format!("'{text}' ago is before all time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_ago_is_said_in_minutes_hours_or_days() {
        let minutes = |text| ago(text).map(|at| (Timestamp::now().as_second() - at.as_second()) / 60);
        assert_eq!(minutes("90m"), Ok(90));
        assert_eq!(minutes("2h"), Ok(120));
        assert_eq!(minutes("7d"), Ok(7 * 24 * 60));
        for text in ["", "2", "soon", "1 month", "2h later", "0h", "99999999d"] {
            assert!(ago(text).is_err(), "{text}");
        }
    }
}
