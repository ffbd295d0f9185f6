//! How fast the local cloud carries an object from its upload to its result: `cargo bench --bench pipeline`.
//!
//! The real `resizer`, its local cloud, and as the function a real `bootstrap` process that copies the object
//! (`handler/examples/copy.rs`): everything but the image work. MiniStack carries the same objects with the same process
//! in turn with us, where Python and PyPI are at hand; LocalStack needs Docker: its figures are those published.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/common/mod.rs"]
mod common;
mod ministack;

use std::io::{Cursor, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use common::Place;
use futures_util::StreamExt;
use futures_util::stream;
use ministack::MiniStack;
use serde_json::Value;

const STARTS: usize = 9;
const ONE_BY_ONE: usize = 200;
/// Rounds of many at once, since these machines are noisy; and how many a round.
const ROUNDS: usize = 5;
const AT_ONCE: usize = 1500;
/// The peer takes some ten times as long for each.
const PEERS_ONE_BY_ONE: usize = ONE_BY_ONE / 10;
const PEERS_AT_ONCE: usize = AT_ONCE / 10;
const UPLOADERS: usize = 32;

/// Between two looks for a result, where one waits for just that.
const OFTEN: Duration = Duration::from_millis(1);
/// And where thousands are under way: to look takes from the same two cores.
const RARELY: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() {
    let place = Place::new();
    let zip = zipped(&copying_bootstrap());
    std::fs::write(place.path().join("copy.zip"), &zip).unwrap();

    let start = median(&(0..STARTS).map(|_| start()).collect::<Vec<_>>());
    let up = timed(|| place.json(&["up", "--local", "--handler-zip", "copy.zip"]));
    let again = timed(|| place.json(&["up", "--local", "--handler-zip", "copy.zip"]));
    let outputs = place.outputs();
    let ours = Pipeline::new(place.s3(), &outputs);
    ours.carry("warm").await;
    let idle = memory(&place);

    let config = place.sdk_config();
    let ministack = MiniStack::start(&config);
    let peer = match &ministack {
        Ok(ministack) => {
            ministack.take_over(&config, &outputs, &zip).await;
            let peer = Pipeline::new(ministack.s3(), &outputs);
            peer.carry("warm").await;
            Ok(peer)
        }
        Err(why) => Err(why),
    };

    let (mut here, mut there) = (Seen::default(), Seen::default());
    here.times = ours.carry_one_by_one(ONE_BY_ONE).await;
    if let Ok(peer) = &peer {
        there.times = peer.carry_one_by_one(PEERS_ONE_BY_ONE).await;
    }
    for round in 0..ROUNDS {
        here.rates.push(ours.carry_many(round, AT_ONCE).await);
        if let Ok(peer) = &peer {
            there.rates.push(peer.carry_many(round, PEERS_AT_ONCE).await);
        }
    }
    let loaded = memory(&place);
    let down = timed(|| place.json(&["down", "--local", "--yes"]));

    println!(
        "PutObject to result, copying function        median        p95    objects/s: median, highest of {ROUNDS}"
    );
    here.print("resizer --local");
    match peer {
        Ok(_) => {
            there.print(&format!("MiniStack {}", ministack::VERSION));
            here.print_beside(&there);
        }
        Err(why) => println!("  MiniStack was not measured: {why}"),
    }
    println!("  LocalStack 4.14 (published)            267–324   ms          –         4.3");
    println!();
    println!(
        "start {start:.0?}, up {up:.0?}, up again {again:.0?}, down with {} objects {down:.0?}",
        ROUNDS * AT_ONCE
    );
    println!("memory of the local cloud: {idle:.0} MiB idle, {loaded:.0} MiB after the load");
}

/// What was measured of one pipeline.
#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    /// Objects a second.
    rates: Vec<f64>,
}

impl Seen {
    fn print(&self, name: &str) {
        let milliseconds = |percent| at(percent, &self.times).as_secs_f64() * 1000.0;
        println!(
            "  {name:<38} {:>8.1} ms  {:>6.1} ms  {:>9.0}  {:>7.0}",
            milliseconds(50),
            milliseconds(95),
            median(&self.rates),
            self.rates.iter().copied().fold(0.0, f64::max),
        );
    }

    fn print_beside(&self, peer: &Self) {
        println!(
            "  ratio                                    {:>6.3}                    {:>9.1}",
            median(&self.times).as_secs_f64() / median(&peer.times).as_secs_f64(),
            median(&self.rates) / median(&peer.rates),
        );
    }
}

fn median<T: PartialOrd + Copy>(all: &[T]) -> T {
    at(50, all)
}

/// The one that so many percent are not above; there has to be one.
fn at<T: PartialOrd + Copy>(percent: usize, all: &[T]) -> T {
    let mut sorted = all.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap());
    sorted[sorted.len() * percent / 100]
}

struct Pipeline {
    s3: Client,
    original: String,
    resized: String,
}

impl Pipeline {
    fn new(s3: Client, outputs: &Value) -> Self {
        let bucket = |output: &str| outputs[output].as_str().unwrap().to_owned();
        Self {
            s3,
            original: bucket("original_bucket"),
            resized: bucket("resized_bucket"),
        }
    }

    async fn put(&self, key: String) {
        let put = self.s3.put_object().bucket(&self.original).key(key + ".jpg");
        put.body(ByteStream::from_static(&[7; 4096]))
            .send()
            .await
            .unwrap();
    }

    /// Looks for a result until it is there.
    async fn result(&self, key: &str, pause: Duration) {
        let key = format!("output/{key}_resized.jpg");
        while self
            .s3
            .head_object()
            .bucket(&self.resized)
            .key(&key)
            .send()
            .await
            .is_err()
        {
            tokio::time::sleep(pause).await;
        }
    }

    /// Uploads many from several clients at once: objects a second, until the last result is there.
    async fn carry_many(&self, round: usize, objects: usize) -> f64 {
        let key = |n: usize| format!("many/{round}/{n}");
        let began = Instant::now();
        stream::iter(0..objects)
            .for_each_concurrent(UPLOADERS, |n| self.put(key(n)))
            .await;
        for n in 0..objects {
            self.result(&key(n), RARELY).await;
        }
        objects as f64 / began.elapsed().as_secs_f64()
    }

    async fn carry_one_by_one(&self, objects: usize) -> Vec<Duration> {
        let mut times = Vec::new();
        for n in 0..objects {
            times.push(self.carry(&format!("one/{n}")).await);
        }
        times
    }

    /// From before the upload until the result is there.
    async fn carry(&self, key: &str) -> Duration {
        let began = Instant::now();
        self.put(key.to_owned()).await;
        self.result(key, OFTEN).await;
        began.elapsed()
    }
}

fn timed(work: impl FnOnce() -> Value) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// Builds `handler/examples/copy.rs` as the function is built for Lambda.
fn copying_bootstrap() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells the benchmark of its own package would build anew what looks at it (ring), every time.
    for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_")) {
        cargo.env_remove(variable);
    }
    let built = cargo
        .args([
            "build",
            "--release",
            "--package",
            "resizer-handler",
            "--example",
            "copy",
        ])
        .args(["--config", "src/package/profile/lambda.toml"])
        // Apart, or it would take the place of what is built with the workspace's own profile.
        .args(["--target-dir", "target/lambda"])
        .current_dir(root)
        .status()
        .unwrap();
    assert!(built.success());
    std::fs::read(root.join("target/lambda/release/examples/copy")).unwrap()
}

fn zipped(bootstrap: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(bootstrap).unwrap();
    zip.finish().unwrap().into_inner()
}

/// From the start of the server's process, on an empty folder, until it answers.
fn start() -> Duration {
    let place = Place::new();
    let data_dir = place.path().join(".resizer/local");
    let began = Instant::now();
    let mut server = place.spawn(&["local", "serve"]);
    while !data_dir.join("endpoint.json").exists() || !answers(&place.endpoint()) {
        std::thread::sleep(Duration::from_micros(200));
    }
    let took = began.elapsed();
    place.resizer(&["local", "stop"]).ok();
    server.wait().unwrap();
    took
}

fn answers(endpoint: &Value) -> bool {
    let address = endpoint["url"].as_str().unwrap().trim_start_matches("http://");
    TcpStream::connect(address).is_ok()
}

/// MiB of resident memory of the server's process, from `/proc`.
fn memory(place: &Place) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", place.endpoint()["pid"])).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
