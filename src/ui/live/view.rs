//! What is shown, and what the keys do to it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// One line.
    pub heading: String,
    /// Lines above the list.
    pub summary: String,
    /// What the list is.
    pub list: String,
    /// Why some of it may be missing: lines below it.
    pub missing: String,
    pub rows: Vec<Row>,
}

/// One of the list.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What its story is asked for with.
    pub id: String,
    /// One line or more.
    pub text: String,
    /// What the filter looks at: all that is known of it, however much of that is shown.
    pub searched: String,
    /// Whether it went wrong.
    pub is_bad: bool,
}

/// What stands in the place of a row's id where the whole summary is shown.
const SUMMARY: &str = "";

/// The story of one row, or the summary.
#[derive(Debug)]
pub(super) struct Detail {
    pub id: String,
    pub text: String,
    /// Lines that are above the screen.
    pub scrolled: usize,
    /// Why the last reading of it failed.
    pub trouble: Option<String>,
}

impl Detail {
    fn new(id: &str, text: String) -> Self {
        Self {
            id: id.to_owned(),
            text,
            scrolled: 0,
            trouble: None,
        }
    }
}

/// All of the screen.
#[derive(Debug)]
pub struct View {
    pub(super) shown: Shown,
    /// The row that is selected, by its id: rows come and go.
    selected: Option<String>,
    /// Only rows with this in them.
    pub(super) filter: String,
    pub(super) is_typing: bool,
    pub(super) only_bad: bool,
    pub(super) detail: Option<Detail>,
    /// Why the last reading failed.
    pub(super) trouble: Option<String>,
    pub(super) is_coloured: bool,
    /// How many rows are above the screen.
    pub(super) offset: usize,
    /// How many rows, or lines of a story, the screen had room for when it was drawn.
    pub(super) page: usize,
}

/// What a key asks for that the view does not have.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Nothing,
    /// The story of the row with this id.
    Detail(String),
    /// To end.
    Leave,
    /// To end, by Ctrl-C.
    Interrupt,
}

impl View {
    pub fn new(shown: Shown, is_coloured: bool) -> Self {
        Self {
            shown,
            selected: None,
            filter: String::new(),
            is_typing: false,
            only_bad: false,
            detail: None,
            trouble: None,
            is_coloured,
            offset: 0,
            page: 1,
        }
    }

    /// Shows a new reading.
    pub fn show(&mut self, shown: Shown) {
        self.tell(SUMMARY, shown.summary.clone());
        self.shown = shown;
    }

    /// Says why there is no new reading, if there is none; what was read last stays.
    pub fn say(&mut self, trouble: Option<String>) {
        self.trouble = trouble;
    }

    /// Whether the story of that row is on the screen.
    pub fn tells_of(&self, id: &str) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.id == id)
    }

    /// Shows the story of a row, if it is still the one that was asked for.
    pub fn tell(&mut self, id: &str, text: String) {
        if let Some(detail) = self.detail.as_mut().filter(|detail| detail.id == id) {
            detail.text = text;
        }
    }

    /// Says why there is no new reading of a row's story, if there is none; what was told stays.
    pub fn say_of(&mut self, id: &str, trouble: Option<String>) {
        if let Some(detail) = self.detail.as_mut().filter(|detail| detail.id == id) {
            detail.trouble = trouble;
        }
    }

    /// The rows that are not filtered away.
    pub(super) fn rows(&self) -> Vec<&Row> {
        let filter = self.filter.to_lowercase();
        let is_shown =
            |row: &&Row| (!self.only_bad || row.is_bad) && row.searched.to_lowercase().contains(&filter);
        self.shown.rows.iter().filter(is_shown).collect()
    }

    /// Where the selected row is among those.
    pub(super) fn selected(&self) -> usize {
        let is_selected = |row: &&Row| Some(&row.id) == self.selected.as_ref();
        self.rows().iter().position(is_selected).unwrap_or(0)
    }

    /// Does what a key is for.
    pub fn press(&mut self, key: KeyEvent) -> Asked {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') {
                Asked::Interrupt
            } else {
                Asked::Nothing
            };
        }
        if self.is_typing {
            self.type_filter(key.code);
            return Asked::Nothing;
        }
        match key.code {
            KeyCode::Char('q') => return Asked::Leave,
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Left if self.detail.is_some() => self.detail = None,
            KeyCode::Esc => {
                self.filter.clear();
                self.only_bad = false;
            }
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::PageUp => self.go(-self.page_down()),
            KeyCode::PageDown | KeyCode::Char(' ') => self.go(self.page_down()),
            KeyCode::Home | KeyCode::Char('g') => self.go(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.go(isize::MAX),
            KeyCode::Char('/') if self.detail.is_none() => self.is_typing = true,
            KeyCode::Char('f') if self.detail.is_none() => self.only_bad = !self.only_bad,
            KeyCode::Enter | KeyCode::Right if self.detail.is_none() => return self.open(),
            KeyCode::Char('s') if self.detail.is_none() => {
                self.detail = Some(Detail::new(SUMMARY, self.shown.summary.clone()));
            }
            _ => {}
        }
        Asked::Nothing
    }

    fn page_down(&self) -> isize {
        isize::try_from(self.page.max(1)).unwrap_or(isize::MAX)
    }

    fn type_filter(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char(c) => self.filter.push(c),
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.is_typing = false;
            }
            _ => {}
        }
    }

    /// Selects the row so many further on, or scrolls the story.
    fn go(&mut self, by: isize) {
        if let Some(detail) = &mut self.detail {
            let last = detail.text.lines().count().saturating_sub(self.page);
            detail.scrolled = detail.scrolled.saturating_add_signed(by).min(last);
            return;
        }
        let rows = self.rows();
        let target = self
            .selected()
            .saturating_add_signed(by)
            .min(rows.len().saturating_sub(1));
        self.selected = rows.get(target).map(|row| row.id.clone());
    }

    fn open(&mut self) -> Asked {
        let id = self.rows().get(self.selected()).map(|row| row.id.clone());
        let Some(id) = id else {
            return Asked::Nothing;
        };
        // It stays selected, whatever comes above it meanwhile.
        self.selected = Some(id.clone());
        self.detail = Some(Detail::new(&id, "Reading …".to_owned()));
        Asked::Detail(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(rows: usize) -> View {
        let row = |n: usize| Row {
            id: n.to_string(),
            // As it stands on the screen: cut, and with its colours.
            text: format!("\u{1b}[32m✓\u{1b}[0m row {n} in/C…"),
            searched: format!("row {n}\nin/Cat.jpg"),
            is_bad: n % 2 == 1,
        };
        let shown = Shown {
            rows: (0..rows).map(row).collect(),
            ..Shown::default()
        };
        View::new(shown, false)
    }

    fn press(view: &mut View, keys: &str) -> Asked {
        let code = |c: char| match c {
            '⏎' => KeyCode::Enter,
            '⌫' => KeyCode::Backspace,
            '␛' => KeyCode::Esc,
            '↓' => KeyCode::Down,
            '↑' => KeyCode::Up,
            '⇟' => KeyCode::PageDown,
            c => KeyCode::Char(c),
        };
        let asked = keys.chars().map(|c| view.press(code(c).into()));
        asked.last().unwrap_or(Asked::Nothing)
    }

    #[test]
    fn the_selection_stays_in_the_list_and_with_its_row() {
        let mut view = view(3);
        press(&mut view, "↑↓↓↓↓");
        assert_eq!(view.selected(), 2);
        let mut more = view.shown.clone();
        more.rows.insert(
            0,
            Row {
                id: "new".to_owned(),
                ..Row::default()
            },
        );
        view.show(more);
        assert_eq!(view.selected(), 3, "the same row, one further down");
        view.show(Shown::default());
        assert_eq!(view.selected(), 0);
        press(&mut view, "↓⏎");
        assert!(view.detail.is_none(), "there is nothing to open");
    }

    #[test]
    fn a_filter_is_typed_and_taken_back() {
        let mut view = view(12);
        press(&mut view, "/ROW 1q⌫⏎");
        assert_eq!(view.rows().len(), 3, "1, 10 and 11");
        press(&mut view, "f");
        assert_eq!(view.rows().len(), 2, "those that went wrong");
        press(&mut view, "␛");
        assert_eq!(view.rows().len(), 12);

        press(&mut view, "␛/32m");
        assert_eq!(view.rows().len(), 0, "a colour is nothing to be found");
    }

    #[test]
    fn a_story_is_opened_told_scrolled_and_left() {
        let mut view = view(3);
        assert_eq!(press(&mut view, "↓⏎"), Asked::Detail("1".to_owned()));
        view.tell("0", "of another".to_owned());
        assert_eq!(
            view.detail.as_ref().map(|detail| detail.text.as_str()),
            Some("Reading …")
        );
        view.tell("1", "a\nb\nc\nd".to_owned());
        view.page = 3;
        press(&mut view, "⇟⇟");
        assert_eq!(
            view.detail.as_ref().map(|detail| detail.scrolled),
            Some(1),
            "to its end"
        );
        assert_eq!(press(&mut view, "␛"), Asked::Nothing);
        assert!(view.detail.is_none());
        assert_eq!(view.selected(), 1);
        assert_eq!(press(&mut view, "q"), Asked::Leave);
        assert_eq!(
            view.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
            Asked::Interrupt
        );
    }
}
