//! An execution as a JSON document.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::invocation::{FoundBy, Invocation, Logged};
use super::log_events::LogEvent;
use super::report::Report;
use super::timeline::{End, Status, Step, Timeline};
use super::tries::Try;

/// What programs read of an execution.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// The ARN.
    pub execution: &'a str,
    /// As Step Functions has it: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    status: &'static str,
    started: Option<jiff::Timestamp>,
    /// None while it runs.
    millis: Option<u64>,
    input: Option<Value>,
    output: Option<Value>,
    /// Absent where only how it ended was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<StepDocument<'a>>,
    /// The picture that was written.
    result: Option<PictureDocument>,
    /// The error's name; that of the status where Step Functions gives none (an execution that was stopped).
    error: Option<&'a str>,
    cause: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct StepDocument<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    /// None while it is in it.
    millis: Option<u64>,
    retries: usize,
    tries: Vec<TryDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct TryDocument<'a> {
    began: jiff::Timestamp,
    /// None while it is under way.
    millis: Option<u64>,
    error: Option<&'a str>,
    cause: Option<&'a str>,
    /// The invocation's, where it is known.
    request_id: Option<&'a str>,
    /// What says so.
    found_by: Option<FoundBy>,
    /// What the function printed.
    lines: Vec<LineDocument<'a>>,
    report: Option<Report>,
    /// Why there are no lines.
    lines_missing: Option<String>,
}

#[derive(Debug, Serialize)]
struct LineDocument<'a> {
    time: jiff::Timestamp,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct PictureDocument {
    bucket: String,
    key: String,
    width: u32,
    height: u32,
    bytes: u64,
}

/// The function's answer, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub dest_bucket: String,
    pub dest_key: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    pub bytes: u64,
    /// Pixels, upright.
    pub source_width: Option<u32>,
    /// Pixels, upright.
    pub source_height: Option<u32>,
    /// What S3 calls the bytes that were read, without quotes.
    pub source_etag: Option<String>,
    /// What S3 calls those that were written, without quotes.
    pub etag: Option<String>,
    /// All of the pictures that it wrote, if they are several; what is beside it is about the first.
    #[serde(default)]
    pub renditions: Vec<Rendition>,
}

/// One of the pictures that the function made of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    pub dest_key: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    pub bytes: u64,
    /// What S3 calls them, without quotes.
    #[serde(default)]
    pub etag: Option<String>,
}

impl Answer {
    /// The answer that the execution ended with, if it wrote a picture.
    pub fn of(timeline: &Timeline) -> Option<Self> {
        serde_json::from_str(timeline.end.as_ref()?.output.as_deref()?).ok()
    }

    /// The key of each picture that it wrote, at least one, and what S3 calls its bytes.
    pub fn results(&self) -> Vec<(&str, Option<&str>)> {
        if self.renditions.is_empty() {
            return vec![(&self.dest_key, self.etag.as_deref())];
        }
        let renditions = self.renditions.iter();
        renditions
            .map(|rendition| (rendition.dest_key.as_str(), rendition.etag.as_deref()))
            .collect()
    }

    /// ` +2`: how many results there are beside the first, if any.
    pub fn and_others(&self) -> String {
        match self.renditions.len() {
            0 | 1 => String::new(),
            all => format!(" +{}", all - 1),
        }
    }

    /// `3000 × 2000 → 500 × 333`
    pub fn shape(&self) -> String {
        let before = match (self.source_width, self.source_height) {
            (Some(width), Some(height)) => format!("{width} × {height} → "),
            _ => String::new(),
        };
        format!("{before}{} × {}", self.width, self.height)
    }
}

impl<'a> Document<'a> {
    pub fn new(execution: &'a str, timeline: &'a Timeline) -> Self {
        let end = timeline.end.as_ref();
        let trouble = end.map(|end| &end.trouble);
        Self {
            execution,
            status: end.map_or("RUNNING", |end| end.status.name()),
            started: timeline.started,
            millis: timeline.took().and_then(|took| took.as_millis().try_into().ok()),
            input: parsed(timeline.input.as_deref()),
            output: parsed(end.and_then(|end| end.output.as_deref())),
            steps: timeline.steps.iter().map(StepDocument::from).collect(),
            result: Answer::of(timeline).map(PictureDocument::from),
            error: end.and_then(error_of),
            cause: trouble.and_then(|trouble| trouble.cause.as_deref()),
        }
    }
}

fn error_of(end: &End) -> Option<&str> {
    let of_status = (end.status != Status::Succeeded).then(|| end.status.name());
    end.trouble.error.as_deref().or(of_status)
}

fn parsed(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

impl<'a> From<&'a Step> for StepDocument<'a> {
    fn from(step: &'a Step) -> Self {
        Self {
            name: &step.name,
            kind: &step.kind,
            millis: step.took().and_then(|took| took.as_millis().try_into().ok()),
            retries: step.retries(),
            tries: step.tries.iter().map(TryDocument::from).collect(),
        }
    }
}

impl<'a> From<&'a Try> for TryDocument<'a> {
    fn from(each: &'a Try) -> Self {
        let trouble = each.trouble.as_ref();
        let (invocation, missing) = match &each.logged {
            Some(Logged::Found(invocation)) => (Some(invocation), None),
            Some(Logged::Missing(why)) => (None, Some(why.to_string())),
            None => (None, None),
        };
        let lines = invocation.into_iter().flat_map(Invocation::printed);
        let named = each.request_id.as_deref();
        Self {
            began: each.began,
            millis: each.took().and_then(|took| took.as_millis().try_into().ok()),
            error: trouble.and_then(|trouble| trouble.error.as_deref()),
            cause: trouble.and_then(|trouble| trouble.cause.as_deref()),
            request_id: named.or(invocation.map(|invocation| invocation.request_id.as_str())),
            found_by: invocation.map(|invocation| invocation.found_by),
            lines: lines.map(LineDocument::from).collect(),
            report: invocation.and_then(Invocation::report),
            lines_missing: missing,
        }
    }
}

impl<'a> From<&'a LogEvent> for LineDocument<'a> {
    fn from(event: &'a LogEvent) -> Self {
        Self {
            time: event.at(),
            message: event.text.trim_end(),
        }
    }
}

impl From<Answer> for PictureDocument {
    fn from(answer: Answer) -> Self {
        Self {
            bucket: answer.dest_bucket,
            key: answer.dest_key,
            width: answer.width,
            height: answer.height,
            bytes: answer.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::execution::tests::{PICTURE, logged, refused, resized};

    #[test]
    fn a_program_reads_the_whole() {
        let mut timeline = Timeline::of(&resized());
        timeline.end.as_mut().unwrap().output = Some(PICTURE.to_owned());
        timeline.steps[0].tries[1].logged = Some(logged());
        let document = Document::new("arn:aws:states:…:e", &timeline);
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
        {
          "execution": "arn:aws:states:…:e",
          "status": "SUCCEEDED",
          "started": "2025-11-24T16:00:00Z",
          "millis": 1946,
          "input": {
            "bucket": "o",
            "key": "cat.jpg",
            "size": 180000
          },
          "output": {
            "ok": true,
            "destBucket": "r",
            "destKey": "output/cat_resized.jpg",
            "width": 500,
            "height": 333,
            "sourceWidth": 3000,
            "sourceHeight": 2000,
            "bytes": 31400
          },
          "steps": [
            {
              "name": "Resize",
              "type": "Task",
              "millis": 1941,
              "retries": 1,
              "tries": [
                {
                  "began": "2025-11-24T16:00:00.002Z",
                  "millis": 28,
                  "error": "Lambda.TooManyRequestsException",
                  "cause": "Rate exceeded",
                  "request_id": null,
                  "found_by": null,
                  "lines": [],
                  "report": null,
                  "lines_missing": null
                },
                {
                  "began": "2025-11-24T16:00:01.9Z",
                  "millis": 40,
                  "error": null,
                  "cause": null,
                  "request_id": "3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f",
                  "found_by": "request_id",
                  "lines": [
                    {
                      "time": "2025-11-24T16:00:01.901Z",
                      "message": "{\"level\":\"INFO\",\"requestId\":\"3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f\",\"answer\":{\"ok\":true}}"
                    }
                  ],
                  "report": {
                    "millis": 38.11,
                    "billed_millis": 64.0,
                    "memory_size_mb": 1769,
                    "max_memory_mb": 38,
                    "init_millis": 25.12
                  },
                  "lines_missing": null
                }
              ]
            },
            {
              "name": "Resized?",
              "type": "Choice",
              "millis": 1,
              "retries": 0,
              "tries": []
            },
            {
              "name": "Succeed",
              "type": "Succeed",
              "millis": 0,
              "retries": 0,
              "tries": []
            }
          ],
          "result": {
            "bucket": "r",
            "key": "output/cat_resized.jpg",
            "width": 500,
            "height": 333,
            "bytes": 31400
          },
          "error": null,
          "cause": null
        }
        "#);
    }

    #[test]
    fn a_failed_execution_has_a_reason_and_no_result() {
        let timeline = Timeline::of(&refused());
        let document = serde_json::to_value(Document::new("arn:…:e", &timeline)).unwrap();
        assert_eq!(document["status"], "FAILED");
        assert_eq!(document["error"], "not an image");
        assert_eq!(document["cause"], "not an image");
        assert_eq!(document["result"], Value::Null);
    }
}
