//! Who made a picture and whose it is: the only metadata that goes with it, as EXIF, wherever the source says it.

mod exif;
mod iptc;
mod png;
mod xmp;

/// The longest text that is kept, in bytes.
const LONGEST: usize = 1000;

/// Texts on who made a picture and whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credits {
    /// Who made it, and whose it is; empty where nothing is said. UTF-8, but for what EXIF says in another way.
    texts: [Vec<u8>; 2],
}

/// Where a file may say it, beside EXIF.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// An XMP packet.
    Xmp(&'a [u8]),
    /// What Photoshop writes into a JPEG, IPTC's fields among it.
    Photoshop(&'a [u8]),
    /// A whole PNG.
    Png(&'a [u8]),
}

impl Credits {
    /// What EXIF metadata, or a TIFF, says; none, if that is damaged.
    pub fn of(exif: &[u8]) -> Self {
        Self {
            texts: exif::TAGS.map(|tag| exif::text(exif, tag).unwrap_or_default()),
        }
    }

    /// With what another place says of what is not known yet; nothing, if that is damaged.
    pub fn or(mut self, place: Place<'_>) -> Self {
        let said = match place {
            Place::Xmp(packet) => xmp::texts(packet),
            Place::Photoshop(resources) => iptc::texts(resources),
            Place::Png(source) => png::texts(source),
        };
        for (known, said) in self.texts.iter_mut().zip(said) {
            if known.is_empty() {
                *known = shortened(&said).as_bytes().to_vec();
            }
        }
        self
    }

    /// EXIF metadata that says so and nothing else, if there is something to say.
    pub fn to_exif(&self) -> Option<Vec<u8>> {
        let said: Vec<_> = exif::TAGS
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
            exif.extend(exif::ASCII.to_le_bytes());
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

/// Without what surrounds it, and no longer than [`LONGEST`].
fn shortened(text: &str) -> &str {
    let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\0');
    &text[..text.floor_char_boundary(LONGEST)]
}

/// Text that is UTF-8, or else Latin-1, as older programs write it.
fn decoded(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => text.iter().copied().map(char::from).collect(),
    }
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
            for place in [Place::Xmp(&exif), Place::Photoshop(&exif), Place::Png(&exif)] {
                let _ = Credits::default().or(place);
            }
            let whole = credits("Ada", "© Ada Lovelace").to_exif().unwrap();
            exif.splice(..0, whole[..place.min(whole.len())].iter().copied());
            let _ = Credits::of(&exif);
        }
    }
}
