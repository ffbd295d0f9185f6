//! Starting an execution for an object that is there.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::{ByteStream, DateTime, SdkBody};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::Object;
use super::sought::is_for;
use crate::aws::{CallFailure, During, UnlessGone};
use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::{self, Answer, Timeline, describe};
use crate::session::Session;

/// API Gateway itself gives up after 29 seconds.
const API_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a stage and a role that were just made may take until they work.
const SETTLING: Duration = Duration::from_secs(20);
/// The most of an answer that is read.
const ANSWER_MAX: usize = 64 * 1024;
/// How often the same is run under a name that tells so: an earlier one may have failed, or its result be gone.
const RUNS_MAX: usize = 10;
/// How many of the newest executions are looked at for one that an upload caused.
const NEWEST: usize = 10;
/// What the function writes to a result's metadata: the ETag of what it was made of, without quotes.
const SOURCE_ETAG: &str = "source-etag";
/// How Lambda writes when a function was changed.
const CHANGED: &str = "%Y-%m-%dT%H:%M:%S%.f%z";

/// An execution for an object, started now or earlier.
#[derive(Debug)]
pub struct Started {
    pub arn: String,
    /// It ran before, with the same object and settings: nothing was started.
    pub is_earlier: bool,
}

impl Started {
    fn now(arn: String) -> Self {
        Self {
            arn,
            is_earlier: false,
        }
    }

    fn earlier(arn: String) -> Self {
        Self {
            arn,
            is_earlier: true,
        }
    }
}

/// Starts one at Step Functions, unless the same bytes went through the same function with the same settings before, and
/// what came of it is still there. One that failed is no answer: its cause may be mended by now. With `again` it is started
/// anyhow.
pub async fn through_states(
    session: &Session,
    object: &Object,
    again: bool,
) -> Result<Started, CommandError> {
    let failed = |failure| super::absent(session, failure);
    if !again && let Some(etag) = &object.etag {
        let function = Function::read(session).await.map_err(failed)?;
        let run = function.name_of_run(object, etag);
        let caused = newest_caused(session, object, etag, function.as_it_is_since);
        if let Some(arn) = caused.await.map_err(failed)? {
            return Ok(Started::earlier(arn));
        }
        for number in 1..=RUNS_MAX {
            let name = if number == 1 {
                run.clone()
            } else {
                format!("{run}-{number}")
            };
            match start(session, object, &name).await {
                Err(failure) if failure.code() == Some("ExecutionAlreadyExists") => {
                    let arn = session.names.execution_arn(&name);
                    if stands(session, &arn).await.map_err(failed)? {
                        return Ok(Started::earlier(arn));
                    }
                }
                started => {
                    return started.map(Started::now).map_err(failed);
                }
            }
        }
    }
    let started = start(session, object, &new_name(object)).await;
    started.map(Started::now).map_err(failed)
}

async fn start(session: &Session, object: &Object, name: &str) -> Result<String, CallFailure> {
    let machine = session.names.state_machine_arn();
    let input = json!({"bucket": object.bucket, "key": object.key, "size": object.size});
    let answer = session
        .clients
        .states
        .start_execution()
        .state_machine_arn(&machine)
        .name(name)
        .input(input.to_string())
        .send()
        .await;
    Ok(answer.during("states:StartExecution", &machine)?.execution_arn)
}

/// Whether the execution is an answer: it runs, or it succeeded and what is there is still what it wrote.
async fn stands(session: &Session, arn: &str) -> Result<bool, CallFailure> {
    let Some(execution) = describe(&session.clients, arn).await.unless_gone()? else {
        return Ok(false);
    };
    match execution.status {
        ExecutionStatus::Running => return Ok(true),
        ExecutionStatus::Succeeded => {}
        _ => return Ok(false),
    }
    let is_there = Answer::of(&Timeline::of_description(&execution)).is_some();
    Ok(!is_there || result(session, &execution).await?.is_some())
}

/// What S3 says of the picture that the execution wrote, if it is still there.
async fn result(
    session: &Session,
    execution: &DescribeExecutionOutput,
) -> Result<Option<HeadObjectOutput>, CallFailure> {
    let Some(answer) = Answer::of(&Timeline::of_description(execution)) else {
        return Ok(None);
    };
    let head = super::head(session, &answer.dest_bucket, &answer.dest_key).await;
    // Another run may have put another picture there since.
    let is_its = |head: &HeadObjectOutput| {
        let written = head.last_modified().map(DateTime::secs);
        let ended = execution.stop_date().map(DateTime::secs);
        let is_as_large =
            head.content_length().and_then(|size| u64::try_from(size).ok()) == Some(answer.bytes);
        // S3 tells whole seconds.
        is_as_large
            && written
                .zip(ended)
                .is_none_or(|(written, ended)| written <= ended + 1)
    };
    Ok(head.unless_gone()?.filter(is_its))
}

/// The ARN of an execution among the newest that made, of these bytes, the result that is there: that of an upload, say.
/// `since` is when the function became what it is.
async fn newest_caused(
    session: &Session,
    object: &Object,
    etag: &str,
    since: Timestamp,
) -> Result<Option<String>, CallFailure> {
    let machine = session.names.state_machine_arn();
    let succeeded = Some(ExecutionStatus::Succeeded);
    let (newest, _) = execution::list(&session.clients, &machine, succeeded, NEWEST, None).await?;
    let newest = newest
        .iter()
        .filter(|item| item.start_date.as_secs_f64() > since.as_duration().as_secs_f64());
    let described = newest.map(|item| async {
        describe(&session.clients, &item.execution_arn)
            .await
            .unless_gone()
    });
    for execution in try_join_all(described).await?.into_iter().flatten() {
        if !is_for(&execution, object) {
            continue;
        }
        let made = result(session, &execution).await?;
        let source = made.as_ref().and_then(|head| head.metadata()?.get(SOURCE_ETAG));
        if source.is_some_and(|source| source == etag.trim_matches('"')) {
            return Ok(Some(execution.execution_arn));
        }
    }
    Ok(None)
}

/// What a run depends on beside the object.
struct Function {
    code: String,
    settings: String,
    as_it_is_since: Timestamp,
}

impl Function {
    async fn read(session: &Session) -> Result<Self, CallFailure> {
        let function = session.names.function();
        let answer = session
            .clients
            .lambda
            .get_function()
            .function_name(&function)
            .send()
            .await;
        let configuration = answer.during("lambda:GetFunction", &function)?.configuration;
        let configuration = configuration.as_ref();
        let changed = configuration.and_then(|it| Timestamp::strptime(CHANGED, it.last_modified()?).ok());
        let settings = configuration.and_then(|it| it.environment()?.variables());
        let settings: BTreeMap<_, _> = settings.into_iter().flatten().collect();
        let code = configuration.and_then(|it| it.code_sha256());
        Ok(Self {
            code: code.unwrap_or_default().to_owned(),
            settings: json!(settings).to_string(),
            // Where it is not told, no execution is known to be younger.
            as_it_is_since: changed.unwrap_or(Timestamp::MAX),
        })
    }

    /// The name of the execution for these bytes with this code and these settings: always the same.
    fn name_of_run(&self, object: &Object, etag: &str) -> String {
        let parts = [&object.bucket, &object.key, etag, &self.code, &self.settings];
        execution_name(parts.map(str::as_bytes))
    }
}

/// A name that no other execution has.
fn new_name(object: &Object) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    execution_name([
        object.bucket.as_bytes(),
        object.key.as_bytes(),
        &now.as_nanos().to_le_bytes(),
        &std::process::id().to_le_bytes(),
    ])
}

/// A name made of a hash: the key is never part of it, since it may have characters that a name may not.
fn execution_name<const N: usize>(parts: [&[u8]; N]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("invoke-{}", &hex::encode(hash.finalize())[..32])
}

/// Starts one by a POST to the REST API, as any of its callers would: its ARN.
pub async fn through_api(
    settings: &Settings,
    session: &Session,
    object: &Object,
) -> Result<String, CommandError> {
    let url = standing::outputs(session, settings)
        .await?
        .api_url
        .ok_or_else(|| {
            CommandError::failed(format!(
                "the stack \"{}\" has no REST API to post to",
                session.names.stack
            ))
            .hint(format!(
                "`resizer up{0}` makes it; `resizer status{0}` shows what stands",
                session.flags
            ))
        })?;
    let body = json!({"bucket": object.bucket, "key": object.key}).to_string();
    let failed = |reason: String| CommandError::failed(format!("POST {url} failed: {reason}"));
    let patience = Instant::now() + SETTLING;
    loop {
        let (status, answer) = tokio::time::timeout(API_TIMEOUT, post(&url, body.clone()))
            .await
            .map_err(|_| failed(format!("no answer within {} s", API_TIMEOUT.as_secs())))?
            .map_err(&failed)?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if let Some(arn) = answer["executionArn"].as_str().filter(|_| status == 200) {
            return Ok(arn.to_owned());
        }
        // A new stage is not there yet, or its role cannot be assumed yet. Should a 500 have started an execution all the
        // same, the next writes the same result over.
        if !matches!(status, 403 | 500) || Instant::now() > patience {
            let message = answer["message"].as_str().unwrap_or("no reason given");
            return Err(failed(format!("HTTP {status}: {message}")).hint(format!(
                "`resizer status{}` shows whether the API and its role are right",
                session.flags
            )));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The status and the body of the answer.
async fn post(url: &str, body: String) -> Result<(u16, Vec<u8>), String> {
    let connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_uri(url).map_err(|error| error.to_string())?;
    request.set_method("POST").map_err(|error| error.to_string())?;
    request.headers_mut().insert("content-type", "application/json");
    let response = connector.call(request).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let mut body = ByteStream::new(response.into_body());
    let mut answer = Vec::new();
    while let Some(chunk) = body.try_next().await.map_err(|error| error.to_string())? {
        answer.extend_from_slice(&chunk);
        if answer.len() > ANSWER_MAX {
            return Err("the answer is far longer than such an answer is".to_owned());
        }
    }
    Ok((status, answer))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_known_when_a_function_was_changed() {
        let changed = Timestamp::strptime(CHANGED, "2026-11-26T15:40:21.123+0000");
        assert_eq!(changed.unwrap().to_string(), "2026-11-26T15:40:21.123Z");
    }

    #[test]
    fn an_execution_s_name_is_taken_by_step_functions_whatever_the_key() {
        let object = Object {
            bucket: "o".to_owned(),
            key: "a b/<\"日本\">.jpg".repeat(50),
            size: 1,
            etag: None,
        };
        let name = new_name(&object);
        assert!(name.len() <= 80);
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        assert_ne!(name, new_name(&object));
    }
}
