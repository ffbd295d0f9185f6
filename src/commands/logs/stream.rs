//! What the log groups have of what is asked for, read again and again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::LogsArgs;
use super::entry::{Entry, Source};
use super::selection::{Selection, Wanted};
use super::window::Window;
use crate::aws::CallFailure;
use crate::commands::find;
use crate::error::{CommandError, in_a_sentence};
use crate::execution::{
    Absence, CLOCK_DIFFERENCE_MILLIS, DELIVERY_MAX_MILLIS, Found, LogGroup, Logged, Search, are_lines_whole,
    is_logging_off, known_of, pattern_of, search, timestamp,
};
use crate::session::Session;

/// The most lines of a log group that are read at once.
pub const LINES_MAX: usize = 50_000;

/// A log group that is read.
struct Feed<'a> {
    source: Source,
    log: LogGroup<'a>,
    pattern: Option<String>,
    window: Window,
    until: Option<i64>,
}

impl Feed<'_> {
    async fn read(&self) -> Result<Found, CallFailure> {
        let wanted = Search {
            log_group: &self.log.name,
            from: self.window.from(),
            until: self.until,
            pattern: self.pattern.as_deref(),
            stream: None,
        };
        search(self.log.clients, wanted, LINES_MAX).await
    }
}

/// All that is asked for.
pub struct Stream<'a> {
    session: &'a Session,
    feeds: Vec<Feed<'a>>,
    selection: Selection,
    /// Only lines of these.
    shown: Option<Source>,
    since: Timestamp,
    /// When the one execution that is asked for began and, if it has, ended.
    execution: Option<(Timestamp, Option<Timestamp>)>,
    /// Which log groups were not there when they were read last.
    missing: BTreeSet<String>,
    /// Whether it was told that executions' steps are not to be read.
    is_refusal_told: bool,
}

/// What is new, in the order of time.
pub struct New {
    pub entries: Vec<Entry>,
    /// Whether there is more than was read.
    pub is_cut: bool,
    /// Whether anything was read, wanted or not.
    is_something: bool,
    /// Why some of it is not to be had, where that was not so when it was read last.
    pub missed: Vec<String>,
}

impl New {
    /// Whether to read on at once. Of a cut where nothing was read, the same would be read again.
    pub fn goes_on(&self) -> bool {
        self.is_cut && self.is_something
    }
}

impl<'a> Stream<'a> {
    pub async fn open(session: &'a Session, args: &LogsArgs) -> Result<Self, CommandError> {
        let mut since = session.clock.at(args.since);
        let (mut until, mut pattern, mut one) = (None, None, None);
        let wanted = if let Some(execution) = &args.execution {
            let described = find::execution(session, execution).await?;
            since = timestamp(&described.start_date);
            let ended = described.stop_date.as_ref().map(timestamp);
            let stopped = ended.filter(|_| !args.follow);
            until = stopped.map(|stopped| stopped.as_millisecond() + DELIVERY_MAX_MILLIS);
            pattern = Some(pattern_of(&described.execution_arn));
            one = Some((since, ended));
            Wanted::Execution(described.execution_arn)
        } else {
            args.key.clone().map_or(Wanted::All, Wanted::Key)
        };
        let earlier = if one.is_some() { CLOCK_DIFFERENCE_MILLIS } else { 0 };
        let feed = |source, log, pattern| Feed {
            source,
            log,
            pattern,
            window: Window::new(since.as_millisecond() - earlier),
            until,
        };
        let mut feeds = Vec::new();
        // Which of the function's lines are wanted is said by the executions' events.
        if !args.function || wanted != Wanted::All {
            feeds.push(feed(Source::Executions, session.executions_log(), pattern));
        }
        if !args.executions {
            feeds.push(feed(Source::Function, session.function_log().log, None));
        }
        let shown = [
            (args.function, Source::Function),
            (args.executions, Source::Executions),
        ];
        Ok(Self {
            session,
            feeds,
            selection: Selection::new(wanted),
            shown: shown
                .into_iter()
                .find_map(|(is_asked, source)| is_asked.then_some(source)),
            since,
            execution: one,
            missing: BTreeSet::new(),
            is_refusal_told: false,
        })
    }

    /// The names of the log groups that are read.
    pub fn log_groups(&self) -> Vec<&str> {
        self.feeds.iter().map(|feed| feed.log.name.as_str()).collect()
    }

    /// From when on is read.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether one execution is asked for.
    pub fn is_one(&self) -> bool {
        self.execution.is_some()
    }

    /// Reads what was not there, or not yet to be found, when it was read last.
    ///
    /// # Errors
    /// A call failed, or none of the log groups is there.
    pub async fn read(&mut self) -> Result<New, CallFailure> {
        // Only once all are read is anything taken for shown: of two, the second may fail.
        let (mut read, mut missing) = (Vec::new(), Vec::new());
        for feed in &self.feeds {
            match feed.read().await {
                Ok(found) => read.push(found),
                Err(failure) if failure.is_not_found() => {
                    read.push(Found::default());
                    missing.push((feed.log.not_there(), failure));
                }
                Err(failure) => return Err(failure),
            }
        }
        if missing.len() == self.feeds.len()
            && let Some((_, failure)) = missing.pop()
        {
            return Err(failure);
        }
        let missing: BTreeSet<_> = missing.into_iter().map(|(not_there, _)| not_there).collect();
        let mut missed: Vec<_> = missing.difference(&self.missing).cloned().collect();
        self.missing = missing;
        let is_cut = read.iter().any(|found| found.is_cut);
        let is_something = read.iter().any(|found| !found.events.is_empty());
        let now = self.session.clock.now().as_millisecond();
        let mut entries = Vec::new();
        for (feed, found) in self.feeds.iter_mut().zip(read) {
            let new = feed.window.new_of(found, now);
            entries.extend(new.into_iter().map(|line| Entry::of(feed.source, line)));
        }
        let mut entries = self.selection.of(entries);
        // They may be late, or nowhere: Step Functions itself knows which lines are the function's.
        self.selection.do_without_events();
        if self.find_nameless(&mut missed).await? {
            entries.extend(self.selection.of(Vec::new()));
            entries.sort_by_key(Entry::order);
        }
        entries.retain(|entry| self.shown.is_none_or(|shown| shown == entry.source));
        Ok(New {
            entries,
            is_cut,
            is_something,
            missed,
        })
    }

    /// Whether the executions' events are asked for, and none come: the state machine's logging is off.
    pub async fn is_logging_off(&self) -> bool {
        self.feeds.iter().any(|feed| feed.source == Source::Executions)
            && is_logging_off(&self.session.clients, &self.session.names.state_machine_arn()).await
    }

    /// Why the lines of the one execution that is asked for are missing; none where that cannot be known.
    pub async fn absence(&self) -> Option<Absence> {
        let (began, ended) = self.execution?;
        for feed in &self.feeds {
            let absence = feed.log.known_absence(began, ended).await;
            if absence.is_some() {
                return absence;
            }
        }
        None
    }

    /// Looks for the requests of tries of which no event names one, as a story does; whether any was found. Who may not read
    /// an execution's steps does without what only these tell, which is `missed`.
    async fn find_nameless(&mut self, missed: &mut Vec<String>) -> Result<bool, CallFailure> {
        let mut is_found = false;
        for arn in self.selection.nameless() {
            let (mut timeline, unread) = known_of(&self.session.clients, &arn).await?;
            if let Some(failure) = unread {
                if !std::mem::replace(&mut self.is_refusal_told, true) {
                    missed.push(in_a_sentence(&failure, &failure.hints()));
                }
                self.selection.is_known(&arn, timeline.end.is_some());
                continue;
            }
            self.session.function_log().read(&arn, &mut timeline).await;
            for each in timeline.steps.iter().flat_map(|step| &step.tries) {
                if let Some(Logged::Found(invocation)) = &each.logged {
                    self.selection.belongs(&invocation.request_id, &arn);
                    is_found = true;
                }
            }
            if are_lines_whole(&timeline) {
                self.selection.is_known(&arn, timeline.end.is_some());
            }
        }
        Ok(is_found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_cut_where_nothing_was_read_the_same_is_not_read_again_at_once() {
        let goes_on = |is_cut, is_something| {
            let new = New {
                entries: Vec::new(),
                is_cut,
                is_something,
                missed: Vec::new(),
            };
            new.goes_on()
        };
        assert!(goes_on(true, true), "none of it may be wanted");
        assert!(!goes_on(true, false));
        assert!(!goes_on(false, true));
    }
}
