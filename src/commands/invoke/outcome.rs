//! What came of an execution, for people and for programs.

use serde::Serialize;

use super::{Object, name_part};
use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{Answer, Document, Status, Timeline};
use crate::outputs::Outputs;
use crate::session::Session;
use crate::ui::format::{bytes, duration, s3_uri};
use crate::ui::{Ui, timeline};

/// The JSON document.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    outputs: Outputs,
    #[serde(flatten)]
    document: Document<'a>,
    /// What to type next, if it failed.
    hints: &'a [String],
}

/// Prints what came of it.
///
/// # Errors
/// The execution did not succeed: the reason.
pub async fn tell(
    settings: &Settings,
    session: &Session,
    execution: &str,
    object: &Object,
    timeline: &Timeline,
    ui: &Ui,
) -> Result<(), CommandError> {
    let failure = failure(session, execution, object, timeline);
    if ui.json {
        ui.json(&Shown {
            outputs: standing::outputs(session, settings).await?,
            document: Document::new(execution, timeline),
            hints: failure.as_ref().map_or(&[], |failure| &failure.hints),
        })?;
    } else if let Some(answer) = Answer::of(timeline) {
        ui.result(summary(object, timeline, &answer))?;
    } else {
        ui.say(timeline::verdict(timeline));
    }
    failure.map_or(Ok(()), |failure| Err(failure.documented()))
}

/// That it ended, and not well.
fn failure(session: &Session, execution: &str, object: &Object, timeline: &Timeline) -> Option<CommandError> {
    let end = timeline.end.as_ref()?;
    let failure = || {
        CommandError::failed(format!(
            "{} was not resized: {}",
            s3_uri(&object.bucket, &object.key),
            end.trouble
        ))
        .hint(format!(
            "`resizer status{} --execution {}` shows the execution step by step",
            session.flags,
            name_part(execution)
        ))
    };
    (end.status != Status::Succeeded).then(failure)
}

/// Where the result is, and what became of the picture.
fn summary(object: &Object, timeline: &Timeline, answer: &Answer) -> String {
    let before = match (answer.source_width, answer.source_height) {
        (Some(width), Some(height)) => format!("{width} × {height} → "),
        _ => String::new(),
    };
    let took = timeline.took().map(duration).unwrap_or_default();
    format!(
        "{}\n  {before}{} × {} pixels, {} → {}, in {took}",
        s3_uri(&answer.dest_bucket, &answer.dest_key),
        answer.width,
        answer.height,
        bytes(object.size),
        bytes(answer.bytes),
    )
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
        };
        let answer = Answer::of(&timeline).unwrap();
        insta::assert_snapshot!(summary(&object, &timeline, &answer), @"
        s3://r/output/cat_resized.jpg
          3000 × 2000 → 500 × 333 pixels, 1.4 MB → 31 kB, in 1.9 s
        ");
    }
}
