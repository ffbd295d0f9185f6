//! JPEG, decoded only as large as the output needs, and so that a cut-off file is an error and not a half-gray picture.

use super::credits::Place;
use super::header::Header;
use super::limits::Memory;
use super::planes::{self, Planes};
use super::{Refusal, Size};
use crate::jpeg::{Component, Fault, Jpeg, Scale};

const FORMAT: &str = "JPEG";

/// How much larger than the output the decoded picture must be. Half of the 4,000 pixels that cameras have across is a little
/// under twice the usual 1,024.
pub const MARGIN: f64 = 1.95;

/// The same where the output loses more than that as JPEG: much under 1.5 times, the scaling in the decoder shows. A little
/// under it are three eighths of 4,000 pixels, and a quarter of 6,000, over 1,024.
pub const MARGIN_OF_JPEG: f64 = 1.45;

/// Reads the header, and makes sure that the file is whole.
pub fn open(source: &[u8]) -> Result<(Header, Box<Jpeg<'_>>), Refusal> {
    let jpeg = Jpeg::open(source).map_err(refusal)?;
    let size = Size {
        width: u32::from(jpeg.frame().width),
        height: u32::from(jpeg.frame().height),
    };
    let places = [jpeg.xmp().map(Place::Xmp), jpeg.photoshop().map(Place::Photoshop)];
    let header = Header::new(size, jpeg.exif(), jpeg.icc_profile()).with_credits(places);
    Ok((header, Box::new(jpeg)))
}

/// Decodes each component at the smallest scale that leaves `margin` over what becomes of it: `target`, or for colours
/// half of it if the output `halves` them.
pub fn decode(
    jpeg: &Jpeg<'_>,
    target: Size,
    margin: f64,
    halves: bool,
    memory: Memory,
) -> Result<Planes, Refusal> {
    let colour = jpeg.colour();
    let scale_of = |(number, component): (usize, &Component)| {
        let halved = halves && colour.is_chroma(number);
        let margin = if halved { margin / 2.0 } else { margin };
        let (across, down) = component.extent();
        let enough = |scale: &Scale| {
            let leaves_margin = |samples: f64, side: u32| scale.of(samples) >= f64::from(side) * margin;
            leaves_margin(across, target.width) && leaves_margin(down, target.height)
        };
        Scale::ALL.into_iter().find(enough).unwrap_or(Scale::Whole)
    };
    let components = &jpeg.frame().components;
    let scales: Vec<Scale> = components.iter().enumerate().map(scale_of).collect();
    let memory = match components.first().zip(scales.first()) {
        Some((first, scale)) if !halves => {
            let (across, down) = first.extent();
            let size = Size {
                width: scale.of(across).ceil() as u32,
                height: scale.of(down).ceil() as u32,
            };
            memory.without(planes::rgb_bytes(size, components.len()))?
        }
        _ => memory,
    };
    let planes = jpeg.decode(&scales, memory.left());
    Ok(Planes {
        colour,
        planes: planes.map_err(|fault| match fault {
            Fault::TooMuchMemory { needed, .. } => memory.too_much(needed),
            other => refusal(other),
        })?,
    })
}

fn refusal(fault: Fault) -> Refusal {
    match fault {
        Fault::CutOff | Fault::Damaged(_) => Refusal::Damaged {
            format: FORMAT,
            detail: fault.to_string(),
        },
        Fault::NotSupported(detail) => Refusal::KindNotSupported {
            format: FORMAT,
            detail,
        },
        // Only decoding counts its memory.
        Fault::TooMuchMemory { needed, limit } => Refusal::TooMuchMemory {
            format: FORMAT,
            needed,
            limit,
        },
    }
}
