//! What an execution did: its events, from wherever they are read, put together to steps.
//!
//! # Layout
//! - [`event`]: one event, as `GetExecutionHistory` gives it and as CloudWatch Logs keeps it
//! - [`timeline`]: the events put together: which state took how long, what was tried again, how it ended
//! - [`document`]: the same for programs
//! - [`history`]: reading what Step Functions says of it, and the events from either place

mod document;
mod event;
mod history;
mod timeline;

pub use document::{Answer, Document};
pub use event::{Event, timestamp};
pub use history::{Page, describe, from_history, from_logs, list};
pub use timeline::{Status, Step, Timeline, in_words};

#[cfg(test)]
pub mod tests;
