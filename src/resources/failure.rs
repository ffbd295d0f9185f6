//! From a call that failed to a step that failed.

use aws_smithy_types::error::operation::BuildError;

use super::documents::DocumentError;
use crate::aws::CallFailure;
use crate::engine::Failure;

impl From<CallFailure> for Failure {
    fn from(failure: CallFailure) -> Self {
        Self {
            message: failure.to_string(),
            operation: failure.operation,
            code: failure.code().map(Into::into),
            detail: failure.detail().into(),
            lacks: failure.lacking().map(Into::into),
            hints: failure.hints(),
            is_passing: failure.is_passing(),
            is_trouble: failure.is_trouble(),
            is_throttled: failure.is_throttled(),
            is_stop: false,
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::new(format!("a request could not be made: {error}"))
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::new(format!("a document of the stack is not right: {error}"))
    }
}
