//! What a source may cost, checked before the work is done.

use super::format::SourceFormat;
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
    /// Memory for the object and its decoded pixels, in bytes.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 64 * 1024 * 1024,
            pixels: 50_000_000,
            side: 65_535,
            memory: 450_000_000,
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
        if size.pixels() > self.pixels {
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

    /// Refuses a result of more pixels than a source may have.
    pub(super) fn check_result(&self, size: Size) -> Result<(), Refusal> {
        let Size { width, height } = size;
        if size.pixels() > self.pixels {
            return Err(Refusal::ResultTooLarge {
                width,
                height,
                limit: self.pixels,
            });
        }
        Ok(())
    }

    /// The limits for what comes beside an object of that size in memory.
    pub(super) fn beside(&self, bytes: usize) -> Self {
        Self {
            memory: self.memory.saturating_sub(bytes as u64),
            ..self.clone()
        }
    }

    /// Refuses an image whose decoding takes that much memory, in bytes, if it is more than allowed.
    pub(super) fn check_memory(&self, format: SourceFormat, needed: u64) -> Result<(), Refusal> {
        if needed > self.memory {
            return Err(Refusal::TooMuchMemory {
                format: format.name(),
                needed,
                limit: self.memory,
            });
        }
        Ok(())
    }
}
