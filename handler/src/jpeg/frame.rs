//! The frame header: sizes, components, and what their samples are.

use super::Fault;
use super::scan::Scan;

/// What the frame header says (T.81, B.2.2).
#[derive(Debug)]
pub struct Frame {
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
    /// Whether the coefficients come in several scans.
    pub progressive: bool,
    /// One, three or four.
    pub components: Vec<Component>,
    /// How many MCUs (the blocks of all components that belong together) lie side by side.
    pub(super) mcus_across: usize,
    /// How many rows of them there are.
    pub(super) mcus_down: usize,
}

/// One of the frame's components.
#[derive(Debug)]
pub struct Component {
    /// The name that scans call it by.
    pub(super) id: u8,
    /// Which quantization table is its own.
    pub(super) quantization: usize,
    /// Its blocks in one MCU of all components.
    pub(super) blocks_in_mcu: (usize, usize),
    /// The blocks that hold pixels, across and down: those of a scan of this component alone.
    pub(super) blocks: (usize, usize),
    /// The blocks in whole MCUs.
    pub(super) padded_blocks: (usize, usize),
    /// How many samples it has, across and down, as the share of the frame that its sampling factors say: the last
    /// sample may lie partly outside of the picture.
    pub(super) extent: (f64, f64),
}

impl Frame {
    /// Reads the header of a frame whose marker's low bits are `kind`.
    pub(super) fn read(kind: u8, content: &[u8]) -> Result<Self, Fault> {
        let progressive = match kind {
            0 | 1 => false,
            2 => true,
            3 => return Err(Fault::not_supported("lossless coding")),
            5..=7 => return Err(Fault::not_supported("hierarchical coding")),
            _ => return Err(Fault::not_supported("arithmetic coding")),
        };
        let [precision, h1, h0, w1, w0, count, fields @ ..] = content else {
            return Err(Fault::Damaged("its frame header is too short"));
        };
        let (height, width) = (u16::from_be_bytes([*h1, *h0]), u16::from_be_bytes([*w1, *w0]));
        if *precision != 8 {
            return Err(Fault::not_supported(format!("{precision} bits a sample, not 8")));
        }
        if height == 0 {
            return Err(Fault::not_supported(
                "its height is only said after its first scan (DNL)",
            ));
        }
        if width == 0 {
            return Err(Fault::Damaged("its frame header says it is 0 pixels wide"));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(Fault::not_supported(format!("{count} components, not 1, 3 or 4")));
        }
        let (fields, _) = fields.as_chunks::<3>();
        let fields = fields
            .get(..usize::from(*count))
            .ok_or(Fault::Damaged("its frame header is too short"))?;
        Self::lay_out(width, height, progressive, fields)
    }

    fn lay_out(width: u16, height: u16, progressive: bool, fields: &[[u8; 3]]) -> Result<Self, Fault> {
        let alone = fields.len() == 1;
        let sampling = fields.iter().map(|&[_, sampling, _]| {
            let factors = (usize::from(sampling >> 4), usize::from(sampling & 15));
            match factors {
                // The factors say how components compare, and there is nothing to compare with.
                (1..=4, 1..=4) if alone => Ok((1, 1)),
                (1..=4, 1..=4) => Ok(factors),
                _ => Err(Fault::Damaged("its sampling factors are not 1 to 4")),
            }
        });
        let sampling = sampling.collect::<Result<Vec<_>, _>>()?;
        let most_across = sampling.iter().map(|&(across, _)| across).max().unwrap_or(1);
        let most_down = sampling.iter().map(|&(_, down)| down).max().unwrap_or(1);
        let mcus_across = usize::from(width).div_ceil(8 * most_across);
        let mcus_down = usize::from(height).div_ceil(8 * most_down);

        let component = |(&[id, _, quantization], &(across, down)): (&[u8; 3], &(usize, usize))| Component {
            id,
            quantization: usize::from(quantization & 3),
            blocks_in_mcu: (across, down),
            blocks: (
                (usize::from(width) * across).div_ceil(8 * most_across),
                (usize::from(height) * down).div_ceil(8 * most_down),
            ),
            padded_blocks: (mcus_across * across, mcus_down * down),
            extent: (
                f64::from(width) * across as f64 / most_across as f64,
                f64::from(height) * down as f64 / most_down as f64,
            ),
        };
        Ok(Self {
            width,
            height,
            progressive,
            components: fields.iter().zip(&sampling).map(component).collect(),
            mcus_across,
            mcus_down,
        })
    }

    /// Every component must come in a scan; in a sequential frame it can do so only once.
    pub(super) fn check_scans(&self, scans: &[Scan]) -> Result<(), Fault> {
        for number in 0..self.components.len() {
            let coming = |scan: &&Scan| scan.components.iter().any(|&(component, _)| component == number);
            match scans.iter().filter(coming).count() {
                0 => return Err(Fault::Damaged("one of its components is in no scan")),
                2.. if !self.progressive => {
                    return Err(Fault::Damaged("one of its components is in two scans"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Component {
    /// How many samples it has, across and down; the last may lie partly outside of the picture.
    pub fn extent(&self) -> (f64, f64) {
        self.extent
    }
}
