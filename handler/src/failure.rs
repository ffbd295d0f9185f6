//! S3's errors as Lambda errors, under names that the state machine can tell apart.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use lambda_runtime::Diagnostic;

use crate::environment::EnvironmentError;
use crate::resize::Refusal;

/// What keeps an object from being resized.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    #[error("the source object does not exist (NoSuchKey): it was deleted, or never there")]
    Gone,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Trouble that is not about the image: Lambda reports it as the function's error. The crate's documentation lists the
/// kinds, and which of them a retry may mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .kind.error_type())]
pub struct Failure {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SlowDown,
    Unavailable,
    Timeout,
    AccessDenied,
    NoSuchBucket,
    Rejected,
    Configuration,
}

impl Kind {
    /// The error's type, as the state machine's retriers and catchers see it.
    fn error_type(self) -> &'static str {
        match self {
            Self::SlowDown => "S3.SlowDown",
            Self::Unavailable => "S3.Unavailable",
            Self::Timeout => "S3.Timeout",
            Self::AccessDenied => "AccessDenied",
            Self::NoSuchBucket => "NoSuchBucket",
            Self::Rejected => "S3.Rejected",
            Self::Configuration => "Configuration",
        }
    }

    /// From S3's code and HTTP status, after "S3 API: Error responses" of the AWS documentation.
    fn of_response(code: &str, status: u16) -> Self {
        match (code, status) {
            ("AccessDenied", _) => Self::AccessDenied,
            ("NoSuchBucket", _) => Self::NoSuchBucket,
            ("RequestTimeout", _) => Self::Timeout,
            ("SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded", _)
            | (_, 429 | 503) => Self::SlowDown,
            (_, 500..) => Self::Unavailable,
            (_, 403) if code.is_empty() => Self::AccessDenied,
            _ => Self::Rejected,
        }
    }
}

/// What was tried when S3 failed.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The IAM action, as `s3:GetObject`.
    pub action: &'static str,
    pub bucket: &'a str,
    pub key: &'a str,
}

impl Attempt<'_> {
    /// The attempt ended in that SDK error.
    pub fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let answered = match error {
            SdkError::ServiceError(answered) => answered,
            SdkError::ConstructionFailure(_) => return self.failure(Kind::Rejected, &causes(error)),
            _ => return self.broken_off(error),
        };
        let metadata = answered.err().meta();
        let status = answered.raw().status().as_u16();
        let code = metadata.code().unwrap_or_default();
        let kind = Kind::of_response(code, status);
        let advice = match kind {
            Kind::AccessDenied => "; allow the action in the policy of the function's role",
            _ => "",
        };
        let message = metadata.message().unwrap_or("no message");
        self.failure(kind, &format!("HTTP {status} {code}: {message}{advice}"))
    }

    /// The attempt ended without an answer, or in the middle of it.
    pub fn broken_off(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        self.failure(
            Kind::Timeout,
            &format!("no complete answer from S3: {}", causes(error)),
        )
    }

    fn failure(&self, kind: Kind, detail: &str) -> Failure {
        let Self { action, bucket, key } = self;
        Failure {
            kind,
            message: format!("{action} of bucket {bucket}, key {key}: {detail}"),
        }
    }
}

/// An error with all its causes.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let detail: Vec<_> = causes.map(ToString::to_string).collect();
    detail.join(": ")
}

impl Failure {
    /// The failure of one of several results, where the others of these keys were stored.
    pub fn beside(mut self, stored: &[String]) -> Self {
        if !stored.is_empty() {
            self.message = format!("{}; stored were {}", self.message, stored.join(", "));
        }
        self
    }

    /// Nothing came of the work, as nothing was asked for.
    pub fn no_rendition() -> Self {
        Self {
            kind: Kind::Configuration,
            message: "there is no rendition to store".to_owned(),
        }
    }
}

impl From<&EnvironmentError> for Failure {
    fn from(error: &EnvironmentError) -> Self {
        Self {
            kind: Kind::Configuration,
            message: error.to_string(),
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.kind.error_type().to_owned(),
            error_message: failure.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_what_was_stored_beside_it() {
        let attempt = Attempt {
            action: "s3:PutObject",
            bucket: "results",
            key: "large/cat.jpg",
        };
        let failure = attempt.failure(Kind::SlowDown, "HTTP 503 SlowDown: less");
        assert_eq!(failure.clone().beside(&[]), failure);
        let stored = ["small/cat.jpg".to_owned(), "wide/cat.jpg".to_owned()];
        assert_eq!(
            failure.beside(&stored).to_string(),
            "S3.SlowDown: s3:PutObject of bucket results, key large/cat.jpg: HTTP 503 SlowDown: less; stored were \
             small/cat.jpg, wide/cat.jpg"
        );
    }

    #[test]
    fn what_a_retry_may_mend_is_told_from_what_it_may_not() {
        let name = |code, status| Kind::of_response(code, status).error_type();
        assert_eq!(name("SlowDown", 503), "S3.SlowDown");
        assert_eq!(name("ServiceUnavailable", 503), "S3.SlowDown");
        assert_eq!(name("", 429), "S3.SlowDown");
        assert_eq!(name("InternalError", 500), "S3.Unavailable");
        assert_eq!(name("RequestTimeout", 400), "S3.Timeout");
        assert_eq!(name("AccessDenied", 403), "AccessDenied");
        assert_eq!(name("NoSuchBucket", 404), "NoSuchBucket");
        assert_eq!(name("InvalidAccessKeyId", 403), "S3.Rejected");
        assert_eq!(name("InvalidObjectState", 403), "S3.Rejected");
    }
}
