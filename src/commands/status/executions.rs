//! The newest executions.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::aws::{CallFailure, UnlessGone};
use crate::error::CommandError;
use crate::execution::{self, Answer, Page, describe, in_words, timestamp};
use crate::session::Session;
use crate::ui::format::{clipped, date_and_time, day_and_time, duration, time_with_seconds};
use crate::ui::table::aligned;

/// How many are described at once.
const AT_ONCE: usize = 8;
/// The most that Step Functions lists on one page.
const PAGE: usize = 1000;
/// The most that are listed, whatever is asked for.
const LISTED_MAX: usize = 100_000;
/// The most that are described to find those for a key, unless it is said how far to look back: each is a call.
const LOOKED_AT_MAX: usize = 300;
/// The room for a key.
const KEY_WIDTH: usize = 40;
/// The room for a reason.
const REASON_WIDTH: usize = 120;
/// In fewer columns only what tells most is shown: not the day, nor where the result is.
const NARROW: usize = 80;
/// The least of an execution's name that is shown.
const SHORTEST_NAME: usize = 8;

/// Which executions to show.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The most of them.
    pub limit: usize,
    /// Only those that ended without success.
    pub failed: bool,
    /// Only those started since.
    pub since: Option<Timestamp>,
    /// Only those for keys that begin so.
    pub key: Option<String>,
}

/// One execution.
#[derive(Debug, Clone, Serialize)]
pub struct Execution {
    pub name: String,
    arn: String,
    pub status: String,
    pub started: Timestamp,
    /// None while it runs.
    millis: Option<u64>,
    /// Of the object it is for.
    pub key: Option<String>,
    /// Of the picture that it wrote.
    pub result_key: Option<String>,
    error: Option<String>,
    cause: Option<String>,
    /// What the function said of the picture that it wrote.
    #[serde(skip)]
    pub answer: Option<Answer>,
}

impl Execution {
    /// How long it took, if it has ended.
    pub fn took(&self) -> Option<Duration> {
        self.millis.map(Duration::from_millis)
    }

    /// What came of it, in Step Functions' word: `timed out`.
    pub fn verdict(&self) -> String {
        self.status.to_lowercase().replace('_', " ")
    }

    /// Why it failed, if it did.
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        let reason = self.cause.as_ref().or(self.error.as_ref());
        reason.map(|reason| in_words(reason))
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Whether it ended without success.
    pub fn is_bad(&self) -> bool {
        self.has_ended() && self.status != "SUCCEEDED"
    }

    fn has_ended(&self) -> bool {
        self.millis.is_some()
    }
}

/// Executions that have ended, by their ARNs: there is nothing more to ask of them.
#[derive(Debug, Default)]
pub struct Known(HashMap<String, Execution>);

impl Known {
    /// Those, and none that is not shown any more.
    fn remember(&mut self, executions: &[Execution]) {
        let ended = executions.iter().filter(|execution| execution.has_ended());
        self.0 = ended
            .map(|execution| (execution.arn.clone(), execution.clone()))
            .collect();
    }
}

/// The newest executions that are wanted, newest first; none where there is no state machine.
pub async fn newest(
    session: &Session,
    wanted: &Wanted,
    known: &mut Known,
) -> Result<Vec<Execution>, CommandError> {
    let most = match (&wanted.key, wanted.since) {
        (None, _) => wanted.limit,
        (Some(_), None) => LOOKED_AT_MAX,
        (Some(_), Some(_)) => LISTED_MAX,
    };
    let listed = if wanted.failed {
        let ended = [
            ExecutionStatus::Failed,
            ExecutionStatus::TimedOut,
            ExecutionStatus::Aborted,
        ];
        let each = ended.map(|status| list(session, Some(status), most, wanted.since));
        let mut together: Vec<_> = try_join_all(each).await?.into_iter().flatten().collect();
        together.sort_by_key(|item| std::cmp::Reverse(timestamp(&item.start_date)));
        together.truncate(most);
        together
    } else {
        list(session, None, most, wanted.since).await?
    };
    let is_wanted = |execution: &Execution| {
        let prefix = wanted.key.as_deref().unwrap_or_default();
        let key = execution.key.as_deref().unwrap_or_default();
        key.starts_with(prefix)
    };
    let executions: Vec<_> = stream::iter(listed)
        .map(|item| described(session, item, known))
        .buffered(AT_ONCE)
        .try_filter(|execution| std::future::ready(is_wanted(execution)))
        .take(wanted.limit)
        .try_collect()
        .await?;
    known.remember(&executions);
    Ok(executions)
}

/// The names of executions that begin with `prefix`, newest first: those of the newest page that has any.
pub async fn named(session: &Session, prefix: &str) -> Result<Vec<String>, CallFailure> {
    let mut next = None;
    loop {
        let Some((page, further)) = list_page(session, None, PAGE, next).await? else {
            return Ok(Vec::new());
        };
        let names = page.into_iter().map(|item| item.name);
        let found: Vec<_> = names.filter(|name| name.starts_with(prefix)).collect();
        next = further;
        if !found.is_empty() || next.is_none() {
            return Ok(found);
        }
    }
}

/// At most `most`, newest first.
async fn list(
    session: &Session,
    status: Option<ExecutionStatus>,
    most: usize,
    since: Option<Timestamp>,
) -> Result<Vec<ExecutionListItem>, CallFailure> {
    let mut listed = Vec::new();
    let mut next = None;
    loop {
        let page = (most - listed.len()).min(PAGE);
        let Some((page, further)) = list_page(session, status.clone(), page, next).await? else {
            return Ok(listed);
        };
        let is_recent =
            |item: &ExecutionListItem| since.is_none_or(|since| timestamp(&item.start_date) >= since);
        let reached_older_ones = page.last().is_some_and(|item| !is_recent(item));
        listed.extend(page.into_iter().filter(is_recent));
        next = further;
        if next.is_none() || reached_older_ones || listed.len() >= most {
            return Ok(listed);
        }
    }
}

/// A page of at most `size`, and where the next begins; none where there is no state machine.
async fn list_page(
    session: &Session,
    status: Option<ExecutionStatus>,
    size: usize,
    next: Option<String>,
) -> Result<Option<Page>, CallFailure> {
    let machine = session.names.state_machine_arn();
    let page = execution::list(&session.clients, &machine, status, size, next).await;
    page.unless_gone()
}

/// The list does not say what an execution was for, nor why it failed.
async fn described(
    session: &Session,
    item: ExecutionListItem,
    known: &Known,
) -> Result<Execution, CallFailure> {
    if let Some(execution) = known.0.get(&item.execution_arn) {
        return Ok(execution.clone());
    }
    let described = describe(&session.clients, &item.execution_arn).await?;
    let member = |document: Option<&str>, name: &str| {
        let document: Value = serde_json::from_str(document.unwrap_or_default()).unwrap_or_default();
        document[name].as_str().map(str::to_owned)
    };
    let started = timestamp(&described.start_date);
    let millis = described
        .stop_date()
        .map(|stopped| timestamp(stopped).as_millisecond() - started.as_millisecond());
    Ok(Execution {
        name: item.name,
        arn: item.execution_arn,
        status: described.status.as_str().to_owned(),
        started,
        millis: millis.and_then(|millis| millis.try_into().ok()),
        key: member(described.input(), "key"),
        result_key: member(described.output(), "destKey"),
        answer: described
            .output()
            .and_then(|output| serde_json::from_str(output).ok()),
        error: described.error,
        cause: described.cause,
    })
}

/// The executions as people read them; `flags` are those of the command that starts one.
pub fn table(executions: &[Execution], wanted: &Wanted, flags: &str, width: usize) -> String {
    if executions.is_empty() {
        return wanted.nothing(flags);
    }
    let rows = rows(executions, width).into_iter();
    let lines = rows.map(|row| format!("\n  {}", row.replace('\n', "\n  ")));
    format!("{}{}", wanted.heading(), lines.collect::<String>())
}

/// Each of the executions, and its reason on a line of its own.
pub fn rows(executions: &[Execution], width: usize) -> Vec<String> {
    let names = short_names(executions);
    let name_width = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    let is_narrow = width < NARROW;
    let rows: Vec<_> = executions
        .iter()
        .map(|execution| row(execution, is_narrow))
        .collect();
    let lines = aligned(&rows, width.saturating_sub(name_width + 6));
    let named = executions.iter().zip(names).zip(lines);
    let marked = named.map(|((execution, name), line)| {
        let (mark, style) = mark(&execution.status);
        format!(
            "{style}{mark}{style:#} {name:name_width$}  {line}{}",
            reason(execution)
        )
    });
    marked.collect()
}

impl Wanted {
    pub fn heading(&self) -> String {
        let failed = if self.failed {
            "failed executions"
        } else {
            "executions"
        };
        let key = self.key.as_ref();
        let key = key.map_or_else(String::new, |key| format!(" for keys that begin with {key}"));
        let since = self.since.map(date_and_time);
        let since = since.map_or_else(String::new, |since| format!(" since {since}"));
        format!("Newest {failed}{key}{since}")
    }

    fn nothing(&self, flags: &str) -> String {
        if self.key.is_some() && self.since.is_none() {
            return format!(
                "{}: none among the newest {LOOKED_AT_MAX}; `--since 7d` looks further back",
                self.heading()
            );
        }
        if self.failed || self.key.is_some() || self.since.is_some() {
            return format!("{}: none", self.heading());
        }
        format!("Executions: none yet; `resizer invoke{flags} --file PATH` runs the pipeline")
    }
}

/// As much of each name as tells it from the others: `--execution` takes the beginning of a name.
fn short_names(executions: &[Execution]) -> Vec<&str> {
    let mut sorted: Vec<&str> = executions
        .iter()
        .map(|execution| execution.name.as_str())
        .collect();
    sorted.sort_unstable();
    let common = |pair: &[&str]| {
        let same = pair[0].chars().zip(pair[1].chars()).take_while(|(a, b)| a == b);
        same.count()
    };
    let longest_common = sorted.windows(2).map(common).max().unwrap_or_default();
    let length = SHORTEST_NAME.max(longest_common + 1);
    let short = |name: &str| name.char_indices().nth(length).map_or(name.len(), |(end, _)| end);
    executions
        .iter()
        .map(|execution| &execution.name[..short(&execution.name)])
        .collect()
}

/// The mark before a row.
fn mark(status: &str) -> (&'static str, Style) {
    let (mark, color) = match status {
        "SUCCEEDED" => ("✓", AnsiColor::Green),
        "RUNNING" | "PENDING_REDRIVE" => ("…", AnsiColor::Yellow),
        _ => ("✗", AnsiColor::Red),
    };
    (mark, color.on_default())
}

/// A line of its own with why it failed, if it did.
fn reason(execution: &Execution) -> String {
    execution.reason().map_or_else(String::new, |reason| {
        format!("\n  {}", clipped(&reason, REASON_WIDTH))
    })
}

fn row(execution: &Execution, is_narrow: bool) -> [String; 4] {
    let took = execution.took().map(duration);
    let came_of_it = match &execution.result_key {
        // The mark says it too.
        _ if is_narrow => String::new(),
        Some(key) => format!("→ {}", clipped(key, KEY_WIDTH)),
        None => execution.verdict(),
    };
    [
        if is_narrow {
            time_with_seconds(execution.started)
        } else {
            day_and_time(execution.started)
        },
        format!("{:>8}", took.unwrap_or_default()),
        clipped(execution.key.as_deref().unwrap_or("–"), KEY_WIDTH),
        came_of_it,
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use anstream::adapter::strip_str;

    use super::*;

    fn execution(name: &str, status: &str, millis: Option<u64>, key: &str, cause: Option<&str>) -> Execution {
        Execution {
            name: name.to_owned(),
            arn: format!("arn:…:{name}"),
            status: status.to_owned(),
            started: Timestamp::from_second(1_764_000_000).unwrap(),
            millis,
            key: Some(key.to_owned()),
            result_key: (status == "SUCCEEDED").then(|| format!("output/{key}")),
            error: cause.map(str::to_owned),
            cause: cause.map(str::to_owned),
            answer: None,
        }
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
        let shown = strip_str(&table(&executions, &ALL, "", 100)).to_string();
        // The time is where this machine is.
        let date = day_and_time(executions[0].started);
        insta::assert_snapshot!(shown.replace(&date, "[day and time]"), @"
        Newest executions
          … 0b9d7f6e-a  [day and time]            now.jpg   running
          ✓ 51c0a7d2-b  [day and time]     61 ms  cat.jpg   → output/cat.jpg
          ✗ 51c0a7d2-c  [day and time]     13 ms  in/a.txt  failed
            not an image
        ");
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
        let shown = strip_str(&table(&executions, &ALL, "", 60)).to_string();
        let time = time_with_seconds(executions[0].started);
        insta::assert_snapshot!(shown.replace(&time, "[time..]"), @"
        Newest executions
          ✓ 51c0a7d2  [time..]     61 ms  album/summer/cat.jpg
          ✗ 9e107d9d  [time..]     13 ms  album/a.txt
            not an image
        ");
    }

    #[test]
    fn where_nothing_is_found_it_says_how_far_was_looked() {
        let shown = |wanted: Wanted| table(&[], &wanted, " --local", 100);
        insta::assert_snapshot!(shown(ALL), @"Executions: none yet; `resizer invoke --local --file PATH` runs the pipeline");
        insta::assert_snapshot!(shown(Wanted { failed: true, ..ALL }), @"Newest failed executions: none");
        insta::assert_snapshot!(shown(Wanted { key: Some("in/".to_owned()), ..ALL }), @"Newest executions for keys that begin with in/: none among the newest 300; `--since 7d` looks further back");
    }
}
