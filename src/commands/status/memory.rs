//! How much memory the function used: no metric tells it, only the REPORT lines of its log.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;

use crate::execution::{Report, Search, search};
use crate::session::Session;

/// Milliseconds that are looked back.
const DAY: i64 = 24 * 3600 * 1000;
/// The most invocations that are looked at; a page of CloudWatch Logs has no more than 10,000 lines.
const LOOKED_AT_MAX: usize = 1000;
/// A detail is not waited for: pages may be many, and empty.
const PATIENCE: Duration = Duration::from_secs(2);
/// The lines that are looked for.
const REPORTS: &str = "\"REPORT RequestId\"";

/// Of the function's environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The most that an invocation used, in MB.
    pub max_mb: u64,
    /// What the function is given, in MB.
    pub size_mb: u64,
}

/// Of the last day's invocations, of no more than 1,000; none where there was none, or the log cannot be read in time: it is a
/// detail, and `resizer logs` says why.
pub async fn read(session: &Session) -> Option<Memory> {
    let log_group = session.names.function_log_group();
    let reports = Search {
        log_group: &log_group,
        from: Timestamp::now().as_millisecond() - DAY,
        pattern: Some(REPORTS),
        ..Search::default()
    };
    let found = timeout(PATIENCE, search(&session.clients, reports, LOOKED_AT_MAX))
        .await
        .ok()?
        .ok()?;
    let reports = found.events.iter().filter_map(|event| Report::parse(&event.text));
    let most = reports.max_by_key(|report| report.max_memory_mb)?;
    Some(Memory {
        max_mb: most.max_memory_mb,
        size_mb: most.memory_size_mb,
    })
}
