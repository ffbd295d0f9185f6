//! How much memory the function used: no metric tells it, only the REPORT lines of its log.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use crate::aws::{CallFailure, UnlessGone};
use crate::execution::{Report, Search, each_found};
use crate::session::Session;

const MINUTE: i64 = 60_000;
/// CloudWatch Logs gives the oldest of a time first: the newest are found by looking at the last minutes, and then, stretch
/// by stretch, at what was before. So many milliseconds back each ends; as many as calls are taken at once.
const STRETCHES: [i64; 5] = [
    2 * MINUTE,
    10 * MINUTE,
    60 * MINUTE,
    6 * 60 * MINUTE,
    24 * 60 * MINUTE,
];
/// Where so many invocations were looked at, no further stretch is.
const ENOUGH: usize = 1000;
/// The most lines that are looked at in a stretch: CloudWatch Logs gives no more at once.
const LINES_MAX: usize = 10_000;
/// A detail is not waited for: pages may be many, and empty.
const PATIENCE: Duration = Duration::from_secs(2);
/// The lines that are looked for.
const REPORTS: &str = "\"REPORT RequestId\"";

/// Of the function's environments, as it is configured now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The most that an invocation used, in MB.
    pub max_mb: u64,
    /// What the function is given, in MB.
    pub size_mb: u64,
}

/// Of the newest invocations of the last day; none where there was none, or the log is not there or cannot be read in time:
/// it is a detail.
///
/// # Errors
/// The log cannot be read.
pub async fn read(session: &Session) -> Result<Option<Memory>, CallFailure> {
    let read = timeout(PATIENCE, of_the_newest(session)).await;
    let memory = read.unwrap_or(Ok(None)).unless_gone()?;
    Ok(memory.flatten())
}

async fn of_the_newest(session: &Session) -> Result<Option<Memory>, CallFailure> {
    let log_group = session.names.function_log_group();
    let now = session.clock.now().as_millisecond();
    let mut memory = None;
    let mut looked_at = 0;
    let mut until = None;
    for back in STRETCHES {
        let reports = Search {
            log_group: &log_group,
            from: now - back,
            until,
            pattern: Some(REPORTS),
            stream: None,
        };
        let mut found = Vec::new();
        each_found(&session.clients, reports, LINES_MAX, |event| {
            found.extend(Report::parse(&event.text));
        })
        .await?;
        looked_at += found.len();
        memory = found.iter().rev().fold(memory, with);
        if looked_at >= ENOUGH {
            break;
        }
        until = Some(now - back - 1);
    }
    Ok(memory)
}

/// What newer reports said, with an older one: it counts only if the function had the same size then.
fn with(newer: Option<Memory>, report: &Report) -> Option<Memory> {
    let newer = newer.unwrap_or(Memory {
        max_mb: 0,
        size_mb: report.memory_size_mb,
    });
    let is_alike = report.memory_size_mb == newer.size_mb;
    let max_mb = if is_alike {
        newer.max_mb.max(report.max_memory_mb)
    } else {
        newer.max_mb
    };
    Some(Memory { max_mb, ..newer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_function_has_now_counts() {
        let report = |max_memory_mb, memory_size_mb| Report {
            duration: Duration::ZERO,
            billed: Duration::ZERO,
            memory_size_mb,
            max_memory_mb,
            init: None,
        };
        // The newest first: it was given less at last.
        let reports = [
            report(60, 512),
            report(75, 512),
            report(300, 1769),
            report(70, 512),
        ];
        let memory = reports.iter().fold(None, with);
        let expected = Memory {
            max_mb: 75,
            size_mb: 512,
        };
        assert_eq!(memory, Some(expected));
    }
}
