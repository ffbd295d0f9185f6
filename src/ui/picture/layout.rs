//! Where each box goes: columns by what comes after what, rows so that few arrows cross.
//!
//! An arrow to the next column goes straight or round one corner. Any other, such as one that goes back, goes over the top.
//! Below a box stand those that support it. All lengths are pixels.

use super::{Node, Picture};

const MARGIN: i32 = 16;
const BOX_HEIGHT: i32 = 54;
/// Of what comes from outside.
const PILL_HEIGHT: i32 = 30;
pub const CHIP_HEIGHT: i32 = 26;
const CHIP_GAP: i32 = 6;
/// How far a chip stands in from the left edge of its box.
const CHIP_INDENT: i32 = 16;
/// From the left edge of a box to where its chips hang.
const HANGER: i32 = 6;
const ROW_GAP: i32 = 28;
/// Between two columns, at least.
const COLUMN_GAP: i32 = 34;
/// On both sides of an arrow's label, the arrow's tip included.
const LABEL_ROOM: i32 = 34;
/// From a box to where an arrow turns into it.
const TURN: i32 = 16;
/// Between arrows that go over the top.
const LANE: i32 = 26;
/// From an arrow up to the line its label is written on.
const LABEL_RISE: i32 = 8;

pub const TITLE_SIZE: i32 = 15;
pub const SUBTITLE_SIZE: i32 = 12;
pub const LABEL_SIZE: i32 = 12;

/// The picture with its places.
#[derive(Debug, Default)]
pub struct Layout {
    pub width: i32,
    pub height: i32,
    /// Of each node on the way.
    pub boxes: Vec<Place>,
    /// Of those that support them; one that supports several is there several times.
    pub chips: Vec<Chip>,
    /// In the order of the picture's arrows.
    pub ways: Vec<Way>,
}

/// A rectangle for a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub node: usize,
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

/// A supporting node, and the line by which it hangs on its box.
#[derive(Debug)]
pub struct Chip {
    pub place: Place,
    pub hangs: Vec<(i32, i32)>,
}

/// An arrow's corners, and the middle of the line its label is written on.
#[derive(Debug)]
pub struct Way {
    pub corners: Vec<(i32, i32)>,
    pub label: (i32, i32),
}

impl Place {
    fn right(self) -> i32 {
        self.x + self.width
    }

    fn middle(self) -> (i32, i32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }
}

/// Finds a place for everything.
pub fn layout(picture: &Picture) -> Layout {
    let columns = ordered(picture, columns(picture));
    let mut layout = Layout::default();
    let lanes = picture
        .arrows
        .iter()
        .filter(|arrow| !is_to_the_next(&columns, arrow.from, arrow.to))
        .count();
    let top = MARGIN + LANE * i32::try_from(lanes).unwrap_or_default();
    let rows = row_tops(picture, &columns, top);
    let mut x = MARGIN;
    for (index, column) in columns.iter().enumerate() {
        let width = column.iter().map(|node| width(picture, *node)).max();
        let width = width.unwrap_or_default();
        for (node, y) in column.iter().zip(&rows) {
            layout.put(picture, *node, (x, *y), width);
        }
        x += width + gap_after(picture, &columns, index);
    }
    let right = layout.boxes.iter().map(|place| place.right()).max();
    layout.width = right.unwrap_or_default() + MARGIN;
    let chips = layout.chips.iter().map(|chip| chip.place);
    let bottom = layout
        .boxes
        .iter()
        .copied()
        .chain(chips)
        .map(|place| place.y + place.height);
    layout.height = bottom.max().unwrap_or_default() + MARGIN;
    layout.draw_ways(picture, &columns);
    layout
}

impl Layout {
    /// Puts a node and what supports it into a column.
    fn put(&mut self, picture: &Picture, node: usize, (x, y): (i32, i32), width: i32) {
        let is_pill = picture.nodes[node].name.is_none();
        self.boxes.push(if is_pill {
            let own = width.min(self::width(picture, node));
            Place {
                node,
                x: x + (width - own) / 2,
                y: y + (BOX_HEIGHT - PILL_HEIGHT) / 2,
                width: own,
                height: PILL_HEIGHT,
            }
        } else {
            Place {
                node,
                x,
                y,
                width,
                height: BOX_HEIGHT,
            }
        });
        let mut below = y + BOX_HEIGHT;
        for supporter in picture.supporters(node) {
            let place = Place {
                node: supporter,
                x: x + CHIP_INDENT,
                y: below + CHIP_GAP,
                width: width - CHIP_INDENT,
                height: CHIP_HEIGHT,
            };
            let (_, middle) = place.middle();
            let hanger = x + HANGER;
            self.chips.push(Chip {
                place,
                hangs: vec![(hanger, y + BOX_HEIGHT), (hanger, middle), (place.x, middle)],
            });
            below = place.y + CHIP_HEIGHT;
        }
    }

    fn draw_ways(&mut self, picture: &Picture, columns: &[Vec<usize>]) {
        let mut lane = MARGIN + LABEL_SIZE / 2;
        for arrow in &picture.arrows {
            let place = |node| self.boxes.iter().find(|place| place.node == node).copied();
            let (Some(from), Some(to)) = (place(arrow.from), place(arrow.to)) else {
                continue;
            };
            self.ways.push(if is_to_the_next(columns, arrow.from, arrow.to) {
                across(from, to)
            } else {
                lane += LANE;
                over(from, to, lane - LANE)
            });
        }
    }
}

/// From one column into the next.
fn across(from: Place, to: Place) -> Way {
    let (_, start) = from.middle();
    let (_, end) = to.middle();
    let turn = if start == end { to.x } else { to.x - TURN };
    let mut corners = vec![(from.right(), start), (turn, start), (turn, end), (to.x, end)];
    corners.dedup();
    Way {
        corners,
        // The tip takes some of the line.
        label: ((from.right() + turn) / 2 - 3, start - LABEL_RISE),
    }
}

/// Over the top, from the top of one to the top of the other.
fn over(from: Place, to: Place, lane: i32) -> Way {
    let (start, _) = from.middle();
    let (end, _) = to.middle();
    Way {
        corners: vec![(start, from.y), (start, lane), (end, lane), (end, to.y)],
        label: ((start + end) / 2, lane - LABEL_RISE + 2),
    }
}

/// For each column its nodes: whoever an arrow comes from stands before whom it goes to, as near as can be.
fn columns(picture: &Picture) -> Vec<Vec<usize>> {
    let forward = forward_arrows(picture);
    let count = picture.nodes.len();
    let mut column = vec![0; count];
    // No way is longer than there are nodes.
    for _ in 0..count {
        for (from, to) in &forward {
            column[*to] = column[*to].max(column[*from] + 1);
        }
    }
    for _ in 0..count {
        for node in 0..count {
            let next = forward.iter().filter(|(from, _)| *from == node);
            if let Some(nearest) = next.map(|(_, to)| column[*to]).min() {
                column[node] = nearest - 1;
            }
        }
    }
    let last = column.iter().copied().max().unwrap_or(0);
    for (node, column) in column.iter_mut().enumerate() {
        if !forward.iter().any(|(from, to)| *from == node || *to == node) {
            // No arrow says where it belongs: out of the way of those.
            *column = last;
        }
    }
    // Who supports nobody on the way stands by itself.
    let supported: Vec<usize> = picture.supports().map(|(_, other)| other).collect();
    let mut columns = vec![Vec::new(); last + 1];
    for node in 0..count {
        if !supported.contains(&node) {
            columns[column[node]].push(node);
        }
    }
    columns
}

/// The arrows without those that lead back to where one came from.
fn forward_arrows(picture: &Picture) -> Vec<(usize, usize)> {
    let is_target = |node: &usize| picture.arrows.iter().any(|arrow| arrow.to == *node);
    let begins = picture.arrows.iter().map(|arrow| arrow.from);
    let (inner, sources): (Vec<_>, Vec<_>) = begins.partition(is_target);
    let mut walk = Walk {
        picture,
        path: Vec::new(),
        seen: vec![false; picture.nodes.len()],
        forward: Vec::new(),
    };
    for node in sources.into_iter().chain(inner) {
        walk.go(node);
    }
    walk.forward
}

struct Walk<'a> {
    picture: &'a Picture,
    /// From where the walk began to where it is.
    path: Vec<usize>,
    seen: Vec<bool>,
    forward: Vec<(usize, usize)>,
}

impl Walk<'_> {
    fn go(&mut self, node: usize) {
        if std::mem::replace(&mut self.seen[node], true) {
            return;
        }
        self.path.push(node);
        for arrow in self.picture.arrows.iter().filter(|arrow| arrow.from == node) {
            if !self.path.contains(&arrow.to) {
                self.forward.push((node, arrow.to));
                self.go(arrow.to);
            }
        }
        self.path.pop();
    }
}

/// The columns, each in the order of the middle of its neighbours: there and back, twice.
fn ordered(picture: &Picture, mut columns: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    for _ in 0..2 {
        for index in 1..columns.len() {
            order(picture, &mut columns, index, index - 1);
        }
        for index in (1..columns.len()).rev() {
            order(picture, &mut columns, index - 1, index);
        }
    }
    columns
}

fn order(picture: &Picture, columns: &mut [Vec<usize>], index: usize, neighbour: usize) {
    let middle = |node: usize, place: usize| {
        let places = columns[neighbour].iter().enumerate().filter(|(_, other)| {
            let joins = |from, to| {
                picture
                    .arrows
                    .iter()
                    .any(|arrow| arrow.from == from && arrow.to == to)
            };
            joins(node, **other) || joins(**other, node)
        });
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        match places.len() {
            // It stays, but gives way to who has a neighbour there.
            0 => place as f64 + 0.1,
            several => places.iter().sum::<usize>() as f64 / several as f64,
        }
    };
    let nodes = columns[index].iter().enumerate();
    let mut by_middle: Vec<_> = nodes.map(|(place, node)| (middle(*node, place), *node)).collect();
    by_middle.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    columns[index] = by_middle.into_iter().map(|(_, node)| node).collect();
}

fn is_to_the_next(columns: &[Vec<usize>], from: usize, to: usize) -> bool {
    columns
        .windows(2)
        .any(|pair| pair[0].contains(&from) && pair[1].contains(&to))
}

/// Where each row begins: below all that hangs above it in those columns that reach it.
fn row_tops(picture: &Picture, columns: &[Vec<usize>], top: i32) -> Vec<i32> {
    let rows = columns.iter().map(Vec::len).max().unwrap_or_default();
    let mut tops = Vec::new();
    for row in 0..rows {
        let above = row
            .checked_sub(1)
            .and_then(|above| Some((above, *tops.get(above)?)));
        let Some((above, above_top)) = above else {
            tops.push(top);
            continue;
        };
        let reaching = columns.iter().filter(|column| column.len() > row);
        let chips = reaching
            .map(|column| picture.supporters(column[above]).count())
            .max();
        let chips = i32::try_from(chips.unwrap_or_default()).unwrap_or_default();
        tops.push(above_top + BOX_HEIGHT + chips * (CHIP_HEIGHT + CHIP_GAP) + ROW_GAP);
    }
    tops
}

/// The room for the labels of the arrows that go on from a column.
fn gap_after(picture: &Picture, columns: &[Vec<usize>], index: usize) -> i32 {
    let labels = picture
        .arrows
        .iter()
        .filter(|arrow| columns[index].contains(&arrow.from) && is_to_the_next(columns, arrow.from, arrow.to))
        .filter(|arrow| !arrow.label.is_empty());
    let widest = labels
        .map(|arrow| text_width(arrow.label, LABEL_SIZE) + LABEL_ROOM)
        .max();
    widest.unwrap_or_default().max(COLUMN_GAP)
}

/// The room a node and those that support it need.
fn width(picture: &Picture, node: usize) -> i32 {
    let Node {
        title,
        subtitle,
        name,
        ..
    } = &picture.nodes[node];
    if name.is_none() {
        return text_width(title, SUBTITLE_SIZE + 1) + 26;
    }
    let text = text_width(title, TITLE_SIZE).max(text_width(subtitle, SUBTITLE_SIZE));
    let chips = picture.supporters(node).map(|other| {
        let health = if picture.nodes[other].health.is_some() {
            16
        } else {
            0
        };
        CHIP_INDENT + text_width(&picture.nodes[other].subtitle, SUBTITLE_SIZE) + 22 + health
    });
    chips.chain([text + 30]).max().unwrap_or_default()
}

/// About how wide a text is in a sans-serif face of `size`, rather more than less.
fn text_width(text: &str, size: i32) -> i32 {
    let hundredths = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | ' ' | '.' | ',' | ':' | '\'' => 32,
        'f' | 't' | 'r' | '-' => 40,
        'm' | 'w' | 'M' | 'W' => 88,
        c if c.is_ascii_uppercase() => 72,
        c if c.is_ascii() => 59,
        _ => 100,
    };
    text.chars().map(|c| hundredths(c) * size).sum::<i32>() / 100
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::ui::picture::tests::picture;

    #[test]
    fn an_arrow_goes_to_the_next_column_or_back_over_the_top() {
        assert_eq!(columns(&picture()), [[0], [1], [2]]);
        let layout = layout(&picture());
        let (there, back) = (&layout.ways[1], &layout.ways[2]);
        assert_eq!(there.corners.len(), 2, "straight: {there:?}");
        let top = layout.boxes.iter().map(|place| place.y).min();
        assert!(Some(back.corners[1].1) < top, "{back:?}");
    }

    #[test]
    fn what_joins_late_stands_near_where_it_joins_and_nothing_crosses() {
        let mut picture = picture();
        // A way of its own to the last one, in a row where it would cross the other.
        let mut outside = picture.nodes[0].clone();
        "late".clone_into(&mut outside.id);
        picture.nodes.insert(0, outside);
        for arrow in &mut picture.arrows {
            arrow.from += 1;
            arrow.to += 1;
        }
        picture.uses.clear();
        picture.arrows.push(super::super::Arrow {
            from: 0,
            to: 3,
            label: "",
        });
        // The role supports nobody now: it is shown all the same.
        let columns = ordered(&picture, columns(&picture));
        assert_eq!(columns, [vec![1], vec![2, 0], vec![3, 4]]);
    }

    #[test]
    fn what_supports_hangs_below_and_within_the_picture() {
        let layout = layout(&picture());
        let user = layout
            .boxes
            .iter()
            .find(|place| place.node == 2)
            .copied()
            .unwrap();
        let [chip] = layout.chips.as_slice() else {
            panic!("{layout:?}");
        };
        assert!(chip.place.y >= user.y + user.height && chip.place.right() == user.right());
        assert!(chip.place.y + chip.place.height < layout.height);
    }
}
