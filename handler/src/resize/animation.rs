//! Animations that stay animations: frame after frame is laid over the ones before it, made smaller and written, so that
//! never more than a few of them are there.

use std::io::Cursor;
use std::time::Instant;

use gif::{DecodeOptions, Decoder, DecodingError, Repeat};
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage, Frame, ImageDecoder, ImageError, Limits as CodecLimits};

use super::colour::Conversion;
use super::decode::Decoded;
use super::format::SourceFormat;
use super::gif::GifWriter;
use super::header::refusal;
use super::limits::Memory;
use super::picture::Picture;
use super::{Durations, Encoded, FileFormat, Limits, Plan, Refusal, Size, canvas};

/// What the frames of an animation come to.
pub struct Frames {
    pub count: u64,
    /// The canvas that they are laid on.
    canvas: Size,
    /// Of the largest frame, which may be larger than the canvas.
    largest: u64,
    repeat: Repeat,
}

/// Reads what the frames are, and unpacks none.
fn unpacking_none(source: &[u8]) -> Result<Decoder<&[u8]>, DecodingError> {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    options.read_info(source)
}

/// The size of the first frame, if there is one.
pub fn first_frame(source: &[u8]) -> Option<Size> {
    let mut decoder = unpacking_none(source).ok()?;
    let frame = decoder.next_frame_info().ok()??;
    Some(Size {
        width: frame.width.into(),
        height: frame.height.into(),
    })
}

impl Frames {
    /// Counts them, and unpacks none.
    ///
    /// # Errors
    /// More frames, or more pixels in all of them, than the limits allow; a file that is cut off.
    pub fn of(source: &[u8], limits: &Limits) -> Result<Self, Refusal> {
        let mut decoder = unpacking_none(source).map_err(damaged)?;
        let canvas = Size {
            width: u32::from(decoder.width()),
            height: u32::from(decoder.height()),
        };
        let mut frames = Self {
            count: 0,
            canvas,
            largest: 0,
            repeat: decoder.repeat(),
        };
        let mut pixels = 0;
        while let Some(frame) = decoder.next_frame_info().map_err(damaged)? {
            let own = u64::from(frame.width) * u64::from(frame.height);
            frames.count += 1;
            frames.largest = frames.largest.max(own);
            pixels += own.max(canvas.pixels());
            limits.check_frames(frames.count, pixels)?;
        }
        frames.repeat = decoder.repeat();
        Ok(frames)
    }

    /// What reading and writing them takes beside one picture's work, in bytes.
    fn memory(&self, plans: &[Plan<'_>], limits: &Limits) -> u64 {
        // The canvas as it was, as it is, and the frame.
        let reading = (self.canvas.pixels() * 2 + self.largest) * 4;
        let writing = plans.iter().map(|plan| {
            let pixels = plan.layout.canvas.pixels();
            // Of noise a frame takes one and a half bytes a pixel; while the file grows it is there twice. Two pictures are
            // kept, to write what changes between them.
            let file = (pixels * self.count).saturating_mul(2).min(limits.result_bytes);
            file * 2 + pixels * 8
        });
        reading + writing.sum::<u64>()
    }

    /// Makes the pictures of all frames that `plans` ask for, each with its number.
    pub fn resize(
        &self,
        source: &[u8],
        icc_profile: Option<&[u8]>,
        plans: &[Plan<'_>],
        limits: &Limits,
        memory: Memory,
        durations: &mut Durations,
    ) -> Result<Vec<(usize, Encoded)>, Refusal> {
        memory.check(self.memory(plans, limits))?;
        let conversion = icc_profile.and_then(Conversion::to_srgb);
        let writer = |plan: &Plan<'_>| GifWriter::new(plan.layout.canvas, self.repeat);
        let mut writers = plans.iter().map(writer).collect::<Result<Vec<_>, _>>()?;
        let mut frames = decoder(source, memory)?.into_frames();
        loop {
            limits.check_time("decode")?;
            let start = Instant::now();
            let Some(frame) = frames.next() else {
                break;
            };
            let frame = frame.map_err(|error| not_read(&error, memory))?;
            let delay = hundredths(&frame);
            let decoded = Decoded::from(Picture::Pixels(DynamicImage::ImageRgba8(frame.into_buffer())));
            durations.decode += start.elapsed();
            for (plan, writer) in plans.iter().zip(&mut writers) {
                let start = Instant::now();
                let picture = plan.picture_of(&decoded, conversion.as_ref())?;
                durations.resize += start.elapsed();
                limits.check_time("encode")?;
                let start = Instant::now();
                writer.push(picture, delay)?;
                limits.check_result_bytes(plan.layout.canvas, writer.written())?;
                durations.encode += start.elapsed();
            }
        }
        let encoded = plans.iter().zip(writers).map(|(plan, writer)| {
            let bytes = writer.finish()?;
            limits.check_result_bytes(plan.layout.canvas, bytes.len() as u64)?;
            let encoded = Encoded {
                bytes,
                format: FileFormat::Gif,
                size: plan.layout.canvas,
            };
            Ok((plan.number, encoded))
        });
        encoded.collect()
    }
}

impl Plan<'_> {
    /// The picture of a frame.
    fn picture_of(&self, frame: &Decoded, conversion: Option<&Conversion>) -> Result<DynamicImage, Refusal> {
        let layout = self.layout;
        let scaled = frame.scale(layout.scaled, layout.crop, false)?;
        let Picture::Pixels(pixels) = canvas::place(scaled, layout.canvas, self.rendition.background) else {
            return Err(super::scale::not_scaled("a frame has no pixels"));
        };
        let converted = conversion.map(|conversion| conversion.convert(&pixels));
        Ok(converted.transpose()?.unwrap_or(pixels))
    }
}

fn decoder(source: &[u8], memory: Memory) -> Result<GifDecoder<Cursor<&[u8]>>, Refusal> {
    let opened = GifDecoder::new(Cursor::new(source)).and_then(|mut decoder| {
        let mut codec_limits = CodecLimits::no_limits();
        codec_limits.max_alloc = Some(memory.left());
        decoder.set_limits(codec_limits)?;
        Ok(decoder)
    });
    opened.map_err(|error| not_read(&error, memory))
}

/// How long a frame is seen, in hundredths of a second as GIF has it.
fn hundredths(frame: &Frame) -> u16 {
    let (numerator, denominator) = frame.delay().numer_denom_ms();
    u16::try_from(numerator / denominator.max(1) / 10).unwrap_or(u16::MAX)
}

fn not_read(error: &ImageError, memory: Memory) -> Refusal {
    match error {
        ImageError::Limits(_) => memory.too_much(memory.left().saturating_add(1)),
        other => refusal(SourceFormat::Gif, other),
    }
}

fn damaged(error: DecodingError) -> Refusal {
    Refusal::Damaged {
        format: SourceFormat::Gif.name(),
        detail: error.to_string(),
    }
}
