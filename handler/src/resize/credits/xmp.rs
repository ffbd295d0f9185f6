//! XMP (ISO 16684-1): RDF in XML, with `creator` and `rights` of Dublin Core.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// The longest packet that is looked at, in bytes: those that carry more than texts are no hurry to read.
const LONGEST_PACKET: usize = 1 << 20;

/// Who made it, all of them, and whose it is, in the first language.
///
/// Assumption: Dublin Core has its usual prefix, `dc`, as every program that was looked at writes it.
pub fn texts(packet: &[u8]) -> [String; 2] {
    let mut creators: Vec<String> = Vec::new();
    let mut rights = String::new();
    let packet = packet.get(..LONGEST_PACKET).unwrap_or(packet);
    let Ok(packet) = std::str::from_utf8(packet) else {
        return Default::default();
    };
    let mut within = None;
    // What comes after damage is not read.
    for token in Tokenizer::from(packet.trim_matches('\0')).map_while(Result::ok) {
        match token {
            Token::ElementStart { prefix, local, .. } if prefix == "dc" => within = Some(local.as_str()),
            Token::ElementEnd {
                end: ElementEnd::Close(prefix, _),
                ..
            } if prefix == "dc" => within = None,
            Token::Text { text } | Token::Cdata { text, .. } => {
                let text = unescaped(text.as_str().trim());
                match within {
                    Some("creator") if !text.is_empty() => creators.push(text),
                    Some("rights") if rights.is_empty() => rights = text,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    // As EXIF has several names in one text (CIPA DC-008, 4.6.5).
    [creators.join("; "), rights]
}

/// With the characters that XML's references stand for.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part
            .split_once(';')
            .and_then(|(name, rest)| Some((character(name)?, rest)))
        {
            Some((character, rest)) => {
                plain.push(character);
                plain.push_str(rest);
            }
            None => {
                plain.push('&');
                plain.push_str(part);
            }
        }
    }
    plain
}

/// The character of that name, without `&` and `;` (XML 1.0, 4.1 and 4.6).
fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_and_rights_are_of_the_first_language() {
        let packet = br#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description xmp:Rating="5">
            <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Engine</rdf:li></rdf:Alt></dc:title>
            <dc:creator><rdf:Seq><rdf:li>Ada Lovelace</rdf:li><rdf:li>Charles &amp; son</rdf:li></rdf:Seq></dc:creator>
            <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">&#xA9; Ada &lt;ada@example.org&gt;</rdf:li>
            <rdf:li xml:lang="de">anders</rdf:li></rdf:Alt></dc:rights>
            </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#;
        let [creators, rights] = texts(packet);
        assert_eq!(creators, "Ada Lovelace; Charles & son");
        assert_eq!(rights, "\u{a9} Ada <ada@example.org>");
    }

    #[test]
    fn what_is_no_reference_stays_as_it_is() {
        assert_eq!(
            unescaped("a & b &nbsp; &#x110000; &"),
            "a & b &nbsp; &#x110000; &"
        );
    }
}
