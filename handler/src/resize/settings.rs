//! What picture is wanted.

use super::Limits;

/// What picture is wanted, and what may be spent on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResizeSettings {
    /// Width of the box the picture is fitted to, in pixels, at least 1.
    pub width: u32,
    /// Height of the box in pixels, at least 1; without it, the height follows from the width by the source's ratio.
    pub height: Option<u32>,
    /// How the picture meets the box when both sides are given.
    pub fit: Fit,
    /// What the picture is written as.
    pub format: OutputFormat,
    /// JPEG quality, 1 to 100; the other formats are lossless.
    pub quality: u8,
    /// What a source may be.
    pub limits: Limits,
}

impl Default for ResizeSettings {
    fn default() -> Self {
        Self {
            width: 500,
            height: None,
            fit: Fit::Inside,
            format: OutputFormat::Jpeg,
            quality: 80,
            limits: Limits::default(),
        }
    }
}

/// How a picture meets a box of given width and height. A picture is never enlarged: one that is smaller than the box
/// keeps its own pixels, and `cover` and `fill` shrink the box instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// As large as fits into the box, in the source's ratio.
    Inside,
    /// Fills the box in the source's ratio; what sticks out is cut off evenly on both sides.
    Cover,
    /// As `Inside`, centred on a white canvas of exactly the box's size.
    Contain,
    /// Stretched to the box, whatever the source's ratio.
    Fill,
}

/// What the picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Baseline JPEG, 4:2:0; transparency is put on white.
    Jpeg,
    /// PNG, 8 bits a channel.
    Png,
    /// Lossless WebP.
    Webp,
}

impl OutputFormat {
    /// The file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The media type for `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}
