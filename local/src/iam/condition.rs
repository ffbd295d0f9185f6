//! The conditions of a policy statement.

use serde_json::Value;

use super::wildcard;

/// The condition keys that requests to the local cloud carry. A policy with another is refused when it is put: it could
/// never be evaluated as AWS does.
const KEYS: &[&str] = &[
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:SourceAccount",
    "aws:SourceArn",
    "iam:PassedToService",
    "iam:PolicyARN",
    "s3:delimiter",
    "s3:prefix",
];

/// One condition: it holds if the request's value of `key` is, or is not, one of `values`.
#[derive(Debug)]
pub struct Condition {
    test: Test,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    OneOf(Comparison),
    NoneOf(Comparison),
    /// The key is absent (`true`) or present (`false`).
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    EqualIgnoringCase,
    Like,
    ArnLike,
}

impl Condition {
    /// Reads a statement's `Condition`; the error says what is not understood.
    pub fn read_all(block: &Value) -> Result<Vec<Self>, String> {
        let operators = block.as_object().ok_or("Condition is not an object")?;
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let (name, if_exists) = match operator.strip_suffix("IfExists") {
                Some(name) => (name, true),
                None => (operator.as_str(), false),
            };
            let test = Test::named(name).ok_or_else(|| {
                format!("the local cloud does not evaluate the condition operator {operator}")
            })?;
            for (key, values) in keys.as_object().ok_or("a condition operator holds no keys")? {
                let key = KEYS
                    .iter()
                    .find(|known| known.eq_ignore_ascii_case(key))
                    .ok_or_else(|| format!("the local cloud does not evaluate the condition key {key}"))?;
                let values = strings(values).ok_or_else(|| format!("the values of {key} are not strings"))?;
                if values.iter().any(|value| value.contains("${")) {
                    return Err("the local cloud does not evaluate policy variables".to_owned());
                }
                conditions.push(Self {
                    test,
                    if_exists,
                    key: (*key).to_owned(),
                    values,
                });
            }
        }
        Ok(conditions)
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it holds in a request with these keys.
    pub fn holds(&self, context: &[(&str, &str)]) -> bool {
        let found = context
            .iter()
            .find(|(key, _)| *key == self.key)
            .map(|(_, value)| *value);
        let one_of = |comparison: Comparison, actual| {
            self.values.iter().any(|wanted| comparison.holds(wanted, actual))
        };
        match (self.test, found) {
            (Test::Null, found) => self.values.iter().any(|value| value == "true") == found.is_none(),
            (_, None) if self.if_exists => true,
            (Test::OneOf(comparison), Some(actual)) => one_of(comparison, actual),
            (Test::OneOf(_), None) => false,
            (Test::NoneOf(comparison), Some(actual)) => !one_of(comparison, actual),
            (Test::NoneOf(_), None) => true,
        }
    }
}

impl Test {
    fn named(operator: &str) -> Option<Self> {
        Some(match operator {
            "StringEquals" => Self::OneOf(Comparison::Equal),
            "StringNotEquals" => Self::NoneOf(Comparison::Equal),
            "StringEqualsIgnoreCase" => Self::OneOf(Comparison::EqualIgnoringCase),
            "StringNotEqualsIgnoreCase" => Self::NoneOf(Comparison::EqualIgnoringCase),
            "StringLike" => Self::OneOf(Comparison::Like),
            "StringNotLike" => Self::NoneOf(Comparison::Like),
            // AWS evaluates ArnEquals as it does ArnLike.
            "ArnEquals" | "ArnLike" => Self::OneOf(Comparison::ArnLike),
            "ArnNotEquals" | "ArnNotLike" => Self::NoneOf(Comparison::ArnLike),
            "Null" => Self::Null,
            _ => return None,
        })
    }
}

impl Comparison {
    fn holds(self, wanted: &str, actual: &str) -> bool {
        match self {
            Self::Equal => wanted == actual,
            Self::EqualIgnoringCase => wanted.eq_ignore_ascii_case(actual),
            Self::Like => wildcard::matches(wanted, actual),
            Self::ArnLike => wildcard::matches_arn(wanted, actual),
        }
    }
}

/// A string, or a list of strings; JSON's `true` and `false` count as theirs.
pub fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Bool(flag) => Some(vec![flag.to_string()]),
        Value::Array(members) => members
            .iter()
            .map(|member| member.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>(),
        _ => None,
    }
}
