//! JSONPath as AWS services read it: Jayway's dialect, which allows `$.detail-type`, on top of an
//! RFC 9535 engine.

use std::borrow::Cow;

use serde_json::Value;
use serde_json_path::JsonPath;

/// What a name after a dot does not hold.
const NOT_IN_NAMES: [char; 9] = ['(', ')', '*', '?', '@', '\'', '"', ' ', '\n'];

/// A parsed path such as `$.detail.object.key`.
#[derive(Debug, Clone)]
pub struct Path {
    text: String,
    query: JsonPath,
    /// It can name one value at most: no wildcard, slice, filter or descent.
    definite: bool,
}

impl Path {
    /// Parses a path that starts with `$`. The error is the parser's reason, without the path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let query = JsonPath::parse(&to_rfc9535(text)?).map_err(|error| error.to_string())?;
        Ok(Self {
            text: text.to_owned(),
            query,
            definite: is_definite(text),
        })
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value the path names. A path that may name several gives all of them as one array.
    pub fn find<'v>(&self, document: &'v Value) -> Option<Cow<'v, Value>> {
        let nodes = self.query.query(document);
        if self.definite {
            return nodes.first().map(Cow::Borrowed);
        }
        Some(Cow::Owned(Value::Array(nodes.into_iter().cloned().collect())))
    }
}

/// Writes names that RFC 9535 has no shorthand for (`.detail-type`) in brackets (`['detail-type']`).
/// What looks like a function (`.length()`) or a stray operator is refused: as a name it would find nothing, in silence.
fn to_rfc9535(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            let end = bracket_end(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            if name.is_empty() || name == "*" || is_shorthand(name) {
                out.push('.');
                out.push_str(name);
            } else if name.contains(NOT_IN_NAMES) {
                return Err(format!(
                    "'.{name}' is not supported; a name with such characters has to stand in brackets and quotes"
                ));
            } else {
                out.push_str("['");
                out.push_str(&name.replace('\\', "\\\\").replace('\'', "\\'"));
                out.push_str("']");
            }
            rest = &after[end..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(out)
}

fn is_shorthand(name: &str) -> bool {
    let head = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let mut chars = name.chars();
    chars.next().is_some_and(head) && chars.all(|c| head(c) || c.is_ascii_digit())
}

/// The length of the bracketed segment that `text` starts with, quotes and nesting respected.
fn bracket_end(text: &str) -> usize {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '[' => depth += 1,
            None if c == ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            None => {}
        }
    }
    text.len()
}

fn is_definite(text: &str) -> bool {
    if text.contains("..") || text.contains(".*") {
        return false;
    }
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let end = open + bracket_end(&rest[open..]);
        let inner = rest[open..end].trim_matches(['[', ']']).trim();
        if !inner.starts_with(['\'', '"']) && inner.contains([',', ':', '*', '?']) {
            return false;
        }
        rest = &rest[end..];
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn find(path: &str, document: &Value) -> Option<Value> {
        Path::parse(path).unwrap().find(document).map(Cow::into_owned)
    }

    #[test]
    fn names_with_dashes_need_no_brackets() {
        let event = json!({"detail-type": "Object Created", "detail": {"version-id": 3}});
        assert_eq!(find("$.detail-type", &event), Some(json!("Object Created")));
        assert_eq!(find("$.detail.version-id", &event), Some(json!(3)));
        assert_eq!(find("$['detail-type']", &event), Some(json!("Object Created")));
    }

    #[test]
    fn a_definite_path_gives_one_value_and_others_an_array() {
        let document = json!({"list": [{"x": 1}, {"x": 2}]});
        assert_eq!(find("$.list[1].x", &document), Some(json!(2)));
        assert_eq!(find("$.list[*].x", &document), Some(json!([1, 2])));
        assert_eq!(find("$.list[0:1]", &document), Some(json!([{"x": 1}])));
        assert_eq!(find("$.nothing", &document), None);
        assert_eq!(find("$", &document), Some(document.clone()));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        assert!(Path::parse("$.a[").is_err());
        assert!(Path::parse("a.b").is_err());
        assert!(Path::parse("").is_err());
        assert!(Path::parse("$.list.length()").is_err());
        assert!(Path::parse("$.a*.b").is_err());
        assert_eq!(find("$['length()']", &json!({"length()": 1})), Some(json!(1)));
    }
}
