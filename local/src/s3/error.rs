//! Errors, between ours and the `s3s` crate's.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::error::AwsError;

impl From<AwsError> for S3Error {
    fn from(error: AwsError) -> Self {
        let code = S3ErrorCode::from_bytes(error.code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut converted = Self::with_message(code, error.message);
        if let Ok(status) = StatusCode::from_u16(error.status) {
            converted.set_status_code(status);
        }
        converted
    }
}

pub fn no_such_bucket() -> AwsError {
    AwsError::not_found("NoSuchBucket", "The specified bucket does not exist")
}

pub fn no_such_key() -> AwsError {
    AwsError::not_found("NoSuchKey", "The specified key does not exist.")
}

pub fn malformed_xml() -> AwsError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    AwsError::bad_request("MalformedXML", message)
}

pub fn precondition_failed() -> AwsError {
    AwsError::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

/// Part of an input that `operation` does not honour.
pub fn not_honoured(operation: &str, what: &str) -> AwsError {
    let message = format!("{operation}: the local cloud does not support {what}");
    AwsError::new(501, "NotImplemented", message)
}

pub fn not_implemented(what: &str) -> AwsError {
    AwsError::not_implemented("s3", what)
}
