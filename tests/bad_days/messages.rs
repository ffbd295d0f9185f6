//! What AWS says while something takes its time: it is waited for, and told.

use resizer_local::{Fault, Realism};

use crate::common::near::{NearCloud, refusal};
use crate::everything::is_nothing;
use crate::stack::{DOWN, Stack, UP, for_each};

/// How AWS refuses a call while something takes its time, and what a command says meanwhile.
struct Message {
    command: &'static [&'static str],
    operation: &'static str,
    status: u16,
    code: &'static str,
    message: &'static str,
    waits_for: &'static str,
}

const MESSAGES: &[Message] = &[
    Message {
        command: &UP,
        operation: "lambda:CreateFunction",
        status: 400,
        code: "InvalidParameterValueException",
        message: "The role defined for the function cannot be assumed by Lambda.",
        waits_for: "IAM to let Lambda assume the new role",
    },
    Message {
        command: &UP,
        operation: "lambda:CreateFunction",
        status: 400,
        code: "InvalidParameterValueException",
        message: "The provided execution role does not have permissions to call PutTraceSegments on XRAY",
        waits_for: "IAM to spread the function's permissions",
    },
    Message {
        command: &UP,
        operation: "lambda:CreateFunction",
        status: 400,
        code: "InvalidParameterValueException",
        message: "Lambda was unable to configure access to your environment variables because the KMS key is invalid for \
         CreateGrant. Please check your KMS key settings.",
        waits_for: "IAM to make the new role known to KMS",
    },
    Message {
        command: &UP,
        operation: "lambda:CreateFunction",
        status: 409,
        code: "ResourceConflictException",
        message: "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        waits_for: "Lambda to finish an update",
    },
    Message {
        command: &UP,
        operation: "states:CreateStateMachine",
        status: 400,
        code: "AccessDeniedException",
        message: "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the \
         provided role.",
        waits_for: "IAM to let Step Functions assume the new role",
    },
    Message {
        command: &UP,
        operation: "states:CreateStateMachine",
        status: 400,
        code: "AccessDeniedException",
        message: "The state machine IAM Role is not authorized to access the Log Destination",
        waits_for: "IAM to let Step Functions write logs",
    },
    Message {
        command: &UP,
        operation: "states:CreateStateMachine",
        status: 400,
        code: "StateMachineDeleting",
        message: "State Machine Deleting: 'arn:aws:states:eu-central-1:000000000000:stateMachine:resizer-resize'",
        waits_for: "Step Functions to remove the state machine of that name",
    },
    Message {
        command: &UP,
        operation: "states:CreateStateMachine",
        status: 400,
        code: "ConflictException",
        message: "Another operation is in progress on the resource",
        waits_for: "Step Functions to finish another change",
    },
    Message {
        command: &UP,
        operation: "events:PutTargets",
        status: 400,
        code: "ValidationException",
        message: "The role arn:aws:iam::000000000000:role/resizer-eu-central-1-rule cannot be assumed by principal \
         'events.amazonaws.com'.",
        waits_for: "IAM to let EventBridge assume the new role",
    },
    Message {
        command: &UP,
        operation: "events:PutRule",
        status: 400,
        code: "ConcurrentModificationException",
        message: "Rule resizer-object-created was modified concurrently",
        waits_for: "EventBridge to finish another change",
    },
    Message {
        command: &UP,
        operation: "iam:PutRolePolicy",
        status: 404,
        code: "NoSuchEntity",
        message: "The role with name resizer-eu-central-1-function cannot be found.",
        waits_for: "IAM to know the new role everywhere",
    },
    Message {
        command: &UP,
        operation: "iam:CreateRole",
        status: 409,
        code: "ConcurrentModification",
        message: "The request was rejected because multiple requests to change this object were submitted simultaneously.",
        waits_for: "IAM to finish another change",
    },
    Message {
        command: &UP,
        operation: "s3:CreateBucket",
        status: 409,
        code: "OperationAborted",
        message: "A conflicting conditional operation is currently in progress against this resource. Please try again.",
        waits_for: "S3 to finish another change",
    },
    Message {
        command: &UP,
        operation: "s3:PutPublicAccessBlock",
        status: 404,
        code: "NoSuchBucket",
        message: "The specified bucket does not exist",
        waits_for: "S3 to know the new bucket everywhere",
    },
    Message {
        command: &UP,
        operation: "s3:CreateBucket",
        status: 409,
        code: "BucketAlreadyOwnedByYou",
        message: "Your previous request to create the named bucket succeeded and you already own it.",
        waits_for: "S3 to show the bucket",
    },
    Message {
        command: &UP,
        operation: "logs:CreateLogGroup",
        status: 400,
        code: "OperationAbortedException",
        message: "A conflicting operation is currently in progress against this resource. Please try again.",
        waits_for: "CloudWatch Logs to finish another change",
    },
    Message {
        command: &UP,
        operation: "logs:CreateLogGroup",
        status: 400,
        code: "ResourceAlreadyExistsException",
        message: "The specified log group already exists",
        waits_for: "CloudWatch Logs to show the log group",
    },
    Message {
        command: &UP,
        operation: "apigateway:PutRestApi",
        status: 409,
        code: "ConflictException",
        message: "Unable to complete operation due to concurrent modification. Please try again later.",
        waits_for: "API Gateway to finish another change",
    },
    Message {
        command: &UP,
        operation: "apigateway:CreateRestApi",
        status: 429,
        code: "TooManyRequestsException",
        message: "Too Many Requests",
        waits_for: "AWS: one new API per 3 s in this account",
    },
    Message {
        command: &UP,
        operation: "apigateway:CreateDeployment",
        status: 429,
        code: "TooManyRequestsException",
        message: "Too Many Requests",
        waits_for: "AWS: one API deployment per 5 s in this account",
    },
    Message {
        command: &UP,
        operation: "apigateway:GetRestApis",
        status: 429,
        code: "TooManyRequestsException",
        message: "Too Many Requests",
        waits_for: "AWS: ten calls to API Gateway per second in this account",
    },
    Message {
        command: &UP,
        operation: "lambda:GetFunction",
        status: 429,
        code: "TooManyRequestsException",
        message: "Rate exceeded",
        waits_for: "its turn: too many calls in this account",
    },
    Message {
        command: &UP,
        operation: "s3:CreateBucket",
        status: 503,
        code: "SlowDown",
        message: "Please reduce your request rate.",
        waits_for: "S3's pace: too many calls to this bucket",
    },
    Message {
        command: &UP,
        operation: "monitoring:PutDashboard",
        status: 400,
        code: "Throttling",
        message: "Rate exceeded",
        waits_for: "its turn: too many calls in this account",
    },
    // Whichever of its words a service takes.
    Message {
        command: &UP,
        operation: "lambda:CreateFunction",
        status: 400,
        code: "ThrottlingException",
        message: "Rate exceeded",
        waits_for: "its turn: too many calls in this account",
    },
    Message {
        command: &UP,
        operation: "events:PutRule",
        status: 429,
        code: "TooManyRequestsException",
        message: "Too Many Requests",
        waits_for: "its turn: too many calls in this account",
    },
    Message {
        command: &UP,
        operation: "states:CreateStateMachine",
        status: 400,
        code: "ThrottlingException",
        message: "Rate exceeded",
        waits_for: "its turn: too many calls in this account",
    },
    Message {
        command: &UP,
        operation: "logs:DescribeLogGroups",
        status: 400,
        code: "ThrottlingException",
        message: "Rate exceeded",
        waits_for: "its turn: too many calls in this account",
    },
    Message {
        command: &UP,
        operation: "events:PutRule",
        status: 500,
        code: "InternalException",
        message: "An internal error occurred",
        waits_for: "trouble on the other side to pass",
    },
    Message {
        command: &DOWN,
        operation: "s3:ListObjectVersions",
        status: 503,
        code: "SlowDown",
        message: "Please reduce your request rate.",
        waits_for: "S3's pace: too many calls to this bucket",
    },
    Message {
        command: &DOWN,
        operation: "s3:DeleteBucket",
        status: 409,
        code: "BucketNotEmpty",
        message: "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        waits_for: "the last writes into the bucket",
    },
    Message {
        command: &DOWN,
        operation: "events:DeleteRule",
        status: 400,
        code: "ValidationException",
        message: "Rule can't be deleted since it has targets.",
        waits_for: "EventBridge to let go of the rule's targets",
    },
    Message {
        command: &DOWN,
        operation: "iam:DeleteRole",
        status: 409,
        code: "DeleteConflict",
        message: "Cannot delete entity, must detach all policies first.",
        waits_for: "IAM to let go of the role's policies",
    },
    Message {
        command: &DOWN,
        operation: "lambda:DeleteFunction",
        status: 409,
        code: "ResourceConflictException",
        message: "The operation cannot be performed at this time. An update is in progress for resource: \
         arn:aws:lambda:eu-central-1:000000000000:function:resizer-resize",
        waits_for: "Lambda to finish an update",
    },
    Message {
        command: &DOWN,
        operation: "apigateway:DeleteRestApi",
        status: 429,
        code: "TooManyRequestsException",
        message: "Too Many Requests",
        waits_for: "AWS: one API delete per 30 s in this account",
    },
];

/// At how many calls of an operation the SDK's own four tries do not help, where they are made of two resources side by side.
const FOR_LONGER: u64 = 9;

impl Message {
    fn is_tried_by_the_sdk(&self) -> bool {
        self.status == 429 || self.status >= 500 || self.code == "SlowDown" || self.code.contains("Throttl")
    }
}

#[test]
fn whatever_aws_needs_time_for_is_waited_for_and_told() {
    for_each(MESSAGES, |stack, row| {
        if row.command == DOWN {
            stack.near.behave(Realism::default());
            stack.place().resizer(&UP).ok();
        }
        let fault = Fault {
            operation: row.operation.to_owned(),
            call: 1,
            times: if row.is_tried_by_the_sdk() { FOR_LONGER } else { 3 },
            after: false,
            does: refusal(row.status, row.code, row.message),
        };
        stack.near.behave(Realism {
            faults: vec![fault],
            ..Realism::default()
        });
        let ended = stack.place().resizer(row.command).ok();
        let (operation, code) = (row.operation, row.code);
        assert!(
            ended.stderr.contains(row.waits_for),
            "{operation}, {code}: {}",
            ended.stderr
        );
        if row.command == UP {
            stack.place().resizer(&DOWN).ok();
        }
        assert!(is_nothing(&stack.everything()));
    });
}

/// Operations that read what was just made, the number of their first call after it, and how they say that nothing is there.
const NOT_SHOWN: [(&str, u64, u16, &str); 5] = [
    ("iam:GetRole", 5, 404, "NoSuchEntity"),
    ("s3:GetBucketTagging", 3, 404, "NoSuchBucket"),
    ("lambda:GetFunction", 2, 404, "ResourceNotFoundException"),
    ("states:DescribeStateMachine", 2, 400, "StateMachineDoesNotExist"),
    ("events:DescribeRule", 2, 400, "ResourceNotFoundException"),
];

#[test]
fn what_was_made_but_does_not_show_yet_is_not_made_again() {
    for_each(&NOT_SHOWN, |stack, (operation, call, status, code)| {
        let fault = Fault {
            operation: (*operation).to_owned(),
            call: *call,
            times: 5,
            after: false,
            does: refusal(*status, code, "It cannot be found."),
        };
        stack.near.behave(Realism {
            faults: vec![fault],
            ..Realism::default()
        });
        stack.place().resizer(&UP).ok();
        let made = stack.near.calls();
        for create in [
            "lambda:CreateFunction",
            "states:CreateStateMachine",
            "events:PutRule",
        ] {
            assert_eq!(made[create], 1, "{operation}");
        }
        assert_eq!(
            (made["iam:CreateRole"], made["s3:CreateBucket"]),
            (4, 2),
            "{operation}"
        );
        stack.place().resizer(&DOWN).ok();
    });
}

#[test]
fn a_definition_that_is_still_read_as_it_was_is_waited_for() {
    let stack = Stack::new();
    stack.place().resizer(&UP).ok();
    let standing = stack.everything();
    let states = aws_sdk_sfn::Client::new(&stack.config);
    let drift = states
        .update_state_machine()
        .state_machine_arn("arn:aws:states:eu-central-1:000000000000:stateMachine:resizer-resize")
        .definition(r#"{"StartAt": "Nothing", "States": {"Nothing": {"Type": "Succeed"}}}"#);
    stack.runtime.block_on(drift.send()).unwrap();

    stack.near.behave(Realism {
        state_machine_update: 1_000,
        ..Realism::default()
    });
    let ended = stack.place().resizer(&UP).ok();
    ended.says("waits for the new definition to show");
    assert_eq!(stack.near.calls()["states:UpdateStateMachine"], 1);
    assert_eq!(stack.everything(), standing);
}

#[test]
fn a_function_that_cannot_be_made_ready_is_made_once_more_and_no_third_time() {
    let near = NearCloud::start();
    let place = &near.place;
    let failing = |functions| Realism {
        function: 300,
        failing_functions: functions,
        ..Realism::default()
    };
    near.behave(failing(1));
    place.resizer(&UP).ok();
    assert_eq!(place.json(&UP)["changed"], false);
    place.resizer(&DOWN).ok();
    near.behave(failing(3));
    place.resizer(&UP).code(1).says(
        "the function resizer-resize failed: resizer-resize was made anew, and once more its state is Failed: The function \
         could not be made ready.",
    );
    assert_eq!(near.calls()["lambda:CreateFunction"], 2);
}
