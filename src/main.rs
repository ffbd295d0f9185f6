//! `resizer`: a serverless image-resize pipeline on AWS, or on this machine.
//!
//! # Layout
//! - [`cli`]: every flag and its help. [`config`]: `resizer.toml`, flags and defaults, made into [`config::Settings`] once.
//! - [`names`]: every name and ARN of a stack, computed. [`outputs`]: what `up` prints and scripts read.
//! - [`aws`]: the SDK clients and what a failed call means. [`session`]: who we are, where, and on which stack.
//! - [`stack`]: the pipeline on one page. [`resources`]: one file a kind. [`engine`]: makes what stands what is wanted.
//! - [`package`]: builds the function and checks its zip.
//! - [`execution`]: what an execution did, step by step, and what the function logged of it.
//! - [`turn`]: one process at a time. [`commands`]: one file a command. [`error`]: how a command ends. [`ui`]: the only place that draws.

mod aws;
mod cli;
mod commands;
mod config;
mod engine;
mod error;
mod execution;
mod names;
mod outputs;
mod package;
mod resources;
mod session;
mod stack;
mod turn;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
