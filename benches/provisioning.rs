//! How long `up` and `down` take on a cloud far away: `cargo bench --bench provisioning`.
//!
//! The local cloud behaves like AWS: each call takes its time, a role is not known for some seconds, a new function is
//! `Pending`, API Gateway keeps its quotas. What a run takes is set against the longest way through the graph that `resizer
//! graph` draws, which no order of the same calls could beat; a call is counted once, and each wait at its length.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::Place;
use common::near::{DOWN, NearCloud, UP, is_read};
use resizer_local::Realism;
use serde_json::Value;

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
}

/// How many calls, one after the other, a resource takes of a kind, or with an id; a look is what finds that it is done.
struct Depth {
    kind: &'static str,
    /// To read it where it stands. What is not there is told by the first.
    read: u64,
    /// To make it, with the look; of what is waited for, up to the call that waits.
    make: u64,
    /// To remove it, with the look.
    remove: u64,
}

/// The buckets' ids come first: one of them has to be told whom to tell, which is read and put.
const DEPTHS: [Depth; 9] = [
    // Made, a look, whom it tells, its public access, a look; half uploads, objects, the bucket, a look.
    Depth {
        kind: "original_bucket",
        read: 1,
        make: 6,
        remove: 4,
    },
    Depth {
        kind: "resized_bucket",
        read: 1,
        make: 4,
        remove: 4,
    },
    // Made, its retention, a look.
    Depth {
        kind: "log group",
        read: 1,
        make: 3,
        remove: 2,
    },
    // Made, its policies, a look; its policies, their removal, its own, a look.
    Depth {
        kind: "role",
        read: 1,
        make: 3,
        remove: 4,
    },
    // Made; the look waits until it is ready.
    Depth {
        kind: "function",
        read: 1,
        make: 1,
        remove: 2,
    },
    // Its executions, its removal; the look waits until it is gone.
    Depth {
        kind: "state machine",
        read: 1,
        make: 2,
        remove: 2,
    },
    // Made, its target, a look; its targets, their removal, its own, a look.
    Depth {
        kind: "rule",
        read: 1,
        make: 3,
        remove: 4,
    },
    // Found, its stage, the stage's deployment; made, defined, deployed, and all of that.
    Depth {
        kind: "REST API",
        read: 3,
        make: 6,
        remove: 2,
    },
    Depth {
        kind: "dashboard",
        read: 1,
        make: 2,
        remove: 2,
    },
];

/// The stack's resources, as `resizer graph` has them.
struct Graph {
    depths: BTreeMap<String, &'static Depth>,
    uses: Vec<(String, String)>,
    acts_on: Vec<(String, String)>,
}

impl Graph {
    fn drawn() -> Self {
        let document = Place::new().json(&["graph"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let depth = |resource: &Value| {
            let is_its = |depth: &&Depth| {
                [&resource["id"], &resource["kind"]]
                    .iter()
                    .any(|of| **of == depth.kind)
            };
            let depth = DEPTHS.iter().find(is_its);
            (
                text(&resource["id"]),
                depth.unwrap_or_else(|| panic!("no depth of {resource}")),
            )
        };
        let edges = |kind: &str| {
            let edges = document["edges"].as_array().unwrap().iter();
            let edges = edges.filter(|edge| edge["type"] == kind);
            edges
                .map(|edge| (text(&edge["from"]), text(&edge["to"])))
                .collect()
        };
        Self {
            depths: document["resources"]
                .as_array()
                .unwrap()
                .iter()
                .map(depth)
                .collect(),
            uses: edges("uses"),
            acts_on: edges("acts_on"),
        }
    }

    /// When a resource stands, in milliseconds since the first step. Whoever acts under a role has to wait until that is known
    /// from the call on that made it.
    fn stands(&self, id: &str, day: &Realism) -> u64 {
        let depth = self.depths[id];
        let begins = self.begins(id, day);
        let acts = ["function", "state machine"].contains(&depth.kind);
        let roles = self.used(id).filter(|used| self.depths[*used].kind == "role");
        let known = roles.map(|role| self.begins(role, day) + day.latency + day.propagation);
        let known = known.max().filter(|_| acts).unwrap_or_default();
        let made = (begins + day.latency).max(known);
        let ready = made + (depth.make - 1) * day.latency;
        if depth.kind == "function" {
            ready + day.function.max(day.latency)
        } else {
            ready
        }
    }

    /// When its step begins: when all that it uses stands.
    fn begins(&self, id: &str, day: &Realism) -> u64 {
        let used = self.used(id);
        used.map(|used| self.stands(used, day)).max().unwrap_or_default()
    }

    fn used<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        let uses = self.uses.iter().filter(move |(from, _)| from == id);
        uses.map(|(_, to)| to.as_str())
    }

    /// When a resource is gone, in milliseconds since the first step: after all that uses it or acts on it.
    fn is_gone(&self, id: &str, day: &Realism) -> u64 {
        let depth = self.depths[id];
        let users = self.uses.iter().chain(&self.acts_on).filter(|(_, to)| to == id);
        let begins = users.map(|(from, _)| self.is_gone(from, day)).max();
        let gone = begins.unwrap_or_default() + depth.remove * day.latency;
        if depth.kind == "state machine" {
            gone + day.state_machine_deletion.max(day.latency)
        } else {
            gone
        }
    }

    fn longest(&self, one: impl Fn(&str) -> u64) -> u64 {
        self.depths.keys().map(|id| one(id)).max().unwrap_or_default()
    }

    /// The longest way through an `up` from nothing, in milliseconds: who we are, that nothing is there, and every step.
    fn longest_up(&self, day: &Realism) -> u64 {
        2 * day.latency + self.longest(|id| self.stands(id, day))
    }

    /// Through a plan where everything stands: who we are, and the deepest reading.
    fn longest_plan(&self, day: &Realism) -> u64 {
        (1 + self.longest(|id| self.depths[id].read)) * day.latency
    }

    /// Through a `down`: a plan, what is in the buckets, every step, and the last look.
    fn longest_down(&self, day: &Realism) -> u64 {
        self.longest_plan(day) + 2 * day.latency + self.longest(|id| self.is_gone(id, day))
    }
}

fn main() {
    let graph = Graph::drawn();
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
        let realism = day.realism();
        let ways = [
            graph.longest_up(&realism),
            graph.longest_plan(&realism),
            graph.longest_plan(&realism),
            graph.longest_down(&realism),
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
