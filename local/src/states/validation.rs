//! What is checked when a state machine is made or changed.

use serde_json::{Value, json};

use super::asl::{Problem, StateMachine};
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::iam;

/// What a role needs to deliver logs, on every resource.
const LOG_DELIVERY: [&str; 8] = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
];

/// Names of state machines and executions: no spaces, brackets, wildcards or special characters.
pub fn check_name(name: &str) -> Result<(), AwsError> {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    if !name.is_empty() && name.chars().count() <= 80 && !name.contains(forbidden) {
        return Ok(());
    }
    Err(AwsError::bad_request(
        "InvalidName",
        format!("Invalid Name: '{name}'"),
    ))
}

pub fn check_definition(definition: &str) -> Result<StateMachine, AwsError> {
    StateMachine::parse(definition).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
        let message = format!("Invalid State Machine Definition: '{}'", problems.join(", "));
        AwsError::bad_request("InvalidDefinition", message)
    })
}

/// ValidateStateMachineDefinition.
pub fn validate(call: &Call) -> Value {
    let problems = StateMachine::parse(call.input["definition"].as_str().unwrap_or_default())
        .err()
        .unwrap_or_default();
    let result = if problems.is_empty() { "OK" } else { "FAIL" };
    let diagnostics: Vec<_> = problems
        .iter()
        .map(|problem| json!({"severity": "ERROR", "code": problem.code, "message": problem.message, "location": problem.location}))
        .collect();
    json!({"result": result, "diagnostics": diagnostics, "truncated": false})
}

/// The role has to be assumable by Step Functions, and the caller allowed to pass it.
pub fn check_role(cloud: &Cloud, call: &Call, role_arn: &str, machine_arn: &str) -> Result<(), AwsError> {
    if !role_arn.starts_with("arn:") {
        return Err(AwsError::bad_request(
            "InvalidArn",
            format!("Invalid Role Arn: '{role_arn}'"),
        ));
    }
    let service = "states.amazonaws.com";
    iam::authorize(
        cloud,
        &call.principal,
        "iam:PassRole",
        role_arn,
        &[("iam:PassedToService", service)],
    )?;
    iam::assume_for_service(cloud, role_arn, service, machine_arn, "check").map(drop).map_err(|_| {
        denied(
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the \
             provided role.",
        )
    })
}

/// The loggingConfiguration: its log group named with `:*`, and within the role's reach.
pub fn check_logging(
    cloud: &Cloud,
    logging: &Value,
    role_arn: &str,
    machine_arn: &str,
) -> Result<(), AwsError> {
    let level = logging["level"].as_str().unwrap_or("OFF");
    if !["OFF", "ALL", "ERROR", "FATAL"].contains(&level) {
        return Err(invalid_logging(&format!(
            "Invalid Logging Configuration: unknown level '{level}'"
        )));
    }
    let destinations = logging["destinations"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    match destinations {
        [] if level == "OFF" => return Ok(()),
        [] => {
            return Err(invalid_logging(
                "Invalid Logging Configuration: Must specify exactly one Log Destination.",
            ));
        }
        [_] => {}
        _ => {
            return Err(invalid_logging(
                "Invalid Logging Configuration: Must specify exactly one Log Destination.",
            ));
        }
    }
    let group_arn = destinations[0]["cloudWatchLogsLogGroup"]["logGroupArn"]
        .as_str()
        .unwrap_or_default();
    if !group_arn.ends_with(":*") {
        return Err(invalid_logging(
            "Invalid Logging Configuration: Log Group ARN must be provided with '*' qualifier.",
        ));
    }
    let session = iam::assume_for_service(cloud, role_arn, "states.amazonaws.com", machine_arn, "check")?;
    let may_deliver = LOG_DELIVERY
        .iter()
        .all(|action| iam::authorize(cloud, &session.principal, action, "*", &[]).is_ok());
    let group = log_group(logging).unwrap_or_default().to_owned();
    let is_there = cloud.store.read(|db| {
        Ok(db
            .prepare_cached("SELECT 1 FROM log_groups WHERE name = ?1")?
            .exists([&group])?)
    })?;
    if may_deliver && is_there {
        return Ok(());
    }
    Err(denied(
        "The state machine IAM Role is not authorized to access the Log Destination",
    ))
}

/// The name of the log group a loggingConfiguration names.
pub fn log_group(logging: &Value) -> Option<&str> {
    let arn = logging["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"].as_str()?;
    arn.split_once(":log-group:")?.1.strip_suffix(":*")
}

fn invalid_logging(message: &str) -> AwsError {
    AwsError::bad_request("InvalidLoggingConfiguration", message)
}

fn denied(message: &str) -> AwsError {
    AwsError::bad_request("AccessDeniedException", message)
}
