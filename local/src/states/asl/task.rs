//! What a Task state asks for, and how anything in an execution fails.

use serde_json::{Value, json};

/// A failure by ASL's rules: an error name and its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub error: Option<String>,
    pub cause: Option<String>,
}

impl Fault {
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            cause: Some(cause.into()),
        }
    }

    /// The definition and the data do not fit; never retried nor caught.
    pub fn runtime(cause: impl Into<String>) -> Self {
        Self::new("States.Runtime", cause)
    }

    pub fn timeout() -> Self {
        Self {
            error: Some("States.Timeout".to_owned()),
            cause: None,
        }
    }

    /// What the history shows of it.
    pub fn details(&self) -> Value {
        let mut details = json!({});
        for (name, text) in [("error", &self.error), ("cause", &self.cause)] {
            if let Some(text) = text {
                details[name] = json!(text);
            }
        }
        details
    }

    /// Whether the interpreter itself raised it, so that its cause has to name the state.
    pub(super) fn is_raised_here(&self) -> bool {
        let raised = [
            "States.Runtime",
            "States.NoChoiceMatched",
            "States.IntrinsicFailure",
            "States.ResultPathMatchFailure",
        ];
        raised.contains(&self.name())
    }

    pub(super) fn name(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }
}

/// How a Task names the function it invokes; decides the shape of its result and history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `arn:aws:states:::lambda:invoke`, function and payload in `Parameters`.
    OptimizedInvoke,
    /// The function's own ARN: the input is the payload, the payload of the answer the result.
    Function(String),
}

impl Resource {
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "states", "", "", "lambda", "invoke"] => Some(Self::OptimizedInvoke),
            ["arn", _, "lambda", region, account, "function", name, ..]
                if parts.len() <= 8 && ![region, account, name].iter().any(|part| part.is_empty()) =>
            {
                Some(Self::Function(text.to_owned()))
            }
            _ => None,
        }
    }
}

/// One invocation that has to be made now.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCall {
    /// Name or ARN, possibly with a qualifier.
    pub function: String,
    pub payload: Value,
    /// Seconds until `States.Timeout`; `None` where the state sets no limit.
    pub timeout_seconds: Option<u64>,
}

impl TaskCall {
    /// Reads the call out of `lambda:invoke`'s evaluated parameters.
    pub(super) fn from_parameters(parameters: &Value) -> Result<Self, Fault> {
        let function = parameters
            .get("FunctionName")
            .and_then(Value::as_str)
            .ok_or_else(|| Fault::runtime("The field 'FunctionName' is required and must be a string"))?;
        let function = match parameters.get("Qualifier").and_then(Value::as_str) {
            Some(qualifier) => format!("{function}:{qualifier}"),
            None => function.to_owned(),
        };
        let payload = parameters.get("Payload").cloned().unwrap_or_else(|| json!({}));
        Ok(Self {
            function,
            payload,
            timeout_seconds: None,
        })
    }
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub payload: Value,
    pub executed_version: String,
    pub request_id: String,
}

impl Answer {
    /// The result of `lambda:invoke`: the answer of Lambda's Invoke call.
    pub(super) fn into_invoke_result(self) -> Value {
        json!({
            "ExecutedVersion": self.executed_version,
            "Payload": self.payload,
            "SdkHttpMetadata": {"HttpStatusCode": 200},
            "SdkResponseMetadata": {"RequestId": self.request_id},
            "StatusCode": 200,
        })
    }
}
