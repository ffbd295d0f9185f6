//! Aligned columns that fit the terminal.

use std::array;
use std::io::{self, IsTerminal};

use unicode_segmentation::UnicodeSegmentation;

use super::format::beginning;
use super::wrap::columns_of;

/// The width to draw for where no terminal says one.
const DEFAULT_WIDTH: usize = 120;

/// Where nothing is cut, in a file, what is longer makes its own line longer and no other.
const PADDED_MAX: usize = 80;

/// Columns are at least this wide before they are cut.
const NARROWEST: usize = 8;

/// The columns of the terminal behind stdout; wide where there is none, so that nothing is cut in a file.
pub fn width_of_stdout() -> usize {
    if !io::stdout().is_terminal() {
        return usize::MAX;
    }
    terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0))
}

/// The columns of the terminal behind stderr.
pub fn width_of_stderr() -> usize {
    if !io::stderr().is_terminal() {
        return usize::MAX;
    }
    terminal_size::terminal_size_of(io::stderr()).map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0))
}

/// The rows with their columns aligned, two spaces between, at most `width` wide. A column with nothing in it takes no room.
///
/// The widest column gives way first, and is cut in the middle: both ends of a name tell names apart.
pub fn aligned<const N: usize>(rows: &[[String; N]], width: usize) -> Vec<String> {
    // Less what stands beside.
    let is_file = width > usize::MAX / 2;
    let most = if is_file { PADDED_MAX } else { width };
    let mut widths = widths_of(rows).map(|width| width.min(most));
    let shown = widths.iter().filter(|width| **width > 0).count();
    shrink(&mut widths, width.saturating_sub(2 * shown.saturating_sub(1)));
    rows.iter()
        .map(|row| {
            let columns = row.iter().zip(widths).filter(|(_, width)| *width > 0);
            let cells = columns.map(|(cell, width)| {
                let cell = if is_file {
                    cell.clone()
                } else {
                    cut_middle(cell, width)
                };
                let room = width.saturating_sub(columns_of(&cell));
                format!("{cell}{:room$}", "")
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// How wide the widest cell of each column is.
pub fn widths_of<const N: usize>(rows: &[[String; N]]) -> [usize; N] {
    let widest = |column: usize| rows.iter().map(|row| columns_of(&row[column])).max();
    array::from_fn(|column| widest(column).unwrap_or_default())
}

fn shrink(widths: &mut [usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

/// `text` in at most `width` columns, its middle replaced by `…` if need be.
pub fn cut_middle(text: &str, width: usize) -> String {
    cut_after(text, width, width.saturating_sub(1).div_ceil(2))
}

/// `text` in at most `width` columns, what follows on its first `head` replaced by `…` if need be.
pub fn cut_after(text: &str, width: usize, head: usize) -> String {
    let columns = columns_of(text);
    if columns <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let head = head.min(kept);
    let before = beginning(text, head);
    let rest = columns - (kept - head);
    // What is before the end, and a character that only half of would be left of.
    let mut cut = beginning(text, rest).len();
    if columns_of(&text[cut..]) > kept - head {
        cut += text[cut..].graphemes(true).next().map_or(0, str::len);
    }
    format!("{before}…{}", &text[cut..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [
            ["role".to_owned(), "a".to_owned()],
            ["log group".to_owned(), "b".to_owned()],
        ];
        assert_eq!(aligned(&rows, 80), ["role       a", "log group  b"]);
    }

    #[test]
    fn in_a_file_what_is_long_is_whole_and_widens_no_other_line() {
        let long = "k".repeat(100);
        let rows = [[long.clone(), "a".to_owned()], ["b".to_owned(), "c".to_owned()]];
        let lines = aligned(&rows, usize::MAX);
        assert_eq!(lines[0], format!("{long}  a"));
        assert_eq!(lines[1], format!("{:82}c", "b"));
    }

    #[test]
    fn the_widest_column_is_cut_in_the_middle() {
        let rows = [[
            "bucket".to_owned(),
            "resizer-original-000000000000-us-east-1".to_owned(),
        ]];
        let lines = aligned(&rows, 30);
        assert_eq!(lines, ["bucket  resizer-ori…-us-east-1"]);
        assert_eq!(lines[0].chars().count(), 30);
    }

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(cut_middle("abc", 3), "abc");
        assert_eq!(cut_middle("abcd", 3), "a…d");
        assert_eq!(cut_middle("abcd", 0), "…");
        assert_eq!(cut_after("→ output/a.jpg", 10, 2), "→ …t/a.jpg");
        assert_eq!(cut_after("→ a", 1, 2), "…");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let rows = [
            ["日本".to_owned(), "a".to_owned()],
            ["abcdef".to_owned(), "b".to_owned()],
        ];
        assert_eq!(aligned(&rows, 80), ["日本    a", "abcdef  b"]);
        assert_eq!(cut_middle("日本語学校", 10), "日本語学校");
        assert_eq!(cut_middle("日本語学校", 9), "日本…学校");
        assert_eq!(cut_middle("日本語学校", 8), "日本…校");
        assert_eq!(cut_middle("a👩‍👩‍👧‍👦bc👩‍👩‍👧‍👦d", 6), "a👩‍👩‍👧‍👦…d");
    }
}
