//! Whatever the bytes are, an answer, in little time and memory: each file of the corpus cut at 200 places, 10,000
//! mutations, and what was made to cost much. A sample runs with the other tests, all of it with `RESIZER_BAD_DAYS=all`. Alone in its process, of which it
//! reads the memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/bombs.rs"]
mod bombs;
#[path = "common/corpus.rs"]
mod corpus;

use std::fs;
use std::path::Path;
use std::time::Duration;

use bombs::bombs;
use corpus::corpus;
use resizer_handler::resize::{Limits, OutputFormat, Refusal, Rendition, Resized, resize};

/// CPU time that nothing may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// What the work may take: a function of 192 MiB has as much.
const MEMORY: u64 = 128 << 20;

/// The most that one source took.
#[derive(Default)]
struct Worst {
    /// Of the process before the first, in bytes.
    memory_before: u64,
    sources: usize,
    refused: usize,
    crashed: Vec<String>,
    time: (Duration, String),
    /// Bytes, with the source.
    memory: (u64, String),
}

impl Worst {
    fn try_out(&mut self, name: &str, source: &[u8]) -> Result<Resized, Refusal> {
        begin_memory();
        let time_before = cpu_time();
        let limits = Limits {
            memory: MEMORY,
            ..Limits::default()
        };
        let small = Rendition {
            width: 100,
            ..Rendition::default()
        };
        let moving = Rendition {
            width: 50,
            format: OutputFormat::Keep,
            animated: true,
            ..Rendition::default()
        };
        let resized = resize(source, &[small, moving], &limits);
        let time = cpu_time() - time_before;
        let memory = (peak_memory() + source.len() as u64).saturating_sub(self.memory_before);
        self.sources += 1;
        self.refused += usize::from(resized.is_err());
        if resized == Err(Refusal::DecoderCrashed) {
            self.crashed.push(name.to_owned());
        }
        if time > self.time.0 {
            self.time = (time, name.to_owned());
        }
        if memory > self.memory.0 {
            self.memory = (memory, name.to_owned());
        }
        assert!(time < TIME_MAX, "{name} took {time:?}");
        assert!(memory < MEMORY, "{name} took {memory} bytes");
        resized
    }
}

#[test]
fn any_bytes_are_answered_in_little_time_and_memory() {
    let all = std::env::var("RESIZER_BAD_DAYS").is_ok_and(|days| days == "all");
    let (places, mutations) = if all { (200, 10_000) } else { (3, 100) };
    let sources = sources();
    let mut worst = Worst {
        memory_before: peak_memory(),
        ..Worst::default()
    };
    for (name, source) in &sources {
        let _ = worst.try_out(name, source);
        for place in 0..places {
            let length = place * source.len() / places;
            let _ = worst.try_out(&format!("{name} cut to {length}"), &source[..length]);
        }
    }
    // As large ones do not show more, and take longer.
    let small: Vec<_> = sources
        .iter()
        .filter(|(_, source)| (1..1 << 20).contains(&source.len()))
        .collect();
    let mut dice = Dice(0x5eed);
    for number in 0..mutations {
        let (name, source) = small[dice.below(small.len())];
        let mut source = source.clone();
        mutate(&mut source, &mut dice);
        let _ = worst.try_out(&format!("mutation {number}, of {name}"), &source);
    }
    for bomb in bombs() {
        begin_memory();
        worst.memory_before = peak_memory();
        let outcome = worst.try_out(bomb.name, &bomb.source);
        let refusal = outcome.err().map(|refusal| refusal.to_string());
        let is_as_expected = match (&refusal, bomb.refused) {
            (Some(refusal), Some(words)) => refusal.contains(words),
            (refusal, words) => refusal.is_none() == words.is_none(),
        };
        assert!(is_as_expected, "{}: {refusal:?}", bomb.name);
    }
    println!(
        "{} sources, {} refused; most time: {:?}, {}; most memory: {} KiB, {}",
        worst.sources,
        worst.refused,
        worst.time.0,
        worst.time.1,
        worst.memory.0 >> 10,
        worst.memory.1
    );
    assert!(worst.crashed.is_empty(), "crashed a decoder: {:?}", worst.crashed);
}

/// The files of the corpus, and of each kind of each format.
fn sources() -> Vec<(String, Vec<u8>)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut sources = Vec::new();
    for folder in ["corpus", "kinds"] {
        for entry in fs::read_dir(tests.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_picture = [".py", ".md", ".json"].iter().all(|other| !name.ends_with(other));
            if is_picture {
                let source = corpus(&format!("../{folder}/{name}"));
                sources.push((format!("{folder}/{name}"), source));
            }
        }
    }
    sources.sort();
    sources
}

/// Changes up to 20 bytes, mostly where headers are, and sometimes removes or repeats a piece.
fn mutate(source: &mut Vec<u8>, dice: &mut Dice) {
    let length = source.len();
    let reach = if dice.below(4) == 0 {
        length
    } else {
        length.min(600)
    };
    for _ in 0..1 + dice.below(20) {
        source[dice.below(reach)] = match dice.below(4) {
            0 => 0,
            1 => u8::MAX,
            _ => dice.below(256) as u8,
        };
    }
    let from = dice.below(length);
    let to = from + dice.below(length - from);
    match dice.below(8) {
        0 => drop(source.drain(from..to)),
        1 => source.extend_from_within(from..to),
        _ => {}
    }
}

/// Numbers by chance, the same in each run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn cpu_time() -> Duration {
    let status = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(status.split(' ').next().unwrap().parse().unwrap())
}

/// Sets the peak of the memory back to what there is now.
fn begin_memory() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// The most memory of the process since, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
