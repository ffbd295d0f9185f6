//! Which of many executions are for keys that begin so.
//!
//! Step Functions tells an execution's input when it is asked for that one alone, 15 times a second: of the newest it is
//! asked, since the logs come late; of all others CloudWatch Logs knows the input. It is asked of a part of them after the
//! other, and of no more than it takes.

use std::collections::{HashMap, HashSet};

use aws_sdk_sfn::types::ExecutionListItem;
use jiff::Timestamp;

use super::Known;
use crate::aws::CallFailure;
use crate::error::CommandError;
use crate::execution::{CLOCK_DIFFERENCE_MILLIS, each_start, timestamp};
use crate::session::Session;

/// Of so many of the newest Step Functions is asked.
pub const ASKED_MAX: usize = 100;
/// The most starts that are read from the log for those of a part: as many as failed may lie far from each other.
const STARTS_MAX: usize = 100_000;

/// The executions that are not for such keys.
#[derive(Debug, Default)]
pub struct Sorted {
    /// The ARNs of those that are for others.
    pub others: HashSet<String>,
    /// When those began, newest first, of which the log has no beginning: they may be for such keys as well.
    began: Vec<Timestamp>,
    /// Whether more had begun than is read.
    is_cut: bool,
}

impl Sorted {
    /// Of `listed`, newest first, those that are for a key that begins with `prefix`, as the log says of those of which that
    /// is not `known`.
    pub async fn sort_out(
        &mut self,
        session: &Session,
        listed: Vec<ExecutionListItem>,
        prefix: &str,
        known: &Known,
    ) -> Result<Vec<ExecutionListItem>, CommandError> {
        let mut is_for: Vec<_> = listed.iter().map(|item| known.is_for(item, prefix)).collect();
        let mut untold: HashMap<&str, &mut Option<bool>> = HashMap::new();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for (item, is_for) in listed
            .iter()
            .zip(&mut is_for)
            .filter(|(_, is_for)| is_for.is_none())
        {
            let began = timestamp(&item.start_date).as_millisecond();
            (first, last) = (first.min(began), last.max(began));
            untold.insert(&item.execution_arn, is_for);
        }
        if !untold.is_empty() {
            let log_group = session.names.state_machine_log_group();
            let span = (first - CLOCK_DIFFERENCE_MILLIS, last + CLOCK_DIFFERENCE_MILLIS);
            let is_cut = each_start(&session.clients, &log_group, span, STARTS_MAX, |start| {
                if let Some(is_for) = untold.get_mut(start.execution_arn.as_str()) {
                    **is_for = start.key().map(|key| key.starts_with(prefix));
                }
            });
            self.is_cut |= is_cut.await.map_err(|failure| not_known(&failure))?;
        }
        let mut found = Vec::new();
        for (item, is_for) in listed.into_iter().zip(is_for) {
            match is_for {
                Some(true) => found.push(item),
                Some(false) => drop(self.others.insert(item.execution_arn)),
                None => self.began.push(timestamp(&item.start_date)),
            }
        }
        Ok(found)
    }

    /// Why some may be missing that began at `since` or later, and what to do about it; none if none is.
    pub async fn missing(&self, session: &Session, since: Timestamp) -> Option<String> {
        let recent = &self.began[..self.began.partition_point(|began| *began >= since)];
        let (newest, oldest) = (recent.first()?, recent.last()?);
        let why = if self.is_cut {
            format!("only {STARTS_MAX} lines are read (a shorter --since takes fewer)")
        } else {
            let absence = session.executions_log().absence(*oldest, Some(*newest)).await;
            absence.to_string()
        };
        Some(format!(
            "{} older executions may be for such keys as well: the log does not tell of their beginning ({why}); without --key \
             they are listed",
            recent.len(),
        ))
    }
}

fn not_known(failure: &CallFailure) -> CommandError {
    let error = CommandError::failed(format!(
        "which of the older executions are for such keys is not known: {failure}"
    ));
    let error = failure.hints().into_iter().fold(error, CommandError::hint);
    error.hint(format!(
        "a shorter --since needs no logs: of the newest {ASKED_MAX} executions Step Functions itself is asked"
    ))
}
