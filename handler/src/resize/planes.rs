//! A picture whose components are apart and not all of one size: scaled one by one, and only then brought together.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;

use super::geometry::Crop;
use super::scale::{from_pixels, not_scaled};
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
    /// Scales to gray or RGB.
    pub fn scale(self, to: Size, crop: Crop) -> Result<DynamicImage, Refusal> {
        let mut resizer = Resizer::new();
        let part = crop.part_of(self.source_size, to);
        let planes = self
            .planes
            .into_iter()
            .map(|plane| scale(plane, part, to, &mut resizer));
        let planes = planes.collect::<Result<_, _>>()?;
        let pixel_type = match self.colour {
            Colour::Gray => PixelType::U8,
            _ => PixelType::U8x3,
        };
        from_pixels(to, pixel_type, self.colour.to_rgb(planes))
    }
}

/// Scales the middle of a plane, of which `part` says the shares of width and height.
fn scale(plane: Plane, part: (f64, f64), to: Size, resizer: &mut Resizer) -> Result<Vec<u8>, Refusal> {
    let (width, height) = plane.extent;
    let (across, down) = (f64::from(to.width), f64::from(to.height));
    if (width, height) == (across, down) && part == (1.0, 1.0) {
        return Ok(plane.samples);
    }
    let (crop_width, crop_height) = (width * part.0, height * part.1);
    // Samples that were left out when the source was made come back as other viewers bring them back.
    let filter = if crop_width < across || crop_height < down {
        FilterType::Bilinear
    } else {
        FilterType::Lanczos3
    };
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(
            (width - crop_width) / 2.0,
            (height - crop_height) / 2.0,
            crop_width,
            crop_height,
        );
    let mut scaled = Image::new(to.width, to.height, PixelType::U8);
    let source =
        ImageRef::new(plane.width, plane.height, &plane.samples, PixelType::U8).map_err(not_scaled)?;
    resizer
        .resize(&source, &mut scaled, &options)
        .map_err(not_scaled)?;
    Ok(scaled.into_vec())
}
