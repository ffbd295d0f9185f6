//! Starting an execution for an object that is there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::Object;
use super::earlier::{Function, NEWEST, made, newest, stands};
use crate::aws::{CallFailure, During};
use crate::commands::standing;
use crate::config::Settings;
use crate::error::CommandError;
use crate::execution::STARTED_BY_INVOKE;
use crate::session::Session;

/// API Gateway itself gives up after 29 seconds.
const API_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a stage and a role that were just made may take until they work.
const SETTLING: Duration = Duration::from_secs(20);
/// The most of an answer that is read.
const ANSWER_MAX: usize = 64 * 1024;
/// How often the same is run under a name that tells so: an earlier one may have failed, or its result be gone.
const RUNS_MAX: usize = 10;

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
        let run = name_of_run(&function, object, etag);
        let newest = newest(session, function.as_it_is_since, NEWEST);
        let newest = newest.await.map_err(failed)?;
        if let Some(execution) = made(session, object, etag, &newest).await.map_err(failed)? {
            return Ok(Started::earlier(execution.execution_arn.clone()));
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

/// The name of the execution for these bytes with this code and these settings: always the same.
fn name_of_run(function: &Function, object: &Object, etag: &str) -> String {
    let parts = [
        &object.bucket,
        &object.key,
        etag,
        &function.code,
        &function.settings,
    ];
    execution_name(parts.map(str::as_bytes))
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
    format!("{STARTED_BY_INVOKE}{}", &hex::encode(hash.finalize())[..32])
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
