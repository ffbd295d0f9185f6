//! A picture in Graphviz's language.

use std::fmt::Write as _;

use super::{Node, Picture};

/// The text of a directed graph.
pub fn text(picture: &Picture) -> String {
    let mut lines = format!("digraph {} {{\n", quoted(&picture.title));
    lines.push_str("    rankdir=LR\n    node [shape=box, style=rounded, fontname=\"Helvetica\"]\n");
    lines.push_str("    edge [fontname=\"Helvetica\", fontsize=11]\n");
    for node in &picture.nodes {
        let shape = if node.name.is_some() {
            ""
        } else {
            ", shape=plaintext"
        };
        let _ = writeln!(lines, "    {} [label={}{shape}]", quoted(&node.id), label(node));
    }
    let id = |node: usize| quoted(&picture.nodes[node].id);
    for arrow in &picture.arrows {
        let label = match arrow.label {
            "" => String::new(),
            label => format!(" [label={}]", quoted(label)),
        };
        let _ = writeln!(lines, "    {} -> {}{label}", id(arrow.from), id(arrow.to));
    }
    for (node, other) in picture.supports() {
        let _ = writeln!(
            lines,
            "    {} -> {} [style=dotted, arrowhead=none]",
            id(node),
            id(other)
        );
    }
    lines + "}"
}

fn label(node: &Node) -> String {
    let name = node.name.as_ref();
    let name = name.map_or_else(String::new, |name| format!("\n{name}"));
    quoted(&(node.heading() + &name))
}

/// Inside quotes a backslash begins an escape: `\n` centres a line.
fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::picture::tests::picture;

    #[test]
    fn what_would_end_a_text_is_escaped() {
        insta::assert_snapshot!(text(&picture()), @r#"
        digraph "a \"stack\" & more" {
            rankdir=LR
            node [shape=box, style=rounded, fontname="Helvetica"]
            edge [fontname="Helvetica", fontsize=11]
            "a" [label="a", shape=plaintext]
            "b" [label="b\nit's <b> \"b\" \\ #1 & more"]
            "c" [label="c\nc"]
            "role" [label="role\nc-role"]
            "a" -> "b"
            "b" -> "c" [label="tells"]
            "c" -> "b" [label="reads"]
            "c" -> "role" [style=dotted, arrowhead=none]
        }
        "#);
    }
}
