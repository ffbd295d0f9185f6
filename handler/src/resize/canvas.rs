//! What is behind and around a picture.

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage, imageops};

use super::Size;
use super::picture::Picture;

/// Centres the picture on a canvas of that colour, if the canvas is larger.
pub fn place(picture: Picture, canvas: Size, background: [u8; 3]) -> Picture {
    let Size { width, height } = canvas;
    let picture = match picture {
        Picture::Pixels(pixels) if (pixels.width(), pixels.height()) != (width, height) => pixels,
        fitting => return fitting,
    };
    let [red, green, blue] = background;
    let (picture, mut whole): (DynamicImage, DynamicImage) = match picture {
        DynamicImage::ImageLuma8(gray) if red == green && green == blue => (
            gray.into(),
            GrayImage::from_pixel(width, height, Luma([red])).into(),
        ),
        DynamicImage::ImageRgba8(rgba) => (
            rgba.into(),
            RgbaImage::from_pixel(width, height, Rgba([red, green, blue, u8::MAX])).into(),
        ),
        opaque => (
            opaque.into_rgb8().into(),
            RgbImage::from_pixel(width, height, Rgb(background)).into(),
        ),
    };
    let left = (width - picture.width()) / 2;
    let top = (height - picture.height()) / 2;
    // Its own transparency stays, where the format has it.
    imageops::replace(&mut whole, &picture, i64::from(left), i64::from(top));
    Picture::Pixels(whole)
}

/// The picture without its transparency: `background` shows through.
pub fn flattened(picture: &RgbaImage, background: [u8; 3]) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let blend = |channel: u8, behind: u8| {
            let (channel, behind, alpha) = (u32::from(channel), u32::from(behind), u32::from(alpha));
            ((channel * alpha + behind * (255 - alpha) + 127) / 255) as u8
        };
        Rgb([
            blend(red, background[0]),
            blend(green, background[1]),
            blend(blue, background[2]),
        ])
    })
}
