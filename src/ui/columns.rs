//! Aligned columns.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::format::clipped;

/// A piece of a row.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    pub text: String,
    pub style: Style,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text,
            style: Style::new(),
        }
    }
}

impl Cell {
    pub fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

/// The rows, each column as wide as its widest cell; the last one gives way, so that a line has `width` columns at most.
pub fn aligned(rows: &[Vec<Cell>], width: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.text.width()).max().unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| line(row, &widths, width))
        .collect::<Vec<_>>()
        .join("\n")
}

fn line(row: &[Cell], widths: &[usize], width: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    for (index, cell) in row.iter().enumerate() {
        line.push_str("  ");
        used += 2;
        let style = cell.style;
        if index + 1 == row.len() {
            let text = clipped(&cell.text, width.saturating_sub(used).max(10));
            line.push_str(&format!("{style}{text}{style:#}"));
        } else {
            let padding = widths[index].saturating_sub(cell.text.width());
            line.push_str(&format!("{style}{}{style:#}{:padding$}", cell.text, ""));
            used += widths[index];
        }
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_the_last_gives_way() {
        let rows = [
            vec!["role".into(), "resizer-role".into(), "there".into()],
            vec!["写真".into(), "a".into(), "a long reason that has no room".into()],
        ];
        insta::assert_snapshot!(aligned(&rows, 36), @"");
    }
}
