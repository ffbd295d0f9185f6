//! The image work: bytes and renditions in, bytes and what was done out. Nothing here knows of S3 or Lambda.
//!
//! One pass, one file a stage:
//! [`sniff`](format) → [`header`] → [`limits`] → [`decode`] → [`scale`] → [`colour`] → [`orient`] → [`canvas`] → [`encode`].
//! What is read with the header, the orientation and the colour profile, is applied to the small picture, not the large.
//! A source is decoded once, as large as its largest rendition needs; an animation that stays one frame by frame ([`animation`]).

mod animation;
mod avif;
mod canvas;
mod colour;
mod credits;
mod decode;
mod encode;
mod format;
mod geometry;
mod gif;
mod halved;
mod header;
mod jpeg;
mod limits;
mod orient;
mod picture;
mod planes;
mod png;
mod reduce;
mod refusal;
mod rendition;
mod scale;
mod tiff;
mod webp;

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use animation::Frames;
use format::SourceFormat;
use geometry::Layout;
use halved::Halved;
use header::Opened;
use limits::Memory;

pub use format::FileFormat;
pub use limits::Limits;
pub use refusal::Refusal;
pub use rendition::{Fit, OutputFormat, Position, Rendition};

/// The pictures made by [`resize`], and what was done to make them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resized {
    /// One for each rendition, in their order.
    pub pictures: Vec<Encoded>,
    /// Width and height of the source as a viewer shows it, upright, in pixels.
    pub source_size: Size,
    /// Name of the source's format, found by its content: `JPEG`, `PNG`, `WebP`, `GIF`, `TIFF` or `BMP`.
    pub source_format: &'static str,
    /// How long each stage took.
    pub durations: Durations,
}

/// A new picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The file.
    pub bytes: Vec<u8>,
    /// What the bytes are.
    pub format: FileFormat,
    /// Width and height, in pixels.
    pub size: Size,
}

/// A picture's width and height, in pixels; neither is ever 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// Width times height.
    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The smallest size that covers both.
    fn covering(self, other: Self) -> Self {
        Self {
            width: self.width.max(other.width),
            height: self.height.max(other.height),
        }
    }
}

/// How long the stages of the image work took, over all renditions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations {
    /// Header and pixels read.
    pub decode: Duration,
    /// Scaled, in the right colours, turned upright, put on its canvas.
    pub resize: Duration,
    /// Compressed again.
    pub encode: Duration,
}

/// Makes the pictures of `source` that `renditions` ask for.
///
/// # Errors
/// A [`Refusal`] says in words for the uploader why `source` is not resized: not an image, damaged, too large, not supported.
pub fn resize(source: &[u8], renditions: &[Rendition], limits: &Limits) -> Result<Resized, Refusal> {
    without_crashing(
        || resize_in_stages(source, renditions, limits),
        || Refusal::DecoderCrashed,
    )
}

/// A decoder or an encoder that panics costs that image, not the process; `crashed` is what is said of it.
fn without_crashing<T>(
    work: impl FnOnce() -> Result<T, Refusal>,
    crashed: impl FnOnce() -> Refusal,
) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(crashed()))
}

/// A rendition of a source whose size is known.
struct Plan<'a> {
    /// Its place in the settings.
    number: usize,
    rendition: &'a Rendition,
    layout: Layout,
}

impl Plan<'_> {
    /// Refuses what would be too large to make or to write as that format.
    fn check(&self, format: FileFormat, limits: &Limits) -> Result<(), Refusal> {
        let Layout { scaled, canvas, .. } = self.layout;
        limits.check_result(scaled)?;
        limits.check_result(canvas)?;
        let Size { width, height } = canvas;
        let limit = format.longest_side();
        if width.max(height) > limit {
            return Err(Refusal::ResultTooLong {
                format: format.name(),
                width,
                height,
                limit,
            });
        }
        Ok(())
    }
}

/// What making the pictures takes at most, beside the decoded source, in bytes.
///
/// Of each stays the file, which for noise is as large as its pixels, and if there are several its scaled pixels, for the
/// smaller ones. The one that is being made is there several times over, in RGB, converted, turned, on its canvas, in what
/// its encoder makes of it; never in all of these at once: up to 12 bytes a pixel were measured, and more of AVIF.
fn memory_of(plans: &[Plan<'_>]) -> u64 {
    const PASSING: u64 = 12;
    let staying = if plans.len() > 1 { 4 + 4 } else { 4 };
    let pixels = |plan: &Plan| plan.layout.scaled.pixels().max(plan.layout.canvas.pixels());
    let passing = |plan: &Plan| match plan.rendition.format {
        OutputFormat::Avif => avif::memory(pixels(plan)),
        _ => pixels(plan) * PASSING,
    };
    let all: u64 = plans.iter().map(pixels).sum();
    all * staying + plans.iter().map(passing).max().unwrap_or_default()
}

fn resize_in_stages(source: &[u8], renditions: &[Rendition], limits: &Limits) -> Result<Resized, Refusal> {
    let start = Instant::now();
    limits.check_bytes(source.len() as u64)?;
    let format = format::sniff(source)?;
    let opened = header::open(source, format)?;
    let source_size = opened.header.size.turned(opened.header.orientation);
    limits.check_size(source_size)?;
    opened
        .header
        .frame
        .map_or(Ok(()), |frame| limits.check_size(frame))?;
    let frames = frames(source, format, renditions, limits)?;

    let plans = plans(source_size, renditions);
    let (moving, still): (Vec<_>, Vec<_>) = plans
        .into_iter()
        .partition(|plan| plan.rendition.keeps_animation() && frames.is_some());
    for plan in &still {
        plan.check(plan.rendition.format.of_opaque(format), limits)?;
    }
    for plan in &moving {
        plan.check(FileFormat::Gif, limits)?;
    }
    let set_aside = source.len() as u64 + memory_of(&still).max(memory_of(&moving));
    let memory = Memory::new(format, limits, set_aside);
    memory.check(0)?;
    limits.check_time("decode")?;
    let mut durations = Durations {
        decode: start.elapsed(),
        ..Durations::default()
    };
    let mut pictures = Vec::with_capacity(renditions.len());
    if let Some(frames) = frames.filter(|_| !moving.is_empty()) {
        let icc_profile = opened.header.icc_profile.as_deref();
        pictures.extend(frames.resize(source, icc_profile, &moving, limits, memory, &mut durations)?);
    }
    if !still.is_empty() {
        pictures.extend(stills(opened, &still, limits, memory, &mut durations)?);
    }
    pictures.sort_by_key(|(number, _)| *number);
    Ok(Resized {
        pictures: pictures.into_iter().map(|(_, picture)| picture).collect(),
        source_size,
        source_format: format.name(),
        durations,
    })
}

/// The frames of a GIF that is to stay one.
fn frames(
    source: &[u8],
    format: SourceFormat,
    renditions: &[Rendition],
    limits: &Limits,
) -> Result<Option<Frames>, Refusal> {
    let stays = format == SourceFormat::Gif && renditions.iter().any(Rendition::keeps_animation);
    stays.then(|| Frames::of(source, limits)).transpose()
}

/// Makes pictures of the source, or of the first frame of an animation, each with its number.
fn stills(
    opened: Opened<'_>,
    plans: &[Plan<'_>],
    limits: &Limits,
    memory: Memory,
    durations: &mut Durations,
) -> Result<Vec<(usize, Encoded)>, Refusal> {
    let start = Instant::now();
    let format = opened.format;
    let orientation = opened.header.orientation;
    let exif = opened.header.credits.to_exif();
    let whole = plans.iter().map(|plan| plan.layout.whole_source);
    let target = whole.fold(Size { width: 1, height: 1 }, Size::covering);
    let halves = |plan: &Plan<'_>| {
        plan.layout.canvas == plan.layout.scaled
            && plan.rendition.format.of_opaque(format) == FileFormat::Jpeg
            && Halved::can_be_turned(plan.layout.scaled.turned(orientation), orientation)
    };
    let all_halve = plans.iter().all(halves);
    let decoded = decode::decode(opened, target.turned(orientation), all_halve, memory)?;
    durations.decode += start.elapsed();

    let mut pictures = Vec::with_capacity(plans.len());
    // A picture that was made is a shorter way to the smaller ones.
    let mut made = vec![decoded];
    for (number, plan) in plans.iter().enumerate() {
        limits.check_time("resize")?;
        let start = Instant::now();
        let Layout {
            scaled,
            crop,
            whole_source,
            canvas,
        } = plan.layout;
        let to = scaled.turned(orientation);
        let from = made
            .iter()
            .rev()
            .find(|picture| picture.has_margin_over(whole_source.turned(orientation)))
            .unwrap_or(&made[0]);
        let picture = from.scale(to, crop.as_stored(orientation), all_halve)?;
        if scaled == whole_source && number + 1 < plans.len() {
            made.push(picture.clone().into());
        }
        let upright = orient::turn_upright(picture, orientation);
        let picture = canvas::place(upright, canvas, plan.rendition.background);
        durations.resize += start.elapsed();

        limits.check_time_for("encode", encode::least_time(plan.rendition, canvas))?;
        let start = Instant::now();
        let format = encode::format(&picture, plan.rendition.format, format);
        let bytes = without_crashing(
            || encode::encode(&picture, format, plan.rendition, exif.as_deref()),
            || Refusal::NotEncoded {
                format: format.name(),
                detail: "its encoder crashed".to_owned(),
            },
        )?;
        let size = picture.size();
        limits.check_result_bytes(size, bytes.len() as u64)?;
        pictures.push((plan.number, Encoded { bytes, format, size }));
        durations.encode += start.elapsed();
    }
    Ok(pictures)
}

/// The largest comes first, as the others may be made from it.
fn plans(source_size: Size, renditions: &[Rendition]) -> Vec<Plan<'_>> {
    let plan = |(number, rendition)| Plan {
        number,
        rendition,
        layout: geometry::lay_out(source_size, rendition),
    };
    let mut plans: Vec<_> = renditions.iter().enumerate().map(plan).collect();
    plans.sort_by_key(|plan| Reverse(plan.layout.whole_source.pixels()));
    plans
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    #[test]
    fn a_panic_in_the_image_work_becomes_a_reason() {
        let crashed = without_crashing::<()>(|| panic!("as a decoder might"), || Refusal::DecoderCrashed);
        assert_eq!(crashed, Err(Refusal::DecoderCrashed));
    }
}
