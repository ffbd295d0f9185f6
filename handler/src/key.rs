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
//! In the second row the extension stays in the name. Of `cat` and `cat.jpg`, and of `cat.png` and `cat.png.jpg`, just one
//! can be `cat_resized.jpg` and `cat.png_resized.jpg`; the third row is for the less usual of the two.

use sha2::{Digest, Sha256};

use crate::resize::OutputFormat;

/// S3's limit for a key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// Extensions that people give to images, with and without support here, lest support to come moves results.
const IMAGE_EXTENSIONS: [&str; 24] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "gif", "tif", "tiff", "bmp", "dib", "avif", "heic",
    "heif", "jxl", "jp2", "ico", "svg", "psd", "dng", "cr2", "nef", "raw",
];

/// The key under which the result of the source `key` is written; different keys give different results.
pub fn result_key(key: &str, format: OutputFormat) -> String {
    let extension = format.extension();
    let whole = match key
        .strip_suffix(extension)
        .and_then(|rest| rest.strip_suffix('.'))
    {
        Some(stem) if !keeps_its_extension(stem, extension) => format!("output/{stem}_resized.{extension}"),
        None if keeps_its_extension(key, extension) => format!("output/{key}_resized.{extension}"),
        _ => format!("output/{key}.resized.{extension}"),
    };
    if whole.len() <= LONGEST_KEY {
        whole
    } else {
        shortened(key, extension)
    }
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

fn shortened(key: &str, extension: &str) -> String {
    let hash: String = Sha256::digest(key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let ending = format!("_resized~{hash}.{extension}");
    let fits = key.floor_char_boundary(LONGEST_KEY - "output/".len() - ending.len());
    format!("output/{}{ending}", &key[..fits])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn jpeg(key: &str) -> String {
        result_key(key, OutputFormat::Jpeg)
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
            result_key("photo.png", OutputFormat::Png),
            "output/photo_resized.png"
        );
        assert_eq!(
            result_key("photo.jpg", OutputFormat::Png),
            "output/photo.jpg_resized.png"
        );
        assert_eq!(
            result_key("photo.jpg", OutputFormat::Webp),
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
            "a", ".jpg", ".png", ".webp", ".JPG", ".txt", ".", "/", "_resized", ".resized", "output/", "_",
            "~",
        ]);
        prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn different_keys_give_different_results(one in key(), two in key()) {
            for format in [OutputFormat::Jpeg, OutputFormat::Png, OutputFormat::Webp] {
                prop_assert_eq!(one == two, result_key(&one, format) == result_key(&two, format));
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
