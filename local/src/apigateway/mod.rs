//! ApiGateway.

mod vtl;

use std::sync::Arc;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

/// What ApiGateway keeps in memory.
#[derive(Default)]
pub struct ApiGateway {}

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}

/// Answers a request to a deployed API: `/restapis/{id}/{stage}/_user_request_/…`.
pub async fn invoke(
    _cloud: &Arc<Cloud>,
    _head: &http::request::Parts,
    _body: bytes::Bytes,
) -> http::Response<s3s::Body> {
    let mut response = http::Response::new(s3s::Body::from(r#"{"message":"Forbidden"}"#.to_owned()));
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    response
}
