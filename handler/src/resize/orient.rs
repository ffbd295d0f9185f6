//! EXIF orientation: the stored pixels, turned as a viewer shows them.

use image::metadata::Orientation;

use super::Size;
use super::picture::Picture;

impl Size {
    /// The size after turning: a quarter turn swaps width and height. Turning back is the same.
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        match orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => Self {
                width: self.height,
                height: self.width,
            },
            Orientation::NoTransforms
            | Orientation::Rotate180
            | Orientation::FlipHorizontal
            | Orientation::FlipVertical => self,
        }
    }
}

/// Turns the stored pixels upright.
pub fn turn_upright(picture: Picture, orientation: Orientation) -> Picture {
    match picture {
        Picture::Pixels(mut pixels) => {
            pixels.apply_orientation(orientation);
            Picture::Pixels(pixels)
        }
        Picture::Halved(halved) => Picture::Halved(halved.turned(orientation)),
    }
}
