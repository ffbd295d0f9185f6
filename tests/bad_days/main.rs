//! AWS's bad days: whatever goes wrong at whichever call, running it again leads to the same end.
//!
//! The local cloud runs in the test's process, behaves as it is told to, and counts its calls: so every call that a
//! command makes is known, and can go wrong in every way.
//!
//! # Layout
//! - `every_call`: each call goes wrong, and a run is killed at each
//! - `any_order`: whatever happens in whichever order
//! - `messages`: what AWS says while something takes its time; `transcripts`: what a person sees of ten such days
//! - `stack`: a stack on such days; `mishaps`, `random`: what goes wrong; `everything`: what stands
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod any_order;
mod every_call;
mod everything;
mod messages;
mod mishaps;
mod random;
mod stack;
mod transcripts;
