//! A terminal for the binary to ask at, and to draw on.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use vt100::Parser;

use super::{Place, signal};

/// Both ends of a new terminal: ours, and the one for a program.
fn pair() -> (File, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(name).unwrap();
    (File::from(controller), terminal)
}

/// The binary on a terminal's whole screen.
pub struct Screen {
    child: Child,
    controller: File,
    shown: Arc<(Mutex<Parser>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Screen {
    /// Runs the binary on a screen of so many columns and rows.
    pub fn start(place: &Place, args: &[&str], columns: u16, rows: u16) -> Self {
        Self::run(place.command(args), columns, rows)
    }

    /// Runs a command on a screen.
    pub fn run(mut command: Command, columns: u16, rows: u16) -> Self {
        let (controller, terminal) = pair();
        set_size(&controller, columns, rows);
        command.env("TERM", "xterm-256color").env_remove("COLUMNS");
        command.stdin(terminal.try_clone().unwrap());
        command.stdout(terminal.try_clone().unwrap()).stderr(terminal);
        let child = command.spawn().unwrap();
        let shown = Arc::new((
            Mutex::new(Parser::new(nonzero(rows), nonzero(columns), 0)),
            Condvar::new(),
        ));
        let (mut reader, parser) = (controller.try_clone().unwrap(), Arc::clone(&shown));
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                parser.0.lock().unwrap().process(&bytes[..count]);
                parser.1.notify_all();
            }
        });
        Self {
            child,
            controller,
            shown,
            reader: Some(reader),
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).unwrap();
    }

    /// Makes the screen larger or smaller.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.shown
            .0
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(nonzero(rows), nonzero(columns));
        set_size(&self.controller, columns, rows);
        // A terminal tells the programs it belongs to; this one belongs to none.
        signal("WINCH", self.child.id().into());
    }

    /// Waits until the screen is as wanted, and gives what stands on it; panics after a minute.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is_wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut parser = self.shown.0.lock().unwrap();
        loop {
            let contents = parser.screen().contents();
            if is_wanted(&contents) {
                return contents;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what}: not on the screen:\n{contents}");
            (parser, _) = self.shown.1.wait_timeout(parser, left).unwrap();
        }
    }

    /// Waits until these words are on the screen.
    #[track_caller]
    pub fn wait_for(&self, words: &str) -> String {
        self.wait_until(words, |screen| screen.contains(words))
    }

    /// What stands on it, row by row: each style is named where it begins, and `⟨⟩` is where it ends. Where a line goes on in
    /// the next row since it is too long for the terminal, there is a `↩`.
    pub fn picture(&self) -> String {
        let parser = self.shown.0.lock().unwrap();
        let screen = parser.screen();
        let (rows, columns) = screen.size();
        let rows = (0..rows.get()).map(|row| {
            // Lines that move are filled up with spaces.
            let last = screen.cell(row, columns.get() - 1);
            let is_full = last.is_some_and(|cell| !cell.contents().trim().is_empty());
            let end = if is_full && screen.row_wrapped(row) {
                "↩"
            } else {
                ""
            };
            styled_row(screen, row).trim_end().to_owned() + end
        });
        rows.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Waits for its end, and gives what stands there then.
    pub fn picture_at_its_end(mut self) -> String {
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.picture()
    }

    /// Waits for its end, and until the screen that was there before is back.
    #[track_caller]
    pub fn ended(mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        let parser = self.shown.0.lock().unwrap();
        let is_left = |parser: &mut Parser| parser.screen().alternate_screen();
        // What it wrote last may still be on its way.
        let (parser, waited) = self
            .shown
            .1
            .wait_timeout_while(parser, Duration::from_secs(10), is_left)
            .unwrap();
        drop(parser);
        assert!(!waited.timed_out(), "the terminal is not as it was");
        status
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn styled_row(screen: &vt100::Screen, row: u16) -> String {
    let (_, columns) = screen.size();
    let mut text = String::new();
    let mut style = String::new();
    let mut blanks = 0;
    for cell in (0..columns.get()).filter_map(|column| screen.cell(row, column)) {
        if cell.is_wide_continuation() {
            continue;
        }
        // What is blank looks the same in any colour.
        if cell.contents().trim().is_empty() && !cell.inverse() {
            blanks += 1;
            continue;
        }
        let new = style_of(cell);
        if new != style && !style.is_empty() {
            text += "⟨⟩";
        }
        text += &" ".repeat(std::mem::take(&mut blanks));
        if new != style && !new.is_empty() {
            text += &format!("⟨{new}⟩");
        }
        style = new;
        text += if cell.has_contents() { cell.contents() } else { " " };
    }
    if style.is_empty() { text } else { text + "⟨⟩" }
}

fn style_of(cell: &vt100::Cell) -> String {
    let colour = match cell.fgcolor() {
        vt100::Color::Default => None,
        vt100::Color::Idx(1) => Some("red"),
        vt100::Color::Idx(2) => Some("green"),
        vt100::Color::Idx(3) => Some("yellow"),
        vt100::Color::Idx(5) => Some("magenta"),
        vt100::Color::Idx(6) => Some("cyan"),
        other => panic!("no name for {other:?}"),
    };
    let others = [
        (cell.bold(), "bold"),
        (cell.dim(), "dim"),
        (cell.inverse(), "reversed"),
    ];
    let others = others
        .into_iter()
        .filter_map(|(is_so, name)| is_so.then_some(name));
    colour.into_iter().chain(others).collect::<Vec<_>>().join(" ")
}

/// All that is said on a terminal, until nobody holds it any more.
fn said_on(mut controller: File) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut said = Vec::new();
        // A terminal that nobody holds any more is an error on Linux.
        let _ = controller.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    })
}

fn nonzero(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).unwrap()
}

fn set_size(terminal: &File, columns: u16, rows: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).unwrap();
}

/// Runs the binary at a terminal where `answer` is typed: how it ended, and what stood there at the end.
pub fn typed(place: &Place, args: &[&str], answer: &str) -> (ExitStatus, String) {
    let (mut controller, terminal) = pair();
    controller.write_all(answer.as_bytes()).unwrap();

    let mut command = place.command(args);
    command.stdin(terminal.try_clone().unwrap());
    command.stdout(Stdio::null()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    // With it go the last handles of the terminal but the child's: reading ends when the child does.
    drop(command);
    let said = said_on(controller);
    (child.wait().unwrap(), said.join().unwrap())
}

/// What the binary prints on a terminal that says it is a `term`, until these words stand there.
pub fn printed_until(place: &Place, args: &[&str], term: &str, words: &str) -> String {
    let (mut controller, terminal) = pair();
    let mut command = place.command(args);
    command.env("TERM", term);
    command.stdin(terminal.try_clone().unwrap());
    command.stdout(terminal).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut said = Vec::new();
    let mut bytes = [0; 4096];
    while !String::from_utf8_lossy(&said).contains(words) {
        let count = controller.read(&mut bytes).unwrap();
        said.extend(&bytes[..count]);
    }
    signal("INT", child.id().into());
    child.wait().unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

/// What the binary prints on a terminal of so many columns, with its styles.
pub fn printed(place: &Place, args: &[&str], columns: u16, settings: &[(&str, &str)]) -> String {
    let (controller, terminal) = pair();
    set_size(&controller, columns, 50);
    let mut command = place.command(args);
    command.env("TERM", "xterm-256color").env_remove("COLUMNS");
    command.envs(settings.iter().copied());
    command.stdout(terminal).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    let said = said_on(controller);
    child.wait().unwrap();
    said.join().unwrap().replace('\r', "")
}
