//! A picture as SVG: no script, no font and no picture from elsewhere, in the reader's light or dark.

use std::fmt::Write as _;

use super::layout::{Chip, LABEL_SIZE, Layout, Place, SUBTITLE_SIZE, TITLE_SIZE, Way, layout};
use super::{Health, Node, Picture};
use crate::ui::markup::escaped;

/// The colours, by name.
pub const COLOURS: &str = include_str!("../colours.css");
/// How the parts of a picture look.
pub const STYLE: &str = include_str!("style.css");

/// The radius of an arrow's corner.
const BEND: i32 = 8;

/// A whole SVG file.
pub fn file(picture: &Picture) -> String {
    let style = format!("<style>\n{COLOURS}{STYLE}</style>\n");
    drawing(picture, &style)
}

/// The drawing as a part of a page that has the [`COLOURS`] and the [`STYLE`], and says how health looks.
pub fn part(picture: &Picture) -> String {
    drawing(picture, "")
}

fn drawing(picture: &Picture, style: &str) -> String {
    let layout = layout(picture);
    let Layout { width, height, .. } = layout;
    let told = escaped(&told(picture));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         class=\"stack\" role=\"img\" aria-label=\"{told}\">\n{style}"
    );
    let _ = writeln!(
        svg,
        "<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 1 L10 5 L0 9 z\" class=\"tip\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"12\" class=\"ground\"/>"
    );
    for Chip { hangs, .. } in &layout.chips {
        let _ = writeln!(svg, "<path d=\"{}\" class=\"hangs\"/>", path(hangs));
    }
    for (arrow, way) in picture.arrows.iter().zip(&layout.ways) {
        draw_way(&mut svg, arrow.label, way);
    }
    for place in &layout.boxes {
        draw_box(&mut svg, &picture.nodes[place.node], *place);
    }
    for Chip { place, .. } in &layout.chips {
        draw_chip(&mut svg, &picture.nodes[place.node], *place);
    }
    svg + "</svg>"
}

/// The picture for who cannot see it.
fn told(picture: &Picture) -> String {
    let arrows = picture.arrows.iter().map(|arrow| {
        let title = |node: usize| {
            let node = &picture.nodes[node];
            match node.subtitle.as_str() {
                "" => node.title.clone(),
                subtitle => subtitle.to_owned(),
            }
        };
        let label = match arrow.label {
            "" => String::new(),
            label => format!(" ({label})"),
        };
        format!("{} → {}{label}", title(arrow.from), title(arrow.to))
    });
    format!("{}: {}", picture.title, arrows.collect::<Vec<_>>().join("; "))
}

fn draw_way(svg: &mut String, label: &str, way: &Way) {
    let _ = writeln!(
        svg,
        "<path d=\"{}\" class=\"arrow\" marker-end=\"url(#tip)\"/>",
        path(&way.corners)
    );
    if !label.is_empty() {
        let (x, y) = way.label;
        draw_text(svg, (x, y), LABEL_SIZE, "label", label);
    }
}

fn draw_box(svg: &mut String, node: &Node, place: Place) {
    let Place {
        x, y, width, height, ..
    } = place;
    let middle = x + width / 2;
    if node.name.is_none() {
        let _ = writeln!(
            svg,
            "<g><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{}\" class=\"outside\"/>",
            height / 2
        );
        draw_text(
            svg,
            (middle, y + height / 2 + 5),
            SUBTITLE_SIZE + 1,
            "actor",
            &node.title,
        );
        svg.push_str("</g>\n");
        return;
    }
    open(svg, node);
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"9\" class=\"box\"/>\
         <path d=\"M{} {} v{}\" class=\"accent {}\"/>",
        x + 1,
        y + 13,
        height - 26,
        class(&node.title)
    );
    draw_text(svg, (middle, y + 24), TITLE_SIZE, "title", &node.title);
    draw_text(svg, (middle, y + 42), SUBTITLE_SIZE, "subtitle", &node.subtitle);
    if let Some(health) = node.health {
        draw_health(svg, health, (x + width - 2, y + 2));
    }
    svg.push_str("</g>\n");
}

fn draw_chip(svg: &mut String, node: &Node, place: Place) {
    let Place {
        x, y, width, height, ..
    } = place;
    open(svg, node);
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\" class=\"chip\"/>"
    );
    draw_text(
        svg,
        (x + width / 2, y + height / 2 + 4),
        SUBTITLE_SIZE,
        "subtitle",
        &node.subtitle,
    );
    if let Some(health) = node.health {
        draw_health(svg, health, (x + width - 2, y + 2));
    }
    svg.push_str("</g>\n");
}

/// Begins a resource, with its name where the pointer rests on it.
fn open(svg: &mut String, node: &Node) {
    let name = node.name.as_deref().unwrap_or_default();
    let health = node
        .health
        .map_or_else(String::new, |health| format!(": {}", health.words()));
    let _ = write!(svg, "<g><title>{}{health}</title>", escaped(name));
}

/// A mark that tells by its form too.
fn draw_health(svg: &mut String, health: Health, (x, y): (i32, i32)) {
    let (class, form) = match health {
        Health::Right => ("right", "m-3 0 l2 2.5 l4 -4.5"),
        Health::Differs => ("differs", "m-3.5 1 q1.75 -3.5 3.5 -1 t3.5 -1"),
        Health::Wrong => ("wrong", "m-2.5 -2.5 l5 5 m0 -5 l-5 5"),
    };
    let _ = writeln!(
        svg,
        "<circle cx=\"{x}\" cy=\"{y}\" r=\"7\" class=\"health {class}\"/><path d=\"M{x} {y} {form}\" class=\"mark\"/>"
    );
}

fn draw_text(svg: &mut String, (x, y): (i32, i32), size: i32, class: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" class=\"{class}\">{text}</text>"
    );
}

/// `Step Functions` as a class: `step-functions`.
fn class(title: &str) -> String {
    title
        .to_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// A line through `corners`, each rounded.
fn path(corners: &[(i32, i32)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in corners.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| corners.get(before));
        match (before, corners.get(index + 1)) {
            (None, _) => {
                let _ = write!(path, "M{x} {y}");
            }
            (Some(before), Some(after)) => {
                let (from_x, from_y) = towards((*x, *y), *before);
                let (to_x, to_y) = towards((*x, *y), *after);
                let _ = write!(path, " L{from_x} {from_y} Q{x} {y} {to_x} {to_y}");
            }
            (Some(_), None) => {
                let _ = write!(path, " L{x} {y}");
            }
        }
    }
    path
}

/// A bend's length from one corner towards another.
fn towards((x, y): (i32, i32), (to_x, to_y): (i32, i32)) -> (i32, i32) {
    (
        x + (to_x - x).clamp(-BEND, BEND),
        y + (to_y - y).clamp(-BEND, BEND),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::picture::tests::picture;

    #[test]
    fn names_are_text_whatever_is_in_them() {
        let svg = file(&picture());
        assert!(
            svg.contains("<title>it&#39;s &lt;b&gt; &quot;b&quot; \\ #1 &amp; more</title>"),
            "{svg}"
        );
        assert!(
            svg.contains(
                "aria-label=\"a &quot;stack&quot; &amp; more: a → b; b → c (tells); c → b (reads)\""
            ),
            "{svg}"
        );
    }

    #[test]
    fn a_line_is_rounded_at_its_corners() {
        assert_eq!(
            path(&[(0, 0), (20, 0), (20, 30), (40, 30)]),
            "M0 0 L12 0 Q20 0 20 8 L20 22 Q20 30 28 30 L40 30"
        );
    }
}
