//! IAM: roles, their policies, and what they allow.

use std::sync::Arc;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::credentials::RoleSession;
use crate::error::AwsError;
use crate::principal::Principal;

/// What IAM keeps in memory.
#[derive(Default)]
pub struct Iam {}

/// Answers one request.
pub async fn call(_cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    Err(call.not_implemented())
}

/// Whether `principal` may do `action` (`s3:PutObject`) on `resource` (an ARN, or `*`). `context` holds condition keys
/// beyond those that follow from the principal, such as `("iam:PassedToService", "lambda.amazonaws.com")`.
pub fn authorize(
    _cloud: &Cloud,
    _principal: &Principal,
    _action: &str,
    _resource: &str,
    _context: &[(&str, &str)],
) -> Result<(), AwsError> {
    Ok(())
}

/// A session of a role for a service (`lambda.amazonaws.com`) which acts for the resource `source_arn`, if the role's
/// trust policy lets it.
pub fn assume_for_service(
    _cloud: &Cloud,
    _role_arn: &str,
    _service: &str,
    _source_arn: &str,
    _session_name: &str,
) -> Result<RoleSession, AwsError> {
    Err(AwsError::not_implemented("sts", "AssumeRole"))
}
