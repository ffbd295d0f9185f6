//! A line for each of many things that are under way side by side, and one for all.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use super::table::{cut_middle, width_of_stderr};
use super::{TICK, Ui};

/// The columns of what stands beside a name: what it does, and for how long.
const BESIDE_NAME: usize = 32;

/// On a terminal a line that changes for each that is under way; elsewhere a line for each that has ended.
#[derive(Debug)]
pub struct Lines {
    ui: Ui,
    lines: MultiProgress,
    all: Option<ProgressBar>,
}

/// The line of one.
#[derive(Debug)]
pub struct Line {
    bar: Option<ProgressBar>,
}

impl Lines {
    /// Lines for `total` of `what`.
    pub fn new(ui: &Ui, what: &'static str, total: usize) -> Self {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let all = ui.is_live().then(|| {
            let bar = lines.add(ProgressBar::new(total as u64));
            bar.set_style(ui.moving(&format!(
                "{{spinner:.cyan}} {{pos}} of {{len}} {what} {{elapsed:.dim}}"
            )));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { ui: *ui, lines, all }
    }

    /// The line of one that begins: its name, and what it does.
    pub fn begin(&self, name: &str, what: &'static str) -> Line {
        let bar = self.all.is_some().then(|| {
            // Below the line for all, which is seen however few lines the terminal has.
            let bar = self.lines.add(ProgressBar::new_spinner());
            bar.set_style(
                self.ui
                    .moving("{spinner:.cyan} {prefix}  {msg:.dim}  {elapsed:.dim}"),
            );
            let room = width_of_stderr().saturating_sub(BESIDE_NAME);
            bar.set_prefix(self.ui.painted(&cut_middle(name, room)));
            bar.set_message(what);
            bar.enable_steady_tick(TICK);
            bar
        });
        Line { bar }
    }

    /// Says something that stays, above the lines.
    pub fn say(&self, what: impl std::fmt::Display) {
        self.lines.suspend(|| self.ui.tell(what));
    }

    /// One has ended, as `how` says where lines stay.
    pub fn ended(&self, line: Line, how: impl std::fmt::Display) {
        drop(line);
        match &self.all {
            Some(all) => all.inc(1),
            None => self.ui.tell(how),
        }
    }
}

impl Line {
    /// Says what it does now; on a terminal only.
    pub fn update(&self, what: &'static str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Some(all) = &self.all {
            all.finish_and_clear();
        }
    }
}
