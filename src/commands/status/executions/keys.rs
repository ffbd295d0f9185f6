//! Which of many executions are for keys that begin so.
//!
//! Step Functions tells an execution's input when it is asked for that one alone, 15 times a second: of the newest it is
//! asked, since the logs come late; of all others CloudWatch Logs knows the input. It is asked of a part of them after the
//! other, and of no more than it takes.

use std::collections::HashMap;

use aws_sdk_sfn::types::ExecutionListItem;
use jiff::Timestamp;

use crate::aws::CallFailure;
use crate::error::CommandError;
use crate::execution::{CLOCK_DIFFERENCE_MILLIS, each_start, timestamp};
use crate::session::Session;

/// Of so many of the newest Step Functions is asked.
pub const ASKED_MAX: usize = 100;
/// The most starts that are read from the log for those of a part: as many as failed may lie far from each other.
const STARTS_MAX: usize = 100_000;

/// Executions of which the log has no beginning: they may be for such keys as well.
#[derive(Debug, Default)]
pub struct Unknown {
    /// When they began, newest first.
    began: Vec<Timestamp>,
    /// Whether more had begun than is read.
    is_cut: bool,
}

impl Unknown {
    /// Of `listed`, newest first, those that are for a key that begins with `prefix`, as the log says.
    pub async fn sort_out(
        &mut self,
        session: &Session,
        listed: Vec<ExecutionListItem>,
        prefix: &str,
    ) -> Result<Vec<ExecutionListItem>, CommandError> {
        let time =
            |item: Option<&ExecutionListItem>| item.map(|item| timestamp(&item.start_date).as_millisecond());
        let (Some(last), Some(first)) = (time(listed.first()), time(listed.last())) else {
            return Ok(listed);
        };
        let log_group = session.names.state_machine_log_group();
        let span = (first - CLOCK_DIFFERENCE_MILLIS, last + CLOCK_DIFFERENCE_MILLIS);
        let mut is_for: HashMap<&str, Option<bool>> = listed
            .iter()
            .map(|item| (item.execution_arn.as_str(), None))
            .collect();
        let is_cut = each_start(&session.clients, &log_group, span, STARTS_MAX, |start| {
            if let Some(known) = is_for.get_mut(start.execution_arn.as_str()) {
                *known = start.key().map(|key| key.starts_with(prefix));
            }
        })
        .await
        .map_err(|failure| not_known(&failure))?;
        self.is_cut |= is_cut;
        let told: Vec<Option<bool>> = listed
            .iter()
            .map(|item| is_for.get(item.execution_arn.as_str()).copied().flatten())
            .collect();
        let mut found = Vec::new();
        for (item, is_for) in listed.into_iter().zip(told) {
            match is_for {
                Some(true) => found.push(item),
                Some(false) => {}
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
            session.executions_log().absence(*oldest, Some(*newest)).await
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
