//! A task's invocation of its function, and how what Lambda answers fails a task.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::asl::{Answer, Fault, TaskCall};
use super::revisions::Revision;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::lambda::Room;
use crate::{iam, lambda};

/// Invokes a task's function as the state machine's role.
pub async fn invoke(
    cloud: &Arc<Cloud>,
    revision: &Revision,
    execution: &str,
    call: TaskCall,
    room: Room,
) -> Result<Answer, Fault> {
    let service = "states.amazonaws.com";
    let session = iam::assume_for_service(
        cloud,
        &revision.role_arn,
        service,
        &revision.arn(cloud),
        &session_name(execution),
    )
    .map_err(|error| Fault::new("States.TaskFailed", error.message))?;
    let payload = call.payload.to_string().into();
    let invoked = lambda::invoke(cloud, &session.principal, &call.function, payload, room);
    let invoked = match call.timeout_seconds {
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), invoked)
            .await
            .map_err(|_| Fault::timeout())?,
        None => invoked.await,
    };
    let invoked = invoked.map_err(|error| service_fault(&error))?;
    if invoked.function_error.is_some() {
        return Err(function_fault(&invoked));
    }
    let payload = serde_json::from_slice(&invoked.payload).unwrap_or(Value::Null);
    Ok(Answer {
        payload,
        executed_version: "$LATEST".to_owned(),
        request_id: invoked.request_id,
    })
}

/// Role session names have 64 characters at most.
fn session_name(execution: &str) -> String {
    execution
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "=,.@-_+".contains(*c))
        .take(64)
        .collect()
}

/// Assumption (AWS docs: "Error names"; seen in histories): Lambda's refusals are named `Lambda.` and the exception, a denied
/// invocation is `Lambda.AWSLambdaException`.
fn service_fault(error: &AwsError) -> Fault {
    let name = match error.code.as_str() {
        "AccessDenied" | "AccessDeniedException" => "AWSLambdaException",
        "InternalFailure" => "ServiceException",
        code => code,
    };
    let code = if error.code == "AccessDenied" {
        "AccessDeniedException"
    } else {
        &error.code
    };
    let cause = format!(
        "{} (Service: AWSLambda; Status Code: {}; Error Code: {code}; Proxy: null)",
        error.message, error.status
    );
    Fault::new(format!("Lambda.{name}"), cause)
}

/// Assumption (AWS docs: "Handling Lambda service exceptions"): the error is the type the function or Lambda gave
/// (`Sandbox.Timedout`, `Runtime.ExitError`), and `Lambda.Unknown` where there is none.
fn function_fault(invoked: &lambda::Invoked) -> Fault {
    let payload = String::from_utf8_lossy(&invoked.payload).into_owned();
    match invoked.error_type() {
        Some(error) => Fault::new(error, payload),
        None => Fault::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {payload}"
            ),
        ),
    }
}
