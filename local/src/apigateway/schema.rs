//! Request bodies checked against the part of JSON Schema that models of this size use.

use serde_json::Value;

const KEYWORDS: [&str; 13] = [
    "$schema",
    "title",
    "description",
    "type",
    "anyOf",
    "required",
    "properties",
    "additionalProperties",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "example",
];

/// Refuses a schema with a keyword that [`accepts`] does not look at.
pub fn check(schema: &Value) -> Result<(), String> {
    let object = schema.as_object().ok_or("a schema has to be an object")?;
    if let Some(unknown) = object.keys().find(|name| !KEYWORDS.contains(&name.as_str())) {
        return Err(format!("the schema's {unknown} is not supported"));
    }
    let types = ["object", "array", "string", "integer", "number", "boolean"];
    if !schema["type"].is_null() && !types.iter().any(|known| schema["type"] == *known) {
        return Err(format!("the schema's type {} is not supported", schema["type"]));
    }
    if !matches!(schema["additionalProperties"], Value::Null | Value::Bool(_)) {
        return Err("the schema's additionalProperties is supported as true or false only".to_owned());
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    let properties = properties.map(|(_, property)| property);
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    properties.chain(alternatives).try_for_each(check)
}

pub fn accepts(schema: &Value, value: &Value) -> bool {
    let of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    of_type
        && one_fits(schema, value)
        && fields_fit(schema, value)
        && length_fits(schema, value)
        && number_fits(schema, value)
}

fn one_fits(schema: &Value, value: &Value) -> bool {
    let alternatives = schema["anyOf"].as_array();
    alternatives.is_none_or(|them| them.iter().any(|one| accepts(one, value)))
}

fn fields_fit(schema: &Value, value: &Value) -> bool {
    let Some(fields) = value.as_object() else {
        return true;
    };
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let properties = &schema["properties"];
    required.into_iter().all(|name| fields.contains_key(name))
        && fields.iter().all(|(name, value)| match properties.get(name) {
            Some(property) => accepts(property, value),
            None => schema["additionalProperties"] != false,
        })
}

fn length_fits(schema: &Value, value: &Value) -> bool {
    let Some(length) = value.as_str().map(|text| text.chars().count() as u64) else {
        return true;
    };
    schema["minLength"].as_u64().is_none_or(|least| length >= least)
        && schema["maxLength"].as_u64().is_none_or(|most| length <= most)
}

fn number_fits(schema: &Value, value: &Value) -> bool {
    let Some(number) = value.as_f64() else { return true };
    schema["minimum"].as_f64().is_none_or(|least| number >= least)
        && schema["maximum"].as_f64().is_none_or(|most| number <= most)
}
