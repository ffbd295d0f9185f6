//! `resizer report`: the status as a page, looked at in a browser where there is one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_s3::primitives::ByteStream;
use common::browser::{Scheme, chromium, look};
use common::{Place, corpus, sample};
use serde_json::{Value, json};

/// A legal key that would be a program, if it were not text.
const EVIL: &str = "\"><script>alert(1)</script>.jpg";
const ORIGINALS: &str = "resizer-original-000000000000-us-east-1";

fn page(place: &Place) -> String {
    std::fs::read_to_string(place.path().join("resizer-report.html")).unwrap()
}

/// What follows `before`, up to `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in the page"));
    rest.split_once(after).unwrap().0
}

async fn put(place: &Place, key: &str, content: Vec<u8>) {
    let put = place.s3().put_object().bucket(ORIGINALS).key(key);
    put.body(ByteStream::from(content)).send().await.unwrap();
}

/// Pictures of all kinds, one that is none, which sets off an alarm, and a stack that is not as it should be.
fn at_work() -> Place {
    let place = Place::new();
    let alarms = "[alarms]\nemail = \"ops@example.org\"\n";
    let configure = |text: &str| std::fs::write(place.path().join("resizer.toml"), text).unwrap();
    configure(alarms);
    place.resizer(&["up", "--local"]).ok();
    for (file, key) in [
        (corpus("lossy.webp"), "lossy.webp"),
        (corpus("photo.tif"), "photo.tif"),
        (corpus("exif-6.jpg"), "exif-6.jpg"),
        (sample("chelsea.jpg"), EVIL),
        (corpus("rgba.png"), "rgba.png"),
        (sample("photo-12mp.jpg"), "album/photo-12mp.jpg"),
        (corpus("bad-html.png"), "bad-html.png"),
    ] {
        place.invoke(&file, key);
    }
    configure(&format!("[function]\nmemory = 512\n{alarms}"));
    place
}

#[test]
fn a_stack_at_work_is_a_page_that_a_browser_shows() {
    let place = at_work();
    let ended = place.resizer(&["report", "--local"]).ok();
    assert_eq!(ended.stdout, "");
    assert!(
        ended.stderr.starts_with("The report is in resizer-report.html ("),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("not shown"), "{}", ended.stderr);
    let page = page(&place);
    it_needs_nothing_from_elsewhere(&page);
    it_says_what_status_says(&page);

    let Some(chromium) = chromium() else {
        return;
    };
    for (scheme, ground) in [(Scheme::Light, [255, 255, 255]), (Scheme::Dark, [13, 17, 23])] {
        let looks = look(
            &chromium,
            &place,
            &page,
            &[360, 1280],
            scheme,
            include_str!("look.js"),
        );
        assert_eq!(looks.as_array().map(Vec::len), Some(2), "{looks}");
        for looked in looks.as_array().unwrap() {
            assert_eq!(looked["ground"], json!(ground), "{scheme:?}");
            it_is_as_it_should_be(looked);
        }
    }
}

fn it_needs_nothing_from_elsewhere(page: &str) {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    assert!(page.contains(&format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">"
    )));
    assert!(!page.contains("<script"), "a key is text");
    assert!(!page.contains("url(") || page.matches("url(").count() == page.matches("url(#tip)").count());
    for attribute in ["src=\"", "href=\""] {
        for address in page.split(attribute).skip(1) {
            assert!(address.starts_with("data:"), "{}", &address[..60]);
        }
    }
}

fn it_says_what_status_says(page: &str) {
    assert!(
        page.contains("Resources: 16 of 17 there and right; <code>resizer up --local</code> mends the rest")
    );
    let alarms = "<p class=\"verdict bad\">Alarms: ALARM resizer.executions-failed; 2 OK<br>a local cloud sends no mail";
    assert!(
        page.contains(alarms),
        "{}",
        between(page, "<header>", "</header>")
    );
    assert!(page.contains("<span>Dashboard resizer-us-east-1</span>"));
    assert!(page.contains("<li>memory: 1769 → 512</li>"));
    assert!(page.contains(">differs</span>"));
    let executions = between(page, "Newest executions", "</section>");
    assert_eq!(
        executions.matches("<tr role=\"row\"><td").count(),
        7,
        "each execution"
    );
    assert!(
        executions.contains("not an image that can be read here"),
        "the reason"
    );
    assert!(
        executions.contains("→ output/album/photo-12mp_resized.jpg"),
        "the result's key"
    );
    let tif = between(page, "photo.tif</h3>", "</article>");
    assert!(tif.contains("788 kB"), "its size");
    assert_eq!(
        tif.matches("src=\"data:image/jpeg").count(),
        2,
        "a thumbnail, which no browser could make"
    );
    assert_eq!(page.matches("src=\"data:image/").count(), 12, "six pairs");
}

fn it_is_as_it_should_be(looked: &Value) {
    assert_eq!(looked["ran"], false, "nothing may run there");
    assert_eq!((&looked["scripts"], &looked["handlers"]), (&json!(0), &json!(0)));
    assert_eq!(looked["fetched"], json!([]));
    assert_eq!(
        (&looked["overflows"], &looked["outside"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(looked["faint"], json!([]), "text to be read");
    assert_eq!(
        (&looked["crowded"], &looked["cut"]),
        (&json!([]), &json!([])),
        "text where there is room"
    );
    let headings = looked["headings"].as_array().unwrap();
    assert!(headings.contains(&json!(EVIL)), "{headings:?}");
    let charts = looked["charts"].as_array().unwrap();
    let executions = charts[0].as_str().unwrap();
    assert_eq!(charts.len(), 6, "{charts:?}");
    assert!(
        executions.ends_with("started 7, succeeded 6, failed 1, timed out 0, aborted 0 in all"),
        "{executions}"
    );
    let images = looked["images"].as_array().unwrap();
    assert_eq!(images.len(), 12, "{images:?}");
    for image in images {
        assert_eq!(
            (&image["decoded"], &image["framed"]),
            (&json!(true), &json!(true)),
            "{image}"
        );
        // Upright, as the browser shows it too: what it says beforehand is what comes.
        let ratio = |sides: &Value, first: usize| {
            let [width, height] = [first, first + 1].map(|side| sides[side].as_f64().unwrap());
            (width / height * 100.0).round()
        };
        assert_eq!(ratio(&image["natural"], 0), ratio(&image["said"], 1), "{image}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_has_no_room_for_is_told_in_words() {
    let place = Place::with_stack();
    for key in ["gone.jpg", "other.jpg"] {
        place.invoke(&sample("rocket.jpg"), key);
    }
    // What stands behind a photograph's end nobody looks at.
    let photograph = |length: usize| {
        let mut photograph = std::fs::read(sample("rocket.jpg")).unwrap();
        photograph.resize(length, 0);
        let file = place.path().join("photograph");
        std::fs::write(&file, photograph).unwrap();
        file
    };
    for key in ["a.jpg", "b.jpg", "c.jpg", "d.jpg"] {
        place.invoke(&photograph(30_000_000), key);
    }
    let s3 = place.s3();
    s3.delete_object()
        .bucket(ORIGINALS)
        .key("gone.jpg")
        .send()
        .await
        .unwrap();
    put(&place, "other.jpg", b"no picture".to_vec()).await;
    let document = place.json(&["report", "--local", "--limit", "9", "--pictures", "6"]);
    let pictures = document["pictures"].as_array().unwrap();
    let why: Vec<_> = pictures
        .iter()
        .map(|pair| {
            (
                pair["before"]["key"].as_str().unwrap(),
                pair["before"]["not_shown"].as_str(),
            )
        })
        .collect();
    let used_up = "a report reads 100.0 MB of pictures, which are used up";
    assert_eq!(
        why,
        [
            ("d.jpg", None),
            ("c.jpg", None),
            ("b.jpg", None),
            ("a.jpg", Some(used_up)),
            ("other.jpg", Some("another has taken its place since")),
            ("gone.jpg", Some("it is gone")),
        ]
    );
    assert!(
        pictures.iter().all(|pair| pair["after"]["not_shown"].is_null()),
        "the results are small"
    );
    let page = page(&place);
    assert!(page.contains(&format!(
        "<code>s3://{ORIGINALS}/a.jpg</code> is not shown: {used_up}"
    )));
    assert_eq!(document["bytes"], page.len(), "{document}");
    assert!(
        page.len() < 500_000,
        "of large files there are thumbnails: {}",
        page.len()
    );
    assert_eq!(document["alarms"]["states"], json!([]));
    assert!(!page.contains("Alarms:"), "there are none");
}

#[test]
fn a_new_stack_has_a_page_too_and_it_can_go_to_standard_output() {
    let place = Place::with_stack();
    let printed = place.resizer(&["report", "--local", "--html", "-"]).ok();
    assert_eq!(printed.stderr, "");
    let page = printed.stdout;
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for words in [
        "Resources: all 13 there and right",
        "Nothing is counted yet",
        "None yet; <code>resizer invoke --local --file PATH</code> runs the pipeline.",
        "None of the executions listed here wrote one.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(page.matches("nothing counted</text>").count(), 4);
    assert!(!place.path().join("resizer-report.html").exists());
    let args = ["report", "--local", "--html", "-", "--pictures", "0"];
    assert!(!place.resizer(&args).ok().stdout.contains("Newest pictures"));
}

#[test]
fn a_page_that_cannot_be_made_leaves_none() {
    let place = Place::with_a_cloud();
    let absent = place.resizer(&["report", "--local"]).code(1);
    absent
        .says("does not stand")
        .says("`resizer up --local` makes it");
    let twice = place
        .resizer(&["report", "--local", "--html", "-", "--json"])
        .code(2);
    twice.says("standard output");
    assert!(!place.path().join("resizer-report.html").exists());

    place.write_function();
    place.resizer(&common::near::UP).ok();
    let nowhere = place
        .resizer(&["report", "--local", "--html", "no/such/page.html"])
        .code(1);
    nowhere.says("no/such/page.html").says("--html -");
    let folder = place.resizer(&["report", "--local", "--html", "."]).code(1);
    folder.says("something else than a file");
}
