//! One file a command.

pub mod down;
pub mod invoke;
pub mod local;
mod standing;
pub mod status;
pub mod up;
