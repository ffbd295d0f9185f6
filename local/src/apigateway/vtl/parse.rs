//! From a template's text to its nodes.

use serde_json::Value;

use super::ast::{Expression, Node, Operator, Reference, Step};

/// Variables that API Gateway defines; others have to be set by the template.
const DEFINED: [&str; 5] = ["input", "util", "context", "stageVariables", "foreach"];

/// Methods that are evaluated here, of whatever object.
pub const METHODS: [&str; 28] = [
    "json",
    "path",
    "params",
    "escapeJavaScript",
    "urlEncode",
    "urlDecode",
    "base64Encode",
    "base64Decode",
    "parseJson",
    "replaceAll",
    "replace",
    "length",
    "substring",
    "toString",
    "equals",
    "contains",
    "startsWith",
    "endsWith",
    "indexOf",
    "toLowerCase",
    "toUpperCase",
    "trim",
    "isEmpty",
    "size",
    "get",
    "keySet",
    "containsKey",
    "split",
];

/// Directives of Velocity that are refused rather than printed.
const REFUSED: [&str; 8] = [
    "macro", "parse", "include", "define", "evaluate", "stop", "break", "return",
];

/// How deep blocks, brackets and strings may nest.
const MOST_DEPTH: usize = 40;

pub fn template(text: &str) -> Result<Vec<Node>, String> {
    Parser::new(text, Vec::new(), 0).template()
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Variables set so far.
    known: Vec<String>,
    depth: usize,
}

/// What ended a block.
#[derive(PartialEq, Eq)]
enum Ended {
    Text,
    End,
    Else,
    ElseIf,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, known: Vec<String>, depth: usize) -> Self {
        Self {
            text,
            at: 0,
            known,
            depth,
        }
    }

    fn template(mut self) -> Result<Vec<Node>, String> {
        match self.block()? {
            (nodes, Ended::Text) => Ok(nodes),
            _ => Err(self.wrong("#end or #else without #if")),
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn wrong(&self, what: &str) -> String {
        let line = self.text[..self.at].matches('\n').count() + 1;
        format!("{what} (line {line})")
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        self.skip_space();
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.wrong(&format!("expected '{token}'")))
        }
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// After a directive that ends its line, the line's end belongs to the directive.
    fn skip_line_end(&mut self) {
        let after = self.rest().trim_start_matches([' ', '\t']);
        if let Some(after) = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n')) {
            self.at = self.text.len() - after.len();
        }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            Err(self.wrong("the template nests too deep"))
        } else {
            Ok(())
        }
    }

    fn block(&mut self) -> Result<(Vec<Node>, Ended), String> {
        self.deeper()?;
        let (mut nodes, mut text) = (Vec::new(), String::new());
        let ended = loop {
            let Some(next) = self.rest().chars().next() else {
                break Ended::Text;
            };
            let before = self.at;
            let node = match next {
                '$' => self.reference_node()?,
                '#' => match self.directive()? {
                    Directive::Node(node) => Some(node),
                    Directive::Nothing => None,
                    Directive::Ended(ended) => break ended,
                },
                // `\$x` and `\#if` print themselves.
                '\\' if self.is_escaped_reference() => {
                    self.at += 1;
                    let start = self.at;
                    self.reference_node()?;
                    text.push_str(&self.text[start..self.at]);
                    None
                }
                _ => None,
            };
            if let Some(node) = node {
                if !text.is_empty() {
                    nodes.push(Node::Text(std::mem::take(&mut text)));
                }
                nodes.push(node);
            } else if self.at == before {
                text.push(next);
                self.at += next.len_utf8();
            }
        };
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        self.depth -= 1;
        Ok((nodes, ended))
    }

    fn is_escaped_reference(&self) -> bool {
        let after = &self.rest()[1..];
        let name = after.strip_prefix("${").or_else(|| after.strip_prefix('$'));
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
            .unwrap_or(rest.len());
        self.at += end;
        Some(rest[..end].to_owned())
    }

    /// A reference in the text; `None`, and nothing eaten, where the `$` is just a dollar.
    fn reference_node(&mut self) -> Result<Option<Node>, String> {
        let start = self.at;
        let Some((reference, quiet)) = self.reference()? else {
            self.at = start;
            return Ok(None);
        };
        let source = self.text[start..self.at].to_owned();
        Ok(Some(Node::Reference {
            reference,
            quiet,
            source,
        }))
    }

    fn reference(&mut self) -> Result<Option<(Reference, bool)>, String> {
        if !self.eat("$") {
            return Ok(None);
        }
        let quiet = self.eat("!");
        let braces = self.eat("{");
        let Some(root) = self.name() else { return Ok(None) };
        if !DEFINED.contains(&root.as_str()) && !self.known.contains(&root) {
            return Err(self.wrong(&format!(
                "the variable ${root} is not supported and not set before its use"
            )));
        }
        let mut steps = Vec::new();
        loop {
            if self.rest().starts_with('.') {
                let dot = self.at;
                self.at += 1;
                let Some(name) = self.name() else {
                    self.at = dot;
                    break;
                };
                if self.eat("(") {
                    if !METHODS.contains(&name.as_str()) {
                        return Err(self.wrong(&format!("the method {name} is not supported")));
                    }
                    steps.push(Step::Method(name, self.arguments(")")?));
                } else {
                    steps.push(Step::Property(name));
                }
            } else if self.eat("[") {
                let index = self.expression(0)?;
                self.expect("]")?;
                steps.push(Step::Index(index));
            } else {
                break;
            }
        }
        if braces && !self.eat("}") {
            return Err(self.wrong("a reference in braces does not end"));
        }
        Ok(Some((Reference { root, steps }, quiet)))
    }

    fn arguments(&mut self, close: &str) -> Result<Vec<Expression>, String> {
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
    fn expression(&mut self, least: u8) -> Result<Expression, String> {
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

    fn directive(&mut self) -> Result<Directive, String> {
        let rest = self.rest();
        if rest.starts_with("##") {
            self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
            return Ok(Directive::Nothing);
        }
        if rest.starts_with("#*") {
            let end = rest
                .find("*#")
                .ok_or_else(|| self.wrong("a comment does not end"))?;
            self.at += end + 2;
            return Ok(Directive::Nothing);
        }
        let start = self.at;
        self.at += 1;
        let braces = self.eat("{");
        let name = self.name().unwrap_or_default();
        if braces && !self.eat("}") {
            self.at = start;
            return Ok(Directive::Nothing);
        }
        match name.as_str() {
            "set" => self.set().map(Directive::Node),
            "if" => self.condition().map(Directive::Node),
            "foreach" => self.foreach().map(Directive::Node),
            "end" => Ok(self.ended(Ended::End)),
            "else" => Ok(self.ended(Ended::Else)),
            "elseif" => Ok(Directive::Ended(Ended::ElseIf)),
            refused if REFUSED.contains(&refused) => {
                Err(self.wrong(&format!("the directive #{refused} is not supported")))
            }
            _ => {
                self.at = start;
                Ok(Directive::Nothing)
            }
        }
    }

    fn ended(&mut self, ended: Ended) -> Directive {
        self.skip_line_end();
        Directive::Ended(ended)
    }

    fn set(&mut self) -> Result<Node, String> {
        self.expect("(")?;
        self.expect("$")?;
        let braces = self.eat("{");
        let name = self.name().ok_or_else(|| self.wrong("#set needs a variable"))?;
        if braces {
            self.expect("}")?;
        }
        self.expect("=")?;
        let value = self.expression(0)?;
        self.expect(")")?;
        self.skip_line_end();
        self.known.push(name.clone());
        Ok(Node::Set { name, value })
    }

    fn condition(&mut self) -> Result<Node, String> {
        let mut branches = Vec::new();
        loop {
            self.expect("(")?;
            let condition = self.expression(0)?;
            self.expect(")")?;
            self.skip_line_end();
            let (body, ended) = self.block()?;
            branches.push((condition, body));
            match ended {
                Ended::ElseIf => {}
                Ended::End => {
                    return Ok(Node::If {
                        branches,
                        otherwise: Vec::new(),
                    });
                }
                Ended::Else => {
                    let (otherwise, ended) = self.block()?;
                    if ended != Ended::End {
                        return Err(self.wrong("#else without #end"));
                    }
                    return Ok(Node::If { branches, otherwise });
                }
                Ended::Text => return Err(self.wrong("#if without #end")),
            }
        }
    }

    fn foreach(&mut self) -> Result<Node, String> {
        self.expect("(")?;
        self.expect("$")?;
        let name = self
            .name()
            .ok_or_else(|| self.wrong("#foreach needs a variable"))?;
        self.expect("in")?;
        let items = self.expression(0)?;
        self.expect(")")?;
        self.skip_line_end();
        self.known.push(name.clone());
        match self.block()? {
            (body, Ended::End) => Ok(Node::Foreach { name, items, body }),
            _ => Err(self.wrong("#foreach without #end")),
        }
    }
}

enum Directive {
    Node(Node),
    /// A comment, or a `#` that is just text.
    Nothing,
    Ended(Ended),
}

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
