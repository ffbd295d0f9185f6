//! What a source may cost, checked before the work is done.

use std::time::{Duration, Instant};

use super::format::SourceFormat;
use super::{Refusal, Size};

/// What a source may be, checked from the object's size and the image's header before pixels are decoded; and what its
/// pictures may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the object, in bytes.
    pub source_bytes: u64,
    /// Width times height.
    pub pixels: u64,
    /// The longer of width and height, in pixels.
    pub side: u32,
    /// Of an animation that stays one.
    pub frames: u64,
    /// Memory for the object and its decoded pixels, in bytes.
    pub memory: u64,
    /// Size of each result, in bytes.
    pub result_bytes: u64,
    /// When the results must be there; without, they may take any time. Looked at between the stages.
    pub deadline: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 64 * 1024 * 1024,
            pixels: 50_000_000,
            side: 65_535,
            frames: 1000,
            memory: 450_000_000,
            result_bytes: 64 * 1024 * 1024,
            deadline: None,
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
        if bytes > self.memory {
            return Err(Refusal::NoRoom {
                bytes,
                limit: self.memory,
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

    /// Refuses an animation of more frames, or of more pixels in all of them, than allowed.
    pub(super) fn check_frames(&self, frames: u64, pixels: u64) -> Result<(), Refusal> {
        if frames > self.frames {
            return Err(Refusal::TooManyFrames { limit: self.frames });
        }
        if pixels > self.pixels {
            return Err(Refusal::TooManyPixelsInFrames {
                frames,
                limit: self.pixels,
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

    /// Refuses a result of more bytes than allowed.
    pub(super) fn check_result_bytes(&self, size: Size, bytes: u64) -> Result<(), Refusal> {
        let Size { width, height } = size;
        if bytes > self.result_bytes {
            return Err(Refusal::ResultOfTooManyBytes {
                width,
                height,
                bytes,
                limit: self.result_bytes,
            });
        }
        Ok(())
    }

    /// Refuses to begin a stage when the time is up; `stage` is a verb, as `decode`.
    pub(super) fn check_time(&self, stage: &'static str) -> Result<(), Refusal> {
        self.check_time_for(stage, Duration::ZERO)
    }

    /// Refuses to begin a stage that takes at least so long when it would not end in time.
    pub(super) fn check_time_for(&self, stage: &'static str, takes: Duration) -> Result<(), Refusal> {
        let ends = Instant::now() + takes;
        if self.deadline.is_some_and(|deadline| ends >= deadline) {
            return Err(Refusal::TimeUp { stage });
        }
        Ok(())
    }
}

/// What may be allocated for a source, once what is known to be needed is set aside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    format: SourceFormat,
    /// Bytes.
    limit: u64,
    /// Bytes that are needed in any case.
    set_aside: u64,
}

impl Memory {
    pub fn new(format: SourceFormat, limits: &Limits, set_aside: u64) -> Self {
        Self {
            format,
            limit: limits.memory,
            set_aside,
        }
    }

    /// Bytes that are left.
    pub fn left(self) -> u64 {
        self.limit.saturating_sub(self.set_aside)
    }

    /// Refuses what takes so many bytes more, if they are not there.
    pub fn check(self, bytes: u64) -> Result<(), Refusal> {
        if bytes > self.left() {
            return Err(self.too_much(bytes));
        }
        Ok(())
    }

    /// What is left once so many bytes more are set aside; refuses if they are not there.
    pub fn without(self, bytes: u64) -> Result<Self, Refusal> {
        self.check(bytes)?;
        Ok(Self {
            set_aside: self.set_aside + bytes,
            ..self
        })
    }

    pub fn too_much(self, bytes: u64) -> Refusal {
        Refusal::TooMuchMemory {
            format: self.format.name(),
            needed: self.set_aside.saturating_add(bytes),
            limit: self.limit,
        }
    }
}
