//! How a command ends when it does not end well: one type, printed in one place ([`crate::ui::Ui::failure`]).

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use serde::Serialize;

use crate::engine::Failure;
use crate::ui::format::printable;

/// Why a command could not be carried out, and what to do about it.
#[derive(Debug)]
pub struct CommandError {
    kind: Kind,
    /// What was attempted, on what, and why it failed: one lower-case sentence.
    pub message: String,
    /// What it means and what to type next, a line each.
    pub hints: Vec<String>,
    /// Whether a document on stdout tells of it already.
    pub is_documented: bool,
    /// Whether the user asked for just this end: nothing is said of it.
    pub is_asked_for: bool,
    /// Whether the same may go well a little later, with nothing done about it.
    pub is_passing: bool,
}

/// Why a command failed, for programs.
#[derive(Debug, Serialize)]
pub struct FailureDocument<'a> {
    pub error: &'a str,
    pub hints: &'a [String],
}

/// The lines of `text`, none of which can act on a terminal: AWS's messages and names may hold anything.
fn lines(text: &impl Display) -> String {
    let text = text.to_string();
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// A message, with its hints in brackets.
pub fn in_a_sentence(message: &impl Display, hints: &[String]) -> String {
    let hints = hints.iter().map(|hint| format!(" ({hint})"));
    message.to_string() + &hints.collect::<String>()
}

/// Decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    Interrupted,
}

impl CommandError {
    fn new(kind: Kind, message: impl Display) -> Self {
        Self {
            kind,
            message: lines(&message),
            hints: Vec::new(),
            is_documented: false,
            is_asked_for: false,
            is_passing: false,
        }
    }

    /// It was tried and failed: exit code 1.
    pub fn failed(message: impl Display) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// It was asked for wrongly, in the flags or the configuration: exit code 2.
    pub fn usage(message: impl Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The user stopped it: exit code 130.
    pub fn interrupted(message: impl Display) -> Self {
        Self::new(Kind::Interrupted, message)
    }

    /// Adds a line that says what it means or what to type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(lines(&hint));
        self
    }

    /// Says before the message what it is about.
    #[must_use]
    pub fn about(mut self, what: impl Display) -> Self {
        self.message = format!("{}: {}", lines(&what), self.message);
        self
    }

    /// Says that a document on stdout tells of it already.
    #[must_use]
    pub fn documented(mut self) -> Self {
        self.is_documented = true;
        self
    }

    /// Says that it is how such a command ends.
    #[must_use]
    pub fn asked_for(mut self) -> Self {
        self.is_asked_for = true;
        self
    }

    /// The message, with the hints in brackets.
    pub fn in_a_sentence(&self) -> String {
        in_a_sentence(&self.message, &self.hints)
    }

    /// The same for programs.
    pub fn document(&self) -> FailureDocument<'_> {
        FailureDocument {
            error: &self.message,
            hints: &self.hints,
        }
    }

    /// The process's exit code: 1, 2 or 130.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Interrupted => 130,
        })
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::failed(error)
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        let kind = if failure.is_stop {
            Kind::Interrupted
        } else {
            Kind::Failed
        };
        let mut error = failure
            .hints
            .iter()
            .fold(Self::new(kind, &failure.message), Self::hint);
        error.is_passing = failure.is_passing;
        error
    }
}
