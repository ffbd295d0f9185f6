//! How the function resizes: one result a picture, or several renditions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};
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
    /// 1 to 100, of JPEG, WebP and AVIF.
    #[serde(serialize_with = "quality_or_usual")]
    pub quality: Option<u32>,
    /// Of JPEG.
    #[serde(skip_serializing_if = "is_default")]
    pub progressive: bool,
    /// Whether a GIF stays one, with all its frames, where its format is kept.
    #[serde(skip_serializing_if = "is_default")]
    pub animated: bool,
}

/// The quality where none is asked for.
const USUAL_QUALITY: u32 = 80;

fn quality_or_usual<S: Serializer>(quality: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32(quality.unwrap_or(USUAL_QUALITY))
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
    Avif,
    Keep,
    Auto,
}

impl Format {
    /// As it is written in the configuration.
    fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::WebpLossless => "webp-lossless",
            Self::Avif => "avif",
            Self::Keep => "keep",
            Self::Auto => "auto",
        }
    }

    /// The extensions that a result may have, if all results are of one format.
    fn extensions(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Jpeg => Some(&["jpg", "jpeg"]),
            Self::Png => Some(&["png"]),
            Self::Webp | Self::WebpLossless => Some(&["webp"]),
            Self::Avif => Some(&["avif"]),
            Self::Keep | Self::Auto => None,
        }
    }

    fn has_quality(self) -> bool {
        !matches!(self, Self::Png | Self::WebpLossless)
    }

    fn may_be_jpeg(self) -> bool {
        matches!(self, Self::Jpeg | Self::Keep | Self::Auto)
    }
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
            quality: None,
            progressive: false,
            animated: false,
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

/// Extensions by which a key says which format the result is in.
const EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "avif", "gif"];

/// The longest that all renditions may be, in bytes of JSON: Lambda takes 4 KB of environment in all
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const JSON_MAX: usize = 3 * 1024;

/// What the function is to make of a picture.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As the function reads it from its environment.
    pub json: String,
    /// Whether any of it is AVIF.
    pub writes_avif: bool,
    /// What can be done, and may not be what is meant.
    pub doubts: Vec<String>,
}

/// The renditions that are asked for; without any, what `[resize]` asks for.
///
/// # Errors
/// What the function would refuse, and what says one thing and another.
pub fn renditions(resize: &ResizeSettings, renditions: &[Rendition]) -> Result<Wanted, String> {
    resize.validate("resize")?;
    if renditions.is_empty() {
        resize.check_format("resize", resize.quality.is_some(), resize.progressive)?;
    }
    let mut names = BTreeSet::new();
    let mut places = BTreeMap::new();
    let mut all = Vec::new();
    for rendition in renditions {
        if !names.insert(&rendition.name) {
            return Err(format!("two renditions have the name \"{}\"", rendition.name));
        }
        let whole = rendition.over(resize)?;
        if let Some(place) = rendition.place(&whole)
            && let Some(other) = places.insert(place, &rendition.name)
        {
            return Err(format!(
                "the renditions {other} and {} have the same key, and would write over each other",
                rendition.name
            ));
        }
        all.push(rendition.fields(&whole));
    }
    if all.is_empty() {
        all.push(resize.fields());
    }
    let avif = Value::from(Format::Avif.name());
    let writes_avif = all.iter().any(|fields| fields.get("format") == Some(&avif));
    let json = Value::from(all.into_iter().map(Value::Object).collect::<Vec<_>>()).to_string();
    if json.len() > JSON_MAX {
        return Err(format!(
            "the renditions take {} bytes, and Lambda's environment has room for {JSON_MAX}",
            json.len()
        ));
    }
    let doubts = renditions.iter().filter_map(Rendition::doubt).collect();
    Ok(Wanted {
        json,
        writes_avif,
        doubts,
    })
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
        if !(1..=100).contains(&self.quality.unwrap_or(USUAL_QUALITY)) {
            return Err(format!("{table}.quality is a number from 1 to 100"));
        }
        let is_colour = |colour: &String| {
            let digits = colour.strip_prefix('#').unwrap_or_default();
            digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        if !self.background.iter().all(is_colour) {
            return Err(format!("{table}.background is a colour as \"#ffffff\""));
        }
        if self.animated && self.format != Format::Keep {
            return Err(format!(
                "{table}.animated says that a GIF stays one: it needs format = \"keep\""
            ));
        }
        Ok(())
    }

    /// Refuses what is said of a format that no result is in.
    fn check_format(&self, table: &str, says_quality: bool, says_progressive: bool) -> Result<(), String> {
        let format = self.format.name();
        if says_quality && !self.format.has_quality() {
            return Err(format!(
                "{table}.quality is of JPEG, WebP and AVIF, and format = \"{format}\" loses nothing: leave one of them out"
            ));
        }
        if says_progressive && !self.format.may_be_jpeg() {
            return Err(format!(
                "{table}.progressive is of JPEG, and the format is \"{format}\": leave one of them out"
            ));
        }
        Ok(())
    }
}

impl Rendition {
    /// All settings, those of `resize` where this has none.
    fn over(&self, resize: &ResizeSettings) -> Result<ResizeSettings, String> {
        let Self { name, key, settings } = self;
        let can_be_in_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(can_be_in_name) {
            return Err("rendition.name has letters, digits and dashes, at most 64".to_owned());
        }
        let table = format!("rendition {name}");
        let mut fields = resize.fields();
        fields.extend(settings.clone());
        let mut whole = ResizeSettings::deserialize(Value::Object(fields))
            .map_err(|error| format!("{table}: {error}"))?;
        let says = |setting: &str| settings.contains_key(setting);
        // What `[resize]` says goes where it means something.
        if !says("animated") && whole.format != Format::Keep {
            whole.animated = false;
        }
        if !says("position") && whole.fit != Fit::Cover {
            whole.position = Position::default();
        }
        whole.validate(&table)?;
        whole.check_format(&table, says("quality"), says("progressive") && whole.progressive)?;
        key.as_deref()
            .map_or(Ok(()), |key| {
                validate_key(key).and_then(|()| check_extension(key, whole.format))
            })
            .map_err(|reason| format!("{table}.key {reason}"))?;
        Ok(whole)
    }

    fn fields(&self, whole: &ResizeSettings) -> Map<String, Value> {
        let mut fields = Map::from_iter([("name".to_owned(), self.name.as_str().into())]);
        if let Some(key) = &self.key {
            fields.insert("key".to_owned(), key.as_str().into());
        }
        fields.extend(whole.fields());
        fields
    }

    /// What results have in common with those that certainly have the same key; whether others have, the function sees at
    /// each picture.
    fn place(&self, whole: &ResizeSettings) -> Option<String> {
        let size = format!("{{{}x{:?} {:?}}}", whole.width, whole.height, whole.fit);
        let extension = whole.format.extensions().map(|extensions| extensions[0]);
        let place = self.key.as_ref()?.replace("{name}", &self.name);
        let place = place.replace("{ext}", extension.unwrap_or("{ext}"));
        Some(place.replace("{width}", &size).replace("{height}", &size))
    }

    /// Which pictures share a result by this key.
    fn doubt(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        let (which, example) = match (key.contains("{hash}"), key.contains("{dir}")) {
            (true, _) => return None,
            (false, false) => ("of one name in different folders", "a/cat.jpg and b/cat.jpg"),
            (false, true) => (
                "that differ in nothing but their extension",
                "cat.jpg and cat.png",
            ),
        };
        Some(format!(
            "rendition {}.key, \"{key}\", does not tell pictures {which}: of {example} the later result takes the other's \
             place; {{hash}} in the key tells them",
            self.name
        ))
    }
}

/// Refuses a key that ends as a result in another format does.
fn check_extension(key: &str, format: Format) -> Result<(), String> {
    let extension = key.rsplit_once('.').map(|(_, extension)| extension);
    let Some(extension) = extension.filter(|extension| EXTENSIONS.contains(extension)) else {
        return Ok(());
    };
    let format_name = format.name();
    match format.extensions() {
        Some(own) if own.contains(&extension) => Ok(()),
        Some(_) => Err(format!(
            "ends with .{extension}, and the format is \"{format_name}\": write .{{ext}}, or another format"
        )),
        None => Err(format!(
            "ends with .{extension}, and format = \"{format_name}\" gives results of several formats: write .{{ext}}"
        )),
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

    fn wanted(toml: &str) -> Result<Wanted, String> {
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

    fn read(toml: &str) -> Result<String, String> {
        wanted(toml).map(|wanted| wanted.json)
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
    fn that_a_result_is_avif_is_known() {
        let of_one = "[[rendition]]\nname = \"a\"\n[[rendition]]\nname = \"b\"\nformat = \"avif\"\n";
        for (toml, expected) in [
            ("", false),
            ("[resize]\nformat = \"avif\"", true),
            (of_one, true),
            // No result is as this says.
            (
                "[resize]\nformat = \"avif\"\n[[rendition]]\nname = \"a\"\nformat = \"auto\"",
                false,
            ),
        ] {
            assert_eq!(wanted(toml).unwrap().writes_avif, expected, "{toml}");
        }
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
                "the renditions a and b have the same key, and would write over each other",
            ),
            (
                "[[rendition]]\nname = \"a\"\nkey = \"{stem}-{name}.{ext}\"\n\
                 [[rendition]]\nname = \"b\"\nwidth = 5\nkey = \"{stem}-a.jpg\"\n"
                    .to_owned(),
                "the renditions a and b have the same key",
            ),
            (
                ["a", "b"]
                    .map(|name| format!("[[rendition]]\nname = \"{name}\"\nkey = \"{{stem}}-{{width}}\"\n"))
                    .concat(),
                "the renditions a and b have the same key",
            ),
            (
                rendition("key = \"{stem}.jpg\"\nformat = \"png\""),
                "rendition a.key ends with .jpg, and the format is \"png\": write .{ext}, or another format",
            ),
            (
                rendition("key = \"{stem}.jpg\"\nformat = \"auto\""),
                "format = \"auto\" gives results of several formats: write .{ext}",
            ),
            (
                "[resize]\nformat = \"png\"\nquality = 70".to_owned(),
                "resize.quality is of JPEG, WebP and AVIF, and format = \"png\" loses nothing: leave one of them out",
            ),
            (
                rendition("format = \"webp-lossless\"\nquality = 70"),
                "rendition a.quality is of JPEG, WebP and AVIF",
            ),
            (
                "[resize]\nformat = \"webp\"\nprogressive = true".to_owned(),
                "resize.progressive is of JPEG, and the format is \"webp\": leave one of them out",
            ),
            (
                "[resize]\nanimated = true".to_owned(),
                "resize.animated says that a GIF stays one: it needs format = \"keep\"",
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

    #[test]
    fn what_resize_says_of_one_format_does_not_hinder_another() {
        let json = read(
            "[resize]\nquality = 70\nprogressive = true\n[[rendition]]\nname = \"a\"\nformat = \"png\"\n\
             [[rendition]]\nname = \"b\"\nkey = \"{stem}-{hash}.jpeg\"\n",
        );
        assert!(json.is_ok(), "{json:?}");
        let kept = read("[resize]\nformat = \"keep\"\nanimated = true").unwrap();
        assert!(kept.contains("\"animated\":true"), "{kept}");
        let still = read(
            "[resize]\nformat = \"keep\"\nanimated = true\nheight = 9\nfit = \"cover\"\nposition = \"top\"\n\
             [[rendition]]\nname = \"a\"\nformat = \"jpeg\"\nfit = \"fill\"\n",
        );
        assert!(!still.clone().unwrap().contains("animated"), "{still:?}");
    }

    #[test]
    fn a_key_that_several_pictures_share_is_told() {
        let doubts = |key: &str| {
            let toml = format!("[[rendition]]\nname = \"a\"\nkey = \"{key}\"\n");
            wanted(&toml).unwrap().doubts
        };
        assert_eq!(doubts("{dir}{stem}-{hash}.{ext}"), Vec::<String>::new());
        assert_eq!(
            doubts("{stem}.{ext}"),
            [
                "rendition a.key, \"{stem}.{ext}\", does not tell pictures of one name in different folders: of a/cat.jpg and \
              b/cat.jpg the later result takes the other's place; {hash} in the key tells them"
            ]
        );
        assert!(
            doubts("{dir}{stem}.{ext}")[0]
                .contains("cat.jpg and cat.png the later result takes the other's place")
        );
        assert_eq!(wanted("").unwrap().doubts, Vec::<String>::new());
    }
}
