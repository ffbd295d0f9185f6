//! The newest executions.
//!
//! # Layout
//! - [`listed`]: what Step Functions lists, page by page
//! - [`keys`]: which of many are for keys that begin so, from CloudWatch Logs
//! - [`described`]: what each was for, and what came of it
//! - [`table`]: as people read them

mod described;
mod keys;
mod listed;
mod table;

use std::borrow::Cow;
use std::time::Duration;

use aws_sdk_sfn::types::ExecutionListItem;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;

use crate::aws::CallFailure;
use crate::error::{CommandError, in_a_sentence};
use crate::execution::{Answer, in_words, timestamp};
use crate::session::Session;

pub use described::Known;
use described::{Described, described};
use keys::{ASKED_MAX, Sorted};
pub use listed::named;
use listed::{PAGE, listed};
pub use table::{line_of_missing, rows, table};

/// How many are described at once.
const AT_ONCE: usize = 8;
/// Of so many, at most, CloudWatch Logs is asked at once: of few at first, since those that are wanted may be among them.
const SORTED_OUT_MAX: usize = 10_000;
/// The most that are listed, whatever is asked for.
const LISTED_MAX: usize = 100_000;
/// The most that are looked at to find those for a key, unless it is said how far to look back.
const LOOKED_AT_MAX: usize = 300;

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

impl Wanted {
    /// How many are looked at, at most, to find those.
    fn looked_at_max(&self) -> usize {
        match (&self.key, self.since) {
            (None, _) => self.limit,
            (Some(_), None) => LOOKED_AT_MAX,
            (Some(_), Some(_)) => LISTED_MAX,
        }
    }

    fn is_for(&self, execution: &Execution) -> bool {
        let prefix = self.key.as_deref().unwrap_or_default();
        execution.key.as_deref().unwrap_or_default().starts_with(prefix)
    }
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
    #[serde(skip)]
    pub bucket: Option<String>,
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

    /// All that is known of it, to be searched.
    pub fn searched(&self) -> String {
        let verdict = self.verdict();
        let reason = self.reason();
        let known = [
            Some(self.name.as_str()),
            self.key.as_deref(),
            self.result_key.as_deref(),
            Some(&verdict),
            reason.as_deref(),
        ];
        known.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// Whether it ended without success.
    pub fn is_bad(&self) -> bool {
        self.has_ended() && self.status != "SUCCEEDED"
    }

    fn has_ended(&self) -> bool {
        self.millis.is_some()
    }

    /// What the list tells: not what it was for, nor why it failed.
    fn of_list(item: &ExecutionListItem) -> Self {
        let started = timestamp(&item.start_date);
        let stopped = item.stop_date.as_ref().map(timestamp);
        Self {
            millis: stopped.and_then(|stopped| millis_between(started, stopped)),
            ..Self::begun(&item.name, &item.execution_arn, item.status.as_str(), started)
        }
    }

    /// Nothing but that it has begun.
    fn begun(name: &str, arn: &str, status: &str, started: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            arn: arn.to_owned(),
            status: status.to_owned(),
            started,
            millis: None,
            bucket: None,
            key: None,
            result_key: None,
            error: None,
            cause: None,
            answer: None,
        }
    }

    /// One that runs.
    #[cfg(test)]
    pub fn running(name: &str, started: Timestamp) -> Self {
        Self::begun(name, &format!("arn:…:{name}"), "RUNNING", started)
    }
}

/// None of one that stopped before it started.
fn millis_between(started: Timestamp, stopped: Timestamp) -> Option<u64> {
    let millis = stopped.as_millisecond() - started.as_millisecond();
    millis.try_into().ok()
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Newest {
    /// Newest first.
    pub executions: Vec<Execution>,
    /// Why some that are wanted may be missing, and what to do about it; empty if none is.
    pub missing: Vec<String>,
}

impl Newest {
    /// None, since they could not be read.
    pub fn unread(failure: &CommandError) -> Self {
        Self {
            executions: Vec::new(),
            missing: vec![format!("they could not be read: {}", failure.in_a_sentence())],
        }
    }
}

/// The newest executions that are wanted; none where there is no state machine. Tells `looked_at` again and again of how many
/// that is known.
pub async fn newest(
    session: &Session,
    wanted: &Wanted,
    known: &mut Known,
    looked_at: &(dyn Fn(usize) + Sync),
) -> Result<Newest, CommandError> {
    let mut look = Look::default();
    let most = wanted.looked_at_max();
    let mut listed = listed(session, wanted, most.min(PAGE)).take(most);
    let mut size = ASKED_MAX;
    while look.executions.len() < wanted.limit {
        let is_first = look.looked_at == 0;
        let page: Vec<_> = listed.by_ref().take(size).try_collect().await?;
        size = (size * 4).min(SORTED_OUT_MAX);
        let Some(last) = page.last() else { break };
        look.oldest = Some(timestamp(&last.start_date));
        look.looked_at += page.len();
        let page = match &wanted.key {
            Some(prefix) if !is_first => look.sorted.sort_out(session, page, prefix, known).await?,
            _ => page,
        };
        look.describe(session, page, wanted, known).await?;
        looked_at(look.looked_at);
    }
    let missing = look.missing(session, wanted).await;
    known.remember(look.met, look.sorted.others);
    Ok(Newest {
        executions: look.executions,
        missing,
    })
}

/// How far a look through the executions is.
#[derive(Default)]
struct Look {
    /// Those that are wanted.
    executions: Vec<Execution>,
    /// Those for other keys too: they are not to be asked for again either.
    met: Vec<Described>,
    sorted: Sorted,
    looked_at: usize,
    /// When the last of them began.
    oldest: Option<Timestamp>,
    /// Why it is not known of some what they were for.
    refused: Option<CallFailure>,
}

impl Look {
    /// Adds those of a page that are wanted, as long as there are not enough.
    async fn describe(
        &mut self,
        session: &Session,
        page: Vec<ExecutionListItem>,
        wanted: &Wanted,
        known: &Known,
    ) -> Result<(), CallFailure> {
        let mut described = stream::iter(page)
            .map(|item| async {
                let described = described(session, &item, known).await;
                (item, described)
            })
            .buffered(AT_ONCE);
        while self.executions.len() < wanted.limit
            && let Some((item, described)) = described.next().await
        {
            let execution = match described {
                Ok(described) => {
                    let execution = described.execution.clone();
                    self.met.push(described);
                    execution
                }
                Err(failure) if failure.is_passing() => return Err(failure),
                Err(failure) => {
                    self.refused = Some(failure);
                    Execution::of_list(&item)
                }
            };
            if wanted.is_for(&execution) {
                self.executions.push(execution);
            }
        }
        Ok(())
    }

    /// Why some that are wanted may not be among those that were found.
    async fn missing(&self, session: &Session, wanted: &Wanted) -> Vec<String> {
        let mut missing = Vec::new();
        missing.extend(self.refused.as_ref().map(|failure| {
            let why = in_a_sentence(failure, &failure.hints());
            format!("what some were for could not be read: {why}")
        }));
        let is_full = self.executions.len() >= wanted.limit;
        // Where as many were found as are wanted, only those newer than the last could be missing.
        let last = self.executions.last().map(|execution| execution.started);
        if let Some(since) = last.filter(|_| is_full).or(self.oldest) {
            missing.extend(self.sorted.missing(session, since).await);
        }
        let most = wanted.looked_at_max();
        if wanted.key.is_some() && self.looked_at >= most && !is_full {
            let further = wanted
                .since
                .is_none()
                .then_some(": `--since 7d` looks further back");
            missing.push(format!(
                "only the newest {most} executions were looked at{}",
                further.unwrap_or_default()
            ));
        }
        missing
    }
}
