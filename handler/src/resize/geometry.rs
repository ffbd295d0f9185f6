//! Which size the picture gets.

use image::metadata::Orientation;

use super::scale::Part;
use super::{Fit, Position, Rendition, Size};

/// The sizes of the new picture.
#[derive(Debug, Clone, Copy, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crop {
    /// All of it.
    None,
    /// The largest part that has the new picture's ratio, with so much of what is cut off at its left and above it,
    /// in shares: half and half is the middle.
    To { left: f64, top: f64 },
}

impl Crop {
    /// The part of an upright picture that leaves off what a viewer sees elsewhere than at `position`.
    fn at(position: Position) -> Self {
        let (left, top) = match position {
            Position::Centre => (0.5, 0.5),
            Position::Top => (0.5, 0.0),
            Position::Bottom => (0.5, 1.0),
            Position::Left => (0.0, 0.5),
            Position::Right => (1.0, 0.5),
        };
        Self::To { left, top }
    }

    /// The same part of the picture as it is stored, before it is turned upright.
    pub fn as_stored(self, orientation: Orientation) -> Self {
        let Self::To { left, top } = self else {
            return self;
        };
        let (left, top) = match orientation {
            Orientation::NoTransforms => (left, top),
            Orientation::FlipHorizontal => (1.0 - left, top),
            Orientation::FlipVertical => (left, 1.0 - top),
            Orientation::Rotate180 => (1.0 - left, 1.0 - top),
            Orientation::Rotate90 => (top, 1.0 - left),
            Orientation::Rotate270 => (1.0 - top, left),
            Orientation::Rotate90FlipH => (top, left),
            Orientation::Rotate270FlipH => (1.0 - top, 1.0 - left),
        };
        Self::To { left, top }
    }

    /// The part of a source of that size that is scaled to `to`.
    pub fn part_of(self, source: Size, to: Size) -> Part {
        let (across, down) = (ratio(to.width, source.width), ratio(to.height, source.height));
        let (width, height) = (across / across.max(down), down / across.max(down));
        match self {
            Self::None => Part {
                left: 0.0,
                top: 0.0,
                width: 1.0,
                height: 1.0,
            },
            Self::To { left, top } => Part {
                left: left * (1.0 - width),
                top: top * (1.0 - height),
                width,
                height,
            },
        }
    }
}

/// Lays a source of that size (upright) out as the rendition asks. No side is ever 0.
pub fn lay_out(source: Size, rendition: &Rendition) -> Layout {
    let most = if rendition.enlarge { f64::INFINITY } else { 1.0 };
    let width = rendition.width;
    let across = ratio(width, source.width);
    let Some(height) = rendition.height else {
        return Layout::plain(source.scaled_by(across.min(most)));
    };
    let down = ratio(height, source.height);
    let inside = Layout::plain(source.scaled_by(across.min(down).min(most)));
    let covering = source.scaled_by(across.max(down).min(most));
    let wanted = Size { width, height };
    match rendition.fit {
        Fit::Inside => inside,
        Fit::Contain => Layout {
            canvas: wanted,
            ..inside
        },
        Fit::Fill => Layout {
            whole_source: covering,
            ..Layout::plain(source.stretched_by(across.min(most), down.min(most)))
        },
        Fit::Cover => {
            // What covers the box without being enlarged has the box's ratio.
            let room = (most / across.max(down)).min(1.0);
            Layout {
                crop: Crop::at(rendition.position),
                whole_source: covering,
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
    /// Both sides times that factor.
    fn scaled_by(self, factor: f64) -> Self {
        self.stretched_by(factor, factor)
    }

    fn stretched_by(self, across: f64, down: f64) -> Self {
        let scale = |side: u32, factor: f64| ((f64::from(side) * factor).round() as u32).max(1);
        Self {
            width: scale(self.width, across),
            height: scale(self.height, down),
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
        let rendition = Rendition {
            width,
            height,
            fit,
            ..Rendition::default()
        };
        lay_out_as(source, &rendition)
    }

    /// The sizes of the scaled picture and its canvas.
    fn lay_out_as(source: (u32, u32), rendition: &Rendition) -> ((u32, u32), (u32, u32)) {
        let source = Size {
            width: source.0,
            height: source.1,
        };
        let layout = lay_out(source, rendition);
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

    #[test]
    fn a_small_picture_is_enlarged_when_that_is_asked_for() {
        let size = |fit, height| {
            let rendition = Rendition {
                width: 500,
                height,
                fit,
                enlarge: true,
                ..Rendition::default()
            };
            lay_out_as((100, 50), &rendition)
        };
        assert_eq!(size(Fit::Inside, None).1, (500, 250));
        assert_eq!(size(Fit::Inside, Some(500)).1, (500, 250));
        assert_eq!(size(Fit::Contain, Some(500)), ((500, 250), (500, 500)));
        assert_eq!(size(Fit::Cover, Some(500)).1, (500, 500));
        assert_eq!(size(Fit::Fill, Some(500)).1, (500, 500));
    }

    /// What is kept of a picture that is stored in another position than it is shown in is what a viewer sees there.
    #[test]
    fn a_position_is_where_a_viewer_sees_it() {
        use image::{GrayImage, Luma};
        for position in [
            Position::Top,
            Position::Bottom,
            Position::Left,
            Position::Right,
            Position::Centre,
        ] {
            for exif in 1..=8 {
                let orientation = Orientation::from_exif(exif).unwrap_or(Orientation::NoTransforms);
                let Crop::To { left, top } = Crop::at(position).as_stored(orientation) else {
                    continue;
                };
                let mut picture = GrayImage::new(3, 3);
                picture.put_pixel((left * 2.0) as u32, (top * 2.0) as u32, Luma([1]));
                let mut shown = image::DynamicImage::ImageLuma8(picture);
                shown.apply_orientation(orientation);
                let Crop::To { left, top } = Crop::at(position) else {
                    continue;
                };
                let seen = shown
                    .to_luma8()
                    .get_pixel((left * 2.0) as u32, (top * 2.0) as u32)
                    .0;
                assert_eq!(seen, [1], "{position:?} with orientation {exif}");
            }
        }
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
