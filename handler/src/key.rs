//! Where the result of a source is written.
//!
//! Two different sources never share a result, so every key falls into one of four classes, told apart by how the
//! result's key ends. For JPEG results:
//!
//! | source | result |
//! | --- | --- |
//! | `a/cat.jpg` | `output/a/cat_resized.jpg` |
//! | `a/cat.png`, and every other image extension | `output/a/cat.png_resized.jpg` |
//! | anything else: `cat`, `cat.txt`, and `cat.png.jpg`, whose place the row above has | `output/cat.png.jpg.resized.jpg` |
//! | a key whose result's key would be over S3's 1,024 bytes | `output/<as much as fits>_resized~<SHA-256 of the source key>.jpg` |
//!
//! A rendition that has a name has it in the place of `resized`; names have no `_`, `.` or `~`, so that the row still tells.
//! With a template, whoever wrote it says where results go.
//!
//! In the second row the extension stays in the name. Of `cat` and `cat.jpg`, and of `cat.png` and `cat.png.jpg`, just one
//! can be `cat_resized.jpg` and `cat.png_resized.jpg`; the third row is for the less usual of the two.

use sha2::{Digest, Sha256};

use crate::resize::{FileFormat, Size};

/// S3's limit for a key, in bytes of UTF-8.
pub const LONGEST_KEY: usize = 1024;

/// Extensions that people give to images, with and without support here, lest support to come moves results.
const IMAGE_EXTENSIONS: [&str; 24] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "gif", "tif", "tiff", "bmp", "dib", "avif", "heic",
    "heif", "jxl", "jp2", "ico", "svg", "psd", "dng", "cr2", "nef", "raw",
];

/// What a template may hold, and what stands for it in a key.
const PLACEHOLDERS: [&str; 7] = ["dir", "stem", "name", "width", "height", "ext", "hash"];

/// The name of a rendition that was given none.
const UNNAMED: &str = "resized";

/// Where the results of a rendition are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultKey {
    /// What tells the rendition's results from another's.
    name: String,
    template: Option<Vec<Piece>>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// One of [`PLACEHOLDERS`].
    Placeholder(&'static str),
}

/// Why a rendition cannot be stored as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the name {0:?}; a name has letters, digits and dashes, at most 64")]
    Name(String),
    #[error(
        "the placeholder {{{0}}} in a key; there are {{dir}}, {{stem}}, {{name}}, {{width}}, {{height}}, {{ext}} and {{hash}}"
    )]
    Placeholder(String),
    #[error("a key without {{stem}} or {{hash}}: every source would have the same result")]
    NotTold,
    #[error("a key that begins with a slash or has \"..\" in it")]
    Path,
}

impl Default for ResultKey {
    fn default() -> Self {
        Self {
            name: UNNAMED.to_owned(),
            template: None,
        }
    }
}

impl ResultKey {
    /// For a rendition of that name, in the place that `template` says.
    ///
    /// # Errors
    /// A [`KeyError`] for a name or template that cannot be used.
    pub fn new(name: Option<String>, template: Option<String>) -> Result<Self, KeyError> {
        let name = name.unwrap_or_else(|| UNNAMED.to_owned());
        let can_be_in_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(can_be_in_one) {
            return Err(KeyError::Name(name));
        }
        let template = template.map(|template| pieces(&template)).transpose()?;
        Ok(Self { name, template })
    }

    /// The rendition's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key under which the result of the source `key` is stored. Without a template, different sources and names
    /// give different results.
    pub fn of(&self, key: &str, format: FileFormat, size: Size) -> String {
        let extension = format.extension();
        let Some(template) = &self.template else {
            return self.beside_others(key, extension);
        };
        let (dir, file) = key.split_at(key.rfind('/').map_or(0, |slash| slash + 1));
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let value = |placeholder: &str| match placeholder {
            "dir" => dir.to_owned(),
            "stem" => stem.to_owned(),
            "name" => self.name.clone(),
            "width" => size.width.to_string(),
            "height" => size.height.to_string(),
            "ext" => extension.to_owned(),
            _ => hash(key)[..16].to_owned(),
        };
        let pieces = template.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(placeholder) => value(placeholder),
        });
        pieces.collect()
    }

    fn beside_others(&self, key: &str, extension: &str) -> String {
        let name = &self.name;
        let whole = match key
            .strip_suffix(extension)
            .and_then(|rest| rest.strip_suffix('.'))
        {
            Some(stem) if !keeps_its_extension(stem, extension) => {
                format!("output/{stem}_{name}.{extension}")
            }
            None if keeps_its_extension(key, extension) => format!("output/{key}_{name}.{extension}"),
            _ => format!("output/{key}.{name}.{extension}"),
        };
        if whole.len() <= LONGEST_KEY {
            return whole;
        }
        let ending = format!("_{name}~{}.{extension}", hash(key));
        let fits = key.floor_char_boundary(LONGEST_KEY - "output/".len() - ending.len());
        format!("output/{}{ending}", &key[..fits])
    }
}

/// The pieces of a template: text, and placeholders in braces.
fn pieces(template: &str) -> Result<Vec<Piece>, KeyError> {
    if template.starts_with('/') || template.contains("..") {
        return Err(KeyError::Path);
    }
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((text, opened)) = rest.split_once('{') {
        let Some((name, after)) = opened.split_once('}') else {
            return Err(KeyError::Placeholder(opened.to_owned()));
        };
        let known = PLACEHOLDERS.into_iter().find(|known| *known == name);
        pieces.push(Piece::Text(text.to_owned()));
        pieces.push(Piece::Placeholder(
            known.ok_or_else(|| KeyError::Placeholder(name.to_owned()))?,
        ));
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    let tells_sources_apart = |piece: &Piece| matches!(piece, Piece::Placeholder("stem" | "hash"));
    if !pieces.iter().any(tells_sources_apart) {
        return Err(KeyError::NotTold);
    }
    Ok(pieces)
}

/// Whether a source of that key gets its result under its whole name: it has the extension of an image in another
/// format than the result's. (`.JPG` is another than `.jpg`, as S3 takes them for different keys.)
fn keeps_its_extension(key: &str, result_extension: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| {
        extension != result_extension && IMAGE_EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
    })
}

/// SHA-256, in hexadecimal.
pub fn hash(key: &str) -> String {
    Sha256::digest(key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const SIZE: Size = Size {
        width: 50,
        height: 40,
    };

    fn result_key(key: &str, format: FileFormat) -> String {
        ResultKey::default().of(key, format, SIZE)
    }

    fn jpeg(key: &str) -> String {
        result_key(key, FileFormat::Jpeg)
    }

    fn templated(template: &str, key: &str) -> String {
        let named = ResultKey::new(Some("thumb".to_owned()), Some(template.to_owned())).unwrap();
        named.of(key, FileFormat::Webp, SIZE)
    }

    #[test]
    fn a_name_stands_in_the_place_of_resized() {
        let named = ResultKey::new(Some("thumb".to_owned()), None).unwrap();
        let key = |key| named.of(key, FileFormat::Jpeg, SIZE);
        assert_eq!(key("a/cat.jpg"), "output/a/cat_thumb.jpg");
        assert_eq!(key("a/cat.png"), "output/a/cat.png_thumb.jpg");
        assert_eq!(key("cat"), "output/cat.thumb.jpg");
    }

    #[test]
    fn a_template_says_where_results_go() {
        let hash = &hash("a/b/cat.v2.png")[..16];
        assert_eq!(
            templated(
                "{name}/{dir}{stem}-{width}x{height}-{hash}.{ext}",
                "a/b/cat.v2.png"
            ),
            format!("thumb/a/b/cat.v2-50x40-{hash}.webp")
        );
        assert_eq!(templated("{dir}{stem}.{ext}", "cat"), "cat.webp");
        assert_eq!(templated("{dir}{stem}.{ext}", "a.b/.hidden"), "a.b/.webp");
    }

    #[test]
    fn a_template_that_cannot_work_is_refused() {
        let refused = |name: &str, template: &str| {
            ResultKey::new(Some(name.to_owned()), Some(template.to_owned())).unwrap_err()
        };
        assert_eq!(refused("a", "{dir}x.{ext}"), KeyError::NotTold);
        assert_eq!(refused("a", "{stem}{size}"), KeyError::Placeholder("size".into()));
        assert_eq!(refused("a", "{stem}{ext"), KeyError::Placeholder("ext".into()));
        assert_eq!(refused("a", "/{stem}"), KeyError::Path);
        assert_eq!(refused("a", "../{stem}"), KeyError::Path);
        assert_eq!(refused("a_b", "{stem}"), KeyError::Name("a_b".into()));
        assert_eq!(refused("", "{stem}"), KeyError::Name(String::new()));
    }

    #[test]
    fn a_jpg_loses_its_extension_and_other_images_keep_theirs() {
        assert_eq!(jpeg("cat.jpg"), "output/cat_resized.jpg");
        assert_eq!(jpeg("a/b c/cat.v2.jpg"), "output/a/b c/cat.v2_resized.jpg");
        assert_eq!(jpeg("cat.png"), "output/cat.png_resized.jpg");
        assert_eq!(jpeg("cat.jpeg"), "output/cat.jpeg_resized.jpg");
        assert_eq!(jpeg("cat.JPG"), "output/cat.JPG_resized.jpg");
        assert_eq!(jpeg(".jpg"), "output/_resized.jpg");
        assert_eq!(jpeg("a/.jpg"), "output/a/_resized.jpg");
        assert_eq!(jpeg("cat.jpg.jpg"), "output/cat.jpg_resized.jpg");
    }

    #[test]
    fn what_would_take_anothers_place_gets_its_own() {
        assert_eq!(jpeg("cat"), "output/cat.resized.jpg");
        assert_eq!(jpeg("cat.txt"), "output/cat.txt.resized.jpg");
        assert_eq!(jpeg("cat.png.jpg"), "output/cat.png.jpg.resized.jpg");
        assert_eq!(jpeg("folder/"), "output/folder/.resized.jpg");
        assert_eq!(jpeg("a.png/cat"), "output/a.png/cat.resized.jpg");
    }

    #[test]
    fn the_extension_follows_the_format() {
        assert_eq!(
            result_key("photo.png", FileFormat::Png),
            "output/photo_resized.png"
        );
        assert_eq!(
            result_key("photo.jpg", FileFormat::Png),
            "output/photo.jpg_resized.png"
        );
        assert_eq!(
            result_key("photo.jpg", FileFormat::Webp),
            "output/photo.jpg_resized.webp"
        );
    }

    #[test]
    fn the_longest_keys_are_shortened_and_stay_apart() {
        let longest = |last: &str| format!("{}{last}.jpg", "山".repeat(339));
        let (one, two) = (jpeg(&longest("aaa")), jpeg(&longest("bbb")));
        assert_eq!(longest("aaa").len(), 1024);
        assert!(one.len() <= 1024 && one.ends_with(".jpg"), "{one}");
        assert_ne!(one, two);
        assert_eq!(one, jpeg(&longest("aaa")));
        let just_fits = format!("{}.jpg", "x".repeat(1024 - "output/_resized.jpg".len()));
        assert!(jpeg(&just_fits).ends_with("x_resized.jpg"));
        assert_eq!(jpeg(&just_fits).len(), 1024);
    }

    /// Keys made of the pieces that results are made of, so that collisions are likely if they are possible.
    fn key() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a", ".jpg", ".png", ".webp", ".gif", ".JPG", ".txt", ".", "/", "_resized", ".resized",
            "output/", "_", "~",
        ]);
        prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn different_keys_give_different_results(one in key(), two in key()) {
            for format in [FileFormat::Jpeg, FileFormat::Png, FileFormat::Webp, FileFormat::Avif, FileFormat::Gif] {
                prop_assert_eq!(one == two, result_key(&one, format) == result_key(&two, format));
                let named = ResultKey::new(Some("thumb-2".to_owned()), None).unwrap();
                prop_assert_ne!(named.of(&one, format, SIZE), result_key(&two, format));
            }
        }

        #[test]
        fn a_key_and_its_neighbours_give_different_results(key in "[a-z./]{0,6}(\\.[a-zA-Z]{1,4})?") {
            let neighbours =
                ["", ".jpg", ".png", "_resized", "_resized.jpg", ".resized", ".jpg.jpg", ".png.jpg", "/", "."];
            let mut results: Vec<_> =
                neighbours.iter().map(|more| jpeg(&format!("{key}{more}"))).collect();
            results.sort();
            results.dedup();
            prop_assert_eq!(results.len(), neighbours.len());
        }

        #[test]
        fn a_result_is_a_key_that_s3_takes(key in "\\PC{1,300}") {
            prop_assume!(key.len() <= LONGEST_KEY);
            prop_assert!(jpeg(&key).len() <= LONGEST_KEY);
        }
    }
}
