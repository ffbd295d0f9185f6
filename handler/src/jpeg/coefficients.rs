//! The coefficients of a progressive frame's component, kept until the last scan.

use super::idct::{self, Block};
use super::tables::Tables;
use super::{Component, Fault, Plane};

/// The coefficients of one component, as many as its scale needs.
pub struct Coefficients {
    /// How many are kept of each block, in zigzag order.
    pub kept: usize,
    /// How many blocks lie side by side.
    blocks_across: usize,
    values: Vec<i16>,
    /// For each block, which of all its 64 coefficients are not 0, from the lowest bit up. Only kept if a scan refines
    /// them: how many bits it has for a block depends on it.
    present: Vec<u64>,
    /// As they stood before the component's first scan.
    steps: Option<[f32; 64]>,
}

/// What is kept of one block.
pub struct Stored<'a> {
    pub values: &'a mut [i16],
    pub present: Option<&'a mut u64>,
}

impl Coefficients {
    /// Memory for the coefficients of a component.
    pub fn bytes(component: &Component, kept: usize, refined: bool) -> u64 {
        let (across, down) = component.padded_blocks;
        let block = kept * size_of::<i16>() + if refined { size_of::<u64>() } else { 0 };
        (across * down) as u64 * block as u64
    }

    pub fn new(component: &Component, kept: usize, refined: bool) -> Self {
        let (across, down) = component.padded_blocks;
        Self {
            kept,
            blocks_across: across,
            values: vec![0; across * down * kept],
            present: vec![0; if refined { across * down } else { 0 }],
            steps: None,
        }
    }

    /// Takes the component's quantization table as it stands, unless it was taken before.
    pub fn latch_quantization(&mut self, tables: &Tables, component: &Component) -> Result<(), Fault> {
        if self.steps.is_none() {
            self.steps = Some(tables.quantization(component.quantization)?.map(f32::from));
        }
        Ok(())
    }

    #[inline(always)]
    pub fn block(&mut self, across: usize, down: usize) -> Stored<'_> {
        let number = down * self.blocks_across + across;
        let start = number * self.kept;
        Stored {
            values: self.values.get_mut(start..start + self.kept).unwrap_or_default(),
            present: self.present.get_mut(number),
        }
    }

    /// Draws all blocks.
    pub fn draw(&self, plane: &mut Plane) {
        let Some(steps) = &self.steps else { return };
        let (scale, stride) = (plane.scale, plane.stride);
        let places = scale.places();
        let mut block: Block = [0.0; 64];
        let (mut across, mut down) = (0, 0);
        for values in self.values.chunks_exact(self.kept) {
            let samples = plane.block_mut(across, down);
            across += 1;
            if across == self.blocks_across {
                (across, down) = (0, down + 1);
            }
            let Some((&first, others)) = values.split_first() else {
                continue;
            };
            block[0] = f32::from(first) * steps[0];
            if others.iter().all(|&value| value == 0) {
                idct::draw_flat(scale, block[0], samples, stride);
                continue;
            }
            for ((&value, &place), &step) in others.iter().zip(&places[1..]).zip(&steps[1..]) {
                block[usize::from(place & 63)] = f32::from(value) * step;
            }
            idct::draw(scale, &mut block, samples, stride);
        }
    }
}
