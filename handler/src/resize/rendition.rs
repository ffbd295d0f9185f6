//! What picture is wanted.

use serde::Deserialize;

/// What picture is wanted of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// Width of the box the picture is fitted to, in pixels, at least 1.
    pub width: u32,
    /// Height of the box in pixels, at least 1; without it, the height follows from the width by the source's ratio.
    pub height: Option<u32>,
    /// How the picture meets the box when both sides are given.
    pub fit: Fit,
    /// Which part of the source [`Fit::Cover`] keeps.
    pub position: Position,
    /// Whether a source smaller than the box is enlarged; otherwise it keeps its own pixels.
    pub enlarge: bool,
    /// Red, green and blue of what is behind transparency where the format has none, and around [`Fit::Contain`].
    pub background: [u8; 3],
    /// What the picture is written as.
    pub format: OutputFormat,
    /// 1 to 100, of JPEG, lossy WebP and AVIF.
    pub quality: u8,
    /// Whether a JPEG is written as progressive, with Huffman tables of its own: it is seen, coarsely, before all of it
    /// is there, and takes longer to write.
    pub progressive: bool,
    /// Whether a GIF stays one, with all its frames, where its format is kept; else the picture is made of its first frame.
    pub animated: bool,
}

impl Rendition {
    pub(super) fn keeps_animation(&self) -> bool {
        self.animated && self.format == OutputFormat::Keep
    }
}

impl Default for Rendition {
    fn default() -> Self {
        Self {
            width: 500,
            height: None,
            fit: Fit::Inside,
            position: Position::Centre,
            enlarge: false,
            background: [u8::MAX; 3],
            format: OutputFormat::Jpeg,
            quality: 80,
            progressive: false,
            animated: false,
        }
    }
}

/// How a picture meets a box of given width and height. Unless it is to be enlarged, a picture that is smaller than the
/// box keeps its own pixels, and `cover` and `fill` shrink the box instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// As large as fits into the box, in the source's ratio.
    Inside,
    /// Fills the box in the source's ratio; what sticks out is cut off as the position says.
    Cover,
    /// As `Inside`, centred on a canvas of exactly the box's size.
    Contain,
    /// Stretched to the box, whatever the source's ratio.
    Fill,
}

/// Which part of a source is kept where some of it is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    #[serde(rename = "center")]
    Centre,
    Top,
    Bottom,
    Left,
    Right,
}

/// What a picture is to be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputFormat {
    /// JPEG, 4:2:0; transparency is put on the background.
    Jpeg,
    /// PNG, 8 bits a channel.
    Png,
    /// Lossy WebP.
    Webp,
    /// Lossless WebP.
    WebpLossless,
    /// AVIF, if the crate is built with that feature.
    Avif,
    /// As the source: JPEG, PNG or WebP; of the others, as [`Self::Auto`].
    Keep,
    /// WebP where there is transparency, else JPEG.
    Auto,
}
