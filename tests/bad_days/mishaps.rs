//! The ways in which one call goes wrong.

use resizer_local::{Fault, Mishap, Realism};

use crate::common::near::{is_read, refusal};

/// One way for one call to go wrong.
#[derive(Clone, Debug)]
pub struct Way {
    pub name: &'static str,
    pub fault: Fault,
}

impl Way {
    /// Nothing else goes wrong.
    pub fn alone(&self) -> Realism {
        Realism {
            faults: vec![self.fault.clone()],
            ..Realism::default()
        }
    }
}

/// Every way in which the `call`-th call of `operation` may go wrong, once. What changes nothing has no "after". Who one is, is
/// asked before there is anything to wait with: there the SDK's own four tries are all.
pub fn ways(operation: &str, call: u64) -> Vec<Way> {
    let (busy_status, busy) = busy(operation, call);
    let mut ways = vec![
        (
            "500",
            false,
            1,
            refusal(500, internal(operation), "We encountered an internal error."),
        ),
        (
            "503",
            false,
            1,
            refusal(503, "ServiceUnavailable", "Please reduce your request rate."),
        ),
        ("throttled", false, 1, refusal(busy_status, busy, "Rate exceeded")),
        ("cut", false, 1, Mishap::Cut),
        (
            "denied",
            false,
            1,
            refusal(
                403,
                "AccessDenied",
                "User is not authorized to perform this action",
            ),
        ),
    ];
    if service(operation) != "sts" {
        ways.push((
            "throttled for longer",
            false,
            5,
            refusal(busy_status, busy, "Rate exceeded"),
        ));
    }
    if !is_read(operation) {
        ways.extend([
            (
                "500 after it was done",
                true,
                1,
                refusal(500, internal(operation), "We encountered an internal error."),
            ),
            ("answer lost", true, 1, Mishap::Cut),
            ("answer lost and no second try", true, 4, Mishap::Cut),
        ]);
    }
    let fault = |after, times, does| Fault {
        operation: operation.to_owned(),
        call,
        times,
        after,
        does,
    };
    ways.into_iter()
        .map(|(name, after, times, does)| Way {
            name,
            fault: fault(after, times, does),
        })
        .collect()
}

/// The call has been made, and nobody ever hears of it.
pub fn stalled(operation: &str, call: u64) -> Realism {
    Realism {
        faults: vec![Fault {
            operation: operation.to_owned(),
            call,
            times: 1,
            after: true,
            does: Mishap::Stall,
        }],
        ..Realism::default()
    }
}

fn internal(operation: &str) -> &'static str {
    match service(operation) {
        "s3" => "InternalError",
        "lambda" => "ServiceException",
        _ => "InternalFailure",
    }
}

/// How services say that calls come too fast: each has a word that it likes, and none keeps to it.
fn busy(operation: &str, call: u64) -> (u16, &'static str) {
    const WORDS: [(u16, &str); 5] = [
        (400, "ThrottlingException"),
        (400, "Throttling"),
        (429, "TooManyRequestsException"),
        (503, "SlowDown"),
        (400, "RequestLimitExceeded"),
    ];
    let number = operation.len() as u64 + call;
    WORDS[usize::try_from(number).unwrap() % WORDS.len()]
}

fn service(operation: &str) -> &str {
    operation.split(':').next().unwrap_or_default()
}
