//! Wildcard matching, as patterns of States, EventBridge and others share it.

/// Whether `text` is the literal `parts` in order with anything between them. The first part is
/// the text's beginning, the last its end; a single part has to be the whole text.
pub fn matches(parts: &[String], text: &str) -> bool {
    let [first, between @ .., last] = parts else {
        return parts.first().is_some_and(|only| only == text);
    };
    let Some(mut rest) = text
        .strip_prefix(first.as_str())
        .and_then(|rest| rest.strip_suffix(last.as_str()))
    else {
        return false;
    };
    for part in between {
        let Some(at) = rest.find(part.as_str()) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_in_order_without_overlap() {
        let parts = |text: &str| text.split('*').map(str::to_owned).collect::<Vec<_>>();
        for (pattern, text, wanted) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*", "a", true),
            ("*.jpg", "x/y.jpg", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(&parts(pattern), text), wanted, "{pattern} {text}");
        }
    }
}
