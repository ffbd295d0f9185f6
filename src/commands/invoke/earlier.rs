//! Executions that ran before and are an answer: what is there now is what they made of the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus;
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::json;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use super::Object;
use super::pictures::Picture;
use super::sought::is_for;
use crate::aws::{CallFailure, During, UnlessGone, is_same_etag};
use crate::error::CommandError;
use crate::execution::{
    self, Answer, CLOCK_DIFFERENCE_MILLIS, DELIVERY_MAX_MILLIS, Timeline, describe, describe_all, each_start,
    timestamp,
};
use crate::session::Session;

/// How many of the newest executions are looked at, and how many for many pictures: DescribeExecution takes 15 calls a second
/// for long, and so many more for a moment.
pub const NEWEST: usize = 10;
const NEWEST_MAX: usize = 200;
/// Of so many pictures the log is asked, five times a second: more are sooner done again.
const ASKED_MAX: usize = 50;
/// The most starts that are read of the minutes after an upload.
const STARTS_MAX: usize = 20_000;
/// What the function writes to a result's metadata: the ETag of what it was made of, without quotes.
const SOURCE_ETAG: &str = "source-etag";
/// How Lambda writes when a function was changed.
const CHANGED: &str = "%Y-%m-%dT%H:%M:%S%.f%z";

/// Finds, for pictures that are to be uploaded, what would only be done again.
#[derive(Debug)]
pub struct Earlier {
    most: usize,
    /// Looked at when the first picture is there already, once for all.
    known: OnceCell<Known>,
    /// Of how many pictures the log was asked.
    asked: AtomicUsize,
}

#[derive(Debug)]
struct Known {
    newest: Vec<DescribeExecutionOutput>,
    /// Since when the function is what it is.
    function_since: Timestamp,
}

impl Earlier {
    /// For so many pictures.
    pub fn of(pictures: usize) -> Self {
        Self {
            most: pictures.clamp(NEWEST, NEWEST_MAX),
            known: OnceCell::new(),
            asked: AtomicUsize::new(0),
        }
    }

    /// The object that the upload of `picture` would make, where it is there already, and the execution that made of it what
    /// is there.
    ///
    /// # Errors
    /// It is not to be known; where that may pass, the picture is better uploaded.
    pub async fn find(
        &self,
        session: &Session,
        picture: &Picture,
    ) -> Result<Option<(Object, DescribeExecutionOutput)>, CommandError> {
        match self.look(session, picture).await {
            Err(failure) if failure.is_passing() => Ok(None),
            found => found.map_err(|failure| super::absent(session, failure)),
        }
    }

    async fn look(
        &self,
        session: &Session,
        picture: &Picture,
    ) -> Result<Option<(Object, DescribeExecutionOutput)>, CallFailure> {
        let Some(Uploaded { object, etag, at }) = uploaded(session, picture).await? else {
            return Ok(None);
        };
        let known = || async {
            let function = Function::read(session).await?;
            Ok::<_, CallFailure>(Known {
                newest: newest(session, function.as_it_is_since, self.most).await?,
                function_since: function.as_it_is_since,
            })
        };
        let known = self.known.get_or_try_init(known).await?;
        if let Some(execution) = made(session, &object, &etag, &known.newest).await? {
            return Ok(Some((object, execution.clone())));
        }
        if self.asked.fetch_add(1, Ordering::Relaxed) >= ASKED_MAX {
            return Ok(None);
        }
        let caused = caused(session, &object, at, known.function_since).await?;
        let made = made(session, &object, &etag, &caused).await?;
        Ok(made.map(|execution| (object, execution.clone())))
    }
}

/// What began for `object` when it was put there, `at`, and succeeded, with the function as it is since then: of any age, where
/// the log of the executions' events tells. What cannot be read from there is better done again.
async fn caused(
    session: &Session,
    object: &Object,
    at: Timestamp,
    function_since: Timestamp,
) -> Result<Vec<DescribeExecutionOutput>, CallFailure> {
    let at = at.as_millisecond();
    let span = (at - CLOCK_DIFFERENCE_MILLIS, at + DELIVERY_MAX_MILLIS);
    if span.1 < function_since.as_millisecond() {
        return Ok(Vec::new());
    }
    let log_group = session.names.state_machine_log_group();
    let mut arns = Vec::new();
    let read = each_start(&session.clients, &log_group, span, STARTS_MAX, |start| {
        if start.key().as_ref() == Some(&object.key) {
            arns.push(start.execution_arn);
        }
    });
    if read.await.is_err() {
        return Ok(Vec::new());
    }
    let mut caused = describe_all(&session.clients, arns.into_iter().rev().take(NEWEST)).await?;
    caused.retain(|execution| {
        execution.status == ExecutionStatus::Succeeded && timestamp(&execution.start_date) > function_since
    });
    Ok(caused)
}

/// An object that has the bytes of a picture.
struct Uploaded {
    object: Object,
    etag: String,
    /// When it was put there.
    at: Timestamp,
}

/// The object that the upload of `picture` would make, where it is there already. One that was uploaded in parts, or is
/// encrypted with a key, has an ETag of another kind: it counts as different.
async fn uploaded(session: &Session, picture: &Picture) -> Result<Option<Uploaded>, CallFailure> {
    let Picture { file, key } = picture;
    // What cannot be read is told by the upload.
    let Some(size) = fs::metadata(file)
        .ok()
        .filter(fs::Metadata::is_file)
        .map(|it| it.len())
    else {
        return Ok(None);
    };
    let bucket = session.names.original_bucket();
    let Some(head) = super::head(session, &bucket, key).await.unless_gone()? else {
        return Ok(None);
    };
    let at = head.last_modified().map_or(Timestamp::UNIX_EPOCH, timestamp);
    let object = Object::of(bucket, key, head);
    if object.size != size {
        return Ok(None);
    }
    let file = file.clone();
    let own = spawn_blocking(move || md5_of(&file))
        .await
        .ok()
        .and_then(Result::ok);
    let etag = object.etag.clone();
    Ok(etag
        .filter(|etag| own.is_some_and(|own| is_same_etag(&own, etag)))
        .map(|etag| Uploaded { object, etag, at }))
}

fn md5_of(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut hash = Md5::new();
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match io::Read::read(&mut file, &mut chunk)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&chunk[..read]),
        }
    }
}

/// The newest executions that succeeded, at most `most`, and none that began before `since`, when the function became what it
/// is.
pub async fn newest(
    session: &Session,
    since: Timestamp,
    most: usize,
) -> Result<Vec<DescribeExecutionOutput>, CallFailure> {
    let machine = session.names.state_machine_arn();
    let succeeded = Some(ExecutionStatus::Succeeded);
    let (newest, _) = execution::list(&session.clients, &machine, succeeded, most, None).await?;
    let newest = newest
        .into_iter()
        .filter(|item| item.start_date.as_secs_f64() > since.as_duration().as_secs_f64());
    describe_all(&session.clients, newest.map(|item| item.execution_arn)).await
}

/// Which of `newest` made, of these bytes, the result that is there: that of an upload, say.
pub async fn made<'a>(
    session: &Session,
    object: &Object,
    etag: &str,
    newest: &'a [DescribeExecutionOutput],
) -> Result<Option<&'a DescribeExecutionOutput>, CallFailure> {
    for execution in newest.iter().filter(|execution| is_for(execution, object)) {
        let made = result(session, execution).await?;
        let source = made.as_ref().and_then(|head| head.metadata()?.get(SOURCE_ETAG));
        if source.is_some_and(|source| is_same_etag(source, etag)) {
            return Ok(Some(execution));
        }
    }
    Ok(None)
}

/// Whether the execution is an answer: it runs, or it succeeded and what is there is still what it wrote.
pub async fn stands(session: &Session, arn: &str) -> Result<bool, CallFailure> {
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

/// What a run depends on beside the object.
pub struct Function {
    pub code: String,
    pub settings: String,
    pub as_it_is_since: Timestamp,
}

impl Function {
    pub async fn read(session: &Session) -> Result<Self, CallFailure> {
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
}
