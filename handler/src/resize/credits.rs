//! Who made a picture and whose it is: the only metadata that goes with it.
//!
//! EXIF is a TIFF of its own (CIPA DC-008, 4.5): a header, and directories of entries of 12 bytes.

/// `Artist` and `Copyright` of TIFF 6.0, section 8.
const TAGS: [u16; 2] = [0x013b, 0x8298];

/// The type of a value that is text.
const ASCII: u16 = 2;

/// The longest text that is kept, in bytes.
const LONGEST: usize = 1000;

/// The most entries of a directory that are looked at.
const MOST_ENTRIES: usize = 1000;

/// Texts on who made a picture and whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credits {
    /// In the order of [`TAGS`]; empty where there is none.
    texts: [Vec<u8>; TAGS.len()],
}

impl Credits {
    /// What EXIF metadata, or a TIFF, says; none, if that is damaged.
    pub fn of(exif: &[u8]) -> Self {
        Self {
            texts: TAGS.map(|tag| text(exif, tag).unwrap_or_default()),
        }
    }

    /// EXIF metadata that says so and nothing else, if there is something to say.
    pub fn to_exif(&self) -> Option<Vec<u8>> {
        let said: Vec<_> = TAGS
            .iter()
            .zip(&self.texts)
            .filter(|(_, text)| !text.is_empty())
            .collect();
        if said.is_empty() {
            return None;
        }
        let mut exif = b"II*\0\x08\0\0\0".to_vec();
        exif.extend((said.len() as u16).to_le_bytes());
        let mut texts_at = exif.len() + said.len() * 12 + 4;
        let mut texts = Vec::new();
        for (tag, text) in said {
            // Each ends with a zero byte, and begins at an even place. Up to four bytes stand in the entry itself.
            let mut text = text.clone();
            text.push(0);
            exif.extend(tag.to_le_bytes());
            exif.extend(ASCII.to_le_bytes());
            exif.extend((text.len() as u32).to_le_bytes());
            if text.len() <= 4 {
                text.resize(4, 0);
                exif.extend(text);
            } else {
                exif.extend((texts_at as u32).to_le_bytes());
                text.resize(text.len().next_multiple_of(2), 0);
                texts_at += text.len();
                texts.extend(text);
            }
        }
        // No other directory follows.
        exif.extend([0; 4]);
        exif.extend(texts);
        Some(exif)
    }
}

/// The text of that tag in the first directory.
fn text(exif: &[u8], tag: u16) -> Option<Vec<u8>> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn credits(artist: &str, copyright: &str) -> Credits {
        Credits {
            texts: [artist.into(), copyright.into()],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for said in [
            credits("Ada Lovelace", "© 2026 Ada Lovelace"),
            credits("", "ab"),
            credits("abc", ""),
            credits("abcd", "abcde"),
        ] {
            assert_eq!(Credits::of(&said.to_exif().unwrap()), said);
        }
        assert_eq!(Credits::default().to_exif(), None);
    }

    #[test]
    fn a_camera_may_write_big_endian() {
        let exif = b"MM\0*\0\0\0\x08\0\x01\x82\x98\0\x02\0\0\0\x06\0\0\0\x1a\0\0\0\0mine\0\0";
        assert_eq!(Credits::of(exif), credits("", "mine"));
    }

    proptest! {
        #[test]
        fn damage_is_nothing_said(mut exif in prop::collection::vec(any::<u8>(), 0..80), place in 0usize..80) {
            let _ = Credits::of(&exif);
            let whole = credits("Ada", "© Ada Lovelace").to_exif().unwrap();
            exif.splice(..0, whole[..place.min(whole.len())].iter().copied());
            let _ = Credits::of(&exif);
        }
    }
}
