//! Text in SVG and HTML.

use super::format::printable;

/// `text` as the text of an element or an attribute's value in quotes, whatever is in it.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_text_and_nothing_else() {
        assert_eq!(
            escaped(r#""><script>alert('1')</script>&.jpg"#),
            "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;.jpg"
        );
        assert_eq!(escaped("a\u{202e}gpj\u{0}.é"), "a\u{fffd}gpj\u{fffd}.é");
    }
}
