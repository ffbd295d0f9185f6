//! Numbers as a row of bars.

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
}
