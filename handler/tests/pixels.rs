//! The pixels: upright, in the right colours, transparency on white.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Cursor;

use common::{corpus, decode, resized};
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Luma, Rgb, RgbImage,
    Rgba, RgbaImage,
};
use resizer_handler::resize::{Fit, Limits, OutputFormat, Position, Rendition};
use webpx::{EncoderConfig, Unstoppable};

/// The result as a PNG, so that only the resizing changes pixels.
fn resized_to(source: &[u8], width: u32) -> RgbaImage {
    let rendition = Rendition {
        width,
        format: OutputFormat::Png,
        ..Rendition::default()
    };
    decode(&resized(source, &rendition).unwrap().bytes).into_rgba8()
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

/// A picture as it is seen on white: the colour of what is invisible does not matter.
fn seen(bytes: &[u8]) -> RgbaImage {
    let picture = decode(bytes).into_rgba8();
    let mut seen = RgbaImage::from_pixel(picture.width(), picture.height(), Rgba([255; 4]));
    image::imageops::overlay(&mut seen, &picture, 0, 0);
    seen
}

fn assert_close<const N: usize>(got: [u8; N], wanted: [u8; N], tolerance: u8) {
    let close = got.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= tolerance);
    assert!(close, "{got:?} is not close to {wanted:?}");
}

/// What another decoder shows of an opaque picture, if it reads its format.
fn shown(source: &[u8]) -> Option<DynamicImage> {
    let reader = ImageReader::new(Cursor::new(source))
        .with_guessed_format()
        .unwrap();
    let mut decoder = reader.into_decoder().ok()?;
    let orientation = decoder.orientation().unwrap();
    let mut picture = DynamicImage::from_decoder(decoder).unwrap();
    picture.apply_orientation(orientation);
    let is_opaque = picture.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX);
    is_opaque.then_some(picture)
}

#[test]
fn every_picture_of_the_corpus_is_what_another_decoder_shows_in_every_output_format() {
    let expected: serde_json::Value = serde_json::from_slice(&corpus("expected.json")).unwrap();
    let pictures = expected.as_object().unwrap().iter();
    for (name, facts) in pictures.filter(|(_, facts)| facts["ok"] == true) {
        let source = corpus(name);
        let picture = |format| {
            let rendition = Rendition {
                width: 200,
                quality: 95,
                format,
                ..Rendition::default()
            };
            seen(&resized(&source, &rendition).unwrap().bytes)
        };
        // PNG loses nothing.
        let whole = picture(OutputFormat::Png);
        let width = facts["upright_width"].as_u64().unwrap().min(200);
        assert_eq!(u64::from(whole.width()), width, "{name}");
        if let Some(upright) = shown(&source) {
            let scaled = upright.resize_exact(whole.width(), whole.height(), FilterType::Lanczos3);
            let apart = mean_difference(&whole, &scaled.into_rgba8());
            assert!(apart < 0.6, "{name}: {apart}");
        }
        for (format, most) in [
            (OutputFormat::Jpeg, 4.0),
            (OutputFormat::Webp, 4.0),
            (OutputFormat::WebpLossless, 0.0),
        ] {
            let apart = mean_difference(&picture(format), &whole);
            assert!(apart <= most, "{name} as {format:?}: {apart}");
        }
    }
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
        let rendition = Rendition {
            width: 90,
            height: Some(90),
            fit,
            ..Rendition::default()
        };
        let resized = resized(&corpus("exif-6.jpg"), &rendition).unwrap();
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
    let resized = resized(&corpus("gray.jpg"), &Rendition::default()).unwrap();
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
    let resized = resized(
        &png(half_red),
        &Rendition {
            width: 20,
            quality: 100,
            ..Rendition::default()
        },
    );
    let picture = decode(&resized.unwrap().bytes).into_rgb8();
    assert_close(picture.get_pixel(10, 10).0, [255, 127, 127], 3);
}

#[test]
fn the_colour_of_invisible_pixels_does_not_bleed() {
    let halves = RgbaImage::from_fn(400, 40, |x, _| {
        Rgba(if x < 208 { [0, 0, 255, 255] } else { [255, 0, 0, 0] })
    });
    let webp = |config: EncoderConfig| {
        config
            .exact(true)
            .encode_rgba(&halves, 400, 40, Unstoppable)
            .unwrap()
    };
    for (source, tolerance) in [
        (webp(EncoderConfig::new_lossless()), 12),
        // The file itself has half as many samples of colours.
        (webp(EncoderConfig::new().quality(100.0)), 30),
        (png(halves.clone()), 12),
    ] {
        let small = resized_to(&source, 40);
        for pixel in small.pixels().filter(|pixel| pixel.0[3] > 8) {
            assert_close([pixel.0[0], pixel.0[2]], [0, 255], tolerance);
        }
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
    let rendition = Rendition {
        width: 50,
        height: Some(50),
        fit: Fit::Cover,
        format: OutputFormat::Png,
        ..Rendition::default()
    };
    let picture = decode(&resized(&png(stripes), &rendition).unwrap().bytes).into_rgb8();
    assert_eq!(picture.dimensions(), (50, 50));
    for x in [3, 25, 46] {
        assert_close(picture.get_pixel(x, 25).0, [0, 255, 0], 8);
    }
}

#[test]
fn contain_centres_on_white() {
    let black = RgbImage::from_pixel(200, 100, Rgb([0, 0, 0]));
    let rendition = Rendition {
        width: 50,
        height: Some(50),
        fit: Fit::Contain,
        format: OutputFormat::Png,
        ..Rendition::default()
    };
    let picture = decode(&resized(&png(black), &rendition).unwrap().bytes).into_rgb8();
    assert_eq!(picture.get_pixel(25, 5).0, [255; 3]);
    assert_eq!(picture.get_pixel(25, 25).0, [0; 3]);
    assert_eq!(picture.get_pixel(25, 45).0, [255; 3]);
}

#[test]
fn cover_keeps_the_part_that_is_asked_for() {
    let stripes = RgbImage::from_fn(300, 100, |x, _| {
        Rgb(match x / 100 {
            0 => [255, 0, 0],
            1 => [0, 255, 0],
            _ => [0, 0, 255],
        })
    });
    for (position, colour) in [
        (Position::Left, [255, 0, 0]),
        (Position::Top, [0, 255, 0]),
        (Position::Right, [0, 0, 255]),
    ] {
        let rendition = Rendition {
            width: 50,
            height: Some(50),
            fit: Fit::Cover,
            position,
            format: OutputFormat::Png,
            ..Rendition::default()
        };
        let picture = decode(&resized(&png(stripes.clone()), &rendition).unwrap().bytes).into_rgb8();
        assert_close(picture.get_pixel(25, 25).0, colour, 8);
    }
}

#[test]
fn the_background_is_of_the_colour_that_is_asked_for() {
    let clear = RgbaImage::from_pixel(40, 20, Rgba([255, 0, 0, 0]));
    let rendition = |format| Rendition {
        width: 40,
        height: Some(40),
        fit: Fit::Contain,
        background: [0, 0, 200],
        quality: 100,
        format,
        ..Rendition::default()
    };
    let flat = decode(
        &resized(&png(clear.clone()), &rendition(OutputFormat::Jpeg))
            .unwrap()
            .bytes,
    )
    .into_rgb8();
    assert_close(flat.get_pixel(20, 20).0, [0, 0, 200], 3);
    assert_close(flat.get_pixel(20, 2).0, [0, 0, 200], 3);
    let gray = image::GrayImage::from_pixel(40, 20, Luma([90]));
    let framed = decode(&resized(&png(gray), &rendition(OutputFormat::Png)).unwrap().bytes).into_rgb8();
    assert_eq!(framed.get_pixel(20, 2).0, [0, 0, 200]);
    assert_eq!(framed.get_pixel(20, 20).0, [90, 90, 90]);
}

#[test]
fn a_border_leaves_the_transparency_within() {
    let glass = RgbaImage::from_pixel(40, 20, Rgba([255, 0, 0, 100]));
    for format in [OutputFormat::Png, OutputFormat::Auto] {
        let rendition = Rendition {
            width: 40,
            height: Some(40),
            fit: Fit::Contain,
            format,
            ..Rendition::default()
        };
        let picture = decode(&resized(&png(glass.clone()), &rendition).unwrap().bytes).into_rgba8();
        assert_close(picture.get_pixel(20, 20).0, [255, 0, 0, 100], 8);
        assert_close(picture.get_pixel(20, 2).0, [255, 255, 255, 255], 3);
    }
}

#[test]
fn no_rounding_leads_out_of_the_picture() {
    // Sizes at which the lower or right edge of the kept part came out a trillionth of a pixel too far.
    for (size, to, position) in [
        ((1207, 1810), (1200, 630), Position::Bottom),
        ((1829, 4292), (1329, 63), Position::Bottom),
        ((7033, 627), (636, 611), Position::Right),
    ] {
        let source = png(image::GrayImage::from_pixel(size.0, size.1, Luma([9])));
        let rendition = Rendition {
            width: to.0,
            height: Some(to.1),
            fit: Fit::Cover,
            position,
            ..Rendition::default()
        };
        let made = resized(&source, &rendition).unwrap();
        assert_eq!((made.size.width, made.size.height), to);
    }
}

#[test]
fn auto_and_keep_choose_by_the_picture() {
    let format = |source: &[u8], format| {
        let rendition = Rendition {
            width: 20,
            format,
            ..Rendition::default()
        };
        let resized = resized(source, &rendition).unwrap();
        image::guess_format(&resized.bytes).unwrap()
    };
    let opaque = png(RgbaImage::from_pixel(40, 40, Rgba([255, 0, 0, 255])));
    let clear = png(RgbaImage::from_pixel(40, 40, Rgba([255, 0, 0, 128])));
    assert_eq!(format(&opaque, OutputFormat::Auto), ImageFormat::Jpeg);
    assert_eq!(format(&clear, OutputFormat::Auto), ImageFormat::WebP);
    assert_eq!(format(&opaque, OutputFormat::Keep), ImageFormat::Png);
    assert_eq!(
        format(&corpus("rocket.jpg"), OutputFormat::Keep),
        ImageFormat::Jpeg
    );
    assert_eq!(
        format(&corpus("lossy.webp"), OutputFormat::Keep),
        ImageFormat::WebP
    );
    assert_eq!(
        format(&corpus("photo.bmp"), OutputFormat::Keep),
        ImageFormat::Jpeg
    );
}

#[test]
fn several_renditions_are_each_as_if_alone() {
    let rendition = |width, height, fit, format| Rendition {
        width,
        height,
        fit,
        format,
        ..Rendition::default()
    };
    let renditions = [
        rendition(60, None, Fit::Inside, OutputFormat::Png),
        rendition(400, None, Fit::Inside, OutputFormat::Jpeg),
        rendition(90, Some(90), Fit::Cover, OutputFormat::Png),
        rendition(200, Some(300), Fit::Contain, OutputFormat::Webp),
    ];
    for name in [
        "rocket.jpg",
        "exif-6.jpg",
        "gray.jpg",
        "cmyk.jpg",
        "rgba.png",
        "lossless.webp",
    ] {
        let source = corpus(name);
        let made = resizer_handler::resize::resize(&source, &renditions, &Limits::default()).unwrap();
        for (together, rendition) in made.pictures.iter().zip(&renditions) {
            let alone = resized(&source, rendition).unwrap();
            assert_eq!(
                (together.size, together.format),
                (alone.size, alone.format),
                "{name}"
            );
            let (together, alone) = (seen(&together.bytes), seen(&alone.bytes));
            let difference = mean_difference(&together, &alone);
            assert!(difference < 2.0, "{name} to {}: {difference}", rendition.width);
        }
    }
}

/// A profile under which red is green and green is red, and grays stay grays.
fn swapped_profile() -> Vec<u8> {
    let mut profile = moxcms::ColorProfile::new_srgb();
    std::mem::swap(&mut profile.red_colorant, &mut profile.green_colorant);
    profile.encode().unwrap()
}

#[test]
fn a_profile_is_converted_to_srgb() {
    let red = RgbImage::from_pixel(400, 300, Rgb([255, 0, 0]));
    let mut tagged = Vec::new();
    let mut encoder = PngEncoder::new(&mut tagged);
    encoder.set_icc_profile(swapped_profile()).unwrap();
    DynamicImage::from(red.clone())
        .write_with_encoder(encoder)
        .unwrap();
    let picture = resized_to(&tagged, 100);
    assert_close(picture.get_pixel(50, 50).0, [0, 255, 0, 255], 3);

    let mut tagged = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut tagged, 95);
    encoder.add_icc_profile(&swapped_profile()).unwrap();
    encoder
        .encode(&red, 400, 300, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    for format in [OutputFormat::Jpeg, OutputFormat::Png] {
        let rendition = Rendition {
            width: 100,
            format,
            ..Rendition::default()
        };
        let picture = decode(&resized(&tagged, &rendition).unwrap().bytes).into_rgb8();
        assert_close(picture.get_pixel(50, 50).0, [0, 255, 0], 6);
    }
}

#[test]
fn a_gray_profile_is_converted_with_and_without_transparency() {
    let linear = moxcms::ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let tagged = |picture: DynamicImage| {
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(linear.clone()).unwrap();
        picture.write_with_encoder(encoder).unwrap();
        resized_to(&bytes, 20).get_pixel(5, 5).0
    };
    let gray = image::GrayImage::from_pixel(40, 40, Luma([64]));
    assert_close(tagged(gray.into()), [137, 137, 137, 255], 2);
    let glass = image::GrayAlphaImage::from_pixel(40, 40, image::LumaA([64, 200]));
    assert_close(tagged(glass.into()), [137, 137, 137, 200], 2);
}

#[test]
fn a_border_costs_no_colour() {
    let source = corpus("coffee.jpg");
    let made = |height| {
        let rendition = Rendition {
            width: 200,
            height,
            fit: if height.is_some() {
                Fit::Contain
            } else {
                Fit::Inside
            },
            quality: 100,
            ..Rendition::default()
        };
        decode(&resized(&source, &rendition).unwrap().bytes).into_rgb8()
    };
    let (plain, framed) = (made(None), made(Some(200)));
    let top = (200 - plain.height()) / 2;
    let within = image::imageops::crop_imm(&framed, 0, top, 200, plain.height()).to_image();
    let rgba = |picture: RgbImage| DynamicImage::from(picture).into_rgba8();
    let difference = mean_difference(&rgba(plain), &rgba(within));
    assert!(difference < 1.5, "{difference}");
}

#[test]
fn a_result_is_srgb_and_has_no_profile() {
    for name in ["icc-srgb.jpg", "cmyk.jpg"] {
        let resized = resized(&corpus(name), &Rendition::default()).unwrap();
        let marker = b"ICC_PROFILE\0";
        assert!(
            !resized.bytes.windows(marker.len()).any(|window| window == marker),
            "{name}"
        );
    }
    let tagged = resized_to(&corpus("icc-srgb.jpg"), 300);
    let plain = decode(&corpus("icc-srgb.jpg")).resize_exact(300, tagged.height(), FilterType::Lanczos3);
    assert!(mean_difference(&tagged, &plain.into_rgba8()) < 2.0);
}

#[test]
fn a_progressive_jpeg_is_written_where_it_is_asked_for() {
    let source = corpus("rocket.jpg");
    let rendition = |progressive| Rendition {
        progressive,
        ..Rendition::default()
    };
    let (baseline, progressive) = (
        resized(&source, &rendition(false)).unwrap(),
        resized(&source, &rendition(true)).unwrap(),
    );
    let has_marker = |bytes: &[u8], marker: u8| bytes.windows(2).any(|pair| pair == [0xff, marker]);
    assert!(has_marker(&progressive.bytes, 0xc2) && !has_marker(&baseline.bytes, 0xc2));
    assert!(
        mean_difference(
            &decode(&baseline.bytes).into_rgba8(),
            &decode(&progressive.bytes).into_rgba8()
        ) < 0.5
    );
}
