//! What an image says of itself before its pixels are decoded.

use std::error::Error;
use std::io::Cursor;
use std::{io, iter};

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder};
use image::error::UnsupportedErrorKind;
use image::metadata::Orientation;
use image::{ImageDecoder, ImageError, ImageResult};

use super::credits::{Credits, Place};
use super::format::SourceFormat;
use super::png::PngReader;
use super::tiff::Tiff;
use super::{Refusal, Size, animation, jpeg, png, tiff, webp};
use crate::jpeg::Jpeg;

/// What compressed or long metadata may take, in bytes; the pixels have their own limit.
pub const METADATA_BYTES: usize = 16 * 1024 * 1024;

/// What an image says of itself.
pub struct Header {
    /// As stored, before it is turned upright.
    pub size: Size,
    /// Of a GIF, the first frame's own: it may be larger than the picture, and is unpacked whole.
    pub frame: Option<Size>,
    /// How a viewer turns the stored pixels, from the EXIF metadata.
    pub orientation: Orientation,
    /// The embedded colour profile.
    pub icc_profile: Option<Vec<u8>>,
    /// Who made it and whose it is.
    pub credits: Credits,
}

impl Header {
    /// Of a picture with that EXIF metadata. Damaged metadata is no reason to refuse a picture whose pixels are whole.
    pub fn new(size: Size, exif: Option<&[u8]>, icc_profile: Option<Vec<u8>>) -> Self {
        // Some programs write JPEG's prefix into other formats as well.
        let exif = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
        Self {
            size,
            frame: None,
            orientation: exif
                .and_then(Orientation::from_exif_chunk)
                .unwrap_or(Orientation::NoTransforms),
            icc_profile,
            credits: exif.map(Credits::of).unwrap_or_default(),
        }
    }

    /// With who made it and whose it is from other places, where the EXIF metadata does not say it.
    pub fn with_credits<'a>(mut self, places: impl IntoIterator<Item = Option<Place<'a>>>) -> Self {
        let places = places.into_iter().flatten();
        self.credits = places.fold(self.credits, Credits::or);
        self
    }
}

/// An image whose header was read and whose pixels were not.
pub struct Opened<'a> {
    pub format: SourceFormat,
    pub header: Header,
    pub decoder: Decoder<'a>,
}

/// What will decode the pixels.
pub enum Decoder<'a> {
    Jpeg(Box<Jpeg<'a>>),
    Png(Box<PngReader<'a>>),
    Tiff(Box<Tiff<'a>>),
    /// The whole file.
    Webp(&'a [u8]),
    Other(Box<dyn ImageDecoder + 'a>),
}

/// Reads the header.
pub fn open(source: &[u8], format: SourceFormat) -> Result<Opened<'_>, Refusal> {
    let reader = Cursor::new(source);
    let opened = match format {
        SourceFormat::Jpeg => {
            let (header, decoder) = jpeg::open(source)?;
            Ok((header, Decoder::Jpeg(decoder)))
        }
        SourceFormat::Png => {
            let (header, reader) = png::open(source)?;
            Ok((header, Decoder::Png(Box::new(reader))))
        }
        SourceFormat::WebP => Ok((webp::open(source)?, Decoder::Webp(source))),
        SourceFormat::Tiff => {
            let (header, tiff) = tiff::open(source)?;
            Ok((header, Decoder::Tiff(tiff)))
        }
        SourceFormat::Gif => with_header(GifDecoder::new(reader)),
        SourceFormat::Bmp => with_header(BmpDecoder::new(reader)),
    };
    let (mut header, decoder) = opened.map_err(|error| refusal(format, &error))?;
    if format == SourceFormat::Gif {
        header.frame = animation::first_frame(source);
    }
    let Size { width, height } = header.size;
    if width == 0 || height == 0 {
        return Err(Refusal::NoPixels { width, height });
    }
    Ok(Opened {
        format,
        header,
        decoder,
    })
}

fn with_header<'a>(decoder: ImageResult<impl ImageDecoder + 'a>) -> ImageResult<(Header, Decoder<'a>)> {
    let mut decoder = decoder?;
    let (width, height) = decoder.dimensions();
    let icc_profile = decoder.icc_profile().unwrap_or(None);
    let header = Header::new(Size { width, height }, None, icc_profile);
    Ok((header, Decoder::Other(Box::new(decoder))))
}

/// What is wrong with a file that is cut off.
pub const ENDS_EARLY: &str = "the file ends before the picture does";

/// Whether an error is, or comes of, the end of the file.
pub fn is_end_of_file(error: &(dyn Error + 'static)) -> bool {
    iter::successors(Some(error), |error| (**error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// Puts a decoder's error in our words.
pub fn refusal(format: SourceFormat, error: &ImageError) -> Refusal {
    let format = format.name();
    match error {
        ImageError::Unsupported(unsupported) => Refusal::KindNotSupported {
            format,
            detail: match unsupported.kind() {
                UnsupportedErrorKind::Color(color) => format!(
                    "its pixels have {} bits, and are none of the kinds that are read here; save it as RGB with 8 bits a channel",
                    color.bits_per_pixel()
                ),
                UnsupportedErrorKind::GenericFeature(feature) => {
                    format!("{feature}; save it as RGB with 8 bits a channel")
                }
                _ => unsupported.to_string(),
            },
        },
        other => Refusal::Damaged {
            format,
            detail: if is_end_of_file(other) {
                ENDS_EARLY.to_owned()
            } else {
                other.to_string()
            },
        },
    }
}
