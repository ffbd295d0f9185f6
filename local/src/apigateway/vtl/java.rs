//! What Java's library does to strings, which templates see.

use std::fmt::Write as _;

use regex_lite::{Captures, Regex};
use serde_json::Value;

/// `$util.escapeJavaScript`: commons-lang's escapeEcmaScript. An apostrophe becomes `\'`, which is not JSON, and a slash
/// `\/`, which is.
pub fn escape_javascript(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' | '/' => {
                out.push('\\');
                out.push(c);
            }
            '\u{8}' => out.push_str("\\b"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            ' '..='\u{7f}' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
    }
    out
}

/// `String.replaceAll`: a regular expression, and a replacement with `$1` and backslash escapes.
pub fn replace_all(text: &str, pattern: &str, replacement: &str) -> Result<String, String> {
    let regex =
        Regex::new(pattern).map_err(|error| format!("'{pattern}' is not a regular expression: {error}"))?;
    let replaced = regex.replace_all(text, |found: &Captures<'_>| expand(replacement, found));
    Ok(replaced.into_owned())
}

fn expand(replacement: &str, found: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '$' => {
                let group = chars.next().and_then(|digit| digit.to_digit(10));
                let group = group.and_then(|digit| found.get(usize::try_from(digit).ok()?));
                out.push_str(group.map_or("", |group| group.as_str()));
            }
            other => out.push(other),
        }
    }
    out
}

/// `String.valueOf`, with maps as Java prints them: `{a=1, b=2}`.
pub fn to_string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", to_string(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// `java.net.URLEncoder`.
pub fn url_encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// `java.net.URLDecoder`.
pub fn url_decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}
