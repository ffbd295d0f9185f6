//! What would be done, field by field.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::table::aligned;
use crate::engine::{Action, FieldChange, Graph, Plan, Planned};

const CREATE: Style = AnsiColor::Green.on_default();
const CHANGE: Style = AnsiColor::Yellow.on_default();
const REMOVE: Style = AnsiColor::Red.on_default();
const KEEP: Style = Style::new().dimmed();

/// Indents a field's line below its resource's.
const INDENT: usize = 10;

/// The steps that would write something, with what would change; and what others have put anywhere, which stays.
pub fn text(graph: &Graph, plan: &Plan) -> String {
    let is_shown = |step: &&Planned| step.action.writes() || !plan.others(step.node).is_empty();
    let steps: Vec<_> = plan.steps.iter().filter(is_shown).collect();
    let rows: Vec<[String; 2]> = steps
        .iter()
        .map(|step| {
            let resource = graph.resource(step.node);
            [resource.kind().to_owned(), resource.name().to_owned()]
        })
        .collect();
    // Nothing is cut, however narrow the terminal: before and after are the whole point.
    let names = aligned(&rows, usize::MAX);
    let mut lines = Vec::new();
    for (step, name) in steps.iter().zip(names) {
        let (style, verb, changes): (_, _, &[FieldChange]) = match &step.action {
            Action::Create(_) => (CREATE, "create", &[]),
            Action::Change(changes) if plan.is_adopted(step.node) => (CHANGE, "adopt", changes),
            Action::Change(changes) => (CHANGE, "change", changes),
            Action::Remove => (REMOVE, "remove", &[]),
            _ => (KEEP, "keep", &[]),
        };
        lines.push(format!("{style}{verb:8}{style:#}{name}"));
        let differences = changes.iter().flat_map(differences);
        lines.extend(differences.map(|line| indented(&line)));
        let others = plan.others(step.node).iter();
        lines.extend(others.map(|other| indented(&format!("stays: {other}, which is not the stack's"))));
    }
    lines.join("\n")
}

/// What differs in a field, a line each: of a document only the parts that do.
pub fn differences(change: &FieldChange) -> Vec<String> {
    let mut parts = Vec::new();
    differing(
        &change.field,
        change.before.as_ref(),
        Some(&change.after),
        &mut parts,
    );
    parts
}

fn indented(line: &str) -> String {
    format!("{:INDENT$}{line}", "")
}

fn differing(path: &str, before: Option<&Value>, after: Option<&Value>, parts: &mut Vec<String>) {
    if before == after {
        return;
    }
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after) {
        let gone = before.keys().filter(|key| !after.contains_key(*key));
        for key in after.keys().chain(gone) {
            differing(&format!("{path}.{key}"), before.get(key), after.get(key), parts);
        }
        return;
    }
    let shown = |value_there: Option<&Value>| value_there.map_or_else(|| "(not set)".to_owned(), value);
    parts.push(format!("{path}: {} → {}", shown(before), shown(after)));
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_document_only_what_differs_is_shown() {
        let change = FieldChange {
            field: "environment".to_owned(),
            before: Some(json!({"A": "1", "B": {"x": 1, "y": [2]}, "C": "gone"})),
            after: json!({"A": "1", "B": {"x": 1, "y": [3]}, "D": "new"}),
        };
        let lines = differences(&change);
        assert_eq!(
            lines,
            [
                "environment.B.y: [2] → [3]",
                "environment.D: (not set) → new",
                "environment.C: gone → (not set)",
            ]
        );
    }
}
