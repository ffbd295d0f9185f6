//! The newest pictures, before and after.

use aws_smithy_types::base64;

use super::super::gallery::{Object, Pair};
use super::section;
use crate::ui::format::{bytes, s3_uri};
use crate::ui::markup::escaped;

pub fn html(pairs: &[Pair]) -> String {
    let content = if pairs.is_empty() {
        "<p class=\"none\">None of the executions listed here wrote one.</p>".to_owned()
    } else {
        let pairs: String = pairs.iter().map(pair).collect();
        format!("<div class=\"pairs\">\n{pairs}</div>")
    };
    section("Newest pictures", &content)
}

fn pair(pair: &Pair) -> String {
    let Pair {
        answer,
        before,
        after,
    } = pair;
    let before_size = answer.source_width.zip(answer.source_height);
    format!(
        "<article>\n<h3>{}</h3>\n<div class=\"pair\">\n{}{}</div>\n</article>\n",
        escaped(&before.key),
        side("before", before, before_size),
        side("after", after, Some((answer.width, answer.height)))
    )
}

/// One of the two, with its size in pixels.
fn side(word: &str, object: &Object, pixels: Option<(u32, u32)>) -> String {
    let address = escaped(&s3_uri(&object.bucket, &object.key));
    let shown = match (&object.picture, &object.not_shown) {
        (Some(picture), _) => {
            let pixels = pixels.map_or_else(String::new, |(width, height)| {
                format!(" width=\"{width}\" height=\"{height}\"")
            });
            format!(
                "<img alt=\"{}, {word}\"{pixels} src=\"data:{};base64,{}\">",
                escaped(&object.key),
                picture.media_type,
                base64::encode(&picture.content)
            )
        }
        (None, reason) => format!(
            "<p><code>{address}</code>{}</p>",
            escaped(
                &reason
                    .as_ref()
                    .map_or_else(String::new, |reason| format!(" is not shown: {reason}"))
            )
        ),
    };
    let facts = [
        Some(word.to_owned()),
        pixels.map(|(width, height)| format!("{width} × {height}")),
        object.bytes.map(bytes),
    ];
    let facts = facts.into_iter().flatten();
    let facts: Vec<_> = facts
        .map(|fact| format!("<span>{}</span>", escaped(&fact)))
        .collect();
    format!(
        "<figure title=\"{address}\"><div class=\"frame\">{shown}</div><figcaption>{}</figcaption></figure>\n",
        facts.join(" · ")
    )
}
