//! What kind of picture it is, by its first bytes: what an object is said to be is no proof.

/// The media type of a picture that browsers show.
pub fn shown_by_browsers(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [
            _,
            _,
            _,
            _,
            b'f',
            b't',
            b'y',
            b'p',
            b'a',
            b'v',
            b'i',
            b'f' | b's',
            ..,
        ] => Some("image/avif"),
        _ => None,
    }
}

/// The media type of what begins as a picture does, damaged or not: enough to say what it is meant to be.
pub fn of_picture(head: &[u8]) -> Option<&'static str> {
    shown_by_browsers(head).or(match head {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        // The second number is BigTIFF's.
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => Some("image/tiff"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', b'i' | b'v', ..] => Some("image/heic"),
        [b'B', b'M', ..] => Some("image/bmp"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_browsers_show_is_known_by_its_content() {
        for (name, expected) in [
            ("rocket.jpg", Some("image/jpeg")),
            ("rgba.png", Some("image/png")),
            ("animated.gif", Some("image/gif")),
            ("lossy.webp", Some("image/webp")),
            ("photo.avif", Some("image/avif")),
            ("photo.tif", None),
            ("photo.bmp", None),
            ("bad-html.png", None),
            ("bad-svg.svg", None),
            ("bad-empty.jpg", None),
        ] {
            let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/handler/tests/corpus/");
            let bytes = std::fs::read(format!("{corpus}{name}")).unwrap();
            assert_eq!(shown_by_browsers(&bytes), expected, "{name}");
        }
    }

    #[test]
    fn the_first_bytes_tell_the_media_type() {
        for (head, wanted) in [
            (b"\xff\xd8\xff\xe0\0\x10JFIF".as_slice(), Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n", Some("image/png")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x20ftypavif", Some("image/avif")),
            (b"plain text", None),
            (b"", None),
        ] {
            assert_eq!(of_picture(head), wanted);
        }
    }
}
