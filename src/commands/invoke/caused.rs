//! The executions that uploads caused: nobody tells their names, so they are looked for.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use tokio::time::Instant;

use super::Object;
use crate::aws::{CallFailure, UnlessGone};
use crate::error::CommandError;
use crate::execution::{self, Page, describe};
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::format::{s3_uri, shell_word};
use crate::ui::waiting::Waiting;

/// How often to look; ListExecutions takes 5 calls a second for long.
const POLL_FIRST: Duration = Duration::from_millis(20);
const POLL_MAX: Duration = Duration::from_secs(1);
/// And how soon again after something was found.
const POLL_NEXT: Duration = Duration::from_millis(200);
/// Executions on a page.
const PAGE: usize = 100;
/// The most pages that one look takes.
const PAGES_MAX: usize = 10;
/// How many are described at once.
const AT_ONCE: usize = 8;

/// Looks for the executions that the uploads of `objects` cause, and for their ends.
///
/// What was there before the first upload is no answer. What counts is order, since no two clocks agree.
#[derive(Debug)]
pub struct Seeker<'a> {
    session: &'a Session,
    /// ARNs of executions that are not to be looked at any more.
    seen: HashSet<String>,
    /// Objects whose executions have not been seen, by whatever the caller calls them.
    wanted: Vec<(usize, Object)>,
    /// The ARNs of those that have been seen, and not their ends.
    running: HashMap<String, usize>,
    pause: Duration,
    next_look: Instant,
}

/// What was found of an object's execution.
#[derive(Debug)]
pub enum News {
    Started { arn: String },
    Ended(Box<DescribeExecutionOutput>),
}

impl<'a> Seeker<'a> {
    /// Notes the newest executions: to be called before the first upload.
    pub async fn new(session: &'a Session) -> Result<Self, CallFailure> {
        let (page, _) = list(session, None).await?;
        Ok(Self {
            session,
            seen: page.into_iter().map(|item| item.execution_arn).collect(),
            wanted: Vec::new(),
            running: HashMap::new(),
            pause: POLL_FIRST,
            next_look: Instant::now(),
        })
    }

    /// From now on looks for the execution of `object`, which is uploaded, and calls it `index`.
    pub fn want(&mut self, index: usize, object: Object) {
        self.wanted.push((index, object));
        self.look_after(self.pause.min(POLL_NEXT));
    }

    /// Looks no longer for the one called `index`.
    pub fn forget(&mut self, index: usize) {
        self.wanted.retain(|(wanted, _)| *wanted != index);
        self.running.retain(|_, running| *running != index);
    }

    /// Whether there is anything to look for.
    pub fn is_seeking(&self) -> bool {
        !self.wanted.is_empty() || !self.running.is_empty()
    }

    fn look_after(&mut self, pause: Duration) {
        self.pause = pause;
        self.next_look = Instant::now() + pause;
    }

    /// Waits until it is time to look: the longer nothing is found, the longer.
    pub async fn pause(&self) {
        tokio::time::sleep_until(self.next_look).await;
    }

    /// Looks once.
    pub async fn look(&mut self) -> Result<Vec<(usize, News)>, CallFailure> {
        let session = self.session;
        let listed = self.listed().await?;
        // A running one is described when the list says that it has ended, a new one at once.
        let is_due = |item: &ExecutionListItem| {
            if self.running.contains_key(&item.execution_arn) {
                item.status != ExecutionStatus::Running
            } else {
                !self.seen.contains(&item.execution_arn)
            }
        };
        let due = listed.into_iter().filter(is_due).map(|item| item.execution_arn);
        let described: Vec<_> = stream::iter(due)
            // One that is listed may not yet be described.
            .map(|arn| async move { describe(&session.clients, &arn).await.unless_gone() })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let news: Vec<_> = described
            .into_iter()
            .flatten()
            .flat_map(|execution| self.take(execution))
            .collect();
        self.look_after(if news.is_empty() {
            (self.pause * 3 / 2).min(POLL_MAX)
        } else {
            POLL_NEXT
        });
        Ok(news)
    }

    /// What `execution` says of those that are looked for.
    fn take(&mut self, execution: DescribeExecutionOutput) -> Vec<(usize, News)> {
        let arn = execution.execution_arn.clone();
        let mut news = Vec::new();
        let index = match self.running.remove(&arn) {
            Some(index) => index,
            None => {
                let input = execution.input().unwrap_or_default();
                let found = self.wanted.iter().position(|(_, object)| names(input, object));
                let Some(found) = found else {
                    self.seen.insert(arn);
                    return news;
                };
                let (index, _) = self.wanted.swap_remove(found);
                news.push((index, News::Started { arn: arn.clone() }));
                index
            }
        };
        if execution.status == ExecutionStatus::Running {
            self.running.insert(arn, index);
        } else {
            self.seen.insert(arn);
            news.push((index, News::Ended(Box::new(execution))));
        }
        news
    }

    /// The newest executions: they are listed newest first, so a page with one that is known is the last, once all that
    /// run have been met.
    async fn listed(&self) -> Result<Vec<ExecutionListItem>, CallFailure> {
        let mut listed = Vec::new();
        let mut met = 0;
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let (page, further) = list(self.session, next).await?;
            met += page
                .iter()
                .filter(|item| self.running.contains_key(&item.execution_arn))
                .count();
            let reached_known = page.iter().any(|item| self.seen.contains(&item.execution_arn));
            listed.extend(page);
            next = further;
            if next.is_none() || (reached_known && met >= self.running.len()) {
                break;
            }
        }
        Ok(listed)
    }
}

/// The ARN of the execution that the upload of `object` causes.
///
/// # Errors
/// None came before `deadline`.
pub async fn find(
    mut seeker: Seeker<'_>,
    object: &Object,
    deadline: Instant,
    ui: &Ui,
) -> Result<String, CommandError> {
    let session = seeker.session;
    let waiting = Waiting::new(ui, "Waiting for the upload's event to start an execution");
    seeker.want(0, object.clone());
    loop {
        seeker.pause().await;
        let news = seeker
            .look()
            .await
            .map_err(|failure| super::absent(session, failure))?;
        for (_, news) in news {
            if let News::Started { arn } = news {
                waiting.clear();
                return Ok(arn);
            }
        }
        if seeker.next_look > deadline {
            return Err(none_in_time(session, object));
        }
    }
}

/// That an upload has started nothing.
pub fn none_in_time(session: &Session, object: &Object) -> CommandError {
    let Object { bucket, key, .. } = object;
    let flags = &session.flags;
    let error = CommandError::failed(format!(
        "the upload of {} has started no execution in time",
        s3_uri(bucket, key)
    ))
    .hint(format!(
        "`resizer status{flags}` shows whether the rule and the bucket's notification are there and right"
    ))
    .hint(format!(
        "the object is there; to run the pipeline on it now: `resizer invoke{flags} --key {} --via states`",
        shell_word(key)
    ));
    if session.clients.endpoint_url.is_some() {
        return error;
    }
    error.hint("after `resizer up`, S3 takes about five minutes until it sends events")
}

async fn list(session: &Session, next: Option<String>) -> Result<Page, CallFailure> {
    let machine = session.names.state_machine_arn();
    execution::list(&session.clients, &machine, None, PAGE, next).await
}

/// Whether an execution's `input` is what the rule makes of an upload of `object`: the size tells two uploads of the same
/// key apart.
fn names(input: &str, object: &Object) -> bool {
    let input: Value = serde_json::from_str(input).unwrap_or_default();
    input["bucket"] == object.bucket.as_str()
        && input["key"] == object.key.as_str()
        && (input["size"].is_null() || input["size"] == object.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_told_by_bucket_key_and_size() {
        let object = Object {
            bucket: "o".to_owned(),
            key: "it's a \"cat\".jpg".to_owned(),
            size: 7,
            etag: None,
        };
        let input = |bucket: &str, key: &str, size: u64| {
            serde_json::json!({"bucket": bucket, "key": key, "size": size}).to_string()
        };
        assert!(names(&input("o", "it's a \"cat\".jpg", 7), &object));
        assert!(!names(&input("o", "it's a \"cat\".jpg", 8), &object));
        assert!(!names(&input("o", "cat.jpg", 7), &object));
        assert!(!names(&input("r", "it's a \"cat\".jpg", 7), &object));
        assert!(!names("not JSON", &object));
    }
}
