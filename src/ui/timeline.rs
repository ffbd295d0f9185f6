//! An execution, step by step.

use anstyle::Style;
use jiff::Timestamp;
use serde_json::Value;

use super::chart::span;
use super::format::{clipped, date_and_time, duration, printable};
use super::log_line::{of_function, of_report};
use super::styles::{BAD, FAINT, GOOD, UNSETTLED};
use super::wrap::{fitted, wrapped};
use crate::execution::{FoundBy, Invocation, Logged, Status, Step, Timeline, ToldBy, Try};

/// The room for a state's name: most are shorter.
const NAME_WIDTH: usize = 12;
/// What stands before a step's bar.
const BEFORE_BAR: usize = 40;
/// The room for a bar, at least and at most; where there is less, there is none.
const BAR_MIN: usize = 10;
const BAR_MAX: usize = 40;
/// What stands before all that belongs to a step.
const INDENT: usize = 14;
/// What stands before the text of what belongs to a step.
const BEFORE_TEXT: usize = INDENT + 5;
/// The most lines that are shown of one invocation.
const LINES_MAX: usize = 20;
/// Of what goes into a step and comes out of it, as much is shown as stands in so many lines, and so many columns at least.
const DOCUMENT_LINES: usize = 3;
const DOCUMENT_MIN: usize = 600;

/// Each try that failed so far, and why.
pub fn troubles(timeline: &Timeline, width: usize) -> Vec<String> {
    let tries = timeline.steps.iter().flat_map(|step| {
        let tries = step.tries.iter().enumerate();
        tries.map(move |(index, each)| (step, index, each))
    });
    tries
        .filter_map(|(step, index, each)| trouble(step, index, each, 2, width))
        .collect()
}

/// The whole story of the execution with this ARN: what it is called, who tells of it, and every step.
pub fn story(arn: &str, timeline: &Timeline, told_by: ToldBy, width: usize) -> String {
    let started = timeline.started.map(date_and_time).unwrap_or_default();
    let heading = format!("Execution {arn}\nStarted {started}, told by {told_by}");
    format!("{}\n\n{}", fitted(&heading, width), full(timeline, width))
}

fn heading(step: &Step) -> String {
    let name = printable(&step.name);
    match step.took() {
        None => format!("  {FAINT}…{FAINT:#} {name}"),
        Some(took) => {
            let (style, mark) = if step.failed { (BAD, "✗") } else { (GOOD, "✓") };
            format!(
                "  {style}{mark}{style:#} {name:NAME_WIDTH$}  {:>10}",
                duration(took)
            )
        }
    }
}

/// Why the try failed, if it did, after `indent` spaces.
fn trouble(step: &Step, index: usize, each: &Try, indent: usize, width: usize) -> Option<String> {
    let trouble = each.trouble.as_ref()?;
    let failed_before = step.tries[..index]
        .iter()
        .filter(|each| each.trouble.is_some())
        .count();
    let (style, mark) = if failed_before < step.retries() {
        (UNSETTLED, "↻")
    } else {
        (BAD, "✗")
    };
    let text = printable(&format!("try {} failed: {trouble}", index + 1));
    let line = format!("{:indent$}{style}{mark}{style:#} {text}", "");
    Some(wrapped(&line, width, indent + 2))
}

/// Every step with when it began, what went in, what the function logged and what came out, in `width` columns.
fn full(timeline: &Timeline, width: usize) -> String {
    let mut lines = Vec::new();
    // What is passed on as it came is not shown again.
    let mut shown = None;
    let mut passed = |what, text: &Option<String>| {
        let text = text.as_ref().filter(|text| shown.as_ref() != Some(*text))?;
        shown = Some(text.clone());
        let room = width.saturating_sub(BEFORE_TEXT).saturating_mul(DOCUMENT_LINES);
        let text = clipped(text, room.max(DOCUMENT_MIN));
        Some(labelled("", what, Style::new(), &text, width))
    };
    for each in &timeline.steps {
        let began = timeline.started.map(|started| since(started, each.entered));
        let line = format!(
            "{FAINT}{:>10}{FAINT:#}{}",
            began.unwrap_or_default(),
            heading(each)
        );
        lines.push(wrapped(
            &format!("{line}{}", bar(timeline, each, width)),
            width,
            INDENT,
        ));
        lines.extend(passed("in", &each.input));
        for (index, one) in each.tries.iter().enumerate() {
            lines.extend(trouble(each, index, one, INDENT, width));
            lines.extend(logged(timeline, each, one, width));
        }
        lines.extend(passed("out", &each.output));
    }
    if let Some(end) = &timeline.end {
        let began = timeline.started.map(|started| since(started, end.at));
        let line = format!(
            "{FAINT}{:>10}{FAINT:#}  {}",
            began.unwrap_or_default(),
            ending(timeline)
        );
        lines.push(wrapped(&line, width, 12));
    }
    lines.join("\n")
}

/// What the function logged in this try, each line with when that was.
fn logged(timeline: &Timeline, step: &Step, each: &Try, width: usize) -> Vec<String> {
    let label = |what, style, text: &str| labelled("", what, style, text, width);
    match &each.logged {
        None => Vec::new(),
        Some(Logged::Missing(why)) => vec![label("log", FAINT, &why.to_string())],
        Some(Logged::Found(invocation)) => {
            let printed = invocation.printed().take(LINES_MAX).map(|line| {
                let (style, words) = of_function(&line.text);
                let words = unless_output(words, step.output.as_deref());
                let at = timeline.started.map(|started| since(started, line.at()));
                labelled(&at.unwrap_or_default(), "log", style, &words, width)
            });
            let more = invocation.printed().count().saturating_sub(LINES_MAX);
            let more = (more > 0).then(|| label("log", FAINT, &format!("{more} more lines")));
            let ran = label("ran", Style::new(), &ran(invocation));
            let spent = spent(step.output.as_deref()).map(|spent| label("for", Style::new(), &spent));
            printed.chain(more).chain([ran]).chain(spent).collect()
        }
    }
}

/// The words of a line, without a document that comes out and so is shown below.
fn unless_output(words: String, output: Option<&str>) -> String {
    let document = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (before, after) = words.split_at(words.find('{').unwrap_or(words.len()));
    let is_output = document(after).is_some_and(|after| output.and_then(document) == Some(after));
    if is_output {
        format!("{before}{{…}} as below")
    } else {
        words
    }
}

/// What the function's time went into, where its answer says so: `download 2 ms, decode 9 ms, …`.
fn spent(output: Option<&str>) -> Option<String> {
    let answer: Value = serde_json::from_str(output?).ok()?;
    let stages = answer["millis"].as_object()?.iter();
    let stages = stages.filter_map(|(stage, millis)| Some(format!("{stage} {} ms", millis.as_u64()?)));
    let stages: Vec<String> = stages.collect();
    (!stages.is_empty()).then(|| stages.join(", "))
}

fn ran(invocation: &Invocation) -> String {
    let report = invocation.report();
    let report = report
        .as_ref()
        .map_or_else(|| "no REPORT line has come yet".to_owned(), of_report);
    match invocation.found_by {
        FoundBy::RequestId => report,
        FoundBy::Input => format!("{report} (by the input, which a line of that time names)"),
    }
}

/// `text` after when it was and what it is.
fn labelled(at: &str, what: &str, style: Style, text: &str, width: usize) -> String {
    let text = printable(text);
    let line = format!("{FAINT}{at:>10}    {what:>3}{FAINT:#}  {style}{text}{style:#}");
    wrapped(&line, width, BEFORE_TEXT)
}

/// When the step was within the execution, heavy while the function ran; nothing where there is no room for it.
fn bar(timeline: &Timeline, step: &Step, width: usize) -> String {
    let room = width.saturating_sub(BEFORE_BAR).min(BAR_MAX);
    let (Some(started), Some(end), Some(ended)) = (timeline.started, &timeline.end, step.ended) else {
        return String::new();
    };
    if room < BAR_MIN {
        return String::new();
    }
    let part = |at: Timestamp| {
        let whole = end.at.duration_since(started).as_secs_f64();
        at.duration_since(started).as_secs_f64() / whole
    };
    let whole = (part(step.entered), part(ended));
    let tries = step.tries.iter();
    let mut ran: Vec<_> = tries
        .map(|each| {
            let (began, ended) = ran_from_to(each, ended);
            (part(began), part(ended))
        })
        .collect();
    if ran.is_empty() {
        ran.push(whole);
    }
    let style = if step.failed { BAD } else { GOOD };
    format!("  {style}{}{style:#}", span(whole, &ran, room))
}

/// When the function ran for a try, or else when the try went on: it may have waited for its turn.
fn ran_from_to(each: &Try, ended: Timestamp) -> (Timestamp, Timestamp) {
    if let Some(Logged::Found(invocation)) = &each.logged
        && let (Some(first), Some(last)) = (invocation.events.first(), invocation.events.last())
    {
        return (first.at(), last.at());
    }
    (each.began, each.ended.unwrap_or(ended))
}

/// How it ended, after how long and why: `SUCCEEDED in 61 ms`, `FAILED in 13 ms: not an image`.
fn ending(timeline: &Timeline) -> String {
    match &timeline.end {
        Some(end) if end.status != Status::Succeeded => {
            format!("{}: {}", verdict(timeline), printable(&end.trouble.to_string()))
        }
        _ => verdict(timeline),
    }
}

/// How it ended and after how long: `FAILED in 13 ms`.
fn verdict(timeline: &Timeline) -> String {
    let Some(end) = &timeline.end else {
        return format!("{UNSETTLED}RUNNING{UNSETTLED:#}");
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

/// `+41 ms`; what another clock says may be earlier: `-3 ms`.
fn since(start: Timestamp, at: Timestamp) -> String {
    let passed = at.duration_since(start);
    let sign = if passed.is_negative() { '-' } else { '+' };
    format!("{sign}{}", duration(passed.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use anstream::adapter::strip_str;

    use super::*;
    use crate::execution::Absence;
    use crate::execution::tests::{logged, refused, resized};

    fn plain(text: &str) -> String {
        strip_str(text).to_string()
    }

    #[test]
    fn a_retried_step_says_what_failed() {
        let timeline = Timeline::of(&resized());
        insta::assert_snapshot!(plain(&full(&timeline, 80)), @r#"
         +2 ms  ✓ Resize             1.9 s  ━──────────────────────────────────────━
                   in  {"bucket":"o","key":"cat.jpg","size":180000}
                  ↻ try 1 failed: Lambda.TooManyRequestsException: Rate exceeded
                  out  {"ok":true,"destBucket":"r","destKey":"output/cat_resized.jpg
                       "}
        +1.9 s  ✓ Resized?            1 ms                                         ━
        +1.9 s  ✓ Succeed             0 ms                                         ━
        +1.9 s  SUCCEEDED in 1.9 s
        "#);
    }

    #[test]
    fn what_the_function_logged_stands_below_the_try_it_belongs_to() {
        let mut timeline = Timeline::of(&resized());
        timeline.steps[0].tries[1].logged = Some(logged());
        let told = plain(&full(&timeline, 80));
        let lines: Vec<&str> = told.lines().skip(2).take(4).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
                  ↻ try 1 failed: Lambda.TooManyRequestsException: Rate exceeded
        +1.9 s    log  INFO answer {"ok":true}
                  ran  38 ms, billed 64 ms, 38 of 1769 MB, cold start 25 ms
                  out  {"ok":true,"destBucket":"r","destKey":"output/cat_resized.jpg
        "#);
        timeline.steps[0].tries[1].logged = Some(Logged::Missing(Absence::Late));
        let told = plain(&full(&timeline, 80));
        assert!(
            told.contains("\n              log  CloudWatch Logs takes some seconds to have them\n"),
            "{told}"
        );
    }

    #[test]
    fn what_comes_out_is_told_once_and_of_much_the_beginning() {
        let mut timeline = Timeline::of(&resized());
        timeline.steps[0].tries[1].logged = Some(logged());
        let told = |output: String| {
            let mut timeline = timeline.clone();
            timeline.steps[0].output = Some(output);
            plain(&full(&timeline, 60))
        };
        let same = told(r#"{ "ok": true }"#.to_owned());
        assert!(same.contains("log  INFO answer {…} as below\n"), "{same}");
        let other = told(r#"{"ok":false}"#.to_owned());
        assert!(other.contains("log  INFO answer {\"ok\":true}\n"), "{other}");
        let much = told(format!("{{\"text\":\"{}\"}}", "#".repeat(900)));
        assert_eq!(
            much.matches('#').count(),
            DOCUMENT_MIN - r#"{"text":"…"#.chars().count()
        );
    }

    #[test]
    fn what_another_clock_says_may_be_earlier_than_the_start() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        assert_eq!(since(at(10), at(12)), "+2 ms");
        assert_eq!(since(at(10), at(7)), "-3 ms");
    }

    #[test]
    fn a_failed_execution_shows_where_and_why() {
        let timeline = Timeline::of(&refused());
        insta::assert_snapshot!(plain(&full(&timeline, 60)), @r#"
         +1 ms  ✓ Resize             11 ms    ━━━━━━━━━━━━━━━━
                   in  {"bucket":"o","key":"a.txt"}
                  out  {"ok":false,"error":"not an image"}
        +12 ms  ✓ Resized?            0 ms                    ━
        +13 ms  ✗ Fail                0 ms                     ━
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
