//! Tags, as services keep and change them: an object, or a list of `{Key, Value}` or `{key, value}`.

use serde_json::Value;

/// Adds `given`, of the same form, and replaces the values of keys that are there.
pub fn add(tags: &mut Value, given: &Value) {
    match (tags, given) {
        (Value::Object(tags), Value::Object(given)) => tags.extend(given.clone()),
        (Value::Array(tags), Value::Array(given)) => {
            tags.retain(|tag| !given.iter().any(|other| key(other) == key(tag)));
            tags.extend(given.iter().cloned());
        }
        _ => {}
    }
}

/// Removes the tags of these keys.
pub fn remove<'a>(tags: &mut Value, keys: impl IntoIterator<Item = &'a str>) {
    for gone in keys {
        match tags {
            Value::Object(tags) => drop(tags.shift_remove(gone)),
            Value::Array(tags) => tags.retain(|tag| key(tag) != gone),
            _ => {}
        }
    }
}

fn key(tag: &Value) -> &str {
    let key = tag["Key"].as_str().or(tag["key"].as_str());
    key.unwrap_or_default()
}
