//! The execution that an upload caused: nobody tells its name, so it is looked for.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Object;
use crate::aws::{CallFailure, During, UnlessGone};
use crate::error::CommandError;
use crate::execution::describe;
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::format::{s3_uri, shell_word};
use crate::ui::waiting::Waiting;

/// How often to look; ListExecutions takes 5 calls a second for long.
const POLL_FIRST: Duration = Duration::from_millis(20);
const POLL_MAX: Duration = Duration::from_secs(1);
/// Executions on a page.
const PAGE: i32 = 100;
/// The most pages that one look takes.
const PAGES_MAX: usize = 10;

/// The executions that were there before the upload: what counts is order, since no two clocks agree.
#[derive(Debug)]
pub struct Before {
    seen: HashSet<String>,
}

impl Before {
    /// Notes the newest executions.
    pub async fn note(session: &Session) -> Result<Self, CallFailure> {
        let (page, _) = list(session, None).await?;
        Ok(Self {
            seen: page.into_iter().collect(),
        })
    }
}

/// The ARN of the execution whose input names `object` and which was not there before.
///
/// # Errors
/// None came before `deadline`.
pub async fn find(
    session: &Session,
    object: &Object,
    before: Before,
    deadline: Instant,
    ui: &Ui,
) -> Result<String, CommandError> {
    let waiting = Waiting::new(ui, "Waiting for the upload's event to start an execution");
    let mut seen = before.seen;
    let mut poll = POLL_FIRST;
    loop {
        let new = new_executions(session, &seen).await;
        for arn in new.map_err(|failure| super::absent(session, failure))? {
            match is_for(session, &arn, object).await? {
                Some(true) => {
                    waiting.clear();
                    return Ok(arn);
                }
                Some(false) => {
                    seen.insert(arn);
                }
                None => {}
            }
        }
        if Instant::now() + poll > deadline {
            return Err(none_in_time(session, object));
        }
        tokio::time::sleep(poll).await;
        poll = (poll * 3 / 2).min(POLL_MAX);
    }
}

fn none_in_time(session: &Session, object: &Object) -> CommandError {
    let Object { bucket, key, .. } = object;
    let flags = &session.flags;
    let error = CommandError::failed(format!(
        "the upload of {} has started no execution in time",
        s3_uri(bucket, key)
    ))
    .hint(format!(
        "`resizer status{flags}` shows whether the rule and the bucket's notification are there and right"
    ))
    .hint(format!(
        "the object is there; to run the pipeline on it now: `resizer invoke{flags} --key {} --via states`",
        shell_word(key)
    ));
    if session.clients.endpoint_url.is_some() {
        return error;
    }
    error.hint("after `resizer up`, S3 takes about five minutes until it sends events")
}

/// The executions that are not in `seen`: they are listed newest first, so a page with a known one is the last.
async fn new_executions(session: &Session, seen: &HashSet<String>) -> Result<Vec<String>, CallFailure> {
    let mut new = Vec::new();
    let mut next = None;
    for _ in 0..PAGES_MAX {
        let (page, further) = list(session, next).await?;
        let reached_known = page.iter().any(|arn| seen.contains(arn));
        new.extend(page.into_iter().filter(|arn| !seen.contains(arn)));
        next = further;
        if next.is_none() || reached_known {
            break;
        }
    }
    Ok(new)
}

/// ARNs of executions, newest first, and where the next page begins.
async fn list(session: &Session, next: Option<String>) -> Result<(Vec<String>, Option<String>), CallFailure> {
    let machine = session.names.state_machine_arn();
    let page = session
        .clients
        .states
        .list_executions()
        .state_machine_arn(&machine)
        .max_results(PAGE)
        .set_next_token(next)
        .send()
        .await
        .during("states:ListExecutions", &machine)?;
    let arns = page
        .executions
        .into_iter()
        .map(|execution| execution.execution_arn);
    Ok((arns.collect(), page.next_token))
}

/// Whether its input is what the rule makes of an upload of `object`; nothing, when it is listed and not yet to be
/// described.
async fn is_for(session: &Session, arn: &str, object: &Object) -> Result<Option<bool>, CallFailure> {
    let described = describe(&session.clients, arn).await.unless_gone()?;
    Ok(described.map(|execution| names(execution.input().unwrap_or_default(), object)))
}

/// The size tells two uploads of the same key apart.
fn names(input: &str, object: &Object) -> bool {
    let input: Value = serde_json::from_str(input).unwrap_or_default();
    input["bucket"] == object.bucket.as_str()
        && input["key"] == object.key.as_str()
        && (input["size"].is_null() || input["size"] == object.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_told_by_bucket_key_and_size() {
        let object = Object {
            bucket: "o".to_owned(),
            key: "it's a \"cat\".jpg".to_owned(),
            size: 7,
        };
        let input = |bucket: &str, key: &str, size: u64| {
            serde_json::json!({"bucket": bucket, "key": key, "size": size}).to_string()
        };
        assert!(names(&input("o", "it's a \"cat\".jpg", 7), &object));
        assert!(!names(&input("o", "it's a \"cat\".jpg", 8), &object));
        assert!(!names(&input("o", "cat.jpg", 7), &object));
        assert!(!names(&input("r", "it's a \"cat\".jpg", 7), &object));
        assert!(!names("not JSON", &object));
    }
}
