//! A scaled picture on its way to the encoder.

use image::DynamicImage;

use super::halved::Halved;

/// A scaled picture.
pub enum Picture {
    Pixels(DynamicImage),
    /// Only for a JPEG.
    Halved(Halved),
}

impl Picture {
    pub fn width(&self) -> u32 {
        match self {
            Self::Pixels(pixels) => pixels.width(),
            Self::Halved(halved) => halved.luma.width(),
        }
    }

    pub fn height(&self) -> u32 {
        match self {
            Self::Pixels(pixels) => pixels.height(),
            Self::Halved(halved) => halved.luma.height(),
        }
    }
}
