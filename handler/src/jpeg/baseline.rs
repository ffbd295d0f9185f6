//! The scans of a sequential frame: each block is drawn as soon as it is decoded.

use super::bits::BitReader;
use super::huffman::{END, Refilled, Skips, Values, after};
use super::idct::{self, Block};
use super::scan::{Decoder, Place, Scan};
use super::tables::{Class, Tables};
use super::{Fault, Frame, Plane, Scale};

/// What decodes the blocks of one component.
struct Channel<'t> {
    /// The number in the frame.
    component: usize,
    dc: &'t Values,
    ac: &'t AcTables,
    /// By place in zigzag order.
    steps: [f32; 64],
    places: [u8; 64],
    /// As many coefficients as the scale needs.
    needed: usize,
    scale: Scale,
    /// The first coefficient of the block before.
    previous: i32,
}

struct AcTables {
    values: Values,
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
            ac[ac_number] = Some(AcTables { values, skips });
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
            steps: tables
                .quantization(frame.components[number].quantization)?
                .map(f32::from),
            places: scale.places(),
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
        block[0] = self.previous as f32 * self.steps[0];
        let mut at = 1;
        let mut several = false;
        while at < self.needed {
            let step = self.ac.values.take_ac(bits)?;
            at = after(at, step)?;
            if step.forward == END {
                break;
            }
            let there = (at - 1) & 63;
            block[usize::from(self.places[there] & 63)] = step.value as f32 * self.steps[there];
            several = true;
        }
        self.ac.skips.pass(bits, &self.ac.values, at)?;
        Ok(several)
    }
}
