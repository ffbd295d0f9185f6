//! Intrinsic functions: `States.Format('{} of {}', $.a, $.b)` and the like.
//!
//! Supported are the ones that build or take apart strings, JSON and arrays; the rest is refused
//! when the state machine is created.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::expression::{Expression, Scope};
use super::task::Fault;
use crate::random;

/// How deep calls may nest. AWS allows ten.
const MAX_DEPTH: usize = 10;

#[derive(Debug, Clone)]
pub struct Call {
    text: String,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Format,
    StringToJson,
    JsonToString,
    Array,
    ArrayLength,
    ArrayGetItem,
    MathAdd,
    Base64Encode,
    Base64Decode,
    Uuid,
}

#[derive(Debug, Clone)]
enum Argument {
    Literal(Value),
    Expression(Expression),
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "States.Format" => Self::Format,
            "States.StringToJson" => Self::StringToJson,
            "States.JsonToString" => Self::JsonToString,
            "States.Array" => Self::Array,
            "States.ArrayLength" => Self::ArrayLength,
            "States.ArrayGetItem" => Self::ArrayGetItem,
            "States.MathAdd" => Self::MathAdd,
            "States.Base64Encode" => Self::Base64Encode,
            "States.Base64Decode" => Self::Base64Decode,
            "States.UUID" => Self::Uuid,
            _ => return None,
        })
    }

    fn accepts(self, arguments: usize) -> bool {
        match self {
            Self::Array => true,
            Self::Format => arguments >= 1,
            Self::Uuid => arguments == 0,
            Self::ArrayGetItem | Self::MathAdd => arguments == 2,
            _ => arguments == 1,
        }
    }
}

impl Call {
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_nested(text.trim(), 0)
    }

    fn parse_nested(text: &str, depth: usize) -> Result<Self, String> {
        if depth >= MAX_DEPTH {
            return Err(format!("intrinsic functions nest deeper than {MAX_DEPTH}"));
        }
        let (name, rest) = text
            .split_once('(')
            .ok_or_else(|| format!("'{text}' is neither a path nor a function call"))?;
        let inner = rest
            .strip_suffix(')')
            .ok_or_else(|| format!("'{text}' has no closing bracket"))?;
        let function = Function::named(name.trim())
            .ok_or_else(|| format!("the intrinsic function '{}' is not supported", name.trim()))?;
        let arguments = split_arguments(inner)?
            .into_iter()
            .map(|argument| parse_argument(argument, depth))
            .collect::<Result<Vec<_>, _>>()?;
        if !function.accepts(arguments.len()) {
            return Err(format!(
                "{} does not take {} arguments",
                name.trim(),
                arguments.len()
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            function,
            arguments,
        })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn evaluate(&self, scope: Scope<'_>) -> Result<Value, Fault> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Literal(value) => Ok(value.clone()),
                Argument::Expression(expression) => expression.evaluate(scope, &self.text),
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.apply(&arguments).ok_or_else(|| {
            Fault::new(
                "States.IntrinsicFailure",
                format!("Invalid arguments in {}: {}", self.text, Value::Array(arguments)),
            )
        })
    }

    /// `None` when the arguments are not of the types the function takes.
    fn apply(&self, arguments: &[Value]) -> Option<Value> {
        match (self.function, arguments) {
            (Function::Format, [template, values @ ..]) => format(template.as_str()?, values),
            (Function::StringToJson, [text]) => serde_json::from_str(text.as_str()?).ok(),
            (Function::JsonToString, [value]) => Some(Value::String(value.to_string())),
            (Function::Array, items) => Some(Value::Array(items.to_vec())),
            (Function::ArrayLength, [array]) => Some(json!(array.as_array()?.len())),
            (Function::ArrayGetItem, [array, at]) => array
                .as_array()?
                .get(usize::try_from(at.as_u64()?).ok()?)
                .cloned(),
            (Function::MathAdd, [a, b]) => Some(json!(a.as_i64()?.checked_add(b.as_i64()?)?)),
            (Function::Base64Encode, [text]) => Some(json!(STANDARD.encode(text.as_str()?))),
            (Function::Base64Decode, [text]) => {
                let bytes = STANDARD.decode(text.as_str()?).ok()?;
                String::from_utf8(bytes).ok().map(Value::String)
            }
            (Function::Uuid, []) => random::uuid().ok().map(Value::String),
            _ => None,
        }
    }
}

fn parse_argument(text: &str, depth: usize) -> Result<Argument, String> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let quoted = quoted.strip_suffix('\'').ok_or("a string has no closing quote")?;
        return Ok(Argument::Literal(Value::String(unescape(quoted))));
    }
    if text.starts_with('$') {
        return Expression::parse(text).map(Argument::Expression);
    }
    if text.starts_with("States.") {
        return Call::parse_nested(text, depth + 1)
            .map(|call| Argument::Expression(Expression::Intrinsic(call)));
    }
    match serde_json::from_str(text) {
        Ok(literal @ (Value::Null | Value::Bool(_) | Value::Number(_))) => Ok(Argument::Literal(literal)),
        _ => Err(format!(
            "'{text}' is not an argument: strings stand in single quotes"
        )),
    }
}

/// Splits at the commas that stand outside of quotes and brackets.
fn split_arguments(text: &str) -> Result<Vec<&str>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted || depth != 0 {
        return Err("quotes or brackets are not balanced".to_owned());
    }
    parts.push(text[start..].trim());
    Ok(parts)
}

/// Undoes `\'` and `\\`. `\{` and `\}` stay: they are the template's own, see [`format`].
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\'')) => {}
            ('\\', Some('\\')) => {
                chars.next();
                out.push('\\');
            }
            _ => out.push(c),
        }
    }
    out
}

fn format(template: &str, values: &[Value]) -> Option<Value> {
    let mut values = values.iter();
    let mut out = String::new();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&escaped @ ('{' | '}'))) => {
                chars.next();
                out.push(escaped);
            }
            ('{', Some('}')) => {
                chars.next();
                match values.next()? {
                    Value::String(text) => out.push_str(text),
                    Value::Object(_) | Value::Array(_) => return None,
                    scalar => out.push_str(&scalar.to_string()),
                }
            }
            _ => out.push(c),
        }
    }
    values.next().is_none().then_some(Value::String(out))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn evaluate(text: &str, input: &Value) -> Result<Value, Fault> {
        Call::parse(text).unwrap().evaluate(Scope {
            input,
            context: &Value::Null,
        })
    }

    #[test]
    fn functions_compute_what_aws_says() {
        let input = json!({"a": "x'y", "list": [1, 2, 3], "json": "{\"k\":1}", "n": 4});
        let cases = [
            ("States.Format('{} has {}', $.a, $.n)", json!("x'y has 4")),
            (r"States.Format('it\'s \{{}\}', $.n)", json!("it's {4}")),
            ("States.StringToJson($.json)", json!({"k": 1})),
            ("States.JsonToString($.list)", json!("[1,2,3]")),
            (
                "States.Array($.n, 'b, c', null, true)",
                json!([4, "b, c", null, true]),
            ),
            ("States.ArrayLength($.list)", json!(3)),
            ("States.ArrayGetItem($.list, States.MathAdd(1, 1))", json!(3)),
            ("States.Base64Decode(States.Base64Encode('hé'))", json!("hé")),
        ];
        for (text, wanted) in cases {
            assert_eq!(evaluate(text, &input).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn every_uuid_is_another() {
        let (one, two) = (
            evaluate("States.UUID()", &Value::Null),
            evaluate("States.UUID()", &Value::Null),
        );
        assert_ne!(one.unwrap(), two.unwrap());
    }

    #[test]
    fn arguments_of_the_wrong_type_are_an_intrinsic_failure() {
        for text in [
            "States.Format('{}')",
            "States.StringToJson('{')",
            "States.ArrayLength(3)",
        ] {
            let fault = evaluate(text, &Value::Null).unwrap_err();
            assert_eq!(fault.error.as_deref(), Some("States.IntrinsicFailure"), "{text}");
        }
    }

    #[test]
    fn unknown_functions_and_broken_calls_are_refused() {
        for text in [
            "States.Hash($.a, 'MD5')",
            "States.Format('a",
            "States.UUID(1)",
            "$.a",
            "States.Array(a)",
        ] {
            assert!(Call::parse(text).is_err(), "{text}");
        }
    }
}
