//! From an opened image to its pixels, 8 bits a channel.

use image::{ColorType, DynamicImage, ImageError, Limits as CodecLimits};

use super::header::{Decoder, Opened, refusal};
use super::planes::Planes;
use super::{Refusal, ResizeSettings, Size, jpeg};

/// The pixels of an image.
pub enum Pixels {
    Picture(DynamicImage),
    Planes(Planes),
}

/// Decodes the pixels, to gray, RGB or RGBA or planes with 8 bits a channel. Of an animation, the first frame.
///
/// The picture is at least `target` large, a size of the source's ratio as stored; formats that can, spare the rest.
pub fn decode(opened: Opened<'_>, target: Size, settings: &ResizeSettings) -> Result<Pixels, Refusal> {
    let limits = &settings.limits;
    let format = opened.format;
    let too_much = || Refusal::TooMuchMemory {
        format: format.name(),
        limit: limits.decoded_bytes,
    };
    let mut decoder = match opened.decoder {
        Decoder::Jpeg(decoder) => {
            return jpeg::decode(&decoder, target, settings.format, limits).map(Pixels::Planes);
        }
        Decoder::Other(decoder) => decoder,
    };
    if decoder.total_bytes() > limits.decoded_bytes {
        return Err(too_much());
    }
    let mut codec_limits = CodecLimits::no_limits();
    codec_limits.max_alloc = Some(limits.decoded_bytes);
    let picture = decoder
        .set_limits(codec_limits)
        .and_then(|()| DynamicImage::from_decoder(decoder));
    match picture {
        Ok(picture) => Ok(Pixels::Picture(to_eight_bits(picture))),
        Err(ImageError::Limits(_)) => Err(too_much()),
        Err(error) => Err(refusal(format, &error)),
    }
}

/// Deep colours are scaled to 8 bits, not cut.
fn to_eight_bits(picture: DynamicImage) -> DynamicImage {
    match picture.color() {
        ColorType::L8 | ColorType::Rgb8 | ColorType::Rgba8 => picture,
        ColorType::L16 => DynamicImage::ImageLuma8(picture.into_luma8()),
        color if color.has_alpha() => DynamicImage::ImageRgba8(picture.into_rgba8()),
        _ => DynamicImage::ImageRgb8(picture.into_rgb8()),
    }
}
