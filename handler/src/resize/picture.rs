//! A scaled picture on its way to the encoder.

use image::DynamicImage;

use super::Size;
use super::halved::Halved;

/// A scaled picture.
#[derive(Clone)]
pub enum Picture {
    /// Gray, RGB or RGBA with 8 bits a channel.
    Pixels(DynamicImage),
    /// Only for a JPEG.
    Halved(Halved),
}

impl Picture {
    pub fn size(&self) -> Size {
        let (width, height) = match self {
            Self::Pixels(pixels) => (pixels.width(), pixels.height()),
            Self::Halved(halved) => halved.luma.dimensions(),
        };
        Size { width, height }
    }
}
