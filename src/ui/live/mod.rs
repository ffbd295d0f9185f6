//! A full-screen view at a terminal: what is looked at, a list below it, and the story of one of the list.
//!
//! # Layout
//! - [`view`]: what is shown and what the keys do to it, without a terminal
//! - [`draw`]: the view on a screen
//! - [`styled`]: texts with styles in them, as everywhere else in `ui`, for the screen

mod draw;
mod styled;
mod view;

use std::borrow::Cow;
use std::io::{self, IsTerminal};
use std::thread;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::{DefaultTerminal, Frame};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::glyphs::fitting;
use super::is_dumb;
pub use view::{Asked, Row, Shown, View};

/// The terminal, taken over until this goes.
pub struct Live {
    terminal: DefaultTerminal,
    events: UnboundedReceiver<Event>,
}

impl Live {
    /// Whether there is a terminal to take over, with somebody at its keys.
    pub fn is_possible() -> bool {
        let is_named = std::env::var_os("TERM").is_some_and(|term| !term.is_empty());
        is_named && !is_dumb() && io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Takes the terminal over: a screen of its own, keys without Return.
    pub fn start() -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        let (sender, events) = unbounded_channel();
        // Ends with the process: a key that is waited for cannot be called off.
        thread::spawn(move || {
            while let Ok(event) = event::read() {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Self { terminal, events })
    }

    /// Draws the view.
    pub fn draw(&mut self, view: &mut View) -> io::Result<()> {
        let draw = |frame: &mut Frame<'_>| {
            draw::draw(frame, view);
            for cell in &mut frame.buffer_mut().content {
                if let Cow::Owned(symbol) = fitting(cell.symbol()) {
                    cell.set_symbol(&symbol);
                }
            }
        };
        self.terminal.draw(draw).map(drop)
    }

    /// The next key that is pressed; none when the screen has another size and is to be drawn again. When the terminal has
    /// gone, it is an error.
    pub async fn next(&mut self) -> io::Result<Option<KeyEvent>> {
        loop {
            let Some(event) = self.events.recv().await else {
                return Err(io::Error::other("the terminal has gone"));
            };
            match event {
                Event::Key(key) if key.kind != KeyEventKind::Release => return Ok(Some(key)),
                Event::Resize(..) => return Ok(None),
                _ => {}
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
