//! A picture in Mermaid, which GitHub draws.

use std::fmt::Write as _;

use super::{Node, Picture};

/// The text of a flowchart.
pub fn text(picture: &Picture) -> String {
    let mut lines = String::from("flowchart LR\n");
    for node in &picture.nodes {
        let (open, close) = if node.name.is_some() {
            ("[", "]")
        } else {
            ("([", "])")
        };
        let _ = writeln!(lines, "    {}{open}\"{}\"{close}", node.id, label(node));
    }
    let id = |node: usize| &picture.nodes[node].id;
    for arrow in &picture.arrows {
        let label = match arrow.label {
            "" => String::new(),
            label => format!("|\"{}\"|", escaped(label)),
        };
        let _ = writeln!(lines, "    {} -->{label} {}", id(arrow.from), id(arrow.to));
    }
    for (node, other) in picture.supports() {
        let _ = writeln!(lines, "    {} -.- {}", id(node), id(other));
    }
    lines.truncate(lines.trim_end().len());
    lines
}

fn label(node: &Node) -> String {
    let name = node.name.as_ref();
    let name = name.map_or_else(String::new, |name| format!("<br/>{}", escaped(name)));
    escaped(&node.heading()) + &name
}

/// Mermaid's own entities: <https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters>
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("#quot;"),
            '#' | '&' | '<' | '>' | '\\' | '`' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::picture::tests::picture;

    #[test]
    fn what_would_end_a_label_is_an_entity() {
        insta::assert_snapshot!(text(&picture()), @r#"
        flowchart LR
            a(["a"])
            b["b<br/>it's #60;b#62; #quot;b#quot; #92; #35;1 #38; more"]
            c["c<br/>c"]
            role["role<br/>c-role"]
            a --> b
            b -->|"tells"| c
            c -->|"reads"| b
            c -.- role
        "#);
    }
}
