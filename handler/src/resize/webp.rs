//! WebP, by libwebp: it makes the picture smaller while it decodes.

use image::{DynamicImage, RgbImage, RgbaImage};
use webpx::{
    BitstreamFormat, Decoder, DecoderConfig, EncoderConfig, ImageInfo, Limits as CodecLimits, Unstoppable,
};

use super::credits::Place;
use super::format::SourceFormat;
use super::header::Header;
use super::limits::Memory;
use super::reduce::{MARGIN, Reduced, Reducer};
use super::scale::not_scaled;
use super::{OutputFormat, Refusal, Rendition, Size};

/// Reads the header.
pub fn open(source: &[u8]) -> Result<Header, Refusal> {
    let info = ImageInfo::from_webp(source).map_err(refusal)?;
    let exif = webpx::get_exif(source).unwrap_or(None);
    let size = Size {
        width: info.width,
        height: info.height,
    };
    let icc_profile = webpx::get_icc_profile(source).unwrap_or(None);
    let xmp = webpx::get_xmp(source).unwrap_or(None);
    let header = Header::new(size, exif.as_deref(), icc_profile);
    Ok(header.with_credits([xmp.as_deref().map(Place::Xmp)]))
}

/// Decodes the picture, or the first of an animation, reduced to no less than a margin over `target`.
pub fn decode(source: &[u8], target: Size, memory: Memory) -> Result<Reduced, Refusal> {
    let decoder = Decoder::new(source).map_err(refusal)?;
    let info = decoder.info();
    let size = Size {
        width: info.width,
        height: info.height,
    };
    let small = Size {
        width: target.width.saturating_mul(MARGIN),
        height: target.height.saturating_mul(MARGIN),
    };
    // Its scaling is not there for animations, and in lossy ones lets the colour of invisible pixels bleed.
    let weighs_alpha = !info.has_alpha || info.format == BitstreamFormat::Lossless;
    let scales =
        weighs_alpha && !info.has_animation && small.width < size.width && small.height < size.height;
    let decoded = if scales { small } else { size };
    let reduced = Reducer::bytes(size, 4, target);
    memory.check(match (info.has_animation, info.format) {
        // The canvas of an animation is there four times: as shown, as it was before, as given, and here.
        (true, _) => size.pixels() * 16 + reduced,
        (false, BitstreamFormat::Lossless) => (size.pixels() + decoded.pixels()) * 4 + reduced,
        // A lossy one has its alpha beside it.
        (false, _) if info.has_alpha => size.pixels() * 5 + reduced,
        (false, _) => decoded.pixels() * 3 * 2,
    })?;

    let has_alpha = info.has_alpha;
    let decoder = decoder.config(DecoderConfig::new().limits(CodecLimits::none()));
    if has_alpha && !scales {
        let stride = size.width * 4;
        let mut pixels = vec![0; stride as usize * size.height as usize];
        decoder.decode_rgba_into(&mut pixels, stride).map_err(refusal)?;
        return Reducer::reduce(size, 4, target, pixels);
    }
    let decoder = if scales {
        decoder.scale(small.width, small.height)
    } else {
        decoder
    };
    let picture = if has_alpha {
        let (pixels, width, height) = decoder.decode_rgba_raw().map_err(refusal)?;
        RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8)
    } else {
        let (pixels, width, height) = decoder.decode_rgb_raw().map_err(refusal)?;
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
    };
    Ok(Reduced::whole(
        picture.ok_or_else(|| not_scaled("a row is missing"))?,
    ))
}

/// Writes the picture, as lossless if that is asked for.
///
/// # Errors
/// What libwebp says: a side may have 16,383 pixels.
pub fn encode(picture: &DynamicImage, rendition: &Rendition, exif: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let config = match rendition.format {
        OutputFormat::WebpLossless => EncoderConfig::new_lossless(),
        _ => EncoderConfig::new().quality(f32::from(rendition.quality)),
    };
    let config = match exif {
        Some(exif) => config.exif(exif),
        None => config,
    };
    let (width, height) = (picture.width(), picture.height());
    let written = match picture {
        DynamicImage::ImageRgb8(rgb) => config.encode_rgb(rgb, width, height, Unstoppable),
        other => config.encode_rgba(&other.to_rgba8(), width, height, Unstoppable),
    };
    written.map_err(|error| error.to_string())
}

fn refusal(error: impl ToString) -> Refusal {
    Refusal::Damaged {
        format: SourceFormat::WebP.name(),
        detail: error.to_string(),
    }
}
