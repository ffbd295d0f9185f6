//! The renditions that are asked for, as the environment tells them.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::key::{self, ResultKey};
use crate::resize::{Fit, OutputFormat, Position, Rendition};

/// The largest side that may be asked for, in pixels: what WebP can hold.
const LARGEST_SIDE: u32 = 16_383;

/// A rendition, and where it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRendition {
    pub rendition: Rendition,
    pub key: ResultKey,
    /// What tells these settings from others: 16 hexadecimal digits.
    pub hash: String,
}

/// Reads renditions from JSON: an array of objects as the crate's documentation has them.
///
/// # Errors
/// What is wrong, in words that follow "RENDITIONS".
pub fn renditions(json: &str) -> Result<Vec<NamedRendition>, String> {
    let wishes: Vec<Wish> =
        serde_json::from_str(json).map_err(|error| format!("is not understood: {error}"))?;
    if wishes.is_empty() {
        return Err("names no rendition".to_owned());
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = wishes.iter().find(|wish| !names.insert(&wish.name)) {
        let name = twice.name.as_deref().unwrap_or("no name");
        return Err(format!("has two entries of {name}"));
    }
    wishes
        .into_iter()
        .enumerate()
        .map(|(number, wish)| {
            wish.checked()
                .map_err(|reason| format!("asks in its entry {number} for {reason}"))
        })
        .collect()
}

/// A rendition as it is written; what is left out has the default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    name: Option<String>,
    key: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    fit: Option<Fit>,
    position: Option<Position>,
    #[serde(default)]
    enlarge: bool,
    background: Option<String>,
    format: Option<OutputFormat>,
    quality: Option<u8>,
    #[serde(default)]
    progressive: bool,
    #[serde(default)]
    animated: bool,
}

impl Wish {
    fn checked(self) -> Result<NamedRendition, String> {
        let defaults = Rendition::default();
        let in_range = |side: &u32| (1..=LARGEST_SIDE).contains(side);
        if ![self.width, self.height].iter().flatten().all(in_range) {
            return Err(format!("a side that is not 1 to {LARGEST_SIDE} pixels"));
        }
        let quality = self.quality.unwrap_or(defaults.quality);
        if !(1..=100).contains(&quality) {
            return Err("a quality that is not 1 to 100".to_owned());
        }
        let background = match &self.background {
            None => defaults.background,
            Some(colour) => {
                rgb(colour).ok_or_else(|| format!("the background {colour:?}, which is not like #ffffff"))?
            }
        };
        let format = self.format.unwrap_or(defaults.format);
        if format == OutputFormat::Avif && !cfg!(feature = "avif") {
            return Err("AVIF, and the function is built without its encoder (the feature avif)".to_owned());
        }
        let key = ResultKey::new(self.name, self.key).map_err(|error| error.to_string())?;
        let rendition = Rendition {
            width: self.width.unwrap_or(defaults.width),
            height: self.height,
            fit: self.fit.unwrap_or(defaults.fit),
            position: self.position.unwrap_or(defaults.position),
            enlarge: self.enlarge,
            background,
            format,
            quality,
            progressive: self.progressive,
            animated: self.animated,
        };
        let hash = key::hash(&format!("{rendition:?}"));
        Ok(NamedRendition {
            rendition,
            key,
            hash: hash[..16].to_owned(),
        })
    }
}

/// The colour that `#rrggbb` names.
fn rgb(colour: &str) -> Option<[u8; 3]> {
    let digits = colour
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let [named] = &renditions("[{}]").unwrap()[..] else {
            unreachable!("one was asked for");
        };
        assert_eq!(named.rendition, Rendition::default());
        assert_eq!(named.key, ResultKey::default());
    }

    #[test]
    fn every_setting_is_read() {
        let json = r##"[{"name": "small", "width": 800, "height": 600, "fit": "cover", "position": "top", "enlarge": true,
            "background": "#0a141e", "format": "webp-lossless", "quality": 95, "progressive": true, "animated": true}, {"name": "other", "position": "center"}]"##;
        let expected = Rendition {
            width: 800,
            height: Some(600),
            fit: Fit::Cover,
            position: Position::Top,
            enlarge: true,
            background: [10, 20, 30],
            format: OutputFormat::WebpLossless,
            quality: 95,
            progressive: true,
            animated: true,
        };
        assert_eq!(renditions(json).unwrap()[0].rendition, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, reason) in [
            ("[]", "names no rendition"),
            ("{}", "is not understood"),
            (r#"[{"widht": 5}]"#, "unknown field `widht`"),
            (
                r#"[{}, {"name": "a", "width": 0}]"#,
                "asks in its entry 1 for a side that is not 1 to 16383 pixels",
            ),
            (r#"[{"name": "a"}, {"name": "a"}]"#, "has two entries of a"),
            (r#"[{"quality": 101}]"#, "a quality that is not 1 to 100"),
            (r#"[{"fit": "crop"}]"#, "unknown variant `crop`"),
            (
                r#"[{"background": "white"}]"#,
                "the background \"white\", which is not like #ffffff",
            ),
            (r##"[{"background": "#é00000"}]"##, "which is not like #ffffff"),
            (r#"[{"key": "{stam}.jpg"}]"#, "{stam}"),
        ] {
            let message = renditions(json).unwrap_err();
            assert!(message.contains(reason), "{json}: {message}");
        }
    }
}
