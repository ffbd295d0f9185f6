//! Colours that an embedded profile describes, as sRGB: what a viewer takes a picture without a profile for.

use std::cell::RefCell;
use std::sync::Arc;

use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};

use super::Refusal;
use super::scale::not_scaled;

/// Up to this difference in any channel, of 0 to 255, a profile is taken for sRGB itself.
const SAME: u8 = 2;

type Executor = Arc<dyn TransformExecutor<u8> + Send + Sync>;

/// From the colours of a profile to sRGB.
pub struct Conversion {
    profile: ColorProfile,
    /// Those that were needed so far: to set one up takes longer than to convert a small picture.
    executors: RefCell<Vec<((Layout, Layout), Executor)>>,
}

impl Conversion {
    /// For a profile other than sRGB. One that cannot be read says nothing, as for a viewer.
    pub fn to_srgb(profile: &[u8]) -> Option<Self> {
        let profile = ColorProfile::new_from_slice(profile).ok()?;
        let conversion = Self {
            profile,
            executors: RefCell::default(),
        };
        (!conversion.changes_nothing()?).then_some(conversion)
    }

    /// Whether this is for samples of cyan, magenta, yellow and black.
    pub fn is_from_cmyk(&self) -> bool {
        self.profile.color_space == DataColorSpace::Cmyk
    }

    /// Tries some colours; `None` for a profile of which nothing comes.
    fn changes_nothing(&self) -> Option<bool> {
        const STEPS: [u8; 5] = [0, 64, 128, 192, 255];
        let probes: Vec<u8> = match self.profile.color_space {
            DataColorSpace::Cmyk => {
                self.executor(Layout::Rgba, Layout::Rgb)?;
                return Some(false);
            }
            DataColorSpace::Gray => STEPS.to_vec(),
            DataColorSpace::Rgb => {
                let pixel = |red| {
                    STEPS
                        .into_iter()
                        .flat_map(move |green| STEPS.map(|blue| [red, green, blue]))
                };
                STEPS.into_iter().flat_map(pixel).flatten().collect()
            }
            _ => return None,
        };
        let converted = match self.profile.color_space {
            DataColorSpace::Gray => self.gray(&probes)?,
            _ => self.run(Layout::Rgb, 3, &probes, Layout::Rgb, 3)?,
        };
        Some(
            probes
                .iter()
                .zip(&converted)
                .all(|(before, after)| before.abs_diff(*after) <= SAME),
        )
    }

    /// Converts a picture; one whose pixels are not what the profile is for stays as it is.
    pub fn convert(&self, picture: &DynamicImage) -> Result<DynamicImage, Refusal> {
        let (width, height) = (picture.width(), picture.height());
        let converted = match (picture, self.profile.color_space) {
            (DynamicImage::ImageLuma8(gray), DataColorSpace::Gray) => self
                .gray(gray)
                .and_then(|samples| GrayImage::from_raw(width, height, samples))
                .map(DynamicImage::ImageLuma8),
            (DynamicImage::ImageRgb8(rgb), DataColorSpace::Rgb) => self
                .run(Layout::Rgb, 3, rgb, Layout::Rgb, 3)
                .and_then(|samples| RgbImage::from_raw(width, height, samples))
                .map(DynamicImage::ImageRgb8),
            (DynamicImage::ImageRgba8(rgba), DataColorSpace::Rgb) => self
                .run(Layout::Rgba, 4, rgba, Layout::Rgba, 4)
                .and_then(|samples| RgbaImage::from_raw(width, height, samples))
                .map(DynamicImage::ImageRgba8),
            // Gray with alpha is kept as RGBA.
            (DynamicImage::ImageRgba8(rgba), DataColorSpace::Gray) => {
                let gray: Vec<u8> = rgba.pixels().map(|pixel| pixel.0[0]).collect();
                self.gray(&gray).map(|gray| {
                    let mut converted = rgba.clone();
                    for (pixel, gray) in converted.pixels_mut().zip(gray) {
                        pixel.0[..3].fill(gray);
                    }
                    DynamicImage::ImageRgba8(converted)
                })
            }
            _ => return Ok(picture.clone()),
        };
        converted.ok_or_else(not_converted)
    }

    /// The RGB samples of CMYK ones, 255 of which is all ink.
    pub fn cmyk_to_rgb(&self, cmyk: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.run(Layout::Rgba, 4, cmyk, Layout::Rgb, 3)
            .ok_or_else(not_converted)
    }

    fn gray(&self, gray: &[u8]) -> Option<Vec<u8>> {
        let rgb = self.run(Layout::Gray, 1, gray, Layout::Rgb, 3)?;
        Some(rgb.iter().step_by(3).copied().collect())
    }

    fn run(
        &self,
        from: Layout,
        channels: usize,
        samples: &[u8],
        to: Layout,
        new_channels: usize,
    ) -> Option<Vec<u8>> {
        let mut converted = vec![0; samples.len() / channels * new_channels];
        self.executor(from, to)?.transform(samples, &mut converted).ok()?;
        Some(converted)
    }

    fn executor(&self, from: Layout, to: Layout) -> Option<Executor> {
        let layouts = (from, to);
        let mut executors = self.executors.borrow_mut();
        if let Some((_, known)) = executors.iter().find(|(known, _)| *known == layouts) {
            return Some(Arc::clone(known));
        }
        let executor = self
            .profile
            .create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default())
            .ok()?;
        executors.push((layouts, Arc::clone(&executor)));
        Some(executor)
    }
}

fn not_converted() -> Refusal {
    not_scaled("its colours cannot be converted to sRGB")
}
