//! Whose a resource is: the tag that says so.

use std::collections::{BTreeMap, HashMap};

use crate::engine::{FieldChange, Fields, Owner};
use crate::names::STACK_TAG;

/// What says, on a resource, whose it is.
#[derive(Debug, Clone)]
pub struct Mark {
    pub stack: String,
    /// The run that makes it, where it takes back what it made when it fails: where an answer was lost, it knows it by this.
    pub run: Option<String>,
}

impl Mark {
    /// Keys and values.
    pub fn tags(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let run = self.run.as_deref().map(|run| (RUN_TAG, run));
        [(STACK_TAG, self.stack.as_str())].into_iter().chain(run)
    }

    /// The same, as some services want them.
    pub fn map(&self) -> HashMap<String, String> {
        let tags = self.tags();
        tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

/// A resource's tags as they were read.
#[derive(Debug, Default)]
pub struct Tags(BTreeMap<String, String>);

/// The name of the field that holds the tag.
pub const FIELD: &str = "tag resizer:stack";
/// The name of the field that says which run made it, where that is to be known.
pub const RUN: &str = "tag resizer:run";

const RUN_TAG: &str = "resizer:run";

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

    /// Puts our tags' values into what was found.
    pub fn found(&self, fields: Fields) -> Fields {
        fields
            .with_some(FIELD, self.get(STACK_TAG))
            .with_some(RUN, self.get(RUN_TAG))
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
