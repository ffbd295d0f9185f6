//! The bits of entropy-coded data.

use memchr::memchr;

use super::Fault;

/// Reads entropy-coded data, the highest bit of a byte first, up to the next marker.
///
/// At least [`FILLED`](Self::FILLED) bits are there after [`fill`](Self::fill). Beyond the data come zeros, and
/// [`check`](Self::check) tells that they were used.
#[derive(Clone, Copy)]
pub struct BitReader<'a> {
    /// Bytes that follow, none of them 0xff.
    plain: &'a [u8],
    /// What comes after them: nothing, or 0xff and what it means.
    rest: &'a [u8],
    /// The next bits, from the highest down. Below the valid ones may be bits of the byte that comes next.
    bits: u64,
    /// How many are valid.
    count: u32,
    /// How many of all were made up.
    made_up: u32,
}

impl<'a> BitReader<'a> {
    /// How many bits can be taken after [`fill`](Self::fill).
    pub const FILLED: u32 = 56;

    /// Reads from the start of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        let (plain, rest) = split_at_0xff(data);
        Self {
            plain,
            rest,
            bits: 0,
            count: 0,
            made_up: 0,
        }
    }

    /// Has at least `wanted` bits ready, no more than [`FILLED`](Self::FILLED).
    #[inline(always)]
    pub fn ensure(&mut self, wanted: u32) {
        if self.count < wanted {
            self.fill();
        }
    }

    /// Has at least [`FILLED`](Self::FILLED) bits ready. Fewer than 64 must be there.
    #[inline(always)]
    pub fn fill(&mut self) {
        if let Some(&next) = self.plain.first_chunk::<8>() {
            self.bits |= u64::from_be_bytes(next) >> self.count;
            let taken = ((63 - self.count) >> 3) & 7;
            self.plain = &self.plain[taken as usize..];
            self.count += taken * 8;
        } else {
            *self = self.fill_by_bytes();
        }
    }

    #[cold]
    #[inline(never)]
    fn fill_by_bytes(mut self) -> Self {
        while self.count < Self::FILLED {
            let byte = match (self.plain, self.rest) {
                ([byte, plain @ ..], _) => {
                    self.plain = plain;
                    *byte
                }
                ([], [0xff, 0x00, rest @ ..]) => {
                    (self.plain, self.rest) = split_at_0xff(rest);
                    0xff
                }
                _ => {
                    self.made_up = self.made_up.saturating_add(8);
                    0
                }
            };
            self.bits |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
        self
    }

    /// The next `N` bits, which stay.
    #[inline(always)]
    pub fn peek<const N: u32>(&self) -> usize {
        (self.bits >> (64 - N)) as usize
    }

    /// The bits that are there, from the highest down, and below them what means nothing.
    #[inline(always)]
    pub fn peek_all(&self) -> u64 {
        self.bits
    }

    /// Passes over bits that are there, at most 63.
    #[inline(always)]
    pub fn skip(&mut self, bits: u32) {
        self.bits <<= bits & 63;
        self.count -= bits;
    }

    /// Takes bits that are there, at most 32.
    #[inline(always)]
    pub fn take(&mut self, bits: u32) -> u32 {
        let taken = ((self.bits >> 1) >> (63 - bits)) as u32;
        self.skip(bits);
        taken
    }

    /// Whether no more was read than there is.
    pub fn check(&self) -> Result<(), Fault> {
        if self.made_up > self.count {
            return Err(Fault::Damaged("a scan has fewer data than its blocks need"));
        }
        Ok(())
    }

    /// Goes on behind the restart marker of that number, 0 to 7, which must come next.
    pub fn restart(&mut self, number: u8) -> Result<(), Fault> {
        self.check()?;
        let mut rest = self.rest;
        while let [0xff, 0x00 | 0xff, ..] = rest {
            // Left over are bytes that no block needed, or that fill.
            rest = split_at_0xff(&rest[1..]).1;
        }
        match rest {
            [0xff, marker, data @ ..] if *marker == 0xd0 + number => {
                *self = Self::new(data);
                Ok(())
            }
            _ => Err(Fault::Damaged("a restart marker is missing")),
        }
    }
}

fn split_at_0xff(data: &[u8]) -> (&[u8], &[u8]) {
    data.split_at(memchr(0xff, data).unwrap_or(data.len()))
}
