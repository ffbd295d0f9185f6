//! What AWS needs time for: the errors that mean "not yet", matched by code and a part of the message.
//!
//! Sources: the waiters and retry lists of Terraform's AWS provider and of CloudFormation's handlers.

use std::time::Duration;

use crate::engine::{NotYet, Schedule};

/// IAM is read through caches that follow within seconds, now and then within a minute. It is asked often: everything else
/// has been made meanwhile, and what is waited for is on the longest way.
const PROPAGATION: Schedule = Schedule {
    first: Duration::from_millis(250),
    longest: Duration::from_secs(1),
    total: Duration::from_secs(120),
};

/// One change at a time, and calls per second.
const CONTENTION: Schedule = Schedule {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(8),
    total: Duration::from_secs(180),
};

/// API Gateway's slowest quota is one call in 30 seconds, shared by all who work in the account. None can be raised.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const API_QUOTA: Schedule = Schedule {
    first: Duration::from_secs(2),
    longest: Duration::from_secs(15),
    total: Duration::from_secs(600),
};

macro_rules! not_yet {
    ($($name:ident: $code:literal, $says:literal $(during $operation:literal)? => $waits_for:literal, $schedule:ident;)*) => {
        $(pub const $name: NotYet = NotYet {
            operation: concat!($($operation)?),
            code: $code,
            says: $says,
            waits_for: $waits_for,
            schedule: $schedule,
        };)*
    };
}

not_yet! {
    LAMBDA_ROLE: "InvalidParameterValueException", "cannot be assumed by Lambda"
        => "IAM to let Lambda assume the new role", PROPAGATION;
    LAMBDA_PERMISSIONS: "InvalidParameterValueException", "execution role does not have permissions"
        => "IAM to spread the function's permissions", PROPAGATION;
    LAMBDA_KEY: "InvalidParameterValueException", "KMS key is invalid for CreateGrant"
        => "IAM to make the new role known to KMS", PROPAGATION;
    LAMBDA_BUSY: "ResourceConflictException", ""
        => "Lambda to finish an update", CONTENTION;
    STATES_ROLE: "AccessDeniedException", "authorized to assume the provided role"
        => "IAM to let Step Functions assume the new role", PROPAGATION;
    STATES_LOGS: "AccessDeniedException", "not authorized to access the Log Destination"
        => "IAM to let Step Functions write logs", PROPAGATION;
    STATES_DELETING: "StateMachineDeleting", ""
        => "Step Functions to remove the state machine of that name", CONTENTION;
    STATES_BUSY: "ConflictException", ""
        => "Step Functions to finish another change", CONTENTION;
    LOGS_BUSY: "OperationAbortedException", ""
        => "CloudWatch Logs to finish another change", CONTENTION;
    LOGS_STALE: "ResourceAlreadyExistsException", ""
        => "CloudWatch Logs to show the log group", PROPAGATION;
    EVENTS_ROLE: "ValidationException", "cannot be assumed by principal"
        => "IAM to let EventBridge assume the new role", PROPAGATION;
    EVENTS_BUSY: "ConcurrentModificationException", ""
        => "EventBridge to finish another change", CONTENTION;
    EVENTS_TARGETS: "ValidationException", "since it has targets"
        => "EventBridge to let go of the rule's targets", CONTENTION;
    IAM_BUSY: "ConcurrentModification", ""
        => "IAM to finish another change", CONTENTION;
    IAM_LATE: "NoSuchEntity", "role with name"
        => "IAM to know the new role everywhere", PROPAGATION;
    IAM_STALE: "EntityAlreadyExists", ""
        => "IAM to show the role", PROPAGATION;
    IAM_IN_USE: "DeleteConflict", ""
        => "IAM to let go of the role's policies", PROPAGATION;
    // Of one object among a thousand that were to be deleted, in an answer that says that all went well.
    S3_FAILED: "InternalError", ""
        => "S3 to get over an internal error", CONTENTION;
    S3_BUSY: "OperationAborted", ""
        => "S3 to finish another change", CONTENTION;
    S3_NOT_EMPTY: "BucketNotEmpty", ""
        => "the last writes into the bucket", CONTENTION;
    S3_LATE: "NoSuchBucket", ""
        => "S3 to know the new bucket everywhere", PROPAGATION;
    S3_STALE: "BucketAlreadyOwnedByYou", ""
        => "S3 to show the bucket", PROPAGATION;
    API_BUSY: "ConflictException", "concurrent modification"
        => "API Gateway to finish another change", CONTENTION;
    API_DELETES: "TooManyRequestsException", "" during "apigateway:DeleteRestApi"
        => "AWS: one API delete per 30 s in this account", API_QUOTA;
    API_CREATIONS: "TooManyRequestsException", "" during "apigateway:CreateRestApi"
        => "AWS: one new API per 3 s in this account", API_QUOTA;
    API_DEPLOYMENTS: "TooManyRequestsException", "" during "apigateway:CreateDeployment"
        => "AWS: one API deployment per 5 s in this account", API_QUOTA;
    API_PACE: "TooManyRequestsException", ""
        => "AWS: ten calls to API Gateway per second in this account", API_QUOTA;
    CLOUDWATCH_BUSY: "ConflictException", ""
        => "CloudWatch to finish another change", CONTENTION;
    CLOUDWATCH_TAGS: "ConcurrentModificationException", ""
        => "CloudWatch to finish another change", CONTENTION;
    SNS_BUSY: "ConcurrentAccess", ""
        => "SNS to finish another change", CONTENTION;
    SNS_TAGS: "StaleTag", ""
        => "SNS to finish a change of tags", CONTENTION;
    PACE_S3: "SlowDown", "" => "S3's pace: too many calls to this bucket", CONTENTION;
}
