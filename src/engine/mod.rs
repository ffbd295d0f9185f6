//! Makes what stands equal to what is wanted, and takes it away again; knows no service.
//!
//! A [`Resource`] is read → compared → acted upon. A [`Graph`] says which uses which. A [`Plan`] is the list of the
//! differences; carrying it out runs as much at once as the graph allows, and each step goes round read → compare →
//! act until what is read is what is wanted. What another system needs time for is data: [`NotYet`].
//!
//! # Layout
//! - `resource`: the trait, what reading one tells, and how one fails. `fields`: what is compared.
//! - `graph`, `plan`, `walk`: what stands on what, what differs, and the order of the steps.
//! - `converge`: one step. `patience`: what is waited for, and how long.
//! - `event`: what is told while it happens. `stop`: how it is asked to end early.

mod converge;
mod event;
mod fields;
mod graph;
mod patience;
mod plan;
mod resource;
mod stop;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod walk;

pub use event::{Event, Listener, Step};
pub use fields::{FieldChange, Fields, document};
pub use graph::{Graph, NodeId};
pub use patience::{NotYet, Schedule};
pub use plan::{Action, Plan, Planned, Refusal};
pub use resource::{Failure, Found, Mending, Owner, Reading, Resource};
pub use stop::{Stop, StopSwitch};
pub use walk::{Outcome, Report};
