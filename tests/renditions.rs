//! Several results of one picture, where the configuration asks for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::browser::{Scheme, chromium, look};
use common::{Place, corpus, sample};
use image::{Rgb, RgbImage};
use serde_json::json;
use sha2::{Digest, Sha256};

const THREE: &str = r##"
[resize]
format = "webp"
[results]
cache_control = "max-age=31536000, immutable"
[[rendition]]
name = "large"
width = 600
[[rendition]]
name = "square"
width = 100
height = 100
fit = "cover"
position = "top"
format = "jpeg"
key = "squares/{dir}{stem}-{width}.{ext}"
[[rendition]]
name = "small"
width = 200
"##;

#[tokio::test(flavor = "multi_thread")]
async fn one_picture_becomes_each_rendition_that_is_asked_for() {
    let place = Place::new();
    fs::write(place.path().join("resizer.toml"), THREE).unwrap();
    place.resizer(&["up", "--local"]).ok();
    let rocket = sample("rocket.jpg");
    let rocket = rocket.to_str().unwrap();
    let told = place.json(&[
        "invoke",
        "--local",
        "--key",
        "in/a.jpg",
        "--file",
        rocket,
        "--download",
        "small",
    ]);
    let renditions = told["output"]["renditions"].as_array().unwrap();
    let shown: Vec<_> = renditions
        .iter()
        .map(|made| json!([made["name"], made["destKey"], made["width"], made["height"]]))
        .collect();
    assert_eq!(
        shown,
        [
            json!(["large", "output/in/a.jpg_large.webp", 600, 400]),
            json!(["square", "squares/in/a-100.jpg", 100, 100]),
            json!(["small", "output/in/a.jpg_small.webp", 200, 133]),
        ]
    );
    assert_eq!(told["output"]["destKey"], "output/in/a.jpg_large.webp");
    assert_eq!(
        told["downloaded"],
        json!([
            "small/in/a.jpg_large.webp",
            "small/squares/in/a-100.jpg",
            "small/in/a.jpg_small.webp"
        ])
    );
    let square = image::open(place.path().join("small/squares/in/a-100.jpg")).unwrap();
    assert_eq!((square.width(), square.height()), (100, 100));

    let outputs = place.outputs();
    let resized = outputs["resized_bucket"].as_str().unwrap();
    let head = place
        .s3()
        .head_object()
        .bucket(resized)
        .key("squares/in/a-100.jpg");
    let head = head.send().await.unwrap();
    assert_eq!(head.content_type(), Some("image/jpeg"));
    assert_eq!(head.cache_control(), Some("max-age=31536000, immutable"));
    let metadata = head.metadata().unwrap();
    assert_eq!(metadata["source-key"], "in/a.jpg");
    assert_eq!(metadata["resizer-settings"].len(), 16);

    let screen = place.resizer(&["status", "--local"]).ok().stdout;
    assert!(screen.contains("output/in/a.jpg_large.webp +2"), "{screen}");
}

/// The zip that the stack's function was made of.
async fn code_of_the_function(place: &Place) -> PathBuf {
    let lambda = aws_sdk_lambda::Client::new(&place.sdk_config());
    let name = place.outputs()["function_name"].as_str().unwrap().to_owned();
    let function = lambda.get_function_configuration().function_name(name);
    let sha256 = function.send().await.unwrap().code_sha256.unwrap();
    let is_it =
        |zip: &PathBuf| aws_smithy_types::base64::encode(Sha256::digest(fs::read(zip).unwrap())) == sha256;
    Place::built_zips().find(is_it).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_avif_is_written_where_it_is_asked_for() {
    let place = Place::new();
    let configure = |text: &str| fs::write(place.path().join("resizer.toml"), text).unwrap();
    configure("[resize]\nwidth = 200\n");
    place.resizer(&["up", "--local"]).ok();
    let without = code_of_the_function(&place).await;
    configure("[resize]\nwidth = 200\nformat = \"avif\"\n");
    let refused = place.resizer(&["up", "--local", "--handler-zip", without.to_str().unwrap()]);
    let refused = refused.code(1).stderr;
    assert!(
        refused.contains("asks for AVIF, and its function was built without the encoder"),
        "{refused}"
    );
    place.resizer(&["up", "--local"]).ok();
    let red_and_blue = RgbImage::from_fn(400, 300, |x, _| {
        Rgb(if x < 200 { [255, 0, 0] } else { [0, 0, 255] })
    });
    red_and_blue.save(place.path().join("halves.png")).unwrap();
    let invoke = ["invoke", "--local", "--file", "halves.png", "--download", "small"];
    let told = place.json(&invoke);
    assert_eq!(told["downloaded"], json!(["small/halves.png_resized.avif"]));
    let avif = fs::read(place.path().join("small/halves.png_resized.avif")).unwrap();
    assert_eq!(&avif[4..12], b"ftypavif");

    // What is not asked for any more goes with its encoder, and no picture comes between.
    configure("[resize]\nwidth = 200\n");
    let up = place.resizer(&["up", "--local", "-v"]).ok().stderr;
    let first = |call: &str| up.find(call).unwrap_or_else(|| panic!("no {call}: {up}"));
    assert!(
        first("UpdateFunctionConfiguration") < first("UpdateFunctionCode"),
        "{up}"
    );
    let told = place.json(&invoke);
    assert_eq!(told["downloaded"], json!(["small/halves.png_resized.jpg"]));

    let Some(chromium) = chromium() else {
        return;
    };
    let page = format!(
        "<img src=\"data:image/avif;base64,{}\">",
        aws_smithy_types::base64::encode(&avif)
    );
    let colours = "frame => {
        const [image] = frame.document.images;
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext('2d');
        canvas.drawImage(image, 0, 0);
        const at = x => [...canvas.getImageData(x, 75, 1, 1).data];
        return [image.naturalWidth, image.naturalHeight, at(50), at(150)];
    }";
    let seen = look(&chromium, &place, &page, &[400], Scheme::Light, colours);
    let near = |seen: &serde_json::Value, expected: [i64; 4]| {
        let differences = expected.iter().enumerate();
        differences
            .map(|(n, wanted)| (seen[n].as_i64().unwrap() - wanted).abs())
            .max()
            < Some(8)
    };
    let [width, height, left, right] = [0, 1, 2, 3].map(|n| &seen[0][n]);
    assert_eq!((width, height), (&json!(200), &json!(150)));
    assert!(
        near(left, [255, 0, 0, 255]) && near(right, [0, 0, 255, 255]),
        "{seen}"
    );
}

#[test]
fn two_renditions_of_one_picture_share_a_key_if_they_are_the_same() {
    let place = Place::new();
    let configure = |rest: &str| {
        let by_width = "[[rendition]]\nname = \"a\"\nkey = \"{stem}-{width}.{ext}\"\n\
                        [[rendition]]\nname = \"b\"\nkey = \"{stem}-{width}.{ext}\"\nwidth = 5000\n";
        fs::write(place.path().join("resizer.toml"), format!("{by_width}{rest}")).unwrap();
        place.resizer(&["up", "--local"]).ok();
    };
    configure("");
    let invoke = |key: &str, name: &str| {
        let file = sample(name);
        place.resizer(&[
            "invoke",
            "--local",
            "--key",
            key,
            "--file",
            file.to_str().unwrap(),
        ])
    };
    invoke("a.jpg", "rocket.jpg").ok();
    // It is smaller than both.
    invoke("b.jpg", "chelsea.jpg").ok();
    let told = place.json(&["invoke", "--local", "--key", "b.jpg"]);
    let keys = [0, 1].map(|number| &told["output"]["renditions"][number]["destKey"]);
    assert_eq!(keys, ["b-451.jpg", "b-451.jpg"]);

    configure("quality = 30\n");
    let refused = invoke("b.jpg", "chelsea.jpg").code(1);
    refused.says("two renditions, a and b, would have the same result, b-451.jpg");
    let long = format!("{}.jpg", "x".repeat(1020));
    invoke(&long, "rocket.jpg")
        .code(1)
        .says("the key of rendition a would have 1028 bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_comes_back_as_a_source_is_not_resized_again() {
    let place = Place::with_stack();
    let outputs = place.outputs();
    let [original, resized] =
        ["original_bucket", "resized_bucket"].map(|name| outputs[name].as_str().unwrap());
    let rocket = sample("rocket.jpg");
    place.json(&[
        "invoke",
        "--local",
        "--key",
        "a.jpg",
        "--file",
        rocket.to_str().unwrap(),
    ]);
    let copy = place.s3().copy_object().bucket(original).key("back.jpg");
    copy.copy_source(format!("{resized}/output/a_resized.jpg"))
        .send()
        .await
        .unwrap();
    place
        .resizer(&["invoke", "--local", "--key", "back.jpg"])
        .code(1)
        .says("the object is a result itself, of the source \"a.jpg\": it is not resized again");
}

#[test]
fn a_rendition_that_the_function_would_refuse_is_refused_before_anything_is_made() {
    let place = Place::new();
    fs::write(
        place.path().join("resizer.toml"),
        "[[rendition]]\nname = \"a\"\nkey = \"a.{ext}\"\n",
    )
    .unwrap();
    let refused = place.resizer(&["up", "--local"]).code(2);
    refused.says("the configuration in resizer.toml is refused: rendition a.key needs {stem} or {hash}");
    assert!(!place.path().join(".resizer").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gif_stays_an_animation_where_that_is_asked_for() {
    let place = Place::new();
    let kept = "[resize]\nwidth = 120\nformat = \"keep\"\nanimated = true\n[limits]\nframes = 100\n";
    fs::write(place.path().join("resizer.toml"), kept).unwrap();
    place.resizer(&["up", "--local"]).ok();
    let file = corpus("animated.gif");
    let told = place.json(&[
        "invoke",
        "--local",
        "--key",
        "a.gif",
        "--file",
        file.to_str().unwrap(),
    ]);
    assert_eq!(told["output"]["destKey"], "output/a_resized.gif");
    assert_eq!(told["output"]["width"], 120);
    let outputs = place.outputs();
    let resized = outputs["resized_bucket"].as_str().unwrap();
    let result = place
        .s3()
        .get_object()
        .bucket(resized)
        .key("output/a_resized.gif");
    let result = result.send().await.unwrap();
    assert_eq!(result.content_type(), Some("image/gif"));
    let bytes = result.body.collect().await.unwrap().into_bytes();
    assert!(bytes.starts_with(b"GIF89a"));

    fs::write(place.path().join("resizer.toml"), kept.replace("100", "1")).unwrap();
    place.resizer(&["up", "--local"]).ok();
    place
        .invoke(&file, "a.gif")
        .code(1)
        .says("the limit of 1 for one (limits.frames)");
}

#[test]
fn a_key_that_pictures_share_is_told_before_it_is_used() {
    let place = Place::new();
    fs::write(
        place.path().join("resizer.toml"),
        "[[rendition]]\nname = \"a\"\nkey = \"small/{stem}.{ext}\"\n",
    )
    .unwrap();
    for args in [&["plan", "--local"][..], &["up", "--local"]] {
        place
            .resizer(args)
            .ok()
            .says("does not tell pictures of one name in different folders");
    }
}
