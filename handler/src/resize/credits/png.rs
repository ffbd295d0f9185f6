//! The texts of a PNG (PNG 3, 11.3.3), as far as they are not compressed.

use super::{decoded, xmp};

/// The keywords for who made it and whose it is.
const KEYWORDS: [&[u8]; 2] = [b"Author", b"Copyright"];

/// The keyword of an XMP packet.
const XMP: &[u8] = b"XML:com.adobe.xmp";

/// Who made it, and whose it is.
pub fn texts(source: &[u8]) -> [String; 2] {
    let mut texts = [String::new(), String::new()];
    let mut packet: &[u8] = &[];
    // Behind the signature, each chunk is a length, a name, the content, and a checksum.
    let mut rest = source.get(8..).unwrap_or_default();
    while let Some((name, content, next)) = chunk(rest)
        && name != b"IDAT"
    {
        let text = match name {
            b"tEXt" => split(content),
            b"iTXt" => international(content),
            _ => None,
        };
        if let Some((keyword, text)) = text {
            for (known, wanted) in texts.iter_mut().zip(KEYWORDS) {
                if keyword == wanted && known.is_empty() {
                    *known = decoded(text);
                }
            }
            if keyword == XMP {
                packet = text;
            }
        }
        rest = next;
    }
    let mut said = xmp::texts(packet);
    for (said, text) in said.iter_mut().zip(texts) {
        if said.is_empty() {
            *said = text;
        }
    }
    said
}

/// The first chunk's name and content, and what comes after it.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (length, named) = bytes.split_first_chunk::<4>()?;
    let (name, content) = named.split_first_chunk::<4>()?;
    let (content, checked) = content.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((name, content, checked.get(4..)?))
}

/// What is before and after the first zero byte.
fn split(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = content.iter().position(|byte| *byte == 0)?;
    Some((&content[..end], &content[end + 1..]))
}

/// The keyword and the text, which comes after a flag for compression and its method, a language and a translated keyword.
fn international(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let (keyword, rest) = split(content)?;
    let (_, rest) = split(rest.strip_prefix(&[0, 0])?)?;
    Some((keyword, split(rest)?.1))
}
