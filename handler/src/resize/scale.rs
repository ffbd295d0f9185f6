//! From the decoded size to the new one.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::{Refusal, Size};

/// A part of a picture, in shares of its width and height: where it begins, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Part {
    /// Where that part is in samples of which a picture covers so many.
    pub fn of(self, (across, down): (f64, f64)) -> Region {
        let (left, top) = (self.left * across, self.top * down);
        Region {
            left,
            top,
            // Rounding does not lead out of the picture.
            width: (self.width * across).min(across - left),
            height: (self.height * down).min(down - top),
        }
    }
}

/// A part of what is scaled, in samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Region {
    fn is_all_of(self, size: Size) -> bool {
        (self.left, self.top) == (0.0, 0.0)
            && (self.width, self.height) == (f64::from(size.width), f64::from(size.height))
    }
}

/// Scales a part of a picture with Lanczos3; colours are weighted by their alpha, so that invisible ones do not bleed.
pub fn scale_picture(picture: &DynamicImage, region: Region, to: Size) -> Result<DynamicImage, Refusal> {
    let from = Size {
        width: picture.width(),
        height: picture.height(),
    };
    let samples = picture.as_bytes();
    let Size { width, height } = to;
    let filter = FilterType::Lanczos3;
    let mut resizer = Resizer::new();
    let scaled = match picture {
        DynamicImage::ImageLuma8(_) => {
            let scaled = scale_samples::<U8>(samples, from, region, to, filter, &mut resizer)?;
            GrayImage::from_raw(width, height, scaled).map(DynamicImage::ImageLuma8)
        }
        DynamicImage::ImageRgb8(_) => {
            let scaled = scale_samples::<U8x3>(samples, from, region, to, filter, &mut resizer)?;
            RgbImage::from_raw(width, height, scaled).map(DynamicImage::ImageRgb8)
        }
        _ => {
            let scaled = scale_samples::<U8x4>(samples, from, region, to, filter, &mut resizer)?;
            RgbaImage::from_raw(width, height, scaled).map(DynamicImage::ImageRgba8)
        }
    };
    scaled.ok_or_else(|| not_scaled("the scaled pixels do not fill the picture"))
}

/// Scales a part of the samples of one kind of pixel.
///
/// `Resizer::resize`, which takes any kind, brings the code for every kind along; of that for floating-point pixels rustc
/// 1.94 (LLVM) writes other instructions from build to build, and the function's zip would never be the same twice.
pub fn scale_samples<P: PixelTrait>(
    samples: &[u8],
    from: Size,
    region: Region,
    to: Size,
    filter: FilterType,
    resizer: &mut Resizer,
) -> Result<Vec<u8>, Refusal> {
    if from == to && region.is_all_of(from) {
        return Ok(samples.to_vec());
    }
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(region.left, region.top, region.width, region.height);
    let source = TypedImageRef::<P>::from_buffer(from.width, from.height, samples).map_err(not_scaled)?;
    // A limit has seen this size before.
    let mut scaled = vec![0; to.width as usize * to.height as usize * P::size()];
    let mut into = TypedImage::<P>::from_buffer(to.width, to.height, &mut scaled).map_err(not_scaled)?;
    resizer
        .resize_typed(&source, &mut into, &options)
        .map_err(not_scaled)?;
    Ok(scaled)
}

pub fn not_scaled(detail: impl ToString) -> Refusal {
    Refusal::NotScaled {
        detail: detail.to_string(),
    }
}
