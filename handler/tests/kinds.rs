//! Every kind of each format, in colours: the right ones, or a reason. `kinds/make.py` made the pictures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// `corpus` is for the others.
#[allow(dead_code, unused_imports)]
mod common;

use common::{decode, resized};
use resizer_handler::resize::{OutputFormat, Refusal, Rendition};

type Patches = [[u8; 4]; 4];

const COLOURS: Patches = [
    [220, 30, 40, 255],
    [40, 180, 60, 255],
    [30, 60, 200, 255],
    [128, 128, 128, 255],
];
const GRAYS: Patches = [
    [0, 0, 0, 255],
    [85, 85, 85, 255],
    [170, 170, 170, 255],
    [255, 255, 255, 255],
];
/// What LittleCMS makes of the inks, as `make.py` prints it.
const PROFILED: Patches = [
    [223, 87, 75, 255],
    [73, 167, 102, 255],
    [39, 91, 159, 255],
    [137, 137, 138, 255],
];
const BLACK_AND_WHITE: Patches = [[0, 0, 0, 255], [0, 0, 0, 255], [255; 4], [255; 4]];

/// With the transparency that `make.py` gives the patches.
fn with_alpha(mut patches: Patches) -> Patches {
    patches[1][3] = 128;
    patches[3][3] = 0;
    patches
}

/// With the last patch invisible.
fn but_the_last(mut patches: Patches) -> Patches {
    patches[3][3] = 0;
    patches
}

fn source(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/kinds/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn resize(name: &str, width: u32) -> Result<Vec<u8>, Refusal> {
    let rendition = Rendition {
        width,
        format: OutputFormat::Png,
        ..Rendition::default()
    };
    Ok(resized(&source(name), &rendition)?.bytes)
}

/// The patches have the colours, whether the pixels are only read or averaged as well.
fn assert_shows(name: &str, patches: Patches, tolerance: u8) {
    for width in [32, 8] {
        let bytes = resize(name, width).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let picture = decode(&bytes).into_rgba8();
        assert_eq!(picture.dimensions(), (width, width), "{name}");
        // The corners, which the filter does not mix with other patches.
        let far = width - 1;
        let places = [(0, 0), (far, 0), (0, far), (far, far)];
        for ((x, y), wanted) in places.into_iter().zip(patches) {
            let got = picture.get_pixel(x, y).0;
            let invisible = wanted[3] == 0 && got[3] == 0;
            let close = got
                .iter()
                .zip(wanted)
                .all(|(got, wanted)| got.abs_diff(wanted) <= tolerance);
            assert!(
                close || invisible,
                "{name} to {width}: {got:?} at {x}, {y} is not {wanted:?}"
            );
        }
    }
}

fn reason(name: &str) -> String {
    match resize(name, 8).expect_err(name) {
        refusal @ Refusal::KindNotSupported { .. } => refusal.to_string(),
        other => panic!("{name}: {other}"),
    }
}

#[test]
fn every_kind_of_png_is_read() {
    for name in ["gray2", "gray4", "gray8-interlaced", "gray16"] {
        assert_shows(&format!("{name}.png"), GRAYS, 2);
    }
    assert_shows("gray1.png", BLACK_AND_WHITE, 2);
    assert_shows("gray8-transparent.png", but_the_last(GRAYS), 2);
    for name in ["gray-alpha8", "gray-alpha16", "gray-alpha16-interlaced"] {
        assert_shows(&format!("{name}.png"), with_alpha(GRAYS), 2);
    }
    for name in [
        "palette2",
        "palette4",
        "palette8",
        "rgb8",
        "rgb8-interlaced",
        "rgb16",
        "animated",
    ] {
        assert_shows(&format!("{name}.png"), COLOURS, 2);
    }
    assert_shows("rgb8-transparent.png", but_the_last(COLOURS), 2);
    for name in ["palette-transparent", "rgba8", "rgba16"] {
        assert_shows(&format!("{name}.png"), with_alpha(COLOURS), 2);
    }
}

#[test]
fn every_kind_of_bmp_is_read() {
    for name in [
        "palette4",
        "palette8",
        "rgb24",
        "rgb24-top-down",
        "rgb32",
        "rle4",
        "rle8",
    ] {
        assert_shows(&format!("{name}.bmp"), COLOURS, 2);
    }
    // Five bits a channel.
    for name in ["rgb16-555", "rgb16-565"] {
        assert_shows(&format!("{name}.bmp"), COLOURS, 8);
    }
    assert_shows("gray1.bmp", BLACK_AND_WHITE, 2);
}

#[test]
fn every_kind_of_tiff_is_read() {
    for name in [
        "raw", "lzw", "deflate", "packbits", "tiled", "big", "planar", "float",
    ] {
        assert_shows(&format!("rgb-{name}.tif"), COLOURS, 2);
    }
    assert_shows("rgb16.tif", COLOURS, 2);
    for name in ["cmyk", "cmyk16", "cmyk-planar"] {
        assert_shows(&format!("{name}.tif"), COLOURS, 2);
    }
    for name in ["palette", "palette4", "palette-big", "palette-big-endian"] {
        assert_shows(&format!("{name}.tif"), COLOURS, 2);
    }
    for name in ["rgba8", "rgba16", "rgba8-premultiplied"] {
        assert_shows(&format!("{name}.tif"), with_alpha(COLOURS), 2);
    }
    for name in ["8", "16", "8-planar", "8-premultiplied"] {
        assert_shows(&format!("gray-alpha{name}.tif"), with_alpha(GRAYS), 2);
    }
    for name in ["gray8", "gray8-white-is-zero", "gray16", "gray32", "gray-float"] {
        assert_shows(&format!("{name}.tif"), GRAYS, 2);
    }
    assert_shows("gray1-group4.tif", BLACK_AND_WHITE, 2);
    for name in ["jpeg", "tiled"] {
        assert_shows(&format!("ycbcr-{name}.tif"), COLOURS, 4);
    }
}

#[test]
fn inks_are_seen_as_their_profile_has_it() {
    for name in ["profiled.jpg", "profiled.tif"] {
        assert_shows(name, PROFILED, 3);
    }
}

#[test]
fn every_kind_of_jpeg_is_read_or_refused() {
    for name in ["rgb", "cmyk", "ycck"] {
        assert_shows(&format!("{name}.jpg"), COLOURS, 4);
    }
    assert_shows("gray.jpg", GRAYS, 4);
    for (name, detail) in [
        ("twelve-bits", "12 bits a sample, not 8"),
        ("arithmetic", "arithmetic coding"),
        ("lossless", "lossless coding"),
    ] {
        assert_eq!(
            reason(&format!("{name}.jpg")),
            format!("this kind of JPEG image is not supported: {detail}")
        );
    }
}
