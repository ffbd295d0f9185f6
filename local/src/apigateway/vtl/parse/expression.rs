//! Expressions of a template.

use serde_json::Value;

use super::super::ast::{Expression, Operator};
use super::Parser;

/// Longer tokens first; a higher number binds tighter.
const OPERATORS: [(&str, Operator, u8); 10] = [
    ("||", Operator::Or, 1),
    ("&&", Operator::And, 2),
    ("==", Operator::Equal, 3),
    ("!=", Operator::NotEqual, 3),
    ("<=", Operator::LessOrEqual, 4),
    (">=", Operator::GreaterOrEqual, 4),
    ("<", Operator::Less, 4),
    (">", Operator::Greater, 4),
    ("+", Operator::Add, 5),
    ("-", Operator::Subtract, 5),
];
const NOT_BINDING: u8 = 6;

impl Parser<'_> {
    pub(super) fn arguments(&mut self, close: &str) -> Result<Vec<Expression>, String> {
        let mut arguments = Vec::new();
        self.skip_space();
        if self.eat(close) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression(0)?);
            self.skip_space();
            if self.eat(close) {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    /// An expression whose operators bind tighter than `least`.
    pub(super) fn expression(&mut self, least: u8) -> Result<Expression, String> {
        self.deeper()?;
        let mut left = self.operand()?;
        loop {
            self.skip_space();
            let Some((token, operator, binding)) = OPERATORS
                .iter()
                .find(|(token, ..)| self.rest().starts_with(token))
            else {
                break;
            };
            if *binding <= least {
                break;
            }
            self.at += token.len();
            let right = self.expression(*binding)?;
            left = Expression::Binary(Box::new(left), *operator, Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expression, String> {
        self.skip_space();
        if self.eat("!") {
            return Ok(Expression::Not(Box::new(self.expression(NOT_BINDING)?)));
        }
        if self.eat("(") {
            let inner = self.expression(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.eat("[") {
            return self.arguments("]").map(Expression::List);
        }
        if self.rest().starts_with('$') {
            let reference = self.reference()?;
            return reference
                .map(|(reference, _)| Expression::Reference(reference))
                .ok_or_else(|| self.wrong("expected a variable"));
        }
        if let Some(quote) = self.rest().chars().next().filter(|c| ['\'', '"'].contains(c)) {
            return self.string(quote);
        }
        self.number_or_word()
    }

    /// Velocity knows no backslash escapes in strings; a doubled quote stands for one.
    fn string(&mut self, quote: char) -> Result<Expression, String> {
        self.at += 1;
        let mut inner = String::new();
        loop {
            let rest = self.rest();
            let end = rest
                .find(quote)
                .ok_or_else(|| self.wrong("a string does not end"))?;
            inner.push_str(&rest[..end]);
            self.at += end + 1;
            if !self.rest().starts_with(quote) {
                break;
            }
            inner.push(quote);
            self.at += 1;
        }
        if quote == '\'' {
            return Ok(Expression::Literal(Value::String(inner)));
        }
        Parser::new(&inner, self.known.clone(), self.depth)
            .template()
            .map(Expression::Interpolated)
    }

    fn number_or_word(&mut self) -> Result<Expression, String> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            let sign = rest.len() - digits.len();
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            let number: i64 = rest[..sign + end]
                .parse()
                .map_err(|_| self.wrong("a number is too large"))?;
            self.at += sign + end;
            return Ok(Expression::Literal(Value::from(number)));
        }
        let word = self.name();
        match word.as_deref() {
            Some("true") => Ok(Expression::Literal(Value::Bool(true))),
            Some("false") => Ok(Expression::Literal(Value::Bool(false))),
            Some("null") => Ok(Expression::Literal(Value::Null)),
            _ => Err(self.wrong("expected a string, a number or a variable")),
        }
    }
}
