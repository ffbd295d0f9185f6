//! What came of an execution, for people and for programs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Object, name_part};
use crate::error::CommandError;
use crate::execution::{End, Status, Step, Timeline};
use crate::session::Session;
use crate::ui::format::{bytes, duration};
use crate::ui::{Ui, timeline};

/// The function's answer, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    dest_bucket: String,
    dest_key: String,
    width: u32,
    height: u32,
    bytes: u64,
    source_width: Option<u32>,
    source_height: Option<u32>,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    stack: &'a str,
    execution: &'a str,
    status: &'static str,
    input: Option<Value>,
    output: Option<Value>,
    steps: Vec<StepDocument<'a>>,
    result: Option<Picture<'a>>,
    error: Option<&'a str>,
    cause: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub struct StepDocument<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    /// None while it is in it.
    millis: Option<u64>,
    retries: usize,
}

#[derive(Debug, Serialize)]
struct Picture<'a> {
    bucket: &'a str,
    key: &'a str,
    width: u32,
    height: u32,
    bytes: u64,
}

impl<'a> From<&'a Step> for StepDocument<'a> {
    fn from(step: &'a Step) -> Self {
        Self {
            name: &step.name,
            kind: &step.kind,
            millis: step.took().and_then(|took| took.as_millis().try_into().ok()),
            retries: step.retries(),
        }
    }
}

/// Prints what came of it.
///
/// # Errors
/// The execution did not succeed: the reason.
pub fn tell(
    session: &Session,
    execution: &str,
    object: &Object,
    timeline: &Timeline,
    ui: &Ui,
) -> Result<(), CommandError> {
    let Some(end) = &timeline.end else {
        return Err(CommandError::failed(format!("the execution {execution} has no end")));
    };
    let answer = answer(end);
    if ui.json {
        ui.json(&document(&session.names.stack, execution, timeline, end, answer.as_ref()))?;
    } else if let Some(answer) = &answer {
        ui.result(summary(object, timeline, answer));
    } else if end.status == Status::Succeeded {
        ui.result(timeline::ending(timeline));
    }
    if end.status == Status::Succeeded {
        return Ok(());
    }
    let name = name_part(execution);
    Err(CommandError::failed(format!(
        "s3://{}/{} was not resized: {}",
        object.bucket, object.key, end.trouble
    ))
    .hint(format!("`resizer status --execution {name}` shows the execution step by step")))
}

fn answer(end: &End) -> Option<Answer> {
    serde_json::from_str(end.output.as_deref()?).ok()
}

fn document<'a>(
    stack: &'a str,
    execution: &'a str,
    timeline: &'a Timeline,
    end: &'a End,
    answer: Option<&'a Answer>,
) -> Document<'a> {
    let parsed = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Document {
        stack,
        execution,
        status: end.status.name(),
        input: parsed(&timeline.input),
        output: parsed(&end.output),
        steps: timeline.steps.iter().map(StepDocument::from).collect(),
        result: answer.map(|answer| Picture {
            bucket: &answer.dest_bucket,
            key: &answer.dest_key,
            width: answer.width,
            height: answer.height,
            bytes: answer.bytes,
        }),
        error: end.trouble.error.as_deref(),
        cause: end.trouble.cause.as_deref(),
    }
}

/// Where the result is, and what became of the picture.
fn summary(object: &Object, timeline: &Timeline, answer: &Answer) -> String {
    let before = match (answer.source_width, answer.source_height) {
        (Some(width), Some(height)) => format!("{width} × {height} → "),
        _ => String::new(),
    };
    let took = timeline.took().map(duration).unwrap_or_default();
    format!(
        "s3://{}/{}\n  {before}{} × {} pixels, {} → {}, in {took}",
        answer.dest_bucket,
        answer.dest_key,
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
    use crate::execution::tests::{refused, resized};

    fn timeline_with(output: &str) -> Timeline {
        let mut timeline = Timeline::of(&resized());
        timeline.end.as_mut().unwrap().output = Some(output.to_owned());
        timeline
    }

    const OUTPUT: &str = r#"{"ok":true,"destBucket":"r","destKey":"output/cat_resized.jpg","width":500,
        "height":333,"sourceWidth":3000,"sourceHeight":2000,"bytes":31400}"#;

    #[test]
    fn a_person_reads_where_the_picture_is_and_what_became_of_it() {
        let timeline = timeline_with(OUTPUT);
        let object = Object {
            bucket: "o".to_owned(),
            key: "cat.jpg".to_owned(),
            size: 1_400_000,
        };
        let answer = answer(timeline.end.as_ref().unwrap()).unwrap();
        insta::assert_snapshot!(summary(&object, &timeline, &answer), @"");
    }

    #[test]
    fn a_program_reads_the_whole() {
        let timeline = timeline_with(OUTPUT);
        let end = timeline.end.as_ref().unwrap();
        let answer = answer(end);
        let document = document("resizer", "arn:…:e", &timeline, end, answer.as_ref());
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @"");
    }

    #[test]
    fn a_failed_execution_has_a_reason_and_no_result() {
        let timeline = Timeline::of(&refused());
        let end = timeline.end.as_ref().unwrap();
        let document = document("resizer", "arn:…:e", &timeline, end, None);
        let document = serde_json::to_value(document).unwrap();
        assert_eq!(document["status"], "FAILED");
        assert_eq!(document["error"], "NotResized");
        assert_eq!(document["cause"], "not an image");
        assert_eq!(document["result"], Value::Null);
    }
}
