//! Many pictures through the pipeline, side by side: each is uploaded, and what that causes is followed to its end.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anstyle::Style;
use serde::Serialize;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::Object;
use super::caused::{Seeker, none_in_time};
use super::follow::not_in_time;
use super::outcome::unsuccessful;
use super::pictures::Picture;
use super::results::Destination;
use super::sought::News;
use super::upload::upload;
use crate::commands::interrupt::{ctrl_c, nothing_changed, unless_interrupted};
use crate::error::{CommandError, FailureDocument};
use crate::execution::{Answer, Document, Timeline};
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::format::{bytes, clipped, duration, printable, s3_uri};
use crate::ui::lines::{Line, Lines};
use crate::ui::styles::{BAD, GOOD};
use crate::ui::table::{aligned, width_of_stdout};

/// How many are under way at once: each needs two calls of Step Functions' 15 DescribeExecution a second.
const AT_ONCE: usize = 16;
/// The room for a key, and for a reason.
const KEY_WIDTH: usize = 48;
const REASON_WIDTH: usize = 120;
/// Columns of a terminal from which on there is room for the sizes, and for where results are.
const NARROW: usize = 72;
const WIDE: usize = 110;

/// What is asked for.
#[derive(Debug)]
pub struct Order {
    pub pictures: Vec<Picture>,
    /// For each, from the beginning of its upload to the end of its execution.
    pub timeout: Duration,
    /// Where the results are fetched to.
    pub destination: Option<Destination>,
}

/// The pictures' ways through the pipeline.
struct Ways<'a> {
    session: &'a Session,
    ui: &'a Ui,
    order: &'a Order,
    lines: Lines,
    seeker: Seeker<'a>,
    jobs: JoinSet<(usize, Done)>,
    /// In the order of the pictures, those that have begun.
    ways: Vec<Way>,
}

/// One picture's way.
struct Way {
    deadline: Instant,
    /// None when it has ended.
    line: Option<Line>,
    object: Option<Object>,
    /// The execution's ARN.
    execution: Option<String>,
    timeline: Option<Timeline>,
    /// Where the result was fetched to.
    fetched: Option<PathBuf>,
    failure: Option<CommandError>,
}

/// What goes on beside the looking.
enum Done {
    Uploaded(Result<Object, CommandError>),
    Fetched(Result<PathBuf, CommandError>),
}

/// Puts them through, and tells of each; the table of all at the end, or a line of JSON for each as it ends.
///
/// # Errors
/// One of them was not resized, or not fetched; or it was interrupted.
pub async fn run(session: &Session, order: &Order, ui: &Ui) -> Result<(), CommandError> {
    let outcome = put_through(session, order, ui).await;
    match outcome {
        // A line among lines.
        Err(error) if ui.json => {
            ui.json_lines(&[error.document()])?;
            Err(error.documented())
        }
        outcome => outcome,
    }
}

async fn put_through(session: &Session, order: &Order, ui: &Ui) -> Result<(), CommandError> {
    let began = Instant::now();
    let seeker = async {
        Seeker::new(session)
            .await
            .map_err(|failure| super::absent(session, failure))
    };
    let seeker = unless_interrupted(seeker, nothing_changed).await?;
    let mut ways = Ways {
        session,
        ui,
        order,
        lines: Lines::new(ui, "pictures", order.pictures.len()),
        seeker,
        jobs: JoinSet::new(),
        ways: Vec::new(),
    };
    let gone_through = ways.go_through().await;
    let ended = ways.ended();
    drop(ways.lines);
    if !ui.json {
        ui.result(table(&ended, session, order, began.elapsed()))?;
    }
    gone_through?;
    let failed = ended.iter().filter(|(_, way)| way.failure.is_some()).count();
    if let Some(destination) = &order.destination {
        let fetched: Vec<_> = ended.iter().filter_map(|(_, way)| way.fetched.clone()).collect();
        destination.open(&fetched)?;
    }
    if failed == 0 {
        return Ok(());
    }
    Err(
        CommandError::failed(format!("{failed} of {} pictures failed", ended.len())).hint(format!(
            "`resizer status{} --failed` lists the executions that failed",
            session.flags
        )),
    )
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
                for (index, news) in news.map_err(|failure| super::absent(self.session, failure))? {
                    self.heard(index, news)?;
                }
                self.give_up_late_ones()?;
            }
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
            self.ways.push(Way {
                deadline: Instant::now() + self.order.timeout,
                line: Some(self.lines.begin(&printable(&picture.key), "uploading")),
                object: None,
                execution: None,
                timeline: None,
                fetched: None,
                failure: None,
            });
            let (session, picture) = (self.session.clone(), picture.clone());
            self.jobs
                .spawn(async move { (index, Done::Uploaded(upload(&session, &picture).await)) });
        }
    }

    fn job_done(&mut self, job: Result<(usize, Done), JoinError>) -> Result<(), CommandError> {
        let (index, done) = job.map_err(|error| CommandError::failed(format!("a task ended: {error}")))?;
        let way = &mut self.ways[index];
        match done {
            Done::Uploaded(Ok(object)) => {
                if let Some(line) = &way.line {
                    line.update("waiting for its event");
                }
                way.object = Some(object.clone());
                self.seeker.want(index, object);
                return Ok(());
            }
            Done::Fetched(Ok(path)) => way.fetched = Some(path),
            Done::Uploaded(Err(error)) | Done::Fetched(Err(error)) => way.failure = Some(error),
        }
        self.end(index)
    }

    fn heard(&mut self, index: usize, news: News) -> Result<(), CommandError> {
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
                way.failure = unsuccessful(self.session, &execution.execution_arn, &timeline);
                way.timeline = Some(timeline);
                match (answer, &self.order.destination) {
                    (Some(answer), Some(destination)) => {
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
            way.failure = Some(match &way.execution {
                Some(arn) => not_in_time(self.session, arn),
                None => none_in_time(self.session, object),
            });
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
            let (mark, style) = way.mark();
            let [key, took, ..] = way.row(picture);
            let reason = way
                .reason()
                .map(|reason| format!("  {reason}"))
                .unwrap_or_default();
            self.lines.ended(
                line,
                format!("{style}{mark}{style:#} {key}  {}{reason}", took.trim()),
            );
        }
        if self.ui.json {
            self.ui.json_lines(&[way.document(picture)])?;
        }
        Ok(())
    }

    fn interrupted(&self) -> CommandError {
        let begun = self.ways.len();
        let ended = begun - self.under_way();
        let total = self.order.pictures.len();
        CommandError::interrupted(format!(
            "stopped looking on: {ended} of {total} pictures are done, {} were under way, {} were not begun",
            begun - ended,
            total - begun
        ))
        .hint(format!(
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

/// A line of JSON.
#[derive(Debug, Serialize)]
struct PictureDocument<'a> {
    file: String,
    key: &'a str,
    /// What the execution did, once there was one.
    #[serde(flatten)]
    execution: Option<Document<'a>>,
    /// The file that the result was fetched to.
    downloaded: Option<String>,
    /// Why it is not done.
    failure: Option<FailureDocument<'a>>,
}

impl Way {
    fn mark(&self) -> (&'static str, Style) {
        if self.failure.is_some() {
            ("✗", BAD)
        } else {
            ("✓", GOOD)
        }
    }

    /// Key, time, dimensions, sizes, and where the result is.
    fn row(&self, picture: &Picture) -> [String; 5] {
        let answer = self.timeline.as_ref().and_then(Answer::of);
        let took = self.timeline.as_ref().and_then(Timeline::took);
        let size = self.object.as_ref().map(|object| object.size);
        let shape = answer.as_ref().map(Answer::shape);
        let sizes = answer
            .as_ref()
            .zip(size)
            .map(|(answer, size)| format!("{} → {}", bytes(size), bytes(answer.bytes)));
        let place = match &self.fetched {
            Some(path) => Some(printable(&path.display().to_string())),
            None => answer.map(|answer| s3_uri(&answer.dest_bucket, &answer.dest_key)),
        };
        [
            clipped(&printable(&picture.key), KEY_WIDTH),
            format!("{:>8}", took.map(duration).unwrap_or_default()),
            shape.unwrap_or_default(),
            sizes.unwrap_or_default(),
            place.unwrap_or_default(),
        ]
    }

    fn reason(&self) -> Option<String> {
        self.failure
            .as_ref()
            .map(|failure| clipped(&failure.message, REASON_WIDTH))
    }

    fn document<'a>(&'a self, picture: &'a Picture) -> PictureDocument<'a> {
        let timeline = self.execution.as_ref().zip(self.timeline.as_ref());
        PictureDocument {
            file: picture.file.display().to_string(),
            key: &picture.key,
            execution: timeline.map(|(arn, timeline)| Document::new(arn, timeline)),
            downloaded: self.fetched.as_ref().map(|path| path.display().to_string()),
            failure: self.failure.as_ref().map(CommandError::document),
        }
    }
}

/// Of a row what tells most, in few columns: not where the result is, then not the sizes.
fn fitting(row: [String; 5], width: usize) -> [String; 5] {
    let [key, took, shape, sizes, place] = row;
    let (sizes, place) = match width {
        0..NARROW => (String::new(), String::new()),
        NARROW..WIDE => (sizes, String::new()),
        _ => (sizes, place),
    };
    [key, took, shape, sizes, place]
}

/// All that have ended, and how many of them well.
fn table(ended: &[(Picture, Way)], session: &Session, order: &Order, took: Duration) -> String {
    let rows: Vec<_> = ended.iter().map(|(picture, way)| way.row(picture)).collect();
    let width = width_of_stdout();
    let rows: Vec<_> = rows.into_iter().map(|row| fitting(row, width)).collect();
    let lines = aligned(&rows, width.saturating_sub(2));
    let failed = ended.iter().filter(|(_, way)| way.failure.is_some()).count();
    let mut text = String::new();
    for ((_, way), line) in ended.iter().zip(lines) {
        let (mark, style) = way.mark();
        text.push_str(&format!("{style}{mark}{style:#} {line}\n"));
        if let Some(reason) = way.reason() {
            text.push_str(&format!("    {}\n", clipped(&reason, width.saturating_sub(4))));
        }
    }
    let well = ended.len() - failed;
    let fetched = order
        .destination
        .as_ref()
        .map(Destination::to_string)
        .unwrap_or_default();
    let and_failed = if failed == 0 {
        String::new()
    } else {
        format!(", {failed} failed")
    };
    format!(
        "{text}{well} resized to s3://{}{fetched}{and_failed}, in {}",
        session.names.resized_bucket(),
        duration(took)
    )
}
