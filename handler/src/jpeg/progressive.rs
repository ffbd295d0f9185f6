//! The scans of a progressive frame (T.81, annex G): those that the scale has a use for.

use super::bits::BitReader;
use super::coefficients::{Coefficients, Stored};
use super::huffman::{END, Refilled, Symbols, Values};
use super::scan::{Decoder, Place, Scan};
use super::tables::{Class, Tables};
use super::{Fault, Frame, Scale};

/// Which scans are decoded, and what is kept of them.
#[derive(Default)]
pub struct Plan {
    /// For each scan.
    needed: Vec<bool>,
    /// For each component: how many coefficients, and whether scans refine them.
    kept: Vec<(usize, bool)>,
    bytes: u64,
}

/// Finds out, from the last scan to the first, which are needed for the coefficients that the scales need. A scan that
/// refines can only be read by who knows, of all coefficients in its band, which are not 0.
pub fn plan(frame: &Frame, scans: &[Scan], scales: &[Scale]) -> Plan {
    let mut wanted: Vec<u64> = scales.iter().map(|scale| band(0, scale.needed() - 1)).collect();
    let mut kept: Vec<(usize, bool)> = scales.iter().map(|scale| (scale.needed(), false)).collect();
    let mut needed = vec![false; scans.len()];
    for (scan, is_needed) in scans.iter().zip(&mut needed).rev() {
        let scanned = band(scan.band.0, scan.band.1);
        for &(component, _) in &scan.components {
            if wanted[component] & scanned == 0 {
                continue;
            }
            *is_needed = true;
            if scan.refined_from > 0 && scan.band.0 > 0 {
                wanted[component] |= scanned;
                kept[component].1 = true;
            }
        }
    }
    let bytes = frame.components.iter().zip(&kept);
    let bytes = bytes.map(|(component, &(kept, refined))| Coefficients::bytes(component, kept, refined));
    Plan {
        needed,
        bytes: bytes.sum(),
        kept,
    }
}

impl Plan {
    /// Memory for the coefficients.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn needs(&self, scan: usize) -> bool {
        self.needed.get(scan).copied().unwrap_or(false)
    }

    pub fn allocate(&self, frame: &Frame) -> Vec<Coefficients> {
        let components = frame.components.iter().zip(&self.kept);
        components
            .map(|(component, &(kept, refined))| Coefficients::new(component, kept, refined))
            .collect()
    }
}

/// The bits of the coefficients `first` to `last`.
#[inline(always)]
fn band(first: usize, last: usize) -> u64 {
    (u64::MAX >> (63 - last)) & (u64::MAX << first)
}

/// Decodes a scan into the `stores` of its components.
pub fn decode(
    source: &[u8],
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    stores: &mut [Coefficients],
) -> Result<(), Fault> {
    let interval = tables.restart_interval;
    let &[(component, [_, ac]), ..] = scan.components.as_slice() else {
        return Ok(());
    };
    if scan.band.0 > 0 {
        let codes = tables.huffman(Class::Ac, ac)?;
        let store = &mut stores[component];
        let run = Run {
            band: scan.band,
            low_bit: scan.low_bit,
            blocks_left: 0,
        };
        return if scan.refined_from == 0 {
            let values = Values::ac_of_a_band(codes);
            scan.decode_with(source, frame, interval, FirstAc { values, store, run })
        } else {
            let symbols = Symbols::new(codes);
            scan.decode_with(source, frame, interval, RefinedAc { symbols, store, run })
        };
    }
    let numbers = scan.components.iter().map(|&(component, _)| component).collect();
    if scan.refined_from > 0 {
        let decoder = RefinedDc {
            stores,
            numbers,
            low_bit: scan.low_bit,
        };
        return scan.decode_with(source, frame, interval, decoder);
    }
    let values = scan
        .components
        .iter()
        .map(|&(_, [dc, _])| Values::dc(tables.huffman(Class::Dc, dc)?));
    let decoder = FirstDc {
        values: values.collect::<Result<_, _>>()?,
        previous: vec![0; scan.components.len()],
        stores,
        numbers,
        low_bit: scan.low_bit,
    };
    scan.decode_with(source, frame, interval, decoder)
}

struct FirstDc<'s> {
    stores: &'s mut [Coefficients],
    numbers: Vec<usize>,
    values: Vec<Values>,
    previous: Vec<i32>,
    low_bit: u8,
}

impl Decoder for FirstDc<'_> {
    fn restart(&mut self) {
        self.previous.fill(0);
    }

    #[inline(always)]
    fn block(&mut self, bits: &mut BitReader<'_>, component: usize, place: Place) -> Result<(), Fault> {
        let previous = &mut self.previous[component];
        let difference = self.values[component].take_dc(&mut Refilled::new(bits))?;
        *previous = previous.wrapping_add(difference);
        let stored = self.stores[self.numbers[component]].block(place.across, place.down);
        if let Some(first) = stored.values.first_mut() {
            *first = (*previous << self.low_bit) as i16;
        }
        Ok(())
    }
}

struct RefinedDc<'s> {
    stores: &'s mut [Coefficients],
    numbers: Vec<usize>,
    low_bit: u8,
}

impl Decoder for RefinedDc<'_> {
    fn restart(&mut self) {}

    #[inline(always)]
    fn block(&mut self, bits: &mut BitReader<'_>, component: usize, place: Place) -> Result<(), Fault> {
        bits.ensure(1);
        let bit = bits.take(1) as i16;
        let stored = self.stores[self.numbers[component]].block(place.across, place.down);
        if let Some(first) = stored.values.first_mut() {
            *first |= bit << self.low_bit;
        }
        Ok(())
    }
}

/// What scans of AC coefficients have in common.
struct Run {
    band: (usize, usize),
    low_bit: u8,
    /// How many of the coming blocks have nothing more in this band.
    blocks_left: u32,
}

impl Run {
    /// Reads how many blocks end with this one: 2^`size` and as many bits.
    #[inline(always)]
    fn start(&mut self, bits: &mut BitReader<'_>, size: u8) {
        self.blocks_left = (1 << size) + bits.take(u32::from(size));
    }
}

struct FirstAc<'s> {
    values: Values,
    store: &'s mut Coefficients,
    run: Run,
}

impl Decoder for FirstAc<'_> {
    fn restart(&mut self) {
        self.run.blocks_left = 0;
    }

    #[inline(always)]
    fn block(&mut self, bits: &mut BitReader<'_>, _: usize, place: Place) -> Result<(), Fault> {
        if self.run.blocks_left > 0 {
            self.run.blocks_left -= 1;
            return Ok(());
        }
        let mut reader = *bits;
        let result = self.decode(&mut reader, place);
        *bits = reader;
        result
    }
}

impl FirstAc<'_> {
    #[inline(always)]
    fn decode(&mut self, bits: &mut BitReader<'_>, place: Place) -> Result<(), Fault> {
        let (mut at, last) = self.run.band;
        let stored = self.store.block(place.across, place.down);
        let mut present = 0u64;
        let mut bits = Refilled::new(bits);
        while at <= last {
            let step = self.values.take_ac(&mut bits)?;
            at += step.forward;
            if step.forward >= END {
                self.run.start(bits.long(), (step.forward - END) as u8);
                self.run.blocks_left -= 1;
                break;
            }
            if at > last + 1 {
                return Err(BEYOND_BAND);
            }
            if let Some(value) = stored.values.get_mut(at - 1) {
                *value = (step.value << self.run.low_bit) as i16;
            }
            present |= u64::from(step.value != 0) << ((at - 1) & 63);
        }
        if let Some(known) = stored.present {
            *known |= present;
        }
        Ok(())
    }
}

const BEYOND_BAND: Fault = Fault::Damaged("a block has coefficients beyond the band of its scan");

struct RefinedAc<'s> {
    symbols: Symbols,
    store: &'s mut Coefficients,
    run: Run,
}

impl Decoder for RefinedAc<'_> {
    fn restart(&mut self) {
        self.run.blocks_left = 0;
    }

    #[inline(always)]
    fn block(&mut self, bits: &mut BitReader<'_>, _: usize, place: Place) -> Result<(), Fault> {
        let mut reader = *bits;
        let result = self.decode(&mut reader, place);
        *bits = reader;
        result
    }
}

impl RefinedAc<'_> {
    #[inline(always)]
    fn decode(&mut self, bits: &mut BitReader<'_>, place: Place) -> Result<(), Fault> {
        let (mut at, last) = self.run.band;
        let low_bit = self.run.low_bit;
        let Stored {
            values,
            present: Some(present),
        } = self.store.block(place.across, place.down)
        else {
            return Ok(());
        };
        while self.run.blocks_left == 0 && at <= last {
            bits.ensure(32);
            let symbol = self.symbols.take(bits)?;
            let (zeros, size) = (symbol >> 4, symbol & 15);
            if size == 0 && zeros < 15 {
                self.run.start(bits, zeros);
                break;
            }
            // Of a new coefficient there is only the sign, and it comes before the bits of those that it passes.
            let value = match size {
                0 => 0,
                _ if bits.take(1) == 1 => 1 << low_bit,
                _ => -1 << low_bit,
            };
            let there = nth_absent(*present, at, zeros).min(last + 1);
            if there > at {
                refine(bits, values, *present & band(at, there - 1), low_bit);
            }
            if value != 0 {
                if there > last {
                    return Err(BEYOND_BAND);
                }
                if let Some(place) = values.get_mut(there) {
                    *place = value;
                }
                *present |= 1 << there;
            }
            at = there + 1;
        }
        if self.run.blocks_left > 0 {
            if at <= last {
                refine(bits, values, *present & band(at, last), low_bit);
            }
            self.run.blocks_left -= 1;
        }
        Ok(())
    }
}

/// Where the next coefficient is that is 0 in `present`, after as many more of them, from `at` on; 64 or more if there is
/// none.
#[inline(always)]
fn nth_absent(present: u64, at: usize, more: u8) -> usize {
    let mut absent = !present & (u64::MAX << at);
    for _ in 0..more {
        absent &= absent.wrapping_sub(1);
    }
    absent.trailing_zeros() as usize
}

/// Reads one more bit of each coefficient in `present`, in order, and adds it to those that are kept.
#[inline(always)]
fn refine(bits: &mut BitReader<'_>, values: &mut [i16], mut present: u64, low_bit: u8) {
    let mut left = present.count_ones();
    while left > 0 {
        let some = left.min(BitReader::FILLED);
        bits.ensure(some);
        let mut read = bits.peek_all();
        bits.skip(some);
        left -= some;
        for _ in 0..some {
            let Some(value) = values.get_mut(present.trailing_zeros() as usize) else {
                break;
            };
            // The sign is known, and the bit belongs to the magnitude. Added without a branch, which nobody would foresee.
            let bit = ((read >> 63) as i16) << low_bit;
            let sign = *value >> 15;
            *value = value.wrapping_add((bit ^ sign).wrapping_sub(sign));
            read <<= 1;
            present &= present - 1;
        }
    }
}
