//! What goes wrong at single calls.

use http::Response;
use s3s::Body;
use serde::Deserialize;

use crate::call::Service;
use crate::error::AwsError;

/// Something that goes wrong at calls of one operation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `lambda:CreateFunction`, or `*` for every one.
    pub operation: String,
    /// At which call of the operation it begins, from 1; `*` counts all calls.
    #[serde(default = "one")]
    pub call: u64,
    /// At how many calls in a row.
    #[serde(default = "one")]
    pub times: u64,
    /// Whether the call has taken effect all the same.
    #[serde(default)]
    pub after: bool,
    pub does: Mishap,
}

fn one() -> u64 {
    1
}

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mishap {
    /// An error is the answer.
    Refuse {
        status: u16,
        code: String,
        message: String,
    },
    /// The connection is cut instead of an answer.
    Cut,
    /// No answer comes, and the connection stays.
    Stall,
}

impl Fault {
    pub(super) fn check(&self) -> Result<(), String> {
        let operation = &self.operation;
        let service = operation.split_once(':').map(|(service, _)| service);
        let is_known = service.is_some_and(|service| Service::from_signing_name(service).is_some());
        if operation != "*" && !is_known {
            return Err(format!(
                "the fault's operation \"{operation}\" is neither * nor called like lambda:CreateFunction, \
                 or monitoring:GetMetricData of CloudWatch"
            ));
        }
        if self.call == 0 {
            return Err(format!(
                "the fault at {operation} begins at call 0: the first is 1"
            ));
        }
        match self.does {
            Mishap::Refuse { status, .. } if !(400..600).contains(&status) => Err(format!(
                "the fault at {operation} has the status {status}, which is no error's"
            )),
            _ => Ok(()),
        }
    }

    /// Whether it befalls the `call`-th call of `operation`, the `all`-th of all.
    pub(super) fn befalls(&self, operation: &str, call: u64, all: u64) -> bool {
        let (is_meant, number) = match self.operation.as_str() {
            "*" => (true, all),
            named => (named == operation, call),
        };
        is_meant && (self.call..self.call.saturating_add(self.times)).contains(&number)
    }
}

/// What befalls one call.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    /// Whether the call is to take effect first.
    pub after: bool,
    /// What to answer with: an error, or nothing.
    pub answer: Result<AwsError, Unanswered>,
}

/// An answer that is never sent: an extension of the response that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    Cut,
    Stalled,
}

impl Unanswered {
    /// The response that stands for it.
    pub fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

impl Happening {
    pub(super) fn refused(error: AwsError) -> Self {
        Self {
            after: false,
            answer: Ok(error),
        }
    }

    pub(super) fn of(fault: &Fault) -> Self {
        let answer = match &fault.does {
            Mishap::Refuse {
                status,
                code,
                message,
            } => Ok(AwsError::new(*status, code, message)),
            Mishap::Cut => Err(Unanswered::Cut),
            Mishap::Stall => Err(Unanswered::Stalled),
        };
        Self {
            after: fault.after,
            answer,
        }
    }
}
