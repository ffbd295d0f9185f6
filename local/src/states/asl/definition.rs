//! The typed form of a valid definition.

use std::collections::HashMap;

use serde_json::Value;

use super::choice::Rule;
use super::expression::{Expression, Template};
use super::reference::ReferencePath;
use super::retry::{Catcher, Retrier};
use super::task::Resource;

/// A state machine that passed validation; see [`StateMachine::parse`].
#[derive(Debug, Clone)]
pub struct StateMachine {
    pub(super) start_at: String,
    /// The limit of a whole execution.
    pub(super) timeout_seconds: Option<u64>,
    pub(super) states: HashMap<String, State>,
}

impl StateMachine {
    /// Seconds an execution may take; `None` for as long as it likes.
    pub fn timeout_seconds(&self) -> Option<u64> {
        self.timeout_seconds
    }
}

#[derive(Debug, Clone)]
pub(super) struct State {
    pub input_path: Filter,
    pub output_path: Filter,
    pub kind: Kind,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    /// `"$"`, or not given.
    All,
    /// `null`: an empty object.
    Nothing,
    Select(Expression),
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Pass {
        result: Option<Value>,
        shape: Shape,
        next: Transition,
    },
    Task(Box<Task>),
    Choice {
        rules: Vec<(Rule, String)>,
        default: Option<String>,
    },
    Wait {
        until: Until,
        next: Transition,
    },
    Succeed,
    Fail {
        error: Option<Text>,
        cause: Option<Text>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub resource: Resource,
    pub timeout_seconds: Option<u64>,
    pub shape: Shape,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub next: Transition,
}

/// What becomes of a state's input on the way in and of its result on the way out.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub parameters: Option<Template>,
    pub result_selector: Option<Template>,
    /// `None` where the result is dropped.
    pub result_path: Option<ReferencePath>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transition {
    Next(String),
    End,
}

#[derive(Debug, Clone)]
pub(super) enum Until {
    Seconds(u64),
    SecondsPath(Expression),
    Timestamp(jiff::Timestamp),
    TimestampPath(Expression),
}

/// A Fail state's error or cause.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Literal(String),
    Computed(Expression),
}

impl Kind {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "Pass",
            Self::Task(_) => "Task",
            Self::Choice { .. } => "Choice",
            Self::Wait { .. } => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail { .. } => "Fail",
        }
    }

    /// The names of the states that may come next, each with the field that names it.
    pub fn targets(&self) -> Vec<(String, &str)> {
        fn of(next: &Transition) -> Option<(String, &str)> {
            match next {
                Transition::Next(name) => Some(("Next".to_owned(), name)),
                Transition::End => None,
            }
        }
        match self {
            Self::Pass { next, .. } | Self::Wait { next, .. } => of(next).into_iter().collect(),
            Self::Task(task) => {
                let caught = task.catch.iter().enumerate();
                let caught = caught.map(|(at, catcher)| (format!("Catch[{at}]/Next"), catcher.next.as_str()));
                of(&task.next).into_iter().chain(caught).collect()
            }
            Self::Choice { rules, default } => {
                let chosen = rules.iter().enumerate();
                let chosen = chosen.map(|(at, (_, next))| (format!("Choices[{at}]/Next"), next.as_str()));
                chosen
                    .chain(default.iter().map(|name| ("Default".to_owned(), name.as_str())))
                    .collect()
            }
            Self::Succeed | Self::Fail { .. } => Vec::new(),
        }
    }
}
