//! The JSON documents of `asl/`, `policies/`, `api/` and `dashboards/`: what AWS gets once their `${placeholders}` are filled in.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use thiserror::Error;

pub const STATE_MACHINE: &str = include_str!("../../asl/resize.asl.json");
pub const REST_API: &str = include_str!("../../api/rest-api.openapi.json");
pub const DASHBOARD: &str = include_str!("../../dashboards/stack.json");
pub const FUNCTION_POLICY: &str = include_str!("../../policies/function.json");
pub const STATE_MACHINE_POLICY: &str = include_str!("../../policies/state-machine.json");
pub const RULE_POLICY: &str = include_str!("../../policies/rule.json");
pub const API_POLICY: &str = include_str!("../../policies/api.json");

// Assumption (AWS docs: Service Authorization Reference, and each service's page on tagging): what tags a resource is needed
// too where tags come with a new one: s3:TagResource, iam:TagRole, lambda:TagResource, states:TagResource,
// events:TagResource, logs:TagResource, cloudwatch:TagResource, sns:TagResource, and apigateway:PUT on /tags. A log group's ARN is asked for with and without `:*`.
// cloudwatch:DescribeAlarms is asked for all alarms, whichever are named, and sns:Unsubscribe has no resource.
/// What whoever runs the commands may do. IAM's quota leaves no room for names of the statements: the first is what is done to
/// the stack's own; then pictures that are looked for, and uploaded; policies that are attached and roles that are passed; REST
/// APIs; and what is allowed for all or for none.
pub const OPERATOR_POLICY: &str = include_str!("../../policies/operator.json");

// Assumption (AWS docs: Lambda Developer Guide, "Defining Lambda function permissions with an execution role";
// API Gateway Developer Guide, "Control access … cross-service confused deputy"): Lambda and API Gateway supply
// aws:SourceAccount when they assume a role. The API's ARN holds an id that AWS chooses after the role has to stand,
// so its trust is limited to the account alone; so is the function's, whose aws:SourceArn is not documented.
pub const FUNCTION_TRUST: &str = include_str!("../../policies/function-trust.json");
pub const API_TRUST: &str = include_str!("../../policies/api-trust.json");

// Assumption (AWS docs: Step Functions Developer Guide, "Creating an IAM role … cross-service confused deputy";
// EventBridge User Guide, "Cross-service confused deputy prevention"): both supply aws:SourceArn, the state machine's
// and the rule's, and aws:SourceAccount.
pub const STATE_MACHINE_TRUST: &str = include_str!("../../policies/state-machine-trust.json");
pub const RULE_TRUST: &str = include_str!("../../policies/rule-trust.json");

// Assumption (AWS docs: CloudWatch User Guide, "Notifying users on alarm changes … SNS topic policy"): CloudWatch supplies
// aws:SourceAccount when it publishes for an alarm.
pub const ALARM_TOPIC_POLICY: &str = include_str!("../../policies/alarm-topic.json");

/// A document and the values it was to be filled with do not fit.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DocumentError {
    #[error("the document is no JSON: {0}")]
    Json(String),
    #[error("the document has the placeholder ${{{0}}}, for which there is no value")]
    Unknown(String),
    #[error("the document has no placeholder ${{{0}}}")]
    Unused(String),
    #[error("the document has a placeholder without an end: {0}")]
    Unclosed(String),
}

/// Fills the placeholders of `document`. Values go into JSON strings as they are, quotes and all.
///
/// # Errors
/// A placeholder without a value, and a value without a placeholder.
pub fn render(document: &str, values: &[(&str, &str)]) -> Result<Value, DocumentError> {
    let parsed = serde_json::from_str(document).map_err(|error| DocumentError::Json(error.to_string()))?;
    let mut filling = Filling {
        values,
        used: BTreeSet::new(),
    };
    let rendered = filling.value(parsed)?;
    match values.iter().find(|(name, _)| !filling.used.contains(name)) {
        Some((name, _)) => Err(DocumentError::Unused((*name).to_owned())),
        None => Ok(rendered),
    }
}

struct Filling<'a> {
    values: &'a [(&'a str, &'a str)],
    used: BTreeSet<&'a str>,
}

impl Filling<'_> {
    fn value(&mut self, value: Value) -> Result<Value, DocumentError> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(&text)?),
            Value::Array(items) => Value::Array(
                items
                    .into_iter()
                    .map(|item| self.value(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(key, value)| Ok((self.text(&key)?, self.value(value)?)))
                    .collect::<Result<Map<_, _>, _>>()?,
            ),
            other => other,
        })
    }

    fn text(&mut self, mut rest: &str) -> Result<String, DocumentError> {
        let mut filled = String::with_capacity(rest.len());
        while let Some((before, behind)) = rest.split_once("${") {
            let (name, after) = behind
                .split_once('}')
                .ok_or_else(|| DocumentError::Unclosed(behind.to_owned()))?;
            let (known, value) = self
                .values
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| DocumentError::Unknown(name.to_owned()))?;
            self.used.insert(known);
            filled.push_str(before);
            filled.push_str(value);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_escaped_into_its_string() {
        let rendered = render(r#"{"a": ["x ${v} y"]}"#, &[("v", "\"\\\n")]);
        assert_eq!(rendered, Ok(json!({"a": ["x \"\\\n y"]})));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let unknown = render(r#"{"a": "${b}"}"#, &[]);
        assert_eq!(unknown, Err(DocumentError::Unknown("b".to_owned())));
        let unused = render(r#"{"a": "b"}"#, &[("b", "")]);
        assert_eq!(unused, Err(DocumentError::Unused("b".to_owned())));
        let unclosed = render(r#"{"a": "${b"}"#, &[("b", "")]);
        assert_eq!(unclosed, Err(DocumentError::Unclosed("b".to_owned())));
    }
}
