//! The view on a screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{List, ListItem, ListState, Paragraph};

use super::styled::lines;
use super::view::View;
use crate::ui::wrap::{columns_of, fitted};

/// The list has at least so many lines, or half of what there are, if it needs them, however long the summary is.
const LIST_MIN: u16 = 6;

/// Those that matter most are named where there is no room for all.
const KEYS: &str = "q quit   ↑↓ PgUp PgDn select   Enter story   s summary   / filter   f failed";

const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
const TROUBLE: Style = Style::new().fg(Color::Red);
const HELP: Style = Style::new().add_modifier(Modifier::DIM);
const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// Draws it, whatever room there is.
pub fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let width = usize::from(frame.area().width);
    let heading = fitted(&view.shown.heading, width);
    let (help, help_style) = help(view, width);
    let help = fitted(&help, width);
    let [above, body, below] = Layout::vertical([
        Constraint::Length(height(&heading)),
        Constraint::Min(0),
        // However much is to be said.
        Constraint::Length(height(&help).min(frame.area().height / 2).max(1)),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(heading).style(HEADING), above);
    if view.detail.is_some() {
        draw_detail(frame, view, body);
    } else {
        draw_overview(frame, view, body);
    }
    frame.render_widget(Paragraph::new(help).style(help_style), below);
}

/// How many lines it has.
fn height(text: &str) -> u16 {
    u16::try_from(text.lines().count()).unwrap_or(u16::MAX)
}

fn draw_overview(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    let rows = view.rows();
    let all = view.shown.rows.len();
    let filtered = match (view.filter.as_str(), view.only_bad) {
        ("", false) => String::new(),
        ("", true) => format!(": of these {all} only failed"),
        (filter, false) => format!(": of these {all} with \"{filter}\""),
        (filter, true) => format!(": of these {all} only failed, with \"{filter}\""),
    };
    let summary = lines(&view.shown.summary, view.is_coloured);
    let missing = lines(&view.shown.missing, view.is_coloured);
    let wanted = u16::try_from(summary.len() + 2).unwrap_or(u16::MAX);
    let items: Vec<_> = rows
        .iter()
        .map(|row| ListItem::new(lines(&row.text, view.is_coloured)))
        .collect();
    let listed = items.iter().map(ListItem::height).sum::<usize>() + missing.len() + 2;
    let list = LIST_MIN
        .max(area.height / 2)
        .min(u16::try_from(listed).unwrap_or(u16::MAX));
    let room = area.height.saturating_sub(list);
    let hidden = match summary.len().saturating_sub(room.saturating_sub(2).into()) {
        0 => String::new(),
        1 => " (1 line above hidden)".to_owned(),
        lines => format!(" ({lines} lines above hidden)"),
    };
    let place = match rows.len() {
        0 => String::new(),
        all => format!(", {} of {all}", view.selected() + 1),
    };
    let title = format!("{}{filtered}{place}{hidden}", view.shown.list);
    let title = fitted(&title, area.width.into());
    let [above, heading, gaps, below] = Layout::vertical([
        Constraint::Length(wanted.min(room)),
        Constraint::Length(height(&title)),
        Constraint::Length(height(&view.shown.missing)),
        Constraint::Min(0),
    ])
    .areas(area);
    let inner = Rect {
        y: above.y + 1.min(above.height),
        height: above.height.saturating_sub(2),
        ..above
    };
    frame.render_widget(Paragraph::new(summary), inner);
    frame.render_widget(Paragraph::new(title), heading);
    let none = match (view.shown.list.as_str(), missing.is_empty()) {
        // Before the first reading.
        ("", _) => "",
        (_, true) => "  none",
        (_, false) => "  none to be seen",
    };
    frame.render_widget(Paragraph::new(missing), gaps);
    if rows.is_empty() {
        frame.render_widget(Paragraph::new(none), below);
        view.page = 1;
        return;
    }
    let mut state = ListState::default()
        .with_offset(view.offset)
        .with_selected(Some(view.selected()));
    frame.render_stateful_widget(List::new(items).highlight_style(SELECTED), below, &mut state);
    view.offset = state.offset();
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
    // The story may have become shorter, or the screen larger, since it was scrolled.
    let last = text.len().saturating_sub(area.height.into());
    let shown: Vec<_> = text.into_iter().skip(detail.scrolled.min(last)).collect();
    frame.render_widget(Paragraph::new(shown), area);
    view.page = usize::from(area.height);
}

/// What the keys do, or what has to be said instead.
fn help(view: &View, width: usize) -> (String, Style) {
    let of_story = view.detail.as_ref().and_then(|detail| detail.trouble.as_ref());
    let trouble = of_story.or(view.trouble.as_ref());
    let keys = match view.detail {
        Some(_) => "q quit   Esc back   ↑↓ PgUp PgDn scroll",
        None if columns_of(KEYS) <= width => KEYS,
        None => "q quit  ↑↓  Enter story  s summary  / filter",
    };
    if view.is_typing {
        let typing = format!("/{}▏  Enter keeps it, Esc clears it", view.filter);
        (typing, Style::new())
    } else if let Some(trouble) = trouble {
        let style = if view.is_coloured { TROUBLE } else { HEADING };
        (format!("{trouble}\n{keys}"), style)
    } else {
        (keys.to_owned(), HELP)
    }
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
            searched: if n == 1 { "bad.jpg" } else { "cat.jpg" }.to_owned(),
            is_bad: n == 1,
        };
        let shown = Shown {
            heading: "Stack resizer in us-east-1 (account 000000000000)".to_owned(),
            summary: "Resources: all 12 there and right\n\nLast 24 hours\n  started ▁▂█".to_owned(),
            list: "Newest executions".to_owned(),
            missing: String::new(),
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
        "Newest executions, 1 of 4                                       "
        "  ✓ 00000000  cat.jpg  → output/cat_resized.jpg                 "
        "  ✗ 00000001  bad.jpg  failed                                   "
        "      not an image                                              "
        "  ✓ 00000002  cat.jpg  → output/cat_resized.jpg                 "
        "  ✓ 00000003  cat.jpg  → output/cat_resized.jpg                 "
        "                                                                "
        "                                                                "
        "q quit  ↑↓  Enter story  s summary  / filter                    "
        "#);
    }

    #[test]
    fn on_a_small_screen_the_list_comes_first() {
        insta::assert_snapshot!(screen(&mut view(), 40, 9), @r#"
        "Stack resizer in us-east-1 (account     "
        "  000000000000)                         "
        "Newest executions, 1 of 4 (4 lines above"
        "  hidden)                               "
        "  ✓ 00000000  cat.jpg  → output/cat_resi"
        "  ✗ 00000001  bad.jpg  failed           "
        "      not an image                      "
        "q quit  ↑↓  Enter story  s summary  /   "
        "  filter                                "
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
        "Resources: all 12 there and right                               "
        "                                                                "
        "Newest executions: of these 4 only failed, with "bad", 1 of 1 (3"
        "  lines above hidden)                                           "
        "  ✗ 00000001  bad.jpg  failed                                   "
        "      not an image                                              "
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
        "q quit   Esc back   ↑↓ PgUp PgDn scroll                         "
        "#);
    }
}
