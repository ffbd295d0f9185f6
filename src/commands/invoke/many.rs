//! Many pictures through the pipeline, side by side: each is uploaded, and what that causes is followed to its end.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::Object;
use super::caused::{Seeker, none_in_time};
use super::earlier::Earlier;
use super::follow::not_in_time;
use super::obstacles::{self, SILENCE};
use super::outcome::unsuccessful;
use super::passing::Passing;
use super::pictures::{LeftOut, Picture};
use super::results::Destination;
use super::sought::News;
use super::upload::upload;
use super::way::{Way, document_of_left_out, table, trouble};
use crate::commands::interrupt::{ctrl_c, nothing_changed, unless_interrupted};
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{Answer, Timeline};
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::format::printable;
use crate::ui::lines::Lines;

/// How many are under way at once: each needs two calls of Step Functions' 15 DescribeExecution a second.
const AT_ONCE: usize = 16;

/// What is asked for.
#[derive(Debug)]
pub struct Order {
    pub pictures: Vec<Picture>,
    /// What was asked for too, and cannot be uploaded.
    pub left_out: Vec<LeftOut>,
    /// Anew, though the same went through before.
    pub again: bool,
    /// For each, from the beginning of its upload to the end of its execution.
    pub timeout: Duration,
    /// Where the results are fetched to.
    pub destination: Option<Destination>,
}

/// The pictures' ways through the pipeline.
struct Ways<'a> {
    settings: &'a Settings,
    session: &'a Session,
    ui: &'a Ui,
    order: &'a Order,
    lines: Lines,
    /// None where all are to run anew.
    earlier: Option<Arc<Earlier>>,
    seeker: Seeker<'a>,
    passing: Passing<'a>,
    /// When it is looked at why nothing begins, should nothing begin until then; none once it was.
    silent_until: Option<Instant>,
    jobs: JoinSet<(usize, Done)>,
    /// In the order of the pictures, those that have begun.
    ways: Vec<Way>,
}

/// What goes on beside the looking.
enum Done {
    /// It went through before, in this execution.
    Earlier(Object, Box<DescribeExecutionOutput>),
    Uploaded(Result<Object, CommandError>),
    Fetched(Result<Vec<PathBuf>, CommandError>),
}

/// Uploads a picture, unless it need not be.
async fn begin(session: &Session, picture: &Picture, earlier: Option<&Earlier>, deadline: Instant) -> Done {
    let found = match earlier {
        Some(earlier) => earlier.find(session, picture).await,
        None => Ok(None),
    };
    match found {
        Ok(Some((object, execution))) => Done::Earlier(object, Box::new(execution)),
        Ok(None) => Done::Uploaded(upload(session, picture, deadline).await),
        Err(error) => Done::Uploaded(Err(error)),
    }
}

/// Puts them through, and tells of each; the table of all at the end, or a line of JSON for each as it ends.
///
/// # Errors
/// One of them was not resized, or not fetched; or it was interrupted.
pub async fn run(settings: &Settings, session: &Session, order: &Order, ui: &Ui) -> Result<(), CommandError> {
    let outcome = put_through(settings, session, order, ui).await;
    match outcome {
        // A line among lines.
        Err(error) if ui.json => {
            ui.json_lines(&[error.document()])?;
            Err(error.documented())
        }
        outcome => outcome,
    }
}

async fn put_through(
    settings: &Settings,
    session: &Session,
    order: &Order,
    ui: &Ui,
) -> Result<(), CommandError> {
    let began = Instant::now();
    let seeker = async {
        Seeker::new(session)
            .await
            .map_err(|failure| super::absent(session, failure))
    };
    let seeker = unless_interrupted(seeker, nothing_changed).await?;
    let mut ways = Ways {
        settings,
        session,
        ui,
        order,
        lines: Lines::new(ui, "pictures", order.pictures.len()),
        earlier: (!order.again).then(|| Arc::new(Earlier::of(order.pictures.len()))),
        seeker,
        passing: Passing::new(session),
        silent_until: Some(Instant::now() + SILENCE),
        jobs: JoinSet::new(),
        ways: Vec::new(),
    };
    if ui.json && !order.left_out.is_empty() {
        let documents: Vec<_> = order.left_out.iter().map(document_of_left_out).collect();
        ui.json_lines(&documents)?;
    }
    let gone_through = ways.go_through().await;
    let ended = ways.ended();
    drop(ways.lines);
    if !ui.json {
        ui.result(table(&ended, session, order, began.elapsed()))?;
    }
    gone_through?;
    if let Some(destination) = &order.destination {
        let fetched: Vec<_> = ended.iter().flat_map(|(_, way)| way.fetched.clone()).collect();
        destination.open(&fetched).await?;
    }
    trouble(&ended, session, order).map_or(Ok(()), Err)
}

impl Ways<'_> {
    /// Until all have ended.
    async fn go_through(&mut self) -> Result<(), CommandError> {
        let mut interrupted = pin!(ctrl_c());
        loop {
            self.begin_more();
            if self.under_way() == 0 {
                return Ok(());
            }
            let is_time = tokio::select! {
                biased;
                () = &mut interrupted => return Err(self.interrupted()),
                Some(job) = self.jobs.join_next() => {
                    self.job_done(job)?;
                    false
                }
                () = self.seeker.pause(), if self.seeker.is_seeking() => true,
            };
            if is_time {
                let news = tokio::select! {
                    () = &mut interrupted => return Err(self.interrupted()),
                    news = self.seeker.look() => news,
                };
                let news = self.passing.unless_passing(news, |words| self.lines.say(words));
                let news = news.map_err(|error| error.hint(self.how_far()))?;
                for (index, news) in news.unwrap_or_default() {
                    self.heard(index, news)?;
                }
                self.give_up_late_ones()?;
                self.look_why_nothing_begins().await?;
            }
        }
    }

    async fn look_why_nothing_begins(&mut self) -> Result<(), CommandError> {
        let waits = |way: &Way| way.object.is_some() && way.line.is_some() && way.execution.is_none();
        let is_time = |until: &mut Instant| *until < Instant::now();
        if self.ways.iter().any(waits) && self.silent_until.take_if(is_time).is_some() {
            let checked = obstacles::check(self.session, self.settings).await;
            return checked.map_err(|error| error.hint(self.how_far()));
        }
        Ok(())
    }

    /// While something goes on it is not silent.
    fn is_heard(&mut self) {
        if let Some(until) = &mut self.silent_until {
            *until = Instant::now() + SILENCE;
        }
    }

    fn under_way(&self) -> usize {
        self.ways.iter().filter(|way| way.line.is_some()).count()
    }

    fn begin_more(&mut self) {
        while self.under_way() < AT_ONCE
            && let Some(picture) = self.order.pictures.get(self.ways.len())
        {
            let index = self.ways.len();
            let deadline = Instant::now() + self.order.timeout;
            self.ways.push(Way {
                deadline,
                line: Some(self.lines.begin(&printable(&picture.key), "uploading")),
                object: None,
                execution: None,
                is_earlier: false,
                timeline: None,
                fetched: Vec::new(),
                failure: None,
            });
            let (session, picture) = (self.session.clone(), picture.clone());
            let earlier = self.earlier.clone();
            self.jobs.spawn(async move {
                let done = begin(&session, &picture, earlier.as_deref(), deadline).await;
                (index, done)
            });
        }
    }

    fn job_done(&mut self, job: Result<(usize, Done), JoinError>) -> Result<(), CommandError> {
        self.is_heard();
        let (index, done) = job.map_err(|error| CommandError::failed(format!("a task ended: {error}")))?;
        let way = &mut self.ways[index];
        match done {
            Done::Earlier(object, execution) => {
                way.object = Some(object);
                way.execution = Some(execution.execution_arn.clone());
                way.is_earlier = true;
                return self.heard(index, News::Ended(execution));
            }
            Done::Uploaded(Ok(object)) => {
                if let Some(line) = &way.line {
                    line.update("waiting for its event");
                }
                way.object = Some(object.clone());
                self.seeker.want(index, object);
                return Ok(());
            }
            Done::Fetched(Ok(files)) => way.fetched = files,
            Done::Uploaded(Err(error)) | Done::Fetched(Err(error)) => way.failure = Some(error),
        }
        self.end(index)
    }

    fn heard(&mut self, index: usize, news: News) -> Result<(), CommandError> {
        self.is_heard();
        let way = &mut self.ways[index];
        match news {
            News::Started { arn } => {
                if let Some(line) = &way.line {
                    line.update("being resized");
                }
                way.execution = Some(arn);
                Ok(())
            }
            News::Ended(execution) => {
                let timeline = Timeline::of_description(&execution);
                let answer = Answer::of(&timeline);
                let object = way.object.as_ref();
                way.failure = unsuccessful(self.session, &execution.execution_arn, object, &timeline);
                way.timeline = Some(timeline);
                match (answer, &self.order.destination) {
                    (Some(answer), Some(destination)) if way.failure.is_none() => {
                        let (session, destination) = (self.session.clone(), destination.clone());
                        self.jobs.spawn(async move {
                            (index, Done::Fetched(destination.fetch(&session, &answer).await))
                        });
                        Ok(())
                    }
                    _ => self.end(index),
                }
            }
        }
    }

    /// Those that wait for an execution or its end for too long.
    fn give_up_late_ones(&mut self) -> Result<(), CommandError> {
        let now = Instant::now();
        let is_late = |way: &Way| way.line.is_some() && way.timeline.is_none() && way.deadline < now;
        for index in 0..self.ways.len() {
            let way = &mut self.ways[index];
            let Some(object) = way.object.as_ref().filter(|_| is_late(way)) else {
                continue;
            };
            let late = match &way.execution {
                Some(arn) => not_in_time(self.session, arn),
                None => none_in_time(self.session, object),
            };
            way.failure = Some(self.passing.told_of(late));
            self.seeker.forget(index);
            self.end(index)?;
        }
        Ok(())
    }

    /// Its way has come to an end, a good one or not.
    fn end(&mut self, index: usize) -> Result<(), CommandError> {
        let picture = &self.order.pictures[index];
        let way = &mut self.ways[index];
        if let Some(line) = way.line.take() {
            self.lines.ended(line, way.told(picture));
        }
        if self.ui.json {
            self.ui.json_lines(&[way.document(picture)])?;
        }
        Ok(())
    }

    fn how_far(&self) -> String {
        let begun = self.ways.len();
        let ended = begun - self.under_way();
        let total = self.order.pictures.len();
        format!(
            "{ended} of {total} pictures are done, {} were under way, {} were not begun",
            begun - ended,
            total - begun
        )
    }

    fn interrupted(&self) -> CommandError {
        CommandError::interrupted(format!("stopped looking on: {}", self.how_far())).hint(format!(
            "what was uploaded goes on: `resizer status{}` lists the newest executions",
            self.session.flags
        ))
    }

    /// Those that have ended.
    fn ended(&mut self) -> Vec<(Picture, Way)> {
        let pictures = self.order.pictures.iter().cloned();
        pictures
            .zip(self.ways.drain(..))
            .filter(|(_, way)| way.line.is_none())
            .collect()
    }
}
