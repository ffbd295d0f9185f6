//! The executions that uploads caused: nobody tells their names, so they are looked for.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionListItem;
use tokio::time::Instant;

use super::Object;
use super::obstacles::{self, SILENCE};
use super::passing::Passing;
use super::sought::{News, Sought};
use crate::aws::CallFailure;
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{self, Page, describe_all};
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

/// Looks for the executions that uploads cause, and for their ends.
///
/// What was there before the first upload is no answer. What counts is order, since no two clocks agree.
#[derive(Debug)]
pub struct Seeker<'a> {
    session: &'a Session,
    sought: Sought,
    pause: Duration,
    next_look: Instant,
}

impl<'a> Seeker<'a> {
    /// Notes the newest executions: to be called before the first upload.
    pub async fn new(session: &'a Session) -> Result<Self, CallFailure> {
        let (page, _) = list(session, None).await?;
        Ok(Self {
            session,
            sought: Sought::after(page),
            pause: POLL_FIRST,
            next_look: Instant::now(),
        })
    }

    /// From now on looks for the execution of `object`, which is uploaded, and calls it `index`.
    pub fn want(&mut self, index: usize, object: Object) {
        self.sought.want(index, object);
        self.look_after(self.pause.min(POLL_NEXT));
    }

    /// Looks no longer for the one called `index`.
    pub fn forget(&mut self, index: usize) {
        self.sought.forget(index);
    }

    /// Whether there is anything to look for.
    pub fn is_seeking(&self) -> bool {
        self.sought.is_anything()
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
        // Should it fail.
        self.look_after((self.pause * 3 / 2).min(POLL_MAX));
        let listed = self.listed().await?;
        let due = listed.into_iter().filter(|item| self.sought.is_due(item));
        let due = due.map(|item| item.execution_arn);
        // One that is listed may not yet be described.
        let described = describe_all(&session.clients, due).await?;
        let mut news = self.sought.tell();
        for execution in described {
            news.extend(self.sought.meet(execution));
        }
        self.look_after(if news.is_empty() { self.pause } else { POLL_NEXT });
        Ok(news)
    }

    /// The newest executions: they are listed newest first, so a page with one that is known is the last, once all that
    /// run have been met.
    async fn listed(&self) -> Result<Vec<ExecutionListItem>, CallFailure> {
        let mut listed = Vec::new();
        let mut met = 0;
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let (page, further) = list(self.session, next).await?;
            met += page.iter().filter(|item| self.sought.is_running(item)).count();
            let reached_known = page.iter().any(|item| self.sought.is_seen(item));
            listed.extend(page);
            next = further;
            if next.is_none() || (reached_known && met >= self.sought.running()) {
                break;
            }
        }
        Ok(listed)
    }
}

/// The ARN of the execution that the upload of `object` causes.
///
/// # Errors
/// None came before `deadline`, or something is in its way.
pub async fn find(
    settings: &Settings,
    mut seeker: Seeker<'_>,
    object: &Object,
    deadline: Instant,
    ui: &Ui,
) -> Result<String, CommandError> {
    let session = seeker.session;
    let waiting = Waiting::new(ui, "Waiting for the upload's event to start an execution");
    seeker.want(0, object.clone());
    let mut passing = Passing::new(session);
    let mut silent_until = Some(Instant::now() + SILENCE);
    loop {
        seeker.pause().await;
        let news = passing.unless_passing(seeker.look().await, |words| waiting.say(words))?;
        for (_, news) in news.unwrap_or_default() {
            if let News::Started { arn } = news {
                waiting.clear();
                return Ok(arn);
            }
        }
        if silent_until.take_if(|until| *until < Instant::now()).is_some() {
            obstacles::check(session, settings).await?;
        }
        if seeker.next_look > deadline {
            return Err(passing.told_of(none_in_time(session, object)));
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
