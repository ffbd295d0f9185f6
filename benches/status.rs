//! How fast `status` answers where there is much to look through: `cargo bench --bench status`.
//!
//! A local cloud that holds 100,000 executions of the last day, each with its history in CloudWatch Logs and its function's
//! lines: two that really ran, one that succeeded and one that failed, told again and again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Place, corpus, sample};
use rusqlite::Connection;

const EXECUTIONS: i64 = 100_000;
/// One of so many fails.
const FAILING: i64 = 20;
/// Runs of each command; the median counts.
const RUNS: usize = 5;

fn main() {
    let place = Place::with_stack();
    let invoke = |file: &std::path::Path| {
        place.resizer(&["invoke", "--local", "--file", file.to_str().unwrap()]);
    };
    invoke(&sample("rocket.jpg"));
    invoke(&corpus("bad-html.png"));
    place.resizer(&["local", "stop"]).ok();
    let began = Instant::now();
    multiply(&Connection::open(place.path().join(".resizer/local/cloud.db")).unwrap());
    println!("{EXECUTIONS} executions written in {:.0?}\n", began.elapsed());
    place.resizer(&["local", "env"]).ok();

    assert_finds(&place, &["--since", "1d"], 10);
    assert_finds(
        &place,
        &["--since", "1d", "--limit", "1200"],
        EXECUTIONS as usize / 100,
    );
    println!("{:<58} {:>8} {:>10}", "", "median", "memory");
    let name = "load-050001";
    for args in [
        &["status", "--local"][..],
        &["status", "--local", "--failed"],
        &["status", "--local", "--key", "load/99", "--since", "1d"],
        &["status", "--local", "--key", "nowhere/", "--since", "1h"],
        &["status", "--local", "--key", "nowhere/", "--since", "1d"],
        &["status", "--local", "--key", "nowhere/"],
        &["status", "--local", "--limit", "1000"],
        &["status", "--local", "--execution", &format!("{name}-a")],
        &["status", "--local", "--execution", name],
    ] {
        let mut runs: Vec<_> = (0..RUNS).map(|_| measured(&place, args)).collect();
        runs.sort();
        let (time, _) = runs[RUNS / 2];
        let memory = runs.iter().map(|(_, memory)| *memory).max().unwrap();
        let command = format!("resizer {}", args.join(" "));
        println!("{command:<58} {time:>8.2?} {:>6.1} MiB", memory as f64 / 1024.0);
    }
}

/// That the look-up by key, with `more`, finds so many executions, none of which is for another key.
fn assert_finds(place: &Place, more: &[&str], found: usize) {
    let status = place.json(&[&["status", "--local", "--key", "load/99"], more].concat());
    let executions = status["executions"].as_array().unwrap();
    assert_eq!(executions.len(), found);
    assert!(
        executions
            .iter()
            .all(|execution| execution["key"] == "load/99.jpg")
    );
    assert_eq!(status["executions_missing"].as_array().unwrap().len(), 0);
}

/// How long a run took, and the most memory it had at any time, in KiB.
fn measured(place: &Place, args: &[&str]) -> (Duration, u64) {
    let began = Instant::now();
    let mut run = place.command(args).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", run.id());
    let mut most = 0;
    loop {
        // The kernel keeps the highest value itself: the last look is at most a millisecond old.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let highest = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        most = most.max(highest.unwrap_or(0));
        if let Some(ended) = run.try_wait().unwrap() {
            assert!(ended.success(), "{args:?}");
            return (began.elapsed(), most);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Tells the newest execution that succeeded, and the newest that failed, again and again, over a day.
fn multiply(db: &Connection) {
    db.execute_batch(&format!(
        "BEGIN;
         CREATE TEMP TABLE base AS
             SELECT (status = 'FAILED') AS failed, json_extract(input, '$.key') AS key, * FROM executions WHERE status IN ('SUCCEEDED', 'FAILED');
         CREATE TEMP TABLE load (n INTEGER PRIMARY KEY, failed, name, later);
         WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < {EXECUTIONS})
         INSERT INTO load
             SELECT n, n % {FAILING} = 0, printf('load-%06d-a', n),
                    ({EXECUTIONS} - n) * -86400000 / {EXECUTIONS}
             FROM count;
         INSERT INTO executions (machine, name, revision, status, input, started, stopped, output, error, cause, run)
             SELECT machine, load.name, revision, status, json_set(input, '$.key', printf('load/%d.jpg', n % 100)),
                    started + later, stopped + later, output, error, cause, run
             FROM load JOIN base USING (failed) ORDER BY n;
         CREATE TEMP TABLE lines AS
             SELECT base.failed, base.name, base.key, stream, time, ingested, message
             FROM log_events JOIN base
             ON instr(message, base.name) OR (time BETWEEN base.started AND base.stopped AND NOT instr(message, 'execution_arn'));
         INSERT INTO log_events (stream, time, ingested, message)
             SELECT stream, time + later, ingested + later, replace(replace(message, lines.name, load.name), lines.key, printf('load/%d.jpg', n % 100))
             FROM load JOIN lines USING (failed) ORDER BY n;
         WITH RECURSIVE minutes(back) AS (SELECT 1 UNION ALL SELECT back + 1 FROM minutes WHERE back < 1400)
         INSERT OR IGNORE INTO metric_minutes
             SELECT namespace, metric, dimensions, unit, minute - 60 * back, aggregate FROM metric_minutes, minutes;
         COMMIT;"
    ))
    .unwrap();
    let told: i64 = db
        .query_row("SELECT count(*) FROM executions", [], |row| row.get(0))
        .unwrap();
    assert_eq!(told, EXECUTIONS + 2);
}
