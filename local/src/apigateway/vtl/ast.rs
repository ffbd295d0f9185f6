//! The parsed form of a template.

use serde_json::Value;

#[derive(Debug, Clone)]
pub enum Node {
    Text(String),
    /// `$x`, `${x}`, `$!x`; `source` is printed where the reference has no value and is not quiet.
    Reference {
        reference: Reference,
        quiet: bool,
        source: String,
    },
    Set {
        name: String,
        value: Expression,
    },
    If {
        branches: Vec<(Expression, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    Foreach {
        name: String,
        items: Expression,
        body: Vec<Node>,
    },
}

#[derive(Debug, Clone)]
pub struct Reference {
    pub root: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub enum Step {
    Property(String),
    Method(String, Vec<Expression>),
    Index(Expression),
}

#[derive(Debug, Clone)]
pub enum Expression {
    Literal(Value),
    /// A double-quoted string: a template of its own.
    Interpolated(Vec<Node>),
    List(Vec<Expression>),
    Reference(Reference),
    Not(Box<Expression>),
    Binary(Box<Expression>, Operator, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
}
