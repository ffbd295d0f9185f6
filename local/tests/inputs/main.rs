//! What an operation does not honour is refused, and the refusal names it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod rest;
mod rpc;
