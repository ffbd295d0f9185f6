//! An execution, step by step.

use anstyle::{AnsiColor, Effects, Style};
use jiff::Timestamp;

use super::format::{clipped, duration};
use crate::execution::{Status, Step, Timeline};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const AGAIN: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().effects(Effects::DIMMED);

/// The room for a state's name: most are shorter.
const NAME_WIDTH: usize = 12;

/// One step on a line, and a line for each try that failed.
pub fn step(step: &Step, width: usize) -> String {
    let mut lines = vec![match step.took() {
        None => format!("  {FAINT}…{FAINT:#} {}", step.name),
        Some(took) => {
            let (style, mark) = if step.failed { (BAD, "✗") } else { (GOOD, "✓") };
            format!(
                "  {style}{mark}{style:#} {:NAME_WIDTH$}  {:>10}",
                step.name,
                duration(took)
            )
        }
    }];
    for (index, trouble) in step.troubles.iter().enumerate() {
        let (style, mark) = if index < step.retries() {
            (AGAIN, "↻")
        } else {
            (BAD, "✗")
        };
        let text = clipped(
            &format!("try {} failed: {trouble}", index + 1),
            width.saturating_sub(6),
        );
        lines.push(format!("    {style}{mark}{style:#} {text}"));
    }
    lines.join("\n")
}

/// Every step with when it began, what went in and what came out, in `width` columns.
pub fn full(timeline: &Timeline, width: usize) -> String {
    let mut lines = Vec::new();
    // What is passed on as it came is not shown again.
    let mut shown = None;
    for each in &timeline.steps {
        let began = timeline.started.map(|started| since(started, each.entered));
        lines.push(format!(
            "{FAINT}{:>10}{FAINT:#}{}",
            began.unwrap_or_default(),
            step(each, width.saturating_sub(10)).replace('\n', &format!("\n{:10}", ""))
        ));
        for (what, text) in [("in", &each.input), ("out", &each.output)] {
            if let Some(text) = text
                && shown != Some(text)
            {
                shown = Some(text);
                let text = clipped(text, width.saturating_sub(20));
                lines.push(format!("{:14}{FAINT}{what:>3}{FAINT:#}  {text}", ""));
            }
        }
    }
    if let Some(end) = &timeline.end {
        let began = timeline.started.map(|started| since(started, end.at));
        lines.push(format!(
            "{FAINT}{:>10}{FAINT:#}  {}",
            began.unwrap_or_default(),
            ending(timeline)
        ));
    }
    lines.join("\n")
}

/// How it ended, after how long and why: `SUCCEEDED in 61 ms`, `FAILED in 13 ms: not an image`.
fn ending(timeline: &Timeline) -> String {
    match &timeline.end {
        Some(end) if end.status != Status::Succeeded => format!("{}: {}", verdict(timeline), end.trouble),
        _ => verdict(timeline),
    }
}

/// How it ended and after how long: `FAILED in 13 ms`.
pub fn verdict(timeline: &Timeline) -> String {
    let Some(end) = &timeline.end else {
        return format!("{AGAIN}RUNNING{AGAIN:#}");
    };
    let style = match end.status {
        Status::Succeeded => GOOD,
        _ => BAD,
    };
    let took = timeline.took().map(|took| format!(" in {}", duration(took)));
    format!(
        "{style}{}{style:#}{}",
        end.status.name(),
        took.unwrap_or_default()
    )
}

/// `+41 ms`
fn since(start: Timestamp, at: Timestamp) -> String {
    let passed = at.duration_since(start).unsigned_abs();
    format!("+{}", duration(passed))
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;
    use crate::execution::tests::{refused, resized};

    fn plain(text: &str) -> String {
        strip_str(text).to_string()
    }

    #[test]
    fn a_retried_step_says_what_failed() {
        let timeline = Timeline::of(&resized());
        insta::assert_snapshot!(plain(&full(&timeline, 80)), @r#"
         +2 ms  ✓ Resize             1.9 s
                  ↻ try 1 failed: Lambda.TooManyRequestsException: Rate exceeded
                   in  {"bucket":"o","key":"cat.jpg","size":180000}
                  out  {"ok":true,"destBucket":"r","destKey":"output/cat_resized.j…
        +1.9 s  ✓ Resized?            1 ms
        +1.9 s  ✓ Succeed             0 ms
        +1.9 s  SUCCEEDED in 1.9 s
        "#);
    }

    #[test]
    fn a_failed_execution_shows_where_and_why() {
        let timeline = Timeline::of(&refused());
        insta::assert_snapshot!(plain(&full(&timeline, 60)), @r#"
         +1 ms  ✓ Resize             11 ms
                   in  {"bucket":"o","key":"a.txt"}
                  out  {"ok":false,"error":"not an image"}
        +12 ms  ✓ Resized?            0 ms
        +13 ms  ✗ Fail                0 ms
        +13 ms  FAILED in 13 ms: not an image
        "#);
    }

    #[test]
    fn a_step_under_way_has_no_time_yet() {
        let timeline = Timeline::of(&resized()[..3]);
        insta::assert_snapshot!(plain(&full(&timeline, 80)), @r#"
        +2 ms  … Resize
                  in  {"bucket":"o","key":"cat.jpg","size":180000}
        "#);
    }
}
