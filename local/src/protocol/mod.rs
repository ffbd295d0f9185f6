//! How AWS's wire protocols read a call and render a reply or an error.

mod cbor;
mod json;
mod query;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use s3s::Body;
use serde_json::Value;

use crate::call::{Output, Reply, Service};
use crate::error::AwsError;

/// A wire protocol. (S3's restXml is the `s3s` crate's.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    AwsJson10,
    AwsJson11,
    AwsQuery,
    RestJson,
    RpcV2Cbor,
}

impl Protocol {
    /// The protocol in which a request to `service` is made.
    pub fn of(service: Service, head: &Parts) -> Self {
        match service {
            Service::Iam | Service::Sts | Service::Sns | Service::S3 => Self::AwsQuery,
            Service::Monitoring if head.headers.contains_key("smithy-protocol") => Self::RpcV2Cbor,
            Service::Monitoring if head.headers.contains_key("x-amz-target") => Self::AwsJson10,
            Service::Monitoring => Self::AwsQuery,
            Service::Logs | Service::Events => Self::AwsJson11,
            Service::States => Self::AwsJson10,
            Service::Lambda | Service::ApiGateway => Self::RestJson,
        }
    }

    /// The operation's name and its input document.
    pub fn read(self, head: &Parts, body: &[u8]) -> Result<(String, Value), AwsError> {
        match self {
            Self::AwsJson10 | Self::AwsJson11 => json::read(head, body),
            Self::AwsQuery => query::read(head, body),
            Self::RpcV2Cbor => cbor::read(head, body),
            Self::RestJson => Ok((
                format!("{} {}", head.method, head.uri.path()),
                serde_json::from_slice(body).unwrap_or(Value::Null),
            )),
        }
    }

    pub fn render(self, service: Service, operation: &str, reply: Reply, request_id: &str) -> Response<Body> {
        let (body, content_type) = match reply.output {
            Output::Bytes(bytes) => (bytes, None),
            Output::Document(document) => {
                let body = match self {
                    Self::AwsJson10 | Self::AwsJson11 | Self::RestJson => document.to_string().into(),
                    Self::AwsQuery => query::reply(service, operation, &document, request_id).into(),
                    Self::RpcV2Cbor => cbor::encode(&document).into(),
                };
                (body, Some(self.content_type()))
            }
        };
        let mut response = self.response(reply.status, body, content_type, request_id);
        response.headers_mut().extend(reply.headers);
        response
    }

    pub fn render_error(self, service: Service, error: &AwsError, request_id: &str) -> Response<Body> {
        let error = self.spelled(error);
        let body: Bytes = match self {
            Self::AwsJson10 | Self::AwsJson11 => json::error(&error).into(),
            Self::RestJson => json::rest_error(&error).into(),
            Self::AwsQuery => query::error(service, &error, request_id).into(),
            Self::RpcV2Cbor => cbor::encode(&json::error_document(&error)).into(),
        };
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.response(status, body, Some(self.content_type()), request_id);
        let name = match self {
            Self::RestJson | Self::AwsJson10 | Self::AwsJson11 => {
                Some(("x-amzn-errortype", error.code.clone()))
            }
            // CloudWatch's model is awsQueryCompatible: this header carries the code that its query protocol had.
            Self::RpcV2Cbor => {
                let fault = if error.status < 500 { "Sender" } else { "Receiver" };
                Some(("x-amzn-query-error", format!("{};{fault}", error.code)))
            }
            Self::AwsQuery => None,
        };
        if let Some((name, value)) = name
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        response
    }

    /// The JSON services spell the common errors their own way.
    fn spelled(self, error: &AwsError) -> AwsError {
        if matches!(self, Self::AwsQuery | Self::RpcV2Cbor) {
            return error.clone();
        }
        let code = match error.code.as_str() {
            "AccessDenied" => "AccessDeniedException",
            "ExpiredToken" => "ExpiredTokenException",
            "IncompleteSignature" => "IncompleteSignatureException",
            "InvalidClientTokenId" => "UnrecognizedClientException",
            "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
            "SignatureDoesNotMatch" => "InvalidSignatureException",
            _ => return error.clone(),
        };
        let status = if self == Self::RestJson { 403 } else { 400 };
        AwsError::new(status, code, &error.message)
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::AwsJson10 => "application/x-amz-json-1.0",
            Self::AwsJson11 => "application/x-amz-json-1.1",
            Self::RestJson => "application/json",
            Self::AwsQuery => "text/xml",
            Self::RpcV2Cbor => "application/cbor",
        }
    }

    fn response(
        self,
        status: StatusCode,
        body: Bytes,
        content_type: Option<&'static str>,
        request_id: &str,
    ) -> Response<Body> {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if self == Self::RpcV2Cbor {
            headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        }
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert("x-amzn-requestid", id);
        }
        response
    }
}
