//! The segments of a file (T.81, annex B).

use memchr::memchr;

use super::Fault;

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// With the low four bits of its marker, which name the coding.
    StartOfFrame(u8),
    StartOfScan,
    HuffmanTables,
    QuantizationTables,
    RestartInterval,
    /// With its number, 0 to 15.
    Application(u8),
    Other,
}

/// A segment that has a length.
#[derive(Debug)]
pub struct Segment<'a> {
    pub marker: Marker,
    /// What follows the length.
    pub content: &'a [u8],
    /// Where in the file the segment ends; after the header of a scan, its entropy-coded data begin there.
    pub end: usize,
}

/// Goes from segment to segment.
pub struct Segments<'a> {
    source: &'a [u8],
    at: usize,
}

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;

impl<'a> Segments<'a> {
    pub fn new(source: &'a [u8]) -> Self {
        Self { source, at: 0 }
    }

    /// The next segment, or none at the end marker. Entropy-coded data before it are passed over: within them, 0xff is
    /// always followed by a stuffed 0x00 or a restart marker.
    pub fn next(&mut self) -> Result<Option<Segment<'a>>, Fault> {
        loop {
            let rest = self.source.get(self.at..).unwrap_or_default();
            let found = memchr(0xff, rest).ok_or(Fault::CutOff)?;
            let &code = rest.get(found + 1).ok_or(Fault::CutOff)?;
            self.at += found + 1;
            match code {
                0xff => {}
                END_OF_IMAGE => return Ok(None),
                0x00 | 0x01 | START_OF_IMAGE | 0xd0..=0xd7 => self.at += 1,
                _ => return self.segment(code).map(Some),
            }
        }
    }

    fn segment(&mut self, code: u8) -> Result<Segment<'a>, Fault> {
        let start = self.at + 1;
        let length = match self.source.get(start..start + 2) {
            Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
            _ => return Err(Fault::CutOff),
        };
        let end = start + length;
        let content = match self.source.get(start..end) {
            None => return Err(Fault::CutOff),
            Some(whole) => whole
                .get(2..)
                .ok_or(Fault::Damaged("a segment is shorter than its length"))?,
        };
        self.at = end;
        let marker = match code {
            0xc4 => Marker::HuffmanTables,
            0xda => Marker::StartOfScan,
            0xdb => Marker::QuantizationTables,
            0xdd => Marker::RestartInterval,
            // 0xcc has the conditioning of arithmetic coding and 0xc8 is reserved.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => Marker::StartOfFrame(code & 15),
            0xe0..=0xef => Marker::Application(code & 15),
            _ => Marker::Other,
        };
        Ok(Segment { marker, content, end })
    }
}
