//! Invocations: a process is taken or started, gets the event, and answers; the platform logs and counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use super::environment::{Ended, Environment, FailedStart, with_request_id};
use super::function::{self, Function};
use super::output::Stream;
use super::pool::Room;
use super::queue;
use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::principal::Principal;
use crate::{monitoring, random};

const INVOKE: &str = "lambda:InvokeFunction";
/// The most an event may have, in bytes.
const MOST_PAYLOAD: usize = 6 * 1024 * 1024;

/// What came of an invocation.
pub struct Invoked {
    pub request_id: String,
    pub payload: Bytes,
    /// `Unhandled`, where the function failed; the payload is then its error document.
    pub function_error: Option<&'static str>,
    pub log: Vec<String>,
}

impl Invoked {
    /// The error's type, where the function told one.
    pub fn error_type(&self) -> Option<String> {
        let error: Value = serde_json::from_slice(&self.payload).ok()?;
        error["errorType"].as_str().map(str::to_owned)
    }
}

/// The operation Invoke.
pub async fn operation(cloud: &Arc<Cloud>, call: &Call, name: &str) -> Result<Reply, AwsError> {
    let function = function::authorized(cloud, &call.principal, name, INVOKE)?;
    if !call.body.is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(&call.body).is_err() {
        let message = "Could not parse request body into json: Could not parse payload into json";
        return Err(AwsError::bad_request("InvalidRequestContentException", message));
    }
    let payload = if call.body.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        call.body.clone()
    };
    let header = |name: &str| {
        call.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    match header("x-amz-invocation-type") {
        "DryRun" => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        "Event" => {
            queue::take(cloud, &function, call.request_id.clone(), payload).await?;
            Ok(Reply::empty(StatusCode::ACCEPTED))
        }
        "" | "RequestResponse" => {
            let room = cloud.lambda.pool.room().await?;
            let invoked = run(cloud, &function, call.request_id.clone(), payload, room).await?;
            let mut reply = Reply::bytes(StatusCode::OK, invoked.payload);
            reply = reply.header(
                HeaderName::from_static("x-amz-executed-version"),
                HeaderValue::from_static("$LATEST"),
            );
            if let Some(kind) = invoked.function_error {
                reply = reply.header(
                    HeaderName::from_static("x-amz-function-error"),
                    HeaderValue::from_static(kind),
                );
            }
            if header("x-amz-log-type") == "Tail" {
                let log = invoked.log.join("\n");
                // AWS gives the last 4 KB.
                let tail = STANDARD.encode(&log.as_bytes()[log.len().saturating_sub(4096)..]);
                if let Ok(tail) = HeaderValue::try_from(tail) {
                    reply = reply.header(HeaderName::from_static("x-amz-log-result"), tail);
                }
            }
            Ok(reply)
        }
        other => Err(AwsError::bad_request(
            "InvalidParameterValueException",
            format!("Unknown invocation type {other}"),
        )),
    }
}

/// Waits for room to run one more invocation.
pub async fn room(cloud: &Cloud) -> Result<Room, AwsError> {
    cloud.lambda.pool.room().await
}

/// Invokes a function for another service, as `principal`.
pub async fn invoke(
    cloud: &Arc<Cloud>,
    principal: &Principal,
    name: &str,
    payload: Bytes,
    room: Room,
) -> Result<Invoked, AwsError> {
    let function = function::authorized(cloud, principal, name, INVOKE)?;
    run(cloud, &function, random::uuid()?, payload, room).await
}

/// Runs an invocation in the room it was given.
pub(super) async fn run(
    cloud: &Arc<Cloud>,
    function: &Arc<Function>,
    request_id: String,
    payload: Bytes,
    _room: Room,
) -> Result<Invoked, AwsError> {
    if payload.len() > MOST_PAYLOAD {
        let message = format!(
            "{} byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)",
            payload.len()
        );
        return Err(AwsError::new(413, "RequestTooLargeException", message));
    }
    let began = Instant::now();
    let mut environment = match cloud.lambda.pool.take(function) {
        Some(environment) => environment,
        None => match Environment::start(cloud, function).await? {
            Ok(environment) => environment,
            Err(FailedStart { failure, stream }) => {
                let took = began.elapsed();
                let payload = with_request_id(&request_id, failure);
                let lines = Lines::of(cloud, function, &stream, &request_id);
                lines.start();
                lines.end(&Ended::Crashed(payload.clone()), took, 1, None);
                count(cloud, function, took, Failed::Yes);
                return Ok(Invoked {
                    request_id,
                    payload,
                    function_error: Some("Unhandled"),
                    log: stream.tail.take(),
                });
            }
        },
    };
    let began = Instant::now();
    let stream = Arc::clone(&environment.stream);
    let lines = Lines::of(cloud, function, &stream, &request_id);
    lines.start();
    let ended = environment.invoke(&request_id, payload).await;
    let took = began.elapsed();
    lines.end(&ended, took, environment.used_memory_mb(), environment.init);
    // Only the first invocation's REPORT tells of the initialization.
    environment.init = None;
    let (payload, failed, reusable) = match ended {
        Ended::Response(body) => (body, Failed::No, true),
        Ended::Error(body) => (body, Failed::Yes, true),
        Ended::Crashed(body) | Ended::TimedOut(body) => (body, Failed::Yes, false),
    };
    // A function that was changed or deleted meanwhile has had its warm processes ended already.
    if reusable && cloud.lambda.is_current(function) {
        cloud.lambda.pool.keep(environment);
    }
    count(cloud, function, took, failed);
    let function_error = (failed == Failed::Yes).then_some("Unhandled");
    Ok(Invoked {
        request_id,
        payload,
        function_error,
        log: stream.tail.take(),
    })
}

/// The platform's own lines of one invocation.
struct Lines<'a> {
    cloud: &'a Arc<Cloud>,
    function: &'a Function,
    stream: &'a Arc<Stream>,
    request_id: &'a str,
}

impl<'a> Lines<'a> {
    fn of(
        cloud: &'a Arc<Cloud>,
        function: &'a Function,
        stream: &'a Arc<Stream>,
        request_id: &'a str,
    ) -> Self {
        Self {
            cloud,
            function,
            stream,
            request_id,
        }
    }

    fn print(&self, line: String) {
        self.stream.print(self.cloud, line);
    }

    fn start(&self) {
        self.print(format!("START RequestId: {} Version: $LATEST", self.request_id));
    }

    /// How it ended, and what it cost; `used` is the memory, in MB.
    fn end(&self, ended: &Ended, took: Duration, used: u64, init: Option<Duration>) {
        let request_id = self.request_id;
        match ended {
            Ended::TimedOut(_) => {
                let limit = self.function.timeout_seconds();
                self.print(format!(
                    "{:.3} {request_id} Task timed out after {limit}.00 seconds",
                    Timestamp::now()
                ));
            }
            Ended::Crashed(failure) => self.print(String::from_utf8_lossy(failure).into_owned()),
            Ended::Response(_) | Ended::Error(_) => {}
        }
        self.print(format!("END RequestId: {request_id}"));
        let memory = self.function.memory_mb();
        let milliseconds = took.as_secs_f64() * 1000.0;
        let init = init.map_or_else(String::new, |init| {
            format!("\tInit Duration: {:.2} ms", init.as_secs_f64() * 1000.0)
        });
        self.print(format!(
            "REPORT RequestId: {request_id}\tDuration: {milliseconds:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {memory} MB\t\
             Max Memory Used: {used} MB{init}",
            milliseconds.ceil()
        ));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failed {
    No,
    Yes,
}

fn count(cloud: &Cloud, function: &Function, took: Duration, failed: Failed) {
    let dimensions = [("FunctionName", function.name.as_str())];
    let record =
        |metric, value, unit| monitoring::record(cloud, "AWS/Lambda", metric, &dimensions, value, unit);
    record("Invocations", 1.0, "Count");
    record("Errors", if failed == Failed::Yes { 1.0 } else { 0.0 }, "Count");
    record("Throttles", 0.0, "Count");
    record("Duration", took.as_secs_f64() * 1000.0, "Milliseconds");
}
