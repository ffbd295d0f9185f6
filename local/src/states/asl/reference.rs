//! `ResultPath`: where a state's result goes in its input.

use serde_json::{Map, Value};

use super::task::Fault;

/// A path that names one place to write to, such as `$.result.image`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencePath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
}

impl ReferencePath {
    /// Parses `$`, `$.a.b`, `$['a b']` and `$.list[0]`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = if let Some(named) = rest.strip_prefix('.') {
                let end = named.find(['.', '[']).unwrap_or(named.len());
                (Step::Field(named[..end].to_owned()), &named[end..])
            } else {
                let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
                let quoted = inner
                    .strip_prefix('\'')
                    .and_then(|inner| inner.strip_suffix('\''));
                match quoted {
                    Some(name) => (Step::Field(name.to_owned()), after),
                    None => (Step::Index(inner.parse().ok()?), after),
                }
            };
            if matches!(&step, Step::Field(name) if name.is_empty() || name == "*" || name.starts_with('$')) {
                return None;
            }
            steps.push(step);
            rest = after;
        }
        Some(Self {
            text: text.to_owned(),
            steps,
        })
    }

    /// Puts `result` at this place of `input`; objects on the way are made as needed.
    pub fn place(&self, mut input: Value, result: Value) -> Result<Value, Fault> {
        let mut place = &mut input;
        for step in &self.steps {
            let next = match step {
                Step::Field(name) => {
                    if place.is_null() {
                        *place = Value::Object(Map::new());
                    }
                    place
                        .as_object_mut()
                        .map(|object| object.entry(name.clone()).or_insert(Value::Null))
                }
                Step::Index(at) => place.get_mut(at),
            };
            place = next.ok_or_else(|| {
                Fault::new(
                    "States.ResultPathMatchFailure",
                    format!("Unable to apply ReferencePath {} to input", self.text),
                )
            })?;
        }
        *place = result;
        Ok(input)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn place(path: &str, input: Value) -> Result<Value, Fault> {
        ReferencePath::parse(path).unwrap().place(input, json!("R"))
    }

    #[test]
    fn the_result_lands_where_the_path_says() {
        assert_eq!(place("$", json!({"a": 1})).unwrap(), json!("R"));
        assert_eq!(place("$.b", json!({"a": 1})).unwrap(), json!({"a": 1, "b": "R"}));
        assert_eq!(
            place("$.a.b['c d']", json!({})).unwrap(),
            json!({"a": {"b": {"c d": "R"}}})
        );
        assert_eq!(
            place("$.l[1]", json!({"l": [1, 2]})).unwrap(),
            json!({"l": [1, "R"]})
        );
    }

    #[test]
    fn a_place_that_cannot_be_is_a_match_failure() {
        for (path, input) in [
            ("$.a.b", json!({"a": 5})),
            ("$.l[7]", json!({"l": []})),
            ("$.x", json!([1])),
        ] {
            let fault = place(path, input).unwrap_err();
            assert_eq!(
                fault.error.as_deref(),
                Some("States.ResultPathMatchFailure"),
                "{path}"
            );
        }
    }

    #[test]
    fn only_reference_paths_are_taken() {
        for path in ["a", "$.a[*]", "$..a", "$$.a", "$.a[", "$."] {
            assert_eq!(ReferencePath::parse(path), None, "{path}");
        }
    }
}
