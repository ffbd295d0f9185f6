//! JPEG, decoded so that a damaged or cut-off file is an error and not a half-gray picture.
//!
//! `image` runs the same decoder in its lenient mode, in which a truncated file decodes without an error. The strict
//! mode still lets pass a file cut within its last row of blocks, so the file is also walked to its end marker.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::header::Header;
use super::{Refusal, Size};

/// A JPEG whose header was read.
pub type JpegDecoder<'a> = zune_jpeg::JpegDecoder<ZCursor<&'a [u8]>>;

const FORMAT: &str = "JPEG";

/// Reads the header, up to the first scan.
pub fn open(source: &[u8]) -> Result<(Header, Box<JpegDecoder<'_>>), Refusal> {
    // The sizes are checked against our own limits, with our own words.
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(source), options);
    decoder.decode_headers().map_err(refusal)?;
    let info = decoder.info().ok_or_else(|| damaged("it has no frame header"))?;
    if !reaches_end_marker(source) {
        return Err(damaged("the file ends before its end marker"));
    }
    let header = Header {
        size: Size {
            width: u32::from(info.width),
            height: u32::from(info.height),
        },
        orientation: decoder
            .exif()
            .and_then(|exif| Orientation::from_exif_chunk(exif))
            .unwrap_or(Orientation::NoTransforms),
        icc_profile: decoder.icc_profile(),
    };
    Ok((header, Box::new(decoder)))
}

/// Decodes the pixels: gray stays gray, everything else becomes RGB (CMYK and YCCK too).
pub fn decode(mut decoder: Box<JpegDecoder<'_>>, size: Size) -> Result<DynamicImage, Refusal> {
    let gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let color = if gray { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(color));
    let pixels = decoder.decode().map_err(refusal)?;

    let Size { width, height } = size;
    let picture = if gray {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
    };
    picture.ok_or_else(|| damaged("it holds fewer pixels than its header says"))
}

/// Whether the segments and scans follow each other to the EOI marker (ITU-T T.81, annex B). Bytes after it are allowed:
/// cameras append previews and maps there.
fn reaches_end_marker(source: &[u8]) -> bool {
    const START_OF_IMAGE: u8 = 0xd8;
    const END_OF_IMAGE: u8 = 0xd9;
    let mut at = 0;
    // Entropy-coded data between segments is skipped by looking for the next marker: within it, 0xff is always
    // followed by a stuffed 0x00 or a restart marker.
    while let Some(found) = source
        .get(at..)
        .and_then(|rest| rest.iter().position(|&byte| byte == 0xff))
    {
        let Some(&marker) = source.get(at + found + 1) else {
            return false;
        };
        at += found + 1;
        match marker {
            0xff => {}
            END_OF_IMAGE => return true,
            0x00 | 0x01 | START_OF_IMAGE | 0xd0..=0xd7 => at += 1,
            _ => {
                let Some(&[high, low]) = source.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
    false
}

fn refusal(error: DecodeErrors) -> Refusal {
    match error {
        DecodeErrors::Unsupported(scheme) => Refusal::KindNotSupported {
            format: FORMAT,
            detail: format!("{scheme:?}"),
        },
        other => damaged(&other.to_string()),
    }
}

fn damaged(detail: &str) -> Refusal {
    Refusal::Damaged {
        format: FORMAT,
        detail: detail.to_owned(),
    }
}
