//! The SDK clients, and what a failed call means.

mod clients;
mod failure;

pub use clients::{Clients, Connection, upload_timeouts};
pub use failure::{CallFailure, During, UnlessGone, lacks};
