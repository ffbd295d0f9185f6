//! Which format a source is in, told by its content, never by its name or Content-Type.

use image::ImageFormat;

use super::Refusal;

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
        Err(_) => Err(Refusal::NotAnImage {
            starts_with: source.iter().take(16).copied().collect(),
        }),
    }
}
