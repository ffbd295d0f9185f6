//! AVIF, by rav1e, where the crate is built with the feature of that name.

use std::time::Duration;

use image::DynamicImage;

use super::Rendition;

/// Of rav1e's speeds 1 to 10 the fastest whose files are smaller than lossy WebP's of the same quality (docs/figures.md).
#[cfg(feature = "avif")]
const SPEED: u8 = 8;

/// What writing a picture of so many pixels takes at least: 1.1 s a megapixel were measured for a flat one, 2.4 to 3.4 for
/// photographs.
pub fn least_time(pixels: u64) -> Duration {
    Duration::from_micros(pixels)
}

/// What writing a picture of so many pixels takes at most, in bytes: of noise at quality 100 up to 231 a pixel were measured,
/// of photographs 46 to 73.
pub fn memory(pixels: u64) -> u64 {
    const ALWAYS: u64 = 10 * 1024 * 1024;
    const PER_PIXEL: u64 = 240;
    ALWAYS + pixels * PER_PIXEL
}

/// Writes the picture, 4:4:4 and with 10 bits, which come closer to it than 8 for hardly more bytes.
///
/// # Errors
/// What rav1e says; or that it is not built in.
#[cfg(feature = "avif")]
pub fn encode(picture: &DynamicImage, rendition: &Rendition, exif: Option<&[u8]>) -> Result<Vec<u8>, String> {
    use ravif::{Encoder, Img};
    use rgb::FromSlice;

    let quality = f32::from(rendition.quality);
    let encoder = Encoder::new()
        .with_quality(quality)
        .with_alpha_quality(quality)
        .with_speed(SPEED);
    let encoder = match exif {
        Some(exif) => encoder.with_exif(exif),
        None => encoder,
    };
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let opaque = |rgb: &image::RgbImage| encoder.encode_rgb(Img::new(rgb.as_rgb(), width, height));
    let written = match picture {
        DynamicImage::ImageRgba8(rgba) => encoder.encode_rgba(Img::new(rgba.as_rgba(), width, height)),
        DynamicImage::ImageRgb8(rgb) => opaque(rgb),
        other => opaque(&other.to_rgb8()),
    };
    written
        .map(|image| image.avif_file)
        .map_err(|error| error.to_string())
}

/// Whose configuration asks for AVIF has a function built with its encoder, or, with a zip of another function of ours, is told
/// by `up`, which looks in it for the beginning of this sentence.
#[cfg(not(feature = "avif"))]
pub fn encode(_: &DynamicImage, _: &Rendition, _: Option<&[u8]>) -> Result<Vec<u8>, String> {
    // Long, so that it is there in one piece.
    const NOT_BUILT_IN: &str = "the function was built without the encoder, as the configuration that it was built for asked \
        for no AVIF; `resizer up` without --handler-zip builds one that has it";
    Err(NOT_BUILT_IN.to_owned())
}
