//! How long `up` and `down` take on a cloud far away: `cargo bench --bench provisioning`.
//!
//! The local cloud behaves like AWS: each call takes its time, a role is not known for some seconds, a new function is
//! `Pending`, API Gateway keeps its quotas. What a run takes is set against the longest way through the graph, which no
//! order of the same calls could beat; a call is counted once, and each wait at its length.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::near::{DOWN, NearCloud, UP, is_read};
use resizer_local::Realism;

/// Runs of each kind; the median counts.
const RUNS: usize = 3;

/// Milliseconds until a new role is known to Lambda and Step Functions. IAM says no time; "seconds", its documents say, and
/// Lambda's own examples wait ten.
const PROPAGATION: u64 = 8_000;
/// Milliseconds that a function is `Pending`.
const PENDING: u64 = 2_500;
/// Milliseconds that a state machine is `DELETING`.
const DELETING: u64 = 2_000;

const PLAN: [&str; 4] = ["plan", "--local", "--handler-zip", "function.zip"];

/// Published runs that made a like stack, in seconds.
const PEERS: [(&str, f64); 3] = [
    ("CloudFormation", 127.0),
    ("Terraform", 57.5),
    ("a CDK engine without CloudFormation", 25.9),
];

/// One kind of day.
struct Day {
    name: &'static str,
    /// Milliseconds a call.
    latency: u64,
    waits: bool,
}

impl Day {
    fn realism(&self) -> Realism {
        let waits = |millis: u64| if self.waits { millis } else { 0 };
        Realism {
            latency: self.latency,
            propagation: waits(PROPAGATION),
            function: waits(PENDING),
            state_machine_deletion: waits(DELETING),
            // Each run is the first one of its time: the wait between two deletions of an API is nobody's doing.
            quotas: self.waits,
            ..Realism::default()
        }
    }

    /// The longest way through an `up` from nothing, in milliseconds.
    ///
    /// GetCallerIdentity, then every resource is read at once. A role takes its creation, its policies, and a look at it;
    /// the function is made when its role is known, waited for, and looked at; the rule takes two calls and a look. Beside
    /// it go the REST API, after its role: made, defined, deployed, and a look at its stage, three calls deep; and before the
    /// rule the original bucket: made, a look, whom it tells (read and put), its public access, and a look. The dashboard
    /// stands beside all of it: put, and a look.
    fn longest_up(&self) -> u64 {
        let Realism {
            propagation,
            function,
            ..
        } = self.realism();
        let call = self.latency;
        let looked = 2 * call;
        let role = looked + 3 * call;
        let role_is_known = looked + call + propagation;
        let function_is_made = (role + call).max(role_is_known);
        let function_is_ready = function_is_made + function.max(call);
        let rule = function_is_ready + 3 * call;
        let rest_api = role + 6 * call;
        let bucket_and_rule = looked + 6 * call + 3 * call;
        rule.max(rest_api).max(bucket_and_rule)
    }

    /// The longest way through a `down`: who we are, what stands (the REST API is three calls deep), what is in the buckets;
    /// rule (three calls), state machine (executions, deletion, a look), function (two), role (its policies, their removal,
    /// its own, a look), log group (two), and the last look.
    fn longest_down(&self) -> u64 {
        let calls = 1 + 3 + 1 + 3 + 3 + 2 + 4 + 2 + 1;
        calls * self.latency + self.realism().state_machine_deletion
    }

    /// A plan where everything stands: who we are, and the deepest reading.
    fn longest_plan(&self) -> u64 {
        (1 + 3) * self.latency
    }
}

fn main() {
    let days = [50, 100, 200].into_iter().flat_map(|latency| {
        [("calls alone", false), ("and AWS's waits", true)].map(|(name, waits)| Day { name, latency, waits })
    });
    println!(
        "                                       up from nothing       up again              plan                  down"
    );
    println!("a call  day                 longest way    took  ratio   longest way    took  ratio ...");
    let mut slowest = Duration::ZERO;
    let mut first_calls = BTreeMap::new();
    let mut calls_again = BTreeMap::new();
    for day in days {
        let near = NearCloud::start();
        let mut times: [Vec<Duration>; 4] = Default::default();
        for _ in 0..RUNS {
            for (kind, command) in [&UP[..], &UP, &PLAN, &DOWN].into_iter().enumerate() {
                near.behave(day.realism());
                let start = Instant::now();
                near.place.resizer(command).ok();
                times[kind].push(start.elapsed());
                match kind {
                    0 => first_calls = near.calls(),
                    1 => calls_again = near.calls(),
                    _ => {}
                }
            }
        }
        let took = times.map(|mut times| {
            times.sort();
            times[RUNS / 2]
        });
        slowest = slowest.max(took[0]);
        let ways = [
            day.longest_up(),
            day.longest_plan(),
            day.longest_plan(),
            day.longest_down(),
        ];
        let columns: String = ways
            .into_iter()
            .zip(took)
            .map(|(way, took)| {
                let (way, took) = (way as f64 / 1000.0, took.as_secs_f64());
                format!("  {way:>6.2} s {took:>6.2} s {:>5.2}", took / way)
            })
            .collect();
        println!("{:>4} ms {:16}{columns}", day.latency, day.name);
    }
    println!(
        "\nup from nothing at its slowest here {:.1} s; like stacks, as published:",
        slowest.as_secs_f64()
    );
    for (peer, seconds) in PEERS {
        println!(
            "  {peer:36} {seconds:>6.1} s  {:>5.1} times ours",
            seconds / slowest.as_secs_f64()
        );
    }
    let count = |calls: &BTreeMap<String, u64>| calls.values().sum::<u64>();
    println!(
        "\ncalls of an up from nothing, tries at what is not known yet among them: {}",
        count(&first_calls)
    );
    list(&first_calls);
    println!(
        "calls of an up with nothing to do: {}, none of which writes",
        count(&calls_again)
    );
    list(&calls_again);
    let writes: Vec<_> = calls_again
        .keys()
        .filter(|operation| !is_read(operation))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

fn list(calls: &BTreeMap<String, u64>) {
    for (operation, count) in calls {
        println!("  {count:>3} {operation}");
    }
}
