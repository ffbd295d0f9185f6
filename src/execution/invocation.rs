//! What the function logged of each try: found by the request id, or, where there is none, by the input.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::absence::{Absence, LogGroup};
use super::log_events::{CLOCK_DIFFERENCE_MILLIS, Found, LogEvent, Search, search};
use super::ownership::Owned;
use super::report::{Report, is_of_lambda, request_of_line};
use super::timeline::Timeline;
use super::tries::Try;
use crate::aws::CallFailure;

/// The most tries of an execution whose lines are looked for; each takes two calls.
const TRIES_MAX: usize = 25;
/// The most lines that are taken of one invocation.
const LINES_MAX: usize = 1_000;
/// How long an environment may take until it asks for its first request. Source: Lambda's execution environment lifecycle,
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>.
const INIT_MAX_MILLIS: i64 = 10_000;
const SEVERAL: &str = "not to be told from others: another try was for the same object then, and nothing says which was this one";
const NAMELESS: &str = "not to be found: Step Functions names no request of such a try, and no line of its time tells of its input";

/// What looking for the lines of a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    Found(Invocation),
    /// There are none, and why.
    Missing(Absence),
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
    /// It is the one invocation at that time whose own line tells of the try's input.
    Input,
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
pub struct FunctionLog<'a> {
    pub log: LogGroup<'a>,
    /// The log group of the executions' events, which tells what else ran.
    pub executions: String,
}

impl FunctionLog<'_> {
    /// Reads what the function logged of each try of the execution with this ARN. That it cannot be read is told where the
    /// lines would be.
    pub async fn read(&self, execution: &str, timeline: &mut Timeline) {
        let mut looked_for = 0;
        for step in &mut timeline.steps {
            let own = step.tries.clone();
            for each in step.tries.iter_mut().filter(|each| each.may_have_run()) {
                looked_for += 1;
                each.logged = Some(if looked_for > TRIES_MAX {
                    Logged::Missing(Absence::Known(format!(
                        "not looked for: only those of the first {TRIES_MAX} tries are"
                    )))
                } else {
                    let logged = self.lines_of(execution, step.input.as_deref(), each, &own).await;
                    logged.unwrap_or_else(|failure| Logged::Missing(self.log.unreadable(&failure)))
                });
            }
        }
    }

    /// `own` are all tries of the step that `input` went into.
    async fn lines_of(
        &self,
        execution: &str,
        input: Option<&str>,
        each: &Try,
        own: &[Try],
    ) -> Result<Logged, CallFailure> {
        let (request_id, found_by) = match &each.request_id {
            Some(named) => (named.clone(), FoundBy::RequestId),
            None => {
                let input: Value = serde_json::from_str(input.unwrap_or_default()).unwrap_or_default();
                match self.request_of(execution, &input, each, own).await? {
                    Owned::One(request) => (request, FoundBy::Input),
                    Owned::Several => return Ok(Logged::Missing(Absence::Known(SEVERAL.to_owned()))),
                    Owned::Nothing => {
                        let why = self.log.known_absence(each.began, each.ended).await;
                        let why = why.unwrap_or_else(|| Absence::Known(NAMELESS.to_owned()));
                        return Ok(Logged::Missing(why));
                    }
                }
            }
        };
        let events = self.events_of(&request_id, each).await?;
        if events.is_empty() {
            return Ok(Logged::Missing(self.log.absence(each.began, each.ended).await));
        }
        Ok(Logged::Found(Invocation {
            request_id,
            found_by,
            events,
        }))
    }

    /// The lines that name the request, and those between its START and its REPORT that do not: an environment works on one
    /// request at a time, and has a stream of its own. Of its first one, also what it printed while it started.
    async fn events_of(&self, request_id: &str, each: &Try) -> Result<Vec<LogEvent>, CallFailure> {
        let pattern = format!("\"{request_id}\"");
        let until = each.ended.map(Timestamp::as_millisecond);
        let naming = Search {
            log_group: &self.log.name,
            from: each.began.as_millisecond() - CLOCK_DIFFERENCE_MILLIS,
            until: until.map(|until| until + CLOCK_DIFFERENCE_MILLIS),
            pattern: Some(&pattern),
            stream: None,
        };
        let found = search(self.log.clients, naming, LINES_MAX).await?;
        let mut events = found.events;
        if found.is_cut {
            let pattern = format!("\"REPORT RequestId: {request_id}\"");
            let report = Search {
                pattern: Some(&pattern),
                ..naming
            };
            events.extend(search(self.log.clients, report, 1).await?.events);
        }
        let own = |word: &str| events.iter().find(|event| event.text.starts_with(word));
        if let (Some(start), Some(report)) = (own("START "), own("REPORT ")) {
            let all = Search {
                from: start.millis,
                until: Some(report.millis),
                pattern: None,
                stream: Some(&start.stream),
                ..naming
            };
            let before = Search {
                from: start.millis - INIT_MAX_MILLIS,
                until: Some(start.millis),
                ..all
            };
            let clients = self.log.clients;
            let may_have_started = report.text.contains("Init Duration") || each.trouble.is_some();
            let before = async {
                match may_have_started {
                    true => search(clients, before, LINES_MAX).await,
                    false => Ok(Found::default()),
                }
            };
            let (before, all) = futures_util::try_join!(before, search(clients, all, LINES_MAX))?;
            // Those of one millisecond stand as they do in the stream.
            let is_before = |event: &LogEvent| event.id != start.id;
            let while_starting = before.events.into_iter().take_while(is_before);
            let mut between: Vec<LogEvent> = while_starting.collect();
            // Where there was another request before, they are that one's.
            if before.is_cut || between.iter().any(|event| event.text.starts_with("REPORT ")) {
                between.clear();
            }
            let all = all.events.into_iter().skip_while(is_before);
            between.extend(all.take_while(|event| event.id != report.id));
            // A line of the request before may come late.
            between.retain(|event| request_of_line(&event.text).is_none_or(|named| named == request_id));
            let ids: HashSet<String> = between.iter().map(|event| event.id.clone()).collect();
            between.extend(events.into_iter().filter(|event| !ids.contains(&event.id)));
            between.sort_by_key(|event| event.millis);
            events = between;
        }
        Ok(events)
    }
}

/// Whether all that the function logs of the execution has come, as far as that can be known.
pub fn are_lines_whole(timeline: &Timeline) -> bool {
    let mut tries = timeline.steps.iter().flat_map(|step| &step.tries);
    tries.all(|each| match &each.logged {
        Some(Logged::Found(invocation)) => invocation.report().is_some(),
        Some(Logged::Missing(why)) => *why != Absence::Late,
        None => true,
    })
}
