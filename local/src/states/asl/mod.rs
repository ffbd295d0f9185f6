//! The Amazon States Language, JSONPath flavour: parsed, validated and interpreted. No I/O here.
//!
//! **Layout.** [`StateMachine::parse`] turns a definition into typed states and names every problem
//! with its location; a construct this interpreter does not know is a problem, never ignored.
//! [`Run`] interprets: it is the whole state of an execution, so storing it is all it takes to carry
//! on after a restart, and it answers each step with what has to happen next ([`Next`]).
//!
//! Facts: <https://states-language.net/> and the Step Functions developer guide.

mod choice;
mod data;
mod definition;
mod event;
mod expression;
mod fields;
mod interpreter;
mod intrinsic;
mod parse;
mod reference;
mod retry;
mod task;
mod task_step;

pub use definition::StateMachine;
pub use event::{HistoryEvent, seconds};
pub use fields::Problem;
pub use interpreter::{ExecutionIdentity, Next, Outcome, Run, Signal};
pub use task::{Answer, Fault, TaskCall};

#[cfg(test)]
mod tests;
