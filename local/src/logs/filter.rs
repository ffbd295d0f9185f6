//! Filter patterns: terms, quoted terms, and one comparison of a JSON field. What else AWS knows is refused.

use serde_json::Value;

use super::invalid;
use crate::error::AwsError;

/// What a message must be like.
#[derive(Debug, PartialEq)]
pub enum Filter {
    /// All of these are in it.
    Terms(Vec<String>),
    /// It is JSON whose field at `path` equals (or, negated, has a value that does not equal) `value`.
    Field {
        path: Vec<String>,
        equals: bool,
        value: Value,
    },
}

impl Filter {
    pub fn read(pattern: &str) -> Result<Self, AwsError> {
        let pattern = pattern.trim();
        match pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(selector) => Self::field(selector.trim()),
            None => Self::terms(pattern),
        }
        .ok_or_else(|| {
            invalid(&format!(
                "Invalid filter pattern: {pattern}. The local cloud has terms, \"quoted terms\" and one comparison \
                 {{ $.field = \"value\" }}."
            ))
        })
    }

    fn terms(mut rest: &str) -> Option<Self> {
        let mut terms = Vec::new();
        while !rest.is_empty() {
            let (term, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
            };
            let plain = term.chars().all(|c| c.is_alphanumeric() || c == '_');
            if !plain && !rest.starts_with('"') {
                return None;
            }
            terms.push(term.to_owned());
            rest = after.trim_start();
        }
        Some(Self::Terms(terms))
    }

    fn field(selector: &str) -> Option<Self> {
        let (path, operator_and_value) = selector.split_once('=')?;
        let (path, equals) = match path.strip_suffix('!') {
            Some(path) => (path, false),
            None => (path, true),
        };
        let path: Vec<String> = path
            .trim()
            .strip_prefix("$.")?
            .split('.')
            .map(str::to_owned)
            .collect();
        if path
            .iter()
            .any(|part| part.is_empty() || !part.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)))
        {
            return None;
        }
        let value = operator_and_value.trim();
        let value = match value.strip_prefix('"') {
            Some(quoted) => Value::String(
                quoted
                    .strip_suffix('"')
                    .filter(|text| !text.contains(['"', '*']))?
                    .to_owned(),
            ),
            None => serde_json::from_str::<serde_json::Number>(value).ok()?.into(),
        };
        Some(Self::Field { path, equals, value })
    }

    pub fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.iter().all(|term| message.contains(term)),
            Self::Field { path, equals, value } => {
                // Most lines of a large group need not be read as JSON.
                if *equals && !may_have(message, value) {
                    return false;
                }
                let Ok(document) = serde_json::from_str::<Value>(message) else {
                    return false;
                };
                let found = path.iter().try_fold(&document, |place, name| place.get(name));
                found.is_some_and(|found| same(found, value) == *equals)
            }
        }
    }
}

/// Whether a JSON text may have `value` in it: a text of letters and digits stands there as it is, unless it is escaped.
fn may_have(message: &str, value: &Value) -> bool {
    let plain = value
        .as_str()
        .filter(|text| text.chars().all(|c| c.is_ascii_alphanumeric()));
    plain.is_none_or(|text| message.contains(text) || message.contains("\\u"))
}

/// Numbers are the same by value, `1` and `1.0` too.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => found == wanted,
        _ => found == wanted,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn terms_must_all_be_there_and_fields_must_compare() {
        for (pattern, message, expected) in [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR timeout", "an ERROR here", false),
            ("\"not found\" ERROR", "ERROR: not found", true),
            ("{ $.type = \"TaskFailed\" }", r#"{"type":"TaskFailed"}"#, true),
            ("{ $.type != \"TaskFailed\" }", r#"{"type":"TaskFailed"}"#, false),
            ("{ $.details.id = 7 }", r#"{"details":{"id":7.0}}"#, true),
            ("{ $.type = \"TaskFailed\" }", "no JSON", false),
            (
                "{ $.type = \"TaskFailed\" }",
                r#"{"type":"TaskSucceeded"}"#,
                false,
            ),
            (
                "{ $.type = \"TaskFailed\" }",
                r#"{"type":"Task\u0046ailed"}"#,
                true,
            ),
        ] {
            assert_eq!(
                Filter::read(pattern).unwrap().matches(message),
                expected,
                "{pattern} on {message}"
            );
        }
    }

    #[test]
    fn other_patterns_are_refused() {
        for pattern in [
            "[ip, user]",
            "?a ?b",
            "-a",
            "%a%",
            "{ $.a = 1 && $.b = 2 }",
            "{ $.a = \"x*\" }",
            "\"open",
        ] {
            assert_eq!(
                Filter::read(pattern).unwrap_err().code,
                "InvalidParameterException",
                "{pattern}"
            );
        }
    }
}
