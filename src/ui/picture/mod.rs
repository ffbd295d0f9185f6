//! Boxes and arrows: what is drawn, and the languages it is written in.
//!
//! # Layout
//! - [`layout`]: where each box goes, and which way each arrow takes
//! - [`svg`]: as a drawing. [`dot`], [`mermaid`]: for tools that do the layout themselves

pub mod dot;
mod layout;
pub mod mermaid;
pub mod svg;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Picture {
    /// What it is of: `resizer`.
    pub title: String,
    pub nodes: Vec<Node>,
    /// What happens, from what to what.
    pub arrows: Vec<Arrow>,
    /// Which node uses which, as indices of `nodes`; a circle of them is not drawn.
    pub uses: Vec<(usize, usize)>,
}

/// A resource, or what comes from outside.
#[derive(Debug, Clone)]
pub struct Node {
    pub id: String,
    pub title: String,
    /// Below the title.
    pub subtitle: String,
    /// What it is called where it stands; of what comes from outside, nothing.
    pub name: Option<String>,
    /// How it stands, where that is known.
    pub health: Option<Health>,
}

/// An arrow between two of the nodes, as indices.
#[derive(Debug, Clone, Copy)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    pub label: &'static str,
}

/// How a resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Right,
    /// It is there, but not as it should be, or not yet.
    Differs,
    /// It is not there, or not ours.
    Wrong,
}

impl Health {
    /// What it means.
    pub fn words(self) -> &'static str {
        match self {
            Self::Right => "there and right",
            Self::Differs => "not as it should be",
            Self::Wrong => "not there, or not ours",
        }
    }
}

impl Node {
    /// Title and subtitle on one line.
    fn heading(&self) -> String {
        let heading = format!("{} {}", self.title, self.subtitle);
        heading.trim_end().to_owned()
    }
}

impl Picture {
    /// Whether an arrow begins or ends there.
    fn is_on_the_way(&self, node: usize) -> bool {
        self.arrows
            .iter()
            .any(|arrow| arrow.from == node || arrow.to == node)
    }

    /// What `node` uses and what uses it, as far as no arrow says more of it.
    fn supporters(&self, node: usize) -> impl Iterator<Item = usize> {
        let others = self.uses.iter().filter_map(move |(user, used)| match node {
            node if node == *user => Some(*used),
            node if node == *used => Some(*user),
            _ => None,
        });
        others.filter(|other| !self.is_on_the_way(*other))
    }

    /// Whether it is aside, and so is what uses it: as a topic, which alarms use.
    fn is_used_aside(&self, node: usize) -> bool {
        let mut users = self.uses.iter().filter(|(_, used)| *used == node);
        !self.is_on_the_way(node) && users.any(|(user, _)| !self.is_on_the_way(*user))
    }

    /// The pairs of a node on the way, or of one aside that others use, and what supports it.
    fn supports(&self) -> impl Iterator<Item = (usize, usize)> {
        let is_supported = |node: &usize| self.is_on_the_way(*node) || self.is_used_aside(*node);
        let nodes = (0..self.nodes.len()).filter(is_supported);
        nodes.flat_map(|node| self.supporters(node).map(move |other| (node, other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` and `b` come from outside, `c` answers `b` and is read by `d`; a role supports it.
    pub fn picture() -> Picture {
        let node = |id: &str, name: Option<&str>| Node {
            id: id.to_owned(),
            title: id.to_owned(),
            subtitle: String::new(),
            name: name.map(str::to_owned),
            health: None,
        };
        let arrow = |from, label, to| Arrow { from, to, label };
        Picture {
            title: "a \"stack\" & more".to_owned(),
            nodes: vec![
                node("a", None),
                node("b", Some("it's <b> \"b\" \\ #1 & more")),
                node("c", Some("c")),
                node("role", Some("c-role")),
            ],
            arrows: vec![arrow(0, "", 1), arrow(1, "tells", 2), arrow(2, "reads", 1)],
            uses: vec![(2, 3), (2, 1)],
        }
    }

    #[test]
    fn what_no_arrow_tells_of_supports_who_uses_it() {
        assert_eq!(picture().supports().collect::<Vec<_>>(), [(2, 3)]);
    }

    #[test]
    fn what_uses_something_aside_stands_below_it_and_nowhere_else() {
        let mut picture = picture();
        let topic = picture.nodes.len();
        for id in ["topic", "alarm", "another alarm"] {
            let node = Node {
                id: id.to_owned(),
                ..picture.nodes[2].clone()
            };
            picture.nodes.push(node);
        }
        picture.uses.extend([(topic + 1, topic), (topic + 2, topic)]);
        let supports: Vec<_> = picture.supports().collect();
        assert_eq!(supports, [(2, 3), (topic, topic + 1), (topic, topic + 2)]);
        let layout = layout::layout(&picture);
        assert_eq!(layout.boxes.len(), 4, "a, b, c and the topic");
        assert_eq!(layout.chips.len(), 3);
    }
}
