//! Decode, resize, encode: whatever the bytes are, an answer, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resizer_handler::resize::{Fit, Limits, OutputFormat, Rendition, resize};

fuzz_target!(|source: &[u8]| {
    let limits = Limits {
        pixels: 1_000_000,
        frames: 100,
        memory: 64 << 20,
        ..Limits::default()
    };
    let renditions = [
        Rendition {
            width: 40,
            ..Rendition::default()
        },
        Rendition {
            width: 16,
            height: Some(24),
            fit: Fit::Cover,
            format: OutputFormat::Auto,
            ..Rendition::default()
        },
        Rendition {
            width: 9,
            format: OutputFormat::Png,
            ..Rendition::default()
        },
        Rendition {
            width: 12,
            format: OutputFormat::Keep,
            animated: true,
            ..Rendition::default()
        },
    ];
    if let Ok(resized) = resize(source, &renditions, &limits) {
        assert_eq!(resized.pictures.len(), renditions.len());
        for picture in resized.pictures {
            assert!(picture.size.width > 0 && picture.size.height > 0 && !picture.bytes.is_empty());
        }
    }
});
