//! Smithy's rpc-v2-cbor, which CloudWatch speaks.

use ciborium::Value as Cbor;
use http::request::Parts;
use serde_json::{Map, Number, Value};

use super::query::is_time;
use crate::error::AwsError;

/// CBOR's tag for seconds since the epoch.
const EPOCH: u64 = 1;
/// CBOR documents nest this deep at most.
const DEEPEST: usize = 32;

/// The operation is in the path, `/service/NAME/operation/OPERATION`.
pub fn read(head: &Parts, body: &[u8]) -> Result<(String, Value), AwsError> {
    let operation = head
        .uri
        .path()
        .rsplit_once("/operation/")
        .map(|(_, operation)| operation.to_owned());
    let operation = operation.ok_or_else(|| {
        AwsError::not_found(
            "UnknownOperationException",
            "The path is not /service/NAME/operation/OPERATION.",
        )
    })?;
    if body.is_empty() {
        return Ok((operation, Value::Object(Map::new())));
    }
    let malformed = |error: String| AwsError::bad_request("SerializationException", error);
    let document: Cbor = ciborium::de::from_reader_with_recursion_limit(body, DEEPEST)
        .map_err(|error| malformed(error.to_string()))?;
    Ok((
        operation,
        from_cbor(document).ok_or_else(|| malformed("The input is not a Smithy document.".to_owned()))?,
    ))
}

fn from_cbor(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Text(text) => Value::String(text),
        Cbor::Float(number) => Value::Number(Number::from_f64(number)?),
        Cbor::Integer(number) => Value::Number(i64::try_from(number).ok()?.into()),
        Cbor::Tag(EPOCH, seconds) => from_cbor(*seconds)?,
        Cbor::Array(members) => Value::Array(members.into_iter().map(from_cbor).collect::<Option<_>>()?),
        Cbor::Map(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| Some((name.into_text().ok()?, from_cbor(value)?)))
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

pub fn encode(document: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a Vec does not fail, and these documents hold nothing that CBOR has not.
    let _ = ciborium::into_writer(&to_cbor(document), &mut bytes);
    bytes
}

fn to_cbor(value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(flag) => Cbor::Bool(*flag),
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Cbor::Integer(integer.into()),
            None => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        Value::Array(members) => Cbor::Array(members.iter().map(to_cbor).collect()),
        Value::Object(fields) => Cbor::Map(
            fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (Cbor::Text(name.clone()), field(name, value)))
                .collect(),
        ),
    }
}

/// A JSON document does not tell a time from a number: in CloudWatch's replies the field's name does.
fn field(name: &str, value: &Value) -> Cbor {
    match (name, value) {
        (name, seconds @ Value::Number(_)) if is_time(name) => Cbor::Tag(EPOCH, Box::new(to_cbor(seconds))),
        ("Timestamps", Value::Array(times)) => Cbor::Array(
            times
                .iter()
                .map(|seconds| Cbor::Tag(EPOCH, Box::new(to_cbor(seconds))))
                .collect(),
        ),
        (_, value) => to_cbor(value),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_goes_through_cbor_unchanged() {
        let document =
            json!({"Timestamps": [1, 2.5], "Values": [1.0], "Name": "n", "Nested": {"Deep": [true]}});
        let bytes = encode(&document);
        let head = http::Request::builder()
            .uri("/service/S/operation/Get")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        assert_eq!(read(&head, &bytes).unwrap(), ("Get".to_owned(), document));
    }
}
