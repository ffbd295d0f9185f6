//! What the engine does, while it does it: a line a resource.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::format::clipped;
use super::styles::{BAD, FAINT, GOOD};
use super::table::{cut_middle, width_of_stderr};
use super::wrap::columns_of;
use super::{CLOCK_WIDTH, TICK, Ui};
use crate::engine::{Action, Event, Graph, Listener, NodeId, Outcome};

/// Columns for the verb, the kind and the time.
const VERB_WIDTH: usize = 11;
const KIND_WIDTH: usize = 13;
const MARK_AND_TIME_WIDTH: usize = 12;
/// A name that is cut to less says nothing.
const LEAST_OF_A_NAME: usize = 6;
/// Columns for `, again in 12 s`.
const PAUSE_WIDTH: usize = 15;
/// Pauses that are told off a terminal: the first of a kind, and each after it.
const WORTH_A_LINE: Duration = Duration::from_millis(250);
const WORTH_ANOTHER: Duration = Duration::from_secs(10);

/// Draws the steps of a run: on a terminal lines that change, else a line for each thing that happened.
pub struct Progress {
    ui: Ui,
    lines: MultiProgress,
    rows: Mutex<Vec<Row>>,
}

/// A resource and how far its step is.
struct Row {
    kind: &'static str,
    name: String,
    verb: Verb,
    since: Instant,
    bar: Option<ProgressBar>,
    /// What it waits for, said once.
    waits_for: String,
    /// When it tries again, for the line that changes.
    tries_again: Arc<Mutex<Option<Instant>>>,
    note: String,
}

/// An action's name while it goes on and when it is done.
#[derive(Clone, Copy)]
struct Verb {
    doing: &'static str,
    done: &'static str,
}

impl Verb {
    fn of(action: &Action) -> Self {
        let (doing, done) = match action {
            Action::Create(_) => ("creating", "created"),
            Action::Change(_) => ("changing", "changed"),
            Action::Remove => ("removing", "removed"),
            Action::Keep | Action::Refuse(_) => ("looking", "unchanged"),
        };
        Self { doing, done }
    }
}

impl Progress {
    pub fn new(ui: &Ui, graph: &Graph) -> Self {
        let target = if ui.is_live() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let row = |node: NodeId| Row {
            kind: graph.resource(node).kind(),
            name: graph.resource(node).name().to_owned(),
            verb: Verb::of(&Action::Keep),
            since: Instant::now(),
            bar: None,
            waits_for: String::new(),
            tries_again: Arc::default(),
            note: String::new(),
        };
        Self {
            ui: *ui,
            lines: MultiProgress::with_draw_target(target),
            rows: Mutex::new(graph.nodes().map(row).collect()),
        }
    }

    /// Says a line of its own above those that change.
    pub fn announcer(&self) -> impl Fn(&str) + Send + 'static {
        let (ui, lines) = (self.ui, self.lines.clone());
        move |text| lines.suspend(|| ui.say(text))
    }

    fn started(&self, row: &mut Row, action: &Action) {
        row.verb = Verb::of(action);
        row.since = Instant::now();
        if self.ui.is_live() {
            let style = self.ui.moving("{spinner:.cyan} {msg}{pause}  {elapsed:.dim}");
            let tries_again = Arc::clone(&row.tries_again);
            let style = style.with_key("pause", move |_: &ProgressState, to: &mut dyn Write| {
                let at = *tries_again.lock().unwrap_or_else(PoisonError::into_inner);
                // What cannot be written is not shown.
                let left = at.map(|at| at.saturating_duration_since(Instant::now()));
                let _ = to.write_str(&again_in(left.unwrap_or_default()));
            });
            let bar = self.lines.add(ProgressBar::new_spinner().with_style(style));
            bar.set_message(self.ui.painted(&row.line(row.verb.doing, "")));
            bar.enable_steady_tick(TICK);
            row.bar = Some(bar);
        }
    }

    fn waiting(&self, row: &mut Row, waits_for: &str, pause: Duration) {
        let detail = format!("waits for {waits_for}");
        *row.tries_again.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
        match &row.bar {
            Some(bar) => {
                let line = row.waiting_line(&detail, width_of_stderr());
                bar.set_message(self.ui.painted(&line));
            }
            // A short pause is not worth a line that stays, and only a long one is worth a second.
            None if pause >= WORTH_A_LINE && (row.waits_for != waits_for || pause >= WORTH_ANOTHER) => {
                let detail = detail + &again_in(pause);
                let line = row.line_leaving(CLOCK_WIDTH, "waiting", &detail);
                self.lines.suspend(|| self.ui.tell(format!("  {line}")));
                row.waits_for = waits_for.to_owned();
            }
            None => {}
        }
    }

    fn ended(&self, row: &Row, outcome: &Outcome) {
        let (mark, style, verb) = match outcome {
            Outcome::Kept(_) => return,
            Outcome::Done(_) => ('✓', GOOD, row.verb.done),
            Outcome::Failed(_) => ('✗', BAD, "failed"),
            Outcome::Interrupted(_) => ('·', FAINT, "interrupted"),
            Outcome::NotStarted { .. } => ('·', FAINT, "not started"),
        };
        let clock = if row.bar.is_some() { 0 } else { CLOCK_WIDTH };
        let line = row.line_leaving(clock, verb, &row.note);
        let time = match outcome {
            Outcome::NotStarted { .. } => String::new(),
            _ => format!("{:.1} s", row.since.elapsed().as_secs_f64()),
        };
        let text = format!("{style}{mark}{style:#} {line}  {FAINT}{time}{FAINT:#}");
        match &row.bar {
            Some(bar) => {
                bar.set_style(ended_style());
                bar.finish_with_message(self.ui.painted(&text));
            }
            None => self.lines.suspend(|| self.ui.tell(text)),
        }
    }
}

impl Row {
    fn line(&self, verb: &str, detail: &str) -> String {
        self.line_leaving(0, verb, detail)
    }

    /// The line, and so many columns beside it are left free.
    fn line_leaving(&self, free: usize, verb: &str, detail: &str) -> String {
        let room = width_of_stderr().saturating_sub(VERB_WIDTH + KIND_WIDTH + MARK_AND_TIME_WIDTH + 4 + free);
        let separator = if detail.is_empty() { "" } else { "  " };
        let name_room = room.saturating_sub(columns_of(detail) + separator.len());
        let name = cut_middle(&self.name, name_room.max(room / 2));
        let detail = cut_middle(detail, room.saturating_sub(columns_of(&name) + separator.len()));
        format!(
            "{verb:VERB_WIDTH$}  {:KIND_WIDTH$}  {name}{separator}{detail}",
            self.kind
        )
    }

    /// The line while it waits. What for is what one looks for then: where there is no room for all, the verb makes some, and
    /// after it the name.
    fn waiting_line(&self, detail: &str, width: usize) -> String {
        let room = width.saturating_sub(MARK_AND_TIME_WIDTH + PAUSE_WIDTH);
        let (verb, kind, name) = (self.verb.doing, self.kind, &self.name);
        let whole = format!("{verb:VERB_WIDTH$}  {kind:KIND_WIDTH$}  {name}  {detail}");
        if columns_of(&whole) <= room {
            return whole;
        }
        let left = room.saturating_sub(columns_of(detail) + columns_of(kind) + 2);
        if left < LEAST_OF_A_NAME {
            return clipped(&format!("{kind} {detail}"), room);
        }
        format!("{kind} {} {detail}", cut_middle(name, left))
    }
}

impl Listener for Progress {
    fn on(&self, node: NodeId, event: Event<'_>) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = &mut rows[node.index()];
        match event {
            Event::Started(action) => self.started(row, action),
            Event::Waiting { waits_for, pause } => self.waiting(row, waits_for, pause),
            Event::Made => {}
            Event::Note(note) => {
                row.note = note.to_owned();
                if let Some(bar) = &row.bar {
                    bar.set_message(self.ui.painted(&row.line(row.verb.doing, note)));
                }
            }
            Event::Ended(outcome) => self.ended(row, outcome),
        }
    }
}

/// What is left of a pause, down to its last second.
fn again_in(left: Duration) -> String {
    if left < Duration::from_secs(1) {
        return String::new();
    }
    format!(", again in {} s", left.as_secs_f64().ceil())
}

fn ended_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_counted_down_to_its_last_second() {
        let left = |millis| again_in(Duration::from_millis(millis));
        assert_eq!(left(12_000), ", again in 12 s");
        assert_eq!(left(1_100), ", again in 2 s");
        assert_eq!(left(900), "");
        assert!(", again in 15 s".len() <= PAUSE_WIDTH);
    }

    #[test]
    fn what_is_waited_for_is_told_before_all_else() {
        let row = Row {
            kind: "REST API",
            name: "resizer-resize".to_owned(),
            verb: Verb::of(&Action::Remove),
            since: Instant::now(),
            bar: None,
            waits_for: String::new(),
            tries_again: Arc::default(),
            note: String::new(),
        };
        let pace = "waits for AWS: one API delete per 30 s in this account";
        assert_eq!(
            row.waiting_line(pace, 130),
            format!("removing     REST API       resizer-resize  {pace}")
        );
        assert_eq!(
            row.waiting_line(pace, 110),
            format!("REST API resizer-resize {pace}")
        );
        assert_eq!(
            row.waiting_line(pace, 80),
            "REST API waits for AWS: one API delete per 30 s in t…"
        );
    }
}
