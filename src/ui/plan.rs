//! What would be done, field by field.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::json::{STEP, line, over_lines};
use super::table::{aligned, width_of_stdout};
use super::wrap::{columns_of, wrapped};
use crate::engine::{Action, FieldChange, Graph, Plan, Planned, Refusal};

const CREATE: Style = AnsiColor::Green.on_default();
const CHANGE: Style = AnsiColor::Yellow.on_default();
const REMOVE: Style = AnsiColor::Red.on_default();
const REFUSE: Style = AnsiColor::Magenta.on_default();
const KEEP: Style = Style::new().dimmed();

/// What is refused, as it is not ours, and as it is to be lent and not there.
const FOREIGN: &str = "foreign";
const MISSING: &str = "missing";

/// Indents a field's line below its resource's.
const INDENT: usize = 10;

/// Documents take no more columns, however wide the terminal.
const WIDEST: usize = 100;

/// A new document is shown up to so many lines: only the dashboard has more.
const MOST_LINES: usize = 50;

/// The steps that would write something, with every field that is set or would change; what is refused, with the reason; and
/// what others have put anywhere, which stays. How much there is to do comes last.
pub fn text(graph: &Graph, plan: &Plan) -> String {
    let width = width_of_stdout();
    let room = width.min(WIDEST).saturating_sub(INDENT);
    let is_shown = |step: &&Planned| step.action != Action::Keep || !plan.others(step.node).is_empty();
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
        let (style, verb) = verb(plan, step);
        let heading = format!("{style}{verb:8}{style:#}{name}");
        lines.push(wrapped(&heading, width, INDENT));
        let fields: Vec<String> = match &step.action {
            Action::Create(fields) => fields.iter().flat_map(|field| set(field, room)).collect(),
            Action::Change(changes) => changes
                .iter()
                .flat_map(|change| differences(change, room))
                .collect(),
            Action::Refuse(refusal) => vec![refusal.to_string()],
            Action::Keep | Action::Remove => Vec::new(),
        };
        lines.extend(fields.iter().map(|line| indented(line)));
        let others = plan.others(step.node).iter();
        lines.extend(others.map(|other| indented(&format!("stays: {other}, which is not the stack's"))));
    }
    if !plan.is_empty() {
        lines.push(format!("\n{}", summary(plan)));
    }
    lines.join("\n")
}

fn verb(plan: &Plan, step: &Planned) -> (Style, &'static str) {
    match &step.action {
        Action::Create(_) => (CREATE, "create"),
        Action::Change(_) if plan.is_adopted(step.node) => (CHANGE, "adopt"),
        Action::Change(_) => (CHANGE, "change"),
        Action::Remove => (REMOVE, "remove"),
        Action::Refuse(Refusal::NotOurs { .. }) => (REFUSE, FOREIGN),
        Action::Refuse(Refusal::NotThere) => (REFUSE, MISSING),
        Action::Keep => (KEEP, "keep"),
    }
}

/// `12 to create, 1 to change`.
fn summary(plan: &Plan) -> String {
    let verbs: Vec<&str> = plan.steps.iter().map(|step| verb(plan, step).1).collect();
    let count = |verb: &str| verbs.iter().filter(|each| **each == verb).count();
    let to_do = ["create", "change", "adopt", "remove"].map(|verb| (count(verb), format!("to {verb}")));
    let refused = [FOREIGN, MISSING].map(|verb| (count(verb), verb.to_owned()));
    let counted = to_do.into_iter().chain(refused).filter(|(count, _)| *count > 0);
    let counted: Vec<String> = counted.map(|(count, what)| format!("{count} {what}")).collect();
    counted.join(", ")
}

/// What a field of something new is set to: a document that needs more than `room` columns goes over several lines.
fn set(field: &FieldChange, room: usize) -> Vec<String> {
    let line = format!("{}: {}", field.field, value(&field.after));
    if columns_of(&line) <= room || !(field.after.is_array() || field.after.is_object()) {
        return vec![line];
    }
    let below = over_lines(&field.after, 0, room.saturating_sub(STEP));
    let more = below.len().saturating_sub(MOST_LINES);
    let more = (more > 0).then(|| format!("… and {more} lines more, which --json shows"));
    let shown = below.iter().take(MOST_LINES).chain(&more);
    let below = shown.map(|line| format!("{:STEP$}{line}", ""));
    [format!("{}:", field.field)].into_iter().chain(below).collect()
}

/// What differs in a field: of a document only the parts that do, over several lines where one would need more than `room`
/// columns.
pub fn differences(change: &FieldChange, room: usize) -> Vec<String> {
    let mut parts = Vec::new();
    differing(
        &change.field,
        change.before.as_ref(),
        Some(&change.after),
        room,
        &mut parts,
    );
    parts
}

fn indented(line: &str) -> String {
    format!("{:INDENT$}{line}", "")
}

fn differing(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    room: usize,
    parts: &mut Vec<String>,
) {
    if before == after {
        return;
    }
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after) {
        let gone = before.keys().filter(|key| !after.contains_key(*key));
        for key in after.keys().chain(gone) {
            let path = format!("{path}.{key}");
            differing(&path, before.get(key), after.get(key), room, parts);
        }
        return;
    }
    let shown = |value_there: Option<&Value>| value_there.map_or_else(|| "(not set)".to_owned(), value);
    let line = format!("{path}: {} → {}", shown(before), shown(after));
    if columns_of(&line) <= room {
        parts.push(line);
        return;
    }
    match (before, after) {
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            differing_items(path, before, after, room, parts);
        }
        _ => {
            parts.push(format!("{path}:"));
            marked("-", before, room, parts);
            marked("+", after, room, parts);
        }
    }
}

/// Of two lists the items between those that both begin and both end with.
fn differing_items(path: &str, before: &[Value], after: &[Value], room: usize, parts: &mut Vec<String>) {
    let alike = before.iter().zip(after).take_while(|(one, other)| one == other);
    let first = alike.count();
    let (before, after) = (&before[first..], &after[first..]);
    let alike = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take_while(|(one, other)| one == other);
    let last = alike.count();
    let (before, after) = (&before[..before.len() - last], &after[..after.len() - last]);
    if before.len() == after.len() {
        for (index, (before, after)) in before.iter().zip(after).enumerate() {
            let path = format!("{path}[{}]", first + index);
            differing(&path, Some(before), Some(after), room, parts);
        }
        return;
    }
    parts.push(format!("{path}:"));
    for item in before {
        marked("-", Some(item), room, parts);
    }
    for item in after {
        marked("+", Some(item), room, parts);
    }
}

fn marked(mark: &str, value: Option<&Value>, room: usize, parts: &mut Vec<String>) {
    let lines = value.map(|shown| match shown {
        Value::String(_) => vec![self::value(shown)],
        _ => over_lines(shown, 0, room.saturating_sub(2 * STEP)),
    });
    let lines = lines.into_iter().flatten();
    parts.extend(lines.map(|line| format!("{:STEP$}{mark} {line}", "")));
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => line(other),
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
        let lines = differences(&change, WIDEST);
        assert_eq!(
            lines,
            [
                "environment.B.y: [2] → [3]",
                "environment.D: (not set) → new",
                "environment.C: gone → (not set)",
            ]
        );
    }

    #[test]
    fn of_a_long_policy_only_the_statement_and_the_value_that_differ_are_shown() {
        let statement = |sid: &str, action: &str| {
            json!({
                "Sid": sid,
                "Effect": "Allow",
                "Action": action,
                "Resource": "arn:aws:s3:::resizer-original-000000000000-us-east-1/*",
            })
        };
        let policy = |statements: &[Value]| json!({"Version": "2012-10-17", "Statement": statements});
        let shown = |before: &[Value], after: &[Value]| {
            let change = FieldChange {
                field: "inline policy".to_owned(),
                before: Some(policy(before)),
                after: policy(after),
            };
            differences(&change, 60).join("\n")
        };
        let [read, write] = [
            statement("Read", "s3:GetObject"),
            statement("Write", "s3:PutObject"),
        ];
        let all = [read.clone(), statement("Write", "s3:*")];
        insta::assert_snapshot!(
            shown(&all, &[read.clone(), write.clone()]),
            @"inline policy.Statement[1].Action: s3:* → s3:PutObject"
        );
        insta::assert_snapshot!(shown(&[read.clone(), write], &[read]), @r#"
        inline policy.Statement:
          - {
          -   "Sid": "Write",
          -   "Effect": "Allow",
          -   "Action": "s3:PutObject",
          -   "Resource": "arn:aws:s3:::resizer-original-000000000000-us-east-1/*"
          - }
        "#);
    }

    #[test]
    fn what_a_new_resource_is_set_to_is_broken_where_it_is_too_long() {
        let field = |name: &str, after: Value| {
            let field = FieldChange {
                field: name.to_owned(),
                before: None,
                after,
            };
            set(&field, 40).join("\n")
        };
        assert_eq!(field("memory", json!(1769)), "memory: 1769");
        let long = "a description that is longer than the line, and is left to the terminal";
        assert_eq!(field("description", json!(long)), format!("description: {long}"));
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["a", "b"]}, {}],
        });
        insta::assert_snapshot!(field("trust policy", trust), @r#"
        trust policy:
          {
            "Version": "2012-10-17",
            "Statement": [
              {
                "Effect": "Allow",
                "Action": ["a", "b"]
              },
              {}
            ]
          }
        "#);
        let long = field("body", json!((0..100).collect::<Vec<_>>()));
        assert!(
            long.ends_with("48,\n  … and 52 lines more, which --json shows"),
            "{long}"
        );
    }
}
