//! The tables that segments between the scans define.

use super::Fault;
use super::huffman::Codes;

/// The tables as they stand (T.81, B.2.4).
#[derive(Default)]
pub struct Tables {
    /// Huffman codes for DC and for AC.
    huffman: [[Option<Codes>; 4]; 2],
    /// The steps of the coefficients, in zigzag order.
    quantization: [Option<[u16; 64]>; 4],
    /// In MCUs; 0 if there are no restart markers.
    pub restart_interval: usize,
}

/// Which coefficients a Huffman table is for.
#[derive(Debug, Clone, Copy)]
pub enum Class {
    Dc,
    Ac,
}

const TOO_SHORT: Fault = Fault::Damaged("a segment of tables is too short");

impl Tables {
    pub fn huffman(&self, class: Class, number: usize) -> Result<&Codes, Fault> {
        let table = self.huffman[class as usize].get(number).and_then(Option::as_ref);
        table.ok_or(Fault::Damaged("a scan uses a Huffman table that was not defined"))
    }

    pub fn quantization(&self, number: usize) -> Result<&[u16; 64], Fault> {
        let table = self.quantization.get(number).and_then(Option::as_ref);
        table.ok_or(Fault::Damaged(
            "a scan uses a quantization table that was not defined",
        ))
    }

    pub fn read_huffman(&mut self, mut content: &[u8]) -> Result<(), Fault> {
        while let Some((&name, rest)) = content.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(TOO_SHORT)?;
            let codes: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (values, rest) = rest.split_at_checked(codes).ok_or(TOO_SHORT)?;
            let table = self
                .huffman
                .get_mut(usize::from(name >> 4))
                .and_then(|class| class.get_mut(usize::from(name & 15)));
            *table.ok_or(Fault::Damaged("a Huffman table has an unknown number"))? =
                Some(Codes::new(counts, values)?);
            content = rest;
        }
        Ok(())
    }

    pub fn read_quantization(&mut self, mut content: &[u8]) -> Result<(), Fault> {
        while let Some((&name, rest)) = content.split_first() {
            let table = self.quantization.get_mut(usize::from(name & 15));
            let table = table.ok_or(Fault::Damaged("a quantization table has an unknown number"))?;
            content = if name >> 4 == 0 {
                let (steps, rest) = rest.split_first_chunk::<64>().ok_or(TOO_SHORT)?;
                *table = Some(steps.map(u16::from));
                rest
            } else {
                let (steps, rest) = rest.split_first_chunk::<128>().ok_or(TOO_SHORT)?;
                let mut wide = [0; 64];
                for (step, bytes) in wide.iter_mut().zip(steps.as_chunks::<2>().0) {
                    *step = u16::from_be_bytes(*bytes);
                }
                *table = Some(wide);
                rest
            };
        }
        Ok(())
    }

    pub fn read_restart_interval(&mut self, content: &[u8]) -> Result<(), Fault> {
        let interval = content.first_chunk::<2>().ok_or(TOO_SHORT)?;
        self.restart_interval = usize::from(u16::from_be_bytes(*interval));
        Ok(())
    }
}
