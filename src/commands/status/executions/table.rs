//! The executions as people read them.

use std::collections::HashMap;

use anstyle::Style;

use super::{Execution, Wanted};
use crate::execution::{Answer, STARTED_BY_INVOKE};
use crate::ui::format::{clipped, date_and_time, day_and_time, duration, printable, time_with_seconds};
use crate::ui::styles::{BAD, GOOD, UNSETTLED};
use crate::ui::table::{aligned, cut_after, cut_middle, widths_of};
use crate::ui::wrap::{columns_of, fitted, wrapped};

/// Columns that are left to where a result is, however long its key is.
const RESULT_WIDTH: usize = 16;
/// The arrow before a result.
const ARROW: usize = 2;
/// In fewer columns only what tells most is shown: not the day, nor where the result is.
const NARROW: usize = 78;
/// In fewer yet not the time either: the key is to be read.
const NARROWEST: usize = 50;
/// The least of an execution's name that is shown, behind what many have at its beginning.
const SHORTEST_NAME: usize = 8;

/// The executions as people read them; `flags` are those of the command that starts one.
pub fn table(
    executions: &[Execution],
    missing: &[String],
    wanted: &Wanted,
    flags: &str,
    width: usize,
) -> String {
    let heading = if executions.is_empty() {
        wanted.nothing(missing, flags)
    } else {
        wanted.heading()
    };
    let rows = rows(executions, width.saturating_sub(2)).into_iter();
    let lines = rows.map(|row| format!("\n  {}", row.replace('\n', "\n  ")));
    let missing = missing
        .iter()
        .map(|why| format!("\n{}", line_of_missing(why, width)));
    format!(
        "{}{}{}",
        fitted(&heading, width),
        lines.collect::<String>(),
        missing.collect::<String>()
    )
}

/// Why some may be missing.
pub fn line_of_missing(why: &str, width: usize) -> String {
    wrapped(
        &format!("  {UNSETTLED}!{UNSETTLED:#} {}", printable(why)),
        width,
        4,
    )
}

/// Each of the executions, and its reason on a line of its own.
pub fn rows(executions: &[Execution], width: usize) -> Vec<String> {
    let names = short_names(executions);
    let name_width = names
        .iter()
        .map(|name| columns_of(name))
        .max()
        .unwrap_or_default();
    let mut rows: Vec<_> = executions.iter().map(|execution| row(execution, width)).collect();
    let room = width.saturating_sub(name_width + 4);
    cut_keys_and_results(&mut rows, room);
    let lines = aligned(&rows, room);
    let named = executions.iter().zip(names).zip(lines);
    let marked = named.map(|((execution, name), line)| {
        let (mark, style) = mark(&execution.status);
        let row = format!("{style}{mark}{style:#} {name:name_width$}  {line}");
        wrapped(&row, width, 2) + &reason(execution, width)
    });
    marked.collect()
}

/// Where not all has room, the key has the larger part: it says what the result is of.
fn cut_keys_and_results(rows: &mut [[String; 4]], width: usize) {
    let [began, took, keys, results] = widths_of(rows);
    let room = width.saturating_sub(began + took + 6);
    if results == 0 || keys + results <= room {
        return;
    }
    let keys = keys.min((room * 3 / 5).max(room.saturating_sub(results)));
    let results = room.saturating_sub(keys).max(RESULT_WIDTH);
    for [.., key, result] in rows {
        *key = cut_middle(key, keys);
        // The end of it tells more.
        *result = cut_after(result, results, ARROW);
    }
}

impl Wanted {
    pub fn heading(&self) -> String {
        let failed = if self.failed {
            "failed executions"
        } else {
            "executions"
        };
        let key = self.key.as_ref();
        let key = key.map_or_else(String::new, |key| {
            format!(" for keys that begin with {}", printable(key))
        });
        let since = self.since.map(date_and_time);
        let since = since.map_or_else(String::new, |since| format!(" since {since}"));
        format!("Newest {failed}{key}{since}")
    }

    fn nothing(&self, missing: &[String], flags: &str) -> String {
        if !missing.is_empty() {
            return format!("{}: none to be seen", self.heading());
        }
        if self.failed || self.key.is_some() || self.since.is_some() {
            return format!("{}: none", self.heading());
        }
        format!("Executions: none yet; `resizer invoke{flags} --file PATH` runs the pipeline")
    }
}

/// As much of each name as tells it from the others: `--execution` takes the beginning of a name.
fn short_names<'a>(executions: &'a [Execution]) -> Vec<&'a str> {
    let mut sorted: Vec<&'a str> = executions
        .iter()
        .map(|execution| execution.name.as_str())
        .collect();
    sorted.sort_unstable();
    // In that order the most alike stand side by side.
    let mut lengths: HashMap<&str, usize> = HashMap::new();
    for pair in sorted.windows(2) {
        let same = pair[0].chars().zip(pair[1].chars()).take_while(|(a, b)| a == b);
        let telling = same.count() + 1;
        for name in pair {
            let length = lengths.entry(name).or_default();
            *length = telling.max(*length);
        }
    }
    let short = |name: &'a str| {
        let prefix = if name.starts_with(STARTED_BY_INVOKE) {
            STARTED_BY_INVOKE.len()
        } else {
            0
        };
        let length = lengths.get(name).copied().unwrap_or_default();
        let length = length.max(prefix + SHORTEST_NAME);
        let end = name.char_indices().nth(length);
        &name[..end.map_or(name.len(), |(end, _)| end)]
    };
    executions
        .iter()
        .map(|execution| short(&execution.name))
        .collect()
}

/// The mark before a row.
fn mark(status: &str) -> (&'static str, Style) {
    match status {
        "SUCCEEDED" => ("✓", GOOD),
        "RUNNING" | "PENDING_REDRIVE" => ("…", UNSETTLED),
        _ => ("✗", BAD),
    }
}

/// A line of its own with why it failed, if it did.
fn reason(execution: &Execution, width: usize) -> String {
    execution.reason().map_or_else(String::new, |reason| {
        format!("\n  {}", clipped(&reason, width.saturating_sub(2)))
    })
}

fn row(execution: &Execution, width: usize) -> [String; 4] {
    let is_narrow = width < NARROW;
    let took = execution.took().map(duration);
    let came_of_it = match &execution.result_key {
        // The mark says it too, and of what failed the reason.
        _ if is_narrow && !matches!(execution.status.as_str(), "TIMED_OUT" | "ABORTED") => String::new(),
        Some(key) => {
            let others = execution
                .answer
                .as_ref()
                .map(Answer::and_others)
                .unwrap_or_default();
            format!("→ {}{others}", printable(key))
        }
        None => execution.verdict(),
    };
    [
        match width {
            0..NARROWEST => String::new(),
            NARROWEST..NARROW => time_with_seconds(execution.started),
            _ => day_and_time(execution.started),
        },
        format!("{:>1$}", took.unwrap_or_default(), if is_narrow { 6 } else { 8 }),
        printable(execution.key.as_deref().unwrap_or("–")),
        came_of_it,
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use anstream::adapter::strip_str;
    use jiff::Timestamp;

    use super::*;

    fn execution(name: &str, status: &str, millis: Option<u64>, key: &str, cause: Option<&str>) -> Execution {
        Execution {
            name: name.to_owned(),
            arn: format!("arn:…:{name}"),
            status: status.to_owned(),
            started: Timestamp::from_second(1_764_000_000).unwrap(),
            millis,
            bucket: None,
            key: Some(key.to_owned()),
            result_key: (status == "SUCCEEDED").then(|| format!("output/{key}")),
            error: cause.map(str::to_owned),
            cause: cause.map(str::to_owned),
            answer: None,
        }
    }

    #[test]
    fn of_a_long_key_the_file_is_seen_at_any_width() {
        let folder = "a-very-long-folder-name/another-long-one/and-more-of-it";
        let long = ["cat", "dog"].map(|file| {
            execution(
                file,
                "SUCCEEDED",
                Some(40),
                &format!("{folder}/picture-of-a-{file}.jpg"),
                None,
            )
        });
        for width in [60, 80, 120] {
            let shown = rows(&long, width);
            assert!(
                shown[0].contains("cat.jpg") && shown[1].contains("dog.jpg"),
                "{width}: {shown:#?}"
            );
            let too_wide = shown
                .iter()
                .find(|row| columns_of(&strip_str(row).to_string()) > width);
            assert_eq!(too_wide, None, "{width}");
        }
        let shown = rows(&long, 200);
        let key = format!("{folder}/picture-of-a-cat.jpg");
        assert!(
            shown[0].contains(&key),
            "where there is room it is whole: {}",
            shown[0]
        );
    }

    const ALL: Wanted = Wanted {
        limit: 10,
        failed: false,
        since: None,
        key: None,
    };

    #[test]
    fn each_execution_has_its_key_and_its_result_or_its_reason() {
        let executions = [
            execution("0b9d7f6e-aa", "RUNNING", None, "now.jpg", None),
            execution("51c0a7d2-bb", "SUCCEEDED", Some(61), "cat.jpg", None),
            execution(
                "51c0a7d2-cc",
                "FAILED",
                Some(13),
                "in/a.txt",
                Some("not an image"),
            ),
        ];
        let shown = strip_str(&table(&executions, &[], &ALL, "", 100)).to_string();
        // The time is where this machine is.
        let date = day_and_time(executions[0].started);
        insta::assert_snapshot!(shown.replace(&date, "[day and time]"), @"
        Newest executions
          … 0b9d7f6e    [day and time]            now.jpg   running
          ✓ 51c0a7d2-b  [day and time]     61 ms  cat.jpg   → output/cat.jpg
          ✗ 51c0a7d2-c  [day and time]     13 ms  in/a.txt  failed
            not an image
        ");
    }

    #[test]
    fn a_reason_takes_the_room_that_there_is() {
        let reason = "too long ".repeat(20);
        let executions = [execution(
            "51c0a7d2-cc",
            "FAILED",
            Some(13),
            "a.txt",
            Some(&reason),
        )];
        let last = |width| {
            let shown = table(&executions, &[], &ALL, "", width);
            shown.lines().last().unwrap_or_default().trim_start().to_owned()
        };
        assert_eq!(last(200).trim_end(), reason.trim_end());
        assert_eq!(
            columns_of(&last(130)),
            126,
            "it is clipped where the terminal ends"
        );
    }

    #[test]
    fn in_few_columns_the_key_is_what_stays() {
        let executions = [
            execution("51c0a7d2-bb", "SUCCEEDED", Some(61), "album/summer/cat.jpg", None),
            execution(
                "9e107d9d-cc",
                "FAILED",
                Some(13),
                "album/a.txt",
                Some("not an image"),
            ),
        ];
        let shown = strip_str(&table(&executions, &[], &ALL, "", 60)).to_string();
        let time = time_with_seconds(executions[0].started);
        insta::assert_snapshot!(shown.replace(&time, "[time..]"), @"
        Newest executions
          ✓ 51c0a7d2  [time..]   61 ms  album/summer/cat.jpg
          ✗ 9e107d9d  [time..]   13 ms  album/a.txt
            not an image
        ");
        let shown = strip_str(&table(&executions, &[], &ALL, "", 42)).to_string();
        insta::assert_snapshot!(shown, @"
        Newest executions
          ✓ 51c0a7d2   61 ms  album/summer/cat.jpg
          ✗ 9e107d9d   13 ms  album/a.txt
            not an image
        ");
    }

    #[test]
    fn where_nothing_is_found_it_says_so() {
        let shown = |wanted: Wanted| table(&[], &[], &wanted, " --local", 100);
        insta::assert_snapshot!(shown(ALL), @"Executions: none yet; `resizer invoke --local --file PATH` runs the pipeline");
        insta::assert_snapshot!(shown(Wanted { failed: true, ..ALL }), @"Newest failed executions: none");
        insta::assert_snapshot!(shown(Wanted { key: Some("in/".to_owned()), ..ALL }), @"Newest executions for keys that begin with in/: none");
    }

    #[test]
    fn what_may_be_missing_is_said_below_the_rest() {
        let executions = [execution("51c0a7d2-bb", "RUNNING", None, "cat.jpg", None)];
        let missing =
            ["only the newest 300 executions were looked at: `--since 7d` looks further back".to_owned()];
        let shown = strip_str(&table(&executions, &missing, &ALL, "", 60)).to_string();
        let time = time_with_seconds(executions[0].started);
        insta::assert_snapshot!(shown.replace(&time, "[time..]"), @"
        Newest executions
          … 51c0a7d2  [time..]          cat.jpg
          ! only the newest 300 executions were looked at: `--since
            7d` looks further back
        ");
    }
}
