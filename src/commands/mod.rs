//! One file a command.

mod allowed;
pub mod completions;
pub mod down;
mod ending;
mod find;
pub mod graph;
mod interrupt;
pub mod invoke;
mod last_look;
pub mod local;
pub mod logs;
pub mod man;
mod media_type;
mod notice;
pub mod permissions;
pub mod plan;
mod planning;
pub mod report;
mod rollback;
mod since;
mod stacks_turn;
mod standing;
pub mod status;
pub mod up;
