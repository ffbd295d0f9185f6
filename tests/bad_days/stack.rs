//! A stack in a cloud that behaves as it is told to.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use aws_config::SdkConfig;
use resizer_local::Realism;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::common::near::NearCloud;
pub use crate::common::near::{DOWN, UP};
use crate::common::{Ended, Place};
use crate::everything::everything;
use crate::mishaps::stalled;

/// Two configurations that differ in every resource that a configuration reaches.
pub const CONFIGURATIONS: [&str; 2] = [
    "",
    "[resize]\nwidth = 300\n[function]\nmemory = 512\ntimeout = 30\n[logs]\nretention_days = 30\n\
     [keys]\nprefix = \"in/\"\n[alarms]\nemail = \"ops@example.org\"\n",
];

/// How many stacks are made and removed side by side: most of their time is waiting.
const SIDE_BY_SIDE: usize = 6;

/// A stack in a cloud that behaves as it is told to.
pub struct Stack {
    pub near: NearCloud,
    pub config: SdkConfig,
    pub runtime: Runtime,
}

impl Stack {
    pub fn new() -> Self {
        let near = NearCloud::start();
        let config = near.place.sdk_config();
        Self {
            near,
            config,
            runtime: Runtime::new().unwrap(),
        }
    }

    pub fn place(&self) -> &Place {
        &self.near.place
    }

    pub fn configure(&self, configuration: usize) {
        fs::write(
            self.place().path().join("resizer.toml"),
            CONFIGURATIONS[configuration],
        )
        .unwrap();
    }

    /// All that stands, read on a good day.
    pub fn everything(&self) -> Value {
        self.near.behave(Realism::default());
        self.runtime.block_on(everything(&self.config))
    }

    /// Runs a command on a day like this, and once more on a good day if it did not come to its end.
    pub fn run_on(&self, realism: Realism, command: &[&str]) -> Ended {
        self.near.behave(realism);
        let ended = self.place().resizer(command);
        if ended.code != Some(0) {
            let ended = Ended { ..ended }.code(1).says("error: ").says("hint: ");
            self.near.behave(Realism::default());
            self.place().resizer(command).ok();
            return ended;
        }
        ended
    }

    /// The calls that a command makes on a good day.
    pub fn calls_of(&self, command: &[&str]) -> BTreeMap<String, u64> {
        self.near.behave(Realism::default());
        self.place().resizer(command).ok();
        self.near.calls()
    }

    /// Kills a command with `kill -9` right after the `call`-th call of `operation`.
    pub fn kill_at(&self, operation: &str, call: u64, command: &[&str]) {
        self.near.behave(stalled(operation, call));
        let mut running = self.place().spawn(command);
        self.near.wait_for(operation, call);
        // It is counted when it begins.
        thread::sleep(Duration::from_millis(30));
        running.kill().unwrap();
        running.wait().unwrap();
        self.near.behave(Realism::default());
    }
}

/// Does `work` for every item, on stacks that are side by side.
pub fn for_each<T: Sync>(items: &[T], work: impl Fn(&Stack, &T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE.min(items.len()) {
            scope.spawn(|| {
                let stack = Stack::new();
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(&stack, item);
                }
            });
        }
    });
}
