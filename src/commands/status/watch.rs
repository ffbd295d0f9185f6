//! `--watch`: looks again and again; full-screen at a terminal, else the screen anew whenever something of it is new.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::executions::line_of_missing;
use super::executions::{self, Known, Newest, Wanted};
use super::one::Story;
use super::{Overview, counts, heading, resources};
use crate::config::Settings;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::format::time_with_seconds;
use crate::ui::live::{Asked, Live, Row, Shown, View};
use crate::ui::table::width_of_stdout;
use crate::ui::wrap::fitted;

/// How often to look for executions.
const SOON: Duration = Duration::from_secs(2);
/// How often to look at the resources and the counts: API Gateway takes ten calls a second of the whole account, and
/// CloudWatch has its price.
const LATER: Duration = Duration::from_secs(15);
/// The least of executions that are listed where one can go up and down among them.
const LISTED_MIN: usize = 100;

/// What is looked at again and again.
struct Watched {
    session: Session,
    settings: Settings,
    wanted: Wanted,
    known: Known,
    overview: Option<Arc<Overview>>,
    /// When resources and counts are due.
    due: Instant,
}

impl Watched {
    fn new(session: &Session, settings: &Settings, wanted: Wanted) -> Self {
        Self {
            session: session.clone(),
            settings: settings.clone(),
            wanted,
            known: Known::default(),
            overview: None,
            due: Instant::now(),
        }
    }

    async fn read(&mut self) -> Result<Arc<Overview>, CommandError> {
        let overview = match self.overview.take() {
            Some(before) if Instant::now() < self.due => {
                let executions =
                    executions::newest(&self.session, &self.wanted, &mut self.known, &|_| ()).await;
                // Should it fail, the next reading begins with what there was.
                self.overview = Some(Arc::clone(&before));
                let executions = executions.or_else(|failure| match failure.is_passing {
                    true => Err(failure),
                    false => Ok(Newest::unread(&failure)),
                });
                before.with_executions(executions?)
            }
            _ => {
                let mut read = Overview::read(
                    &self.session,
                    &self.settings,
                    &self.wanted,
                    &mut self.known,
                    &|_| (),
                )
                .await?;
                // One that looks again can wait for it.
                read.check_nothing_passes()?;
                self.due = Instant::now() + LATER;
                read
            }
        };
        let overview = Arc::new(overview);
        self.overview = Some(Arc::clone(&overview));
        Ok(overview)
    }

    /// Reads in the background, after a while.
    fn read_after(mut self, pause: Duration) -> JoinHandle<(Self, Result<Arc<Overview>, CommandError>)> {
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let read = self.read().await;
            (self, read)
        })
    }
}

/// Shows it anew whenever something of it is new, as long as somebody reads it.
pub async fn plainly(
    session: &Session,
    settings: &Settings,
    wanted: Wanted,
    ui: &Ui,
) -> Result<(), CommandError> {
    let mut watched = Watched::new(session, settings, wanted);
    let mut shown = String::new();
    let mut fails = false;
    loop {
        match watched.read().await {
            Ok(overview) => {
                fails = false;
                let text = overview.text(session, settings, &watched.wanted);
                if text != shown {
                    ui.screen(&text)?;
                    shown = text;
                }
            }
            Err(error) if error.is_passing => {
                if !fails {
                    ui.say(format!("{}; trying again", error.message));
                }
                fails = true;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(SOON).await;
        if ui.is_unread() {
            return Ok(());
        }
    }
}

/// Shows it on the whole screen, until `q`.
pub async fn live(
    session: &Session,
    settings: &Settings,
    mut wanted: Wanted,
    ui: &Ui,
) -> Result<(), CommandError> {
    wanted.limit = wanted.limit.max(LISTED_MIN);
    let watched = Watched::new(session, settings, wanted.clone());
    let mut overview: Option<Arc<Overview>> = None;
    let mut read_at = Timestamp::now();
    let mut reading = watched.read_after(Duration::ZERO);
    let mut story: Option<JoinHandle<Told>> = None;
    let mut last_told: Option<Told> = None;
    let mut live = Live::start()?;
    let mut view = View::new(Shown::default(), ui.paints_results());
    // What is shown is made for the width that the terminal has, and not anew for each key.
    let mut made_for = None;
    loop {
        let width = width_of_stdout();
        if made_for.replace(width) != Some(width) {
            view.show(match &overview {
                Some(overview) => shown(overview, session, settings, &wanted),
                None => not_read_yet(session),
            });
            if let Some(told) = &last_told {
                view.tell(&told.arn, told.text(width));
            }
        }
        live.draw(&mut view)?;
        tokio::select! {
            key = live.next() => match key?.map(|key| view.press(key)) {
                Some(Asked::Leave) => return Ok(()),
                Some(Asked::Interrupt) => return Err(stopped()),
                Some(Asked::Detail(arn)) => {
                    last_told = None;
                    story = Some(tell(session, arn, Duration::ZERO));
                }
                Some(Asked::Nothing) | None => {}
            },
            read = &mut reading => {
                let (watched, outcome) = read.map_err(ended)?;
                match outcome {
                    Ok(read) => {
                        overview = Some(read);
                        made_for = None;
                        read_at = Timestamp::now();
                        view.say(None);
                    }
                    Err(error) if overview.is_none() => view.say(Some(not_at_all(&error))),
                    Err(error) => view.say(Some(not_again(read_at, &error))),
                }
                reading = watched.read_after(SOON);
            }
            told = when_told(&mut story) => {
                let told = told.map_err(ended)?;
                // One that runs has more to tell, and lines that are on their way come.
                story = (told.is_unfinished() && view.tells_of(&told.arn))
                    .then(|| tell(session, told.arn.clone(), SOON));
                match &told.story {
                    Err(error) if error.is_passing => view.say_of(&told.arn, Some(not_again(read_at, error))),
                    _ => {
                        view.say_of(&told.arn, None);
                        last_told = Some(told);
                        made_for = None;
                    }
                }
            }
        }
    }
}

/// What reading an execution's story came to.
struct Told {
    arn: String,
    story: Result<Story, CommandError>,
}

/// Reads it in the background, after a while.
fn tell(session: &Session, arn: String, after: Duration) -> JoinHandle<Told> {
    let session = session.clone();
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        let story = Story::read(&session, &arn).await;
        Told { arn, story }
    })
}

impl Told {
    fn is_unfinished(&self) -> bool {
        match &self.story {
            Ok(story) => !story.is_whole(),
            Err(error) => error.is_passing,
        }
    }

    fn text(&self, width: usize) -> String {
        match &self.story {
            Ok(story) => story.whole(width),
            Err(error) => {
                let lines = [&error.message].into_iter().chain(&error.hints);
                fitted(&lines.map(String::as_str).collect::<Vec<_>>().join("\n"), width)
            }
        }
    }
}

/// Ctrl-C is how it ends.
pub fn stopped() -> CommandError {
    CommandError::interrupted("stopped looking").asked_for()
}

fn not_again(read_at: Timestamp, error: &CommandError) -> String {
    let since = time_with_seconds(read_at);
    format!("not read again since {since}: {}", error.message)
}

/// Why there is nothing to show, and what to do about it.
fn not_at_all(error: &CommandError) -> String {
    let first = format!("not read: {}; trying again", error.message);
    let hints = error.hints.iter().cloned();
    [first].into_iter().chain(hints).collect::<Vec<_>>().join("\n")
}

async fn when_told(story: &mut Option<JoinHandle<Told>>) -> Result<Told, JoinError> {
    match story {
        Some(story) => story.await,
        None => pending().await,
    }
}

fn ended(error: JoinError) -> CommandError {
    CommandError::failed(format!("a reading has ended before its end: {error}"))
}

/// The screen before there is an overview.
fn not_read_yet(session: &Session) -> Shown {
    Shown {
        heading: heading(session),
        summary: "Reading …".to_owned(),
        ..Shown::default()
    }
}

/// The overview, for the screen.
fn shown(overview: &Overview, session: &Session, settings: &Settings, wanted: &Wanted) -> Shown {
    let width = width_of_stdout();
    let listed = &overview.executions;
    let texts = executions::rows(listed, width);
    let standing = &overview.standing;
    let resources = resources::brief(&standing.resources, &session.flags, width);
    let missing = overview.missing.iter().map(|why| line_of_missing(why, width));
    // What is seen on a small screen as well.
    let alarms = standing.alarms.text(settings);
    let summary = [
        alarms.map(|alarms| fitted(&alarms, width)),
        Some(resources),
        Some(counts::table(&overview.counts, listed, width)),
    ];
    Shown {
        heading: heading(session),
        summary: summary.into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
        list: wanted.heading(),
        missing: missing.collect::<Vec<_>>().join("\n"),
        rows: listed
            .iter()
            .zip(texts)
            .map(|(execution, text)| Row {
                id: execution.arn().to_owned(),
                text,
                searched: execution.searched(),
                is_bad: execution.is_bad(),
            })
            .collect(),
    }
}
