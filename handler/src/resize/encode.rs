//! From pixels to a file.

use std::time::Duration;

use image::{DynamicImage, RgbaImage};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType as JpegColor, EncodingError, SamplingFactor};
use png::{BitDepth, ColorType as PngColor, EncodingError as PngError};

use super::format::SourceFormat;
use super::picture::Picture;
use super::{FileFormat, OutputFormat, Refusal, Rendition, Size, avif, canvas, webp};

/// What the picture is written as.
pub fn format(picture: &Picture, wanted: OutputFormat, source: SourceFormat) -> FileFormat {
    let (opaque, transparent) = (wanted.of_opaque(source), wanted.of_transparent(source));
    match picture {
        // Only where it matters are all pixels looked at.
        Picture::Pixels(DynamicImage::ImageRgba8(rgba)) if opaque != transparent && is_transparent(rgba) => {
            transparent
        }
        _ => opaque,
    }
}

fn is_transparent(picture: &RgbaImage) -> bool {
    picture.pixels().any(|pixel| pixel.0[3] != u8::MAX)
}

/// What writing a picture of that size takes at least, where it is long.
pub fn least_time(rendition: &Rendition, size: Size) -> Duration {
    match rendition.format {
        OutputFormat::Avif => avif::least_time(size.pixels()),
        _ => Duration::ZERO,
    }
}

/// Writes the picture, with that EXIF metadata. Its colours are sRGB, which is what a file without a profile means.
pub fn encode(
    picture: &Picture,
    format: FileFormat,
    rendition: &Rendition,
    exif: Option<&[u8]>,
) -> Result<Vec<u8>, Refusal> {
    let written = match (picture, format) {
        (Picture::Halved(_), _) | (_, FileFormat::Jpeg) => {
            jpeg(picture, rendition, exif).map_err(|error| error.to_string())
        }
        (Picture::Pixels(pixels), FileFormat::Png) => png(pixels, exif).map_err(|error| error.to_string()),
        (Picture::Pixels(pixels), FileFormat::Webp) => webp::encode(pixels, rendition, exif),
        (Picture::Pixels(pixels), FileFormat::Avif) => avif::encode(pixels, rendition, exif),
        (Picture::Pixels(_), FileFormat::Gif) => Err("only animations are written as GIF".to_owned()),
    };
    written.map_err(|detail| Refusal::NotEncoded {
        format: format.name(),
        detail,
    })
}

fn jpeg(picture: &Picture, rendition: &Rendition, exif: Option<&[u8]>) -> Result<Vec<u8>, EncodingError> {
    let size = picture.size();
    let (width, height) = (as_jpeg_side(size.width), as_jpeg_side(size.height));
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, rendition.quality);
    // This way of saying 4:2:0, and standard Huffman tables, give one interleaved scan. The others give a scan for each
    // colour, which is rare in baseline files and which some decoders get wrong.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    if rendition.progressive {
        encoder.set_progressive(true);
        encoder.set_optimized_huffman_tables(true);
    }
    if let Some(exif) = exif {
        encoder.add_exif_metadata(exif)?;
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
        DynamicImage::ImageRgba8(rgba) => {
            let opaque = canvas::flattened(rgba, rendition.background);
            encoder.encode(&opaque, width, height, JpegColor::Rgb)?;
        }
        other => encoder.encode(other.as_bytes(), width, height, JpegColor::Rgb)?,
    }
    Ok(bytes)
}

/// A side too long for JPEG becomes one that the encoder refuses, as it then does not match the pixels.
fn as_jpeg_side(side: u32) -> u16 {
    u16::try_from(side).unwrap_or(u16::MAX)
}

fn png(picture: &DynamicImage, exif: Option<&[u8]>) -> Result<Vec<u8>, PngError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(match picture {
        DynamicImage::ImageLuma8(_) => PngColor::Grayscale,
        DynamicImage::ImageRgba8(_) => PngColor::Rgba,
        _ => PngColor::Rgb,
    });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    if let Some(exif) = exif {
        writer.write_chunk(png::chunk::eXIf, exif)?;
    }
    writer.write_image_data(picture.as_bytes())?;
    writer.finish()?;
    Ok(bytes)
}
