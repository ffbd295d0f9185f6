//! TIFF, by the `tiff` crate, which gives the samples as they are stored. Row by row they become gray, RGB or RGBA with 8
//! bits a channel; ink and YCbCr go the way that a JPEG's take.

use std::borrow::Cow;
use std::io::Cursor;

use image::metadata::Orientation;
use tiff::decoder::{BufferLayoutPreference, ChunkType, Decoder, Limits as CodecLimits};
use tiff::tags::{ByteOrder, CompressionMethod, ExtraSamples, PhotometricInterpretation, SampleFormat, Tag};
use tiff::{ColorType, TiffError};

use super::credits::Place;
use super::decode::Pixels;
use super::format::SourceFormat;
use super::header::{ENDS_EARLY, Header, METADATA_BYTES, is_end_of_file};
use super::limits::Memory;
use super::planes::Planes;
use super::reduce::Reducer;
use super::{Refusal, Size};
use crate::jpeg::{Colour, Jpeg, Plane};

/// What to do with a picture of another kind.
const ADVICE: &str = "save it as RGB with 8 bits a channel";

type Stored<'a> = Decoder<Cursor<Cow<'a, [u8]>>>;

/// A TIFF whose first directory was read.
pub struct Tiff<'a> {
    source: &'a [u8],
    decoder: Stored<'a>,
    size: Size,
    kind: Kind,
    /// Whether colours are stored multiplied by their alpha.
    is_premultiplied: bool,
}

/// What the samples of a pixel are; what follows them is not looked at.
enum Kind {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Ink,
    YCbCr,
    /// Indexes into these colours.
    Palette(Vec<[u8; 3]>),
}

impl Kind {
    /// How many samples of a pixel are looked at.
    fn samples(&self) -> usize {
        match self {
            Self::Gray | Self::Palette(_) => 1,
            Self::GrayAlpha => 2,
            Self::Rgb | Self::YCbCr => 3,
            Self::Rgba | Self::Ink => 4,
        }
    }
}

/// An XMP packet (XMP specification, part 3).
const XMP: Tag = Tag::Unknown(700);

/// Reads the header.
pub fn open(source: &[u8]) -> Result<(Header, Box<Tiff<'_>>), Refusal> {
    let decoder = Decoder::new(Cursor::new(Cow::Borrowed(source))).map_err(refusal)?;
    // How long a strip is, the file says; what metadata may take, this does, for the crate believes that of the file too.
    let mut limits = CodecLimits::unlimited();
    limits.decoding_buffer_size = METADATA_BYTES;
    let mut decoder = decoder.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(refusal)?;
    let size = Size { width, height };
    let icc_profile = bytes_of(&mut decoder, Tag::IccProfile);
    let xmp = bytes_of(&mut decoder, XMP);
    // A TIFF is what EXIF metadata is; in one with 64-bit offsets only the decoder finds the orientation.
    let header = Header::new(size, Some(source), icc_profile);
    let mut header = header.with_credits([xmp.as_deref().map(Place::Xmp)]);
    if let Ok(Some(orientation)) = decoder.find_tag_unsigned(Tag::Orientation) {
        header.orientation = Orientation::from_exif(orientation).unwrap_or(Orientation::NoTransforms);
    }
    let extra: Vec<u16> = decoder
        .find_tag_unsigned_vec(Tag::ExtraSamples)
        .map_err(refusal)?
        .unwrap_or_default();
    let first_extra = extra.first().and_then(|extra| ExtraSamples::from_u16(*extra));
    let kind = kind(&mut decoder, first_extra)?;
    let is_premultiplied = first_extra == Some(ExtraSamples::AssociatedAlpha);
    let tiff = Tiff {
        source,
        decoder,
        size,
        kind,
        is_premultiplied,
    };
    Ok((header, Box::new(tiff)))
}

/// The bytes of a tag, if there are no more than metadata may have.
fn bytes_of(decoder: &mut Stored<'_>, tag: Tag) -> Option<Vec<u8>> {
    let mut directory = decoder.image_ifd();
    let length = directory.find_entry(tag)?.count();
    let length = usize::try_from(length)
        .ok()
        .filter(|length| *length <= METADATA_BYTES)?;
    let mut bytes = vec![0; length];
    directory.find_tag_bytes(tag, &mut bytes, 0).ok()??;
    Some(bytes)
}

fn kind(decoder: &mut Stored<'_>, extra: Option<ExtraSamples>) -> Result<Kind, Refusal> {
    const PALETTE: u16 = PhotometricInterpretation::RGBPalette.to_u16();
    let meaning: Option<u16> = decoder
        .find_tag_unsigned(Tag::PhotometricInterpretation)
        .map_err(refusal)?;
    if meaning == Some(PALETTE) {
        return palette(decoder).map(Kind::Palette);
    }
    let is_alpha = matches!(
        extra,
        Some(ExtraSamples::AssociatedAlpha | ExtraSamples::UnassociatedAlpha)
    );
    Ok(match decoder.colortype().map_err(refusal)? {
        ColorType::Multiband { .. } if is_alpha => Kind::GrayAlpha,
        ColorType::Gray(_) | ColorType::Multiband { .. } => Kind::Gray,
        ColorType::RGB(_) => Kind::Rgb,
        ColorType::RGBA(_) => Kind::Rgba,
        ColorType::CMYK(_) | ColorType::CMYKA(_) => Kind::Ink,
        ColorType::YCbCr(_) => Kind::YCbCr,
        other => return Err(not_supported(format!("its pixels are {other:?}"))),
    })
}

/// The colours of a palette (TIFF 6.0, section 5): all reds, all greens, all blues, of 16 bits.
fn palette(decoder: &mut Stored<'_>) -> Result<Vec<[u8; 3]>, Refusal> {
    let table = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(refusal)?;
    // Some programs write 8 bits, as libtiff knows.
    let is_shallow = table.iter().all(|sample| *sample <= u16::from(u8::MAX));
    let sample = |sample: u16| if is_shallow { sample as u8 } else { shallow(sample) };
    let (reds, rest) = table.split_at(table.len() / 3);
    let (greens, blues) = rest.split_at(rest.len() / 2);
    let colours = reds.iter().zip(greens).zip(blues);
    Ok(colours
        .map(|((&red, &green), &blue)| [red, green, blue].map(sample))
        .collect())
}

/// Decodes the picture: RGB or gray reduced to no less than a margin over `target`, ink and YCbCr as large as they are.
pub fn decode(tiff: Tiff<'_>, target: Size, memory: Memory) -> Result<Pixels, Refusal> {
    let Tiff {
        source,
        mut decoder,
        size,
        kind,
        is_premultiplied,
    } = tiff;
    let mut memory = memory;
    if matches!(kind, Kind::Palette(_)) {
        memory = memory.without(source.len() as u64)?;
        decoder = indexes_as_gray(source, &mut decoder)?;
    }
    let layout = decoder.image_buffer_layout().map_err(refusal)?;
    let is_jpeg = is_jpeg(&mut decoder)?;
    check_pieces(source, &mut decoder, size, layout.planes, is_jpeg)?;
    // A piece that is a JPEG is decoded before it is copied.
    let stored = layout.complete_len as u64 * (1 + u64::from(is_jpeg));
    let memory = memory.without(stored)?;
    let rows = Rows::of(&layout, &decoder.colortype().map_err(refusal)?, size)?;
    let mut buffer = Vec::new();
    let mut read = |memory: Memory, takes: u64| {
        memory.check(takes)?;
        buffer = vec![0; layout.complete_len];
        decoder.read_image_bytes(&mut buffer).map_err(refusal)
    };
    match kind {
        Kind::Ink | Kind::YCbCr => {
            read(memory, size.pixels() * kind.samples() as u64)?;
            Ok(Pixels::Planes(apart(&kind, &rows, &buffer, size)))
        }
        _ => {
            let channels = match kind {
                Kind::Gray => 1,
                Kind::Rgb | Kind::Palette(_) => 3,
                _ => 4,
            };
            read(memory, Reducer::bytes(size, channels, target))?;
            let mut reducer = Reducer::new(size, channels, target);
            let (mut samples, mut pixels) = (Vec::new(), Vec::new());
            for y in 0..size.height as usize {
                rows.read(&buffer, y, !matches!(kind, Kind::Palette(_)), &mut samples);
                pixels.clear();
                to_channels(&kind, &samples, rows.samples, &mut pixels);
                if is_premultiplied && channels == 4 {
                    pixels.as_chunks_mut().0.iter_mut().for_each(divide_by_alpha);
                }
                reducer.push(&pixels);
            }
            reducer.finish().map(Pixels::Reduced)
        }
    }
}

/// The same file, saying that its indexes are grays: the crate reads no palettes, and gives indexes as it gives grays.
fn indexes_as_gray<'a>(source: &[u8], decoder: &mut Stored<'_>) -> Result<Stored<'a>, Refusal> {
    const GRAY: u16 = PhotometricInterpretation::BlackIsZero.to_u16();
    const MEANING: u16 = Tag::PhotometricInterpretation.to_u16();
    let is_big_endian = decoder.byte_order() == ByteOrder::BigEndian;
    let bytes_of = |number: u16| {
        if is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    // An entry is its tag, its type, how many values there are, and those; the directory's length is before them all.
    let is_big = source.get(2..4) == Some(&bytes_of(43));
    let (length, entry, value) = if is_big { (8, 20, 12) } else { (2, 12, 8) };
    let directory = decoder
        .ifd_pointer()
        .and_then(|pointer| usize::try_from(pointer.0).ok())
        .and_then(|start| start.checked_add(length));
    let mut changed = source.to_vec();
    let meaning = directory
        .and_then(|start| changed.get_mut(start..))
        .and_then(|entries| {
            entries
                .chunks_exact_mut(entry)
                .find(|entry| entry.starts_with(&bytes_of(MEANING)))
        })
        .and_then(|entry| entry.get_mut(value..value + 2))
        .ok_or_else(|| damaged("its directory does not say what its pixels are"))?;
    meaning.copy_from_slice(&bytes_of(GRAY));
    Decoder::new(Cursor::new(Cow::Owned(changed))).map_err(refusal)
}

fn is_jpeg(decoder: &mut Stored<'_>) -> Result<bool, Refusal> {
    let compression: Option<u16> = decoder.find_tag_unsigned(Tag::Compression).map_err(refusal)?;
    Ok(compression == Some(CompressionMethod::ModernJPEG.to_u16()))
}

/// The most pixels that pieces may have beside twice those of the picture: tiles stand out over its edges.
const SURPLUS_MAX: u64 = 32_000_000;
/// How often a file may be unpacked: pieces that are alike may be there once.
const SHARED_MAX: u64 = 4;

/// Refuses a file whose pieces are much larger than the picture, or are the same bytes again and again; and one with a piece
/// that is a JPEG of more pixels than the piece has: the crate believes the JPEG.
fn check_pieces(
    source: &[u8],
    decoder: &mut Stored<'_>,
    size: Size,
    planes: usize,
    is_jpeg: bool,
) -> Result<(), Refusal> {
    let (places, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let (width, height) = decoder.chunk_dimensions();
    // One strip may be said to be endless; a tile may be larger than the picture.
    let height = match decoder.get_chunk_type() {
        ChunkType::Strip => height.min(size.height),
        ChunkType::Tile => height,
    };
    let places = decoder.get_tag_u64_vec(places).map_err(refusal)?;
    let lengths = decoder.get_tag_u64_vec(lengths).map_err(refusal)?;
    let pixels = u64::from(width) * u64::from(height);
    let all = pixels.saturating_mul(places.len() as u64);
    // Each plane has pieces of its own.
    if all > size.pixels().saturating_mul(2 * planes as u64) + SURPLUS_MAX {
        return Err(damaged("its pieces are much larger than the picture"));
    }
    let packed = lengths
        .iter()
        .fold(0, |sum: u64, length| sum.saturating_add(*length));
    if packed > (source.len() as u64).saturating_mul(SHARED_MAX) {
        return Err(damaged("its pieces are longer than the file"));
    }
    if !is_jpeg {
        return Ok(());
    }
    for (place, length) in places.into_iter().zip(lengths) {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let piece = source.get(place..).unwrap_or_default();
        let piece = piece.get(..length).unwrap_or(piece);
        let jpeg = Jpeg::open(piece).map_err(|fault| damaged(&format!("a JPEG within it: {fault}")))?;
        let frame = jpeg.frame();
        // They come in whole blocks where a piece does.
        let fits = |side: u16, of: u32| u32::from(side) <= of.next_multiple_of(16);
        if !fits(frame.width, width) || !fits(frame.height, height) {
            return Err(damaged("a JPEG within it is larger than its place"));
        }
    }
    Ok(())
}

/// How the rows of a picture lie in the buffer.
struct Rows {
    /// Samples of a pixel.
    samples: usize,
    /// Pixels.
    width: usize,
    depth: u8,
    format: SampleFormat,
    /// Bytes of a row, of all samples or of one where the planes are apart.
    stride: usize,
    /// Bytes of a plane, where there are several.
    plane: Option<usize>,
}

impl Rows {
    fn of(layout: &BufferLayoutPreference, color: &ColorType, size: Size) -> Result<Self, Refusal> {
        let (depth, format) = (color.bit_depth(), layout.sample_format);
        let is_known = match format {
            SampleFormat::Uint => matches!(depth, 1 | 2 | 4 | 8 | 16 | 32),
            SampleFormat::IEEEFP => depth == 32,
            _ => false,
        };
        if !is_known {
            return Err(not_supported(format!(
                "its samples are {format:?} of {depth} bits"
            )));
        }
        Ok(Self {
            samples: usize::from(color.num_samples()),
            width: size.width as usize,
            depth,
            format,
            stride: layout.row_stride.map_or(0, usize::from),
            plane: layout.plane_stride.map(usize::from).filter(|_| layout.planes > 1),
        })
    }

    /// The samples of that row, pixel by pixel, with 8 bits; those with fewer as they are, unless they are to be `scaled`.
    fn read(&self, buffer: &[u8], y: usize, scaled: bool, to: &mut Vec<u8>) {
        to.clear();
        let row = |plane: usize| buffer.get(plane + y * self.stride..).unwrap_or_default();
        let Some(plane) = self.plane else {
            return self.to_eight_bits(row(0), self.width * self.samples, scaled, to);
        };
        to.resize(self.width * self.samples, 0);
        let mut of_one = Vec::new();
        for sample in 0..self.samples {
            of_one.clear();
            self.to_eight_bits(row(plane * sample), self.width, scaled, &mut of_one);
            let places = to.iter_mut().skip(sample).step_by(self.samples);
            places.zip(&of_one).for_each(|(place, sample)| *place = *sample);
        }
    }

    fn to_eight_bits(&self, bytes: &[u8], count: usize, scaled: bool, to: &mut Vec<u8>) {
        match (self.format, self.depth) {
            (_, 8) => to.extend_from_slice(bytes.get(..count).unwrap_or(bytes)),
            (SampleFormat::IEEEFP, _) => {
                let float = |bytes: &[u8; 4]| (f32::from_ne_bytes(*bytes) * 255.0).round() as u8;
                to.extend(bytes.as_chunks().0.iter().take(count).map(float));
            }
            (_, 16) => {
                let sample = |bytes: &[u8; 2]| shallow(u16::from_ne_bytes(*bytes));
                to.extend(bytes.as_chunks().0.iter().take(count).map(sample));
            }
            (_, 32) => {
                let sample = |bytes: &[u8; 4]| shallow((u32::from_ne_bytes(*bytes) >> 16) as u16);
                to.extend(bytes.as_chunks().0.iter().take(count).map(sample));
            }
            (_, depth) => {
                let most = u8::MAX >> (8 - depth);
                let factor = if scaled { u8::MAX / most } else { 1 };
                let samples_of = |byte: &u8| {
                    let byte = *byte;
                    (0..8 / depth).map(move |place| (byte >> (8 - depth * (place + 1))) & most)
                };
                let samples = bytes.iter().flat_map(samples_of).take(count);
                to.extend(samples.map(|sample| sample * factor));
            }
        }
    }
}

/// Deep samples are scaled, not cut.
fn shallow(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_767) / 65_535) as u8
}

/// Gray, RGB or RGBA of pixels with so many samples each.
fn to_channels(kind: &Kind, samples: &[u8], each: usize, to: &mut Vec<u8>) {
    if kind.samples() == each && matches!(kind, Kind::Gray | Kind::Rgb | Kind::Rgba) {
        to.extend_from_slice(samples);
        return;
    }
    for pixel in samples.chunks_exact(each) {
        match (kind, pixel) {
            (Kind::GrayAlpha, &[gray, alpha, ..]) => to.extend([gray, gray, gray, alpha]),
            (Kind::Palette(colours), &[index, ..]) => {
                // An index that the palette does not have is black, as viewers show it.
                to.extend(colours.get(usize::from(index)).copied().unwrap_or_default());
            }
            _ => to.extend_from_slice(&pixel[..kind.samples().min(each)]),
        }
    }
}

fn divide_by_alpha(pixel: &mut [u8; 4]) {
    let [.., alpha] = *pixel;
    let divided = |sample: u8| {
        let whole = u32::from(sample) * 255 + u32::from(alpha) / 2;
        whole.checked_div(u32::from(alpha)).unwrap_or_default().min(255) as u8
    };
    pixel[..3]
        .iter_mut()
        .for_each(|sample| *sample = divided(*sample));
}

/// The components of all pixels, apart.
fn apart(kind: &Kind, rows: &Rows, buffer: &[u8], size: Size) -> Planes {
    let is_ink = matches!(kind, Kind::Ink);
    let mut planes = vec![Vec::with_capacity(rows.width * size.height as usize); kind.samples()];
    let mut samples = Vec::new();
    for y in 0..size.height as usize {
        rows.read(buffer, y, true, &mut samples);
        for (number, plane) in planes.iter_mut().enumerate() {
            let component = samples.iter().skip(number).step_by(rows.samples);
            // A JPEG has its ink inverted.
            plane.extend(component.map(|sample| if is_ink { !*sample } else { *sample }));
        }
    }
    let extent = (f64::from(size.width), f64::from(size.height));
    let plane = |samples| Plane::of(size.width, size.height, extent, samples);
    Planes {
        colour: if is_ink { Colour::Cmyk } else { Colour::YCbCr },
        planes: planes.into_iter().map(plane).collect(),
    }
}

fn refusal(error: TiffError) -> Refusal {
    match error {
        TiffError::UnsupportedError(detail) => not_supported(detail.to_string()),
        other if is_end_of_file(&other) => damaged(ENDS_EARLY),
        other => damaged(&other.to_string()),
    }
}

fn not_supported(detail: String) -> Refusal {
    Refusal::KindNotSupported {
        format: SourceFormat::Tiff.name(),
        detail: format!("{detail}; {ADVICE}"),
    }
}

fn damaged(detail: &str) -> Refusal {
    Refusal::Damaged {
        format: SourceFormat::Tiff.name(),
        detail: detail.to_owned(),
    }
}
