//! How fast the local cloud carries an object from its upload to its result: `cargo bench --bench pipeline`.
//!
//! The real `resizer`, its local cloud, and as the function a real `bootstrap` process that copies the object
//! (`handler/examples/copy.rs`): everything but the image work. The peers' figures are those measured with the same
//! flow and a copying function on two cores; they are printed beside ours, not measured again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/common/mod.rs"]
mod common;

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
use serde_json::Value;

const STARTS: usize = 9;
const ONE_BY_ONE: usize = 200;
/// Rounds of many at once, since these machines are noisy; and how many a round.
const ROUNDS: usize = 5;
const AT_ONCE: usize = 1500;
const UPLOADERS: usize = 32;

/// Between two looks for a result, where one waits for just that.
const OFTEN: Duration = Duration::from_millis(1);
/// And where thousands are under way: to look takes from the same two cores.
const RARELY: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() {
    let place = Place::new();
    let zip = place.path().join("copy.zip");
    std::fs::write(&zip, zipped(&copying_bootstrap())).unwrap();

    let mut starts: Vec<Duration> = (0..STARTS).map(|_| start()).collect();
    starts.sort();
    let start = starts[STARTS / 2];

    let up = timed(|| place.json(&["up", "--local", "--handler-zip", "copy.zip"]));
    let again = timed(|| place.json(&["up", "--local", "--handler-zip", "copy.zip"]));
    let outputs = place.outputs();
    let pipeline = Pipeline {
        s3: place.s3(),
        original: outputs["original_bucket"].as_str().unwrap().to_owned(),
        resized: outputs["resized_bucket"].as_str().unwrap().to_owned(),
    };
    pipeline.carry("warm").await;
    let idle = memory(&place);

    let mut times = Vec::new();
    for n in 0..ONE_BY_ONE {
        times.push(pipeline.carry(&format!("one/{n}")).await);
    }
    times.sort();

    let mut rates = Vec::new();
    for round in 0..ROUNDS {
        rates.push(pipeline.carry_many(round).await);
    }
    rates.sort_by(f64::total_cmp);
    let (rate, highest) = (rates[ROUNDS / 2], rates[ROUNDS - 1]);
    let loaded = memory(&place);
    let down = timed(|| place.json(&["down", "--local", "--yes"]));

    let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1000.0;
    println!(
        "PutObject to result, copying function        median        p95    objects/s: median, highest of {ROUNDS}"
    );
    println!(
        "  resizer --local                          {:>6.1} ms  {:>6.1} ms  {rate:>9.0}  {highest:>7.0}",
        at(50),
        at(95)
    );
    println!("  MiniStack (published)                     217   ms          –         70");
    println!("  LocalStack 4.14 (published)            267–324   ms          –        4.3");
    println!();
    println!(
        "start {start:.0?}, up {up:.0?}, up again {again:.0?}, down with {} objects {down:.0?}",
        ROUNDS * AT_ONCE
    );
    println!("memory of the local cloud: {idle:.0} MiB idle, {loaded:.0} MiB after the load");
}

struct Pipeline {
    s3: Client,
    original: String,
    resized: String,
}

impl Pipeline {
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
    async fn carry_many(&self, round: usize) -> f64 {
        let key = |n: usize| format!("many/{round}/{n}");
        let began = Instant::now();
        stream::iter(0..AT_ONCE)
            .for_each_concurrent(UPLOADERS, |n| self.put(key(n)))
            .await;
        for n in 0..AT_ONCE {
            self.result(&key(n), RARELY).await;
        }
        AT_ONCE as f64 / began.elapsed().as_secs_f64()
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
