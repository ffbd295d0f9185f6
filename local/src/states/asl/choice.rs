//! Choice rules: data-test expressions and their combination by And, Or and Not.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::expression::{Expression, Scope};
use super::fields::{Fields, Problem};
use super::task::Fault;

#[derive(Debug, Clone)]
pub enum Rule {
    And(Vec<Rule>),
    Or(Vec<Rule>),
    Not(Box<Rule>),
    Test { variable: Expression, test: Test },
}

#[derive(Debug, Clone)]
pub enum Test {
    Is {
        kind: Kind,
        wanted: bool,
    },
    Compare {
        kind: Kind,
        orderings: &'static [Ordering],
        operand: Operand,
    },
    Matches(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Present,
    Null,
    Boolean,
    Numeric,
    String,
    Timestamp,
}

#[derive(Debug, Clone)]
pub enum Operand {
    Literal(Value),
    Path(Expression),
}

const COMPARED: [(&str, Kind); 4] = [
    ("String", Kind::String),
    ("Numeric", Kind::Numeric),
    ("Boolean", Kind::Boolean),
    ("Timestamp", Kind::Timestamp),
];

const COMPARISONS: [(&str, &[Ordering]); 5] = [
    ("Equals", &[Ordering::Equal]),
    ("LessThanEquals", &[Ordering::Less, Ordering::Equal]),
    ("LessThan", &[Ordering::Less]),
    ("GreaterThanEquals", &[Ordering::Greater, Ordering::Equal]),
    ("GreaterThan", &[Ordering::Greater]),
];

const TYPE_TESTS: [(&str, Kind); 6] = [
    ("IsPresent", Kind::Present),
    ("IsNull", Kind::Null),
    ("IsBoolean", Kind::Boolean),
    ("IsNumeric", Kind::Numeric),
    ("IsString", Kind::String),
    ("IsTimestamp", Kind::Timestamp),
];

impl Rule {
    /// Reads one rule from `fields` (the caller has taken `Next` from a top-level one).
    pub fn parse(mut fields: Fields<'_, '_>) -> Option<Self> {
        fields.take("Comment");
        let location = fields.location().to_owned();
        let rule = if fields.has("And") {
            fields
                .array("And")
                .map(|rules| Self::And(parse_all(rules, &format!("{location}/And"), fields.problems())))
        } else if fields.has("Or") {
            fields
                .array("Or")
                .map(|rules| Self::Or(parse_all(rules, &format!("{location}/Or"), fields.problems())))
        } else if let Some(rule) = fields.object("Not") {
            let nested = Fields::new(rule, format!("{location}/Not"), fields.problems());
            Self::parse(nested).map(|rule| Self::Not(Box::new(rule)))
        } else {
            let variable = fields.required_path("Variable");
            let test = Test::parse(&mut fields);
            variable
                .zip(test)
                .map(|(variable, test)| Self::Test { variable, test })
        };
        fields.finish();
        rule
    }

    pub fn holds(&self, scope: Scope<'_>) -> Result<bool, Fault> {
        match self {
            Self::And(rules) => {
                for rule in rules {
                    if !rule.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(rules) => {
                for rule in rules {
                    if rule.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(rule) => Ok(!rule.holds(scope)?),
            Self::Test { variable, test } => {
                let value = variable.find(scope)?;
                if let Test::Is {
                    kind: Kind::Present,
                    wanted,
                } = test
                {
                    return Ok(value.is_some() == *wanted);
                }
                test.holds(&value.ok_or_else(|| missing(variable))?, scope)
            }
        }
    }
}

fn parse_all(rules: &[Value], location: &str, problems: &mut Vec<Problem>) -> Vec<Rule> {
    if rules.is_empty() {
        problems.push(Problem::schema("The array must not be empty", location));
    }
    let mut parsed = Vec::with_capacity(rules.len());
    for (at, rule) in rules.iter().enumerate() {
        let location = format!("{location}[{at}]");
        match rule.as_object() {
            Some(object) => parsed.extend(Rule::parse(Fields::new(object, location, problems))),
            None => problems.push(Problem::schema("Expected a Choice Rule object", location)),
        }
    }
    parsed
}

fn missing(path: &Expression) -> Fault {
    Fault::runtime(format!(
        "Invalid path '{}': The choice state's condition path references an invalid value.",
        path.text()
    ))
}

impl Test {
    fn parse(fields: &mut Fields<'_, '_>) -> Option<Self> {
        for (name, kind) in TYPE_TESTS {
            if fields.has(name) {
                return fields.boolean(name).map(|wanted| Self::Is { kind, wanted });
            }
        }
        if fields.has("StringMatches") {
            return fields
                .text("StringMatches")
                .map(|pattern| Self::Matches(pattern.to_owned()));
        }
        for (prefix, kind) in COMPARED {
            for (suffix, orderings) in COMPARISONS {
                if kind == Kind::Boolean && suffix != "Equals" {
                    continue;
                }
                let literal = format!("{prefix}{suffix}");
                let path = format!("{literal}Path");
                if fields.has(&path) {
                    let operand = Operand::Path(fields.path(&path)?);
                    return Some(Self::Compare {
                        kind,
                        orderings,
                        operand,
                    });
                }
                if let Some(value) = fields.take(&literal) {
                    if !kind.is_kind_of(value) {
                        fields.refuse(&literal, format!("The operand of {literal} is of the wrong type"));
                    }
                    let operand = Operand::Literal(value.clone());
                    return Some(Self::Compare {
                        kind,
                        orderings,
                        operand,
                    });
                }
            }
        }
        let location = fields.location().to_owned();
        fields.problems().push(Problem::schema(
            "A Choice Rule needs a known comparison operator",
            location,
        ));
        None
    }

    fn holds(&self, value: &Value, scope: Scope<'_>) -> Result<bool, Fault> {
        Ok(match self {
            Self::Is { kind, wanted } => kind.is_kind_of(value) == *wanted,
            Self::Matches(pattern) => value.as_str().is_some_and(|text| glob(pattern, text)),
            Self::Compare {
                kind,
                orderings,
                operand,
            } => {
                let other = match operand {
                    Operand::Literal(literal) => literal.clone(),
                    Operand::Path(path) => path.find(scope)?.ok_or_else(|| missing(path))?,
                };
                kind.compare(value, &other)
                    .is_some_and(|ordering| orderings.contains(&ordering))
            }
        })
    }
}

impl Kind {
    fn is_kind_of(self, value: &Value) -> bool {
        match self {
            Self::Present => true,
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Numeric => value.is_number(),
            Self::String => value.is_string(),
            Self::Timestamp => timestamp(value).is_some(),
        }
    }

    /// `None` where one of the two is not of this kind: the test is then false.
    fn compare(self, left: &Value, right: &Value) -> Option<Ordering> {
        match self {
            Self::String => Some(left.as_str()?.cmp(right.as_str()?)),
            Self::Numeric => left.as_f64()?.partial_cmp(&right.as_f64()?),
            Self::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
            Self::Timestamp => Some(timestamp(left)?.cmp(&timestamp(right)?)),
            Self::Present | Self::Null => None,
        }
    }
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// `StringMatches`: `*` stands for any characters, `\*` for an asterisk.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let literal = match c {
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            other => other,
        };
        if let Some(part) = parts.last_mut() {
            part.push(literal);
        }
    }
    crate::glob::matches(&parts, text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn holds(rule: Value, input: &Value) -> Result<bool, Fault> {
        let mut problems = Vec::new();
        let rule = Rule::parse(Fields::new(rule.as_object().unwrap(), "", &mut problems));
        assert_eq!(problems, []);
        rule.unwrap().holds(Scope {
            input,
            context: &Value::Null,
        })
    }

    #[test]
    fn each_operator_tests_what_its_name_says() {
        let input = json!({
            "ok": true, "n": 5, "m": 7, "s": "abc", "star": "a*c", "nil": null,
            "t": "2024-01-02T03:04:05Z", "later": "2024-01-02T04:04:05+00:00"
        });
        for (rule, wanted) in [
            (json!({"Variable": "$.ok", "BooleanEquals": true}), true),
            (json!({"Variable": "$.s", "BooleanEquals": true}), false),
            (json!({"Variable": "$.n", "NumericLessThanEquals": 5}), true),
            (json!({"Variable": "$.n", "NumericGreaterThanPath": "$.m"}), false),
            (json!({"Variable": "$.s", "StringGreaterThan": "abb"}), true),
            (json!({"Variable": "$.s", "StringMatches": "a*c"}), true),
            (json!({"Variable": "$.s", "StringMatches": "a\\*c"}), false),
            (json!({"Variable": "$.star", "StringMatches": "a\\*c"}), true),
            (
                json!({"Variable": "$.t", "TimestampLessThanPath": "$.later"}),
                true,
            ),
            (json!({"Variable": "$.t", "IsTimestamp": true}), true),
            (json!({"Variable": "$.s", "IsTimestamp": true}), false),
            (json!({"Variable": "$.nil", "IsNull": true}), true),
            (json!({"Variable": "$.nil", "IsPresent": true}), true),
            (json!({"Variable": "$.gone", "IsPresent": false}), true),
            (json!({"Not": {"Variable": "$.n", "NumericEquals": 5}}), false),
            (
                json!({"And": [{"Variable": "$.gone", "IsPresent": true}, {"Variable": "$.gone", "NumericEquals": 5}]}),
                false,
            ),
            (
                json!({"Or": [{"Variable": "$.n", "NumericEquals": 5}, {"Variable": "$.gone", "NumericEquals": 5}]}),
                true,
            ),
        ] {
            assert_eq!(holds(rule.clone(), &input).unwrap(), wanted, "{rule}");
        }
    }

    #[test]
    fn a_variable_that_is_not_there_fails_the_execution() {
        let fault = holds(json!({"Variable": "$.gone", "BooleanEquals": true}), &json!({})).unwrap_err();
        assert_eq!(fault.error.as_deref(), Some("States.Runtime"));
        assert_eq!(
            fault.cause.as_deref(),
            Some("Invalid path '$.gone': The choice state's condition path references an invalid value.")
        );
    }

    #[test]
    fn unknown_operators_are_refused() {
        for rule in [
            json!({"Variable": "$.a", "StringContains": "x"}),
            json!({"Variable": "$.a", "BooleanLessThan": true}),
            json!({"Variable": "$.a", "NumericEquals": "5"}),
            json!({"Variable": "$.a"}),
            json!({"NumericEquals": 5}),
        ] {
            let mut problems = Vec::new();
            Rule::parse(Fields::new(rule.as_object().unwrap(), "", &mut problems));
            assert!(!problems.is_empty(), "{rule}");
        }
    }
}
