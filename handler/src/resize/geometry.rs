//! Which size the picture gets.

use super::{Fit, ResizeSettings, Size};

/// The sizes of the new picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// What the source is scaled to.
    pub scaled: Size,
    /// Which part of the source is scaled.
    pub crop: Crop,
    /// What all of the source would be scaled to in its own ratio, to cover `scaled`.
    pub whole_source: Size,
    /// The size of the whole; more than `scaled` only for [`Fit::Contain`].
    pub canvas: Size,
}

/// Which part of the source is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crop {
    /// All of it.
    None,
    /// The largest part in the middle that has the new picture's ratio.
    Centre,
}

impl Crop {
    /// The shares of width and height of a source of that size that are scaled to `to`.
    pub fn part_of(self, source: Size, to: Size) -> (f64, f64) {
        let (across, down) = (ratio(to.width, source.width), ratio(to.height, source.height));
        match self {
            Self::None => (1.0, 1.0),
            Self::Centre => (across / across.max(down), down / across.max(down)),
        }
    }
}

/// Lays a source of that size (upright) out as `settings` ask. No side is ever 0, and nothing is enlarged.
pub fn lay_out(source: Size, settings: &ResizeSettings) -> Layout {
    let width = settings.width;
    let height = settings.height.unwrap_or(u32::MAX);
    let (across, down) = (ratio(width, source.width), ratio(height, source.height));
    let inside = Layout::plain(source.scaled_by(across.min(down)));
    let Some(height) = settings.height else {
        return inside;
    };
    let wanted = Size { width, height };
    match settings.fit {
        Fit::Inside => inside,
        Fit::Contain => Layout {
            canvas: wanted,
            ..inside
        },
        Fit::Fill => Layout {
            whole_source: source.scaled_by(across.max(down)),
            ..Layout::plain(Size {
                width: width.min(source.width),
                height: height.min(source.height),
            })
        },
        Fit::Cover => {
            let room = ratio(source.width, width).min(ratio(source.height, height));
            Layout {
                crop: Crop::Centre,
                whole_source: source.scaled_by(across.max(down)),
                ..Layout::plain(wanted.scaled_by(room))
            }
        }
    }
}

impl Layout {
    fn plain(size: Size) -> Self {
        Self {
            scaled: size,
            crop: Crop::None,
            whole_source: size,
            canvas: size,
        }
    }
}

impl Size {
    /// Shrinks both sides by that factor; a factor over 1 leaves them.
    fn scaled_by(self, factor: f64) -> Self {
        let factor = factor.min(1.0);
        let shrink = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
        Self {
            width: shrink(self.width),
            height: shrink(self.height),
        }
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size_of(source: (u32, u32), fit: Fit, width: u32, height: Option<u32>) -> ((u32, u32), (u32, u32)) {
        let settings = ResizeSettings {
            width,
            height,
            fit,
            ..ResizeSettings::default()
        };
        let layout = lay_out(
            Size {
                width: source.0,
                height: source.1,
            },
            &settings,
        );
        (
            (layout.scaled.width, layout.scaled.height),
            (layout.canvas.width, layout.canvas.height),
        )
    }

    #[test]
    fn the_height_follows_from_the_width() {
        assert_eq!(
            size_of((4000, 3000), Fit::Inside, 500, None),
            ((500, 375), (500, 375))
        );
        assert_eq!(
            size_of((640, 427), Fit::Inside, 500, None),
            ((500, 334), (500, 334))
        );
    }

    #[test]
    fn a_sliver_keeps_one_pixel_of_height() {
        assert_eq!(size_of((5000, 1), Fit::Inside, 500, None).0, (500, 1));
        assert_eq!(size_of((1, 5000), Fit::Inside, 500, Some(500)).0, (1, 500));
    }

    #[test]
    fn a_small_picture_is_not_enlarged() {
        for fit in [Fit::Inside, Fit::Fill] {
            assert_eq!(size_of((451, 300), fit, 500, Some(400)).1, (451, 300));
        }
        assert_eq!(
            size_of((451, 300), Fit::Contain, 500, Some(400)),
            ((451, 300), (500, 400))
        );
        assert_eq!(
            size_of((400, 400), Fit::Cover, 800, Some(400)),
            ((400, 200), (400, 200))
        );
    }

    #[test]
    fn each_fit_meets_the_box_in_its_own_way() {
        assert_eq!(size_of((4000, 3000), Fit::Inside, 500, Some(300)).1, (400, 300));
        assert_eq!(size_of((4000, 3000), Fit::Cover, 500, Some(300)).1, (500, 300));
        assert_eq!(
            size_of((4000, 3000), Fit::Contain, 500, Some(300)),
            ((400, 300), (500, 300))
        );
        assert_eq!(size_of((4000, 3000), Fit::Fill, 500, Some(300)).1, (500, 300));
    }

    proptest! {
        #[test]
        fn no_side_is_ever_zero_or_over_the_box(
            source in (1u32..70_000, 1u32..70_000),
            width in 1u32..20_000,
            height in proptest::option::of(1u32..20_000),
            fit in prop_oneof![Just(Fit::Inside), Just(Fit::Cover), Just(Fit::Contain), Just(Fit::Fill)],
        ) {
            let (scaled, canvas) = size_of(source, fit, width, height);
            prop_assert!(scaled.0 >= 1 && scaled.1 >= 1);
            prop_assert!(scaled.0 <= source.0 && scaled.1 <= source.1, "{scaled:?} is enlarged");
            prop_assert!(scaled.0 <= canvas.0 && scaled.1 <= canvas.1);
            prop_assert!(canvas.0 <= width && height.is_none_or(|height| canvas.1 <= height));
        }
    }
}
