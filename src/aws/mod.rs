//! The SDK clients, and what a failed call means.

mod clients;
mod clock;
mod etag;
mod failure;

pub use clients::{Clients, Connection, upload_timeouts};
pub use clock::{Clock, TimeSignal};
pub use etag::{is_another, is_same_etag};
pub use failure::{CallFailure, Cause, During, UnlessGone, lacks};
