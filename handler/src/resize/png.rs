//! PNG, averaged row by row, so that a large picture that becomes a small one is never in memory as a whole.

use std::io::{Cursor, ErrorKind};

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits as CodecLimits, Reader, Transformations};

use super::credits::Place;
use super::format::SourceFormat;
use super::header::{ENDS_EARLY, Header, METADATA_BYTES};
use super::limits::Memory;
use super::reduce::{Reduced, Reducer};
use super::{Refusal, Size};

/// A PNG whose header was read.
pub type PngReader<'a> = Reader<Cursor<&'a [u8]>>;

/// Reads the header.
pub fn open(source: &[u8]) -> Result<(Header, PngReader<'_>), Refusal> {
    let limits = CodecLimits {
        bytes: METADATA_BYTES,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(source), limits);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let reader = decoder.read_info().map_err(refusal)?;
    let info = reader.info();
    let size = Size {
        width: info.width,
        height: info.height,
    };
    let icc_profile = info.icc_profile.as_deref().map(<[u8]>::to_vec);
    let header = Header::new(size, info.exif_metadata.as_deref(), icc_profile);
    let header = header.with_credits([Some(Place::Png(source))]);
    Ok((header, reader))
}

/// Decodes the first picture, reduced to no less than a margin over `target`.
pub fn decode(mut reader: PngReader<'_>, target: Size, memory: Memory) -> Result<Reduced, Refusal> {
    let (color, depth) = reader.output_color_type();
    let (width, height) = reader.info().size();
    let is_deep = depth == BitDepth::Sixteen;
    let is_interlaced = reader.info().interlaced;
    let size = Size { width, height };
    let whole = if is_interlaced {
        reader.output_buffer_size().unwrap_or(usize::MAX)
    } else {
        0
    };
    let channels = channels_of(color);
    memory.check(Reducer::bytes(size, channels, target).saturating_add(whole as u64))?;

    let mut reducer = Reducer::new(size, channels, target);
    let mut samples = Vec::new();
    let mut push = |row: &[u8]| {
        samples.clear();
        to_eight_bits(row, color, is_deep, &mut samples);
        reducer.push(&samples);
    };
    if is_interlaced {
        let mut pixels = vec![0; whole];
        let info = reader.next_frame(&mut pixels).map_err(refusal)?;
        pixels.chunks_exact(info.line_size).for_each(&mut push);
    } else {
        while let Some(row) = reader.next_row().map_err(refusal)? {
            push(row.data());
        }
    }
    reader.finish().map_err(refusal)?;
    reducer.finish()
}

/// Gray with alpha becomes RGBA.
fn channels_of(color: ColorType) -> usize {
    match color {
        ColorType::Grayscale => 1,
        ColorType::Rgb | ColorType::Indexed => 3,
        ColorType::GrayscaleAlpha | ColorType::Rgba => 4,
    }
}

/// Deep colours are scaled, not cut; of gray with alpha, the gray is for red, green and blue.
fn to_eight_bits(row: &[u8], color: ColorType, is_deep: bool, to: &mut Vec<u8>) {
    let shallow = |&[high, low]: &[u8; 2]| {
        let sample = u32::from(u16::from_be_bytes([high, low]));
        ((sample * 255 + 32_767) / 65_535) as u8
    };
    let repeat = |[gray, alpha]: [u8; 2]| [gray, gray, gray, alpha];
    let has_gray_alpha = color == ColorType::GrayscaleAlpha;
    match (is_deep, has_gray_alpha) {
        (false, false) => to.extend_from_slice(row),
        (true, false) => to.extend(row.as_chunks::<2>().0.iter().map(shallow)),
        (false, true) => to.extend(row.as_chunks::<2>().0.iter().copied().flat_map(repeat)),
        (true, true) => {
            let pixels = row.as_chunks::<4>().0.iter();
            to.extend(pixels.flat_map(|&[gray, low_gray, alpha, low_alpha]| {
                repeat([shallow(&[gray, low_gray]), shallow(&[alpha, low_alpha])])
            }));
        }
    }
}

fn refusal(error: DecodingError) -> Refusal {
    let detail = match error {
        DecodingError::LimitsExceeded => "its metadata is larger than its pixels may be".to_owned(),
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => ENDS_EARLY.to_owned(),
        // Such as "Unknown filter method 25.", where bytes within it were changed; of a checksum it says too much.
        DecodingError::Format(detail) => match detail.to_string() {
            detail if detail.starts_with("CRC error") => {
                "a checksum in it does not match its bytes".to_owned()
            }
            detail => format!(
                "it breaks the rules of its format: {}",
                detail.trim_end_matches('.')
            ),
        },
        other => other.to_string(),
    };
    Refusal::Damaged {
        format: SourceFormat::Png.name(),
        detail,
    }
}
