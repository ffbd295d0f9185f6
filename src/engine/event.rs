//! What is told while it happens.

use std::time::Duration;

use super::graph::NodeId;
use super::plan::Action;
use super::stop::Stop;
use super::walk::Outcome;

/// Something happened to a resource.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started(&'a Action),
    /// The step pauses, since something else needs time.
    Waiting { waits_for: &'a str, pause: Duration },
    /// What was not there has been made.
    Made,
    /// The step says what it is at.
    Note(&'a str),
    /// The step is over, or will not begin.
    Ended(&'a Outcome),
}

/// Told of every event, from whichever task it happens in.
pub trait Listener: Sync {
    fn on(&self, node: NodeId, event: Event<'_>);
}

/// A step at work: how it tells what it is at, and hears that it should end.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    pub(super) node: NodeId,
    pub(super) listener: &'a dyn Listener,
    pub(super) stop: &'a Stop,
}

impl Step<'_> {
    /// Says what the step is at, for long ones.
    pub fn note(&self, text: &str) {
        self.tell(Event::Note(text));
    }

    /// Says that what was not there has been made: by whoever makes it in several calls, after the first.
    pub fn made(&self) {
        self.tell(Event::Made);
    }

    /// Whether the run was asked to stop: long steps end between two calls.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_requested()
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        self.listener.on(self.node, event);
    }
}
