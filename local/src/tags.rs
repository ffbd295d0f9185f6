//! Tags, as services keep and change them: an object, or a list of `{Key, Value}` or `{key, value}`.

use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::error::AwsError;

/// Changes the tags of `name` in `table`, in one transaction: of two changes at once none is lost. Without such a row it is
/// `missing`.
pub async fn change<F>(
    cloud: &Cloud,
    table: &'static str,
    name: String,
    missing: AwsError,
    edit: F,
) -> Result<Value, AwsError>
where
    F: FnOnce(&mut Value) + Send + 'static,
{
    let changed = cloud.store.write(move |tx| {
        let found: Option<String> = tx
            .prepare_cached(&format!("SELECT tags FROM {table} WHERE name = ?1"))?
            .query_row([&name], |row| row.get(0))
            .optional()?;
        let mut tags = serde_json::from_str(&found.ok_or(missing)?).unwrap_or_else(|_| json!([]));
        edit(&mut tags);
        tx.prepare_cached(&format!("UPDATE {table} SET tags = ?1 WHERE name = ?2"))?
            .execute([&tags.to_string(), &name])?;
        Ok(json!({}))
    });
    changed.await
}

/// The `{Key, Value}`s of an input's `Tags`, if they are within what AWS takes: 50 tags, keys of 1 to 128 characters, values of at
/// most 256.
pub fn given(input: &Value) -> Option<Value> {
    let tags = input["Tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_tag = |tag: &Value| {
        let length = |field: &str| tag[field].as_str().map(|text| text.chars().count());
        length("Key").is_some_and(|length| (1..=128).contains(&length))
            && length("Value").is_some_and(|length| length <= 256)
    };
    (tags.len() <= 50 && tags.iter().all(is_tag)).then(|| json!(tags))
}

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
