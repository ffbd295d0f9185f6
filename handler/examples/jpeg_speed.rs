//! How long JPEGs take, beside other decoders: `cargo run --release --example jpeg_speed -- FILE…`
//!
//! Milliseconds of CPU time on one thread, medians. `whole` is a decoder that has no scales: `zune-jpeg`, by way of `image`.
//! `benches/jpeg_peers.sh` compares with sharp and Pillow.

use std::time::Instant;

use resizer_handler::jpeg::{Jpeg, Scale};
use resizer_handler::resize::{Limits, Rendition, resize};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:<20} {:>7} {:>8} {:>13} {:>8}",
        "file", "work", "ours", "jpeg-decoder", "whole"
    );
    for path in std::env::args().skip(1) {
        let source = std::fs::read(&path)?;
        let name = path.rsplit('/').next().unwrap_or(&path);
        for scale in [Scale::Eighth, Scale::Quarter, Scale::Half, Scale::Whole] {
            let ours = median(|| ours(&source, scale).is_some());
            let theirs = median(|| theirs(&source, scale).is_some());
            let whole = match scale {
                Scale::Whole => format!("{:8.1}", median(|| image::load_from_memory(&source).is_ok())),
                _ => String::new(),
            };
            println!(
                "{name:<20} {:>5}/8 {ours:8.1} {theirs:13.1} {whole}",
                scale.side()
            );
        }
        for width in [200, 500, 1024] {
            let rendition = Rendition {
                width,
                ..Rendition::default()
            };
            let limits = Limits::default();
            let ours = median(|| resize(&source, std::slice::from_ref(&rendition), &limits).is_ok());
            println!("{name:<20} {:>7} {ours:8.1}", format!("to-{width}"));
        }
    }
    Ok(())
}

fn ours(source: &[u8], scale: Scale) -> Option<()> {
    let jpeg = Jpeg::open(source).ok()?;
    let scales = vec![scale; jpeg.frame().components.len()];
    jpeg.decode(&scales, u64::MAX).ok().map(drop)
}

fn theirs(source: &[u8], scale: Scale) -> Option<()> {
    let mut decoder = jpeg_decoder::Decoder::new(source);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    let side = |samples: u16| (usize::from(samples) * scale.side()).div_ceil(8) as u16;
    decoder.scale(side(info.width), side(info.height)).ok()?;
    decoder.decode().ok().map(drop)
}

/// NaN if the work fails.
fn median(work: impl Fn() -> bool) -> f64 {
    let start = Instant::now();
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let before = cpu_millis(start);
            let works = work();
            if works {
                cpu_millis(start) - before
            } else {
                f64::NAN
            }
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// This thread's CPU time where the kernel tells it (proc(5), schedstat), else the time since `start`.
fn cpu_millis(start: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(|| start.elapsed().as_secs_f64() * 1e3, |nanos| nanos / 1e6)
}
