//! The SDK clients, and what a failed call means.

mod clients;
mod failure;

pub use clients::{Clients, Connection};
pub use failure::{CallFailure, During, UnlessGone};
