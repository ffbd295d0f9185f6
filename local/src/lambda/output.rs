//! What functions print, on its way to their log groups: buffered, written together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::environment::Tail;
use super::function::Function;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::principal::Principal;
use crate::{iam, logs, random};

/// How long lines wait to be written together.
const FLUSH_AFTER: Duration = Duration::from_millis(250);
/// The most lines that wait; more are dropped, as a flood would take the memory.
const MOST_LINES: usize = 100_000;

/// Milliseconds since 1970, and the text.
type Line = (i64, String);

/// The lines that are not in the store yet.
#[derive(Default)]
pub struct Output {
    lines: Mutex<Vec<(Arc<Stream>, i64, String)>>,
    flushing: AtomicBool,
}

/// The log stream of one environment.
pub struct Stream {
    pub name: String,
    pub tail: Tail,
    group: String,
    /// As whom the lines are written.
    principal: Principal,
}

impl Stream {
    pub fn new(function: &Function, principal: Principal) -> Result<Self, AwsError> {
        let id = random::uuid()?.replace('-', "");
        Ok(Self {
            name: format!("{}/[$LATEST]{id}", Timestamp::now().strftime("%Y/%m/%d")),
            tail: Tail::default(),
            group: function.log_group().to_owned(),
            principal,
        })
    }

    /// Keeps a line for the log.
    pub fn print(self: &Arc<Self>, cloud: &Arc<Cloud>, line: String) {
        self.tail.push(&line);
        let output = &cloud.lambda.output;
        let mut lines = output.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < MOST_LINES {
            lines.push((Arc::clone(self), Timestamp::now().as_millisecond(), line));
        }
        drop(lines);
        if !output.flushing.swap(true, Ordering::AcqRel) {
            let cloud = Arc::clone(cloud);
            tokio::spawn(async move {
                tokio::time::sleep(FLUSH_AFTER).await;
                cloud.lambda.output.flushing.store(false, Ordering::Release);
                flush(&cloud).await;
            });
        }
    }
}

/// Writes what waits, to a group that is made if it is not there and the role may make it. What the role may not write is
/// dropped, as on AWS.
pub async fn flush(cloud: &Arc<Cloud>) {
    let lines = std::mem::take(
        &mut *cloud
            .lambda
            .output
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner),
    );
    let mut streams: Vec<(Arc<Stream>, Vec<Line>)> = Vec::new();
    for (stream, time, line) in lines {
        match streams.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &stream)) {
            Some((_, lines)) => lines.push((time, line)),
            None => streams.push((stream, vec![(time, line)])),
        }
    }
    streams.retain(|(stream, _)| {
        let arn = cloud.arn(
            "logs",
            &format!("log-group:{}:log-stream:{}", stream.group, stream.name),
        );
        iam::authorize(cloud, &stream.principal, "logs:PutLogEvents", &arn, &[]).is_ok()
    });
    if streams.is_empty() {
        return;
    }
    let makes_group = |stream: &Stream| {
        let arn = cloud.arn("logs", &format!("log-group:{}", stream.group));
        iam::authorize(cloud, &stream.principal, "logs:CreateLogGroup", &arn, &[]).is_ok()
    };
    let makers: Vec<bool> = streams.iter().map(|(stream, _)| makes_group(stream)).collect();
    let written = cloud.store.write(move |tx| {
        for ((stream, lines), makes_group) in streams.iter().zip(makers) {
            if makes_group {
                logs::make_missing(tx, &stream.group)?;
            }
            if let Err(error) = logs::append(tx, &stream.group, &stream.name, lines) {
                tracing::debug!(%error, group = stream.group, "a function's lines are dropped");
            }
        }
        Ok(())
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, "failed to write functions' log lines");
    }
}
