//! From an opened image to its pixels, 8 bits a channel.

use image::{ColorType, DynamicImage, ImageDecoder, ImageError, Limits as CodecLimits};

use super::colour::Conversion;
use super::format::SourceFormat;
use super::geometry::Crop;
use super::header::{Decoder, Opened, refusal};
use super::limits::Memory;
use super::picture::Picture;
use super::planes::Planes;
use super::reduce::Reduced;
use super::{Refusal, Size, jpeg, png, tiff, webp};

/// The pixels of an image, from which smaller pictures are made.
pub struct Decoded {
    /// As stored, in pixels: what the decoded picture shows, at whatever scale.
    source_size: Size,
    pixels: Pixels,
    /// How their colours become sRGB, if they are others.
    conversion: Option<Conversion>,
}

/// As a decoder gives them.
pub enum Pixels {
    Reduced(Reduced),
    Planes(Planes),
}

/// Decodes the pixels, to gray, RGB or RGBA or planes with 8 bits a channel. Of an animation, the first frame.
///
/// The picture is at least `target` large, a size as stored; formats that can, spare the rest. Where all that comes of
/// it is `jpeg`, so is the detail of the colours that JPEG leaves out.
pub fn decode(opened: Opened<'_>, target: Size, jpeg: bool, memory: Memory) -> Result<Decoded, Refusal> {
    let header = opened.header;
    let conversion = header.icc_profile.as_deref().and_then(Conversion::to_srgb);
    let pixels = match opened.decoder {
        Decoder::Jpeg(decoder) => {
            let halves = jpeg && conversion.is_none();
            let margin = if jpeg { jpeg::MARGIN_OF_JPEG } else { jpeg::MARGIN };
            jpeg::decode(&decoder, target, margin, halves, memory).map(Pixels::Planes)?
        }
        Decoder::Png(reader) => Pixels::Reduced(png::decode(*reader, target, memory)?),
        Decoder::Tiff(tiff) => tiff::decode(*tiff, target, memory)?,
        Decoder::Webp(source) => Pixels::Reduced(webp::decode(source, target, memory)?),
        Decoder::Other(decoder) => {
            // A frame is there as indexes and in colour, beside the picture that it is laid on.
            let frame = header.frame.map_or(0, Size::pixels).saturating_mul(5);
            Pixels::Reduced(decode_all(opened.format, decoder, memory.without(frame)?)?)
        }
    };
    Ok(Decoded {
        source_size: header.size,
        pixels,
        conversion,
    })
}

fn decode_all(
    format: SourceFormat,
    mut decoder: Box<dyn ImageDecoder + '_>,
    memory: Memory,
) -> Result<Reduced, Refusal> {
    // Some decoders hold as much again while they decode.
    memory.check(decoder.total_bytes().saturating_mul(2))?;
    let mut codec_limits = CodecLimits::no_limits();
    codec_limits.max_alloc = Some(memory.left());
    let picture = decoder
        .set_limits(codec_limits)
        .and_then(|()| DynamicImage::from_decoder(decoder));
    match picture {
        Ok(picture) => Ok(Reduced::whole(to_eight_bits(picture))),
        Err(ImageError::Limits(_)) => Err(memory.too_much(memory.left().saturating_add(1))),
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

/// How much larger than a picture must be what it is made from, if that was scaled itself: below, it is seen.
const MARGIN: u32 = 2;

impl Decoded {
    /// Whether a picture of that size, as stored, can as well be made from this one as from the source.
    pub fn has_margin_over(&self, size: Size) -> bool {
        let Size { width, height } = self.source_size;
        width >= size.width.saturating_mul(MARGIN) && height >= size.height.saturating_mul(MARGIN)
    }

    /// Makes a picture of that size of that part, in sRGB; for a JPEG perhaps with `halved` colours, if they are apart.
    pub fn scale(&self, to: Size, crop: Crop, halved: bool) -> Result<Picture, Refusal> {
        let part = crop.part_of(self.source_size, to);
        let conversion = self.conversion.as_ref();
        match &self.pixels {
            Pixels::Planes(planes) => planes.scale(to, part, halved, conversion),
            Pixels::Reduced(reduced) => {
                let scaled = reduced.scale(to, part)?;
                let converted = conversion.map(|conversion| conversion.convert(&scaled));
                Ok(Picture::Pixels(converted.transpose()?.unwrap_or(scaled)))
            }
        }
    }
}

/// A picture that was made can be made smaller once more.
impl From<Picture> for Decoded {
    fn from(picture: Picture) -> Self {
        Self {
            source_size: picture.size(),
            pixels: match picture {
                Picture::Pixels(pixels) => Pixels::Reduced(Reduced::whole(pixels)),
                Picture::Halved(halved) => Pixels::Planes(Planes::from(halved)),
            },
            conversion: None,
        }
    }
}
