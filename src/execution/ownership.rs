//! Which request was a try's of which Step Functions names none: the one whose own line tells of the try's input.
//!
//! Assumption: Step Functions names no request of a try that failed in the function, or that is under way. The function logs
//! the whole event of a failure, and of an answer the object; but another try may be for the same object at that time, and
//! its lines may be there while this one's are not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::event::Event;
use super::history::from_logs;
use super::invocation::FunctionLog;
use super::log_events::{CLOCK_DIFFERENCE_MILLIS, Search, search};
use super::report::request_in;
use super::tries::{Try, note};
use crate::aws::CallFailure;

/// How much later than the try's end its line may be stamped, on the same clock.
const STAMP_MILLIS: i64 = 100;
/// The most lines that are looked at.
const LINES_MAX: usize = 1_000;
/// The most executions of the same input that are asked about; of others only that they ran.
const OTHERS_MAX: usize = 5;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Owned {
    One(String),
    Nothing,
    /// It is not to be told from that of another try.
    Several,
}

/// From and until, in milliseconds since 1970.
type Span = (i64, i64);

/// When the try went on, and so many milliseconds longer at each end.
fn span(each: &Try, before: i64, after: i64) -> Span {
    let ended = each.ended.map(|ended| ended.as_millisecond());
    (
        each.began.as_millisecond() - before,
        ended.unwrap_or(i64::MAX - after) + after,
    )
}

impl FunctionLog<'_> {
    /// The request of `each`, a try of `execution` that names none. `own` are all tries of the execution with this `input`.
    pub(super) async fn request_of(
        &self,
        execution: &str,
        input: &Value,
        each: &Try,
        own: &[Try],
    ) -> Result<Owned, CallFailure> {
        let wide = span(each, CLOCK_DIFFERENCE_MILLIS, CLOCK_DIFFERENCE_MILLIS);
        let mut pattern = terms_of(input);
        if pattern.is_empty() {
            pattern.push_str("\"requestId\"");
        }
        let lines = Search {
            log_group: &self.log.name,
            from: wide.0,
            until: each.ended.map(|_| wide.1),
            pattern: Some(pattern.trim_start()),
            stream: None,
        };
        let found = search(self.log.clients, lines, LINES_MAX).await?;
        if found.is_cut {
            return Ok(Owned::Several);
        }
        let lines = found.events.iter();
        let about: Vec<(String, i64)> = lines
            .filter_map(|line| Some((request_about(&line.text, input)?, line.millis)))
            .collect();
        if about.is_empty() {
            return Ok(Owned::Nothing);
        }
        let others = self.others(execution, input, each, wide).await?;
        Ok(owned(each, about, own, others.as_deref()))
    }

    /// The tries of other executions with the same input within `wide`; none if the log cannot tell.
    async fn others(
        &self,
        execution: &str,
        input: &Value,
        each: &Try,
        wide: Span,
    ) -> Result<Option<Vec<Try>>, CallFailure> {
        let clients = self.log.clients;
        let until = each.ended.map(|_| wide.1);
        let pattern = format!("\"TaskScheduled\"{}", terms_of(input));
        let scheduled = Search {
            log_group: &self.executions,
            from: wide.0,
            until,
            pattern: Some(&pattern),
            stream: None,
        };
        let found = match search(clients, scheduled, LINES_MAX).await {
            Ok(found) if !found.is_cut => found,
            Ok(_) => return Ok(None),
            Err(failure) if failure.is_not_found() => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let mut began = BTreeMap::<String, Vec<Try>>::new();
        for line in &found.events {
            if let Some(arn) = scheduled_with(&line.text, input) {
                began.entry(arn).or_default().push(Try::begun(line.at()));
            }
        }
        // What does not have this one's own may not have others' either.
        if began.remove(execution).is_none() {
            return Ok(None);
        }
        let mut others = Vec::new();
        for (place, (arn, tries)) in began.into_iter().enumerate() {
            if place >= OTHERS_MAX {
                others.extend(tries);
                continue;
            }
            let mut known = Vec::new();
            for event in from_logs(clients, &self.executions, &arn, (wide.0.max(0), until)).await? {
                note(&mut known, &event);
            }
            others.extend(known);
        }
        Ok(Some(others))
    }
}

/// Which of the requests in `about`, each with the time of its line, is that of `each`.
///
/// Where no other try may have been it, the clocks may differ; else only the time of the try counts, and only if no other
/// went on then.
fn owned(each: &Try, mut about: Vec<(String, i64)>, own: &[Try], others: Option<&[Try]>) -> Owned {
    let all = || own.iter().chain(others.unwrap_or_default());
    about.retain(|(request, _)| all().all(|one| one.request_id.as_ref() != Some(request)));
    about.sort();
    about.dedup_by(|one, other| one.0 == other.0);
    let (from, until) = span(each, 0, STAMP_MILLIS);
    let nameless = all().filter(|one| one.request_id.is_none() && one.may_have_run());
    let rivals: Vec<Span> = nameless
        .filter(|one| *one != each)
        .map(|one| span(one, 0, STAMP_MILLIS))
        .collect();
    if others.is_none() || !rivals.is_empty() {
        about.retain(|(_, at)| (from..=until).contains(at));
        let meanwhile = |rival: &&Span| rival.0 <= until && from <= rival.1;
        if !about.is_empty() && rivals.iter().any(|rival| meanwhile(&rival)) {
            return Owned::Several;
        }
    }
    match about.as_slice() {
        [] => Owned::Nothing,
        [(request, _)] => Owned::One(request.clone()),
        _ => Owned::Several,
    }
}

/// The request of a line that the function wrote about `input`: an error with the event, or an answer with the object.
fn request_about(line: &str, input: &Value) -> Option<String> {
    let Ok(line) = serde_json::from_str::<Value>(line) else {
        return is_text_about(line, input).then(|| request_in(line).map(str::to_owned))?;
    };
    let object = &line["answer"];
    let is_about = line["event"] == *input
        || object["sourceKey"].is_string()
            && object["sourceKey"] == input["key"]
            && object["sourceBucket"] == input["bucket"];
    is_about.then(|| line["requestId"].as_str().map(str::to_owned))?
}

/// Whether a line of text, where the function logs such, is about `input`.
fn is_text_about(line: &str, input: &Value) -> bool {
    let event = line
        .split_once("; the event was ")
        .and_then(|(_, event)| serde_json::from_str::<Value>(event).ok());
    let object = format!(
        ": resized {} of {} (",
        input["key"],
        input["bucket"].as_str().unwrap_or_default()
    );
    event.as_ref() == Some(input) || line.contains(&object)
}

/// The execution of a line that says that a task was scheduled with `input`.
fn scheduled_with(line: &str, input: &Value) -> Option<String> {
    let event = Event::from_log(line)?;
    let record: Value = serde_json::from_str(line).ok()?;
    let parameters: Value = serde_json::from_str(&event.details.parameters?).ok()?;
    (parameters["Payload"] == *input).then(|| record["execution_arn"].as_str().map(str::to_owned))?
}

/// What a line about `input` has in it, for a filter pattern: the parts of its key that no JSON writes differently.
fn terms_of(input: &Value) -> String {
    let key = input["key"].as_str().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./ ".contains(c);
    let parts = key.split(|c| !is_plain(c)).filter(|part| !part.trim().is_empty());
    parts.map(|part| format!(" \"{part}\"")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::execution::Trouble;

    /// One that failed in the function.
    fn failed(began: i64, ended: i64) -> Try {
        let mut one = Try::begun(Timestamp::from_millisecond(began).unwrap());
        one.ended = Timestamp::from_millisecond(ended).ok();
        one.trouble = Some(Trouble {
            error: Some("S3.SlowDown".to_owned()),
            cause: None,
        });
        one
    }

    fn about(lines: &[(&str, i64)]) -> Vec<(String, i64)> {
        lines
            .iter()
            .map(|(request, at)| ((*request).to_owned(), *at))
            .collect()
    }

    #[test]
    fn alone_it_is_found_by_a_clock_that_differs() {
        let each = failed(100_000, 100_040);
        let own = [each.clone()];
        let line = about(&[("a", 70_000)]);
        assert_eq!(
            owned(&each, line.clone(), &own, Some(&[])),
            Owned::One("a".to_owned())
        );
        // Whether it was alone is not known.
        assert_eq!(owned(&each, line, &own, None), Owned::Nothing);
        assert_eq!(
            owned(&each, about(&[("a", 100_030)]), &own, None),
            Owned::One("a".to_owned())
        );
    }

    #[test]
    fn another_s_line_is_not_taken_while_its_own_is_not_there() {
        let each = failed(100_000, 100_040);
        let own = [each.clone()];
        let later = [failed(100_500, 100_540)];
        assert_eq!(
            owned(&each, about(&[("b", 100_530)]), &own, Some(&later)),
            Owned::Nothing
        );
        let meanwhile = [failed(100_020, 100_060)];
        assert_eq!(
            owned(&each, about(&[("b", 100_035)]), &own, Some(&meanwhile)),
            Owned::Several
        );
        let mut succeeded = failed(100_020, 100_060);
        succeeded.request_id = Some("b".to_owned());
        assert_eq!(
            owned(&each, about(&[("b", 100_035)]), &own, Some(&[succeeded])),
            Owned::Nothing
        );
    }

    #[test]
    fn the_next_try_s_line_is_not_taken_for_the_first_s() {
        let own = [failed(100_000, 100_040), failed(102_000, 102_040)];
        let line = about(&[("second", 102_030)]);
        assert_eq!(owned(&own[0], line.clone(), &own, Some(&[])), Owned::Nothing);
        assert_eq!(
            owned(&own[1], line, &own, Some(&[])),
            Owned::One("second".to_owned())
        );
    }

    #[test]
    fn a_line_is_about_an_input_if_it_names_it() {
        let input = json!({"bucket": "o", "key": "a.jpg", "size": 5});
        let failure = json!({"level": "ERROR", "requestId": "r", "event": input}).to_string();
        let answer =
            json!({"requestId": "r", "answer": {"sourceBucket": "o", "sourceKey": "a.jpg"}}).to_string();
        for line in [&failure, &answer] {
            assert_eq!(request_about(line, &input).as_deref(), Some("r"), "{line}");
            let other = json!({"bucket": "o", "key": "b.jpg", "size": 5});
            assert_eq!(request_about(line, &other), None, "{line}");
        }
        let id = "3b04a8c6-7a3e-4c1f-9d4e-0a1b2c3d4e5f";
        for line in [
            format!("ERROR RequestId: {id}: S3.SlowDown: less; the event was {input}"),
            format!("INFO RequestId: {id}: resized \"a.jpg\" of o (JPEG, 4x3, 50 bytes) to \"b.jpg\" of r"),
        ] {
            assert_eq!(request_about(&line, &input).as_deref(), Some(id), "{line}");
            let other = json!({"bucket": "o", "key": "b.jpg", "size": 5});
            assert_eq!(request_about(&line, &other), None, "{line}");
        }
        assert_eq!(request_about("START RequestId: r", &input), None);
        assert_eq!(request_about(r#"{"requestId":"r"}"#, &json!({})), None);
    }

    #[test]
    fn what_is_looked_for_of_a_key_is_what_no_json_writes_differently() {
        assert_eq!(
            terms_of(&json!({"key": "album/it's \"é\".jpg"})),
            r#" "album/it" "s " ".jpg""#
        );
        assert_eq!(terms_of(&json!({"Records": []})), "");
    }
}
