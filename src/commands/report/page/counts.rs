//! The last 24 hours: counts hour by hour, and how long it took.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::section;
use crate::commands::status::counts::{Counts, HOURS, what};
use crate::commands::status::executions::Execution;
use crate::ui::format::{duration, time_of_day};
use crate::ui::markup::escaped;
use crate::ui::plot::{Bars, Series, lying};

/// What is counted of one resource.
struct Counted {
    heading: &'static str,
    whole: &'static str,
    /// What of it came to what, with its colour.
    parts: &'static [(&'static str, &'static str)],
    /// What is no part of the whole, but would have been, with its colour.
    beyond: Option<(&'static str, &'static str)>,
}

const EXECUTIONS: Counted = Counted {
    heading: "Executions",
    whole: "executions_started",
    parts: &[
        ("executions_succeeded", "good"),
        ("executions_failed", "bad"),
        ("executions_timed_out", "warn"),
        ("executions_aborted", "plain"),
    ],
    beyond: None,
};
const FUNCTION: Counted = Counted {
    heading: "Function",
    whole: "function_invocations",
    parts: &[("function_errors", "bad")],
    // Lambda does not count as an invocation what it refuses.
    beyond: Some(("function_throttles", "warn")),
};
const RULE: Counted = Counted {
    heading: "Rule",
    whole: "rule_invocations",
    parts: &[("rule_failed_invocations", "bad")],
    beyond: None,
};
const API: Counted = Counted {
    heading: "REST API",
    whole: "api_requests",
    parts: &[("api_4xx", "warn"), ("api_5xx", "bad")],
    beyond: None,
};

pub fn html(counts: &Counts, executions: &[Execution]) -> String {
    let panels = [
        EXECUTIONS.html(counts),
        durations(counts, "Time an execution takes", "executions"),
        FUNCTION.html(counts),
        durations(counts, "Time the function takes", "function"),
        RULE.html(counts),
        API.html(counts),
    ];
    let missing = counts.missing(executions);
    let missing = if counts.day.0.is_empty() && missing.is_empty() {
        vec!["Nothing is counted yet: on AWS it takes some minutes.".to_owned()]
    } else {
        missing
    };
    let missing: String = missing
        .iter()
        .map(|why| format!("<p class=\"none\">{}</p>\n", escaped(why)))
        .collect();
    if counts.is_unread() {
        return section("The last 24 hours", &missing);
    }
    section(
        "The last 24 hours",
        &format!("{missing}<div class=\"panels\">\n{}\n</div>", panels.join("\n")),
    )
}

impl Counted {
    fn html(&self, counts: &Counts) -> String {
        let series = |id: &str, class| Series {
            name: what(id),
            class,
            values: counts
                .hours
                .counts
                .get(id)
                .copied()
                .unwrap_or([0.0; HOURS])
                .to_vec(),
        };
        let bars = Bars {
            what: self.heading.to_owned(),
            times: (0..HOURS).map(|hour| hour_of(counts.hours.start, hour)).collect(),
            whole: series(self.whole, "whole"),
            parts: self.parts.iter().map(|(id, class)| series(id, class)).collect(),
            beyond: self.beyond.map(|(id, class)| series(id, class)),
        };
        let legend: String = bars
            .series()
            .map(|series| {
                let Series { name, class, .. } = series;
                format!(
                    "<li class=\"{class}\">{} <b>{}</b></li>",
                    escaped(name),
                    series.total()
                )
            })
            .collect();
        let heading = escaped(self.heading);
        format!(
            "<figure>\n<figcaption>{heading}<ul class=\"legend\">{legend}</ul></figcaption>\n{}\n{}</figure>",
            bars.svg(),
            numbers(&bars)
        )
    }
}

/// The hours in which anything was counted, in numbers.
fn numbers(bars: &Bars) -> String {
    let row = |index: usize| {
        let values: Vec<f64> = bars.series().map(|series| series.values[index]).collect();
        let is_any = values.iter().any(|value| *value > 0.0);
        let cells: String = values.iter().map(|value| format!("<td>{value}</td>")).collect();
        let time = escaped(&bars.times[index].0);
        is_any.then(|| format!("<tr><th scope=\"row\">{time}</th>{cells}</tr>\n"))
    };
    let rows: String = (0..bars.times.len()).filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = bars
        .series()
        .map(|series| format!("<th>{}</th>", escaped(&series.name)))
        .collect();
    format!(
        "<details><summary>Numbers</summary><table class=\"numbers\"><thead><tr><th>From</th>{heads}</tr></thead>\
         <tbody>\n{rows}</tbody></table></details>\n"
    )
}

/// When the hour begins, where this machine is; each sixth is said below the chart.
fn hour_of(start: Timestamp, hour: usize) -> (String, bool) {
    let hours = SignedDuration::from_hours(hour.try_into().unwrap_or_default());
    let at = start.checked_add(hours).unwrap_or(start);
    let is_told = at.to_zoned(TimeZone::system()).hour() % 6 == 0;
    (time_of_day(at), is_told)
}

fn durations(counts: &Counts, heading: &str, of: &str) -> String {
    let rows = ["p50", "p90", "p99"].map(|percentile| {
        let id = format!("{of}_duration_{percentile}");
        (percentile, counts.day.0.get(id.as_str()).copied())
    });
    let written = |millis: f64| duration(Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default());
    format!(
        "<figure>\n<figcaption>{}<span class=\"legend\">half of them, nine of ten, 99 of 100 took no longer</span></figcaption>\n{}\n</figure>",
        escaped(heading),
        lying(heading, &rows, written)
    )
}
