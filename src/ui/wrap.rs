//! Lines that are longer than the terminal is wide.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The lines of `text` in at most `width` columns each; what goes on stands two columns further in than its line.
pub fn fitted(text: &str, width: usize) -> String {
    each_line(text, width, wrapped)
}

/// The same, each broken [`by_words`].
pub fn fitted_by_words(text: &str, width: usize) -> String {
    each_line(text, width, by_words)
}

fn each_line(text: &str, width: usize, fit: fn(&str, usize, usize) -> String) -> String {
    let indent = |line: &str| line.chars().take_while(|c| *c == ' ').count() + 2;
    let lines = text.split('\n').map(|line| fit(line, width, indent(line)));
    lines.collect::<Vec<_>>().join("\n")
}

/// `text`, whatever its lines are, as one that is [`wrapped`]; all of it stands after `indent` spaces.
pub fn paragraph(text: &str, width: usize, indent: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let indent = indent.min(width / 2);
    wrapped(&format!("{:indent$}{words}", ""), width, indent)
}

/// `line` in at most `width` columns: broken at a space or, where the line would be half empty, within a word; what goes on
/// stands after `indent` spaces. Styles take no room, wide characters two columns.
pub fn wrapped(line: &str, width: usize, indent: usize) -> String {
    let width = width.max(1);
    // However narrow it is, something stands on each line.
    let indent = indent.min(width / 2);
    let mut done = String::new();
    let mut current = String::new();
    // Of `current`: its columns, those before its first word, and the last space that it may be broken at.
    let (mut columns, mut start, mut space) = (0, 0, None);
    let mut is_style = false;
    for cluster in line.graphemes(true) {
        is_style |= cluster == "\x1b";
        if is_style {
            is_style = !cluster.starts_with('m');
            current.push_str(cluster);
            continue;
        }
        let room = cluster.width();
        let is_break = cluster == " " && columns == width;
        while columns + room > width && columns > start {
            let carried = match space.take() {
                _ if cluster == " " => String::new(),
                Some(space) => current.split_off(space).trim_start().to_owned(),
                None => String::new(),
            };
            done.push_str(current.trim_end_matches(' '));
            done.push('\n');
            current = " ".repeat(indent) + &carried;
            columns = indent + columns_of(&carried);
            start = indent;
        }
        if is_break {
            continue;
        }
        if cluster == " " && columns >= (width / 2).max(indent) {
            space = Some(current.len());
        }
        current.push_str(cluster);
        columns += room;
    }
    done + &current
}

/// `line` in at most `width` columns, what goes on after `indent` spaces, without a break within a word or a `command`: one
/// that is longer is left to the terminal, so that it can be copied whole.
pub fn by_words(line: &str, width: usize, indent: usize) -> String {
    let mut done = String::new();
    let mut columns = 0;
    let mut rest = line;
    while !rest.is_empty() {
        let end = end_of_word(rest);
        let word = &rest[..end];
        if columns > indent && columns + columns_of(word) > width {
            done.truncate(done.trim_end_matches(' ').len());
            done.push_str(&format!("\n{:indent$}", ""));
            columns = indent;
        }
        let with_space = &rest[..rest.len().min(end + 1)];
        done.push_str(with_space);
        columns += columns_of(with_space);
        rest = &rest[with_space.len()..];
    }
    done
}

/// Where the first word or command of `text` ends: at a space that is not between two backticks.
fn end_of_word(text: &str) -> usize {
    let mut at = 0;
    while let Some(next) = text[at..].find([' ', '`']).map(|next| at + next) {
        if text[next..].starts_with(' ') {
            return next;
        }
        at = next + 1;
        // One that has no second is a part of a name.
        at += text[at..].find('`').map_or(0, |length| length + 1);
    }
    text.len()
}

/// The columns that `text` takes on a terminal: two for a wide character, as Japanese ones are, and none for styles.
pub fn columns_of(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::styles::BAD;

    #[test]
    fn a_line_goes_on_below_itself() {
        assert_eq!(wrapped("what fits", 9, 2), "what fits");
        assert_eq!(
            wrapped("one two three four five", 10, 2),
            "one two\n  three\n  four\n  five"
        );
        assert_eq!(
            wrapped("in  {\"bucket\":\"original\"}", 12, 4),
            "in  {\"bucket\n    \":\"origi\n    nal\"}"
        );
        assert_eq!(wrapped("abc def", 3, 0), "abc\ndef");
        assert_eq!(wrapped("日本語日本語", 6, 2), "日本語\n  日本\n  語");
        assert_eq!(wrapped("日本語", 5, 1), "日本\n 語");
        assert_eq!(
            wrapped("cafe\u{301} au", 4, 0),
            "cafe\u{301}\nau",
            "an accent takes no room"
        );
        assert_eq!(wrapped("日本", 1, 0), "日\n本", "it is wider than the terminal");
        assert_eq!(wrapped("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 4, 0), "👩‍👩‍👧‍👦👩‍👩‍👧‍👦\n👩‍👩‍👧‍👦", "what is joined is one");
        assert_eq!(wrapped("abc", 0, 9), "a\nb\nc");
        assert_eq!(fitted("a b\n  ccc ddd", 6), "a b\n  ccc\n   ddd");
        assert_eq!(wrapped("as long as it is", usize::MAX, 2), "as long as it is");
    }

    #[test]
    fn a_paragraph_stands_after_its_indent() {
        assert_eq!(paragraph("a  bc\ndef", 6, 2), "  a bc\n  def");
        assert_eq!(paragraph("a  bc\ndef", usize::MAX, 0), "a bc def");
        assert_eq!(paragraph("abcdefgh i", 6, 2), "  abcd\n  efgh\n  i");
    }

    #[test]
    fn by_words_neither_a_word_nor_a_command_is_broken() {
        let line = "  hint: see s3://bucket/key.jpg, `resizer up --local` makes it";
        assert_eq!(
            by_words(line, 18, 4),
            "  hint: see\n    s3://bucket/key.jpg,\n    `resizer up --local`\n    makes it"
        );
        assert_eq!(by_words(line, 80, 4), line);
        assert_eq!(by_words("a `b c", 3, 0), "a\n`b\nc", "a key may have one");
        assert_eq!(by_words("日本 日本", 5, 1), "日本\n 日本");
    }

    #[test]
    fn styles_take_no_room_and_go_on() {
        let styled = format!("{BAD}one two{BAD:#} three");
        assert_eq!(wrapped(&styled, 7, 2), format!("{BAD}one two{BAD:#}\n  three"));
        let shown = anstream::adapter::strip_str(&wrapped(&styled, 5, 0)).to_string();
        assert_eq!(shown, "one\ntwo\nthree");
    }
}
