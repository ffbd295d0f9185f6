//! What a service gets and gives, whatever the wire protocol.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::error::AwsError;
use crate::principal::Principal;

/// The services, by the name that a request's signature is scoped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    S3,
    Iam,
    Sts,
    Logs,
    Monitoring,
    Lambda,
    States,
    Sns,
    Events,
    ApiGateway,
}

impl Service {
    /// The service of a SigV4 credential scope.
    pub fn from_signing_name(name: &str) -> Option<Self> {
        Some(match name {
            "s3" => Self::S3,
            "iam" => Self::Iam,
            "sts" => Self::Sts,
            "logs" => Self::Logs,
            "monitoring" => Self::Monitoring,
            "lambda" => Self::Lambda,
            "states" => Self::States,
            "sns" => Self::Sns,
            "events" => Self::Events,
            "apigateway" => Self::ApiGateway,
            _ => return None,
        })
    }

    pub fn signing_name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Logs => "logs",
            Self::Monitoring => "monitoring",
            Self::Lambda => "lambda",
            Self::States => "states",
            Self::Sns => "sns",
            Self::Events => "events",
            Self::ApiGateway => "apigateway",
        }
    }

    /// The code with which the service refuses a member of an input.
    pub fn invalid_input(self) -> &'static str {
        match self {
            Self::S3 => "NotImplemented",
            Self::Iam | Self::Sts => "ValidationError",
            Self::Logs => "InvalidParameterException",
            Self::Monitoring => "InvalidParameterValue",
            Self::Sns => "InvalidParameter",
            Self::Lambda => "InvalidParameterValueException",
            Self::States | Self::Events => "ValidationException",
            Self::ApiGateway => "BadRequestException",
        }
    }
}

/// One authenticated request to a service.
pub struct Call {
    pub service: Service,
    pub principal: Principal,
    /// The operation's name; for REST protocols, where method and path say it, `METHOD /path`.
    pub operation: String,
    /// The input document. `Null` if the request has no body or, for REST protocols, none that is JSON.
    pub input: Value,
    pub method: Method,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The query's names and values, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub request_id: String,
}

impl Call {
    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter.
    pub fn query_all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.query.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// What a service answers to an operation it does not have.
    pub fn not_implemented(&self) -> AwsError {
        AwsError::not_implemented(self.service.signing_name(), &self.operation)
    }
}

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub output: Output,
}

#[derive(Debug)]
pub enum Output {
    /// A document, rendered as the protocol does: JSON, XML or CBOR.
    Document(Value),
    /// Bytes as they are.
    Bytes(Bytes),
}

impl Reply {
    /// 200 with a document.
    pub fn ok(document: Value) -> Self {
        Self::with_status(StatusCode::OK, document)
    }

    pub fn with_status(status: StatusCode, document: Value) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            output: Output::Document(document),
        }
    }

    /// No body at all.
    pub fn empty(status: StatusCode) -> Self {
        Self::bytes(status, Bytes::new())
    }

    pub fn bytes(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            output: Output::Bytes(body.into()),
        }
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}
