//! Numbers as charts in SVG, with a scale and in words.

use std::fmt::Write as _;

use super::markup::escaped;

/// Pixels.
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 150.0;
/// The room for the scale's numbers.
const LEFT: f64 = 34.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// The room of a time of day.
const TIME: f64 = 34.0;
/// How much of an hour's room its bar takes.
const BAR: f64 = 0.72;
/// The most lines of a scale above zero.
const LINES: f64 = 4.0;
/// The room of one bar that lies, and the bar's own height.
const LYING: f64 = 38.0;
const LYING_BAR: f64 = 14.0;
/// The room for what a bar that lies ends with.
const VALUE: f64 = 58.0;

/// Values with a name and a colour.
#[derive(Debug)]
pub struct Series {
    pub name: String,
    /// A colour's class: `good`.
    pub class: &'static str,
    pub values: Vec<f64>,
}

/// Time after time a bar: a whole, in front of it its parts, one on the other, and on top what is no part of it.
#[derive(Debug)]
pub struct Bars {
    /// What is counted, for who cannot see it.
    pub what: String,
    /// What each bar is of, and whether the scale says so.
    pub times: Vec<(String, bool)>,
    pub whole: Series,
    pub parts: Vec<Series>,
    pub beyond: Option<Series>,
}

impl Bars {
    /// The chart.
    pub fn svg(&self) -> String {
        let highest = (0..self.times.len()).map(|index| self.stacked(index) + self.beyond(index));
        let highest = highest.fold(0.0, f64::max);
        let lines = lines(highest, 1.0);
        let scale = lines.last().copied().unwrap_or(1.0);
        let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / scale);
        let mut svg = open(&self.told(highest), HEIGHT);
        for line in lines {
            let class = if line > 0.0 { "line" } else { "base" };
            let _ = write!(
                svg,
                "<path d=\"M{LEFT} {y:.1} H{}\" class=\"{class}\"/><text x=\"{}\" y=\"{:.1}\" class=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y(line) + 4.0,
                short(line),
                y = y(line),
            );
        }
        let room = (WIDTH - LEFT - RIGHT) / self.times.len() as f64;
        for (index, (time, is_told)) in self.times.iter().enumerate() {
            let left = LEFT + room * index as f64;
            let bar = (left + room * (1.0 - BAR) / 2.0, room * BAR);
            let _ = write!(svg, "\n<g><title>{}</title>", escaped(&self.told_at(index)));
            // So that the pointer finds it where there is little or nothing.
            let _ = write!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{TOP}\" width=\"{room:.1}\" height=\"{:.1}\" class=\"none\"/>",
                HEIGHT - TOP - BOTTOM
            );
            draw(
                &mut svg,
                bar,
                (y(self.whole.values[index]), y(0.0)),
                self.whole.class,
            );
            let mut below = 0.0;
            for part in &self.parts {
                let value = part.values[index];
                draw(&mut svg, bar, (y(below + value), y(below)), part.class);
                below += value;
            }
            if let Some(beyond) = &self.beyond {
                let below = self.stacked(index);
                let above = below + beyond.values[index];
                draw(&mut svg, bar, (y(above), y(below)), beyond.class);
            }
            svg.push_str("</g>");
            if *is_told {
                // The last one has no room to its right.
                let middle = (left + room / 2.0).min(WIDTH - TIME / 2.0);
                let time = escaped(time);
                let _ = write!(
                    svg,
                    "<text x=\"{middle:.1}\" y=\"{}\">{time}</text>",
                    HEIGHT - 7.0
                );
            }
        }
        if highest <= 0.0 {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{}\">nothing counted</text>",
                (WIDTH + LEFT) / 2.0,
                HEIGHT / 2.0
            );
        }
        svg + "</svg>"
    }

    /// How high the whole and its parts are.
    fn stacked(&self, index: usize) -> f64 {
        let parts: f64 = self.parts.iter().map(|part| part.values[index]).sum();
        parts.max(self.whole.values[index])
    }

    fn beyond(&self, index: usize) -> f64 {
        self.beyond.as_ref().map_or(0.0, |beyond| beyond.values[index])
    }

    /// The whole, its parts and what is on top.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        [&self.whole].into_iter().chain(&self.parts).chain(&self.beyond)
    }

    fn told(&self, highest: f64) -> String {
        let totals: Vec<_> = self
            .series()
            .map(|series| format!("{} {}", series.name, series.total()))
            .collect();
        format!(
            "{} by the hour, at most {highest} in one: {} in all",
            self.what,
            totals.join(", ")
        )
    }

    /// `09:00: started 2, succeeded 2`
    fn told_at(&self, index: usize) -> String {
        let values = self.series().filter(|series| series.values[index] > 0.0);
        let values: Vec<_> = values
            .map(|series| format!("{} {}", series.name, series.values[index]))
            .collect();
        let values = if values.is_empty() {
            "nothing".to_owned()
        } else {
            values.join(", ")
        };
        format!("{}: {values}", self.times[index].0)
    }
}

impl Series {
    pub fn total(&self) -> f64 {
        self.values.iter().sum()
    }
}

/// A bar from `bottom` up to `top`; whatever is more than nothing is seen.
fn draw(svg: &mut String, (x, width): (f64, f64), (top, bottom): (f64, f64), class: &str) {
    if top < bottom {
        let height = (bottom - top).max(1.5);
        let y = bottom - height;
        let _ = write!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
        );
    }
}

/// Bars that lie, each with its name before and its value behind it, in one scale. `written` puts a value into words.
pub fn lying(what: &str, rows: &[(&str, Option<f64>)], written: impl Fn(f64) -> String) -> String {
    let highest = rows.iter().filter_map(|(_, value)| *value).fold(0.0, f64::max);
    let height = TOP + LYING * rows.len() as f64 + BOTTOM;
    let bottom = height - BOTTOM;
    let lines = lines(highest, f64::MIN_POSITIVE);
    let scale = lines.last().copied().unwrap_or(1.0);
    let room = WIDTH - LEFT - VALUE;
    let value_of = |value: &Option<f64>| value.map_or_else(|| "–".to_owned(), &written);
    let told: Vec<_> = rows
        .iter()
        .map(|(name, value)| format!("{name} {}", value_of(value)))
        .collect();
    let mut svg = open(&format!("{what}: {}", told.join(", ")), height);
    // Side by side there is room for three numbers; without a value there is no scale.
    let told = if lines.len() > 4 { 2 } else { 1 };
    for (index, line) in lines.iter().enumerate().filter(|_| highest > 0.0) {
        let x = LEFT + room * line / scale;
        let (class, label) = match index {
            0 => ("base", "0".to_owned()),
            index if index % told == 0 => ("line", written(*line)),
            _ => ("line", String::new()),
        };
        let _ = write!(
            svg,
            "<path d=\"M{x:.1} {TOP} V{bottom}\" class=\"{class}\"/><text x=\"{x:.1}\" y=\"{}\">{}</text>",
            height - 7.0,
            escaped(&label)
        );
    }
    for (index, (name, value)) in rows.iter().enumerate() {
        let middle = TOP + LYING * (index as f64 + 0.5);
        let end = LEFT + room * value.unwrap_or_default() / scale;
        let _ = write!(
            svg,
            "\n<text x=\"{}\" y=\"{:.1}\" class=\"end\">{name}</text><rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{LYING_BAR}\" \
             class=\"whole\"/><text x=\"{:.1}\" y=\"{:.1}\" class=\"value\">{}</text>",
            LEFT - 6.0,
            middle + 4.0,
            middle - LYING_BAR / 2.0,
            end - LEFT,
            end + 6.0,
            middle + 4.0,
            escaped(&value_of(value))
        );
    }
    svg + "</svg>"
}

fn open(told: &str, height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" class=\"plot\" role=\"img\" aria-label=\"{}\">",
        escaped(told)
    )
}

/// The lines of a scale from 0 to `highest` or a little more: 1, 2 or 5 of a power of ten apart, and no less than `least`.
fn lines(highest: f64, least: f64) -> Vec<f64> {
    let highest = if highest > 0.0 { highest } else { least.max(1.0) };
    let power = 10_f64.powf((highest / LINES).log10().floor());
    let steps = [1.0, 2.0, 5.0].into_iter();
    let step = steps
        .map(|step| step * power)
        .find(|step| step * LINES >= highest);
    let step = step.unwrap_or(10.0 * power).max(least);
    let count = (highest / step).ceil() as usize;
    (0..=count).map(|line| line as f64 * step).collect()
}

/// `9000`, `20k`, `1.5M`
fn short(count: f64) -> String {
    match count {
        count if count < 10_000.0 => count.to_string(),
        count if count < 1e6 => format!("{}k", count / 1e3),
        count => format!("{}M", count / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(started: &[f64], failed: &[f64]) -> Bars {
        let series = |name: &str, class, values: &[f64]| Series {
            name: name.to_owned(),
            class,
            values: values.to_vec(),
        };
        Bars {
            what: "executions".to_owned(),
            times: started.iter().map(|_| ("09:00".to_owned(), true)).collect(),
            whole: series("started", "whole", started),
            parts: vec![series("failed", "bad", failed)],
            beyond: None,
        }
    }

    #[test]
    fn what_is_no_part_of_the_whole_stands_on_top_of_it() {
        let mut bars = bars(&[2.0], &[1.0]);
        bars.beyond = Some(Series {
            name: "throttles".to_owned(),
            class: "warn",
            values: vec![3.0],
        });
        let svg = bars.svg();
        assert!(
            svg.contains("at most 5 in one: started 2, failed 1, throttles 3 in all"),
            "{svg}"
        );
        let top = |class: &str| {
            let bar = svg
                .split("<rect ")
                .find(|rect| rect.contains(&format!("class=\"{class}\"")));
            let number = |bar: &str, name: &str| -> f64 {
                let value = bar.split(&format!(" {name}=\"")).nth(1).unwrap_or_default();
                value
                    .split('"')
                    .next()
                    .unwrap_or_default()
                    .parse()
                    .unwrap_or(f64::NAN)
            };
            let bar = bar.unwrap_or_default();
            (number(bar, "y"), number(bar, "y") + number(bar, "height"))
        };
        assert!((top("warn").1 - top("whole").0).abs() < 0.2, "{svg}");
    }

    #[test]
    fn a_scale_has_few_and_round_lines() {
        assert_eq!(lines(0.0, 1.0), [0.0, 1.0]);
        assert_eq!(lines(1.0, 1.0), [0.0, 1.0]);
        assert_eq!(lines(3.0, 1.0), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(lines(9.0, 1.0), [0.0, 5.0, 10.0]);
        assert_eq!(lines(41.0, 1.0), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(lines(1234.0, f64::MIN_POSITIVE), [0.0, 500.0, 1000.0, 1500.0]);
        assert_eq!(lines(0.02, f64::MIN_POSITIVE).len(), 5);
        assert_eq!(
            [9_000.0, 20_000.0, 1_500_000.0].map(short),
            ["9000", "20k", "1.5M"]
        );
    }

    #[test]
    fn a_chart_says_in_words_what_it_shows() {
        let svg = bars(&[2.0, 0.0], &[1.0, 0.0]).svg();
        assert!(
            svg.contains(
                "aria-label=\"executions by the hour, at most 2 in one: started 2, failed 1 in all\""
            ),
            "{svg}"
        );
        assert!(svg.contains("<title>09:00: started 2, failed 1</title>"), "{svg}");
        assert!(svg.contains("<title>09:00: nothing</title>"), "{svg}");
    }

    #[test]
    fn nothing_at_all_is_said_and_no_bar_is_drawn() {
        let svg = bars(&[0.0], &[0.0]).svg();
        assert!(
            svg.contains("nothing counted") && !svg.contains("class=\"whole\""),
            "{svg}"
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let svg = lying("how long", &[("p50", None)], |value| format!("{value} ms"));
        assert!(
            svg.contains("aria-label=\"how long: p50 –\"") && !svg.contains("NaN"),
            "{svg}"
        );
    }

    #[test]
    fn one_among_a_million_is_seen() {
        let svg = bars(&[1e6, 1.0], &[0.0, 0.0]).svg();
        assert!(svg.contains("height=\"1.5\" class=\"whole\""), "{svg}");
    }
}
