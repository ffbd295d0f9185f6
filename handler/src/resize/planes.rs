//! A picture whose components are apart and not all of one size: scaled one by one, and only then brought together.

use std::borrow::Cow;

use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, Resizer};
use image::{DynamicImage, GrayImage, RgbImage};

use super::colour::Conversion;
use super::halved::Halved;
use super::picture::Picture;
use super::scale::{Part, Region, not_scaled, scale_picture, scale_samples};
use super::{Refusal, Size};
use crate::jpeg::{Colour, Plane};

/// Up to so many pixels are brought to RGB before they are scaled, which is closer to the source, since the scaled components
/// are not rounded first, and halved colours come back as viewers show them. Beyond it would cost too much: half as much time
/// again, for 12 megapixels to 1600 pixels as PNG.
const RGB_FIRST_MAX: u64 = 1 << 22;

/// What bringing a picture of that size and so many components to RGB takes, in bytes, if that is done before it is scaled.
pub fn rgb_bytes(size: Size, components: usize) -> u64 {
    match size.pixels() {
        pixels if components > 1 && pixels <= RGB_FIRST_MAX => pixels * (components as u64 + 3),
        _ => 0,
    }
}

/// A decoded JPEG.
pub struct Planes {
    pub colour: Colour,
    pub planes: Vec<Plane>,
}

impl Planes {
    /// Scales a part to gray or RGB, or for a JPEG with `halved` colours as that stores it, if it is what there is.
    pub fn scale(
        &self,
        to: Size,
        part: Part,
        halved: bool,
        conversion: Option<&Conversion>,
    ) -> Result<Picture, Refusal> {
        let mut resizer = Resizer::new();
        if halved && conversion.is_none() && self.colour == Colour::YCbCr {
            return halve(&self.planes, part, to, &mut resizer).map(Picture::Halved);
        }
        let converts_ink = |conversion: &&Conversion| self.colour.is_ink() && conversion.is_from_cmyk();
        let ink_conversion = conversion.filter(converts_ink);
        let of_light = conversion.filter(|_| !self.colour.is_ink());
        let in_light = |pixels: DynamicImage| {
            let converted = of_light.map(|conversion| conversion.convert(&pixels));
            Ok(Picture::Pixels(converted.transpose()?.unwrap_or(pixels)))
        };
        if let [first, ..] = self.planes.as_slice()
            && ink_conversion.is_none()
            && rgb_bytes(size_of(first), self.planes.len()) > 0
        {
            let rgb = self.to_rgb(first, &mut resizer)?;
            return in_light(scale_picture(&rgb, part.of(first.extent), to)?);
        }
        let planes = self.planes.iter().enumerate().map(|(number, plane)| {
            let is_chroma = self.colour.is_chroma(number);
            scale(plane, is_chroma, part.of(plane.extent), to, &mut resizer)
        });
        let planes = planes.collect::<Result<Vec<_>, _>>()?;
        let Size { width, height } = to;
        let pixels = if let Some(conversion) = ink_conversion {
            let rgb = conversion.cmyk_to_rgb(&self.colour.to_ink(&planes))?;
            RgbImage::from_raw(width, height, rgb).map(DynamicImage::ImageRgb8)
        } else if self.colour == Colour::Gray {
            let gray = planes.into_iter().next().unwrap_or_default();
            GrayImage::from_raw(width, height, gray).map(DynamicImage::ImageLuma8)
        } else {
            RgbImage::from_raw(width, height, self.colour.to_rgb(&planes)).map(DynamicImage::ImageRgb8)
        };
        let pixels = pixels.ok_or_else(|| not_scaled("the scaled pixels do not fill the picture"))?;
        in_light(pixels)
    }

    /// All of it in RGB, as large as its first plane.
    fn to_rgb(&self, first: &Plane, resizer: &mut Resizer) -> Result<DynamicImage, Refusal> {
        let size = size_of(first);
        // What the picture does not cover of the first plane's last samples is there in the others as well.
        let across = f64::from(first.width) / first.extent.0;
        let down = f64::from(first.height) / first.extent.1;
        let filled = self.planes.iter().map(|plane| {
            if size_of(plane) == Halved::chroma_size(size) {
                return Ok(doubled(plane, size));
            }
            let all = Region {
                left: 0.0,
                top: 0.0,
                width: (plane.extent.0 * across).min(f64::from(plane.width)),
                height: (plane.extent.1 * down).min(f64::from(plane.height)),
            };
            scale(plane, true, all, size, resizer)
        });
        let rgb = self.colour.to_rgb(&filled.collect::<Result<Vec<_>, _>>()?);
        RgbImage::from_raw(size.width, size.height, rgb)
            .map(DynamicImage::ImageRgb8)
            .ok_or_else(|| not_scaled("a plane is not full"))
    }
}

/// A picture that was made can be made smaller once more.
impl From<Halved> for Planes {
    fn from(halved: Halved) -> Self {
        let (width, height) = halved.luma.dimensions();
        let (across, down) = (f64::from(width), f64::from(height));
        let half = (across / 2.0, down / 2.0);
        Self {
            colour: Colour::YCbCr,
            planes: vec![
                plane(halved.luma, (across, down)),
                plane(halved.blue, half),
                plane(halved.red, half),
            ],
        }
    }
}

fn plane(samples: GrayImage, extent: (f64, f64)) -> Plane {
    let (width, height) = samples.dimensions();
    Plane::of(width, height, extent, samples.into_raw())
}

/// Scales luma to that size and chroma to half of it.
fn halve(planes: &[Plane], part: Part, to: Size, resizer: &mut Resizer) -> Result<Halved, Refusal> {
    let half = Halved::chroma_size(to);
    let mut scaled = planes.iter().enumerate().map(|(number, plane)| {
        let mut region = part.of(plane.extent);
        let mut size = to;
        if number > 0 {
            // Of an odd number of pixels, the last chroma sample also covers one that is not there.
            region.width *= f64::from(half.width * 2) / f64::from(to.width);
            region.height *= f64::from(half.height * 2) / f64::from(to.height);
            size = half;
        }
        let right = (region.left + region.width).ceil() as u32;
        let bottom = (region.top + region.height).ceil() as u32;
        let plane = if right > plane.width || bottom > plane.height {
            Cow::Owned(plane.grown(right, bottom))
        } else {
            Cow::Borrowed(plane)
        };
        let samples = scale(&plane, number > 0, region, size, resizer)?;
        GrayImage::from_raw(size.width, size.height, samples).ok_or_else(|| not_scaled("a plane is not full"))
    });
    let mut next = || {
        scaled
            .next()
            .unwrap_or_else(|| Err(not_scaled("a plane is missing")))
    };
    Ok(Halved {
        luma: next()?,
        blue: next()?,
        red: next()?,
    })
}

/// A halved plane in full size, as the Independent JPEG Group's library makes it, which is what viewers show: of the
/// nearest sample three quarters, across and down, of the next one quarter, and rounded only once.
fn doubled(plane: &Plane, to: Size) -> Vec<u8> {
    let (width, height) = (plane.width as usize, plane.height as usize);
    let source_row = |down: usize| &plane.samples[down * width..][..width];
    let mut samples = Vec::with_capacity(to.width as usize * to.height as usize);
    let mut row = vec![0; width * 2];
    // With the first and the last once more beside them.
    let mut sums = vec![0; width + 2];
    for y in 0..to.height as usize {
        let near = y / 2;
        let next = if y % 2 == 0 {
            near.saturating_sub(1)
        } else {
            (near + 1).min(height - 1)
        };
        for ((sum, &near), &next) in sums[1..].iter_mut().zip(source_row(near)).zip(source_row(next)) {
            *sum = 3 * u16::from(near) + u16::from(next);
        }
        (sums[0], sums[width + 1]) = (sums[1], sums[width]);
        let neighbours = sums.iter().zip(&sums[1..]).zip(&sums[2..]);
        for (pair, ((left, sum), right)) in row.as_chunks_mut().0.iter_mut().zip(neighbours) {
            *pair = [(3 * sum + left + 8) >> 4, (3 * sum + right + 7) >> 4].map(|sample| sample as u8);
        }
        samples.extend_from_slice(&row[..to.width as usize]);
    }
    samples
}

/// Scales that part of a plane.
fn scale(
    plane: &Plane,
    is_chroma: bool,
    region: Region,
    to: Size,
    resizer: &mut Resizer,
) -> Result<Vec<u8>, Refusal> {
    // Samples that were left out when the source was made come back as other viewers bring them back.
    let is_enlarged = region.width < f64::from(to.width) && region.height < f64::from(to.height);
    let filter = if is_chroma && is_enlarged {
        FilterType::Bilinear
    } else {
        FilterType::Lanczos3
    };
    scale_samples::<U8>(&plane.samples, size_of(plane), region, to, filter, resizer)
}

fn size_of(plane: &Plane) -> Size {
    Size {
        width: plane.width,
        height: plane.height,
    }
}
