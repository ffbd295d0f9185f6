//! What a target gets of an event: the event, a part of it, a constant, or a filled-in template.
//!
//! Facts: the EventBridge user guide, "Amazon EventBridge input transformation".

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::jsonpath::Path;

/// The most variables an input transformer may have.
const MOST_VARIABLES: usize = 100;

/// The variables that EventBridge defines.
const PREDEFINED: [&str; 5] = [
    "aws.events.rule-name",
    "aws.events.rule-arn",
    "aws.events.event.ingestion-time",
    "aws.events.event.json",
    "aws.events.event",
];

/// A target's `Input`, `InputPath` or `InputTransformer`.
#[derive(Debug, Clone)]
pub enum Transformer {
    Event,
    Constant(Value),
    Part(Path),
    Template {
        paths: BTreeMap<String, Path>,
        template: Vec<Piece>,
    },
}

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Variable { name: String, place: Place },
}

/// Where a variable stands: its value is written as JSON, or as the inside of a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Bare,
    InString,
}

/// The rule for which a template is filled in.
#[derive(Clone, Copy)]
pub struct Matched<'a> {
    pub rule_name: &'a str,
    pub rule_arn: &'a str,
}

impl Transformer {
    /// Reads a target as PutTargets gives it. The error is the reason.
    pub fn of_target(target: &Value) -> Result<Self, String> {
        let given = ["Input", "InputPath", "InputTransformer"];
        if given
            .iter()
            .filter(|name| target.get(**name).is_some_and(|value| !value.is_null()))
            .count()
            > 1
        {
            return Err("Only one of Input, InputPath, or InputTransformer must be provided".to_owned());
        }
        if let Some(input) = target["Input"].as_str() {
            let constant =
                serde_json::from_str(input).map_err(|error| format!("Input is not valid JSON: {error}"))?;
            return Ok(Self::Constant(constant));
        }
        if let Some(path) = target["InputPath"].as_str() {
            return Path::parse(path).map(Self::Part);
        }
        match target["InputTransformer"].as_object() {
            Some(transformer) => Self::of_transformer(transformer),
            None => Ok(Self::Event),
        }
    }

    fn of_transformer(transformer: &Map<String, Value>) -> Result<Self, String> {
        let mut paths = BTreeMap::new();
        if let Some(listed) = transformer.get("InputPathsMap").and_then(Value::as_object) {
            for (name, path) in listed {
                if name.starts_with("aws.") {
                    return Err(format!("The variable name {name} is reserved"));
                }
                let text = path.as_str().unwrap_or_default();
                let path =
                    Path::parse(text).map_err(|reason| format!("The path {text} is not valid: {reason}"))?;
                paths.insert(name.clone(), path);
            }
        }
        if paths.len() > MOST_VARIABLES {
            return Err(format!(
                "An input transformer has at most {MOST_VARIABLES} variables"
            ));
        }
        let text = transformer
            .get("InputTemplate")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if text.is_empty() {
            return Err("InputTemplate is required".to_owned());
        }
        let template = split(text);
        for piece in &template {
            if let Piece::Variable { name, .. } = piece
                && !PREDEFINED.contains(&name.as_str())
                && !paths.contains_key(name)
            {
                return Err(format!(
                    "Invalid InputTemplate for target: the variable <{name}> is not in InputPathsMap"
                ));
            }
        }
        Ok(Self::Template { paths, template })
    }

    /// The input for the target. The error says why the result is no JSON: the invocation has failed.
    pub fn apply(&self, event: &Value, matched: Matched<'_>) -> Result<Value, String> {
        match self {
            Self::Event => Ok(event.clone()),
            Self::Constant(value) => Ok(value.clone()),
            Self::Part(path) => path
                .find(event)
                .map(|part| part.into_owned())
                .ok_or_else(|| format!("the event has nothing at {}", path.text())),
            Self::Template { paths, template } => {
                let mut out = String::new();
                for piece in template {
                    match piece {
                        Piece::Text(text) => out.push_str(text),
                        Piece::Variable { name, place } => {
                            let value = variable(name, paths, event, matched);
                            out.push_str(&written(value, *place));
                        }
                    }
                }
                serde_json::from_str(&out)
                    .map_err(|error| format!("the filled-in template is not JSON: {error}: {out}"))
            }
        }
    }
}

fn variable(
    name: &str,
    paths: &BTreeMap<String, Path>,
    event: &Value,
    matched: Matched<'_>,
) -> Option<Value> {
    match name {
        "aws.events.rule-name" => Some(Value::from(matched.rule_name)),
        "aws.events.rule-arn" => Some(Value::from(matched.rule_arn)),
        "aws.events.event.ingestion-time" => event.get("time").cloned(),
        "aws.events.event.json" => Some(event.clone()),
        "aws.events.event" => {
            let mut event = event.clone();
            event.as_object_mut()?.shift_remove("detail");
            Some(event)
        }
        _ => paths.get(name)?.find(event).map(|value| value.into_owned()),
    }
}

/// Assumption (AWS docs: "that variable isn't created and won't appear in the output"): a path that names nothing leaves
/// nothing behind, so a bare one makes the template invalid JSON and the invocation fails.
fn written(value: Option<Value>, place: Place) -> String {
    match (value, place) {
        (None, _) => String::new(),
        (Some(value), Place::Bare) => value.to_string(),
        (Some(Value::String(text)), Place::InString) => inside_string(&text),
        (Some(value), Place::InString) => inside_string(&value.to_string()),
    }
}

/// The text as it stands between the quotes of a JSON string.
fn inside_string(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Cuts a template at its `<variables>`.
fn split(template: &str) -> Vec<Piece> {
    let (mut pieces, mut text) = (Vec::new(), String::new());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = variable_at(rest) {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            let place = if in_string { Place::InString } else { Place::Bare };
            pieces.push(Piece::Variable {
                name: name.to_owned(),
                place,
            });
            rest = after;
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        text.push(c);
        rest = &rest[c.len_utf8()..];
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

fn variable_at(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('<')?.split_once('>')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, after))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    const MATCHED: Matched<'_> = Matched {
        rule_name: "r",
        rule_arn: "arn:aws:events:eu-west-1:000000000000:rule/r",
    };

    fn pipeline(template: &str) -> Transformer {
        Transformer::of_target(&json!({"InputTransformer": {
            "InputPathsMap": {"bucket": "$.detail.bucket.name", "key": "$.detail.object.key", "size": "$.detail.object.size"},
            "InputTemplate": template
        }})).unwrap()
    }

    fn event(key: &str) -> Value {
        json!({"time": "t", "detail": {"bucket": {"name": "b"}, "object": {"key": key, "size": 7}}})
    }

    #[test]
    fn keys_of_every_kind_come_out_right() {
        let bare = pipeline(r#"{"bucket": <bucket>, "key": <key>, "size": <size>}"#);
        let quoted = pipeline(r#"{"key": "<key>", "say": "the \"<key>\" of <size>"}"#);
        for key in [
            "a b.jpg",
            "it's",
            "say \"hi\"",
            "back\\slash",
            "a+b%20c&d",
            "日本/é\u{1F600}",
            "<bucket>",
            "line\nbreak",
        ] {
            assert_eq!(
                bare.apply(&event(key), MATCHED).unwrap(),
                json!({"bucket": "b", "key": key, "size": 7})
            );
            assert_eq!(
                quoted.apply(&event(key), MATCHED).unwrap(),
                json!({"key": key, "say": format!("the \"{key}\" of 7")})
            );
        }
    }

    #[test]
    fn predefined_variables_need_no_path() {
        let transformer = pipeline(
            r#"{"rule": <aws.events.rule-arn>, "n": "<aws.events.rule-name>", "e": <aws.events.event>}"#,
        );
        assert_eq!(
            transformer.apply(&event("k"), MATCHED).unwrap(),
            json!({"rule": MATCHED.rule_arn, "n": "r", "e": {"time": "t"}})
        );
    }

    #[test]
    fn a_result_that_is_no_json_is_a_failed_invocation() {
        assert!(
            pipeline("{\"size\": <size>}")
                .apply(&json!({"detail": {}}), MATCHED)
                .is_err()
        );
        assert!(pipeline("<key> is here").apply(&event("k"), MATCHED).is_err());
    }

    #[test]
    fn input_and_input_path_replace_the_event() {
        let apply = |target: Value| {
            Transformer::of_target(&target)
                .unwrap()
                .apply(&event("k"), MATCHED)
                .unwrap()
        };
        assert_eq!(apply(json!({"Input": "{\"a\":1}"})), json!({"a": 1}));
        assert_eq!(
            apply(json!({"InputPath": "$.detail.bucket"})),
            json!({"name": "b"})
        );
        assert_eq!(apply(json!({})), event("k"));
    }

    #[test]
    fn unknown_variables_and_two_inputs_at_once_are_refused() {
        for target in [
            json!({"InputTransformer": {"InputTemplate": "{\"a\": <nope>}"}}),
            json!({"InputTransformer": {"InputTemplate": "{\"a\": <aws.events.account>}"}}),
            json!({"InputTransformer": {"InputPathsMap": {"a": "$.["}, "InputTemplate": "<a>"}}),
            json!({"Input": "1", "InputPath": "$"}),
            json!({"Input": "{"}),
        ] {
            assert!(Transformer::of_target(&target).is_err(), "{target}");
        }
    }
}
