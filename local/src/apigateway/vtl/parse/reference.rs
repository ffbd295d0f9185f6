//! References such as `$input.path('$.key').length()`, and what may follow what in them.
//!
//! A member that is not evaluated here is refused: left for later, it would fail each request, or print itself.

use regex_lite::Regex;
use serde_json::Value;

use super::super::ast::{Expression, Node, Reference, Step};
use super::Parser;
use crate::jsonpath::Path;

/// Variables that API Gateway and Velocity define; others have to be set by the template.
const DEFINED: [&str; 5] = ["input", "util", "context", "stageVariables", "foreach"];

/// What [`execute`](crate::apigateway::execute) supplies of `$context`.
const CONTEXT: [&str; 12] = [
    "requestId",
    "extendedRequestId",
    "apiId",
    "accountId",
    "stage",
    "httpMethod",
    "resourcePath",
    "path",
    "protocol",
    "requestTime",
    "requestTimeEpoch",
    "identity.sourceIp",
];

/// What `#foreach` says of its turn.
const TURN: [&str; 5] = ["index", "count", "hasNext", "first", "last"];

/// A method's name, and how many arguments it takes at least and at most.
type Signature = (&'static str, usize, usize);

const INPUT_METHODS: [Signature; 3] = [("json", 1, 1), ("path", 1, 1), ("params", 0, 1)];
const UTIL_METHODS: [Signature; 6] = [
    ("escapeJavaScript", 1, 1),
    ("urlEncode", 1, 1),
    ("urlDecode", 1, 1),
    ("base64Encode", 1, 1),
    ("base64Decode", 1, 1),
    ("parseJson", 1, 1),
];
const TEXT_METHODS: [Signature; 15] = [
    ("replaceAll", 2, 2),
    ("replace", 2, 2),
    ("length", 0, 0),
    ("isEmpty", 0, 0),
    ("trim", 0, 0),
    ("toLowerCase", 0, 0),
    ("toUpperCase", 0, 0),
    ("contains", 1, 1),
    ("startsWith", 1, 1),
    ("endsWith", 1, 1),
    ("indexOf", 1, 1),
    ("split", 1, 1),
    ("substring", 1, 2),
    ("toString", 0, 0),
    ("equals", 1, 1),
];
/// Of lists and maps, beside those that strings have too.
const COLLECTION_METHODS: [Signature; 4] = [
    ("size", 0, 0),
    ("keySet", 0, 0),
    ("containsKey", 1, 1),
    ("get", 1, 1),
];

/// What is known of an object before the request is there.
enum Known {
    Input,
    Util,
    /// `$context`, or the part of it with this name.
    Context(String),
    Turn,
    Text,
    /// A value out of the request, of whatever kind.
    Any,
}

impl Known {
    fn root(name: &str) -> Self {
        match name {
            "input" => Self::Input,
            "util" => Self::Util,
            "context" => Self::Context(String::new()),
            "foreach" => Self::Turn,
            _ => Self::Any,
        }
    }

    /// What `step` makes of it. The error says why this step cannot be.
    fn after(self, step: &Step) -> Result<Self, String> {
        match (self, step) {
            (Self::Input, Step::Property(name)) if name == "body" => Ok(Self::Text),
            (Self::Input, Step::Method(name, arguments)) => {
                takes(&INPUT_METHODS, name, arguments)?;
                if let ("json" | "path", Some(path)) = (name.as_str(), arguments.first().and_then(constant)) {
                    Path::parse(&path).map_err(|reason| format!("'{path}' is not a JSONPath: {reason}"))?;
                }
                Ok(if name == "json" { Self::Text } else { Self::Any })
            }
            (Self::Util, Step::Method(name, arguments)) => {
                takes(&UTIL_METHODS, name, arguments)?;
                Ok(if name == "parseJson" {
                    Self::Any
                } else {
                    Self::Text
                })
            }
            (Self::Context(part), Step::Property(name)) if !CONTEXT.contains(&part.as_str()) => {
                let part = if part.is_empty() {
                    name.clone()
                } else {
                    format!("{part}.{name}")
                };
                let supplied = |known: &&&str| {
                    let after = known.strip_prefix(part.as_str());
                    after.is_some_and(|after| after.is_empty() || after.starts_with('.'))
                };
                match CONTEXT.iter().find(supplied) {
                    Some(_) => Ok(Self::Context(part)),
                    None => Err(format!("$context.{part} is not supported")),
                }
            }
            (Self::Context(part), Step::Method(..)) if CONTEXT.contains(&part.as_str()) => {
                Self::Text.after(step)
            }
            (Self::Turn, Step::Property(name)) if TURN.contains(&name.as_str()) => Ok(Self::Any),
            (Self::Text, Step::Method(name, arguments)) => takes(&TEXT_METHODS, name, arguments),
            (Self::Any, Step::Property(_) | Step::Index(_)) => Ok(Self::Any),
            (Self::Any, Step::Method(name, arguments)) => takes(
                &[&TEXT_METHODS[..], &COLLECTION_METHODS].concat(),
                name,
                arguments,
            ),
            (_, Step::Property(name) | Step::Method(name, _)) => {
                Err(format!("the member {name} is not supported here"))
            }
            (_, Step::Index(_)) => Err("an index is not supported here".to_owned()),
        }
    }
}

/// Refuses a method that is not among `methods`, or is called with too few or too many arguments, or with a pattern
/// that is none.
fn takes(methods: &[Signature], name: &str, arguments: &[Expression]) -> Result<Known, String> {
    let given = arguments.len();
    match methods.iter().find(|(known, ..)| *known == name) {
        None => return Err(format!("the method {name} is not supported here")),
        Some((_, least, most)) if !(*least..=*most).contains(&given) => {
            return Err(format!("the method {name} does not take {given} arguments"));
        }
        Some(_) => {}
    }
    if let ("replaceAll" | "split", Some(pattern)) = (name, arguments.first().and_then(constant)) {
        Regex::new(&pattern).map_err(|error| format!("'{pattern}' is not a regular expression: {error}"))?;
    }
    Ok(Known::Any)
}

/// The text of an expression that is the same for every request.
fn constant(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Literal(Value::String(text)) => Some(text.clone()),
        Expression::Interpolated(nodes) => nodes
            .iter()
            .map(|node| match node {
                Node::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

impl Parser<'_> {
    /// Refuses to set what API Gateway defines.
    pub(super) fn set_name(&mut self, name: &str) -> Result<(), String> {
        if DEFINED.contains(&name) {
            return Err(self.wrong(&format!("the variable ${name} cannot be set")));
        }
        self.known.push(name.to_owned());
        Ok(())
    }

    pub(super) fn reference(&mut self) -> Result<Option<(Reference, bool)>, String> {
        if !self.eat("$") {
            return Ok(None);
        }
        let quiet = self.eat("!");
        let braces = self.eat("{");
        let Some(root) = self.name() else { return Ok(None) };
        if !DEFINED.contains(&root.as_str()) && !self.known.contains(&root) {
            return Err(self.wrong(&format!(
                "the variable ${root} is not supported and not set before its use"
            )));
        }
        let mut known = Known::root(&root);
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            known = known
                .after(&step)
                .map_err(|reason| self.wrong(&format!("${root}: {reason}")))?;
            steps.push(step);
        }
        if matches!(known, Known::Input | Known::Util | Known::Turn) {
            return Err(self.wrong(&format!("${root} is no value without a member of it")));
        }
        if braces && !self.eat("}") {
            return Err(self.wrong("a reference in braces does not end"));
        }
        Ok(Some((Reference { root, steps }, quiet)))
    }

    /// The next `.property`, `.method(…)` or `[index]`; `None`, and nothing eaten, where the reference ends.
    fn step(&mut self) -> Result<Option<Step>, String> {
        let start = self.at;
        if self.eat("[") {
            let index = self.expression(0)?;
            self.expect("]")?;
            return Ok(Some(Step::Index(index)));
        }
        if !self.eat(".") {
            return Ok(None);
        }
        let Some(name) = self.name() else {
            self.at = start;
            return Ok(None);
        };
        Ok(Some(if self.eat("(") {
            Step::Method(name, self.arguments(")")?)
        } else {
            Step::Property(name)
        }))
    }
}
