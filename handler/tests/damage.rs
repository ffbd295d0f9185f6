//! Files that are cut off or broken: a reason, never half a picture and never a crash.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/corpus.rs"]
mod corpus;

use corpus::corpus;
use proptest::prelude::*;
use resizer_handler::resize::{Limits, Refusal, Rendition, Resized};

fn resize(source: &[u8]) -> Result<Resized, Refusal> {
    let small = Rendition {
        width: 32,
        ..Rendition::default()
    };
    resizer_handler::resize::resize(source, &[small], &Limits::default())
}

/// Lengths to cut a file of `length` bytes to: evenly spread, and each of the last few.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..50)
        .map(move |place| place * length / 50)
        .chain(length - 10..length)
}

#[test]
fn a_cut_jpeg_is_never_taken_for_whole() {
    // Baseline 4:2:0, progressive, baseline 4:4:4, gray, CMYK, with EXIF.
    for name in [
        "astronaut.jpg",
        "chelsea.jpg",
        "coffee.jpg",
        "gray.jpg",
        "cmyk.jpg",
        "exif-6.jpg",
    ] {
        let whole = corpus(name);
        assert!(resize(&whole).is_ok(), "{name}");
        for length in cuts(whole.len()) {
            assert!(
                resize(&whole[..length]).is_err(),
                "{name} cut to {length} of {}",
                whole.len()
            );
        }
    }
}

#[test]
fn a_cut_file_of_another_format_is_refused() {
    for name in [
        "rgba.png",
        "palette.png",
        "gray16.png",
        "lossless.webp",
        "lossy.webp",
        "photo.bmp",
        "photo.tif",
    ] {
        let whole = corpus(name);
        for length in cuts(whole.len()).filter(|length| *length < whole.len() * 98 / 100) {
            assert!(
                resize(&whole[..length]).is_err(),
                "{name} cut to {length} of {}",
                whole.len()
            );
        }
    }
}

#[test]
fn the_reason_names_the_damage() {
    let reason = |name| resize(&corpus(name)).unwrap_err();
    assert!(matches!(
        reason("bad-truncated.jpg"),
        Refusal::Damaged { format: "JPEG", .. }
    ));
    assert_eq!(
        reason("bad-crc.png").to_string(),
        "the PNG image is damaged or cut off: it breaks the rules of its format: Unknown filter \
         method 25"
    );
    let rgba = corpus("rgba.png");
    assert_eq!(
        resize(&rgba[..rgba.len() / 2]).unwrap_err().to_string(),
        "the PNG image is damaged or cut off: the file ends before the picture does"
    );
    assert_eq!(
        reason("bad-truncated.jpg").to_string(),
        "the JPEG image is damaged or cut off: the file ends before its end marker"
    );
}

#[test]
fn bytes_after_the_end_of_a_jpeg_do_no_harm() {
    let mut source = corpus("rocket.jpg");
    source.extend_from_slice(b"appended by a camera \xff\xd8\xff");
    assert!(resize(&source).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_never_crash_the_function(
        name in prop::sample::select(vec![
            "exif-6.jpg", "chelsea.jpg", "cmyk.jpg", "palette.png", "lossy.webp", "animated.gif", "photo.bmp", "photo.tif",
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut source = corpus(name);
        for (place, byte) in changes {
            let place = place.index(source.len().min(4096));
            source[place] = byte;
        }
        // Either way it answers.
        let _ = resize(&source);
    }
}
