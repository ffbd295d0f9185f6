//! JSON as people read it.

use serde_json::Value;

use super::wrap::columns_of;

/// Indents what is inside something.
pub const STEP: usize = 2;

/// JSON on one line.
pub fn line(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| named(key) + &line(value));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items = items.iter().map(line);
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn named(key: &str) -> String {
    format!("{}: ", Value::from(key))
}

/// JSON over as few lines as keep to `room` columns, of which the first has `taken` already.
pub fn over_lines(value: &Value, taken: usize, room: usize) -> Vec<String> {
    let on_one = line(value);
    let is_short = taken.saturating_add(columns_of(&on_one)) <= room;
    let (open, close, items): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(fields) if !is_short => {
            let fields = fields.iter().map(|(key, value)| (named(key), value));
            ("{", "}", fields.collect())
        }
        Value::Array(items) if !is_short => {
            let items = items.iter().map(|value| (String::new(), value));
            ("[", "]", items.collect())
        }
        _ => return vec![on_one],
    };
    let mut lines = vec![open.to_owned()];
    let count = items.len();
    for (index, (name, value)) in items.into_iter().enumerate() {
        // With the comma behind it.
        let below = over_lines(value, columns_of(&name) + 1, room.saturating_sub(STEP));
        let last = below.len() - 1;
        for (at, line) in below.into_iter().enumerate() {
            let name = if at == 0 { name.as_str() } else { "" };
            let comma = if at == last && index + 1 < count { "," } else { "" };
            lines.push(format!("{:STEP$}{name}{line}{comma}", ""));
        }
    }
    lines.push(close.to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        let value = json!({"key": "日本語"});
        assert_eq!(over_lines(&value, 0, 17), [r#"{"key": "日本語"}"#]);
        assert_eq!(over_lines(&value, 0, 16), ["{", r#"  "key": "日本語""#, "}"]);
    }
}
