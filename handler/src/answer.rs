//! What the function answers.

use serde::Serialize;

use crate::event::Object;

/// The answer to one event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The answer for the one object of the event.
    One(Outcome),
    /// The answers for an S3 notification of several records.
    Several {
        ok: bool,
        /// The first reason, for the state machine's cause.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        results: Vec<Outcome>,
    },
}

impl Answer {
    /// One outcome stands for itself; of several, all must be well for the answer to be.
    pub fn of(mut outcomes: Vec<Outcome>) -> Self {
        match outcomes.pop() {
            Some(only) if outcomes.is_empty() => Self::One(only),
            last => {
                outcomes.extend(last);
                let error = outcomes.iter().find_map(|outcome| match outcome {
                    Outcome::Stored(_) => None,
                    Outcome::Refused(refused) => Some(refused.error.clone()),
                });
                Self::Several {
                    ok: error.is_none(),
                    error,
                    results: outcomes,
                }
            }
        }
    }

    /// What became of each object.
    pub fn outcomes(&self) -> &[Outcome] {
        match self {
            Self::One(outcome) => std::slice::from_ref(outcome),
            Self::Several { results, .. } => results,
        }
    }
}

/// What became of one object.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    Stored(Box<Stored>),
    Refused(Refused),
}

/// The resized picture is in its bucket.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    /// Always true; the state machine's choice looks at it.
    pub ok: bool,
    pub source_bucket: String,
    pub source_key: String,
    pub dest_bucket: String,
    pub dest_key: String,
    pub width: u32,
    pub height: u32,
    pub source_width: u32,
    pub source_height: u32,
    pub source_format: &'static str,
    pub bytes: usize,
    pub source_bytes: usize,
    /// What S3 calls the bytes that were read, without quotes: another upload may have taken the key since the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// All renditions, if there are several; what is beside it is about the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renditions: Vec<StoredRendition>,
    pub millis: Millis,
}

/// A rendition is in its bucket.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRendition {
    pub name: String,
    pub dest_key: String,
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// How long each stage took, in whole milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Millis {
    pub download: u64,
    pub decode: u64,
    pub resize: u64,
    pub encode: u64,
    pub upload: u64,
}

/// The longest reason, in characters: the state machine fails with it as its error, and Step Functions takes no longer
/// one (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html>).
const REASON_MAX: usize = 256;

/// The object can't or won't be resized, and trying again gives the same answer.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// Always false; the state machine's choice looks at it.
    ok: bool,
    /// Of at most [`REASON_MAX`] characters.
    pub error: String,
    /// Its bucket and key, if the event named one.
    #[serde(flatten)]
    pub object: Option<Object>,
}

impl Refused {
    /// The object is refused for that reason.
    pub fn object(object: &Object, reason: &impl ToString) -> Self {
        Self {
            ok: false,
            error: shortened(reason),
            object: Some(object.clone()),
        }
    }

    /// The event names no object.
    pub fn event(reason: &impl ToString) -> Self {
        Self {
            ok: false,
            error: shortened(reason),
            object: None,
        }
    }
}

/// The reason, cut where it is longer than [`REASON_MAX`].
fn shortened(reason: &impl ToString) -> String {
    let reason = reason.to_string();
    if reason.chars().count() <= REASON_MAX {
        return reason;
    }
    reason.chars().take(REASON_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_no_longer_than_step_functions_takes() {
        assert_eq!(
            Refused::event(&"é".repeat(REASON_MAX)).error,
            "é".repeat(REASON_MAX)
        );
        let cut = Refused::event(&"é".repeat(REASON_MAX + 1)).error;
        assert_eq!(cut.chars().count(), REASON_MAX);
        assert!(cut.ends_with("é…"), "{cut}");
    }
}
