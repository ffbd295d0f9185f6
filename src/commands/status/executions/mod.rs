//! The newest executions.
//!
//! # Layout
//! - [`keys`]: which of many are for keys that begin so, from CloudWatch Logs
//! - [`table`]: as people read them

mod keys;
mod table;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

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

use keys::Candidates;
pub use table::{line_of_missing, rows, table};

/// How many are described at once.
const AT_ONCE: usize = 8;
/// So many are described without a pause, and then one after each: of all the account, DescribeExecution takes some 250 at
/// once and, for long, 10 to 15 a second, as the region is.
const ASKED_AT_ONCE_MAX: usize = 200;
const PACE: Duration = Duration::from_millis(125);
/// The most that Step Functions lists on one page.
const PAGE: usize = 1000;
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

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Newest {
    /// Newest first.
    pub executions: Vec<Execution>,
    /// Why some that are wanted may be missing, and what to do about it; empty if none is.
    pub missing: Vec<String>,
}

/// The newest executions that are wanted; none where there is no state machine.
pub async fn newest(session: &Session, wanted: &Wanted, known: &mut Known) -> Result<Newest, CommandError> {
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
    let (looked_at, oldest) = (
        listed.len(),
        listed.last().map(|item| timestamp(&item.start_date)),
    );
    let candidates = match &wanted.key {
        Some(prefix) => keys::candidates(session, listed, prefix).await?,
        None => Candidates {
            listed,
            ..Candidates::default()
        },
    };
    let is_wanted = |execution: &Execution| {
        let prefix = wanted.key.as_deref().unwrap_or_default();
        let key = execution.key.as_deref().unwrap_or_default();
        key.starts_with(prefix)
    };
    let mut met = Vec::new();
    // A custom endpoint, as the local cloud's, has no such quota.
    let mut at_once = if session.clients.endpoint_url.is_none() {
        ASKED_AT_ONCE_MAX
    } else {
        usize::MAX
    };
    let paced = stream::iter(candidates.listed.iter().cloned()).then(|item| {
        let is_asked = !known.0.contains_key(&item.execution_arn);
        let waits = is_asked && at_once == 0;
        at_once = at_once.saturating_sub(usize::from(is_asked));
        async move {
            if waits {
                tokio::time::sleep(PACE).await;
            }
            item
        }
    });
    let executions: Vec<_> = paced
        .map(|item| described(session, item, known))
        .buffered(AT_ONCE)
        .inspect_ok(|execution| met.push(execution.clone()))
        .try_filter(|execution| std::future::ready(is_wanted(execution)))
        .take(wanted.limit)
        .try_collect()
        .await?;
    // Those for other keys too: they are not to be asked for again either.
    known.remember(&met);
    // Where as many were found as are wanted, only those newer than the last could be missing.
    let last = executions.last().map(|execution| execution.started);
    let since = last.filter(|_| executions.len() >= wanted.limit).or(oldest);
    let mut missing = Vec::new();
    if let Some(since) = since {
        missing.extend(candidates.missing(session, since).await);
    }
    if wanted.key.is_some() && looked_at >= most && executions.len() < wanted.limit {
        let further = wanted
            .since
            .is_none()
            .then_some(": `--since 7d` looks further back");
        missing.push(format!(
            "only the newest {most} executions were looked at{}",
            further.unwrap_or_default()
        ));
    }
    Ok(Newest { executions, missing })
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
