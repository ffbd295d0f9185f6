//! IPTC's fields in a JPEG (IPTC-IIM 4.2), among what Photoshop keeps there (Adobe Photoshop File Formats, "Image Resources").

use super::decoded;

/// The resource that has them.
const IPTC: u16 = 0x0404;

/// The record and numbers of `By-line` and `Copyright Notice`.
const FIELDS: [[u8; 2]; 2] = [[2, 80], [2, 116]];

/// Who made it, and whose it is.
pub fn texts(resources: &[u8]) -> [String; 2] {
    let fields = fields(resources).unwrap_or_default();
    FIELDS.map(|field| text(fields, field).unwrap_or_default())
}

/// The fields among Photoshop's resources.
fn fields(resources: &[u8]) -> Option<&[u8]> {
    let mut rest = resources;
    loop {
        let (number, named) = rest.strip_prefix(b"8BIM")?.split_first_chunk::<2>()?;
        // A name's length and a name, together an even number of bytes; so is the content.
        let name = 1 + usize::from(*named.first()?);
        let (length, content) = named.get(name.next_multiple_of(2)..)?.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if u16::from_be_bytes(*number) == IPTC {
            return content.get(..length);
        }
        rest = content.get(length.checked_next_multiple_of(2)?..)?;
    }
}

/// The first field of that number: a mark, record and number, and a length before the text.
fn text(fields: &[u8], wanted: [u8; 2]) -> Option<String> {
    let mut rest = fields;
    loop {
        let (&[mark, record, number, high, low], content) = rest.split_first_chunk::<5>()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        // Fields of 32 KiB and more have another kind of length; no name is so long.
        if mark != 0x1c || length >= 1 << 15 {
            return None;
        }
        let (text, next) = content.split_at_checked(length)?;
        if [record, number] == wanted {
            return Some(decoded(text));
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_other_resources() {
        let resources = b"8BIM\x03\xed\x03abc\0\0\0\x01\x07\08BIM\x04\x04\0\0\0\0\0\x16\
            \x1c\x02\x50\0\x03Ada\x1c\x02\x05\0\x01x\x1c\x02\x74\0\x03\xa9 A";
        assert_eq!(texts(resources), ["Ada".to_owned(), "\u{a9} A".to_owned()]);
        for cut in 0..resources.len() {
            texts(&resources[..cut]);
        }
    }
}
