//! How the function resizes: one result a picture, or several renditions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the function makes of a picture; it reads it from its environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ResizeSettings {
    /// Pixels.
    pub width: u32,
    /// Pixels; by the picture's ratio when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    pub fit: Fit,
    #[serde(skip_serializing_if = "is_default")]
    pub position: Position,
    /// Whether a picture smaller than the box is enlarged.
    #[serde(skip_serializing_if = "is_default")]
    pub enlarge: bool,
    /// `#rrggbb`, behind transparency in a JPEG, and around `contain`; white when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    pub format: Format,
    /// 1 to 100.
    pub quality: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub progressive: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How a picture is made to fit the box of width and height.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    #[default]
    Inside,
    Cover,
    Contain,
    Fill,
}

/// What is kept of a picture whose edges are cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    #[default]
    Center,
    Top,
    Bottom,
    Left,
    Right,
}

/// What a result is encoded as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    #[default]
    Jpeg,
    Png,
    Webp,
    WebpLossless,
    Keep,
    Auto,
}

impl Default for ResizeSettings {
    fn default() -> Self {
        Self {
            width: 500,
            height: None,
            fit: Fit::default(),
            position: Position::default(),
            enlarge: false,
            background: None,
            format: Format::default(),
            quality: 80,
            progressive: false,
        }
    }
}

/// One of several results of a picture; what it does not say is as `[resize]` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(expecting = "a table")]
pub struct Rendition {
    /// In the result's key, and what tells it from the others.
    name: String,
    /// Where results go, with some of [`PLACEHOLDERS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Some of the fields of [`ResizeSettings`].
    #[serde(flatten)]
    settings: Map<String, Value>,
}

/// What the key of a rendition may hold in braces.
const PLACEHOLDERS: [&str; 7] = ["dir", "stem", "name", "width", "height", "ext", "hash"];

/// What two renditions of one key may differ by; whether they do, the function sees at each picture.
const DISTINCT: [&str; 4] = ["{name}", "{width}", "{height}", "{ext}"];

/// The longest that all renditions may be, in bytes of JSON: Lambda takes 4 KB of environment in all
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const JSON_MAX: usize = 3 * 1024;

/// The renditions, as the function reads them from its environment.
///
/// # Errors
/// What the function would refuse.
pub fn renditions(resize: &ResizeSettings, renditions: &[Rendition]) -> Result<String, String> {
    resize.validate("resize")?;
    let mut names = BTreeSet::new();
    let mut keys = BTreeSet::new();
    let mut all = Vec::new();
    for rendition in renditions {
        let Rendition { name, key, .. } = rendition;
        if !names.insert(name) {
            return Err(format!("two renditions have the name \"{name}\""));
        }
        if let Some(key) = key
            .as_ref()
            .filter(|key| !DISTINCT.iter().any(|part| key.contains(part)))
            && !keys.insert(key)
        {
            return Err(format!(
                "two renditions have the key \"{key}\", and would write over each other"
            ));
        }
        all.push(rendition.over(resize)?);
    }
    if all.is_empty() {
        all.push(resize.fields());
    }
    let json = Value::from(all.into_iter().map(Value::Object).collect::<Vec<_>>()).to_string();
    if json.len() > JSON_MAX {
        return Err(format!(
            "the renditions take {} bytes, and Lambda's environment has room for {JSON_MAX}",
            json.len()
        ));
    }
    Ok(json)
}

impl ResizeSettings {
    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    fn validate(&self, table: &str) -> Result<(), String> {
        for (name, side) in [("width", Some(self.width)), ("height", self.height)] {
            if side.is_some_and(|side| !(1..=16_383).contains(&side)) {
                return Err(format!("{table}.{name} is a number of pixels from 1 to 16383"));
            }
        }
        if self.height.is_none() && self.fit != Fit::default() {
            return Err(format!(
                "{table}.fit says how a picture fits width and height: it needs a {table}.height"
            ));
        }
        if self.fit != Fit::Cover && self.position != Position::default() {
            return Err(format!(
                "{table}.position says what fit = \"cover\" keeps of a picture: it needs that"
            ));
        }
        if !(1..=100).contains(&self.quality) {
            return Err(format!("{table}.quality is a number from 1 to 100"));
        }
        let is_colour = |colour: &String| {
            let digits = colour.strip_prefix('#').unwrap_or_default();
            digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        if !self.background.iter().all(is_colour) {
            return Err(format!("{table}.background is a colour as \"#ffffff\""));
        }
        Ok(())
    }
}

impl Rendition {
    /// All fields, those of `resize` where this has none.
    fn over(&self, resize: &ResizeSettings) -> Result<Map<String, Value>, String> {
        let Self { name, key, settings } = self;
        let can_be_in_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(can_be_in_name) {
            return Err("rendition.name has letters, digits and dashes, at most 64".to_owned());
        }
        let table = format!("rendition {name}");
        key.as_deref()
            .map_or(Ok(()), validate_key)
            .map_err(|reason| format!("{table}.key {reason}"))?;
        let mut fields = resize.fields();
        fields.extend(settings.clone());
        let whole = ResizeSettings::deserialize(Value::Object(fields))
            .map_err(|error| format!("{table}: {error}"))?;
        whole.validate(&table)?;
        let mut fields = Map::from_iter([("name".to_owned(), name.as_str().into())]);
        if let Some(key) = key {
            fields.insert("key".to_owned(), key.as_str().into());
        }
        fields.extend(whole.fields());
        Ok(fields)
    }
}

fn validate_key(key: &str) -> Result<(), String> {
    if key.starts_with('/') || key.contains("..") {
        return Err("begins with a slash or has \"..\" in it".to_owned());
    }
    let mut in_braces = key
        .split('{')
        .skip(1)
        .map(|piece| piece.split_once('}').map_or(piece, |(name, _)| name));
    if let Some(unknown) = in_braces.find(|name| !PLACEHOLDERS.contains(name)) {
        return Err(format!(
            "has {{{unknown}}} in it; there are {{{}}}",
            PLACEHOLDERS.join("}, {")
        ));
    }
    if !key.contains("{stem}") && !key.contains("{hash}") {
        return Err("needs {stem} or {hash}: else every picture has the same result".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(toml: &str) -> Result<String, String> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            resize: ResizeSettings,
            #[serde(default)]
            rendition: Vec<Rendition>,
        }
        let File { resize, rendition } = toml::from_str(toml).map_err(|error| error.to_string())?;
        renditions(&resize, &rendition)
    }

    #[test]
    fn without_renditions_there_is_one() {
        assert_eq!(
            read("").unwrap(),
            r#"[{"width":500,"fit":"inside","format":"jpeg","quality":80}]"#
        );
    }

    #[test]
    fn a_rendition_has_what_it_says_and_else_what_resize_says() {
        let json = read(
            "[resize]\nquality = 70\nformat = \"webp\"\n[[rendition]]\nname = \"small\"\nwidth = 200\n\
             [[rendition]]\nname = \"square\"\nwidth = 90\nheight = 90\nfit = \"cover\"\nposition = \"top\"\n\
             key = \"squares/{dir}{stem}.{ext}\"\n",
        );
        let renditions: Value = serde_json::from_str(&json.unwrap()).unwrap();
        assert_eq!(
            renditions,
            serde_json::json!([
                {"name": "small", "width": 200, "fit": "inside", "format": "webp", "quality": 70},
                {"name": "square", "width": 90, "height": 90, "fit": "cover", "position": "top", "format": "webp",
                 "quality": 70, "key": "squares/{dir}{stem}.{ext}"},
            ])
        );
    }

    #[test]
    fn what_the_function_would_refuse_is_refused() {
        let rendition = |more: &str| format!("[[rendition]]\nname = \"a\"\n{more}\n");
        for (toml, reason) in [
            (
                "[resize]\nwidth = 0".to_owned(),
                "resize.width is a number of pixels from 1 to 16383",
            ),
            ("[resize]\nfit = \"cover\"".to_owned(), "it needs a resize.height"),
            (rendition("widht = 5"), "rendition a: unknown field `widht`"),
            (
                rendition("quality = 0"),
                "rendition a.quality is a number from 1 to 100",
            ),
            (
                rendition("position = \"top\""),
                "rendition a.position says what fit",
            ),
            (
                rendition("background = \"white\""),
                "rendition a.background is a colour",
            ),
            (rendition("key = \"x.{ext}\""), "needs {stem} or {hash}"),
            (rendition("key = \"{stam}\""), "has {stam} in it"),
            (rendition("key = \"/{stem}\""), "begins with a slash"),
            (
                rendition("") + &rendition(""),
                "two renditions have the name \"a\"",
            ),
            (
                "[[rendition]]\nname = \"a_b\"".to_owned(),
                "letters, digits and dashes",
            ),
            ("[[rendition]]\nwidth = 5".to_owned(), "missing field `name`"),
            (
                ["a", "b"]
                    .map(|name| format!("[[rendition]]\nname = \"{name}\"\nkey = \"{{stem}}\"\n"))
                    .concat(),
                "would write over each other",
            ),
            (
                (0..60)
                    .map(|number| format!("[[rendition]]\nname = \"n{number}\"\n"))
                    .collect(),
                "Lambda's environment has room for 3072",
            ),
        ] {
            let message = read(&toml).unwrap_err();
            assert!(message.contains(reason), "{toml}: {message}");
        }
    }
}
