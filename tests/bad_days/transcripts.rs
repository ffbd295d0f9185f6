//! What a person sees of ten bad days.

use insta::assert_snapshot;
use resizer_local::{Fault, Mishap, Realism};

use crate::common::near::refusal;
use crate::common::steady::steady;
use crate::stack::{DOWN, Stack, UP};

/// A day on which calls of one operation go wrong, so many of them.
fn day(operation: &str, times: u64, does: Mishap) -> Realism {
    Realism {
        faults: vec![Fault {
            operation: operation.to_owned(),
            call: 1,
            times,
            after: false,
            does,
        }],
        ..Realism::default()
    }
}

/// From this operation on the credentials have expired.
fn expired(operation: &str, code: &str) -> Fault {
    Fault {
        operation: operation.to_owned(),
        call: 1,
        times: u64::MAX,
        after: false,
        does: refusal(403, code, "The security token included in the request is expired"),
    }
}

/// What a command says on such a day, and how it ends. Steps that went well are left out, and those that waited or failed are
/// in the order of the alphabet: they come as they come.
fn told(stack: &Stack, realism: Realism, command: &[&str]) -> String {
    stack.near.behave(realism);
    let ended = stack.place().resizer(command);
    stack.near.behave(Realism::default());
    let is_a_step = |line: &&str| line.starts_with("  waiting") || line.starts_with('✗');
    let said = steady(&ended.stderr).replace("[time of day]  ", "");
    // A role's policies are known a moment after the role: now and then a try falls between the two.
    let is_certain =
        |line: &&str| !line.starts_with('✓') && !line.ends_with("to let Step Functions write logs");
    let lines = said.lines().filter(is_certain);
    let (mut steps, others): (Vec<&str>, Vec<&str>) = lines.partition(is_a_step);
    steps.sort_unstable();
    let lines = [steps, others].concat().join("\n");
    format!("{lines}\nexit code {}", ended.code.unwrap())
}

#[test]
fn an_up_on_a_bad_day() {
    let for_good = u64::MAX;
    for (name, realism) in [
        (
            "roles are not known for a while",
            Realism {
                propagation: 5_000,
                ..Realism::default()
            },
        ),
        (
            "the function is pending for a while",
            Realism {
                function: 3_000,
                ..Realism::default()
            },
        ),
        (
            "the API is to be made slower",
            day(
                "apigateway:CreateRestApi",
                5,
                refusal(429, "TooManyRequestsException", "Too Many Requests"),
            ),
        ),
        (
            "something is not permitted",
            day(
                "s3:PutPublicAccessBlock",
                for_good,
                refusal(
                    403,
                    "AccessDenied",
                    "User: arn:aws:iam::000000000000:user/me is not authorized",
                ),
            ),
        ),
        (
            "the name of a bucket is taken",
            day(
                "s3:CreateBucket",
                for_good,
                refusal(
                    409,
                    "BucketAlreadyExists",
                    "The requested bucket name is not available.",
                ),
            ),
        ),
        (
            "the token expires on the way",
            // After everything was read, which takes now more calls, now fewer.
            Realism {
                faults: [
                    ("logs:CreateLogGroup", "ExpiredTokenException"),
                    ("s3:CreateBucket", "ExpiredToken"),
                    ("iam:CreateRole", "ExpiredToken"),
                    ("monitoring:PutDashboard", "ExpiredToken"),
                ]
                .map(|(operation, code)| expired(operation, code))
                .to_vec(),
                ..Realism::default()
            },
        ),
        (
            "the network is gone on the way",
            day("states:CreateStateMachine", for_good, Mishap::Cut),
        ),
        (
            "a service is down",
            day(
                "apigateway:PutRestApi",
                for_good,
                refusal(503, "ServiceUnavailable", "Service is unavailable"),
            ),
        ),
    ] {
        let stack = Stack::new();
        assert_snapshot!(name.replace(' ', "_"), told(&stack, realism, &UP));
        stack.place().resizer(&UP).ok();
    }
}

#[test]
fn a_run_that_takes_back_what_it_made() {
    let stack = Stack::new();
    let denied = refusal(403, "AccessDenied", "no");
    let up = [&UP[..], &["--rollback-on-failure"]].concat();
    let realism = day("lambda:CreateFunction", u64::MAX, denied);
    assert_snapshot!("what_was_made_is_taken_back", told(&stack, realism, &up));
}

#[test]
fn a_down_while_somebody_uploads() {
    let stack = Stack::new();
    stack.place().resizer(&UP).ok();
    let busy = refusal(
        409,
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
    );
    assert_snapshot!(
        "the_last_uploads_are_waited_for",
        told(&stack, day("s3:DeleteBucket", 2, busy), &DOWN)
    );
}
