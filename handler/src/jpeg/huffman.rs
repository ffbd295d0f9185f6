//! Huffman codes, and the look-up tables that decode them.

use super::Fault;
use super::bits::BitReader;

/// Codes as a file defines them (T.81, C.2).
pub struct Codes {
    /// How many codes there are of 1 to 16 bits.
    counts: [u8; 16],
    /// What they stand for, shortest code first.
    values: [u8; 256],
}

/// How many bits a table looks at.
const BITS: u32 = 12;
const ENTRIES: usize = 1 << BITS;

/// A block has coefficients behind its last.
pub const TOO_MANY: Fault = Fault::Damaged("a block has more than 64 coefficients");

const NO_CODE: Fault = Fault::Damaged("a scan has bits that are no Huffman code");

impl Codes {
    /// `values` has as many as `counts` say.
    pub fn new(counts: &[u8; 16], values: &[u8]) -> Result<Self, Fault> {
        let mut free = 1u32;
        for &count in counts {
            free = (free * 2)
                .checked_sub(u32::from(count))
                .ok_or(Fault::Damaged("a Huffman table has more codes than there can be"))?;
        }
        let mut padded = [0; 256];
        let place = padded.get_mut(..values.len());
        place
            .ok_or(Fault::Damaged("a Huffman table has more than 256 codes"))?
            .copy_from_slice(values);
        Ok(Self {
            counts: *counts,
            values: padded,
        })
    }
}

/// Decodes one symbol.
pub struct Symbols {
    /// For each beginning: bits of its code × 256 + symbol, or 0 if the code is longer.
    short: Box<[u16; ENTRIES]>,
    /// For each number of bits: the first code, aligned to 16 bits, that has more; and what to add to a code of
    /// that many bits to find its value.
    long: [(u32, i32); 17],
    values: [u8; 256],
}

impl Symbols {
    pub fn new(codes: &Codes) -> Self {
        let mut symbols = Self {
            short: boxed(0),
            long: [(0, 0); 17],
            values: codes.values,
        };
        let (mut code, mut place) = (0u32, 0usize);
        for (length, &count) in (1u32..).zip(&codes.counts) {
            let count = usize::from(count);
            symbols.long[length as usize].1 = place as i32 - code as i32;
            if length <= BITS {
                let spread = 1 << (BITS - length);
                let from = code as usize * spread;
                for (number, &value) in codes.values.iter().skip(place).take(count).enumerate() {
                    let entry = (length as u16) << 8 | u16::from(value);
                    symbols.short[from + number * spread..][..spread].fill(entry);
                }
            }
            code += count as u32;
            place += count;
            symbols.long[length as usize].0 = code << (16 - length);
            code <<= 1;
        }
        symbols
    }

    /// The next symbol; 16 bits must be there.
    #[inline(always)]
    pub fn take(&self, bits: &mut BitReader<'_>) -> Result<u8, Fault> {
        let entry = self.short[bits.peek::<BITS>()];
        if entry != 0 {
            bits.skip(u32::from(entry >> 8));
            return Ok(entry as u8);
        }
        let (symbol, length) = self.long_code(bits.peek::<16>() as u32)?;
        bits.skip(length);
        Ok(symbol)
    }

    /// The symbol whose code starts the 16 bits of `next`, and the bits of the code.
    #[cold]
    #[inline(never)]
    fn long_code(&self, next: u32) -> Result<(u8, u32), Fault> {
        for length in BITS + 1..=16 {
            let (end, offset) = self.long[length as usize];
            if next < end {
                let place = (next >> (16 - length)) as i32 + offset;
                let symbol = self.values.get(place as usize).ok_or(NO_CODE)?;
                return Ok((*symbol, length));
            }
        }
        Err(NO_CODE)
    }

    /// The symbol that starts `beginning`, which has `known` bits, and the bits of its code.
    fn within(&self, beginning: usize, known: u32) -> Option<(u8, u32)> {
        let entry = self.short[beginning << (BITS - known) & (ENTRIES - 1)];
        let length = u32::from(entry >> 8);
        (1..=known).contains(&length).then_some((entry as u8, length))
    }
}

/// Takes the `size` bits that follow a symbol and tell a value of that many bits (T.81, F.1.2.1).
#[inline(always)]
pub fn take_value(bits: &mut BitReader<'_>, size: u8) -> i32 {
    let size = u32::from(size);
    extended(bits.take(size) as i32, size)
}

/// Values of that many bits whose highest is not set are negative.
#[inline(always)]
fn extended(value: i32, size: u32) -> i32 {
    let below_half = value < 1 << size >> 1;
    if below_half {
        value - (1 << size) + 1
    } else {
        value
    }
}

/// Decodes symbol and value together where both fit into one look-up.
pub struct Values {
    /// See [`entry`].
    fused: Box<[u32; ENTRIES]>,
    symbols: Symbols,
    /// What a symbol means: how far forward, and the bits of its value.
    meaning: fn(u8) -> (usize, u8),
}

/// A step within a block.
#[derive(Clone, Copy)]
pub struct Step {
    /// How many coefficients further, or [`END`] if the block ends.
    pub forward: usize,
    /// The coefficient before the place where it leads.
    pub value: i32,
}

/// More than any number of coefficients.
pub const END: usize = 128;

/// Bits of code and value, coefficients forward, value; from the lowest byte up. Never 0.
fn entry(bits: u32, step: Step) -> u32 {
    bits | (step.forward as u32) << 8 | (step.value as u32) << 16
}

/// What an AC symbol means in a sequential scan: coefficients forward, bits of its value.
fn meaning(symbol: u8) -> (usize, u8) {
    match (symbol >> 4, symbol & 15) {
        // Sixteen zeros, of which the last is put like a value.
        (15, 0) => (16, 0),
        (_, 0) => (END, 0),
        (zeros, size) => (usize::from(zeros) + 1, size),
    }
}

impl Values {
    /// For AC coefficients of sequential scans.
    pub fn ac(codes: &Codes) -> Self {
        Self::new(codes, meaning)
    }

    /// For AC coefficients of a progressive scan: a block that ends does so [`END`] further, and as much more as the
    /// number of bits that tell for how many blocks this goes.
    pub fn ac_of_a_band(codes: &Codes) -> Self {
        Self::new(codes, |symbol| match (symbol >> 4, symbol & 15) {
            (zeros @ 0..15, 0) => (END + usize::from(zeros), 0),
            _ => meaning(symbol),
        })
    }

    /// For DC differences; steps lead nowhere.
    pub fn dc(codes: &Codes) -> Result<Self, Fault> {
        let count: usize = codes.counts.iter().map(|&count| usize::from(count)).sum();
        if codes.values[..count.min(256)].iter().any(|&size| size > 15) {
            return Err(Fault::Damaged(
                "a Huffman table for DC has values that are too large",
            ));
        }
        Ok(Self::new(codes, |symbol| (0, symbol & 15)))
    }

    fn new(codes: &Codes, meaning: fn(u8) -> (usize, u8)) -> Self {
        let symbols = Symbols::new(codes);
        let mut fused = boxed(0);
        for (beginning, place) in fused.iter_mut().enumerate() {
            let Some((symbol, length)) = symbols.within(beginning, BITS) else {
                continue;
            };
            let (forward, size) = meaning(symbol);
            let bits = length + u32::from(size);
            if bits <= BITS {
                let value = beginning >> (BITS - bits) & ((1 << size) - 1);
                let value = extended(value as i32, u32::from(size));
                *place = entry(bits, Step { forward, value });
            }
        }
        Self {
            fused,
            symbols,
            meaning,
        }
    }

    /// The next AC step.
    #[inline(always)]
    pub fn take_ac(&self, bits: &mut Refilled<'_, '_>) -> Result<Step, Fault> {
        bits.look_up();
        let entry = self.fused[bits.reader.peek::<BITS>()];
        if entry != 0 {
            bits.reader.skip(entry & 63);
            return Ok(Step {
                forward: (entry >> 8 & 255) as usize,
                value: entry as i32 >> 16,
            });
        }
        let reader = bits.long();
        let (forward, size) = (self.meaning)(self.symbols.take(reader)?);
        Ok(Step {
            forward,
            value: take_value(reader, size),
        })
    }

    /// The next DC difference.
    #[inline(always)]
    pub fn take_dc(&self, bits: &mut Refilled<'_, '_>) -> Result<i32, Fault> {
        bits.look_up();
        let entry = self.fused[bits.reader.peek::<BITS>()];
        if entry != 0 {
            bits.reader.skip(entry & 63);
            return Ok(entry as i32 >> 16);
        }
        let reader = bits.long();
        let size = self.symbols.take(reader)?;
        Ok(take_value(reader, size & 15))
    }
}

/// Decodes up to two steps of a sequential scan in one look-up.
pub struct Pairs {
    /// Bits of both, coefficients forward to the first, and to the second, in a byte each; then their values, in two bytes
    /// each. If one alone fits the second is 0, and if none does all is.
    steps: Box<[u64; ENTRIES]>,
}

impl Pairs {
    /// `values` are those of the same codes.
    pub fn new(values: &Values) -> Self {
        let mut steps = boxed(0);
        for (beginning, place) in steps.iter_mut().enumerate() {
            let first = values.fused[beginning];
            let used = first & 63;
            // Behind what is known come zeros.
            let next = values.fused[beginning << used & (ENTRIES - 1)];
            let ends = (first >> 8 & 255) as usize == END;
            let second = match next & 63 {
                1.. if first != 0 && !ends && used + (next & 63) <= BITS => next,
                _ => 0,
            };
            let fields = [
                (used + (second & 63), 0),
                (first >> 8 & 255, 8),
                (second >> 8 & 255, 16),
                (first >> 16, 32),
                (second >> 16, 48),
            ];
            *place = fields
                .into_iter()
                .fold(0, |entry, (field, shift)| entry | u64::from(field) << shift);
        }
        Self { steps }
    }

    /// The next two steps, or one and a step nowhere; nothing if they have to be taken one by one.
    #[inline(always)]
    pub fn take(&self, bits: &mut Refilled<'_, '_>) -> Option<(Step, Step)> {
        bits.look_up();
        let entry = self.steps[bits.reader.peek::<BITS>()];
        if entry == 0 {
            return None;
        }
        bits.reader.skip((entry & 63) as u32);
        let step = |forward: u64, value: u64| Step {
            forward: (forward & 255) as usize,
            value: i32::from(value as i16),
        };
        Some((step(entry >> 8, entry >> 32), step(entry >> 16, entry >> 48)))
    }
}

/// Passes over the AC coefficients of a block, several in one look-up.
pub struct Skips {
    /// Coefficients forward × 256 + bits, with [`END`] more coefficients if the block ends behind them;
    /// [`NONE`](Self::NONE) if not one fits.
    several: Box<[u16; ENTRIES]>,
}

impl Skips {
    /// Further than any block has room for.
    const NONE: u16 = (END as u16 - 1) << 8;

    /// `values` are those of the same codes.
    pub fn new(values: &Values) -> Self {
        let mut several = boxed(0);
        for (beginning, place) in several.iter_mut().enumerate() {
            let (mut used, mut forward) = (0, 0);
            while forward < END {
                let known = BITS - used;
                let rest = beginning & ((1 << known) - 1);
                let Some((symbol, length)) = values.symbols.within(rest, known) else {
                    break;
                };
                let (step, size) = meaning(symbol);
                if length + u32::from(size) > known || (step < END && forward + step > 63) {
                    break;
                }
                used += length + u32::from(size);
                forward += step;
            }
            *place = match used {
                0 => Self::NONE,
                _ => (forward as u16) << 8 | used as u16,
            };
        }
        Self { several }
    }

    /// Passes over what is left of a block from coefficient `at`, 1 to 63, on.
    #[inline(always)]
    pub fn pass(&self, bits: &mut Refilled<'_, '_>, values: &Values, mut at: usize) -> Result<(), Fault> {
        while at < 64 {
            bits.look_up();
            let entry = self.several[bits.reader.peek::<BITS>()];
            let forward = usize::from(entry >> 8);
            // A block that is full ends without a symbol for it: then only as many as it has room for are its own.
            if at + (forward & (END - 1)) + forward / END > 64 {
                at = after(at, values.take_ac(bits)?)?;
                continue;
            }
            bits.reader.skip(u32::from(entry & 63));
            at += forward;
        }
        Ok(())
    }
}

/// Sees to it that there are bits for the next look-up, by counting look-ups: when to fill up again then depends on no
/// data, and processors foresee it.
pub struct Refilled<'r, 's> {
    reader: &'r mut BitReader<'s>,
    left: u32,
}

impl<'r, 's> Refilled<'r, 's> {
    /// How many look-ups there are bits for after filling up.
    const LOOK_UPS: u32 = BitReader::FILLED / BITS;

    pub fn new(reader: &'r mut BitReader<'s>) -> Self {
        Self { reader, left: 0 }
    }

    /// To be called before each look-up of [`BITS`].
    #[inline(always)]
    fn look_up(&mut self) {
        if self.left == 0 {
            self.reader.fill();
            self.left = Self::LOOK_UPS;
        }
        self.left -= 1;
    }

    /// What to read longer codes from: it has 56 bits.
    #[inline(always)]
    pub fn long(&mut self) -> &mut BitReader<'s> {
        self.reader.fill();
        self.left = 0;
        self.reader
    }
}

/// Where a step from coefficient `at` leads: 64 or more if the block ends there.
#[inline(always)]
fn after(at: usize, step: Step) -> Result<usize, Fault> {
    let there = at + step.forward;
    if there > 64 && step.forward != END {
        return Err(TOO_MANY);
    }
    Ok(there)
}

fn boxed<T: Copy, const N: usize>(value: T) -> Box<[T; N]> {
    Box::new([value; N])
}
