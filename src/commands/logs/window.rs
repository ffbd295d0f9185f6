//! From when on a log group is read, and what of that was shown already.

use std::collections::BTreeSet;

use crate::execution::{DELIVERY_MAX_MILLIS, Found, LogEvent};

/// How much later than others, in milliseconds, a line may come: CloudWatch Logs delivers late and not in order.
const LATE_MILLIS: i64 = DELIVERY_MAX_MILLIS;
/// The most lines that are remembered: of a flood, less than the latest may come.
const SEEN_MAX: usize = 200_000;

/// A stretch of time that ends now. It overlaps with the stretch before, so that a late line is found, and knows the lines it
/// had, so that none is shown twice.
#[derive(Debug)]
pub struct Window {
    /// Milliseconds since 1970: what is earlier is not looked for any more.
    start: i64,
    /// Milliseconds since 1970: from when on is read next. Later than the start while there is more than is read at once.
    from: i64,
    /// Milliseconds since 1970, and the event's id.
    seen: BTreeSet<(i64, String)>,
}

impl Window {
    pub fn new(from: i64) -> Self {
        Self {
            start: from,
            from,
            seen: BTreeSet::new(),
        }
    }

    /// Milliseconds since 1970.
    pub fn from(&self) -> i64 {
        self.from
    }

    /// What is new of `found`. The window moves on with the newest line, whatever this machine's clock says; but a line of the
    /// future does not move it beyond `now`.
    pub fn new_of(&mut self, found: Found, now: i64) -> Vec<LogEvent> {
        let newest = found.events.iter().map(|event| event.millis.min(now)).max();
        let mut new = found.events;
        new.retain(|event| self.seen.insert((event.millis, event.id.clone())));
        if let Some(newest) = newest {
            self.start = self.start.max(newest - LATE_MILLIS);
        }
        while self.seen.len() > SEEN_MAX
            && let Some((millis, _)) = self.seen.pop_first()
        {
            self.start = self.start.max(millis + 1);
        }
        self.seen = self.seen.split_off(&(self.start, String::new()));
        self.from = match newest {
            // There is more than could be read at once: it is read on from there. Of one millisecond that has more than that,
            // the rest is passed over.
            Some(newest) if found.is_cut => self.start.max(newest.max(self.from + 1)),
            _ => self.start,
        };
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(events: &[(&str, i64)]) -> Found {
        let event = |(id, millis): &(&str, i64)| LogEvent {
            id: (*id).to_owned(),
            stream: "s".to_owned(),
            millis: *millis,
            text: String::new(),
        };
        Found {
            events: events.iter().map(event).collect(),
            is_cut: false,
        }
    }

    fn ids(events: Vec<LogEvent>) -> Vec<String> {
        events.into_iter().map(|event| event.id).collect()
    }

    const NOW: i64 = 10_000_000;

    #[test]
    fn a_late_line_is_shown_and_none_twice() {
        let mut window = Window::new(0);
        assert_eq!(ids(window.new_of(found(&[("a", 9_000_000)]), NOW)), ["a"]);
        let overlapping = found(&[("late", 8_950_000), ("a", 9_000_000), ("b", 9_000_000)]);
        assert!(window.from() <= 8_950_000);
        assert_eq!(ids(window.new_of(overlapping, NOW)), ["late", "b"]);
        assert_eq!(ids(window.new_of(found(&[("a", 9_000_000)]), NOW)), [""; 0]);
    }

    #[test]
    fn what_lies_behind_the_window_is_forgotten() {
        let mut window = Window::new(0);
        window.new_of(found(&[("a", 1)]), NOW);
        window.new_of(found(&[("b", 9_000_000)]), NOW);
        assert_eq!((window.from(), window.seen.len()), (9_000_000 - LATE_MILLIS, 1));
        // It never goes back.
        window.new_of(found(&[("c", 5)]), NOW);
        assert_eq!(window.from(), 9_000_000 - LATE_MILLIS);
    }

    #[test]
    fn a_line_of_the_future_does_not_hide_those_of_now() {
        let mut window = Window::new(0);
        window.new_of(found(&[("future", NOW + 7_200_000)]), NOW);
        assert_eq!(window.from(), NOW - LATE_MILLIS);
        assert_eq!(
            ids(window.new_of(found(&[("future", NOW + 7_200_000)]), NOW)),
            [""; 0]
        );
    }

    #[test]
    fn of_more_than_is_read_at_once_it_goes_on_behind_what_was_read() {
        let mut window = Window::new(0);
        let mut first = found(&[("a", 1), ("b", 2)]);
        first.is_cut = true;
        window.new_of(first, NOW);
        assert_eq!(window.from(), 2);
        assert_eq!(ids(window.new_of(found(&[("b", 2), ("c", 3)]), NOW)), ["c"]);
        // All was read: now the late ones are looked for again.
        assert_eq!(window.from(), 0);
        assert_eq!(
            ids(window.new_of(found(&[("late", 1), ("b", 2), ("c", 3)]), NOW)),
            ["late"]
        );
    }

    #[test]
    fn more_in_one_millisecond_than_is_read_at_once_does_not_hold_it_up() {
        let mut window = Window::new(7);
        for _ in 0..2 {
            let mut one = found(&[("a", 7), ("b", 7)]);
            one.is_cut = true;
            window.new_of(one, NOW);
        }
        assert_eq!(window.from(), 9);
    }

    #[test]
    fn a_flood_takes_no_more_memory_and_repeats_nothing() {
        let mut window = Window::new(0);
        let names: Vec<String> = (0..SEEN_MAX + 10).map(|n| n.to_string()).collect();
        // Two hundred a millisecond.
        let times = (0..).map(|n: i64| 9_900_000 + n / 200);
        let flood: Vec<(&str, i64)> = names.iter().map(String::as_str).zip(times).collect();
        window.new_of(found(&flood), NOW);
        assert!(window.seen.len() <= SEEN_MAX);
        // Of the first millisecond some are forgotten: it is not read again.
        assert_eq!(window.from(), 9_900_001);
    }
}
