//! From the source's size to the new one.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage, imageops};

use super::decode::Pixels;
use super::geometry::Crop;
use super::picture::Picture;
use super::{Refusal, Size};

/// Scales what was decoded; for a JPEG perhaps to `halved` colours, if they are apart.
pub fn scale(pixels: Pixels, to: Size, crop: Crop, halved: bool) -> Result<Picture, Refusal> {
    match pixels {
        Pixels::Picture(picture) => scale_picture(picture, to, crop).map(Picture::Pixels),
        Pixels::Planes(planes) => planes.scale(to, crop, halved),
    }
}

/// Scales with Lanczos3; colours are weighted by their alpha, so that invisible ones do not bleed.
fn scale_picture(picture: DynamicImage, to: Size, crop: Crop) -> Result<DynamicImage, Refusal> {
    if (picture.width(), picture.height()) == (to.width, to.height) {
        return Ok(picture);
    }
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    let options = match crop {
        Crop::None => options,
        Crop::Centre => options.fit_into_destination(Some((0.5, 0.5))),
    };
    match picture {
        DynamicImage::ImageLuma8(_) => scale_pixels::<U8>(&picture, to, &options),
        DynamicImage::ImageRgb8(_) => scale_pixels::<U8x3>(&picture, to, &options),
        _ => scale_pixels::<U8x4>(&picture, to, &options),
    }
}

fn scale_pixels<P: PixelTrait>(
    picture: &DynamicImage,
    to: Size,
    options: &ResizeOptions,
) -> Result<DynamicImage, Refusal> {
    let from = Size {
        width: picture.width(),
        height: picture.height(),
    };
    let scaled = scaled::<P>(picture.as_bytes(), from, to, options, &mut Resizer::new())?;
    from_pixels(to, P::pixel_type(), scaled)
}

/// Scales samples of one kind of pixel.
///
/// `Resizer::resize`, which takes any kind, brings the code for every kind along; of that for floating-point pixels rustc
/// 1.94 (LLVM) writes other instructions from build to build, and the function's zip would never be the same twice.
pub fn scaled<P: PixelTrait>(
    samples: &[u8],
    from: Size,
    to: Size,
    options: &ResizeOptions,
    resizer: &mut Resizer,
) -> Result<Vec<u8>, Refusal> {
    let source = TypedImageRef::<P>::from_buffer(from.width, from.height, samples).map_err(not_scaled)?;
    // A limit has seen this size before.
    let mut scaled = vec![0; to.width as usize * to.height as usize * P::size()];
    let mut into = TypedImage::<P>::from_buffer(to.width, to.height, &mut scaled).map_err(not_scaled)?;
    resizer
        .resize_typed(&source, &mut into, options)
        .map_err(not_scaled)?;
    Ok(scaled)
}

pub fn from_pixels(size: Size, pixel_type: PixelType, pixels: Vec<u8>) -> Result<DynamicImage, Refusal> {
    let Size { width, height } = size;
    let picture = match pixel_type {
        PixelType::U8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        PixelType::U8x3 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
        _ => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
    };
    picture.ok_or_else(|| not_scaled("the scaled pixels do not fill the picture"))
}

pub fn not_scaled(detail: impl ToString) -> Refusal {
    Refusal::NotScaled {
        detail: detail.to_string(),
    }
}

/// Centres the picture on a white canvas, if the canvas is larger.
pub fn place_on_canvas(picture: Picture, canvas: Size) -> Picture {
    let Size { width, height } = canvas;
    let picture = match picture {
        Picture::Pixels(pixels) if (pixels.width(), pixels.height()) != (width, height) => pixels,
        fitting => return fitting,
    };
    let mut whole: DynamicImage = match picture {
        DynamicImage::ImageLuma8(_) => GrayImage::from_pixel(width, height, Luma([u8::MAX])).into(),
        DynamicImage::ImageRgb8(_) => RgbImage::from_pixel(width, height, Rgb([u8::MAX; 3])).into(),
        _ => RgbaImage::from_pixel(width, height, Rgba([u8::MAX; 4])).into(),
    };
    let left = (width - picture.width()) / 2;
    let top = (height - picture.height()) / 2;
    imageops::overlay(&mut whole, &picture, i64::from(left), i64::from(top));
    Picture::Pixels(whole)
}
