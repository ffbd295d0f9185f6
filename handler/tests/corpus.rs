//! Every image of the corpus: `corpus/expected.json` says what must come of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::borrow::Cow;
use std::time::Instant;

use common::{corpus, decode, resized};
use resizer_handler::resize::{Limits, OutputFormat, Refusal, Rendition, Size, resize};
use serde_json::Value;

#[test]
fn every_image_of_the_corpus_comes_out_upright_or_is_refused_with_a_reason() {
    let expected: Value = serde_json::from_slice(&corpus("expected.json")).unwrap();
    for (name, facts) in expected.as_object().unwrap() {
        let result = resize(&corpus(name), &[Rendition::default()], &Limits::default());
        // Where the corpus leaves it open, AVIF, this function has no decoder.
        if facts["ok"] != true {
            let reason = result.expect_err(name).to_string();
            assert!(reason.len() > 15, "{name}: {reason}");
            continue;
        }
        let made = result.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let resized = &made.pictures[0];
        let side = |field: &str| u32::try_from(facts[field].as_u64().unwrap()).unwrap();
        let (width, height) = (side("upright_width"), side("upright_height"));
        assert_eq!(made.source_size, Size { width, height }, "{name}");

        let scale = (500.0 / f64::from(width)).min(1.0);
        let height = ((f64::from(height) * scale).round() as u32).max(1);
        assert_eq!(
            resized.size,
            Size {
                width: width.min(500),
                height
            },
            "{name}"
        );

        let picture = decode(&resized.bytes);
        assert_eq!(
            (picture.width(), picture.height()),
            (resized.size.width, resized.size.height),
            "{name}"
        );
        assert_eq!(
            image::guess_format(&resized.bytes).unwrap(),
            image::ImageFormat::Jpeg,
            "{name}"
        );
    }
}

#[test]
fn an_avif_has_the_picture_s_size_its_alpha_and_the_same_bytes_each_time() {
    for (name, has_alpha) in [
        ("rocket.jpg", false),
        ("rgba.png", true),
        ("gray.jpg", false),
        ("animated.gif", false),
    ] {
        let rendition = Rendition {
            width: 60,
            format: OutputFormat::Avif,
            ..Rendition::default()
        };
        let made = || resized(&corpus(name), &rendition).unwrap();
        let avif = made();
        assert_eq!(&avif.bytes[4..12], b"ftypavif", "{name}");
        // The box `ispe`: version and flags, width, height (ISO/IEC 23008-12, 6.5.3).
        let at = |what: &[u8]| avif.bytes.windows(what.len()).position(|window| window == what);
        let sides = at(b"ispe").unwrap() + 8;
        let side = |at: usize| u32::from_be_bytes(avif.bytes[at..at + 4].try_into().unwrap());
        let size = (side(sides), side(sides + 4));
        assert_eq!(size, (avif.size.width, avif.size.height), "{name}");
        assert_eq!(size.0, 60, "{name}");
        assert_eq!(
            at(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha").is_some(),
            has_alpha,
            "{name}"
        );
        assert!(made().bytes == avif.bytes, "{name}");
    }
}

#[test]
fn an_avif_too_large_for_the_memory_is_not_begun() {
    let rendition = Rendition {
        width: 1024,
        enlarge: true,
        format: OutputFormat::Avif,
        ..Rendition::default()
    };
    let limits = Limits {
        memory: 128 << 20,
        ..Limits::default()
    };
    let refusal = resize(&corpus("rocket.jpg"), &[rendition], &limits).unwrap_err();
    let refusal = refusal.to_string();
    assert!(
        refusal.starts_with("resizing the JPEG image takes up to 1"),
        "{refusal}"
    );
    assert!(
        refusal.ends_with("there are 128 MiB for it; function.memory gives it more"),
        "{refusal}"
    );
}

#[test]
fn a_frame_larger_than_its_gif_keeps_to_the_limits_too() {
    let mut encoder = gif::Encoder::new(Vec::new(), 10, 10, &[0, 0, 0, 255, 255, 255]).unwrap();
    let frame = gif::Frame {
        width: 700,
        height: 700,
        buffer: Cow::Owned(vec![0; 700 * 700]),
        ..gif::Frame::default()
    };
    encoder.write_frame(&frame).unwrap();
    let source = encoder.into_inner().unwrap();
    let refusal = |limits: Limits| resize(&source, &[Rendition::default()], &limits).unwrap_err();
    let of_pixels = refusal(Limits {
        pixels: 400_000,
        ..Limits::default()
    });
    assert!(
        matches!(of_pixels, Refusal::TooManyPixels { width: 700, .. }),
        "{of_pixels}"
    );
    let of_memory = refusal(Limits {
        memory: 2_000_000,
        ..Limits::default()
    });
    assert!(matches!(of_memory, Refusal::TooMuchMemory { .. }), "{of_memory}");
}

#[test]
fn an_avif_that_cannot_be_written_in_time_is_not_begun() {
    let rendition = Rendition {
        width: 2000,
        enlarge: true,
        format: OutputFormat::Avif,
        ..Rendition::default()
    };
    let limits = Limits {
        deadline: Some(Instant::now() + std::time::Duration::from_millis(1500)),
        memory: 4 << 30,
        ..Limits::default()
    };
    let refusal = resize(&corpus("rocket.jpg"), &[rendition], &limits).unwrap_err();
    assert_eq!(refusal, Refusal::TimeUp { stage: "encode" });
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    let once = || {
        resized(&corpus("rocket.jpg"), &Rendition::default())
            .unwrap()
            .bytes
    };
    assert_eq!(once(), once());
}

#[test]
fn a_refusal_says_what_the_object_is_instead() {
    let reason = |name| {
        resized(&corpus(name), &Rendition::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(reason("bad-empty.jpg"), "the object is empty (0 bytes)");
    assert_eq!(
        reason("bad-svg.svg"),
        "not an image that can be read here (JPEG, PNG, WebP, GIF, TIFF or BMP): the content starts with \"<svg xmlns=\\\"http\""
    );
    assert_eq!(
        reason("photo.avif"),
        "AVIF images are not supported: export it as JPEG, PNG, WebP, GIF, TIFF or BMP"
    );
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let refusal = |name| resized(&corpus(name), &Rendition::default()).unwrap_err();
    let limit = 50_000_000;
    let bomb = Refusal::TooManyPixels {
        width: 60_000,
        height: 60_000,
        limit,
    };
    assert_eq!(refusal("bad-bomb-60000x60000.png"), bomb);
    assert_eq!(
        bomb.to_string(),
        "the image is 60000x60000, 3600000000 pixels, more than the limit of 50000000 pixels for a source (limits.pixels)"
    );
    let lie = Refusal::TooManyPixels {
        width: 65_500,
        height: 65_500,
        limit,
    };
    assert_eq!(refusal("bad-header-65500x65500.jpg"), lie);
}

#[test]
fn each_limit_is_named_when_it_is_passed() {
    let reason = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        let renditions = [Rendition::default()];
        resize(&corpus("rgba.png"), &renditions, &limits)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        reason(|limits| limits.source_bytes = 100_000),
        "the object has 492424 bytes, more than the limit of 100000 bytes for a source (limits.source_bytes)"
    );
    assert_eq!(
        reason(|limits| limits.pixels = 512 * 512 - 1),
        "the image is 512x512, 262144 pixels, more than the limit of 262143 pixels for a source (limits.pixels)"
    );
    assert_eq!(
        reason(|limits| limits.side = 511),
        "the image is 512x512; the limit for its longer side is 511 pixels (limits.side)"
    );
    let too_large = reason(|limits| limits.result_bytes = 1000);
    assert!(
        too_large.ends_with(" bytes, more than the limit of 1000 bytes for one (limits.result_bytes)"),
        "{too_large}"
    );
    assert_eq!(
        reason(|limits| limits.deadline = Some(Instant::now())),
        "the function's time is up before it could decode the picture; function.timeout gives it more, and function.memory a \
         faster processor"
    );
    assert_eq!(
        reason(|limits| limits.memory = 492_424 + 512 * 512 * 4 - 1),
        "resizing the PNG image takes up to 6 MiB of memory, and there are 1 MiB for it; function.memory gives it more"
    );
}

#[test]
fn what_is_known_and_not_read_is_named() {
    let reason = |source: &[u8]| resized(source, &Rendition::default()).unwrap_err().to_string();
    let heic = reason(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    assert_eq!(
        heic,
        "HEIC images are not supported: export it as JPEG, PNG, WebP, GIF, TIFF or BMP"
    );
    assert!(reason(b"\0\0\0\x0cJXL \r\n\x87\n").starts_with("JPEG XL images are not supported"));
}

#[test]
fn the_memory_of_the_results_counts_too() {
    let several = |width| {
        let rendition = Rendition {
            width,
            enlarge: true,
            format: OutputFormat::Png,
            ..Rendition::default()
        };
        let limits = Limits {
            memory: 64 << 20,
            ..Limits::default()
        };
        resize(&corpus("rocket.jpg"), &[rendition.clone(), rendition], &limits)
    };
    assert!(several(700).is_ok());
    let refusal = several(3000).unwrap_err();
    assert!(matches!(refusal, Refusal::TooMuchMemory { .. }), "{refusal}");
}

#[test]
fn a_side_that_the_format_cannot_hold_is_refused_before_the_work() {
    let sliver = image::GrayImage::from_pixel(2, 100, image::Luma([7]));
    let mut source = std::io::Cursor::new(Vec::new());
    sliver.write_to(&mut source, image::ImageFormat::Png).unwrap();
    let rendition = Rendition {
        width: 400,
        enlarge: true,
        format: OutputFormat::Webp,
        ..Rendition::default()
    };
    let refusal = resized(source.get_ref(), &rendition).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "the result would be 400x20000, and a WebP has at most 16383 pixels a side; a height for the rendition keeps it below"
    );
}

#[test]
fn a_result_of_too_many_pixels_is_not_begun() {
    let sliver = Rendition {
        width: 16_000,
        enlarge: true,
        ..Rendition::default()
    };
    let refusal = resized(&corpus("rocket.jpg"), &sliver).unwrap_err();
    assert!(
        matches!(refusal, Refusal::ResultTooLarge { width: 16_000, .. }),
        "{refusal}"
    );
}
