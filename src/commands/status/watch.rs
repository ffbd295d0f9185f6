//! `--watch`: looks again and again; full-screen at a terminal, else the screen anew whenever something of it is new.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::executions::{self, Known, Wanted};
use super::{Overview, counts, one, resources};
use crate::config::Settings;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::live::{Asked, Live, Row, Shown, View};
use crate::ui::table::width_of_stdout;

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
                let executions = executions::newest(&self.session, &self.wanted, &mut self.known).await;
                // Should it fail, the next reading begins with what there was.
                self.overview = Some(Arc::clone(&before));
                before.with_executions(executions?)
            }
            _ => {
                let read =
                    Overview::read(&self.session, &self.settings, &self.wanted, &mut self.known).await?;
                self.due = Instant::now() + LATER;
                read
            }
        };
        let overview = Arc::new(overview);
        self.overview = Some(Arc::clone(&overview));
        Ok(overview)
    }

    /// Reads in the background, after a while.
    fn read_soon(mut self) -> JoinHandle<(Self, Result<Arc<Overview>, CommandError>)> {
        tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
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
    loop {
        let text = watched.read().await?.text(session, settings, &watched.wanted);
        if text != shown {
            ui.screen(&text)?;
            shown = text;
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
    let mut watched = Watched::new(session, settings, wanted.clone());
    let mut overview = watched.read().await?;
    let mut reading = watched.read_soon();
    let mut story: Option<JoinHandle<Story>> = None;
    let mut live = Live::start()?;
    let mut view = View::new(Shown::default(), ui.paints_results());
    loop {
        // Made for the width that the terminal has now.
        view.show(shown(&overview, session, settings, &wanted));
        live.draw(&mut view)?;
        tokio::select! {
            key = live.next() => match key?.map(|key| view.press(key)) {
                Some(Asked::Leave) => return Ok(()),
                Some(Asked::Detail(arn)) => story = Some(Story::read(session, arn, Duration::ZERO)),
                Some(Asked::Nothing) | None => {}
            },
            read = &mut reading => {
                let (watched, outcome) = read.map_err(ended)?;
                match outcome {
                    Ok(read) => {
                        overview = read;
                        view.say(None);
                    }
                    Err(error) => view.say(Some(format!("not read again: {}", error.message))),
                }
                reading = watched.read_soon();
            }
            told = when_told(&mut story) => {
                let told = told.map_err(ended)?;
                view.tell(&told.arn, told.text);
                // One that runs has more to tell.
                story = (!told.has_ended && view.tells_of(&told.arn))
                    .then(|| Story::read(session, told.arn, SOON));
            }
        }
    }
}

/// An execution's story so far.
struct Story {
    arn: String,
    text: String,
    has_ended: bool,
}

impl Story {
    /// Reads it in the background, after a while.
    fn read(session: &Session, arn: String, after: Duration) -> JoinHandle<Self> {
        let session = session.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            match one::story(&session, &arn, width_of_stdout()).await {
                Ok((text, has_ended)) => Self { arn, text, has_ended },
                Err(error) => Self {
                    arn,
                    text: [vec![error.message], error.hints].concat().join("\n"),
                    has_ended: true,
                },
            }
        })
    }
}

async fn when_told(story: &mut Option<JoinHandle<Story>>) -> Result<Story, JoinError> {
    match story {
        Some(story) => story.await,
        None => pending().await,
    }
}

fn ended(error: JoinError) -> CommandError {
    CommandError::failed(format!("a reading has ended before its end: {error}"))
}

/// The overview, for the screen.
fn shown(overview: &Overview, session: &Session, settings: &Settings, wanted: &Wanted) -> Shown {
    let width = width_of_stdout();
    let listed = &overview.executions;
    let texts = executions::rows(listed, width);
    let standing = &overview.standing;
    let resources = resources::brief(&standing.resources, &session.flags, width);
    let summary = [
        Some(resources),
        standing.alarms.text(settings),
        Some(counts::table(&overview.counts)),
    ];
    Shown {
        heading: overview.heading(),
        summary: summary.into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
        list: wanted.heading(),
        rows: listed
            .iter()
            .zip(texts)
            .map(|(execution, text)| Row {
                id: execution.arn().to_owned(),
                text,
                is_bad: execution.is_bad(),
            })
            .collect(),
    }
}
