//! Reads the fields of a JSON object once each, and reports what is missing, mistyped or left over.

use serde_json::{Map, Value};

use super::expression::Expression;

/// One thing wrong with a definition, in AWS's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// For example `SCHEMA_VALIDATION_FAILED` or `MISSING_TRANSITION_TARGET`.
    pub code: &'static str,
    pub message: String,
    /// A JSON pointer into the definition, for example `/States/Resize/Next`.
    pub location: String,
}

impl Problem {
    pub fn schema(message: impl Into<String>, location: impl Into<String>) -> Self {
        let code = "SCHEMA_VALIDATION_FAILED";
        Self {
            code,
            message: message.into(),
            location: location.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {} at {}", self.code, self.message, self.location)
    }
}

/// The fields of one object that were not read yet.
pub struct Fields<'a, 'p> {
    location: String,
    rest: Vec<(&'a str, &'a Value)>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    pub fn new(
        object: &'a Map<String, Value>,
        location: impl Into<String>,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        let rest = object
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        Self {
            location: location.into(),
            rest,
            problems,
        }
    }

    pub fn location(&self) -> &str {
        &self.location
    }

    pub fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// Notes that the field `name` is wrong.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::schema(message, format!("{}/{name}", self.location)));
    }

    /// Takes a field as it stands.
    pub fn take(&mut self, name: &str) -> Option<&'a Value> {
        let at = self.rest.iter().position(|(field, _)| *field == name)?;
        Some(self.rest.swap_remove(at).1)
    }

    pub fn has(&self, name: &str) -> bool {
        self.rest.iter().any(|(field, _)| *field == name)
    }

    pub fn is_null(&self, name: &str) -> bool {
        self.rest
            .iter()
            .any(|(field, value)| *field == name && value.is_null())
    }

    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        let value = self.take(name)?;
        if value.as_str().is_none() {
            self.refuse(name, format!("Expected value of type String for field '{name}'"));
        }
        value.as_str()
    }

    pub fn required_text(&mut self, name: &str) -> &'a str {
        self.require(name);
        self.text(name).unwrap_or_default()
    }

    fn require(&mut self, name: &str) {
        if !self.has(name) {
            let location = self.location.clone();
            self.problems
                .push(Problem::schema(format!("'{name}' field is required"), location));
        }
    }

    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.take(name)?;
        if value.as_bool().is_none() {
            self.refuse(name, format!("Expected value of type Boolean for field '{name}'"));
        }
        value.as_bool()
    }

    /// An integer between `low` and `high`, both included.
    pub fn integer(&mut self, name: &str, low: u64, high: u64) -> Option<u64> {
        let value = self.take(name)?;
        let number = value.as_u64().filter(|number| (low..=high).contains(number));
        if number.is_none() {
            self.refuse(name, format!("'{name}' must be an integer from {low} to {high}"));
        }
        number
    }

    pub fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        let value = self.take(name)?;
        if value.as_object().is_none() {
            self.refuse(name, format!("Expected value of type Object for field '{name}'"));
        }
        value.as_object()
    }

    pub fn array(&mut self, name: &str) -> Option<&'a Vec<Value>> {
        let value = self.take(name)?;
        if value.as_array().is_none() {
            self.refuse(name, format!("Expected value of type Array for field '{name}'"));
        }
        value.as_array()
    }

    /// A path or an intrinsic function, evaluated when the state runs.
    pub fn expression(&mut self, name: &str) -> Option<Expression> {
        let text = self.text(name)?;
        match Expression::parse(text) {
            Ok(expression) => Some(expression),
            Err(reason) => {
                self.refuse(name, format!("Value is not a valid JSONPath: {reason}"));
                None
            }
        }
    }

    /// A path alone, into the state's input (`$`) or the context object (`$$`).
    pub fn path(&mut self, name: &str) -> Option<Expression> {
        let expression = self.expression(name)?;
        if expression.is_path() {
            return Some(expression);
        }
        self.refuse(
            name,
            "Value is not a Reference Path: An intrinsic function is not allowed",
        );
        None
    }

    pub fn required_path(&mut self, name: &str) -> Option<Expression> {
        self.require(name);
        self.path(name)
    }

    /// Ends the reading: what nobody took is not supported here.
    pub fn finish(self) {
        for (name, _) in self.rest {
            self.problems.push(Problem::schema(
                format!("Field '{name}' is not supported"),
                format!("{}/{name}", self.location),
            ));
        }
    }
}
