//! The counts as people read them.

use std::time::Duration;

use anstyle::Style;

use super::{Counts, HOURS, Hours, SOURCES, Source};
use crate::commands::status::executions::{Execution, line_of_missing};
use crate::ui::chart::bars;
use crate::ui::format::{duration, time_of_day};
use crate::ui::styles::{BAD, GOOD};
use crate::ui::table::aligned;
use crate::ui::wrap::{fitted, wrapped};

/// In fewer columns there is no room for a bar an hour.
const NARROW: usize = 46;
/// What stands below the last bar.
const NOW: &str = "now";
/// In the place of a space where a line is not to be broken: between a count and its number.
const NO_BREAK: &str = "\u{a0}";
/// What stands before a resource's counts.
const BEFORE_COUNTS: usize = 14;

/// What is shown hour by hour.
const CHART: [&str; 4] = [
    "executions_started",
    "executions_succeeded",
    "executions_failed",
    "executions_timed_out",
];

/// The counts as people read them, in `width` columns, and why there may be less than there was beside the executions that
/// are listed.
pub fn table(counts: &Counts, executions: &[Execution], width: usize) -> String {
    let missing = counts.missing(executions);
    let missing = missing
        .iter()
        .map(|why| format!("\n{}", line_of_missing(why, width)));
    rows(counts, width) + &missing.collect::<String>()
}

fn rows(counts: &Counts, width: usize) -> String {
    let rows: Vec<_> = SOURCES.iter().map(|source| row(source, counts)).collect();
    // Not cut, however narrow the terminal: every number counts.
    let rows = aligned(&rows, usize::MAX);
    let rows = rows
        .iter()
        .map(|row| wrapped(&format!("  {row}"), width, BEFORE_COUNTS));
    let rows = rows.collect::<Vec<_>>().join("\n").replace(NO_BREAK, " ");
    if counts.day.0.is_empty() && counts.untold.statuses.is_empty() && !counts.is_unread() {
        let nothing = fitted(
            "Last 24 hours: nothing counted yet (on AWS it takes some minutes)",
            width,
        );
        return format!("{nothing}\n{rows}");
    }
    format!(
        "{}\n\n{rows}",
        fitted(&format!("Last 24 hours{}", chart(&counts.hours, width)), width)
    )
}

/// A row of bars for each kind of execution that there was, all in one scale.
fn chart(hours: &Hours, width: usize) -> String {
    let hours_a_bar = if width < NARROW { 2 } else { 1 };
    let bars_of = |values: &[f64; HOURS]| -> Vec<f64> {
        values
            .chunks(hours_a_bar)
            .map(|hours| hours.iter().sum())
            .collect()
    };
    let shown = CHART.iter().filter_map(|id| hours.counts.get(id));
    let highest = shown.flat_map(bars_of).fold(0.0, f64::max);
    if highest <= 0.0 {
        return String::new();
    }
    let rows = CHART.iter().filter_map(|id| {
        let values = hours.counts.get(id)?;
        let total: f64 = values.iter().sum();
        let style = match *id {
            "executions_succeeded" => GOOD,
            "executions_failed" | "executions_timed_out" => BAD,
            _ => Style::new(),
        };
        let bars = bars(&bars_of(values), highest);
        (total > 0.0).then(|| format!("\n  {:<9}  {style}{bars}{style:#} {total:>6.0}", what(id)))
    });
    let scale = if hours_a_bar == 1 {
        format!("hour by hour, at most {highest:.0} an hour")
    } else {
        format!("at most {highest:.0} in two hours")
    };
    format!(
        ", {scale}{}\n{:13}{:<3$}{NOW}",
        rows.collect::<String>(),
        "",
        time_of_day(hours.start),
        HOURS / hours_a_bar - NOW.len(),
    )
}

/// A count's name without its resource's.
pub fn what(id: &str) -> String {
    let (_, what) = id.split_once('_').unwrap_or(("", id));
    what.replace('_', " ")
}

fn row(source: &Source, counts: &Counts) -> [String; 2] {
    let shown = source
        .counts
        .iter()
        .map(|count| match counts.day.0.get(count.id) {
            None if !counts.untold.is_told(count.id) => format!("{} –", what(count.id)),
            value if count.is_sum() => format!("{} {:.0}", what(count.id), value.unwrap_or(&0.0)),
            Some(millis) => {
                let took = Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default();
                format!("{} {}", count.statistic, duration(took))
            }
            None => format!("{} –", count.statistic),
        });
    let memory = (source.namespace == "AWS/Lambda").then(|| match counts.memory {
        // Not of the whole day: the newest lines tell it.
        Some(memory) => format!("memory lately {} of {} MB", memory.max_mb, memory.size_mb),
        None => "memory –".to_owned(),
    });
    [
        source.heading.to_owned(),
        shown
            .chain(memory)
            .map(|count| count.replace(' ', NO_BREAK))
            .collect::<Vec<_>>()
            .join(", "),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use anstream::adapter::strip_str;
    use aws_sdk_cloudwatch::types::{MessageData, StatusCode};
    use jiff::Timestamp;

    use super::super::HOUR;
    use super::*;
    use crate::commands::status::memory::Memory;

    const START: i64 = 1_764_000_000;

    #[test]
    fn counts_are_shown_by_resource_and_executions_by_hour() {
        let mut counts = Counts::since(START);
        let hour = |n: i64| START + n * i64::from(HOUR);
        counts.add(
            "executions_started",
            [(hour(23), 8.0), (hour(2), 4.0)].into_iter(),
        );
        counts.add(
            "executions_succeeded",
            [(hour(23), 7.0), (hour(2), 4.0)].into_iter(),
        );
        counts.add("executions_failed", [(hour(23), 1.0)].into_iter());
        counts.add("executions_duration_p50", [(START, 45.0)].into_iter());
        counts.add("function_invocations", [(hour(23), 13.0)].into_iter());
        counts.add("function_errors", [(hour(23), 1.0)].into_iter());
        counts.add(
            "function_duration_p50",
            [(START, 41.4), (START + 7, 30.0)].into_iter(),
        );
        counts.add("function_duration_p99", [(START, 120.0)].into_iter());
        counts.add("api_requests", [(hour(0), 3.0)].into_iter());
        counts.memory = Some(Memory {
            max_mb: 38,
            size_mb: 1769,
        });
        counts.add("of another version", [(hour(0), 3.0)].into_iter());
        let shown = strip_str(&table(&counts, &[], 120)).to_string();
        // The times are where this machine is.
        let shown = shown.replace(&time_of_day(counts.hours.start), "[ago]");
        insta::assert_snapshot!(shown, @"
        Last 24 hours, hour by hour, at most 8 an hour
          started    ··▄····················█     12
          succeeded  ··▄····················▇     11
          failed     ·······················▁      1
                     [ago]                now

          executions  started 12, succeeded 11, failed 1, timed out 0, aborted 0, p50 45 ms, p90 –, p99 –
          function    invocations 13, errors 1, throttles 0, p50 41 ms, p90 –, p99 120 ms, memory lately 38 of 1769 MB
          rule        invocations 0, failed invocations 0
          REST API    requests 3, 4xx 0, 5xx 0
        ");
    }

    #[test]
    fn in_few_columns_every_number_is_there() {
        let mut counts = Counts::since(START);
        for id in ["executions_started", "executions_succeeded"] {
            counts.add(
                id,
                (0..24).map(|hour| (START + hour * i64::from(HOUR), hour as f64)),
            );
        }
        let shown = strip_str(&table(&counts, &[], 40)).to_string();
        let shown = shown.replace(&time_of_day(counts.hours.start), "[ago]");
        insta::assert_snapshot!(shown, @"
        Last 24 hours, at most 45 in two hours
          started    ▁▁▂▃▄▄▅▆▆▇██    276
          succeeded  ▁▁▂▃▄▄▅▆▆▇██    276
                     [ago]    now

          executions  started 276,
                      succeeded 276, failed 0,
                      timed out 0, aborted 0,
                      p50 –, p90 –, p99 –
          function    invocations 0, errors 0,
                      throttles 0, p50 –, p90 –,
                      p99 –, memory –
          rule        invocations 0,
                      failed invocations 0
          REST API    requests 0, 4xx 0, 5xx 0
        ");
    }

    #[test]
    fn what_cloudwatch_does_not_tell_is_no_zero() {
        let mut counts = Counts::since(START);
        counts.add("executions_started", [(START, 2.0)].into_iter());
        let no_more = MessageData::builder().code("Limit").value("too many").build();
        for (id, status) in [
            ("executions_started", StatusCode::PartialData),
            ("executions_started", StatusCode::Complete),
            ("executions_failed", StatusCode::PartialData),
            ("rule_invocations", StatusCode::Forbidden),
            ("rule_failed_invocations", StatusCode::Forbidden),
            ("api_5xx", StatusCode::InternalError),
        ] {
            counts.untold.read(id, Some(&status), &[]);
        }
        counts.untold.say(&[no_more]);
        let shown = strip_str(&rows(&counts, 200)).to_string();
        let shown = shown.lines().skip(4).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(shown, @"
        executions  started 2, succeeded 0, failed –, timed out 0, aborted 0, p50 –, p90 –, p99 –
        function    invocations 0, errors 0, throttles 0, p50 –, p90 –, p99 –, memory –
        rule        invocations –, failed invocations –
        REST API    requests 0, 4xx 0, 5xx –
        ");
        insta::assert_snapshot!(counts.untold.reasons().join("\n"), @"
        rule failed invocations, rule invocations may not be read (the policy of this identity needs cloudwatch:GetMetricData): Forbidden of CloudWatch
        api 5xx could not be counted just now; look again in a while: InternalError of CloudWatch
        executions failed were not counted in full; look again in a while: PartialData of CloudWatch
        CloudWatch says of the counts: Limit: too many
        ");
    }

    #[test]
    fn executions_that_are_not_counted_yet_are_said_to_be() {
        let at = |name: &str, second| Execution::running(name, Timestamp::from_second(second).unwrap());
        let listed = [at("c", START + 60), at("b", START), at("a", START - 1)];
        let mut counts = Counts::since(START);
        let said = "not counted yet";
        counts.add("executions_started", [(START, 1.0)].into_iter());
        assert!(table(&counts, &listed, 200).contains(said));
        counts.add("executions_started", [(START, 1.0)].into_iter());
        assert!(
            !table(&counts, &listed, 200).contains(said),
            "one was before these hours"
        );
    }

    #[test]
    fn a_new_stack_has_nothing_counted() {
        insta::assert_snapshot!(table(&Counts::since(START), &[], 120), @"
        Last 24 hours: nothing counted yet (on AWS it takes some minutes)
          executions  started 0, succeeded 0, failed 0, timed out 0, aborted 0, p50 –, p90 –, p99 –
          function    invocations 0, errors 0, throttles 0, p50 –, p90 –, p99 –, memory –
          rule        invocations 0, failed invocations 0
          REST API    requests 0, 4xx 0, 5xx 0
        ");
    }
}
