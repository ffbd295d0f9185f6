//! Animations: of which one frame is shown, or that stay what they are, frame by frame.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::borrow::Cow;
use std::io::Cursor;
use std::time::Duration;

use common::{corpus, decode, resized};
use gif::{DisposalMethod, Encoder, Frame, Repeat};
use image::codecs::gif::GifDecoder;
use image::imageops::FilterType;
use image::{AnimationDecoder, DynamicImage, Rgba, RgbaImage};
use resizer_handler::resize::{FileFormat, Fit, Limits, OutputFormat, Refusal, Rendition, resize};

const RED: [u8; 4] = [220, 30, 40, 255];
const GREEN: [u8; 4] = [40, 180, 60, 255];
const BLUE: [u8; 4] = [30, 60, 200, 255];
const CLEAR: [u8; 4] = [0; 4];
const PALETTE: [[u8; 4]; 4] = [CLEAR, RED, GREEN, BLUE];

fn animated(width: u32) -> Rendition {
    Rendition {
        width,
        format: OutputFormat::Keep,
        animated: true,
        ..Rendition::default()
    }
}

/// A frame of one colour.
struct Patch {
    colour: [u8; 4],
    /// Left, top, width, height.
    place: (u16, u16, u16, u16),
    dispose: DisposalMethod,
}

fn patch(colour: [u8; 4], place: (u16, u16, u16, u16), dispose: DisposalMethod) -> Patch {
    Patch {
        colour,
        place,
        dispose,
    }
}

/// An animation of 40x40 pixels, whose frames are seen for 10, 20, 30 … hundredths of a second.
fn animation(repeat: Repeat, patches: &[Patch]) -> Vec<u8> {
    let palette: Vec<u8> = PALETTE.iter().flat_map(|colour| &colour[..3]).copied().collect();
    let mut encoder = Encoder::new(Vec::new(), 40, 40, &palette).unwrap();
    encoder.set_repeat(repeat).unwrap();
    for (number, patch) in patches.iter().enumerate() {
        let (left, top, width, height) = patch.place;
        let index = PALETTE.iter().position(|colour| *colour == patch.colour).unwrap() as u8;
        let frame = Frame {
            left,
            top,
            width,
            height,
            dispose: patch.dispose,
            delay: 10 * (number as u16 + 1),
            transparent: Some(0),
            buffer: Cow::Owned(vec![index; usize::from(width) * usize::from(height)]),
            ..Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

/// What a viewer shows, and for how long.
fn shown(bytes: &[u8]) -> Vec<(RgbaImage, Duration)> {
    let frames = GifDecoder::new(Cursor::new(bytes)).unwrap().into_frames();
    let frames = frames.map(|frame| {
        let frame = frame.unwrap();
        let delay = frame.delay().into();
        (frame.into_buffer(), delay)
    });
    frames.collect()
}

fn repeat(bytes: &[u8]) -> Repeat {
    let mut decoder = gif::DecodeOptions::new().read_info(bytes).unwrap();
    while decoder.next_frame_info().unwrap().is_some() {}
    decoder.repeat()
}

fn mean_difference(one: &RgbaImage, other: &RgbaImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let differences = one
        .as_raw()
        .iter()
        .zip(other.as_raw())
        .map(|(a, b)| a.abs_diff(*b));
    differences.map(f64::from).sum::<f64>() / one.as_raw().len() as f64
}

#[test]
fn of_an_animation_the_first_frame_is_shown() {
    let source = animation(
        Repeat::Infinite,
        &[
            patch(GREEN, (0, 0, 40, 40), DisposalMethod::Keep),
            patch(RED, (0, 0, 40, 40), DisposalMethod::Keep),
        ],
    );
    for (format, animated) in [(OutputFormat::Keep, false), (OutputFormat::Png, true)] {
        let rendition = Rendition {
            width: 20,
            format,
            animated,
            ..Rendition::default()
        };
        let made = resized(&source, &rendition).unwrap();
        assert_ne!(made.format, FileFormat::Gif);
        let pixel = decode(&made.bytes).into_rgb8().get_pixel(10, 10).0;
        let is_green = pixel.iter().zip(GREEN).all(|(a, b)| a.abs_diff(b) < 6);
        assert!(is_green, "{format:?}: {pixel:?}");
    }
}

#[test]
fn an_animation_stays_one_where_that_is_asked_for() {
    let source = corpus("animated.gif");
    let made = resized(&source, &animated(150)).unwrap();
    assert_eq!(made.format, FileFormat::Gif);
    assert_eq!(made.format.extension(), "gif");
    assert_eq!(made.format.content_type(), "image/gif");
    assert_eq!(repeat(&made.bytes), repeat(&source));
    let (before, after) = (shown(&source), shown(&made.bytes));
    assert_eq!(before.len(), after.len());
    for (number, ((before, long), (after, as_long))) in before.into_iter().zip(after).enumerate() {
        assert_eq!(long, as_long, "frame {number}");
        assert_eq!(after.dimensions(), (made.size.width, made.size.height));
        let small = DynamicImage::from(before).resize_exact(150, made.size.height, FilterType::Lanczos3);
        let difference = mean_difference(&small.into_rgba8(), &after);
        assert!(difference < 4.0, "frame {number}: {difference}");
    }
}

#[test]
fn frames_are_laid_over_each_other_and_wiped_off_as_the_source_has_it() {
    use DisposalMethod::{Background, Keep, Previous};
    let all = (0, 0, 40, 40);
    for patches in [
        // A part changes, and then another.
        vec![
            patch(RED, all, Keep),
            patch(BLUE, (20, 20, 20, 20), Keep),
            patch(GREEN, (0, 0, 20, 20), Keep),
        ],
        // What is wiped off leaves a hole, or what was there before.
        vec![
            patch(RED, all, Keep),
            patch(BLUE, (20, 20, 20, 20), Background),
            patch(GREEN, (0, 0, 20, 20), Keep),
        ],
        vec![
            patch(RED, all, Keep),
            patch(BLUE, (20, 20, 20, 20), Previous),
            patch(GREEN, (0, 0, 20, 20), Keep),
        ],
        // Something wanders over nothing, and everything goes.
        vec![
            patch(BLUE, (0, 0, 20, 20), Background),
            patch(BLUE, (20, 0, 20, 20), Background),
            patch(CLEAR, all, Keep),
            patch(GREEN, (20, 20, 20, 20), Keep),
        ],
        // Nothing changes.
        vec![patch(RED, all, Keep), patch(RED, all, Keep)],
        // One frame alone, smaller than the canvas.
        vec![patch(RED, (20, 0, 20, 20), Keep)],
    ] {
        let source = animation(Repeat::Finite(3), &patches);
        let made = resized(&source, &animated(20)).unwrap().bytes;
        assert_eq!(repeat(&made), Repeat::Finite(3));
        let (before, after) = (shown(&source), shown(&made));
        assert_eq!(before.len(), after.len());
        for (number, ((before, long), (after, as_long))) in before.iter().zip(&after).enumerate() {
            assert_eq!(long, as_long);
            for (x, y) in [(3, 3), (16, 3), (3, 16), (16, 16)] {
                let (wanted, got) = (before.get_pixel(x * 2, y * 2), after.get_pixel(x, y));
                let close = wanted.0.iter().zip(got.0).all(|(a, b)| a.abs_diff(b) < 3);
                let invisible = wanted.0[3] == 0 && got.0[3] == 0;
                assert!(
                    close || invisible,
                    "frame {number} at {x}, {y}: {got:?} is not {wanted:?}"
                );
            }
        }
    }
}

#[test]
fn a_frame_of_many_colours_keeps_its_holes() {
    let picture = RgbaImage::from_fn(64, 64, |x, y| match (x, y) {
        (28..36, 28..36) => Rgba(CLEAR),
        // Dark ones too, which could be taken for what is not seen.
        _ => Rgba([(x * 4) as u8, (y * 4) as u8, ((x * y) % 256) as u8, 255]),
    });
    let mut pixels = picture.clone().into_raw();
    let mut encoder = Encoder::new(Vec::new(), 64, 64, &[]).unwrap();
    for _ in 0..2 {
        let frame = Frame::from_rgba_speed(64, 64, &mut pixels, 1);
        encoder.write_frame(&frame).unwrap();
    }
    let source = encoder.into_inner().unwrap();
    let made = resized(&source, &animated(64)).unwrap().bytes;
    let (before, after) = (shown(&source), shown(&made));
    for (before, after) in before.iter().zip(&after) {
        assert!(mean_difference(&before.0, &after.0) < 6.0);
        let holes = |picture: &RgbaImage| picture.pixels().filter(|pixel| pixel.0[3] == 0).count();
        assert_eq!(holes(&before.0), holes(&after.0));
    }
}

#[test]
fn an_animation_meets_the_box_as_a_picture_does() {
    let source = corpus("animated.gif");
    for fit in [Fit::Cover, Fit::Contain, Fit::Fill] {
        let rendition = Rendition {
            height: Some(90),
            fit,
            ..animated(90)
        };
        let made = resized(&source, &rendition).unwrap();
        assert_eq!((made.size.width, made.size.height), (90, 90), "{fit:?}");
        assert!(
            shown(&made.bytes)
                .iter()
                .all(|(frame, _)| frame.dimensions() == (90, 90))
        );
    }
}

#[test]
fn renditions_that_move_and_that_do_not_come_in_their_order() {
    let still = Rendition {
        width: 60,
        ..Rendition::default()
    };
    let renditions = [still.clone(), animated(100), still];
    let made = resize(&corpus("animated.gif"), &renditions, &Limits::default()).unwrap();
    let formats: Vec<_> = made
        .pictures
        .iter()
        .map(|picture| (picture.format, picture.size.width))
        .collect();
    assert_eq!(
        formats,
        [
            (FileFormat::Jpeg, 60),
            (FileFormat::Gif, 100),
            (FileFormat::Jpeg, 60)
        ]
    );
}

#[test]
fn what_all_frames_come_to_is_limited() {
    let source = corpus("animated.gif");
    let frames = shown(&source);
    let (width, height) = frames[0].0.dimensions();
    let count = frames.len() as u64;
    let refusal = |change: &dyn Fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        resize(&source, &[animated(50)], &limits)
            .err()
            .map(|refusal| refusal.to_string())
    };
    assert_eq!(refusal(&|limits| limits.frames = count), None);
    assert_eq!(
        refusal(&|limits| limits.frames = count - 1).unwrap(),
        format!(
            "the animation has more frames than the limit of {} for one (limits.frames)",
            count - 1
        )
    );
    let pixels = u64::from(width * height) * count;
    assert_eq!(refusal(&|limits| limits.pixels = pixels), None);
    assert_eq!(
        refusal(&|limits| limits.pixels = pixels - 1).unwrap(),
        format!(
            "the first {count} frames of the animation have more pixels together than the limit of {} for a source \
             (limits.pixels)",
            pixels - 1
        )
    );
    let too_large = refusal(&|limits| limits.result_bytes = 500).unwrap();
    assert!(too_large.contains("(limits.result_bytes)"), "{too_large}");
    let too_much = refusal(&|limits| limits.memory = source.len() as u64 + 100_000).unwrap();
    assert!(too_much.contains("function.memory gives it more"), "{too_much}");
}

#[test]
fn an_animation_that_is_cut_off_is_refused_and_its_first_frame_is_not() {
    let whole = corpus("animated.gif");
    let cut = &whole[..whole.len() * 2 / 3];
    let refusal = resized(cut, &animated(50)).unwrap_err();
    assert!(
        matches!(refusal, Refusal::Damaged { format: "GIF", .. }),
        "{refusal}"
    );
    assert!(resized(cut, &Rendition::default()).is_ok());
}
