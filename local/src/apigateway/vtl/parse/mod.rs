//! From a template's text to its nodes: text and directives here, expressions in [`expression`], references in
//! [`reference`].

mod expression;
mod reference;

use super::ast::Node;

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
        self.set_name(&name)?;
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
        self.set_name(&name)?;
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
