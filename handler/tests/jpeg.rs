//! The JPEG decoder, beside libjpeg-turbo's and with files that are damaged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use common::{corpus, decode, resized};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};
use mozjpeg::{ColorSpace, Decompress};
use resizer_handler::jpeg::{Colour, Fault, Jpeg, Plane, Scale};
use resizer_handler::resize::{OutputFormat, Rendition};

/// Decodes all components at one scale.
fn planes(source: &[u8], scale: Scale) -> Result<(Colour, Vec<Plane>), Fault> {
    let jpeg = Jpeg::open(source)?;
    let scales = vec![scale; jpeg.frame().components.len()];
    Ok((jpeg.colour(), jpeg.decode(&scales, u64::MAX)?))
}

/// The samples that libjpeg-turbo gives at a scale, in that colour space, and the size.
fn reference(source: &[u8], scale: Scale, colours: ColorSpace) -> (Vec<u8>, (u32, u32)) {
    let mut decoder = Decompress::new_mem(source).unwrap();
    decoder.scale(scale.side() as u8);
    let mut decoder = decoder.to_colorspace(colours).unwrap();
    let size = (decoder.width() as u32, decoder.height() as u32);
    (decoder.read_scanlines::<u8>().unwrap(), size)
}

/// The picture that libjpeg-turbo shows.
fn whole(source: &[u8]) -> RgbImage {
    let (samples, (width, height)) = reference(source, Scale::Whole, ColorSpace::JCS_RGB);
    RgbImage::from_raw(width, height, samples).unwrap()
}

fn largest_and_mean_difference(one: &[u8], other: &[u8]) -> (u8, f64) {
    assert_eq!(one.len(), other.len());
    let differences = one.iter().zip(other).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences.clone().map(u64::from).sum();
    (differences.max().unwrap(), sum as f64 / one.len() as f64)
}

/// The whole JPEGs of the corpus.
fn jpegs() -> impl Iterator<Item = String> {
    let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".jpg") && !name.starts_with("bad-"))
}

#[test]
fn each_file_has_the_brightness_that_libjpeg_turbo_gives_it_at_each_scale() {
    for name in jpegs() {
        let source = corpus(&name);
        let is_ink = Jpeg::open(&source).unwrap().colour().is_ink();
        let colours = if is_ink {
            ColorSpace::JCS_CMYK
        } else {
            ColorSpace::JCS_GRAYSCALE
        };
        for scale in Scale::ALL {
            let (theirs, size) = reference(&source, scale, colours);
            let (_, ours) = planes(&source, scale).unwrap();
            assert_eq!((ours[0].width, ours[0].height), size, "{name} {scale:?}");
            let first = theirs
                .iter()
                .copied()
                .step_by(theirs.len() / ours[0].samples.len());
            let (largest, mean) = largest_and_mean_difference(&ours[0].samples, &first.collect::<Vec<_>>());
            // At a half and a quarter it averages samples of the whole picture (jidctred.c), which leaves more of what is
            // too fine for that scale.
            let is_averaged = matches!(scale, Scale::Quarter | Scale::Half);
            let (largest_allowed, mean_allowed) = if is_averaged { (50, 1.7) } else { (1, 0.02) };
            assert!(
                largest <= largest_allowed && mean < mean_allowed,
                "{name} {scale:?}: {largest}, {mean}"
            );
        }
    }
}

#[test]
fn each_file_has_the_colours_that_libjpeg_turbo_gives_it() {
    // Those that are turned upright have other places.
    for name in jpegs().filter(|name| !name.starts_with("exif") && !name.starts_with("cmyk")) {
        let source = corpus(&name);
        let theirs = whole(&source);
        let ours = as_png(&source, theirs.width());
        let (largest, mean) = largest_and_mean_difference(&ours, &theirs);
        // Of most it brings halved colours back as we do; of the largest we scale them, as that is faster.
        let mean_allowed = if name == "photo-12mp.jpg" { 0.2 } else { 0.05 };
        assert!(largest <= 5 && mean < mean_allowed, "{name}: {largest}, {mean}");
    }
}

#[test]
fn each_component_shows_the_same_samples_whatever_the_scales_of_the_others() {
    let source = corpus("coffee.jpg");
    let jpeg = Jpeg::open(&source).unwrap();
    for luma in Scale::ALL {
        for chroma in Scale::ALL {
            let mixed = jpeg.decode(&[luma, chroma, chroma], u64::MAX).unwrap();
            for (number, scale) in [(0, luma), (1, chroma), (2, chroma)] {
                let (_, alike) = planes(&source, scale).unwrap();
                assert!(
                    mixed[number].samples == alike[number].samples,
                    "component {number} at {luma:?} and {chroma:?}"
                );
            }
        }
    }
}

#[test]
fn a_scale_in_between_shows_the_same_picture() {
    let source = corpus("gray.jpg");
    let whole = decode(&source);
    let (_, ours) = planes(&source, Scale::ThreeEighths).unwrap();
    assert_eq!((ours[0].width, ours[0].height), (192, 192));
    let theirs = whole.resize_exact(192, 192, FilterType::Lanczos3).into_luma8();
    let (_, mean) = largest_and_mean_difference(&ours[0].samples, &theirs);
    assert!(mean < 2.0, "{mean}");
}

struct Written {
    sampling: SamplingFactor,
    progressive: bool,
    restarts: u16,
}

fn written(picture: &RgbImage, how: &Written) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(how.sampling);
    encoder.set_progressive(how.progressive);
    if how.restarts > 0 {
        encoder.set_restart_interval(how.restarts);
    }
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder.encode(picture, width, height, ColorType::Rgb).unwrap();
    bytes
}

fn as_png(source: &[u8], width: u32) -> RgbImage {
    let rendition = Rendition {
        width,
        format: OutputFormat::Png,
        ..Rendition::default()
    };
    decode(&resized(source, &rendition).unwrap().bytes).into_rgb8()
}

#[test]
fn a_progressive_file_shows_the_same_picture_at_each_scale() {
    // chelsea.jpg refines its coefficients over ten scans. Each width has a scale of its own.
    let source = corpus("chelsea.jpg");
    for width in [37, 75, 110, 150, 300, 451] {
        let ours = as_png(&source, width);
        let whole = resize(&whole(&source), width, ours.height(), FilterType::Lanczos3);
        let (_, mean) = largest_and_mean_difference(&ours, &whole);
        assert!(mean < 1.5, "to {width}: {mean}");
    }
}

#[test]
fn all_samplings_with_and_without_restarts_and_progression_show_the_same_picture() {
    // Odd sides: blocks and samples lie partly outside of the picture.
    let picture = decode(&corpus("rocket.jpg"))
        .crop_imm(150, 100, 141, 101)
        .into_rgb8();
    for sampling in [
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
        SamplingFactor::F_2_2,
        SamplingFactor::F_4_1,
        SamplingFactor::F_4_2,
        SamplingFactor::F_1_4,
        SamplingFactor::F_2_4,
        SamplingFactor::R_4_2_0,
    ] {
        for (progressive, restarts) in [(false, 0), (false, 3), (true, 0), (true, 5)] {
            let source = written(
                &picture,
                &Written {
                    sampling,
                    progressive,
                    restarts,
                },
            );
            for width in [141, 60, 25, 9] {
                let ours = as_png(&source, width);
                let whole = resize(&whole(&source), width, ours.height(), FilterType::Lanczos3);
                let (_, mean) = largest_and_mean_difference(&ours, &whole);
                assert!(
                    mean < 1.2,
                    "{sampling:?} {progressive} {restarts} to {width}: {mean}"
                );
            }
        }
    }
}

#[test]
fn every_kind_of_four_components_keeps_its_colours() {
    let inks: Vec<u8> = (0..64 * 64).flat_map(|_| [200, 40, 90, 30]).collect();
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let mut source = Vec::new();
        Encoder::new(&mut source, 95)
            .encode(&inks, 64, 64, colour)
            .unwrap();
        let pixel = as_png(&source, 16).get_pixel(8, 8).0;
        let wanted = [200u8, 40, 90].map(|ink| ((255 - u32::from(ink)) * (255 - 30) / 255) as u8);
        let close = pixel
            .iter()
            .zip(wanted)
            .all(|(got, wanted)| got.abs_diff(wanted) < 4);
        assert!(close, "{pixel:?} is not close to {wanted:?}");
    }
}

#[test]
fn what_is_not_decoded_is_refused_by_name() {
    let source = corpus("coffee.jpg");
    let frame = source
        .windows(2)
        .position(|marker| marker == [0xff, 0xc0])
        .unwrap();
    let changed = |changes: &[(usize, u8)]| {
        let mut source = source.clone();
        for &(place, byte) in changes {
            source[frame + place] = byte;
        }
        planes(&source, Scale::Whole).unwrap_err().to_string()
    };
    assert_eq!(changed(&[(1, 0xc3)]), "lossless coding");
    assert_eq!(changed(&[(1, 0xc9)]), "arithmetic coding");
    assert_eq!(changed(&[(1, 0xca)]), "arithmetic coding");
    assert_eq!(changed(&[(1, 0xc6)]), "hierarchical coding");
    assert_eq!(changed(&[(4, 12)]), "12 bits a sample, not 8");
    assert_eq!(changed(&[(9, 2)]), "2 components, not 1, 3 or 4");
    assert_eq!(
        changed(&[(5, 0), (6, 0)]),
        "its height is only said after its first scan (DNL)"
    );
    assert_eq!(changed(&[(11, 0x51)]), "its sampling factors are not 1 to 4");
}

#[test]
fn a_progressive_scan_of_all_coefficients_at_once_is_damage() {
    let mut source = corpus("chelsea.jpg");
    let header = source.windows(2).position(|bytes| bytes == [0xff, 0xda]).unwrap();
    let components = usize::from(source[header + 4]);
    let last = header + 4 + 2 * components + 2;
    assert_eq!(
        source[last - 1..=last],
        [0, 0],
        "the first scan brings the DC coefficients"
    );
    source[last] = 63;
    assert!(matches!(Jpeg::open(&source), Err(Fault::Damaged(_))));
}

#[test]
fn memory_is_counted_before_it_is_taken() {
    let take = |source: &[u8], scale, memory| {
        let jpeg = Jpeg::open(source).unwrap();
        jpeg.decode(&vec![scale; jpeg.frame().components.len()], memory)
            .err()
    };
    // 600 x 400, 4:4:4.
    let baseline = corpus("coffee.jpg");
    assert_eq!(take(&baseline, Scale::Whole, 600 * 400 * 3), None);
    let limit = 600 * 400 * 3 - 1;
    assert_eq!(
        take(&baseline, Scale::Whole, limit),
        Some(Fault::TooMuchMemory {
            needed: limit + 1,
            limit
        })
    );
    assert_eq!(take(&baseline, Scale::Eighth, 75 * 50 * 3), None);

    // 57 x 38 blocks, 4:2:0 in whole MCUs: one sample and one coefficient of two bytes for each.
    let progressive = corpus("chelsea.jpg");
    let bytes = (58 * 38 * 3 / 2) * 3;
    assert_eq!(take(&progressive, Scale::Eighth, bytes), None);
    let limit = bytes - 1;
    assert_eq!(
        take(&progressive, Scale::Eighth, limit),
        Some(Fault::TooMuchMemory {
            needed: limit + 1,
            limit
        })
    );
}

#[test]
fn a_missing_restart_marker_is_damage() {
    let picture = decode(&corpus("rocket.jpg")).crop_imm(0, 0, 64, 64).into_rgb8();
    let how = Written {
        sampling: SamplingFactor::F_1_1,
        progressive: false,
        restarts: 2,
    };
    let mut source = written(&picture, &how);
    let third = source
        .windows(2)
        .position(|marker| marker == [0xff, 0xd2])
        .unwrap();
    source[third + 1] = 0xd5;
    for scale in Scale::ALL {
        let fault = planes(&source, scale).unwrap_err();
        assert_eq!(fault, Fault::Damaged("a restart marker is missing"));
    }
}

/// The same numbers each time (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn thousands_of_damaged_files_never_crash_the_decoder() {
    let picture = decode(&corpus("coffee.jpg"))
        .resize_exact(61, 43, FilterType::Triangle)
        .into_rgb8();
    let mut random = Random(1);
    let mut faults = 0;
    for (sampling, progressive, restarts) in [
        (SamplingFactor::F_1_1, false, 0),
        (SamplingFactor::F_2_2, false, 4),
        (SamplingFactor::F_2_1, true, 0),
        (SamplingFactor::F_1_1, true, 7),
    ] {
        let whole = written(
            &picture,
            &Written {
                sampling,
                progressive,
                restarts,
            },
        );
        for _ in 0..150 {
            let mut source = whole.clone();
            for _ in 0..=random.below(4) {
                let place = random.below(source.len());
                source[place] = random.below(256) as u8;
            }
            if random.below(4) == 0 {
                let cut = random.below(source.len());
                source.drain(cut..cut + random.below(source.len() - cut).min(40));
            }
            for scale in Scale::ALL {
                faults += usize::from(planes(&source, scale).is_err());
            }
        }
    }
    assert!(faults > 400, "the changes do no damage");
}

#[test]
fn damage_to_refined_coefficients_never_crashes_the_decoder() {
    let whole = corpus("chelsea.jpg");
    let mut random = Random(2);
    for number in 0..60 {
        let mut source = whole.clone();
        for _ in 0..3 {
            let place = random.below(source.len());
            source[place] = random.below(256) as u8;
        }
        let _ = planes(&source, Scale::ALL[number % Scale::ALL.len()]);
    }
}

#[test]
fn colours_that_are_never_unfolded_fit_to_the_brightness() {
    let as_jpeg = |source: &[u8], width| {
        let rendition = Rendition {
            width,
            quality: 100,
            ..Rendition::default()
        };
        decode(&resized(source, &rendition).unwrap().bytes).into_rgb8()
    };
    // 4:4:4, 4:2:0, turned; even and odd sides.
    for name in ["coffee.jpg", "rocket.jpg", "exif-6.jpg", "exif-3.jpg"] {
        let source = corpus(name);
        for width in [64, 75, 101] {
            let (jpeg, png) = (as_jpeg(&source, width), as_png(&source, width));
            assert_eq!(jpeg.dimensions(), png.dimensions(), "{name} to {width}");
            // The same loss, from colours that were unfolded.
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 100);
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
            let (columns, rows) = (png.width() as u16, png.height() as u16);
            encoder.encode(&png, columns, rows, ColorType::Rgb).unwrap();
            let (_, mean) = largest_and_mean_difference(&jpeg, &decode(&bytes).into_rgb8());
            assert!(mean < 2.0, "{name} to {width}: {mean}");
        }
    }
}
