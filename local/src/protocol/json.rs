//! awsJson 1.0 and 1.1, and the errors of restJson.

use http::request::Parts;
use serde_json::{Value, json};

use crate::error::AwsError;

/// The operation is in the header `X-Amz-Target: Service_Version.Operation`.
pub fn read(head: &Parts, body: &[u8]) -> Result<(String, Value), AwsError> {
    let operation = head
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok()?.rsplit_once('.'))
        .map(|(_, operation)| operation.to_owned())
        .ok_or_else(|| {
            AwsError::bad_request("UnknownOperationException", "The header X-Amz-Target is missing.")
        })?;
    if body.is_empty() {
        return Ok((operation, json!({})));
    }
    let input: Value = serde_json::from_slice(body)
        .map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))?;
    if !input.is_object() {
        return Err(AwsError::bad_request(
            "SerializationException",
            "The input is not a JSON object.",
        ));
    }
    Ok((operation, input))
}

pub fn error_document(error: &AwsError) -> Value {
    json!({ "__type": error.code, "message": error.message })
}

pub fn error(error: &AwsError) -> String {
    error_document(error).to_string()
}

/// The code is in the header `x-amzn-ErrorType`.
pub fn rest_error(error: &AwsError) -> String {
    json!({ "message": error.message, "code": error.code }).to_string()
}
