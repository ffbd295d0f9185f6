//! From a block's coefficients to its samples, at a scale.

/// How large a component's samples come out, in eighths of how they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scale {
    Eighth = 1,
    Quarter = 2,
    ThreeEighths = 3,
    Half = 4,
    Whole = 8,
}

/// The coefficients of a block, dequantised, and as a scale needs them: row by row, as many in a row as the side of a
/// block has samples, or four instead of three.
pub type Block = [f32; 64];

/// Where the coefficients of a block stand, by their place in zigzag order (T.81, A.3.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The place in a [`Block`] that no scale reads which has coefficients above it.
pub const NOWHERE: u8 = 63;

impl Scale {
    /// From small to large.
    pub const ALL: [Self; 5] = [
        Self::Eighth,
        Self::Quarter,
        Self::ThreeEighths,
        Self::Half,
        Self::Whole,
    ];

    /// How many samples a side of a block has.
    pub fn side(self) -> usize {
        self as usize
    }

    /// How many samples come of so many.
    pub fn of(self, samples: f64) -> f64 {
        samples * self.side() as f64 / 8.0
    }

    /// How many coefficients, in zigzag order, come before all that the scale has no use for.
    pub(super) fn needed(self) -> usize {
        match self {
            Self::Eighth => 1,
            Self::Quarter => 5,
            Self::ThreeEighths => 13,
            Self::Half => 25,
            Self::Whole => 64,
        }
    }

    /// Where in a [`Block`] each coefficient belongs; those above the scale to a place that is not read.
    pub(super) fn places(self) -> [u8; 64] {
        let side = self as u8;
        let row_length = if self == Self::ThreeEighths { 4 } else { side };
        ZIGZAG.map(|place| match (place / 8, place % 8) {
            (row, column) if row < side && column < side => row * row_length + column,
            _ => NOWHERE,
        })
    }
}

/// Draws a block at the start of `samples`, whose rows are `stride` apart, and clears its coefficients.
#[inline(always)]
pub fn draw(scale: Scale, block: &mut Block, samples: &mut [u8], stride: usize) {
    match scale {
        Scale::Eighth => draw_flat(scale, block[0], samples, stride),
        Scale::Quarter => transform::<2, 2>(block, samples, stride),
        Scale::ThreeEighths => transform::<3, 4>(block, samples, stride),
        Scale::Half => transform::<4, 4>(block, samples, stride),
        Scale::Whole => transform::<8, 8>(block, samples, stride),
    }
    // The next block may be one of a component that reads it.
    block[usize::from(NOWHERE)] = 0.0;
}

/// Draws a block of which only the first coefficient is not 0.
#[inline(always)]
pub fn draw_flat(scale: Scale, first: f32, samples: &mut [u8], stride: usize) {
    let sample = to_sample(first * 0.125);
    match scale {
        Scale::Eighth => fill::<1>(sample, samples, stride),
        Scale::Quarter => fill::<2>(sample, samples, stride),
        Scale::ThreeEighths => fill::<3>(sample, samples, stride),
        Scale::Half => fill::<4>(sample, samples, stride),
        Scale::Whole => fill::<8>(sample, samples, stride),
    }
}

/// Fills a block of `N` × `N` samples.
#[inline(always)]
fn fill<const N: usize>(sample: u8, samples: &mut [u8], stride: usize) {
    for y in 0..N {
        if let Some(row) = samples.get_mut(y * stride..y * stride + N) {
            row.copy_from_slice(&[sample; N]);
        }
    }
}

/// The inverse cosine transform of the lowest `N` × `N` coefficients, to as many samples: rows, then columns, each a
/// product with the same matrix, of which even waves are symmetric and odd ones antisymmetric. Floating-point, since it is exact enough and compilers make the most of it;
/// they do so with rows of a power of two, of which `N` count.
#[inline]
fn transform<const N: usize, const ROW: usize>(block: &mut Block, samples: &mut [u8], stride: usize) {
    let waves: [[f32; ROW]; N] = const { waves::<N, ROW>() };
    let (coefficients, _) = block.as_chunks_mut::<ROW>();
    let mut columns = [[0.0f32; ROW]; N];
    for y in 0..N.div_ceil(2) {
        let mut halves = [[0.0f32; ROW]; 2];
        for (frequency, (wave, row)) in waves.iter().zip(coefficients.iter()).enumerate() {
            for (sum, coefficient) in halves[frequency % 2].iter_mut().zip(row) {
                *sum += wave[y] * coefficient;
            }
        }
        let [even, odd] = halves;
        for x in 0..ROW {
            columns[N - 1 - y][x] = even[x] - odd[x];
            columns[y][x] = even[x] + odd[x];
        }
    }
    // Not by `chunks_mut`, which divides to know how many there are.
    for (y, column) in columns.iter().enumerate() {
        let mut sums = [0.0f32; ROW];
        for (wave, coefficient) in waves.iter().zip(column) {
            for (sum, height) in sums.iter_mut().zip(wave) {
                *sum += height * coefficient;
            }
        }
        if let Some(row) = samples.get_mut(y * stride..y * stride + N) {
            row.copy_from_slice(&sums.map(to_sample)[..N]);
        }
    }
    for row in coefficients.iter_mut().take(N) {
        *row = [0.0; ROW];
    }
}

/// Rounds, and moves from around 0 to around 128.
#[inline(always)]
fn to_sample(value: f32) -> u8 {
    // Numbers from 2^23 on have no bits below 1: adding it rounds, and leaves the whole number in the lowest bits.
    const ROUND: f32 = 8_388_608.0;
    // Halves, which blocks of one colour often have, go up, as other decoders have it.
    const MIDDLE: f32 = 128.0 + 1.0 / 4096.0;
    ((value + MIDDLE).clamp(0.0, 255.0) + ROUND).to_bits() as u8
}

/// For each frequency, half a cosine wave's heights at the middles of `N` samples; the first is a constant 1/√8.
const fn waves<const N: usize, const ROW: usize>() -> [[f32; ROW]; N] {
    let mut waves = [[0.0; ROW]; N];
    let mut frequency = 0;
    while frequency < N {
        let mut x = 0;
        while x < N {
            let factor = if frequency == 0 {
                std::f64::consts::FRAC_1_SQRT_2
            } else {
                1.0
            };
            let angle = ((2 * x + 1) * frequency) as f64 * std::f64::consts::PI / (2 * N) as f64;
            waves[frequency][x] = (0.5 * factor * cosine(angle)) as f32;
            x += 1;
        }
        frequency += 1;
    }
    waves
}

/// By its series, as the standard library's is not there at compile time.
const fn cosine(angle: f64) -> f64 {
    let whole_turns = (angle / std::f64::consts::TAU) as i64;
    let angle = angle - whole_turns as f64 * std::f64::consts::TAU;
    let (mut sum, mut term, mut n) = (1.0, 1.0, 1.0);
    while n < 60.0 {
        term *= -angle * angle / (n * (n + 1.0));
        sum += term;
        n += 2.0;
    }
    sum
}
