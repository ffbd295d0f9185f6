//! What the function logged of each try: found by the request id, or, of a failed try, by its time.

use jiff::Timestamp;
use serde::Serialize;

use super::absence::{LATE, LogGroup};
use super::log_events::{CLOCK_DIFFERENCE_MILLIS, LogEvent, Search, search};
use super::report::{Report, is_of_lambda, request_in};
use super::timeline::Timeline;
use super::tries::Try;
use crate::aws::CallFailure;

/// The most tries of an execution whose lines are looked for; each takes two calls.
const TRIES_MAX: usize = 25;
/// The most lines that are taken of one invocation.
const LINES_MAX: usize = 1_000;
const SEVERAL: &str =
    "not to be told from others: several invocations began meanwhile, and nothing says which was this one";

/// What looking for the lines of a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    Found(Invocation),
    /// There are none, and why.
    Missing(String),
}

/// One run of the function, as its log group tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    pub request_id: String,
    pub found_by: FoundBy,
    /// In the order of time.
    pub events: Vec<LogEvent>,
}

/// What says that the lines are those of the try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Step Functions names the request.
    RequestId,
    /// It is the one invocation that began while the try went on.
    Time,
}

impl Invocation {
    /// The lines that the function itself printed.
    pub fn printed(&self) -> impl Iterator<Item = &LogEvent> {
        self.events.iter().filter(|event| !is_of_lambda(&event.text))
    }

    /// What it took, once Lambda has said so.
    pub fn report(&self) -> Option<Report> {
        self.events.iter().find_map(|event| Report::parse(&event.text))
    }
}

/// The function's log group, for what it has of an execution.
#[derive(Debug, Clone)]
pub struct FunctionLog<'a>(pub LogGroup<'a>);

impl FunctionLog<'_> {
    /// Reads what the function logged of each try. That it cannot be read is told where the lines would be.
    pub async fn read(&self, timeline: &mut Timeline) {
        let steps = timeline.steps.iter_mut();
        let tries: Vec<&mut Try> = steps.flat_map(|step| &mut step.tries).collect();
        let named: Vec<String> = tries.iter().filter_map(|each| each.request_id.clone()).collect();
        let may_have_run = tries.into_iter().filter(|each| each.may_have_run());
        for each in may_have_run.take(TRIES_MAX) {
            let logged = self.lines_of(each, &named).await;
            each.logged = Some(logged.unwrap_or_else(|failure| Logged::Missing(self.0.unreadable(&failure))));
        }
    }

    /// `named` are the requests of the execution's tries, as far as Step Functions names them.
    async fn lines_of(&self, each: &Try, named: &[String]) -> Result<Logged, CallFailure> {
        let (request_id, found_by) = match &each.request_id {
            Some(named) => (named.clone(), FoundBy::RequestId),
            None => match self.begun_during(each, named).await?.as_slice() {
                [] => return Ok(Logged::Missing(self.0.absence(each.began, each.ended).await)),
                [one] => (one.clone(), FoundBy::Time),
                _ => return Ok(Logged::Missing(SEVERAL.to_owned())),
            },
        };
        let events = self.events_of(&request_id, each).await?;
        if events.is_empty() {
            return Ok(Logged::Missing(self.0.absence(each.began, each.ended).await));
        }
        Ok(Logged::Found(Invocation {
            request_id,
            found_by,
            events,
        }))
    }

    /// The first requests that began while the try went on, by its clock or, if none did, by one that differs; without those
    /// of other tries.
    ///
    /// Assumption: Step Functions names no request of a try that failed in the function, or that is under way. Then an
    /// invocation is taken for the try's own if it alone began meanwhile; of several none is.
    async fn begun_during(&self, each: &Try, named: &[String]) -> Result<Vec<String>, CallFailure> {
        let mut found = Vec::new();
        for tolerance in [0, CLOCK_DIFFERENCE_MILLIS] {
            let starts = Search {
                log_group: &self.0.name,
                from: each.began.as_millisecond() - tolerance,
                until: each.ended.map(|ended| ended.as_millisecond() + tolerance),
                pattern: Some("\"START RequestId: \""),
                stream: None,
            };
            let began = search(self.0.clients, starts, named.len() + 2).await?.events;
            let requests = began.iter().filter_map(|event| request_in(&event.text));
            let others = requests.map(str::to_owned);
            found = others.filter(|request| !named.contains(request)).collect();
            if !found.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// The lines that name the request, and those between its START and its REPORT that do not: an environment works on one
    /// request at a time, and has a stream of its own.
    async fn events_of(&self, request_id: &str, each: &Try) -> Result<Vec<LogEvent>, CallFailure> {
        let pattern = format!("\"{request_id}\"");
        let until = each.ended.map(Timestamp::as_millisecond);
        let naming = Search {
            log_group: &self.0.name,
            from: each.began.as_millisecond() - CLOCK_DIFFERENCE_MILLIS,
            until: until.map(|until| until + CLOCK_DIFFERENCE_MILLIS),
            pattern: Some(&pattern),
            stream: None,
        };
        let mut events = search(self.0.clients, naming, LINES_MAX).await?.events;
        let own = |word: &str| events.iter().find(|event| event.text.starts_with(word));
        if let (Some(start), Some(report)) = (own("START "), own("REPORT ")) {
            let all = Search {
                from: start.millis,
                until: Some(report.millis),
                pattern: None,
                stream: Some(&start.stream),
                ..naming
            };
            let all = search(self.0.clients, all, LINES_MAX).await?.events.into_iter();
            let between = all
                .skip_while(|event| event.id != start.id)
                .take_while(|event| event.id != report.id);
            let unnamed: Vec<_> = between.filter(|event| !event.text.contains(request_id)).collect();
            events.extend(unnamed);
            events.sort_by_key(|event| event.millis);
        }
        Ok(events)
    }
}

/// Whether all that the function logs of the execution has come, as far as that can be known.
pub fn are_lines_whole(timeline: &Timeline) -> bool {
    let mut tries = timeline.steps.iter().flat_map(|step| &step.tries);
    tries.all(|each| match &each.logged {
        Some(Logged::Found(invocation)) => invocation.report().is_some(),
        Some(Logged::Missing(why)) => why != LATE,
        None => true,
    })
}
