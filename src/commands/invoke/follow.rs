//! Looking on until an execution ends, and what the function logged of it.

use std::time::Duration;

use tokio::time::Instant;

use super::Begun;
use super::passing::Passing;
use crate::aws::UnlessGone;
use crate::error::CommandError;
use crate::execution::{Timeline, Try, are_lines_whole, known_of, name_part};
use crate::session::Session;
use crate::ui::format::printable;
use crate::ui::table::width_of_stderr;
use crate::ui::waiting::Waiting;
use crate::ui::{Ui, timeline};

/// How often to look; GetExecutionHistory takes 20 calls a second for long.
const POLL_FIRST: Duration = Duration::from_millis(10);
const POLL_MAX: Duration = Duration::from_millis(500);
/// How long to wait for the function's lines, and how often to look: FilterLogEvents takes 5 calls a second.
const LINES_PATIENCE: Duration = Duration::from_secs(5);
const LINES_POLL_FIRST: Duration = Duration::from_millis(300);
const LINES_POLL_MAX: Duration = Duration::from_secs(1);

/// Looks on until the execution ends, and tells meanwhile what is tried again.
///
/// # Errors
/// It has not ended at `deadline`, or cannot be read.
pub async fn to_the_end(
    session: &Session,
    Begun {
        execution, object, ..
    }: &Begun,
    deadline: Instant,
    ui: &Ui,
) -> Result<Timeline, CommandError> {
    let name = name_part(execution);
    let waiting = Waiting::new(ui, format!("Execution {name} of {}", printable(&object.key)));
    let mut passing = Passing::new(session);
    let mut told = 0;
    let mut poll = POLL_FIRST;
    loop {
        // One that has just started may not be read yet.
        let known = known_of(&session.clients, execution).await.unless_gone();
        let known = passing.unless_passing(known, |words| waiting.say(words))?;
        let (timeline, unread) = known.flatten().unwrap_or_else(|| (Timeline::of(&[]), None));
        if timeline.end.is_some() {
            waiting.clear();
            if let Some(failure) = unread {
                let why = CommandError::from(failure).in_a_sentence();
                ui.insist(format!("its steps are not to be read: {why}"));
            }
            return Ok(timeline);
        }
        let troubles = timeline::troubles(&timeline, width_of_stderr());
        // A later reading may for a moment know less than one before it.
        for trouble in troubles.get(told..).unwrap_or_default() {
            waiting.say(trouble);
        }
        told = told.max(troubles.len());
        if let Some(step) = timeline.steps.last() {
            waiting.update(&step.name);
        }
        if Instant::now() + poll > deadline {
            return Err(passing.told_of(not_in_time(session, execution)));
        }
        tokio::time::sleep(poll).await;
        poll = (poll * 3 / 2).min(POLL_MAX);
    }
}

/// That an execution has not ended.
pub fn not_in_time(session: &Session, execution: &str) -> CommandError {
    let name = name_part(execution);
    CommandError::failed(format!("the execution {name} has not ended in time; it goes on")).hint(format!(
        "`resizer status{} --execution {name}` shows it",
        session.flags
    ))
}

/// Reads what the function logged into `timeline`, until all of it is there or so long that it is missed no more.
pub async fn function_log(session: &Session, execution: &str, timeline: &mut Timeline, ui: &Ui) {
    let mut tries = timeline.steps.iter().flat_map(|step| &step.tries);
    if !tries.any(Try::may_have_run) {
        return;
    }
    let _waiting = Waiting::new(ui, "Waiting for the function's log lines");
    let patience = Instant::now() + LINES_PATIENCE;
    let mut poll = LINES_POLL_FIRST;
    loop {
        session.function_log().read(execution, timeline).await;
        if are_lines_whole(timeline) || Instant::now() + poll > patience {
            return;
        }
        tokio::time::sleep(poll).await;
        poll = (poll * 3 / 2).min(LINES_POLL_MAX);
    }
}
