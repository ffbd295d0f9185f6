//! Numbers as bars.

/// From the lowest bar to the highest.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// In the place of a bar where there is nothing.
const NOTHING: char = '·';

/// A bar for each value, as high as it is of `highest`. Whatever is more than nothing is seen.
pub fn bars(values: &[f64], highest: f64) -> String {
    let bar = |value: &f64| {
        if *value <= 0.0 {
            return NOTHING;
        }
        let height = (value / highest * HEIGHTS.len() as f64).ceil() as usize;
        HEIGHTS[height.clamp(1, HEIGHTS.len()) - 1]
    };
    values.iter().map(bar).collect()
}

/// What goes on from `whole.0` to `whole.1`, and heavily in its `parts`, all from 0 to 1, in `width` columns. However short
/// something is, it is seen.
pub fn span(whole: (f64, f64), parts: &[(f64, f64)], width: usize) -> String {
    let column = |part: f64| (part.clamp(0.0, 1.0) * width as f64).round() as usize;
    let columns = |(from, to): (f64, f64)| {
        let first = column(from).min(width.saturating_sub(1));
        first..column(to).max(first + 1)
    };
    let whole = columns(whole);
    let is_heavy = |at: usize| parts.iter().any(|part| columns(*part).contains(&at));
    let bar = whole.clone().map(|at| if is_heavy(at) { '━' } else { '─' });
    " ".repeat(whole.start) + &bar.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_values() {
        assert_eq!(
            bars(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 8.0),
            "·▁▂▃▄▅▆▇█"
        );
        assert_eq!(bars(&[0.0, 0.01, 1000.0], 1000.0), "·▁█");
        assert_eq!(bars(&[1.0, 1.0], 1.0), "██");
        assert_eq!(bars(&[], 0.0), "");
    }

    #[test]
    fn a_span_lies_where_it_was_and_is_heavy_where_something_ran() {
        let heavy = |from, to| span((from, to), &[(from, to)], 10);
        assert_eq!(heavy(0.0, 1.0), "━━━━━━━━━━");
        assert_eq!(heavy(0.5, 0.8), "     ━━━");
        assert_eq!(heavy(1.0, 1.0), "         ━");
        assert_eq!(heavy(0.3, 0.3), "   ━");
        assert_eq!(span((0.0, 0.9), &[(0.0, 0.0), (0.7, 0.9)], 10), "━──────━━");
        // An execution that took no time.
        assert_eq!(heavy(f64::NAN, f64::NAN), "━");
    }
}
