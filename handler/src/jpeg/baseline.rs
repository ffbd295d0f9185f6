//! The scans of a sequential frame: each block is drawn as soon as it is decoded.

use std::array;

use super::bits::BitReader;
use super::huffman::{END, Pairs, Refilled, Skips, Step, TOO_MANY, Values};
use super::idct::{self, Block, NOWHERE};
use super::scan::{Decoder, Place, Scan};
use super::tables::{Class, Tables};
use super::{Fault, Frame, Plane, Scale};

/// What decodes the blocks of one component.
struct Channel<'t> {
    /// The number in the frame.
    component: usize,
    dc: &'t Values,
    ac: &'t AcTables,
    /// By place in zigzag order, and behind the last as far as a step leads.
    targets: [Target; 256],
    /// As many coefficients as the scale needs.
    needed: usize,
    scale: Scale,
    /// The first coefficient of the block before.
    previous: i32,
}

/// What becomes of a coefficient.
#[derive(Clone, Copy)]
struct Target {
    /// What its value is multiplied by.
    step: f32,
    /// Where it belongs in a block.
    place: u8,
}

/// Up to here the first of two steps, at most 16 forward, does not fill the block, which would end without a symbol: the
/// second were the next block's.
const FOR_PAIRS: usize = 64 - 16;

struct AcTables {
    values: Values,
    pairs: Pairs,
    skips: Skips,
}

/// Decodes a scan and draws it on the `planes` of its components.
pub fn decode(
    source: &[u8],
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    planes: &mut [Plane],
) -> Result<(), Fault> {
    let mut dc: [Option<Values>; 4] = Default::default();
    let mut ac: [Option<AcTables>; 4] = Default::default();
    for &(_, [dc_number, ac_number]) in &scan.components {
        if dc[dc_number].is_none() {
            dc[dc_number] = Some(Values::dc(tables.huffman(Class::Dc, dc_number)?)?);
        }
        if ac[ac_number].is_none() {
            let values = Values::ac(tables.huffman(Class::Ac, ac_number)?);
            let skips = Skips::new(&values);
            let pairs = Pairs::new(&values);
            ac[ac_number] = Some(AcTables { values, pairs, skips });
        }
    }
    let mut channels = Vec::new();
    for &(number, [dc_number, ac_number]) in &scan.components {
        let (Some(dc), Some(ac)) = (&dc[dc_number], &ac[ac_number]) else {
            continue;
        };
        let scale = planes[number].scale;
        channels.push(Channel {
            component: number,
            dc,
            ac,
            targets: targets(tables.quantization(frame.components[number].quantization)?, scale),
            needed: scale.needed(),
            scale,
            previous: 0,
        });
    }
    let sequential = Sequential {
        channels,
        planes,
        block: [0.0; 64],
    };
    scan.decode_with(source, frame, tables.restart_interval, sequential)
}

fn targets(steps: &[u16; 64], scale: Scale) -> [Target; 256] {
    let places = scale.places();
    array::from_fn(|number| Target {
        step: steps.get(number).copied().map_or(0.0, f32::from),
        place: places.get(number).copied().unwrap_or(NOWHERE),
    })
}

struct Sequential<'t, 'p> {
    channels: Vec<Channel<'t>>,
    planes: &'p mut [Plane],
    /// Clear between blocks.
    block: Block,
}

impl Decoder for Sequential<'_, '_> {
    fn restart(&mut self) {
        for channel in &mut self.channels {
            channel.previous = 0;
        }
    }

    #[inline(always)]
    fn block(&mut self, bits: &mut BitReader<'_>, component: usize, place: Place) -> Result<(), Fault> {
        let channel = &mut self.channels[component];
        let plane = &mut self.planes[channel.component];
        let stride = plane.stride;
        let samples = plane.block_mut(place.across, place.down);
        // A copy, as it can stay in registers.
        let mut reader = *bits;
        let several = channel.decode(&mut Refilled::new(&mut reader), &mut self.block)?;
        *bits = reader;
        if several {
            idct::draw(channel.scale, &mut self.block, samples, stride);
        } else {
            idct::draw_flat(channel.scale, self.block[0], samples, stride);
        }
        Ok(())
    }
}

impl Channel<'_> {
    /// Decodes what the scale needs of a block's coefficients and passes over the others. Says whether more than the
    /// first can be other than 0.
    #[inline(always)]
    fn decode(&mut self, bits: &mut Refilled<'_, '_>, block: &mut Block) -> Result<bool, Fault> {
        let difference = self.dc.take_dc(bits)?;
        self.previous = self.previous.wrapping_add(difference);
        block[0] = self.previous as f32 * self.targets[0].step;
        let mut at = 1;
        // Whether the block ends or has too many coefficients is asked behind the loop: both lead beyond it, and what is
        // asked within it nobody foresees.
        while at < self.needed {
            let pair = if at < FOR_PAIRS {
                self.ac.pairs.take(bits)
            } else {
                None
            };
            let Some((first, second)) = pair else {
                let step = self.ac.values.take_ac(bits)?;
                at += step.forward;
                self.put(block, at, step);
                continue;
            };
            let there = at + first.forward;
            at = there + second.forward;
            // In this order, as a step to nowhere leads to where the first does.
            self.put(block, at, second);
            self.put(block, there, first);
        }
        if (65..=END).contains(&at) {
            return Err(TOO_MANY);
        }
        if at < 64 {
            self.ac.skips.pass(bits, &self.ac.values, at)?;
        }
        Ok(at != 1 + END)
    }

    /// Puts the value of the step that led to `at` where the scale has it.
    #[inline(always)]
    fn put(&self, block: &mut Block, at: usize, step: Step) {
        let target = self.targets[(at - 1) & 255];
        block[usize::from(target.place & 63)] = step.value as f32 * target.step;
    }
}
