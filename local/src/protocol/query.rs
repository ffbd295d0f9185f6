//! awsQuery: a form with dotted names comes in, XML goes out.

use http::request::Parts;
use jiff::Timestamp;
use quick_xml::escape::escape;
use serde_json::{Map, Value, json};

use crate::call::Service;
use crate::error::AwsError;

/// Names nest this deep at most.
const DEEPEST: usize = 16;

pub fn read(head: &Parts, body: &[u8]) -> Result<(String, Value), AwsError> {
    let query = head.uri.query().unwrap_or_default();
    let form = if body.is_empty() { query.as_bytes() } else { body };
    let mut operation = None;
    let mut input = Value::Object(Map::new());
    for (name, value) in form_urlencoded::parse(form) {
        match name.as_ref() {
            "Action" => operation = Some(value.into_owned()),
            "Version" => {}
            name => insert(&mut input, name, value.into_owned())?,
        }
    }
    fold(&mut input);
    let operation =
        operation.ok_or_else(|| AwsError::bad_request("MissingAction", "The request has no Action."))?;
    Ok((operation, input))
}

fn insert(document: &mut Value, name: &str, text: String) -> Result<(), AwsError> {
    let malformed = || AwsError::bad_request("MalformedInput", format!("The parameter {name} is malformed."));
    if name.split('.').count() > DEEPEST {
        return Err(malformed());
    }
    let mut place = document;
    for part in name.split('.') {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        place = place
            .as_object_mut()
            .ok_or_else(malformed)?
            .entry(part)
            .or_insert(Value::Null);
    }
    *place = Value::String(text);
    Ok(())
}

/// `{"member": {"1": a, "2": b}}` is the list `[a, b]`, and `{"entry": {"1": {"key": a, "value": b}}}` the map `{a: b}`.
fn fold(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    fields.values_mut().for_each(fold);
    if fields.len() != 1 {
        return;
    }
    if let Some(Value::Object(entries)) = fields.get_mut("entry") {
        let entries = std::mem::take(entries).into_iter();
        let entries = entries.filter_map(|(_, mut entry)| {
            let key = entry["key"].as_str()?.to_owned();
            Some((key, entry["value"].take()))
        });
        *value = Value::Object(entries.collect());
    } else if let Some(Value::Object(members)) = fields.get_mut("member") {
        let mut members: Vec<(u64, Value)> = std::mem::take(members)
            .into_iter()
            .map(|(index, member)| (index.parse().unwrap_or(u64::MAX), member))
            .collect();
        members.sort_by_key(|(index, _)| *index);
        *value = Value::Array(members.into_iter().map(|(_, member)| member).collect());
    }
}

pub fn reply(service: Service, operation: &str, document: &Value, request_id: &str) -> String {
    let mut result = String::new();
    write(&mut result, document);
    let namespace = namespace(service);
    format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
}

pub fn error(service: Service, error: &AwsError, request_id: &str) -> String {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        namespace(service),
        escape(&error.code),
        escape(&error.message),
    )
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Sns => "http://sns.amazonaws.com/doc/2010-03-31/",
        _ => "http://monitoring.amazonaws.com/doc/2010-08-01/",
    }
}

/// An object's fields are elements, a list's are `member`s; what is null is left out.
fn write(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => xml.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => xml.push_str(&number.to_string()),
        Value::String(text) => xml.push_str(&escape(text)),
        Value::Array(members) => members.iter().for_each(|member| element(xml, "member", member)),
        Value::Object(fields) => {
            fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .for_each(|(name, value)| element(xml, name, value));
        }
    }
}

fn element(xml: &mut String, name: &str, value: &Value) {
    xml.push_str(&format!("<{name}>"));
    match (name, value) {
        // A JSON document does not tell a time from a number, nor a map from a structure: the field's name does.
        ("Attributes", Value::Object(entries)) => entries
            .iter()
            .for_each(|(key, value)| element(xml, "entry", &json!({ "key": key, "value": value }))),
        (name, Value::Number(seconds)) if is_time(name) => xml.push_str(&iso_time(seconds)),
        ("Timestamps", Value::Array(times)) => {
            times
                .iter()
                .filter_map(Value::as_number)
                .for_each(|time| element(xml, "member", &iso_time(time).into()));
        }
        (_, value) => write(xml, value),
    }
    xml.push_str(&format!("</{name}>"));
}

/// Whether CloudWatch has a time under this name, seconds since the epoch.
pub fn is_time(name: &str) -> bool {
    name.ends_with("Timestamp") || name == "LastModified"
}

fn iso_time(seconds: &serde_json::Number) -> String {
    seconds
        .as_i64()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or_default()
        .to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn head() -> Parts {
        http::Request::new(()).into_parts().0
    }

    #[test]
    fn dotted_names_become_a_document() {
        let body =
            b"Action=CreateRole&Version=2010-05-08&RoleName=r&Tags.member.1.Key=a&Tags.member.1.Value=b%20c\
                     &Tags.member.2.Key=d&Tags.member.2.Value=";
        let (operation, input) = read(&head(), body).unwrap();
        assert_eq!(operation, "CreateRole");
        assert_eq!(
            input,
            json!({"RoleName": "r", "Tags": [{"Key": "a", "Value": "b c"}, {"Key": "d", "Value": ""}]})
        );
    }

    #[test]
    fn a_map_comes_and_goes_by_its_entries() {
        let body = b"Action=CreateTopic&Attributes.entry.1.key=Policy&Attributes.entry.1.value=p";
        let (_, input) = read(&head(), body).unwrap();
        assert_eq!(input, json!({"Attributes": {"Policy": "p"}}));
        let mut xml = String::new();
        write(&mut xml, &input);
        assert_eq!(
            xml,
            "<Attributes><entry><key>Policy</key><value>p</value></entry></Attributes>"
        );
    }

    #[test]
    fn a_parameter_that_is_both_a_value_and_a_structure_is_refused() {
        assert_eq!(
            read(&head(), b"Action=A&B=1&B.C=2").unwrap_err().code,
            "MalformedInput"
        );
    }

    #[test]
    fn a_document_becomes_xml() {
        let mut xml = String::new();
        write(
            &mut xml,
            &json!({"Role": {"Name": "a<b", "Gone": null}, "Tags": [{"Key": "k"}], "More": false}),
        );
        assert_eq!(
            xml,
            "<Role><Name>a&lt;b</Name></Role><Tags><member><Key>k</Key></member></Tags><More>false</More>"
        );
    }
}
