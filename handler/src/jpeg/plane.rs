//! The samples of one component.

use super::{Component, Scale};

/// The samples of one component, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    pub width: u32,
    pub height: u32,
    /// How much of the plane the picture covers, across and down: all of it, or all but a part of the last sample.
    pub extent: (f64, f64),
    pub samples: Vec<u8>,
    pub(super) scale: Scale,
    /// From one row to the next: all blocks of the MCUs until [`trim`](Self::trim).
    pub(super) stride: usize,
}

impl Plane {
    /// Memory for the plane of a component at a scale.
    pub(super) fn bytes(component: &Component, scale: Scale) -> u64 {
        let (across, down) = component.padded_blocks;
        (across * scale.side()) as u64 * (down * scale.side()) as u64
    }

    /// A plane with room for whole MCUs.
    pub(super) fn new(component: &Component, scale: Scale) -> Self {
        let (across, down) = component.padded_blocks;
        let side = scale.side();
        let extent = (scale.of(component.extent.0), scale.of(component.extent.1));
        Self {
            width: extent.0.ceil() as u32,
            height: extent.1.ceil() as u32,
            extent,
            samples: vec![0; across * side * down * side],
            scale,
            stride: across * side,
        }
    }

    /// A plane that no block is decoded into.
    pub fn of(width: u32, height: u32, extent: (f64, f64), samples: Vec<u8>) -> Self {
        Self {
            width,
            height,
            extent,
            samples,
            scale: Scale::Whole,
            stride: width as usize,
        }
    }

    /// The samples from the first of the block in that column and row on.
    #[inline(always)]
    pub(super) fn block_mut(&mut self, across: usize, down: usize) -> &mut [u8] {
        let side = self.scale.side();
        let start = down * side * self.stride + across * side;
        self.samples.get_mut(start..).unwrap_or_default()
    }

    /// Keeps only the samples that show some of the picture.
    pub(super) fn trim(&mut self) {
        let (width, height) = (self.width as usize, self.height as usize);
        if self.stride != width {
            for row in 1..height {
                self.samples
                    .copy_within(row * self.stride..row * self.stride + width, row * width);
            }
            self.stride = width;
        }
        self.samples.truncate(width * height);
    }

    /// The plane with at least that many columns and rows: the last ones are repeated.
    pub fn grown(&self, width: u32, height: u32) -> Self {
        let (width, height) = (self.width.max(width), self.height.max(height));
        let mut samples = Vec::with_capacity(width as usize * height as usize);
        for row in self.samples.chunks_exact(self.width as usize) {
            samples.extend_from_slice(row);
            samples.resize(samples.len() + (width - self.width) as usize, row[row.len() - 1]);
        }
        for _ in self.height..height {
            samples.extend_from_within(samples.len() - width as usize..);
        }
        Self::of(width, height, self.extent, samples)
    }
}
