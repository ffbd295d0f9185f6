//! A resource: what is wanted, what is there, and the calls that lead from one to the other.

use std::fmt;

use async_trait::async_trait;

use super::event::Step;
use super::fields::{FieldChange, Fields};
use super::patience::NotYet;

/// One thing that stands, or should.
///
/// Every act may be repeated: a step goes round read → compare → act, and a run may be killed between any two calls.
#[async_trait]
pub trait Resource: Send + Sync {
    /// Unique in its graph, the same in every run: `function_role`.
    fn id(&self) -> &str;

    /// What a person calls such a thing: `role`.
    fn kind(&self) -> &'static str;

    /// What it is called where it stands.
    fn name(&self) -> &str;

    /// Whether it is somebody else's, there to be used: it is set up as wanted, but neither made nor removed.
    fn is_lent(&self) -> bool {
        false
    }

    /// Every field that is looked after, and its value.
    fn wanted(&self) -> Fields;

    /// Errors that mean "not yet", the first that fits.
    fn not_yet(&self) -> &'static [&'static NotYet];

    /// Permissions that making it takes, in the words of the place where it is made.
    fn making_takes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Permissions that mending it takes, each with the fields that it is for.
    fn mending_takes(&self) -> &'static [Mending] {
        &[]
    }

    /// What is there; changes nothing.
    async fn read(&self) -> Result<Reading, Failure>;

    /// Whether it is there at all: by the call that tells, where reading takes several after each other.
    async fn is_there(&self) -> Result<bool, Failure> {
        Ok(self.read().await? != Reading::Absent)
    }

    /// Makes it where there is nothing. What is still missing afterwards is found by reading, and changed.
    async fn create(&self, step: &Step<'_>) -> Result<(), Failure>;

    /// Mends `changes`, or the first of them: what still differs afterwards is found by reading, and changed.
    async fn change(&self, found: &Fields, changes: &[FieldChange], step: &Step<'_>) -> Result<(), Failure>;

    /// Whether mending `changes` takes it away first, to be made anew.
    fn is_remade(&self, _changes: &[FieldChange]) -> bool {
        false
    }

    /// Takes it away.
    async fn remove(&self, found: &Fields, step: &Step<'_>) -> Result<(), Failure>;
}

/// Fields, and a permission that mending any of them takes.
pub type Mending = (&'static [&'static str], &'static str);

/// What reading a resource tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    Absent,
    Found(Found),
    /// Looking was denied, of what is not wanted (any more), or for those who only look: it is not known whether it is there.
    Unseen(Failure),
}

/// A resource that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub fields: Fields,
    pub owner: Owner,
    /// What it waits for before it can be used or changed, if it is not ready.
    pub settling: Option<String>,
    /// What others have put there, a phrase each: it is none of ours, and stays.
    pub others: Vec<String>,
}

/// Whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    Ours,
    /// It has our name and nothing else, as what uses it makes it itself: it is ours where that is, which is what it is mended
    /// for, and removed beside anything of ours. Else it has no one's mark, for this reason.
    Unclaimed(String),
    /// It has our name and no one's mark; why it is not ours. It is taken over only when that is asked for.
    Unmarked(String),
    /// It has our name and somebody else's mark; whose it is.
    Foreign(String),
}

impl Reading {
    /// What is there, if anything was seen to be.
    pub fn found(&self) -> Option<&Found> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::Unseen(_) => None,
        }
    }
}

impl Owner {
    /// Why it is not ours, if it has our name and somebody else's mark, or no one's.
    pub fn not_ours(&self) -> Option<&str> {
        match self {
            Self::Foreign(reason) | Self::Unmarked(reason) => Some(reason),
            Self::Ours | Self::Unclaimed(_) => None,
        }
    }
}

/// Why an act did not succeed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// What was attempted, on what, and why it failed: one sentence.
    pub message: String,
    /// The call, as IAM writes it, where one failed.
    pub operation: &'static str,
    /// The error's code, where there is one.
    pub code: Option<Box<str>>,
    /// What came with the code.
    pub detail: Box<str>,
    /// The permission that whoever acts lacks, where that is the reason.
    pub lacks: Option<Box<str>>,
    /// What it means and what to do, a line each.
    pub hints: Vec<String>,
    /// Whether the same may go well a little later, with nothing done about it.
    pub is_passing: bool,
    /// Whether it is trouble on the other side, which answered.
    pub is_trouble: bool,
    /// Whether too much was asked in too short a time.
    pub is_throttled: bool,
    /// Whether it is none: the run was asked to stop.
    pub is_stop: bool,
}

impl Failure {
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            ..Self::default()
        }
    }

    /// Adds a line that says what it means or what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// The run was asked to stop before the step was done.
    pub fn stopped(what: impl fmt::Display) -> Self {
        Self {
            is_stop: true,
            ..Self::new(format!("stopped while {what}"))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
