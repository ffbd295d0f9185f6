//! What would be done, field by field.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::table::{aligned, cut_middle, width_of_stdout};
use crate::engine::{Action, FieldChange, Graph, Plan};

const CREATE: Style = AnsiColor::Green.on_default();
const CHANGE: Style = AnsiColor::Yellow.on_default();
const REMOVE: Style = AnsiColor::Red.on_default();

/// Indents a field's line below its resource's.
const INDENT: usize = 10;

/// The steps that would write something, with what would change.
pub fn text(graph: &Graph, plan: &Plan) -> String {
    let width = width_of_stdout();
    let steps: Vec<_> = plan.steps.iter().filter(|step| step.action.writes()).collect();
    let rows: Vec<[String; 2]> = steps
        .iter()
        .map(|step| {
            let resource = graph.resource(step.node);
            [resource.kind().to_owned(), resource.name().to_owned()]
        })
        .collect();
    let names = aligned(&rows, width.saturating_sub(INDENT));
    let mut lines = Vec::new();
    for (step, name) in steps.iter().zip(names) {
        let (style, verb, changes): (_, _, &[FieldChange]) = match &step.action {
            Action::Create(_) => (CREATE, "create", &[]),
            Action::Change(changes) => (CHANGE, "change", changes),
            _ => (REMOVE, "remove", &[]),
        };
        lines.push(format!("{style}{verb:8}{style:#}{name}"));
        lines.extend(changes.iter().map(|change| field(change, width)));
    }
    lines.join("\n")
}

fn field(change: &FieldChange, width: usize) -> String {
    let before = change
        .before
        .as_ref()
        .map_or_else(|| "(not set)".to_owned(), value);
    let line = format!("{}: {before} → {}", change.field, value(&change.after));
    format!(
        "{:INDENT$}{}",
        "",
        cut_middle(&line, width.saturating_sub(INDENT))
    )
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
