//! What Step Functions lists of a state machine, newest first, page by page as it is asked for.

use std::pin::Pin;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use futures_util::stream::{self, BoxStream, Peekable, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::Wanted;
use crate::aws::{CallFailure, UnlessGone};
use crate::execution::{self, Page, timestamp};
use crate::session::Session;

/// The most that Step Functions lists on one page.
pub const PAGE: usize = 1000;

/// Behind a page with the one name that is meant, so many are looked through for another: they take a second or two.
const PAGES_BEHIND: usize = 4;

type Items<'a> = BoxStream<'a, Result<ExecutionListItem, CallFailure>>;

/// Those that may be wanted, read in pages of `size`; none where there is no state machine.
pub fn listed<'a>(session: &'a Session, wanted: &Wanted, size: usize) -> Items<'a> {
    let since = wanted.since;
    if !wanted.failed {
        return in_status(session, None, size, since);
    }
    let ended = [
        ExecutionStatus::Failed,
        ExecutionStatus::TimedOut,
        ExecutionStatus::Aborted,
    ];
    let each = ended.map(|status| in_status(session, Some(status), size, since).peekable());
    stream::unfold(each, |mut each| async move {
        let next = newest(&mut each).await?;
        Some((next, each))
    })
    .boxed()
}

/// The newest of what is next in each, or what went wrong in one of them.
async fn newest(each: &mut [Peekable<Items<'_>>]) -> Option<Result<ExecutionListItem, CallFailure>> {
    let mut newest: Option<(usize, Timestamp)> = None;
    for (index, items) in each.iter_mut().enumerate() {
        let began = match Pin::new(items).peek().await {
            Some(Ok(item)) => timestamp(&item.start_date),
            Some(Err(_)) => Timestamp::MAX,
            None => continue,
        };
        if newest.is_none_or(|(_, other)| began > other) {
            newest = Some((index, began));
        }
    }
    let (index, _) = newest?;
    each[index].next().await
}

fn in_status(
    session: &Session,
    status: Option<ExecutionStatus>,
    size: usize,
    since: Option<Timestamp>,
) -> Items<'_> {
    let is_recent =
        move |item: &ExecutionListItem| since.is_none_or(|since| timestamp(&item.start_date) >= since);
    // What is next: none after the last page, else the token, which the first has none of.
    stream::try_unfold(Some(None), move |next| {
        let status = status.clone();
        async move {
            let Some(token) = next else { return Ok(None) };
            let page = list_page(session, status, size, token).await?;
            Ok(page.map(|(items, further)| (stream::iter(items.into_iter().map(Ok)), further.map(Some))))
        }
    })
    .try_flatten()
    .try_take_while(move |item| std::future::ready(Ok(is_recent(item))))
    .boxed()
}

/// The names of executions that begin with `prefix`, newest first: those of the newest page that has any, and of
/// [`PAGES_BEHIND`] more. One that is older yet is not what is meant.
pub async fn named(session: &Session, prefix: &str) -> Result<Vec<String>, CallFailure> {
    let mut found = Vec::new();
    let mut next = None;
    let mut left = PAGES_BEHIND;
    while let Some((page, further)) = list_page(session, None, PAGE, next).await? {
        let names = page.into_iter().map(|item| item.name);
        found.extend(names.filter(|name| name.starts_with(prefix)));
        next = further;
        if next.is_none() || found.len() > 1 || (found.len() == 1 && left == 0) {
            break;
        }
        left -= found.len();
    }
    Ok(found)
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
