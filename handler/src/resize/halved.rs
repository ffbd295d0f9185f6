//! A picture as a JPEG with 4:2:0 stores it: colours apart from the brightness and half as large.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage};
use jpeg_encoder::{ImageBuffer, JpegColorType};

use super::Size;

/// Luma, and blue and red chroma with half as many samples across and down, rounded up.
#[derive(Clone)]
pub struct Halved {
    pub luma: GrayImage,
    pub blue: GrayImage,
    pub red: GrayImage,
}

impl Halved {
    /// The size of the chroma of a picture of that size.
    pub fn chroma_size(whole: Size) -> Size {
        Size {
            width: whole.width.div_ceil(2),
            height: whole.height.div_ceil(2),
        }
    }

    /// Whether chroma still fits to luma after turning: the sample that covers but one column or row must stay last.
    pub fn can_be_turned(whole: Size, orientation: Orientation) -> bool {
        let even = whole.width.is_multiple_of(2) && whole.height.is_multiple_of(2);
        even || orientation == Orientation::NoTransforms
    }

    pub fn turned(self, orientation: Orientation) -> Self {
        let turn = |plane: GrayImage| {
            let mut plane = DynamicImage::ImageLuma8(plane);
            plane.apply_orientation(orientation);
            plane.into_luma8()
        };
        Self {
            luma: turn(self.luma),
            blue: turn(self.blue),
            red: turn(self.red),
        }
    }
}

/// The encoder wants chroma as large as luma, and takes every other sample of it.
impl ImageBuffer for &Halved {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        u16::try_from(self.luma.width()).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::try_from(self.luma.height()).unwrap_or(u16::MAX)
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let [luma, blue, red, _] = buffers;
        let width = usize::from(self.width());
        luma.extend_from_slice(row(&self.luma, y));
        double(row(&self.blue, y / 2), width, blue);
        double(row(&self.red, y / 2), width, red);
    }
}

fn row(plane: &GrayImage, y: u16) -> &[u8] {
    let width = plane.width() as usize;
    let start = usize::from(y) * width;
    plane.as_raw().get(start..start + width).unwrap_or_default()
}

/// Adds each sample twice, `width` in all.
fn double(samples: &[u8], width: usize, to: &mut Vec<u8>) {
    let start = to.len();
    to.resize(start + samples.len() * 2, 0);
    // Of a size that is known: to fill slices of two would be a call for each.
    for (pair, &sample) in to[start..].as_chunks_mut().0.iter_mut().zip(samples) {
        *pair = [sample; 2];
    }
    to.truncate(start + width);
}
