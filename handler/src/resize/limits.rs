//! What a source may cost, checked before the work is done.

use super::{Refusal, Size};

/// What a source may be. All of it is checked from the object's size and the image's header, before pixels are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the object, in bytes.
    pub source_bytes: u64,
    /// Width times height.
    pub pixels: u64,
    /// The longer of width and height, in pixels.
    pub side: u32,
    /// Memory for the decoded pixels, in bytes; deep colour needs up to 16 bytes a pixel.
    pub decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 64 * 1024 * 1024,
            pixels: 50_000_000,
            side: 65_535,
            decoded_bytes: 400_000_000,
        }
    }
}

impl Limits {
    /// Refuses an object of more bytes than allowed.
    pub fn check_bytes(&self, bytes: u64) -> Result<(), Refusal> {
        if bytes > self.source_bytes {
            return Err(Refusal::TooManyBytes {
                bytes,
                limit: self.source_bytes,
            });
        }
        Ok(())
    }

    /// Refuses an image of more pixels, or with a longer side, than allowed.
    pub(super) fn check_size(&self, size: Size) -> Result<(), Refusal> {
        let Size { width, height } = size;
        if u64::from(width) * u64::from(height) > self.pixels {
            return Err(Refusal::TooManyPixels {
                width,
                height,
                limit: self.pixels,
            });
        }
        if width.max(height) > self.side {
            return Err(Refusal::SideTooLong {
                width,
                height,
                limit: self.side,
            });
        }
        Ok(())
    }
}
