//! One attempt at a Task state, and why it failed.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::event::Event;
use super::invocation::Logged;
use super::report::request_in;
use super::timeline::between;

/// One attempt at a Task state: at first, or again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    pub began: Timestamp,
    /// None while it is under way.
    pub ended: Option<Timestamp>,
    /// That of the invocation, where Step Functions tells it.
    pub request_id: Option<String>,
    /// Why it failed, if it did.
    pub trouble: Option<Trouble>,
    /// What the function logged; none where that was not looked for.
    pub logged: Option<Logged>,
}

/// Why something failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    pub error: Option<String>,
    pub cause: Option<String>,
}

impl Try {
    pub fn begun(at: Timestamp) -> Self {
        Self {
            began: at,
            ended: None,
            request_id: None,
            trouble: None,
            logged: None,
        }
    }

    /// From its beginning to its end.
    pub fn took(&self) -> Option<Duration> {
        between(self.began, self.ended?)
    }

    pub fn succeed(&mut self, event: &Event) {
        self.ended = Some(event.at);
        self.request_id = event.details.output.as_deref().and_then(request_of_answer);
    }

    pub fn fail(&mut self, event: &Event) {
        let trouble = Trouble::of(event);
        self.ended = Some(event.at);
        let cause = trouble.cause.as_deref();
        self.request_id = cause.and_then(request_in).map(str::to_owned);
        self.trouble = Some(trouble);
    }

    /// Whether the function may have run: not when Lambda refused to, or Step Functions did not come so far.
    ///
    /// Assumption (AWS docs: "Error names", "Handling Lambda service exceptions"): these refusals are named `Lambda.` and the
    /// exception, and `Lambda.Unknown` alone is the function's.
    pub fn may_have_run(&self) -> bool {
        let trouble = self.trouble.as_ref();
        let error = trouble.and_then(|trouble| trouble.error.as_deref());
        error.is_none_or(|error| {
            let was_refused = error.starts_with("Lambda.") || error.starts_with("States.");
            !was_refused || ["Lambda.Unknown", "States.Timeout"].contains(&error)
        })
    }
}

/// Notes in `tries` what a task's event says of them.
pub fn note(tries: &mut Vec<Try>, event: &Event) {
    if event.kind.starts_with("Execution") {
        return;
    }
    if event.kind.ends_with("Scheduled") {
        tries.push(Try::begun(event.at));
    } else if event.kind.ends_with("Succeeded") {
        if let Some(last) = tries.last_mut() {
            last.succeed(event);
        }
    } else if event.kind.ends_with("Failed") || event.kind.ends_with("TimedOut") {
        // What fails before it is scheduled is a try as well.
        if tries.last().is_none_or(|last| last.ended.is_some()) {
            tries.push(Try::begun(event.at));
        }
        if let Some(last) = tries.last_mut() {
            last.fail(event);
        }
    }
}

/// The request id of the invocation that a task's output tells of.
///
/// Assumption (AWS docs: "Invoke an AWS Lambda function with Step Functions"): `lambda:invoke` puts out the whole answer of
/// Lambda's Invoke call, with its metadata. Of a function that failed there is only its error; where Lambda itself wrote that
/// (a timeout, a crash), it names the request.
pub fn request_of_answer(output: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(output).ok()?;
    let request = answer["SdkResponseMetadata"]["RequestId"].as_str()?;
    Some(request.to_owned())
}

impl Trouble {
    pub fn of(event: &Event) -> Self {
        Self {
            error: event.details.error.clone(),
            cause: event.details.cause.clone(),
        }
    }
}

/// The message of a cause that is a function's error, `{"errorType": …, "errorMessage": …}`; others as they are.
pub fn in_words(cause: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct FunctionError {
        error_message: String,
    }
    match serde_json::from_str::<FunctionError>(cause) {
        Ok(error) => Cow::Owned(error.error_message),
        Err(_) => Cow::Borrowed(cause),
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.error, &self.cause) {
            // The function's reason is both.
            (Some(error), Some(cause)) if error == cause => f.write_str(error),
            (Some(error), Some(cause)) => write!(f, "{error}: {}", in_words(cause)),
            (Some(only), None) | (None, Some(only)) => f.write_str(&in_words(only)),
            (None, None) => f.write_str("no reason given"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(error: &str, cause: &str) -> Try {
        let event = Event {
            id: 4,
            at: Timestamp::UNIX_EPOCH,
            kind: "TaskFailed".to_owned(),
            details: super::super::event::Details {
                error: Some(error.to_owned()),
                cause: Some(cause.to_owned()),
                ..Default::default()
            },
        };
        let mut one = Try::begun(Timestamp::UNIX_EPOCH);
        one.fail(&event);
        one
    }

    #[test]
    fn what_lambda_refused_has_not_run() {
        for (error, ran) in [
            ("Lambda.TooManyRequestsException", false),
            ("States.Runtime", false),
            ("States.Timeout", true),
            ("Lambda.Unknown", true),
            ("Sandbox.Timedout", true),
            ("S3.SlowDown", true),
        ] {
            assert_eq!(failed(error, "").may_have_run(), ran, "{error}");
        }
        assert!(Try::begun(Timestamp::UNIX_EPOCH).may_have_run());
    }

    #[test]
    fn lambda_s_own_error_names_the_request() {
        let id = "3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f";
        let message = format!("RequestId: {id} Error: Task timed out after 3.00 seconds");
        let cause = serde_json::json!({"errorType": "Sandbox.Timedout", "errorMessage": message});
        assert_eq!(
            failed("Sandbox.Timedout", &cause.to_string())
                .request_id
                .as_deref(),
            Some(id)
        );
        let cause = r#"{"errorType":"S3.SlowDown","errorMessage":"slow down"}"#;
        assert_eq!(failed("S3.SlowDown", cause).request_id, None);
    }
}
