//! Event patterns: which events a rule matches.
//!
//! Facts: the EventBridge user guide, "Comparison operators for use in event patterns".

use serde_json::{Map, Number, Value};

use crate::glob;

/// A parsed pattern.
#[derive(Debug, Clone)]
pub struct Pattern(Vec<Condition>);

/// All conditions of an object have to hold.
#[derive(Debug, Clone)]
enum Condition {
    /// The field holds an object for which the pattern holds.
    Nested(String, Pattern),
    /// The field's value, or one of its values, passes one of the tests.
    Field(String, Vec<Test>),
    Or(Vec<Pattern>),
}

#[derive(Debug, Clone)]
enum Test {
    Equals(Value),
    Text(TextTest),
    AnythingBut(Vec<Test>),
    Exists(bool),
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Debug, Clone)]
enum TextTest {
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    PrefixIgnoreCase(String),
    SuffixIgnoreCase(String),
    Wildcard(Vec<String>),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Pattern {
    /// Parses a pattern. The error is the reason, as it follows AWS's "Event pattern is not valid. Reason: ".
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let object = value.as_object().ok_or("Filter is not an object")?;
        Self::of(object)
    }

    fn of(object: &Map<String, Value>) -> Result<Self, String> {
        if object.is_empty() {
            return Err("Empty objects are not allowed".to_owned());
        }
        object
            .iter()
            .map(|(name, value)| Condition::of(name, value))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the whole event matches.
    pub fn matches(&self, event: &Value) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Nested(name, pattern) => match event.get(name) {
                // Of an array of objects, one has to match.
                Some(Value::Array(items)) => items.iter().any(|item| pattern.matches(item)),
                Some(nested) => pattern.matches(nested),
                None => pattern.matches(&Value::Null),
            },
            Condition::Field(name, tests) => tests.iter().any(|test| test.passes(event.get(name))),
            Condition::Or(patterns) => patterns.iter().any(|pattern| pattern.matches(event)),
        })
    }
}

impl Condition {
    fn of(name: &str, value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(patterns) if name == "$or" => {
                let patterns = patterns.iter().map(|pattern| {
                    Pattern::of(pattern.as_object().ok_or("\"$or\" must be an array of objects")?)
                });
                let patterns: Vec<_> = patterns.collect::<Result<_, String>>()?;
                if patterns.len() < 2 {
                    return Err("\"$or\" needs at least two alternatives".to_owned());
                }
                Ok(Self::Or(patterns))
            }
            Value::Array(tests) if !tests.is_empty() => {
                let tests: Result<_, _> = tests.iter().map(Test::of).collect();
                Ok(Self::Field(name.to_owned(), tests?))
            }
            Value::Object(nested) => Ok(Self::Nested(name.to_owned(), Pattern::of(nested)?)),
            Value::Array(_) => Err("Empty arrays are not allowed".to_owned()),
            _ => Err(format!("\"{name}\" must be an object or an array")),
        }
    }
}

impl Test {
    fn of(value: &Value) -> Result<Self, String> {
        let object = match value {
            Value::Object(object) => object,
            Value::Array(_) => return Err("Arrays in arrays are not allowed".to_owned()),
            literal => return Ok(Self::Equals(literal.clone())),
        };
        let mut members = object.iter();
        let (Some((operator, operand)), None) = (members.next(), members.next()) else {
            return Err("Only one key allowed in match expression".to_owned());
        };
        match operator.as_str() {
            "exists" => operand.as_bool().map(Self::Exists).ok_or_else(|| wrong(operator)),
            "numeric" => parse_numeric(operand).map(Self::Numeric),
            "anything-but" => parse_anything_but(operand).map(Self::AnythingBut),
            _ => TextTest::of(operator, operand).map(Self::Text),
        }
    }

    /// `None` is a field that is not there.
    fn passes(&self, value: Option<&Value>) -> bool {
        if let Self::Exists(wanted) = self {
            // Only a leaf exists: an object is looked into by a nested pattern.
            return value.is_some_and(|value| !value.is_object()) == *wanted;
        }
        match value {
            None => false,
            Some(Value::Array(items)) => items.iter().any(|item| self.passes_leaf(item)),
            Some(leaf) => self.passes_leaf(leaf),
        }
    }

    fn passes_leaf(&self, value: &Value) -> bool {
        match self {
            Self::Equals(Value::Number(wanted)) => value.as_number().is_some_and(|found| same(wanted, found)),
            Self::Equals(wanted) => wanted == value,
            Self::Text(test) => value.as_str().is_some_and(|text| test.passes(text)),
            Self::AnythingBut(tests) => {
                (value.is_string() || value.is_number()) && !tests.iter().any(|test| test.passes_leaf(value))
            }
            Self::Numeric(comparisons) => value.as_f64().is_some_and(|found| {
                comparisons
                    .iter()
                    .all(|(comparison, limit)| comparison.holds(found, *limit))
            }),
            Self::Exists(_) => false,
        }
    }
}

/// 300, 300.0 and 3e2 are the same number.
fn same(one: &Number, other: &Number) -> bool {
    one == other || one.as_f64() == other.as_f64()
}

fn wrong(operator: &str) -> String {
    format!("The operand of \"{operator}\" is not valid")
}

fn parse_anything_but(operand: &Value) -> Result<Vec<Test>, String> {
    let wrong = || wrong("anything-but");
    match operand {
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| {
                if item.is_string() || item.is_number() {
                    Ok(Test::Equals(item.clone()))
                } else {
                    Err(wrong())
                }
            })
            .collect(),
        Value::String(_) | Value::Number(_) => Ok(vec![Test::Equals(operand.clone())]),
        Value::Object(nested) if nested.len() == 1 => {
            let (operator, operands) = nested.iter().next().ok_or_else(wrong)?;
            let operands = match operands {
                Value::Array(operands) if !operands.is_empty() => operands.as_slice(),
                single => std::slice::from_ref(single),
            };
            operands
                .iter()
                .map(|operand| TextTest::of(operator, operand).map(Test::Text))
                .collect()
        }
        _ => Err(wrong()),
    }
}

fn parse_numeric(operand: &Value) -> Result<Vec<(Comparison, f64)>, String> {
    let wrong = || wrong("numeric");
    let items = operand.as_array().ok_or_else(wrong)?;
    if items.is_empty() || items.len() > 4 {
        return Err(wrong());
    }
    items
        .chunks(2)
        .map(|pair| {
            let [operator, limit] = pair else {
                return Err(wrong());
            };
            let comparison = match operator.as_str() {
                Some("=") => Comparison::Equal,
                Some("<") => Comparison::Less,
                Some("<=") => Comparison::LessOrEqual,
                Some(">") => Comparison::Greater,
                Some(">=") => Comparison::GreaterOrEqual,
                _ => return Err(wrong()),
            };
            Ok((comparison, limit.as_f64().ok_or_else(wrong)?))
        })
        .collect()
}

impl Comparison {
    // Numbers of a pattern and of an event are compared as written, not as computed.
    #[allow(clippy::float_cmp)]
    fn holds(self, found: f64, limit: f64) -> bool {
        match self {
            Self::Equal => found == limit,
            Self::Less => found < limit,
            Self::LessOrEqual => found <= limit,
            Self::Greater => found > limit,
            Self::GreaterOrEqual => found >= limit,
        }
    }
}

impl TextTest {
    fn of(operator: &str, operand: &Value) -> Result<Self, String> {
        let ignoring_case = operand
            .as_object()
            .filter(|object| object.len() == 1)
            .and_then(|object| object.get("equals-ignore-case"))
            .and_then(Value::as_str);
        if let Some(text) = ignoring_case {
            return match operator {
                "prefix" => Ok(Self::PrefixIgnoreCase(text.to_lowercase())),
                "suffix" => Ok(Self::SuffixIgnoreCase(text.to_lowercase())),
                _ => Err(wrong(operator)),
            };
        }
        let text = || operand.as_str().map(str::to_owned).ok_or_else(|| wrong(operator));
        match operator {
            "prefix" => text().map(Self::Prefix),
            "suffix" => text().map(Self::Suffix),
            "equals-ignore-case" => text().map(|text| Self::EqualsIgnoreCase(text.to_lowercase())),
            "wildcard" => parse_wildcard(&text()?).map(Self::Wildcard),
            _ => Err(format!("Unrecognized match type {operator}")),
        }
    }

    fn passes(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::EqualsIgnoreCase(wanted) => text.to_lowercase() == *wanted,
            Self::PrefixIgnoreCase(prefix) => text.to_lowercase().starts_with(prefix),
            Self::SuffixIgnoreCase(suffix) => text.to_lowercase().ends_with(suffix),
            Self::Wildcard(parts) => glob::matches(parts, text),
        }
    }
}

/// The literal parts between asterisks; `\*` and `\\` stand for themselves.
fn parse_wildcard(pattern: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let literal = match c {
            '*' if chars.peek() == Some(&'*') => return Err("Consecutive wildcard characters".to_owned()),
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => chars
                .next()
                .filter(|next| ['*', '\\'].contains(next))
                .ok_or("Invalid escape character")?,
            other => other,
        };
        parts.last_mut().ok_or("no pattern")?.push(literal);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "source": "aws.s3", "detail-type": "Object Created", "resources": ["arn:aws:s3:::photos"],
            "detail": {"bucket": {"name": "photos"}, "object": {"key": "In/Cat.JPG", "size": 300}, "none": null}
        })
    }

    fn matches(pattern: &Value) -> bool {
        Pattern::parse(&pattern.to_string()).unwrap().matches(&event())
    }

    #[test]
    fn the_pipelines_rule_matches_its_bucket_alone() {
        let rule = |bucket: &str| json!({"source": ["aws.s3"], "detail-type": ["Object Created"], "resources": [format!("arn:aws:s3:::{bucket}")]});
        assert!(matches(&rule("photos")));
        assert!(!matches(&rule("other")));
    }

    #[test]
    fn each_operator_tests_what_its_name_says() {
        let key = |test: Value| json!({"detail": {"object": {"key": [test]}}});
        let size = |test: Value| json!({"detail": {"object": {"size": [test]}}});
        for (pattern, wanted) in [
            (key(json!({"prefix": "In/"})), true),
            (key(json!({"prefix": "in/"})), false),
            (key(json!({"prefix": {"equals-ignore-case": "in/"}})), true),
            (key(json!({"suffix": ".JPG"})), true),
            (key(json!({"suffix": {"equals-ignore-case": ".jpg"}})), true),
            (key(json!({"equals-ignore-case": "in/cat.jpg"})), true),
            (key(json!({"wildcard": "In/*.JPG"})), true),
            (key(json!({"wildcard": "In/*.PNG"})), false),
            (key(json!({"anything-but": "In/Cat.JPG"})), false),
            (key(json!({"anything-but": ["a", "b"]})), true),
            (key(json!({"anything-but": {"prefix": "In"}})), false),
            (key(json!({"anything-but": {"suffix": [".PNG", ".GIF"]}})), true),
            (key(json!({"exists": true})), true),
            (size(json!(300)), true),
            (size(json!(300.0)), true),
            (size(json!("300")), false),
            (size(json!({"numeric": [">", 0, "<=", 300]})), true),
            (size(json!({"numeric": ["<", 300]})), false),
            (json!({"detail": {"gone": [{"exists": false}]}}), true),
            (json!({"gone": {"deep": [{"exists": false}]}}), true),
            (json!({"detail": {"none": [null]}}), true),
            (
                json!({"$or": [{"source": ["x"]}, {"detail": {"bucket": {"name": ["photos"]}}}]}),
                true,
            ),
            (json!({"$or": [{"source": ["x"]}, {"source": ["y"]}]}), false),
        ] {
            assert_eq!(matches(&pattern), wanted, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            json!({}),
            json!([]),
            json!({"source": "aws.s3"}),
            json!({"source": []}),
            json!({"source": [{"cidr": "10.0.0.0/8"}]}),
            json!({"source": [{"numeric": [">"]}]}),
            json!({"source": [{"prefix": "a", "suffix": "b"}]}),
            json!({"source": [{"wildcard": "a**b"}]}),
            json!({"source": [["a"]]}),
        ] {
            assert!(Pattern::parse(&pattern.to_string()).is_err(), "{pattern}");
        }
    }
}
