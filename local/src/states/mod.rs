//! Step Functions: Standard state machines and their executions.

pub mod asl;
