//! Rows of pixels, averaged while they are decoded: a picture that is to become much smaller is never there as a whole.

use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::Refusal;
use super::Size;
use super::scale::{self, Part, not_scaled};

/// How much larger than the target the averaged picture stays: the rest is for a better filter.
pub const MARGIN: u32 = 2;

/// The largest factor: sums of as many samples, across and down and weighted by their alpha, fit into 32 bits.
const LARGEST_FACTOR: u32 = 256;

/// A picture that may have been made smaller by a whole number, and so by a part of a pixel more than it covers.
pub struct Reduced {
    /// Gray, RGB or RGBA with 8 bits a channel.
    pub picture: DynamicImage,
    /// How much of it the source covers, across and down: all, or all but a part of the last pixel.
    pub extent: (f64, f64),
}

impl Reduced {
    /// A picture in its own size.
    pub fn whole(picture: DynamicImage) -> Self {
        let extent = (f64::from(picture.width()), f64::from(picture.height()));
        Self { picture, extent }
    }

    /// Scales that part to a size.
    pub fn scale(&self, to: Size, part: Part) -> Result<DynamicImage, Refusal> {
        scale::scale_picture(&self.picture, part.of(self.extent), to)
    }
}

/// Takes a picture's rows, and averages squares of pixels; colours are weighted by their alpha.
pub struct Reducer {
    size: Size,
    channels: usize,
    /// The side of the squares, in pixels.
    factor: u32,
    /// The sums of the rows of a square so far: of each column, or with alpha of all columns together.
    sums: Vec<u32>,
    /// How many rows were summed.
    rows: u32,
    pixels: Vec<u8>,
}

impl Reducer {
    /// For a picture of that size with that many channels (1, 3 or 4), which is to stay larger than `target`.
    pub fn new(size: Size, channels: usize, target: Size) -> Self {
        let factor = Self::factor(size, target);
        let sums = match (factor, channels) {
            (1, _) => 0,
            (_, 4) => size.width.div_ceil(factor),
            _ => size.width,
        };
        Self {
            size,
            channels,
            factor,
            sums: vec![0; sums as usize * channels],
            rows: 0,
            pixels: Vec::with_capacity(Self::bytes(size, channels, target) as usize),
        }
    }

    /// Averages a picture that is there as a whole.
    pub fn reduce(size: Size, channels: usize, target: Size, pixels: Vec<u8>) -> Result<Reduced, Refusal> {
        let mut reducer = Self::new(size, channels, target);
        if reducer.factor == 1 {
            reducer.pixels = pixels;
        } else {
            let row = size.width as usize * channels;
            pixels.chunks_exact(row).for_each(|row| reducer.push(row));
        }
        reducer.finish()
    }

    fn factor(size: Size, target: Size) -> u32 {
        let room = |side: u32, target: u32| side / target.saturating_mul(MARGIN).max(1);
        let factor = room(size.width, target.width).min(room(size.height, target.height));
        factor.clamp(1, LARGEST_FACTOR)
    }

    /// Memory for the averaged picture, in bytes.
    pub fn bytes(size: Size, channels: usize, target: Size) -> u64 {
        let factor = Self::factor(size, target);
        u64::from(size.width.div_ceil(factor)) * u64::from(size.height.div_ceil(factor)) * channels as u64
    }

    /// Takes the next row.
    pub fn push(&mut self, row: &[u8]) {
        if self.factor == 1 {
            self.pixels.extend_from_slice(row);
            return;
        }
        if self.channels == 4 {
            let (pixels, _) = row.as_chunks::<4>();
            let (sums, _) = self.sums.as_chunks_mut::<4>();
            for (sums, pixels) in sums.iter_mut().zip(pixels.chunks(self.factor as usize)) {
                for pixel in pixels {
                    // Products of 16 bits, as processors multiply more of them at once.
                    let alpha = u16::from(pixel[3]);
                    let weights = [alpha, alpha, alpha, 1];
                    for (sum, (sample, weight)) in sums.iter_mut().zip(pixel.iter().zip(weights)) {
                        *sum += u32::from(u16::from(*sample) * weight);
                    }
                }
            }
        } else {
            for (sum, sample) in self.sums.iter_mut().zip(row) {
                *sum += u32::from(*sample);
            }
        }
        self.rows += 1;
        if self.rows == self.factor {
            self.flush();
        }
    }

    /// Makes a row of averages of the rows so far.
    fn flush(&mut self) {
        let across = match self.channels {
            4 => 4,
            channels => self.factor as usize * channels,
        };
        let mut columns_left = self.size.width;
        for square in self.sums.chunks(across) {
            let columns = self.factor.min(columns_left);
            columns_left -= columns;
            let count = columns * self.rows;
            match square {
                &[red, green, blue, alpha] if self.channels == 4 => {
                    self.pixels
                        .extend(weighted_average([red, green, blue], alpha, count));
                }
                _ if self.channels == 1 => self.pixels.extend(average::<1>(square, count)),
                _ => self.pixels.extend(average::<3>(square, count)),
            }
        }
        self.sums.fill(0);
        self.rows = 0;
    }

    /// The picture, once all rows were taken.
    pub fn finish(mut self) -> Result<Reduced, Refusal> {
        if self.rows > 0 {
            self.flush();
        }
        let Size { width, height } = self.size;
        let (across, down) = (width.div_ceil(self.factor), height.div_ceil(self.factor));
        let picture = match self.channels {
            1 => GrayImage::from_raw(across, down, self.pixels).map(DynamicImage::ImageLuma8),
            3 => RgbImage::from_raw(across, down, self.pixels).map(DynamicImage::ImageRgb8),
            _ => RgbaImage::from_raw(across, down, self.pixels).map(DynamicImage::ImageRgba8),
        };
        let factor = f64::from(self.factor);
        Ok(Reduced {
            picture: picture.ok_or_else(|| not_scaled("some of its rows are missing"))?,
            extent: (f64::from(width) / factor, f64::from(height) / factor),
        })
    }
}

fn average<const CHANNELS: usize>(sums: &[u32], count: u32) -> [u8; CHANNELS] {
    let mut total = [0; CHANNELS];
    for pixel in sums.as_chunks::<CHANNELS>().0 {
        for (total, sum) in total.iter_mut().zip(pixel) {
            *total += sum;
        }
    }
    total.map(|total| ((total + count / 2) / count.max(1)) as u8)
}

/// `colours` are sums of products with alpha.
fn weighted_average(colours: [u32; 3], alpha: u32, count: u32) -> [u8; 4] {
    // One division, as they take long.
    let weight = 1.0 / f64::from(alpha.max(1));
    let [red, green, blue] = colours.map(|colour| (f64::from(colour) * weight + 0.5) as u8);
    let [alpha] = average::<1>(&[alpha], count);
    [red, green, blue, alpha]
}
