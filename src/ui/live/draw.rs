//! The view on a screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{List, ListItem, ListState, Paragraph};

use super::styled::lines;
use super::view::View;

/// The list has at least so many lines, however long the summary is.
const LIST_MIN: u16 = 6;

const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
const HELP: Style = Style::new().add_modifier(Modifier::DIM);
const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// Draws it, whatever room there is.
pub fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let [heading, body, help] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(Line::styled(view.shown.heading.clone(), HEADING), heading);
    if view.detail.is_some() {
        draw_detail(frame, view, body);
    } else {
        draw_overview(frame, view, body);
    }
    draw_help(frame, view, help);
}

fn draw_overview(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    let summary = lines(&view.shown.summary, view.is_coloured);
    let height = u16::try_from(summary.len() + 2).unwrap_or(u16::MAX);
    let room = area.height.saturating_sub(LIST_MIN);
    let [above, title, below] = Layout::vertical([
        Constraint::Length(height.min(room)),
        Constraint::Length(1),
        Constraint::Min(0),
    ])
    .areas(area);
    let inner = Rect {
        y: above.y + 1.min(above.height),
        height: above.height.saturating_sub(2),
        ..above
    };
    frame.render_widget(Paragraph::new(summary), inner);

    let rows = view.rows();
    let filtered = match (view.filter.as_str(), view.only_bad) {
        ("", false) => String::new(),
        ("", true) => ": only failed".to_owned(),
        (filter, false) => format!(": with \"{filter}\""),
        (filter, true) => format!(": only failed, with \"{filter}\""),
    };
    frame.render_widget(Line::raw(format!("{}{filtered}", view.shown.list)), title);
    if rows.is_empty() {
        frame.render_widget(Paragraph::new("  none"), below);
        view.page = 1;
        return;
    }
    let mut state = ListState::default().with_selected(Some(view.selected()));
    let items: Vec<_> = rows
        .iter()
        .map(|row| ListItem::new(lines(&row.text, view.is_coloured)))
        .collect();
    frame.render_stateful_widget(List::new(items).highlight_style(SELECTED), below, &mut state);
    view.page = usize::from(below.height);
}

fn draw_detail(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    let Some(detail) = &view.detail else {
        return;
    };
    let area = Rect {
        y: area.y + 1.min(area.height),
        height: area.height.saturating_sub(1),
        ..area
    };
    let text = lines(&detail.text, view.is_coloured);
    let shown: Vec<_> = text.into_iter().skip(detail.scrolled).collect();
    frame.render_widget(Paragraph::new(shown), area);
    view.page = usize::from(area.height);
}

fn draw_help(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let line = if view.is_typing {
        Line::raw(format!("/{}▏  Enter keeps it, Esc clears it", view.filter))
    } else if let Some(trouble) = &view.trouble {
        Line::raw(trouble.clone())
    } else if view.detail.is_some() {
        Line::styled("q quit   Esc back   ↑↓ scroll", HELP)
    } else {
        Line::styled(
            "q quit   ↑↓ select   Enter its story   / filter   f only failed",
            HELP,
        )
    };
    frame.render_widget(line, area);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::KeyCode;

    use super::*;
    use crate::ui::live::view::{Row, Shown};

    fn view() -> View {
        let row = |n: usize| Row {
            id: n.to_string(),
            text: if n == 1 {
                format!("  ✗ 0000000{n}  bad.jpg  failed\n      not an image")
            } else {
                format!("  ✓ 0000000{n}  cat.jpg  → output/cat_resized.jpg")
            },
            is_bad: n == 1,
        };
        let shown = Shown {
            heading: "Stack resizer in us-east-1 (account 000000000000)".to_owned(),
            summary: "Resources: all 12 there and right\n\nLast 24 hours\n  started ▁▂█".to_owned(),
            list: "Newest executions".to_owned(),
            rows: (0..4).map(row).collect(),
        };
        View::new(shown, true)
    }

    fn screen(view: &mut View, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, view)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_screen_has_summary_list_and_keys() {
        insta::assert_snapshot!(screen(&mut view(), 64, 16), @r#"
        "Stack resizer in us-east-1 (account 000000000000)               "
        "                                                                "
        "Resources: all 12 there and right                               "
        "                                                                "
        "Last 24 hours                                                   "
        "  started ▁▂█                                                   "
        "                                                                "
        "Newest executions                                               "
        "  ✓ 00000000  cat.jpg  → output/cat_resized.jpg                 "
        "  ✗ 00000001  bad.jpg  failed                                   "
        "      not an image                                              "
        "  ✓ 00000002  cat.jpg  → output/cat_resized.jpg                 "
        "  ✓ 00000003  cat.jpg  → output/cat_resized.jpg                 "
        "                                                                "
        "                                                                "
        "q quit   ↑↓ select   Enter its story   / filter   f only failed "
        "#);
    }

    #[test]
    fn on_a_small_screen_the_list_comes_first() {
        insta::assert_snapshot!(screen(&mut view(), 40, 9), @r#"
        "Stack resizer in us-east-1 (account 0000"
        "                                        "
        "Newest executions                       "
        "  ✓ 00000000  cat.jpg  → output/cat_resi"
        "  ✗ 00000001  bad.jpg  failed           "
        "      not an image                      "
        "  ✓ 00000002  cat.jpg  → output/cat_resi"
        "  ✓ 00000003  cat.jpg  → output/cat_resi"
        "q quit   ↑↓ select   Enter its story   /"
        "#);
        // However small, it is drawn.
        for (width, height) in [(1, 1), (3, 2), (10, 3), (200, 4)] {
            screen(&mut view(), width, height);
        }
    }

    #[test]
    fn a_filter_says_what_it_leaves() {
        let mut view = view();
        for key in ['f', '/', 'b', 'a', 'd'] {
            view.press(KeyCode::Char(key).into());
        }
        insta::assert_snapshot!(screen(&mut view, 64, 9), @r#"
        "Stack resizer in us-east-1 (account 000000000000)               "
        "                                                                "
        "Newest executions: only failed, with "bad"                      "
        "  ✗ 00000001  bad.jpg  failed                                   "
        "      not an image                                              "
        "                                                                "
        "                                                                "
        "                                                                "
        "/bad▏  Enter keeps it, Esc clears it                            "
        "#);
    }

    #[test]
    fn a_story_takes_the_whole_screen() {
        let mut view = view();
        view.press(KeyCode::Enter.into());
        view.tell("0", "Execution arn:…\n\n  +2 ms ✓ Resize  41 ms".to_owned());
        insta::assert_snapshot!(screen(&mut view, 64, 9), @r#"
        "Stack resizer in us-east-1 (account 000000000000)               "
        "                                                                "
        "Execution arn:…                                                 "
        "                                                                "
        "  +2 ms ✓ Resize  41 ms                                         "
        "                                                                "
        "                                                                "
        "                                                                "
        "q quit   Esc back   ↑↓ scroll                                   "
        "#);
    }
}
