//! What came of an execution, for people and for programs.

use std::path::PathBuf;

use serde::Serialize;

use super::results::Destination;
use super::{Begun, Object};
use crate::aws::is_same_etag;
use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{Answer, Document, Rendition, Status, Timeline, name_part};
use crate::outputs::Outputs;
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::format::{bytes, duration, printable, s3_uri};

/// The JSON document.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    outputs: Outputs,
    #[serde(flatten)]
    document: Document<'a>,
    /// Whether it ran before, with the same object and settings, and nothing was started.
    earlier: bool,
    /// The files that the results were fetched to.
    downloaded: Vec<String>,
    /// What to type next, if it failed.
    hints: &'a [String],
}

/// An execution that has ended.
pub struct Outcome<'a> {
    pub session: &'a Session,
    pub begun: &'a Begun,
    pub timeline: &'a Timeline,
}

impl Outcome<'_> {
    /// Fetches the result where it is wanted, and prints what came of it.
    ///
    /// # Errors
    /// The execution did not succeed: the reason. Or the result was not fetched.
    pub async fn tell(
        &self,
        settings: &Settings,
        destination: Option<&Destination>,
        ui: &Ui,
    ) -> Result<(), CommandError> {
        let Begun {
            execution, object, ..
        } = self.begun;
        let answer = Answer::of(self.timeline);
        let failure = failure(self.session, execution, object, self.timeline);
        let fetched = match (&answer, destination) {
            (Some(answer), Some(destination)) if failure.is_none() => {
                destination.fetch(self.session, answer).await?
            }
            _ => Vec::new(),
        };
        if ui.json {
            ui.json(&Shown {
                outputs: standing::outputs(self.session, settings).await?,
                document: Document::new(execution, self.timeline),
                earlier: self.begun.is_earlier,
                downloaded: fetched.iter().map(|path| path.display().to_string()).collect(),
                hints: failure.as_ref().map_or(&[], |failure| &failure.hints),
            })?;
        } else if let Some(answer) = answer {
            ui.result(summary(object, self.timeline, &answer, &fetched))?;
        }
        if let Some(destination) = destination {
            destination.open(&fetched).await?;
        }
        failure.map_or(Ok(()), |failure| Err(failure.documented()))
    }
}

/// That it ended, and not well.
fn failure(session: &Session, execution: &str, object: &Object, timeline: &Timeline) -> Option<CommandError> {
    let trouble = unsuccessful(session, execution, Some(object), timeline)?;
    let uri = s3_uri(&object.bucket, &object.key);
    Some(trouble.about(format!("{uri} was not resized")))
}

/// Why the execution that has ended did not make of `object` what it should have, if that is so.
pub fn unsuccessful(
    session: &Session,
    execution: &str,
    object: Option<&Object>,
    timeline: &Timeline,
) -> Option<CommandError> {
    let end = timeline.end.as_ref()?;
    if end.status == Status::Succeeded {
        return object.and_then(|object| of_other_bytes(object, &Answer::of(timeline)?));
    }
    let error = CommandError::failed(&end.trouble).hint(format!(
        "`resizer status{} --execution {}` shows the execution step by step",
        session.flags,
        name_part(execution)
    ));
    let trouble = end.trouble.to_string();
    let up = format!("`resizer up{}`", session.flags);
    let mended = if trouble.contains("ResourceNotFoundException") {
        Some(format!("{up} makes what is not there any more"))
    } else if trouble.contains("Sandbox.Timedout") {
        Some(format!(
            "a larger function.timeout gives it more time, a larger function.memory a faster processor; {up} puts them through"
        ))
    } else {
        None
    };
    Some(mended.into_iter().fold(error, CommandError::hint))
}

/// That another upload took the key before this one was read, if it did.
fn of_other_bytes(object: &Object, answer: &Answer) -> Option<CommandError> {
    let is_read = is_same_etag(object.etag.as_ref()?, answer.source_etag.as_ref()?);
    (!is_read).then(|| {
        CommandError::failed("another upload took this key before it was read, and the result is that one's")
            .hint("--again uploads it once more; under a --key of its own nobody is in its way")
    })
}

/// Where the results are, and what became of the picture.
fn summary(object: &Object, timeline: &Timeline, answer: &Answer, fetched: &[PathBuf]) -> String {
    let took = timeline.took().map(duration).unwrap_or_default();
    let mut text = format!(
        "{}\n  {} pixels, {} → {}, in {took}",
        s3_uri(&answer.dest_bucket, &answer.dest_key),
        answer.shape(),
        bytes(object.size),
        bytes(answer.bytes),
    );
    for rendition in answer.renditions.iter().skip(1) {
        let uri = s3_uri(&answer.dest_bucket, &rendition.dest_key);
        let Rendition { width, height, .. } = rendition;
        text += &format!("\n{uri}\n  {width} × {height} pixels, {}", bytes(rendition.bytes));
    }
    for path in fetched {
        text += &format!("\n  fetched to {}", printable(&path.display().to_string()));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::execution::tests::{PICTURE, resized};

    #[test]
    fn a_person_reads_where_the_picture_is_and_what_became_of_it() {
        let mut timeline = Timeline::of(&resized());
        timeline.end.as_mut().unwrap().output = Some(PICTURE.to_owned());
        let object = Object {
            bucket: "o".to_owned(),
            key: "cat.jpg".to_owned(),
            size: 1_400_000,
            etag: None,
        };
        let answer = Answer::of(&timeline).unwrap();
        insta::assert_snapshot!(summary(&object, &timeline, &answer, &["small/cat_resized.jpg".into()]), @"
        s3://r/output/cat_resized.jpg
          3000 × 2000 → 500 × 333 pixels, 1.4 MB → 31 kB, in 1.9 s
          fetched to small/cat_resized.jpg
        ");
    }
}
