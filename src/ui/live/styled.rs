//! Texts with SGR codes in them, as lines of the screen.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

/// The lines of `text`. Whatever is no style that this crate writes stays away.
pub fn lines(text: &str, is_coloured: bool) -> Vec<Line<'static>> {
    let mut style = Style::new();
    text.lines()
        .map(|text| line(text, &mut style, is_coloured))
        .collect()
}

fn line(text: &str, style: &mut Style, is_coloured: bool) -> Line<'static> {
    let mut spans = Vec::new();
    let mut parts = text.split("\x1b[");
    if let Some(first) = parts.next() {
        spans.push(Span::styled(first.to_owned(), *style));
    }
    for part in parts {
        let Some((codes, text)) = part.split_once('m') else {
            continue;
        };
        if is_coloured {
            *style = codes.split(';').fold(*style, with);
        }
        spans.push(Span::styled(text.to_owned(), *style));
    }
    Line::from(spans)
}

fn with(style: Style, code: &str) -> Style {
    match code {
        "" | "0" => Style::new(),
        "1" => style.add_modifier(Modifier::BOLD),
        "2" => style.add_modifier(Modifier::DIM),
        "31" => style.fg(Color::Red),
        "32" => style.fg(Color::Green),
        "33" => style.fg(Color::Yellow),
        "36" => style.fg(Color::Cyan),
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    use anstyle::AnsiColor;

    use super::*;

    #[test]
    fn the_styles_we_write_are_kept() {
        let red = AnsiColor::Red.on_default();
        let text = format!("a {red}bad{red:#} day\nand {red}another{red:#}");
        let shown = lines(&text, true);
        assert_eq!(shown.len(), 2);
        assert_eq!(shown[0].to_string(), "a bad day");
        assert_eq!(shown[0].spans[1].style.fg, Some(Color::Red));
        assert_eq!(shown[0].spans[2].style.fg, None);
        let plain = lines(&text, false);
        assert!(
            plain
                .iter()
                .flat_map(|line| &line.spans)
                .all(|span| span.style == Style::new())
        );
    }
}
