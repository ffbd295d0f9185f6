//! JPEG, decoded only as large as the output needs, and so that a cut-off file is an error and not a half-gray picture.
//!
//! `image` would use `zune-jpeg`, which (0.5.15) has no scaled decoding, gives wrong colours for a baseline file with a
//! scan for each component, and takes a truncated file for whole. `jpeg-decoder` still lets pass a file cut within its
//! last row of blocks, so the file is also walked to its end marker.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{Error, PixelFormat};

use super::header::Header;
use super::{Refusal, Size};

/// A JPEG whose header was read.
pub type JpegDecoder<'a> = jpeg_decoder::Decoder<&'a [u8]>;

const FORMAT: &str = "JPEG";

/// How much larger than the output the decoded picture must be: under 1.5 times, the scaling in the decoder shows.
const MARGIN: f64 = 1.5;

/// Reads the header, up to the frame.
pub fn open(source: &[u8]) -> Result<(Header, Box<JpegDecoder<'_>>), Refusal> {
    if !reaches_end_marker(source) {
        return Err(damaged("the file ends before its end marker"));
    }
    let mut decoder = JpegDecoder::new(source);
    decoder.read_info().map_err(refusal)?;
    let info = decoder.info().ok_or_else(|| damaged("it has no frame header"))?;
    let header = Header {
        size: Size {
            width: u32::from(info.width),
            height: u32::from(info.height),
        },
        orientation: decoder
            .exif_data()
            .and_then(Orientation::from_exif_chunk)
            .unwrap_or(Orientation::NoTransforms),
        icc_profile: decoder.icc_profile(),
    };
    Ok((header, Box::new(decoder)))
}

/// Decodes the pixels at the smallest of 1/8, 1/4, 1/2 and 1 that leaves a margin over `target`, which has the ratio of
/// the source. Gray stays gray, everything else becomes RGB.
pub fn decode(mut decoder: Box<JpegDecoder<'_>>, target: Size) -> Result<DynamicImage, Refusal> {
    let with_margin = |side: u32| (f64::from(side) * MARGIN).ceil() as u16;
    let (width, height) = decoder
        .scale(with_margin(target.width), with_margin(target.height))
        .map_err(refusal)?;
    let pixels = decoder.decode().map_err(refusal)?;
    let format = decoder.info().map(|info| info.pixel_format);

    let (width, height) = (u32::from(width), u32::from(height));
    let picture = match format {
        Some(PixelFormat::L8) => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        Some(PixelFormat::RGB24) => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
        Some(PixelFormat::CMYK32) => {
            RgbImage::from_raw(width, height, cmyk_to_rgb(&pixels)).map(DynamicImage::ImageRgb8)
        }
        Some(PixelFormat::L16) | None => {
            let detail = "more than 8 bits a channel".to_owned();
            return Err(Refusal::KindNotSupported {
                format: FORMAT,
                detail,
            });
        }
    };
    picture.ok_or_else(|| damaged("it holds fewer pixels than its header says"))
}

/// Without the profile of the press, as most viewers do it. The decoder undoes Adobe's inversion: 0 is no ink.
fn cmyk_to_rgb(pixels: &[u8]) -> Vec<u8> {
    let bare = |ink: u8| u32::from(u8::MAX - ink);
    let (inks, _) = pixels.as_chunks::<4>();
    inks.iter()
        .flat_map(|&[cyan, magenta, yellow, black]| {
            [cyan, magenta, yellow].map(|ink| ((bare(ink) * bare(black) + 127) / 255) as u8)
        })
        .collect()
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

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Unsupported(feature) => Refusal::KindNotSupported {
            format: FORMAT,
            detail: format!("{feature:?}"),
        },
        Error::Format(detail) => damaged(&detail),
        other => damaged(&other.to_string()),
    }
}

fn damaged(detail: &str) -> Refusal {
    Refusal::Damaged {
        format: FORMAT,
        detail: detail.to_owned(),
    }
}
