//! What the samples of a frame's components are, and how they become RGB.

use super::Frame;

/// What the samples of a frame's components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Gray,
    YCbCr,
    Rgb,
    /// Inverted, as Adobe writes it and all viewers expect: 255 is no ink.
    Cmyk,
    /// CMYK whose first three are coded as YCbCr is for RGB; the K as in [`Self::Cmyk`].
    Ycck,
}

impl Colour {
    /// Decided as the Independent JPEG Group's library does it, which is what viewers use.
    pub(super) fn of(frame: &Frame, has_jfif: bool, adobe_transform: Option<u8>) -> Self {
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        match (ids.as_slice(), adobe_transform) {
            ([_], _) => Self::Gray,
            ([_, _, _, _], Some(2)) => Self::Ycck,
            ([_, _, _, _], _) => Self::Cmyk,
            _ if has_jfif => Self::YCbCr,
            (_, Some(0)) | (b"RGB", None) => Self::Rgb,
            _ => Self::YCbCr,
        }
    }

    /// Whether that component, counted from 0, tells the colour and not the brightness.
    pub fn is_chroma(self, component: usize) -> bool {
        matches!(self, Self::YCbCr | Self::Ycck) && matches!(component, 1 | 2)
    }

    /// Whether the samples say how much ink there is.
    pub fn is_ink(self) -> bool {
        matches!(self, Self::Cmyk | Self::Ycck)
    }

    /// The RGB samples of a picture whose components are `planes`, all of one size. Gray stays as it is.
    ///
    /// CMYK is converted without the profile of the press, as most viewers do it.
    pub fn to_rgb(self, planes: &[Vec<u8>]) -> Vec<u8> {
        match (self, planes) {
            (Self::YCbCr, [luma, blue, red, ..]) => ycbcr_to_rgb(luma, blue, red),
            (Self::Rgb, [red, green, blue, ..]) => interleaved(red, green, blue),
            (Self::Cmyk, [cyan, magenta, yellow, black]) => {
                under_black(interleaved(cyan, magenta, yellow), black)
            }
            // The three are coded as RGB is, of which the inverted CMY is the complement once more.
            (Self::Ycck, [luma, blue, red, black]) => {
                let mut rgb = ycbcr_to_rgb(luma, blue, red);
                rgb.iter_mut().for_each(|sample| *sample = !*sample);
                under_black(rgb, black)
            }
            _ => planes.first().cloned().unwrap_or_default(),
        }
    }

    /// The samples of cyan, magenta, yellow and black, 255 of which is all ink, as profiles have it.
    pub fn to_ink(self, planes: &[Vec<u8>]) -> Vec<u8> {
        let (colours, black) = match (self, planes) {
            (Self::Ycck, [luma, blue, red, black]) => (ycbcr_to_rgb(luma, blue, red), black),
            (Self::Cmyk, [cyan, magenta, yellow, black]) => {
                let mut bare = interleaved(cyan, magenta, yellow);
                bare.iter_mut().for_each(|sample| *sample = !*sample);
                (bare, black)
            }
            _ => return Vec::new(),
        };
        let (colours, _) = colours.as_chunks::<3>();
        let pixel = |(&[cyan, magenta, yellow], black): (&[u8; 3], &u8)| [cyan, magenta, yellow, !*black];
        colours.iter().zip(black).flat_map(pixel).collect()
    }
}

fn interleaved(red: &[u8], green: &[u8], blue: &[u8]) -> Vec<u8> {
    let mut rgb = vec![0; red.len() * 3];
    let (pixels, _) = rgb.as_chunks_mut::<3>();
    for (((pixel, &red), &green), &blue) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
        *pixel = [red, green, blue];
    }
    rgb
}

/// Full range, as JFIF (ECMA TR/98, 7) has it.
fn ycbcr_to_rgb(luma: &[u8], blue: &[u8], red: &[u8]) -> Vec<u8> {
    const BITS: u32 = 16;
    const fn fixed(factor: f64) -> i32 {
        (factor * (1 << BITS) as f64 + 0.5) as i32
    }
    let mut rgb = vec![0; luma.len() * 3];
    let (pixels, _) = rgb.as_chunks_mut::<3>();
    for (((pixel, &luma), &blue), &red) in pixels.iter_mut().zip(luma).zip(blue).zip(red) {
        let luma = (i32::from(luma) << BITS) + (1 << (BITS - 1));
        let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
        let channels = [
            luma + fixed(1.402) * red,
            luma - fixed(0.344_136_286) * blue - fixed(0.714_136_286) * red,
            luma + fixed(1.772) * blue,
        ];
        *pixel = channels.map(|channel| (channel >> BITS).clamp(0, 255) as u8);
    }
    rgb
}

/// Colours on paper with black printed over them: 255 is no ink.
fn under_black(mut colours: Vec<u8>, black: &[u8]) -> Vec<u8> {
    let (pixels, _) = colours.as_chunks_mut::<3>();
    for (pixel, &black) in pixels.iter_mut().zip(black) {
        *pixel = pixel.map(|bare| ((u32::from(bare) * u32::from(black) + 127) / 255) as u8);
    }
    colours
}
