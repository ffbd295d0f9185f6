//! From pixels to a file.

use image::codecs::{png::PngEncoder, webp::WebPEncoder};
use image::{DynamicImage, ImageEncoder, RgbImage, RgbaImage};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType as JpegColor, EncodingError, SamplingFactor};

use super::picture::Picture;
use super::{OutputFormat, Refusal, ResizeSettings};

/// Writes the picture. An embedded colour profile goes with it as long as it describes the pixels that are written.
pub fn encode(
    picture: &Picture,
    icc_profile: Option<&[u8]>,
    settings: &ResizeSettings,
) -> Result<Vec<u8>, Refusal> {
    let icc_profile = icc_profile.filter(|profile| describes(profile, picture));
    let (format, written) = match (picture, settings.format) {
        (Picture::Halved(_), _) | (_, OutputFormat::Jpeg) => (
            "JPEG",
            jpeg(picture, icc_profile, settings.quality).map_err(|error| error.to_string()),
        ),
        (Picture::Pixels(pixels), OutputFormat::Png) => {
            ("PNG", png(pixels, icc_profile).map_err(|error| error.to_string()))
        }
        (Picture::Pixels(pixels), OutputFormat::Webp) => (
            "WebP",
            webp(pixels, icc_profile).map_err(|error| error.to_string()),
        ),
    };
    written.map_err(|detail| Refusal::NotEncoded { format, detail })
}

fn jpeg(picture: &Picture, icc_profile: Option<&[u8]>, quality: u8) -> Result<Vec<u8>, EncodingError> {
    let (width, height) = (as_jpeg_side(picture.width()), as_jpeg_side(picture.height()));
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
    // This way of saying 4:2:0, and standard Huffman tables, give one interleaved scan. The others give a scan for each
    // colour, which is rare in baseline files and which some decoders get wrong.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    if let Some(profile) = icc_profile {
        encoder.add_icc_profile(profile)?;
    }
    let pixels = match picture {
        Picture::Halved(halved) => {
            encoder.encode_image(halved)?;
            return Ok(bytes);
        }
        Picture::Pixels(pixels) => pixels,
    };
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    match pixels {
        DynamicImage::ImageLuma8(gray) => encoder.encode(gray, width, height, JpegColor::Luma)?,
        DynamicImage::ImageRgba8(rgba) => encoder.encode(&on_white(rgba), width, height, JpegColor::Rgb)?,
        other => encoder.encode(other.as_bytes(), width, height, JpegColor::Rgb)?,
    }
    Ok(bytes)
}

/// A side too long for JPEG becomes one that the encoder refuses, as it then does not match the pixels.
fn as_jpeg_side(side: u32) -> u16 {
    u16::try_from(side).unwrap_or(u16::MAX)
}

fn png(picture: &DynamicImage, icc_profile: Option<&[u8]>) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    write_with(PngEncoder::new(&mut bytes), picture, icc_profile)?;
    Ok(bytes)
}

fn webp(picture: &DynamicImage, icc_profile: Option<&[u8]>) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    write_with(WebPEncoder::new_lossless(&mut bytes), picture, icc_profile)?;
    Ok(bytes)
}

fn write_with(
    mut encoder: impl ImageEncoder,
    picture: &DynamicImage,
    icc_profile: Option<&[u8]>,
) -> image::ImageResult<()> {
    if let Some(profile) = icc_profile {
        // A profile that cannot be carried is left out.
        let _ = encoder.set_icc_profile(profile.to_vec());
    }
    picture.write_with_encoder(encoder)
}

/// Puts a picture with transparency on white.
fn on_white(picture: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let blend = |channel: u8| {
            let (channel, alpha) = (u32::from(channel), u32::from(alpha));
            ((channel * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        image::Rgb([red, green, blue].map(blend))
    })
}

/// Whether the profile is for gray or RGB pixels as these are: the profile of a CMYK source is not.
/// Bytes 16 to 19 of a profile name its colour space (ICC.1:2022, 7.2).
fn describes(profile: &[u8], picture: &Picture) -> bool {
    let color_space: &[u8] = match picture {
        Picture::Pixels(DynamicImage::ImageLuma8(_)) => b"GRAY",
        _ => b"RGB ",
    };
    profile.get(16..20) == Some(color_space)
}
