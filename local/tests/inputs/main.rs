//! What an operation does not honour is refused, and the refusal names it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

/// The code and the message of a refusal.
fn refusal<O: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    answer: Result<O, SdkError<E, R>>,
) -> (String, String) {
    let error = answer.expect_err("it was accepted");
    (
        error.code().unwrap_or_default().to_owned(),
        error.message().unwrap_or_default().to_owned(),
    )
}

/// `OPERATION, MEMBER => call`: every call is refused with the code, in words that name the operation and the member.
macro_rules! refuses {
    ($code:literal; $($operation:literal, $member:literal => $call:expr;)*) => {
        $(
            let (code, message) = refusal($call.send().await);
            assert_eq!(code, $code, "{} with {}: {message}", $operation, $member);
            let expected = format!("{}: the local cloud does not support {}", $operation, $member);
            assert!(message.starts_with(&expected), "{message}");
        )*
    };
}

// After the macro that they use.
mod rest;
mod rpc;
mod s3;
