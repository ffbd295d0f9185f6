//! The only place that draws: what a person reads goes to stderr, results to stdout.

pub mod chart;
pub mod format;
pub mod glyphs;
pub mod json;
pub mod lines;
pub mod live;
pub mod log_line;
pub mod markup;
pub mod picture;
pub mod plan;
pub mod plot;
pub mod progress;
pub mod styles;
pub mod table;
pub mod timeline;
pub mod waiting;
pub mod wrap;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstream::AutoStream;
use anstream::stream::RawStream;
use anstyle::{AnsiColor, Style};
use indicatif::ProgressStyle;
use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

use crate::cli::{ColorWhen, GlobalArgs};
use crate::error::CommandError;
use format::time_with_seconds;
use glyphs::{fitting, is_unicode};
use styles::FAINT;
use table::width_of_stderr;
use wrap::{by_words, fitted_by_words};

/// How this run speaks.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    color: anstream::ColorChoice,
    /// Results are one JSON document.
    pub json: bool,
    /// Nothing is said while waiting.
    pub quiet: bool,
}

/// The columns of the time of day before a line that stays.
const CLOCK_WIDTH: usize = 10;
/// How often what moves is drawn anew.
const TICK: Duration = Duration::from_millis(100);

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Ui {
    pub fn new(args: &GlobalArgs) -> Self {
        let color = match args.color {
            ColorWhen::Auto => anstream::ColorChoice::Auto,
            ColorWhen::Always => anstream::ColorChoice::Always,
            ColorWhen::Never => anstream::ColorChoice::Never,
        };
        color.write_global();
        Self {
            color,
            json: args.json,
            quiet: args.quiet,
        }
    }

    /// Whether progress may redraw its lines: stderr is a terminal that can, and no one asked for quiet.
    pub fn is_live(&self) -> bool {
        !self.quiet && !is_dumb() && io::stderr().is_terminal()
    }

    /// `text` with its styles, or without where stderr takes none, and with the characters that it takes: for what draws by
    /// itself.
    pub fn painted(&self, text: &str) -> String {
        let text = fitting(text);
        if self.is_painted() {
            text.into_owned()
        } else {
            anstream::adapter::strip_str(&text).to_string()
        }
    }

    /// Whether stderr takes styles.
    fn is_painted(&self) -> bool {
        self.paints(&io::stderr())
    }

    /// Whether results on stdout take styles.
    pub fn paints_results(&self) -> bool {
        self.paints(&io::stdout())
    }

    fn paints(&self, stream: &impl RawStream) -> bool {
        let choice = match self.color {
            anstream::ColorChoice::Auto => AutoStream::choice(stream),
            chosen => chosen,
        };
        choice != anstream::ColorChoice::Never
    }

    /// How a line that moves is drawn: `template` with its colours, or without where stderr takes none.
    fn moving(&self, template: &str) -> ProgressStyle {
        let template = if self.is_painted() {
            template.to_owned()
        } else {
            template.replace(":.cyan", "").replace(":.dim", "")
        };
        // The templates are ours: one that does not parse leaves the line without decoration.
        ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_chars(if is_unicode() {
                "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "
            } else {
                "|/-\\ "
            })
    }

    /// Asks the person at the terminal, and waits for a line; `None` where no one is there to answer.
    pub fn ask(&self, question: &str) -> io::Result<Option<String>> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        // Not locked while the answer is waited for: who is interrupted meanwhile has something to say.
        let mut stderr = AutoStream::new(io::stderr(), self.color);
        write!(stderr, "{} ", fitting(question))?;
        stderr.flush()?;
        let mut answer = String::new();
        if io::stdin().read_line(&mut answer)? == 0 {
            // Its end instead of a line: the cursor still stands behind the question.
            writeln!(stderr)?;
        }
        Ok(Some(answer.trim().to_owned()))
    }

    /// Says something to the person who waits; nothing when quiet.
    pub fn say(&self, line: impl std::fmt::Display) {
        if !self.quiet {
            self.insist(line);
        }
    }

    /// Says how far it is; with the time of day where no line on the screen counts the seconds.
    pub fn tell(&self, news: impl std::fmt::Display) {
        if self.is_live() {
            self.say(news);
        } else {
            let now = time_with_seconds(Timestamp::now());
            self.say(format!("{FAINT}{now}{FAINT:#}  {news}"));
        }
    }

    /// Says something that has to be said, quiet or not.
    pub fn insist(&self, line: impl std::fmt::Display) {
        let mut stderr = AutoStream::new(io::stderr(), self.color).lock();
        // A reader that has gone away is no reason to fail.
        let text = fitted_by_words(&line.to_string(), width_of_stderr());
        let _ = writeln!(stderr, "{}", fitting(&text));
    }

    /// Prints a result for people. That its reader has gone away is no failure.
    pub fn result(&self, text: impl std::fmt::Display) -> Result<(), CommandError> {
        let mut stdout = AutoStream::new(io::stdout(), self.color).lock();
        let text = text.to_string();
        let written = writeln!(stdout, "{}", fitting(&text)).and_then(|()| stdout.flush());
        unless_unread(written).map_err(|error| not_written(&error))
    }

    /// Prints a result as it is, bytes for another program. That its reader has gone away is no failure.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        unless_unread(written).map_err(|error| not_written(&error))
    }

    /// Shows a result in the place of the one before; below it, where stdout is no terminal that can.
    pub fn screen(&self, text: &str) -> Result<(), CommandError> {
        if io::stdout().is_terminal() && !is_dumb() {
            // Clears the screen and goes to its top.
            let _ = write!(io::stdout(), "\x1b[2J\x1b[H");
            self.result(text)
        } else {
            self.result(format!("{text}\n"))
        }
    }

    /// Whether nobody reads standard output any more: a pipe whose other end is closed.
    pub fn is_unread(&self) -> bool {
        let stdout = io::stdout();
        let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
        poll(&mut polled, Some(&Timespec::default())).is_ok() && polled[0].revents().contains(PollFlags::ERR)
    }

    /// Prints a result for programs, as one JSON document.
    pub fn json(&self, document: &impl Serialize) -> Result<(), CommandError> {
        print_document(document).map_err(|error| not_written(&error).documented())
    }

    /// Prints results for programs, each as a JSON document on a line of its own.
    pub fn json_lines(&self, documents: &[impl Serialize]) -> Result<(), CommandError> {
        let lines: Result<Vec<_>, _> = documents.iter().map(serde_json::to_string).collect();
        let text = lines.map_err(|error| not_written(&error.into()))?.join("\n");
        let written = writeln!(io::stdout().lock(), "{text}");
        unless_unread(written).map_err(|error| not_written(&error).documented())
    }

    /// Prints why the command failed and what to do about it; for programs too, unless their document tells of it.
    pub fn failure(&self, error: &CommandError) {
        if self.json && !error.is_documented {
            // What it is made of can always be written.
            let _ = print_document(&error.document());
        }
        if error.is_asked_for {
            return;
        }
        let mut stderr = AutoStream::new(io::stderr(), self.color).lock();
        let message = format!("{ERROR}error:{ERROR:#} {}", error.message);
        let hints = error.hints.iter();
        let hints = hints.map(|hint| format!("  {HINT}hint:{HINT:#} {hint}"));
        for text in [message].into_iter().chain(hints) {
            for line in text.split('\n') {
                let _ = writeln!(stderr, "{}", fitting(&by_words(line, width_of_stderr(), 4)));
            }
        }
    }
}

/// Whether the terminal says that it takes no control codes.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// That the reader has gone away is no reason to fail.
pub fn unless_unread(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn not_written(error: &io::Error) -> CommandError {
    CommandError::failed(format!("the result cannot be written: {error}"))
}

/// Prints a JSON document on stdout.
pub fn print_document(document: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(document)?;
    unless_unread(writeln!(io::stdout().lock(), "{text}"))
}
