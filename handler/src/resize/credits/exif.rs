//! EXIF, a TIFF of its own (CIPA DC-008, 4.5): a header, and directories of entries of 12 bytes.

use super::LONGEST;

/// `Artist` and `Copyright` of TIFF 6.0, section 8.
pub const TAGS: [u16; 2] = [0x013b, 0x8298];

/// The type of a value that is text.
pub const ASCII: u16 = 2;

/// The most entries of a directory that are looked at.
const MOST_ENTRIES: usize = 1000;

/// The text of that tag in the first directory.
pub fn text(exif: &[u8], tag: u16) -> Option<Vec<u8>> {
    let is_big_endian = match exif.get(..4)? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    };
    let long = |at: usize| {
        let bytes = exif.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let number = if is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        };
        usize::try_from(number).ok()
    };
    let directory = long(4)?;
    let entries = usize::from(short(directory)?).min(MOST_ENTRIES);
    let entry = (0..entries)
        .map(|number| directory + 2 + number * 12)
        .find(|entry| short(*entry) == Some(tag) && short(entry + 2) == Some(ASCII))?;
    let length = long(entry + 4)?;
    let start = if length <= 4 { entry + 8 } else { long(entry + 8)? };
    let text = exif.get(start..start.checked_add(length.min(LONGEST))?)?;
    let end = text
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b' '))
        .map_or(0, |last| last + 1);
    Some(text[..end].to_vec())
}
