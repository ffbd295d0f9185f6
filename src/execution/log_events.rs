//! Events of a log group, page after page.

use std::collections::VecDeque;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::aws::{CallFailure, Clients, During};

/// How much earlier or later than one clock says another may: what Step Functions, Lambda and CloudWatch Logs tell of the
/// same moment.
pub const CLOCK_DIFFERENCE_MILLIS: i64 = 60_000;
/// How much later than an execution's end its last events may be stamped.
pub const DELIVERY_MAX_MILLIS: i64 = 600_000;

/// FilterLogEvents takes so many calls a second.
const CALLS_A_SECOND: usize = 5;
/// The most pages that one search takes; many may be empty.
const PAGES_MAX: usize = 1_000;

/// What is looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Search<'a> {
    pub log_group: &'a str,
    /// Milliseconds since 1970.
    pub from: i64,
    /// Milliseconds since 1970; none: without an end.
    pub until: Option<i64>,
    /// A filter pattern of CloudWatch Logs.
    pub pattern: Option<&'a str>,
    pub stream: Option<&'a str>,
}

/// One line of a log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Unlike that of any other event of the group.
    pub id: String,
    pub stream: String,
    /// Milliseconds since 1970.
    pub millis: i64,
    pub text: String,
}

/// What was found, in the order of time.
#[derive(Debug, Default)]
pub struct Found {
    pub events: Vec<LogEvent>,
    /// Whether there is more than was asked for.
    pub is_cut: bool,
}

impl LogEvent {
    fn of(event: &FilteredLogEvent) -> Option<Self> {
        Some(Self {
            id: event.event_id()?.to_owned(),
            stream: event.log_stream_name().unwrap_or_default().to_owned(),
            millis: event.timestamp()?,
            text: event.message()?.to_owned(),
        })
    }

    pub fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millis).unwrap_or_default()
    }
}

/// Waits until one more call is within the quota, whoever of this process made those before.
async fn pace() {
    static LATEST: Mutex<VecDeque<Instant>> = Mutex::const_new(VecDeque::new());
    let mut latest = LATEST.lock().await;
    if latest.len() >= CALLS_A_SECOND
        && let Some(first) = latest.front()
    {
        tokio::time::sleep_until(*first + Duration::from_secs(1)).await;
        latest.pop_front();
    }
    latest.push_back(Instant::now());
}

/// The oldest events that are looked for, at most `most`.
pub async fn search(clients: &Clients, search: Search<'_>, most: usize) -> Result<Found, CallFailure> {
    let mut events = Vec::new();
    let is_cut = each_found(clients, search, most, |event| events.push(event)).await?;
    Ok(Found { events, is_cut })
}

/// Gives the oldest events that are looked for to `take`, at most `most` of them, and keeps none. Returns whether there are
/// more.
pub async fn each_found(
    clients: &Clients,
    search: Search<'_>,
    most: usize,
    mut take: impl FnMut(LogEvent),
) -> Result<bool, CallFailure> {
    let mut left = most;
    let mut next = None;
    for page in 0.. {
        pace().await;
        let answer = clients
            .logs
            .filter_log_events()
            .log_group_name(search.log_group)
            .start_time(search.from.max(0))
            .set_end_time(search.until)
            .set_filter_pattern(search.pattern.map(str::to_owned))
            .set_log_stream_names(search.stream.map(|stream| vec![stream.to_owned()]))
            .set_next_token(next)
            .send()
            .await
            .during("logs:FilterLogEvents", search.log_group)?;
        let mut events = answer.events().iter().filter_map(LogEvent::of);
        for event in events.by_ref().take(left) {
            take(event);
            left -= 1;
        }
        let has_more = events.next().is_some();
        next = answer.next_token.clone();
        if has_more || next.is_none() || left == 0 || page >= PAGES_MAX {
            return Ok(has_more || next.is_some());
        }
    }
    Ok(false)
}
