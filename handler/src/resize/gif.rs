//! GIF that moves: of each frame only what changes is written, in up to 255 colours of its own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use color_quant::NeuQuant;
use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};
use image::{DynamicImage, Rgba, RgbaImage};

use super::{FileFormat, Refusal, Size};

/// The most of a frame; one index is left to say that a pixel stays as it is.
const COLOURS: usize = 255;

/// Every so many pixels are looked at to choose the colours: a good one in ten, as the crate has it.
const SAMPLING: i32 = 10;

/// From this alpha on a pixel is seen: GIF knows nothing between.
const SEEN: u8 = 128;

/// Writes the frames of an animation.
pub struct GifWriter {
    encoder: Encoder<Vec<u8>>,
    size: Size,
    /// The newest frame: how it makes room, the next one says.
    waiting: Option<Waiting>,
}

struct Waiting {
    picture: RgbaImage,
    /// What it is laid over, if anything.
    over: Option<RgbaImage>,
    /// In hundredths of a second.
    delay: u16,
}

impl GifWriter {
    /// For frames of that size.
    pub fn new(size: Size, repeat: Repeat) -> Result<Self, Refusal> {
        let mut encoder =
            Encoder::new(Vec::new(), side(size.width), side(size.height), &[]).map_err(refusal)?;
        encoder.set_repeat(repeat).map_err(refusal)?;
        Ok(Self {
            encoder,
            size,
            waiting: None,
        })
    }

    /// Takes the next frame, and how long it is seen, in hundredths of a second.
    pub fn push(&mut self, picture: DynamicImage, delay: u16) -> Result<(), Refusal> {
        let picture = seen(picture.into_rgba8());
        let mut over = None;
        if let Some(before) = self.waiting.take() {
            let mut pairs = before.picture.pixels().zip(picture.pixels());
            let covers = pairs.all(|(before, after)| before.0[3] == 0 || after.0[3] != 0);
            self.write(&before, covers)?;
            over = covers.then_some(before.picture);
        }
        self.waiting = Some(Waiting { picture, over, delay });
        Ok(())
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.encoder.get_ref().len() as u64
    }

    /// The file.
    pub fn finish(mut self) -> Result<Vec<u8>, Refusal> {
        if let Some(last) = self.waiting.take() {
            self.write(&last, true)?;
        }
        self.encoder.into_inner().map_err(refusal)
    }

    /// Writes a frame that stays, or is wiped off whole before the next one.
    fn write(&mut self, frame: &Waiting, stays: bool) -> Result<(), Refusal> {
        let changed = frame.changes();
        let (left, top, width, height) = if stays {
            extent(&changed)
        } else {
            (0, 0, self.size.width, self.size.height)
        };
        let part = image::imageops::crop_imm(&*changed, left, top, width, height).to_image();
        let Indexed {
            palette,
            clear,
            indexes,
        } = Indexed::of(&part);
        let frame = Frame {
            left: side(left),
            top: side(top),
            width: side(width),
            height: side(height),
            delay: frame.delay,
            dispose: if stays {
                DisposalMethod::Keep
            } else {
                DisposalMethod::Background
            },
            transparent: Some(clear),
            palette: Some(palette),
            buffer: Cow::Owned(indexes),
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(refusal)
    }
}

impl Waiting {
    /// The picture without the pixels that are there already.
    fn changes(&self) -> Cow<'_, RgbaImage> {
        let Some(over) = &self.over else {
            return Cow::Borrowed(&self.picture);
        };
        let mut changes = self.picture.clone();
        for (pixel, before) in changes.pixels_mut().zip(over.pixels()) {
            if pixel == before {
                pixel.0 = [0; 4];
            }
        }
        Cow::Owned(changes)
    }
}

/// The picture with pixels that are seen or not, and nothing between.
fn seen(mut picture: RgbaImage) -> RgbaImage {
    for pixel in picture.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        pixel.0 = if alpha < SEEN {
            [0; 4]
        } else {
            [red, green, blue, u8::MAX]
        };
    }
    picture
}

/// Where there is something to be seen: left, top, width, height; one pixel if there is nothing.
fn extent(picture: &RgbaImage) -> (u32, u32, u32, u32) {
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        if pixel.0[3] != 0 {
            (left, right) = (left.min(x), right.max(x + 1));
            (top, bottom) = (top.min(y), bottom.max(y + 1));
        }
    }
    if right == 0 {
        return (0, 0, 1, 1);
    }
    (left, top, right - left, bottom - top)
}

/// A picture as GIF stores it.
struct Indexed {
    /// Red, green and blue of each colour.
    palette: Vec<u8>,
    /// The index of what is not seen, after those of the colours.
    clear: u8,
    indexes: Vec<u8>,
}

impl Indexed {
    fn of(picture: &RgbaImage) -> Self {
        let opaque = || picture.pixels().filter(|pixel| pixel.0[3] != 0);
        let colours = opaque().map(|pixel| pixel.0);
        if let Some(indexes) = numbered(colours) {
            let mut palette = vec![0; indexes.len() * 3];
            for (colour, index) in &indexes {
                palette[index * 3..index * 3 + 3].copy_from_slice(&colour[..3]);
            }
            return Self::with(picture, palette, |colour| {
                indexes.get(colour).copied().unwrap_or_default()
            });
        }
        let samples: Vec<u8> = opaque().flat_map(|pixel| pixel.0).collect();
        let network = NeuQuant::new(SAMPLING, COLOURS, &samples);
        Self::with(picture, network.color_map_rgb(), |colour| {
            network.index_of(colour)
        })
    }

    fn with(picture: &RgbaImage, mut palette: Vec<u8>, index_of: impl Fn(&[u8; 4]) -> usize) -> Self {
        let clear = (palette.len() / 3).min(COLOURS) as u8;
        let index = |pixel: &Rgba<u8>| match pixel.0 {
            [.., 0] => clear,
            colour => index_of(&colour) as u8,
        };
        let indexes = picture.pixels().map(index).collect();
        palette.extend([0; 3]);
        Self {
            palette,
            clear,
            indexes,
        }
    }
}

/// A number for each colour, unless there are too many.
fn numbered(colours: impl Iterator<Item = [u8; 4]>) -> Option<BTreeMap<[u8; 4], usize>> {
    let mut numbers = BTreeMap::new();
    for colour in colours {
        let next = numbers.len();
        numbers.entry(colour).or_insert(next);
        if numbers.len() > COLOURS {
            return None;
        }
    }
    Some(numbers)
}

/// A limit has seen that it fits.
fn side(side: u32) -> u16 {
    u16::try_from(side).unwrap_or(u16::MAX)
}

fn refusal(error: EncodingError) -> Refusal {
    Refusal::NotEncoded {
        format: FileFormat::Gif.name(),
        detail: error.to_string(),
    }
}
