//! What a state computes from its input: paths, intrinsic functions, and the payload templates
//! (`Parameters`, `ResultSelector`) whose `name.$` fields hold them.

use serde_json::{Map, Value};

use super::fields::Problem;
use super::intrinsic::Call;
use super::task::Fault;
use crate::jsonpath::Path;

/// The documents an expression may look at.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// `$`
    pub input: &'a Value,
    /// `$$`
    pub context: &'a Value,
}

#[derive(Debug, Clone)]
pub enum Expression {
    Input(Path),
    Context(Path),
    Intrinsic(Call),
}

impl Expression {
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix('$').filter(|path| path.starts_with('$')) {
            if path.starts_with("$.Task") {
                return Err("task tokens are not supported".to_owned());
            }
            return Path::parse(path).map(Self::Context);
        }
        if text.starts_with('$') {
            return Path::parse(text).map(Self::Input);
        }
        Call::parse(text).map(Self::Intrinsic)
    }

    pub fn is_path(&self) -> bool {
        !matches!(self, Self::Intrinsic(_))
    }

    /// The value, or `None` where a path names nothing.
    pub fn find(&self, scope: Scope<'_>) -> Result<Option<Value>, Fault> {
        match self {
            Self::Input(path) => Ok(path.find(scope.input).map(|value| value.into_owned())),
            Self::Context(path) => Ok(path.find(scope.context).map(|value| value.into_owned())),
            Self::Intrinsic(call) => call.evaluate(scope).map(Some),
        }
    }

    /// The value; a path that names nothing is a `States.Runtime` failure that quotes `field`.
    pub fn evaluate(&self, scope: Scope<'_>, field: &str) -> Result<Value, Fault> {
        self.find(scope)?.ok_or_else(|| {
            let input = if matches!(self, Self::Context(_)) { scope.context } else { scope.input };
            Fault::runtime(format!(
                "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{input}'",
                self.text()
            ))
        })
    }

    pub fn text(&self) -> String {
        match self {
            Self::Input(path) => path.text().to_owned(),
            Self::Context(path) => format!("${}", path.text()),
            Self::Intrinsic(call) => call.text().to_owned(),
        }
    }
}

/// A payload template: JSON in which a field `name.$` holds an expression.
#[derive(Debug, Clone)]
pub enum Template {
    Literal(Value),
    Computed { field: String, expression: Expression },
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

impl Template {
    pub fn parse(value: &Value, location: &str, problems: &mut Vec<Problem>) -> Self {
        match value {
            Value::Object(fields) => Self::Object(
                fields
                    .iter()
                    .filter_map(|(name, value)| Self::parse_field(name, value, location, problems))
                    .collect(),
            ),
            Value::Array(items) => Self::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| Self::parse(item, &format!("{location}[{at}]"), problems))
                    .collect(),
            ),
            literal => Self::Literal(literal.clone()),
        }
    }

    fn parse_field(
        name: &str,
        value: &Value,
        location: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(String, Self)> {
        let location = format!("{location}/{name}");
        let Some(key) = name.strip_suffix(".$") else {
            return Some((name.to_owned(), Self::parse(value, &location, problems)));
        };
        let parsed = match value.as_str() {
            Some(text) => Expression::parse(text),
            None => Err("it must be a string".to_owned()),
        };
        match parsed {
            Ok(expression) => Some((
                key.to_owned(),
                Self::Computed {
                    field: name.to_owned(),
                    expression,
                },
            )),
            Err(reason) => {
                problems.push(Problem::schema(
                    format!("The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call: {reason}"),
                    location,
                ));
                None
            }
        }
    }

    pub fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Fault> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Computed { field, expression } => expression.evaluate(scope, field),
            Self::Array(items) => items
                .iter()
                .map(|item| item.evaluate(scope))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Self::Object(fields) => {
                let mut object = Map::with_capacity(fields.len());
                for (name, template) in fields {
                    object.insert(name.clone(), template.evaluate(scope)?);
                }
                Ok(Value::Object(object))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn evaluate(template: Value, input: &Value) -> Result<Value, Fault> {
        let mut problems = Vec::new();
        let template = Template::parse(&template, "", &mut problems);
        assert_eq!(problems, []);
        template.evaluate(Scope {
            input,
            context: &json!({"Execution": {"Name": "run-1"}}),
        })
    }

    #[test]
    fn fields_that_end_in_a_dollar_are_computed_and_the_rest_is_copied() {
        let input = json!({"key": "a \"b\"", "n": 3});
        let template = json!({"a": 1, "deep": [{"k.$": "$.key"}, "$.key"], "run.$": "$$.Execution.Name"});
        assert_eq!(
            evaluate(template, &input).unwrap(),
            json!({"a": 1, "deep": [{"k": "a \"b\""}, "$.key"], "run": "run-1"})
        );
    }

    #[test]
    fn a_path_to_nothing_names_the_field_and_the_input() {
        let fault = evaluate(json!({"x.$": "$.gone"}), &json!({"a": 1})).unwrap_err();
        assert_eq!(fault.error.as_deref(), Some("States.Runtime"));
        assert_eq!(
            fault.cause.as_deref(),
            Some(
                r#"The JSONPath '$.gone' specified for the field 'x.$' could not be found in the input '{"a":1}'"#
            )
        );
    }

    #[test]
    fn a_computed_field_that_is_no_expression_is_a_problem() {
        let mut problems = Vec::new();
        Template::parse(
            &json!({"a": {"x.$": 5, "y.$": "nope"}}),
            "/Parameters",
            &mut problems,
        );
        let locations: Vec<_> = problems.iter().map(|problem| problem.location.as_str()).collect();
        assert_eq!(locations, ["/Parameters/a/x.$", "/Parameters/a/y.$"]);
    }
}
