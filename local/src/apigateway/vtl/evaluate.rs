//! Fills a template in.

use std::cmp::Ordering;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ast::{Expression, Node, Operator, Reference, Step};
use super::java;
use crate::jsonpath::Path;

/// The most characters a template may give: API Gateway's payload limit.
const MOST_OUTPUT: usize = 10 * 1024 * 1024;

/// What a template may look at.
pub struct Scope<'a> {
    /// `$input.body`
    pub body: &'a str,
    /// The body as JSON, if it is, for `$input.json` and `$input.path`.
    pub document: Option<&'a Value>,
    /// `$input.params()`: `path`, `querystring` and `header`, each a map of strings.
    pub params: &'a Value,
    pub context: &'a Value,
    pub stage_variables: &'a Value,
}

pub fn render(nodes: &[Node], scope: &Scope<'_>) -> Result<String, String> {
    let mut evaluation = Evaluation {
        scope,
        variables: HashMap::new(),
    };
    let mut out = String::new();
    evaluation.nodes(nodes, &mut out)?;
    Ok(out)
}

struct Evaluation<'a> {
    scope: &'a Scope<'a>,
    variables: HashMap<String, Value>,
}

/// What a reference stands for on its way to a value.
enum Object {
    Input,
    Util,
    Json(Value),
}

impl Evaluation<'_> {
    fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<(), String> {
        for node in nodes {
            self.node(node, out)?;
            if out.len() > MOST_OUTPUT {
                return Err("the template gives more than 10 MB".to_owned());
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, out: &mut String) -> Result<(), String> {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Reference {
                reference,
                quiet,
                source,
            } => match self.reference(reference)? {
                Some(value) => out.push_str(&java::to_string(&value)),
                None if *quiet => {}
                None => out.push_str(source),
            },
            Node::Set { name, value } => {
                let value = self.expression(value)?;
                // Velocity leaves a variable as it is when it is set to null.
                if !value.is_null() {
                    self.variables.insert(name.clone(), value);
                }
            }
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if truth(&self.expression(condition)?) {
                        return self.nodes(body, out);
                    }
                }
                self.nodes(otherwise, out)?;
            }
            Node::Foreach { name, items, body } => self.foreach(name, items, body, out)?,
        }
        Ok(())
    }

    fn foreach(
        &mut self,
        name: &str,
        items: &Expression,
        body: &[Node],
        out: &mut String,
    ) -> Result<(), String> {
        let items = match self.expression(items)? {
            Value::Array(items) => items,
            Value::Object(fields) => fields.into_iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        };
        let (before, outer) = (self.variables.remove(name), self.variables.remove("foreach"));
        let last = items.len();
        for (at, item) in items.into_iter().enumerate() {
            self.variables.insert(name.to_owned(), item);
            let state = json!({"index": at, "count": at + 1, "hasNext": at + 1 < last, "first": at == 0, "last": at + 1 == last});
            self.variables.insert("foreach".to_owned(), state);
            self.nodes(body, out)?;
            if out.len() > MOST_OUTPUT {
                break;
            }
        }
        for (name, value) in [(name, before), ("foreach", outer)] {
            match value {
                Some(value) => self.variables.insert(name.to_owned(), value),
                None => self.variables.remove(name),
            };
        }
        Ok(())
    }

    fn expression(&mut self, expression: &Expression) -> Result<Value, String> {
        Ok(match expression {
            Expression::Literal(value) => value.clone(),
            Expression::Interpolated(nodes) => {
                let mut text = String::new();
                self.nodes(nodes, &mut text)?;
                Value::String(text)
            }
            Expression::List(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.expression(item))
                    .collect::<Result<_, _>>()?,
            ),
            Expression::Reference(reference) => self.reference(reference)?.unwrap_or(Value::Null),
            Expression::Not(inner) => Value::Bool(!truth(&self.expression(inner)?)),
            Expression::Binary(left, operator, right) => self.binary(left, *operator, right)?,
        })
    }

    fn binary(&mut self, left: &Expression, operator: Operator, right: &Expression) -> Result<Value, String> {
        let left = self.expression(left)?;
        match operator {
            Operator::Or if truth(&left) => return Ok(Value::Bool(true)),
            Operator::And if !truth(&left) => return Ok(Value::Bool(false)),
            _ => {}
        }
        let right = self.expression(right)?;
        let ordered = |accepted: &[Ordering]| {
            Value::Bool(order(&left, &right).is_some_and(|ordering| accepted.contains(&ordering)))
        };
        Ok(match operator {
            Operator::Or | Operator::And => Value::Bool(truth(&right)),
            Operator::Equal => Value::Bool(equal(&left, &right)),
            Operator::NotEqual => Value::Bool(!equal(&left, &right)),
            Operator::Less => ordered(&[Ordering::Less]),
            Operator::LessOrEqual => ordered(&[Ordering::Less, Ordering::Equal]),
            Operator::Greater => ordered(&[Ordering::Greater]),
            Operator::GreaterOrEqual => ordered(&[Ordering::Greater, Ordering::Equal]),
            Operator::Add => match (left.as_i64(), right.as_i64()) {
                (Some(a), Some(b)) => json!(a.wrapping_add(b)),
                _ => Value::String(java::to_string(&left) + &java::to_string(&right)),
            },
            Operator::Subtract => match (left.as_i64(), right.as_i64()) {
                (Some(a), Some(b)) => json!(a.wrapping_sub(b)),
                _ => return Err("'-' needs two numbers".to_owned()),
            },
        })
    }

    /// `None` where the reference has no value.
    fn reference(&mut self, reference: &Reference) -> Result<Option<Value>, String> {
        let mut object = match self.variables.get(&reference.root) {
            Some(value) => Object::Json(value.clone()),
            None => match reference.root.as_str() {
                "input" => Object::Input,
                "util" => Object::Util,
                "context" => Object::Json(self.scope.context.clone()),
                "stageVariables" => Object::Json(self.scope.stage_variables.clone()),
                _ => return Ok(None),
            },
        };
        for step in &reference.steps {
            match self.step(object, step)? {
                Some(next) => object = next,
                None => return Ok(None),
            }
        }
        match object {
            Object::Json(Value::Null) => Ok(None),
            Object::Json(value) => Ok(Some(value)),
            Object::Input | Object::Util => Err(format!("${} is no value", reference.root)),
        }
    }

    fn step(&mut self, object: Object, step: &Step) -> Result<Option<Object>, String> {
        let value = match (object, step) {
            (Object::Input, Step::Property(name)) if name == "body" => Some(Value::from(self.scope.body)),
            (Object::Input, Step::Method(name, arguments)) => {
                let arguments = self.arguments(arguments)?;
                self.input(name, &arguments)?
            }
            (Object::Util, Step::Method(name, arguments)) => util(name, &self.arguments(arguments)?)?,
            (Object::Input | Object::Util, _) => return Err("this member is not supported".to_owned()),
            (Object::Json(value), Step::Property(name)) => value.get(name).cloned(),
            (Object::Json(value), Step::Index(index)) => index_of(&value, &self.expression(index)?),
            (Object::Json(value), Step::Method(name, arguments)) => {
                method(&value, name, &self.arguments(arguments)?)?
            }
        };
        Ok(value.map(Object::Json))
    }

    fn arguments(&mut self, arguments: &[Expression]) -> Result<Vec<Value>, String> {
        arguments
            .iter()
            .map(|argument| self.expression(argument))
            .collect()
    }

    fn document(&self) -> Result<&Value, String> {
        let document = self.scope.document;
        document.ok_or_else(|| "Could not parse request body into json".to_owned())
    }

    fn input(&self, name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
        let scope = self.scope;
        match (name, arguments) {
            // Assumption (AWS docs say nothing of it): JSON of a path to nothing is the empty string's.
            ("json", [path]) => {
                let found = find(self.document()?, path)?;
                Ok(Some(Value::String(
                    found.map_or_else(|| "\"\"".to_owned(), |value| value.to_string()),
                )))
            }
            ("path", [path]) => find(self.document()?, path),
            ("params", []) => Ok(Some(scope.params.clone())),
            // A name is looked for in the path, the query string and the headers, in this order.
            ("params", [name]) => {
                let name = java::to_string(name);
                let places = ["path", "querystring", "header"];
                let found = places
                    .iter()
                    .find_map(|place| scope.params[place].get(&name).cloned());
                Ok(Some(found.unwrap_or_else(|| Value::from(""))))
            }
            _ => Err(format!(
                "$input.{name} does not take {} arguments",
                arguments.len()
            )),
        }
    }
}

fn find(document: &Value, path: &Value) -> Result<Option<Value>, String> {
    let text = java::to_string(path);
    let path = Path::parse(&text).map_err(|reason| format!("'{text}' is not a JSONPath: {reason}"))?;
    Ok(path.find(document).map(|value| value.into_owned()))
}

fn util(name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    let [argument] = arguments else {
        return Err(format!("$util.{name} takes one argument"));
    };
    let text = java::to_string(argument);
    Ok(Some(match name {
        "escapeJavaScript" => Value::String(java::escape_javascript(&text)),
        "urlEncode" => Value::String(java::url_encode(&text)),
        "urlDecode" => Value::String(java::url_decode(&text)),
        "base64Encode" => Value::String(STANDARD.encode(text)),
        "base64Decode" => {
            let bytes = STANDARD
                .decode(text)
                .map_err(|error| format!("$util.base64Decode: {error}"))?;
            Value::String(String::from_utf8_lossy(&bytes).into_owned())
        }
        "parseJson" => serde_json::from_str(&text).map_err(|error| format!("$util.parseJson: {error}"))?,
        _ => return Err(format!("$util.{name} is not supported")),
    }))
}

fn index_of(value: &Value, index: &Value) -> Option<Value> {
    match (value, index) {
        (Value::Array(items), Value::Number(at)) => items.get(usize::try_from(at.as_u64()?).ok()?).cloned(),
        (Value::Object(fields), Value::String(name)) => fields.get(name).cloned(),
        _ => None,
    }
}

fn method(value: &Value, name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    match (value, name, arguments) {
        (_, "toString", []) => return Ok(Some(Value::String(java::to_string(value)))),
        (_, "equals", [other]) => return Ok(Some(json!(value == other))),
        (Value::String(text), ..) => return string_method(text, name, arguments).map(Some),
        (Value::Array(items), "size", []) => return Ok(Some(json!(items.len()))),
        (Value::Array(items), "isEmpty", []) => return Ok(Some(json!(items.is_empty()))),
        (Value::Array(items), "contains", [item]) => return Ok(Some(json!(items.contains(item)))),
        (Value::Object(fields), "size", []) => return Ok(Some(json!(fields.len()))),
        (Value::Object(fields), "isEmpty", []) => return Ok(Some(json!(fields.is_empty()))),
        (Value::Object(fields), "keySet", []) => {
            return Ok(Some(fields.keys().map(String::as_str).collect()));
        }
        (Value::Object(fields), "containsKey", [Value::String(key)]) => {
            return Ok(Some(json!(fields.contains_key(key))));
        }
        (_, "get", [index]) => return Ok(index_of(value, index)),
        _ => {}
    }
    Err(format!(
        "the method {name} does not fit {}",
        java::to_string(value)
    ))
}

fn string_method(text: &str, name: &str, arguments: &[Value]) -> Result<Value, String> {
    let at = |value: &Value| value.as_u64().and_then(|at| usize::try_from(at).ok());
    Ok(match (name, arguments) {
        ("replaceAll", [Value::String(pattern), Value::String(replacement)]) => {
            Value::String(java::replace_all(text, pattern, replacement)?)
        }
        ("replace", [Value::String(from), Value::String(to)]) => {
            Value::String(text.replace(from.as_str(), to))
        }
        ("length", []) => json!(text.encode_utf16().count()),
        ("isEmpty", []) => json!(text.is_empty()),
        ("trim", []) => json!(text.trim()),
        ("toLowerCase", []) => json!(text.to_lowercase()),
        ("toUpperCase", []) => json!(text.to_uppercase()),
        ("contains", [Value::String(part)]) => json!(text.contains(part.as_str())),
        ("startsWith", [Value::String(part)]) => json!(text.starts_with(part.as_str())),
        ("endsWith", [Value::String(part)]) => json!(text.ends_with(part.as_str())),
        ("indexOf", [Value::String(part)]) => {
            let found = text
                .find(part.as_str())
                .map(|byte| text[..byte].encode_utf16().count());
            found.map_or(json!(-1), |at| json!(at))
        }
        ("split", [Value::String(separator)]) => {
            let regex = regex_lite::Regex::new(separator).map_err(|error| error.to_string())?;
            regex.split(text).collect()
        }
        ("substring", [from, rest @ ..]) => {
            // Java counts UTF-16 units.
            let units: Vec<u16> = text.encode_utf16().collect();
            let to = match rest {
                [] => Some(units.len()),
                [to] => at(to),
                _ => None,
            };
            let part = at(from).zip(to).and_then(|(from, to)| units.get(from..to));
            let part = part.ok_or_else(|| format!("substring is out of range of '{text}'"))?;
            Value::String(String::from_utf16_lossy(part))
        }
        _ => {
            return Err(format!(
                "the method {name} does not fit a string and these arguments"
            ));
        }
    })
}

/// Velocity 1.7: only null and false are false.
fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

fn equal(left: &Value, right: &Value) -> bool {
    if left.is_number() && right.is_number() {
        return order(left, right) == Some(Ordering::Equal);
    }
    // Velocity compares unlike objects by what they print as.
    left == right || (!left.is_null() && !right.is_null() && java::to_string(left) == java::to_string(right))
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    left.as_f64()?.partial_cmp(&right.as_f64()?)
}
