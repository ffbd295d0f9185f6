//! Which format a source is in, told by its content, never by its name or Content-Type; and which its pictures get.

use image::ImageFormat;

use super::{OutputFormat, Refusal};

/// A format that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    Jpeg,
    Png,
    WebP,
    Gif,
    Tiff,
    Bmp,
}

impl SourceFormat {
    /// The name a person knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
        }
    }
}

/// Tells the format from the first bytes.
pub fn sniff(source: &[u8]) -> Result<SourceFormat, Refusal> {
    if source.is_empty() {
        return Err(Refusal::Empty);
    }
    if [b"II+\0", b"MM\0+"]
        .iter()
        .any(|magic| source.starts_with(*magic))
    {
        // With 64-bit offsets (BigTIFF), which `image` reads and does not know by its beginning.
        return Ok(SourceFormat::Tiff);
    }
    match image::guess_format(source) {
        Ok(ImageFormat::Jpeg) => Ok(SourceFormat::Jpeg),
        Ok(ImageFormat::Png) => Ok(SourceFormat::Png),
        Ok(ImageFormat::WebP) => Ok(SourceFormat::WebP),
        Ok(ImageFormat::Gif) => Ok(SourceFormat::Gif),
        Ok(ImageFormat::Tiff) => Ok(SourceFormat::Tiff),
        Ok(ImageFormat::Bmp) => Ok(SourceFormat::Bmp),
        Ok(other) => Err(Refusal::FormatNotSupported {
            format: format!("{other:?}").to_uppercase(),
        }),
        Err(_) => Err(match named(source) {
            Some(format) => Refusal::FormatNotSupported {
                format: format.to_owned(),
            },
            None => Refusal::NotAnImage {
                starts_with: source.iter().take(16).copied().collect(),
            },
        }),
    }
}

/// The name of a format that is known, and not read.
fn named(source: &[u8]) -> Option<&'static str> {
    let brand = source.get(4..12)?;
    if [
        b"ftypheic",
        b"ftypheix",
        b"ftyphevc",
        b"ftypheim",
        b"ftypheis",
        b"ftypmif1",
        b"ftypmsf1",
    ]
    .iter()
    .any(|known| brand == *known)
    {
        return Some("HEIC");
    }
    let is_jxl = source.starts_with(b"\xff\x0a") || source.starts_with(b"\0\0\0\x0cJXL ");
    is_jxl.then_some("JPEG XL")
}

/// A format that is written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    Jpeg,
    Png,
    Webp,
    Avif,
    /// Of animations alone.
    Gif,
}

impl FileFormat {
    /// The name a person knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Avif => "AVIF",
            Self::Gif => "GIF",
        }
    }

    /// The most pixels of a side.
    pub(super) fn longest_side(self) -> u32 {
        match self {
            // Of readers: libjpeg takes no longer ones, nor does libavif.
            Self::Jpeg => 65_500,
            Self::Avif => 32_768,
            Self::Gif => 65_535,
            Self::Png => i32::MAX as u32,
            Self::Webp => 16_383,
        }
    }

    /// The file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Avif => "avif",
            Self::Gif => "gif",
        }
    }

    /// The media type for `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
        }
    }
}

impl OutputFormat {
    /// What a picture without transparency is written as.
    pub fn of_opaque(self, source: SourceFormat) -> FileFormat {
        match (self, source) {
            (Self::Jpeg | Self::Auto, _) => FileFormat::Jpeg,
            (Self::Png, _) | (Self::Keep, SourceFormat::Png) => FileFormat::Png,
            (Self::Webp | Self::WebpLossless, _) | (Self::Keep, SourceFormat::WebP) => FileFormat::Webp,
            (Self::Avif, _) => FileFormat::Avif,
            (Self::Keep, _) => FileFormat::Jpeg,
        }
    }

    /// What a picture with transparency is written as.
    pub fn of_transparent(self, source: SourceFormat) -> FileFormat {
        match (self, self.of_opaque(source)) {
            (Self::Keep | Self::Auto, FileFormat::Jpeg) => FileFormat::Webp,
            (_, format) => format,
        }
    }
}
