//! A browser that looks at a page.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Place;

/// What a reader prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// Where Chromium is; where there is none, it says so. CI has to have one.
pub fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|program| program.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI has no Chromium to look at the page with"
        );
        // Not by `eprintln!`, which the tests' runner keeps for those that fail.
        let skipped = b"skipped: no browser looks at the page, since there is no Chromium here\n";
        std::io::stderr().write_all(skipped).unwrap();
    }
    found
}

/// What `script`, a JavaScript function of a frame's window, finds of `page` in frames of these widths (pixels).
pub fn look(
    chromium: &Path,
    place: &Place,
    page: &str,
    widths: &[u32],
    scheme: Scheme,
    script: &str,
) -> Value {
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let frames: String = widths
        .iter()
        .map(|width| {
            format!("<iframe style=\"border:0;width:{width}px;height:900px\" srcdoc=\"{page}\"></iframe>\n")
        })
        .collect();
    // The frames and all that is in them are there before this page is: it looks at once.
    let around = format!(
        "<!doctype html><meta charset=\"utf-8\">{frames}<pre></pre>\n<script>onload = () => {{\n\
         const look = {script};\nlet found;\n\
         try {{ found = Array.from(frames, look) }} catch (error) {{ found = String(error) }}\n\
         document.body.replaceChildren(JSON.stringify(found));\n}}</script>"
    );
    let file = place.path().join("around.html");
    std::fs::write(&file, around).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let settings = match scheme {
        Scheme::Light => "preferredColorScheme=1",
        Scheme::Dark => "preferredColorScheme=0",
    };
    let ended = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--dump-dom",
        ])
        .arg(format!("--blink-settings={settings}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&ended.stdout);
    let found = dom
        .rsplit_once("<body>")
        .and_then(|(_, rest)| rest.split_once("</body>"));
    let Some((found, _)) = found else {
        panic!("{dom}\n{}", String::from_utf8_lossy(&ended.stderr));
    };
    let found = found
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&");
    serde_json::from_str(found.trim()).unwrap_or_else(|error| panic!("{error}: {found}"))
}
