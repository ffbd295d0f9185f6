//! A call that AWS refused or that never got there: what was tried, on what, and what it means.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use aws_sdk_sts::error::SdkError;

use crate::error::CommandError;

/// An AWS call that failed.
#[derive(Debug)]
pub struct CallFailure {
    /// As IAM writes it: `lambda:CreateFunction`.
    pub operation: &'static str,
    /// The name or ARN of what it was about.
    pub resource: String,
    pub cause: Cause,
}

/// Why a call failed.
#[derive(Debug)]
pub enum Cause {
    /// The service answered with an error.
    Refused {
        status: u16,
        code: String,
        message: String,
    },
    /// No credentials were found, or those found could not be used.
    Credentials(String),
    /// No answer: the connection, the name look-up, or a time limit.
    Unreachable(String),
    /// The request could not be made, or the answer not be understood.
    Other(String),
}

/// Names the call behind a result.
pub trait During<T> {
    /// Turns an SDK error into a [`CallFailure`] of `operation` (as IAM writes it) on `resource`.
    fn during(self, operation: &'static str, resource: impl Into<String>) -> Result<T, CallFailure>;
}

impl<T, E> During<T> for Result<T, SdkError<E>>
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn during(self, operation: &'static str, resource: impl Into<String>) -> Result<T, CallFailure> {
        let resource = resource.into();
        let answer = self.map_err(Cause::of);
        tracing::debug!(operation, resource, refused = ?answer.as_ref().err(), "called");
        answer.map_err(|cause| CallFailure {
            operation,
            resource,
            cause,
        })
    }
}

impl Cause {
    fn of<E>(error: SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                let error = context.into_err();
                let code = error.code().unwrap_or_default();
                Self::Refused {
                    status,
                    // A HEAD request has no body to carry a code: the status is all there is.
                    code: if code.is_empty() {
                        status_code(status)
                    } else {
                        code.to_owned()
                    },
                    message: error.message().unwrap_or_default().to_owned(),
                }
            }
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ConstructionFailure(_)
                if credentials_error(&error).is_some() =>
            {
                Self::Credentials(credentials_error(&error).unwrap_or_default())
            }
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Self::Unreachable(innermost(&error)),
            other => Self::Other(innermost(&other)),
        }
    }
}

/// 501 is no trouble: what is asked for is not there to be had.
fn is_trouble(status: u16) -> bool {
    status >= 500 && status != 501
}

fn status_code(status: u16) -> String {
    match status {
        403 => "Forbidden".to_owned(),
        404 => "NotFound".to_owned(),
        status => format!("HTTP {status}"),
    }
}

/// What the credentials provider said, when it is the reason.
fn credentials_error(error: &(dyn Error + 'static)) -> Option<String> {
    chain(error)
        .find_map(|cause| cause.downcast_ref::<CredentialsError>())
        // What each provider of the chain has to say comes on further lines; none of them is the reason.
        .map(|cause| {
            innermost(cause)
                .lines()
                .next()
                .unwrap_or_default()
                .replace(". Attempted:", "")
        })
}

/// The end of the chain of sources, which says most.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// Takes "it is not there" for an answer.
pub trait UnlessGone<T> {
    /// The answer; nothing, when the resource is not there.
    fn unless_gone(self) -> Result<Option<T>, CallFailure>;
}

impl<T> UnlessGone<T> for Result<T, CallFailure> {
    fn unless_gone(self) -> Result<Option<T>, CallFailure> {
        match self {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl CallFailure {
    /// The service's error code, if it answered.
    pub fn code(&self) -> Option<&str> {
        match &self.cause {
            Cause::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// What the service said beside the code; empty if it did not answer.
    pub fn detail(&self) -> &str {
        match &self.cause {
            Cause::Refused { message, .. } => message,
            _ => "",
        }
    }

    /// Whether nobody answered.
    pub fn is_unanswered(&self) -> bool {
        matches!(self.cause, Cause::Unreachable(_))
    }

    /// Whether nobody listens at the address at all.
    pub fn is_connection_refused(&self) -> bool {
        matches!(&self.cause, Cause::Unreachable(reason) if reason.contains("Connection refused"))
    }

    /// Whether the same call may go well a little later, with nothing done about it.
    pub fn is_passing(&self) -> bool {
        match &self.cause {
            Cause::Refused { status, .. } => *status >= 500 || self.is_throttled(),
            Cause::Unreachable(_) => true,
            Cause::Credentials(_) | Cause::Other(_) => false,
        }
    }

    /// Whether the service says that too much was asked in too short a time: each has words of its own, often with HTTP 400.
    pub fn is_throttled(&self) -> bool {
        let Cause::Refused { status, code, .. } = &self.cause else {
            return false;
        };
        let says = ["Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown"];
        *status == 429 || says.iter().any(|says| code.contains(says))
    }

    /// Whether the service says that it has trouble of its own.
    pub fn is_trouble(&self) -> bool {
        matches!(self.cause, Cause::Refused { status, .. } if is_trouble(status))
    }

    /// Whether it says that the resource is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "NoSuchBucket"
                    | "NoSuchKey"
                    | "NotFound"
                    | "NoSuchEntity"
                    | "ResourceNotFoundException"
                    | "ResourceNotFound"
                    | "StateMachineDoesNotExist"
                    | "ExecutionDoesNotExist"
                    | "NotFoundException"
            )
        )
    }

    /// The permission that the caller lacks, where that is the reason; it may be another than the one for the call:
    /// `iam:PassRole`.
    pub fn lacking(&self) -> Option<&str> {
        let Cause::Refused { code, message, .. } = &self.cause else {
            return None;
        };
        let denied = [
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "UnauthorizedOperation",
            "Forbidden",
        ];
        let is_callers = denied.contains(&code.as_str()) && !is_of_a_role(message);
        is_callers.then(|| denied_action(message).unwrap_or(self.operation))
    }

    /// What it means and what to type next, where we know.
    pub fn hints(&self) -> Vec<String> {
        if let Some(action) = self.lacking() {
            let lacks = lacks(action, &self.resource);
            // S3 tells only those who may list a bucket that it has no such key.
            let or_missing = (self.operation == "s3:GetObject")
                .then(|| "or there is no such object, and s3:ListBucket on its bucket is lacking".to_owned());
            return [lacks].into_iter().chain(or_missing).collect();
        }
        let hint = match &self.cause {
            Cause::Credentials(_) => {
                "AWS credentials come from the environment, a profile or SSO: run `aws configure` or `aws sso login`, \
                 choose with --profile, or use --local, which needs none"
            }
            Cause::Unreachable(_) if self.is_connection_refused() => {
                "nothing listens there: a local cloud that has ended is started again by the next command with --local"
            }
            Cause::Unreachable(_) => {
                "is the network up, and is the region or the endpoint right? --local needs none of them"
            }
            Cause::Refused {
                code,
                status,
                message,
            } => match code.as_str() {
                _ if is_of_a_role(message) => {
                    "IAM may need longer to spread the role's policies: run it again"
                }
                "BucketAlreadyExists" => {
                    "a bucket's name is taken once and for all by whoever comes first, here by another account: choose \
                     another name for the stack with --stack"
                }
                "PermanentRedirect" => {
                    "the bucket is in another region than the stack: they have to be in the same"
                }
                "ExpiredToken" | "ExpiredTokenException" => {
                    "the session has expired: log in again (`aws sso login`)"
                }
                "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => {
                    "AWS does not know this access key here: check --profile, the AWS_* variables, and that the region is \
                     enabled in the account"
                }
                "SignatureDoesNotMatch" | "InvalidSignatureException"
                    if message.contains("Signature expired") || message.contains("not yet current") =>
                {
                    "this machine's clock is off: set it"
                }
                "SignatureDoesNotMatch" | "InvalidSignatureException"
                    if message.contains("scoped to a valid region") =>
                {
                    "the endpoint is another region's: say its region with --region"
                }
                "SignatureDoesNotMatch" | "InvalidSignatureException" => {
                    "the secret key is wrong for this access key"
                }
                "RequestExpired" | "RequestTimeTooSkewed" => "this machine's clock is off: set it",
                _ if message.contains("No space left on device") || message.contains("disk is full") => {
                    "make room on the disk and run it again; what was acknowledged is kept"
                }
                _ if message.starts_with("the local cloud's ") => {
                    "something has changed its files: `resizer local stop`, move .resizer/local aside, and \
                     `resizer up --local` makes it anew"
                }
                _ if is_trouble(*status) => {
                    "trouble on the other side, which was tried again and stayed: try later"
                }
                _ => return Vec::new(),
            },
            Cause::Other(_) => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// Whether it is the role that lacks something, not the caller.
fn is_of_a_role(message: &str) -> bool {
    message.contains("authorized to assume the provided role")
        || message.contains("authorized to access the Log Destination")
}

/// The action that was denied, which may be another than the one that was called: `iam:PassRole`.
fn denied_action(message: &str) -> Option<&str> {
    let (_, action) = message.split_once("not authorized to perform: ")?;
    action.split_whitespace().next()
}

/// What to say to whom a permission is denied.
pub fn lacks(action: &str, resource: &str) -> String {
    format!(
        "the credentials in use lack the permission {action} on {resource}; `resizer permissions` prints all that are needed"
    )
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.operation, self.resource)?;
        match &self.cause {
            Cause::Refused { code, message, .. } if message.is_empty() => write!(f, " was refused: {code}"),
            Cause::Refused { code, message, .. } => write!(f, " was refused: {code}: {message}"),
            Cause::Credentials(reason) => write!(f, " was not tried: no usable credentials: {reason}"),
            Cause::Unreachable(reason) => write!(f, " got no answer: {reason}"),
            Cause::Other(reason) => write!(f, " failed: {reason}"),
        }
    }
}

impl Error for CallFailure {}

impl From<CallFailure> for CommandError {
    fn from(failure: CallFailure) -> Self {
        let mut error = failure
            .hints()
            .into_iter()
            .fold(Self::failed(&failure), Self::hint);
        error.is_passing = failure.is_passing();
        error
    }
}
