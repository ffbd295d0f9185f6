//! Whose a resource is: the tag that says so.

use std::collections::BTreeMap;

use crate::engine::{FieldChange, Fields, Owner};
use crate::names::STACK_TAG;

/// A resource's tags as they were read.
#[derive(Debug, Default)]
pub struct Tags(BTreeMap<String, String>);

/// The name of the field that holds the tag.
pub const FIELD: &str = "tag resizer:stack";

impl Tags {
    /// What has our name but not our tag may be someone's: it is never changed or removed.
    pub fn owner(&self, stack: &str) -> Owner {
        match self.0.get(STACK_TAG) {
            Some(value) if value == stack => Owner::Ours,
            Some(value) => Owner::Foreign(format!("its tag {STACK_TAG} says \"{value}\", not \"{stack}\"")),
            None => Owner::Unmarked(format!("it has no tag {STACK_TAG}={stack}")),
        }
    }

    /// The value of a tag.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether it carries no tag at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that others have put there; AWS's own (`aws:…`) are nobody's.
    pub fn others(&self) -> Vec<String> {
        let keys = self.0.keys();
        keys.filter(|key| !key.starts_with("resizer:") && !key.starts_with("aws:"))
            .map(|key| format!("tag {key}"))
            .collect()
    }

    /// Puts our tag's value into what was found.
    pub fn found(&self, fields: Fields) -> Fields {
        fields.with_some(FIELD, self.0.get(STACK_TAG).cloned())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(tags: T) -> Self {
        Self(
            tags.into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

/// The fields of a resource that carries our tag.
pub fn tagged(stack: &str) -> Fields {
    Fields::default().with(FIELD, stack)
}

/// Whether any of `fields` is among the changes.
pub fn touches(changes: &[FieldChange], fields: &[&str]) -> bool {
    changes
        .iter()
        .any(|change| fields.contains(&change.field.as_str()))
}
