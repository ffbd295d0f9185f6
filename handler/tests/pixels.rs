//! The pixels: upright, in the right colours, transparency on white.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Cursor;

use common::{corpus, decode};
use image::imageops::FilterType;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use resizer_handler::resize::{Fit, OutputFormat, ResizeSettings, resize};

/// The result as a PNG, so that only the resizing changes pixels.
fn resized_to(source: &[u8], width: u32) -> RgbaImage {
    let settings = ResizeSettings {
        width,
        format: OutputFormat::Png,
        ..ResizeSettings::default()
    };
    decode(&resize(source, &settings).unwrap().bytes).into_rgba8()
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Mean difference of the channels, 0 to 255.
fn mean_difference(one: &RgbaImage, other: &RgbaImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let sum: u64 = one
        .as_raw()
        .iter()
        .zip(other.as_raw())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / one.as_raw().len() as f64
}

fn assert_close<const N: usize>(got: [u8; N], wanted: [u8; N], tolerance: u8) {
    let close = got.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= tolerance);
    assert!(close, "{got:?} is not close to {wanted:?}");
}

#[test]
fn all_eight_exif_orientations_show_the_same_upright_picture() {
    for width in [300, 150] {
        let upright = resized_to(&corpus("exif-1.jpg"), width);
        for orientation in 2..=8 {
            let turned = resized_to(&corpus(&format!("exif-{orientation}.jpg")), width);
            let difference = mean_difference(&upright, &turned);
            assert!(
                difference < 3.0,
                "orientation {orientation} at {width}: {difference}"
            );
        }
        let wrong = image::imageops::rotate180(&upright);
        assert!(
            mean_difference(&upright, &wrong) > 20.0,
            "the comparison sees no difference"
        );
    }
}

#[test]
fn a_turned_picture_meets_the_box_upright() {
    // Stored 200 wide and 300 high, shown 300 wide and 200 high.
    for (fit, size) in [
        (Fit::Inside, (90, 60)),
        (Fit::Cover, (90, 90)),
        (Fit::Contain, (90, 90)),
    ] {
        let settings = ResizeSettings {
            width: 90,
            height: Some(90),
            fit,
            ..ResizeSettings::default()
        };
        let resized = resize(&corpus("exif-6.jpg"), &settings).unwrap();
        assert_eq!((resized.size.width, resized.size.height), size, "{fit:?}");
    }
}

#[test]
fn cmyk_keeps_its_colours() {
    // The corpus made cmyk.jpg from the picture that coffee.jpg holds.
    let cmyk = resized_to(&corpus("cmyk.jpg"), 300);
    let rgb = resized_to(&corpus("coffee.jpg"), 300);
    let difference = mean_difference(&cmyk, &rgb);
    assert!(difference < 4.0, "{difference}");
}

#[test]
fn a_baseline_file_with_a_scan_for_each_colour_keeps_its_colours() {
    let picture = resized_to(&corpus("non-interleaved.jpg"), 10);
    assert_close(picture.get_pixel(5, 5).0, [255, 127, 126, 255], 2);
}

#[test]
fn a_picture_decoded_small_is_as_good_as_one_decoded_whole() {
    for (source, width) in [("rocket.jpg", 100), ("chelsea.jpg", 100), ("coffee.jpg", 37)] {
        let small = resized_to(&corpus(source), width);
        let whole = decode(&corpus(source)).resize_exact(width, small.height(), FilterType::Lanczos3);
        let difference = mean_difference(&small, &whole.into_rgba8());
        assert!(difference < 1.5, "{source} to {width}: {difference}");
    }
}

#[test]
fn every_format_shows_the_same_picture() {
    for (name, same_as) in [
        ("photo.tif", "coffee.jpg"),
        ("palette.png", "coffee.jpg"),
        ("lossy.webp", "rocket.jpg"),
        ("photo.bmp", "lossless.webp"),
    ] {
        let difference = mean_difference(
            &resized_to(&corpus(name), 150),
            &resized_to(&corpus(same_as), 150),
        );
        assert!(difference < 6.0, "{name} and {same_as}: {difference}");
    }
}

#[test]
fn gray_stays_gray() {
    let resized = resize(&corpus("gray.jpg"), &ResizeSettings::default()).unwrap();
    assert!(matches!(decode(&resized.bytes), DynamicImage::ImageLuma8(_)));
}

#[test]
fn sixteen_bits_are_scaled_not_cut() {
    let ramp = ImageBuffer::from_fn(1000, 4, |x, _| Luma([(x * 65_535 / 999) as u16]));
    let small = resized_to(&png(DynamicImage::ImageLuma16(ramp)), 100);
    for x in 5..95u32 {
        let expected = ((f64::from(x) + 0.5) * 2.55).round() as u8;
        assert_close([small.get_pixel(x, 0).0[0]], [expected], 2);
    }
    let picture = resized_to(&corpus("gray16.png"), 320);
    let original = decode(&corpus("gray16.png")).resize_exact(320, 240, FilterType::Lanczos3);
    assert!(mean_difference(&picture, &original.into_rgba8()) < 1.0);
}

#[test]
fn transparency_is_put_on_white_for_jpeg() {
    let half_red = RgbaImage::from_pixel(40, 40, Rgba([255, 0, 0, 128]));
    let resized = resize(
        &png(half_red),
        &ResizeSettings {
            width: 20,
            quality: 100,
            ..ResizeSettings::default()
        },
    );
    let picture = decode(&resized.unwrap().bytes).into_rgb8();
    assert_close(picture.get_pixel(10, 10).0, [255, 127, 127], 3);
}

#[test]
fn the_colour_of_invisible_pixels_does_not_bleed() {
    let halves = RgbaImage::from_fn(400, 40, |x, _| {
        Rgba(if x < 200 { [0, 0, 255, 255] } else { [255, 0, 0, 0] })
    });
    let small = resized_to(&png(halves), 40);
    for pixel in small.pixels().filter(|pixel| pixel.0[3] > 8) {
        assert_close([pixel.0[0], pixel.0[2]], [0, 255], 12);
    }
}

#[test]
fn cover_cuts_evenly_on_both_sides() {
    let stripes = RgbImage::from_fn(300, 100, |x, _| {
        Rgb(match x / 100 {
            0 => [255, 0, 0],
            1 => [0, 255, 0],
            _ => [0, 0, 255],
        })
    });
    let settings = ResizeSettings {
        width: 50,
        height: Some(50),
        fit: Fit::Cover,
        format: OutputFormat::Png,
        ..ResizeSettings::default()
    };
    let picture = decode(&resize(&png(stripes), &settings).unwrap().bytes).into_rgb8();
    assert_eq!(picture.dimensions(), (50, 50));
    for x in [3, 25, 46] {
        assert_close(picture.get_pixel(x, 25).0, [0, 255, 0], 8);
    }
}

#[test]
fn contain_centres_on_white() {
    let black = RgbImage::from_pixel(200, 100, Rgb([0, 0, 0]));
    let settings = ResizeSettings {
        width: 50,
        height: Some(50),
        fit: Fit::Contain,
        format: OutputFormat::Png,
        ..ResizeSettings::default()
    };
    let picture = decode(&resize(&png(black), &settings).unwrap().bytes).into_rgb8();
    assert_eq!(picture.get_pixel(25, 5).0, [255; 3]);
    assert_eq!(picture.get_pixel(25, 25).0, [0; 3]);
    assert_eq!(picture.get_pixel(25, 45).0, [255; 3]);
}

#[test]
fn an_embedded_colour_profile_goes_with_the_picture() {
    let resized = resize(&corpus("icc-srgb.jpg"), &ResizeSettings::default()).unwrap();
    let marker = b"ICC_PROFILE\0";
    assert!(resized.bytes.windows(marker.len()).any(|window| window == marker));
    let cmyk = resize(&corpus("cmyk.jpg"), &ResizeSettings::default()).unwrap();
    assert!(!cmyk.bytes.windows(marker.len()).any(|window| window == marker));
}
