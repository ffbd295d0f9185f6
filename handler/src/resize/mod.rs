//! The image work: bytes and settings in, bytes and what was done out. Nothing here knows of S3 or Lambda.
//!
//! One pass, one file a stage:
//! [`sniff`](format) → [`header`] → [`limits`] → [`decode`] → [`scale`] → [`orient`] → [`encode`].
//! The orientation is read with the header, so that the sizes are right, and applied to the small picture, not the large.

mod decode;
mod encode;
mod format;
mod geometry;
mod halved;
mod header;
mod jpeg;
mod limits;
mod orient;
mod picture;
mod planes;
mod refusal;
mod scale;
mod settings;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use halved::Halved;

pub use limits::Limits;
pub use refusal::Refusal;
pub use settings::{Fit, OutputFormat, ResizeSettings};

/// A picture made by [`resize`], and what was done to make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resized {
    /// The encoded picture.
    pub bytes: Vec<u8>,
    /// What the bytes are.
    pub format: OutputFormat,
    /// Width and height of the new picture, in pixels.
    pub size: Size,
    /// Width and height of the source as a viewer shows it, upright, in pixels.
    pub source_size: Size,
    /// Name of the source's format, found by its content: `JPEG`, `PNG`, `WebP`, `GIF`, `TIFF` or `BMP`.
    pub source_format: &'static str,
    /// How long each stage took.
    pub durations: Durations,
}

/// A picture's width and height, in pixels; neither is ever 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// How long the stages of the image work took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations {
    /// Header and pixels read.
    pub decode: Duration,
    /// Scaled, turned upright, put on its canvas.
    pub resize: Duration,
    /// Compressed again.
    pub encode: Duration,
}

/// Makes the smaller picture of `source` that `settings` ask for.
///
/// # Errors
/// A [`Refusal`] says in words for the uploader why `source` is not resized: not an image, damaged, too large, not supported.
pub fn resize(source: &[u8], settings: &ResizeSettings) -> Result<Resized, Refusal> {
    without_crashing(|| resize_in_stages(source, settings))
}

/// A decoder that panics on a broken image costs that image, not the process.
fn without_crashing<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Refusal::DecoderCrashed))
}

fn resize_in_stages(source: &[u8], settings: &ResizeSettings) -> Result<Resized, Refusal> {
    let start = Instant::now();
    settings.limits.check_bytes(source.len() as u64)?;
    let format = format::sniff(source)?;
    let opened = header::open(source, format)?;
    let orientation = opened.header.orientation;
    let source_size = opened.header.size.turned(orientation);
    settings.limits.check_size(source_size)?;

    let icc_profile = opened.header.icc_profile.clone();
    let layout = geometry::lay_out(source_size, settings);
    let pixels = decode::decode(opened, layout.whole_source.turned(orientation), settings)?;
    let decoded = Instant::now();

    let to = layout.scaled.turned(orientation);
    let halved = settings.format == OutputFormat::Jpeg
        && layout.canvas == layout.scaled
        && Halved::can_be_turned(to, orientation);
    let scaled = scale::scale(pixels, to, layout.crop, halved)?;
    let upright = orient::turn_upright(scaled, orientation);
    let picture = scale::place_on_canvas(upright, layout.canvas);
    let resized = Instant::now();

    let bytes = encode::encode(&picture, icc_profile.as_deref(), settings)?;
    Ok(Resized {
        bytes,
        format: settings.format,
        size: Size {
            width: picture.width(),
            height: picture.height(),
        },
        source_size,
        source_format: format.name(),
        durations: Durations {
            decode: decoded - start,
            resize: resized - decoded,
            encode: resized.elapsed(),
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    #[test]
    fn a_panic_in_the_image_work_becomes_a_reason() {
        let crashed = without_crashing::<()>(|| panic!("as a decoder might"));
        assert_eq!(crashed, Err(Refusal::DecoderCrashed));
    }
}
