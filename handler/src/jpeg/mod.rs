//! A JPEG decoder that does only the work which a smaller picture needs (ITU-T T.81; baseline, extended sequential and
//! progressive, Huffman-coded, 8 bits a sample).
//!
//! A component comes out as its own plane, in the size it was stored in or in 4, 3, 2 or 1 eighths of it. What a scale
//! has no use for is not decoded: coefficients above it are skipped, several in one look-up, and so are whole scans of
//! a progressive file. Chroma stays as small as it is, and in its own colour space: whoever scales the planes further
//! has less to scale, and converts the colours of the small picture.
//!
//! One file a concern: [`markers`] → [`frame`], [`tables`] → [`bits`], [`huffman`] → [`baseline`] or
//! [`progressive`] → [`idct`] → [`plane`].
//!
//! Damage is an error, also where other decoders show a half-gray picture.

mod baseline;
mod bits;
mod coefficients;
mod colour;
mod fault;
mod frame;
mod huffman;
mod idct;
mod markers;
mod metadata;
mod plane;
mod progressive;
mod scan;
mod tables;

pub use colour::Colour;
pub use fault::Fault;
pub use frame::{Component, Frame};
pub use idct::Scale;
pub use plane::Plane;

use markers::{Marker, Segments};
use metadata::Metadata;
use scan::Scan;
use tables::Tables;

/// A JPEG whose segments were all looked at, and none of whose pixels were decoded.
pub struct Jpeg<'a> {
    source: &'a [u8],
    frame: Frame,
    scans: Vec<Scan>,
    metadata: Metadata<'a>,
}

impl<'a> Jpeg<'a> {
    /// Reads what the segments say, up to the end marker. Bytes after it are allowed: cameras append previews there.
    ///
    /// # Errors
    /// [`Fault::CutOff`] without an end marker; else that it is damaged or of a kind that is not decoded here.
    pub fn open(source: &'a [u8]) -> Result<Self, Fault> {
        let mut metadata = Metadata::default();
        let mut frame = None;
        let mut scans = Vec::new();
        let mut unreadable = None;
        let mut segments = Segments::new(source);
        // Whether the file is whole comes first: a fault within a part of it may come of the cut.
        while let Some(segment) = segments.next()? {
            let read = match segment.marker {
                Marker::StartOfFrame(kind) if frame.is_none() => {
                    Frame::read(kind, segment.content).map(|read| frame = Some(read))
                }
                Marker::StartOfFrame(_) => Err(Fault::Damaged("it has a second frame header")),
                Marker::StartOfScan => scan::read(&segment, frame.as_ref(), &mut scans),
                Marker::Application(number) => {
                    metadata.read(number, segment.content);
                    Ok(())
                }
                _ => Ok(()),
            };
            if let Err(fault) = read {
                unreadable.get_or_insert(fault);
            }
        }
        if let Some(fault) = unreadable {
            return Err(fault);
        }
        let frame = frame.ok_or(Fault::Damaged("it has no frame header"))?;
        let jpeg = Self {
            source,
            frame,
            scans,
            metadata,
        };
        jpeg.frame.check_scans(&jpeg.scans)?;
        Ok(jpeg)
    }

    /// Sizes and components.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// What the components' samples are.
    pub fn colour(&self) -> Colour {
        Colour::of(&self.frame, self.metadata.has_jfif, self.metadata.adobe_transform)
    }

    /// The EXIF metadata, a TIFF file of its own.
    pub fn exif(&self) -> Option<&'a [u8]> {
        self.metadata.exif
    }

    /// The XMP packet.
    pub fn xmp(&self) -> Option<&'a [u8]> {
        self.metadata.xmp
    }

    /// What Photoshop keeps there: resources, the fields of IPTC among them.
    pub fn photoshop(&self) -> Option<&'a [u8]> {
        self.metadata.photoshop
    }

    /// The embedded colour profile, if it is there whole.
    pub fn icc_profile(&self) -> Option<Vec<u8>> {
        self.metadata.icc_profile()
    }

    /// Decodes each component at its scale of `scales`, which has as many as the frame has components.
    ///
    /// # Errors
    /// [`Fault::TooMuchMemory`] before anything is allocated, if planes and coefficients together would take more than
    /// `memory` bytes; [`Fault::Damaged`].
    pub fn decode(&self, scales: &[Scale], memory: u64) -> Result<Vec<Plane>, Fault> {
        let plan = if self.frame.progressive {
            progressive::plan(&self.frame, &self.scans, scales)
        } else {
            progressive::Plan::default()
        };
        let planes_take: u64 = self
            .scaled(scales)
            .map(|(component, scale)| Plane::bytes(component, scale))
            .sum();
        let needed = planes_take.saturating_add(plan.bytes());
        if needed > memory {
            return Err(Fault::TooMuchMemory {
                needed,
                limit: memory,
            });
        }
        let mut tables = Tables::default();
        if self.frame.progressive {
            return self.decode_progressive(scales, plan, &mut tables);
        }
        let mut planes: Vec<Plane> = self
            .scaled(scales)
            .map(|(component, scale)| Plane::new(component, scale))
            .collect();
        self.for_each_scan(&mut tables, |_, scan, tables| {
            baseline::decode(self.source, &self.frame, scan, tables, &mut planes)
        })?;
        planes.iter_mut().for_each(Plane::trim);
        Ok(planes)
    }

    /// The components, each with its scale.
    fn scaled<'s>(&'s self, scales: &'s [Scale]) -> impl Iterator<Item = (&'s Component, Scale)> {
        self.frame.components.iter().zip(scales.iter().copied())
    }

    fn decode_progressive(
        &self,
        scales: &[Scale],
        plan: progressive::Plan,
        tables: &mut Tables,
    ) -> Result<Vec<Plane>, Fault> {
        let mut stores = plan.allocate(&self.frame);
        self.for_each_scan(tables, |number, scan, tables| {
            for &(component, _) in &scan.components {
                stores[component].latch_quantization(tables, &self.frame.components[component])?;
            }
            if plan.needs(number) {
                progressive::decode(self.source, &self.frame, scan, tables, &mut stores)?;
            }
            Ok(())
        })?;
        Ok(self
            .scaled(scales)
            .zip(stores)
            .map(|((component, scale), store)| {
                let mut plane = Plane::new(component, scale);
                store.draw(&mut plane);
                plane.trim();
                plane
            })
            .collect())
    }

    /// Goes through the file with the tables as they stand before each scan.
    fn for_each_scan(
        &self,
        tables: &mut Tables,
        mut work: impl FnMut(usize, &Scan, &Tables) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut segments = Segments::new(self.source);
        let mut scans = self.scans.iter().enumerate();
        while let Some(segment) = segments.next()? {
            match segment.marker {
                Marker::HuffmanTables => tables.read_huffman(segment.content)?,
                Marker::QuantizationTables => tables.read_quantization(segment.content)?,
                Marker::RestartInterval => tables.read_restart_interval(segment.content)?,
                Marker::StartOfScan => {
                    if let Some((number, scan)) = scans.next() {
                        work(number, scan, tables)?;
                    }
                    if scans.len() == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
