//! One line that says what is being waited for.

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::{TICK, Ui};

/// What is over sooner needs no line.
const SOON: Duration = Duration::from_millis(700);

/// What most commands begin with.
pub const READING: &str = "Reading what stands";

/// What `work` comes to; on a terminal it is said that it is waited for, where that takes long.
pub async fn waited<T>(ui: &Ui, what: &'static str, work: impl Future<Output = T>) -> T {
    waited_telling(ui, what, work, String::new).await
}

/// The same; the line goes on with `how_far` it is.
pub async fn waited_telling<T>(
    ui: &Ui,
    what: &'static str,
    work: impl Future<Output = T>,
    how_far: impl Fn() -> String,
) -> T {
    let mut work = pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(SOON) => {}
    }
    let line = ui.is_live().then(|| Waiting::new(ui, what));
    loop {
        if let Some(line) = &line {
            line.update(&how_far());
        }
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// A line on stderr that lives while something is waited for: redrawn on a terminal, said once elsewhere.
#[derive(Debug)]
pub struct Waiting<'a> {
    ui: &'a Ui,
    line: Option<ProgressBar>,
}

impl<'a> Waiting<'a> {
    /// Begins to wait for `what`.
    pub fn new(ui: &'a Ui, what: impl Into<Cow<'static, str>>) -> Self {
        let what = what.into();
        if !ui.is_live() {
            ui.tell(what);
            return Self { ui, line: None };
        }
        let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        line.set_style(ui.moving("{spinner:.cyan} {prefix} {elapsed:.dim}  {wide_msg:.dim}"));
        line.set_prefix(ui.painted(&what));
        line.enable_steady_tick(TICK);
        Self { ui, line: Some(line) }
    }

    /// Says how far it is; on a terminal only.
    pub fn update(&self, progress: &str) {
        if let Some(line) = &self.line {
            line.set_message(self.ui.painted(progress));
        }
    }

    /// Says something that stays, above the line.
    pub fn say(&self, what: impl std::fmt::Display) {
        match &self.line {
            Some(line) => line.suspend(|| self.ui.tell(what)),
            None => self.ui.tell(what),
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }

    /// Says how the waiting ended, in the line's place.
    pub fn done(self, how: impl std::fmt::Display) {
        self.clear();
        self.ui.tell(how);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}
