//! A picture whose components are apart and not all of one size: scaled one by one, and only then brought together.

use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::GrayImage;

use super::geometry::Crop;
use super::halved::Halved;
use super::picture::Picture;
use super::scale::{from_pixels, not_scaled, scaled};
use super::{Refusal, Size};
use crate::jpeg::{Colour, Plane};

/// A decoded JPEG.
pub struct Planes {
    pub colour: Colour,
    /// In pixels, as stored.
    pub source_size: Size,
    pub planes: Vec<Plane>,
}

impl Planes {
    /// Scales to gray or RGB, or for a JPEG with `halved` colours as that stores it, if it is what there is.
    pub fn scale(self, to: Size, crop: Crop, halved: bool) -> Result<Picture, Refusal> {
        let part = crop.part_of(self.source_size, to);
        let mut resizer = Resizer::new();
        if halved && self.colour == Colour::YCbCr {
            return halve(self.planes, part, to, &mut resizer).map(Picture::Halved);
        }
        let planes = self.planes.into_iter().map(|plane| {
            let region = Region::of(&plane, part);
            scale(plane, region, to, &mut resizer)
        });
        let planes = planes.collect::<Result<_, _>>()?;
        let pixel_type = match self.colour {
            Colour::Gray => PixelType::U8,
            _ => PixelType::U8x3,
        };
        from_pixels(to, pixel_type, self.colour.to_rgb(planes)).map(Picture::Pixels)
    }
}

/// Scales luma to that size and chroma to half of it.
fn halve(planes: Vec<Plane>, part: (f64, f64), to: Size, resizer: &mut Resizer) -> Result<Halved, Refusal> {
    let half = Halved::chroma_size(to);
    let mut scaled = planes.into_iter().enumerate().map(|(number, plane)| {
        let mut region = Region::of(&plane, part);
        let mut size = to;
        if number > 0 {
            // Of an odd number of pixels, the last chroma sample also covers one that is not there.
            region.width *= f64::from(half.width * 2) / f64::from(to.width);
            region.height *= f64::from(half.height * 2) / f64::from(to.height);
            size = half;
        }
        let right = (region.left + region.width).ceil() as u32;
        let bottom = (region.top + region.height).ceil() as u32;
        let samples = scale(plane.grown(right, bottom), region, size, resizer)?;
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

/// A part of a plane, in samples.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Region {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Region {
    /// The middle of a plane, of which `part` says the shares of width and height.
    fn of(plane: &Plane, part: (f64, f64)) -> Self {
        let (whole_width, whole_height) = plane.extent;
        let (width, height) = (whole_width * part.0, whole_height * part.1);
        Self {
            left: (whole_width - width) / 2.0,
            top: (whole_height - height) / 2.0,
            width,
            height,
        }
    }
}

/// Scales that part of a plane.
fn scale(plane: Plane, region: Region, to: Size, resizer: &mut Resizer) -> Result<Vec<u8>, Refusal> {
    let (across, down) = (f64::from(to.width), f64::from(to.height));
    if (plane.width, plane.height) == (to.width, to.height) && (region.width, region.height) == (across, down)
    {
        return Ok(plane.samples);
    }
    // Samples that were left out when the source was made come back as other viewers bring them back.
    let filter = if region.width < across || region.height < down {
        FilterType::Bilinear
    } else {
        FilterType::Lanczos3
    };
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(region.left, region.top, region.width, region.height);
    let from = Size {
        width: plane.width,
        height: plane.height,
    };
    scaled::<U8>(&plane.samples, from, to, &options, resizer)
}
