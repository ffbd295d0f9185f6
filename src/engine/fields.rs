//! What is compared: named values, as JSON.

use serde::Serialize;
use serde_json::{Map, Value};

/// The fields of a resource, in the order in which they are shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The fields with one more.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(field.into(), value.into());
        self
    }

    /// The fields with one more, if there is a value.
    #[must_use]
    pub fn with_some(self, field: impl Into<String>, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// The text of a field, if it has one.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    /// What must change for `found` to be as `self` says. Fields that only `found` has are nobody's business.
    pub fn differences(&self, found: &Self) -> Vec<FieldChange> {
        self.0
            .iter()
            .filter(|(field, after)| found.get(field) != Some(after))
            .map(|(field, after)| FieldChange {
                field: field.clone(),
                before: found.get(field).cloned(),
                after: after.clone(),
            })
            .collect()
    }
}

/// One field that is not as it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    pub field: String,
    /// Absent when the field, or the whole resource, is not there yet.
    pub before: Option<Value>,
    pub after: Value,
}

/// A document as a value, so that white space and the order of keys make no difference.
///
/// What is no JSON stays text: it differs from every document, and is shown as it is.
pub fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_compared_by_meaning() {
        let wanted = Fields::default().with("policy", json!({"Version": "1", "Statement": [1, 2]}));
        let found =
            Fields::default().with("policy", document("{ \"Statement\":[1,2],\n \"Version\":\"1\" }"));
        assert_eq!(wanted.differences(&found), []);
    }

    #[test]
    fn only_wanted_fields_are_compared() {
        let wanted = Fields::default().with("memory", 512).with("timeout", 60);
        let found = Fields::default()
            .with("memory", 128)
            .with("timeout", 60)
            .with("theirs", true);
        let expected = FieldChange {
            field: "memory".to_owned(),
            before: Some(json!(128)),
            after: json!(512),
        };
        assert_eq!(wanted.differences(&found), [expected]);
    }
}
