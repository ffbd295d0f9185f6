//! Mapping templates: the part of the Velocity Template Language that API Gateway templates use.
//!
//! [`Template::parse`] refuses what is not evaluated here, so an API with such a template is refused when it is imported.
//!
//! Facts: the Velocity user guide, and "Variables for data transformations for API Gateway".

mod ast;
mod evaluate;
mod java;
mod parse;

pub use evaluate::Scope;

/// A parsed mapping template.
#[derive(Debug, Clone)]
pub struct Template(Vec<ast::Node>);

impl Template {
    /// Parses a template. The error says what is not understood, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::template(text).map(Self)
    }

    /// Fills the template in. The error says what could not be evaluated.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, String> {
        evaluate::render(&self.0, scope)
    }
}

#[cfg(test)]
mod tests;
