//! The header of a scan.

use super::bits::BitReader;
use super::markers::Segment;
use super::{Fault, Frame};

/// More scans than any encoder writes. Each costs a pass over the picture, however few bytes it has.
const MOST_SCANS: usize = 100;

/// What the header of a scan says (T.81, B.2.3).
#[derive(Debug)]
pub struct Scan {
    /// The number in the frame of each component, and its Huffman tables for DC and AC.
    pub components: Vec<(usize, [usize; 2])>,
    /// First and last coefficient, in zigzag order; 0 and 63 in a sequential frame.
    pub band: (usize, usize),
    /// The bit that the scan refines; 0 if it brings coefficients for the first time.
    pub refined_from: u8,
    /// The lowest bit that it brings.
    pub low_bit: u8,
    /// Where in the file the entropy-coded data begin.
    pub start: usize,
}

/// Reads the header of a scan and adds it to `scans`.
pub fn read(segment: &Segment<'_>, frame: Option<&Frame>, scans: &mut Vec<Scan>) -> Result<(), Fault> {
    let frame = frame.ok_or(Fault::Damaged("a scan comes before the frame header"))?;
    if scans.len() == MOST_SCANS {
        return Err(Fault::not_supported(format!("more than {MOST_SCANS} scans")));
    }
    const TOO_SHORT: Fault = Fault::Damaged("the header of a scan is too short");
    let (&count, fields) = segment.content.split_first().ok_or(TOO_SHORT)?;
    let (fields, rest) = fields.split_at_checked(2 * usize::from(count)).ok_or(TOO_SHORT)?;
    let &[first, last, bits, ..] = rest else {
        return Err(TOO_SHORT);
    };
    let mut components: Vec<(usize, [usize; 2])> = Vec::new();
    for &[id, tables] in fields.as_chunks::<2>().0 {
        let number = frame.components.iter().position(|component| component.id == id);
        let number = number.ok_or(Fault::Damaged(
            "a scan names a component that the frame does not have",
        ))?;
        if components.iter().any(|&(named, _)| named == number) {
            return Err(Fault::Damaged("a scan names a component twice"));
        }
        components.push((
            number,
            [tables >> 4, tables & 15].map(|table| usize::from(table & 3)),
        ));
    }
    if components.is_empty() {
        return Err(Fault::Damaged("a scan names no component"));
    }
    let scan = Scan {
        components,
        band: if frame.progressive {
            (usize::from(first), usize::from(last))
        } else {
            (0, 63)
        },
        refined_from: if frame.progressive { bits >> 4 } else { 0 },
        low_bit: if frame.progressive { bits & 15 } else { 0 },
        start: segment.end,
    };
    if frame.progressive {
        scan.check_progression()?;
    }
    scans.push(scan);
    Ok(())
}

impl Scan {
    fn check_progression(&self) -> Result<(), Fault> {
        let (first, last) = self.band;
        let band = match first {
            0 => last == 0,
            _ => last >= first && last <= 63 && self.components.len() == 1,
        };
        // Bits beyond 13 are in no coefficient of 8-bit samples.
        let bits = self.low_bit <= 13 && (self.refined_from == 0 || self.refined_from == self.low_bit + 1);
        if band && bits {
            Ok(())
        } else {
            Err(Fault::Damaged("a scan brings coefficients out of order"))
        }
    }
}

/// What decodes the blocks of a scan.
pub trait Decoder {
    /// Forgets what was before, at a restart marker.
    fn restart(&mut self);

    /// Decodes the next block. It is the scan's `component`-th, counted from 0.
    fn block(&mut self, bits: &mut BitReader<'_>, component: usize, place: Place) -> Result<(), Fault>;
}

/// Where in its component a block is, in blocks.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub across: usize,
    pub down: usize,
}

impl Scan {
    /// Has `decoder` decode block after block in their order (T.81, A.2), with restart markers every `interval` MCUs
    /// unless that is 0.
    pub fn decode_with(
        &self,
        source: &[u8],
        frame: &Frame,
        interval: usize,
        mut decoder: impl Decoder,
    ) -> Result<(), Fault> {
        let mut bits = BitReader::new(source.get(self.start..).unwrap_or_default());
        // The blocks of one component alone are MCUs of their own.
        let (in_mcu, (mcus_across, mcus_down)) = match self.components.as_slice() {
            &[(alone, _)] => (vec![(1, 1)], frame.components[alone].blocks),
            several => (
                several
                    .iter()
                    .map(|&(number, _)| frame.components[number].blocks_in_mcu)
                    .collect(),
                (frame.mcus_across, frame.mcus_down),
            ),
        };
        let (mut until_restart, mut restarts) = (interval, 0u8);
        for mcu_down in 0..mcus_down {
            for mcu_across in 0..mcus_across {
                if interval > 0 {
                    if until_restart == 0 {
                        bits.restart(restarts & 7)?;
                        decoder.restart();
                        restarts = restarts.wrapping_add(1);
                        until_restart = interval;
                    }
                    until_restart -= 1;
                }
                for (component, &(blocks_across, blocks_down)) in in_mcu.iter().enumerate() {
                    for down in 0..blocks_down {
                        for across in 0..blocks_across {
                            let place = Place {
                                across: mcu_across * blocks_across + across,
                                down: mcu_down * blocks_down + down,
                            };
                            decoder.block(&mut bits, component, place)?;
                        }
                    }
                }
            }
            bits.check()?;
        }
        Ok(())
    }
}
