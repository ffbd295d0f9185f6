//! What an execution did: its events, from wherever they are read, put together to steps.
//!
//! # Layout
//! - [`event`]: one event, as `GetExecutionHistory` gives it and as CloudWatch Logs keeps it
//! - [`timeline`]: the events put together: which state took how long, what was tried again, how it ended
//! - [`tries`]: one attempt at a Task state, and why it failed
//! - [`invocation`]: what the function logged of a try; [`ownership`]: which request it was, where that is not named;
//!   [`report`]: Lambda's own lines among them
//! - [`document`]: the same for programs
//! - [`history`]: reading what Step Functions says of it, and the events from either place
//! - [`log_events`]: a log group, page after page; [`start`]: what began; [`absence`]: why it has nothing of some time

mod absence;
mod document;
mod event;
mod history;
mod invocation;
mod log_events;
mod ownership;
mod report;
mod start;
mod timeline;
mod tries;

pub use absence::{Absence, LogGroup, is_delivered};
pub use document::{Answer, Document, Rendition};
pub use event::{Event, timestamp};
pub use history::{
    Page, ToldBy, describe, describe_all, from_logs, is_logging_off, known_of, list, name_part, pattern_of,
};
pub use invocation::{FoundBy, FunctionLog, Invocation, Logged, are_lines_whole};
pub use log_events::{
    CLOCK_DIFFERENCE_MILLIS, DELIVERY_MAX_MILLIS, Found, LogEvent, Search, each_found, search,
};
pub use report::{Report, is_of_lambda, request_in, request_of_line};
pub use start::each_start;
pub use timeline::{Status, Step, Timeline};
pub use tries::{Trouble, Try, in_words, request_of_answer};

/// What the names begin with of the executions that `resizer invoke` starts.
pub const STARTED_BY_INVOKE: &str = "invoke-";

#[cfg(test)]
pub mod tests;
