//! Carries executions on until they end: invokes, waits, stores where they stand.
//!
//! An execution's row is written when it starts, before it waits or begins a second task, and when it ends. In between,
//! its events are in memory; after a restart it goes on from the row, so a task that was on its way is invoked again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};
use tokio::sync::watch;

use super::asl::{Answer, ExecutionIdentity, Fault, Next, Outcome, Run, Signal, TaskCall};
use super::executions::{self, Execution};
use super::history;
use super::invocation;
use super::revisions::{self, Revision};
use super::running::Live;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::lambda;

/// How long to wait before a write that failed is tried again.
const RETRY_WRITE: Duration = Duration::from_secs(1);

/// Begins an execution that was just inserted.
pub fn begin(cloud: &Arc<Cloud>, execution: Execution) {
    executions::count(cloud, &execution.machine, "ExecutionsStarted", 1.0, "Count");
    carry_on(cloud, execution);
}

/// Begins or goes on with an execution that is in the store.
pub fn carry_on(cloud: &Arc<Cloud>, execution: Execution) {
    let live = Arc::new(Live::default());
    let aborted = live.abort.subscribe();
    if !cloud.states.running.begin(execution.id, &live) {
        return;
    }
    let runner = Runner {
        cloud: Arc::clone(cloud),
        live: Arc::clone(&live),
        aborted,
    };
    let task = tokio::spawn(runner.run(execution)).abort_handle();
    live.runs_in(task);
}

struct Runner {
    cloud: Arc<Cloud>,
    live: Arc<Live>,
    aborted: watch::Receiver<Option<Fault>>,
}

/// Forgets an execution with its task, however that ends: what does not run any more can be stopped by its row.
struct Forget {
    cloud: Arc<Cloud>,
    id: i64,
}

impl Drop for Forget {
    fn drop(&mut self) {
        self.cloud.states.running.end(self.id);
    }
}

/// Why an execution ends without having come to its end.
enum Cut {
    Aborted(Fault),
    TimedOut,
    /// The local cloud stops: the execution goes on from its row at the next start.
    Halted,
}

/// How an execution ended, as its row tells it.
#[derive(Debug, Clone)]
pub struct End {
    status: &'static str,
    metric: &'static str,
    output: Option<String>,
    fault: Option<Fault>,
}

impl End {
    pub fn aborted(fault: Fault) -> Self {
        Self {
            status: "ABORTED",
            metric: "ExecutionsAborted",
            output: None,
            fault: Some(fault),
        }
    }

    fn failed(fault: Fault) -> Self {
        Self {
            status: "FAILED",
            metric: "ExecutionsFailed",
            output: None,
            fault: Some(fault),
        }
    }
}

/// Ends the row of an execution that does not run and would stay `RUNNING` for ever.
pub async fn close(cloud: &Cloud, execution: &Execution, end: End) -> Result<(), AwsError> {
    let (metric, closed) = (end.metric, execution.clone());
    let stopped = Timestamp::now().as_millisecond();
    cloud
        .store
        .write(move |tx| store_end(tx, &closed, stopped, &end))
        .await?;
    executions::count(cloud, &execution.machine, metric, 1.0, "Count");
    Ok(())
}

/// An execution ends once: the first end stays.
fn store_end(tx: &Transaction<'_>, execution: &Execution, stopped: i64, end: &End) -> Result<(), AwsError> {
    let fault = end.fault.as_ref();
    tx.prepare_cached(
        "UPDATE executions SET status = ?1, stopped = ?2, output = ?3, error = ?4, cause = ?5, run = NULL
         WHERE id = ?6 AND status = 'RUNNING'",
    )?
    .execute(params![
        end.status,
        stopped,
        end.output,
        fault.and_then(|fault| fault.error.as_deref()),
        fault.and_then(|fault| fault.cause.as_deref()),
        execution.id
    ])?;
    revisions::remove_if_done(tx, &execution.machine)
}

impl Runner {
    async fn run(mut self, execution: Execution) {
        let _forget = Forget {
            cloud: Arc::clone(&self.cloud),
            id: execution.id,
        };
        let interpreted = AssertUnwindSafe(self.interpret(&execution)).catch_unwind().await;
        let broken = match interpreted {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.message),
            Err(_) => Some("the local cloud's interpreter panicked".to_owned()),
        };
        if let Some(cause) = broken {
            tracing::error!(
                cause,
                execution = execution.name,
                "an execution cannot go on and fails"
            );
            self.fail(&execution, cause).await;
        }
        // After that the receiver of `self` goes, which tells who waits for the end.
    }

    /// Ends an execution that cannot be interpreted. A write that fails is tried until it succeeds.
    async fn fail(&self, execution: &Execution, cause: String) {
        let end = End::failed(Fault::runtime(cause));
        while let Err(error) = close(&self.cloud, execution, end.clone()).await {
            tracing::warn!(%error, "failed to store an execution, trying again");
            tokio::time::sleep(RETRY_WRITE).await;
        }
    }

    async fn interpret(&mut self, execution: &Execution) -> Result<(), AwsError> {
        let revision = revisions::revision(&self.cloud, execution.revision)?;
        let identity = self.identity(execution, &revision);
        let mut run = stored_run(execution, &revision)?;
        let limit = revision
            .parsed
            .timeout_seconds()
            .and_then(|seconds| i64::try_from(seconds).ok());
        // What has no stored run begins, or begins again after a restart: it may have waited for room until then.
        let since = match execution.run {
            Some(_) => identity.started,
            None => Timestamp::now(),
        };
        let mut deadline = limit.map(|seconds| since + SignedDuration::from_secs(seconds));
        let mut signal = Signal::Continue;
        let mut is_stored = true;
        loop {
            let next = {
                let mut events = self.live.events();
                run.advance(&revision.parsed, &identity, signal, Timestamp::now(), &mut events)
            };
            let happened = match next {
                Next::End(outcome) => return self.finish(execution, &revision, ended(outcome)).await,
                Next::Invoke(call) => {
                    // What stands in the row leads to this very call.
                    if !is_stored {
                        self.checkpoint(execution, &revision, &run).await?;
                    }
                    let invoked = self.invoke(&revision, &execution.name, call, &mut deadline);
                    invoked.await.map(Signal::TaskEnded)
                }
                Next::Sleep { until } => {
                    self.checkpoint(execution, &revision, &run).await?;
                    cut_short(&mut self.aborted, deadline, sleep_until(until))
                        .await
                        .map(|()| Signal::Woken)
                }
            };
            is_stored = false;
            signal = match happened {
                Ok(signal) => signal,
                Err(cut) => return self.cut(execution, &revision, &mut run, cut).await,
            };
        }
    }

    /// Waits for room, then invokes. While it waits no clock runs, neither the task's nor the execution's: a burst of uploads
    /// is worked off, however long that takes.
    async fn invoke(
        &mut self,
        revision: &Revision,
        execution: &str,
        call: TaskCall,
        deadline: &mut Option<Timestamp>,
    ) -> Result<Result<Answer, Fault>, Cut> {
        let asked = Timestamp::now();
        let room = cut_short(&mut self.aborted, None, lambda::room(&self.cloud)).await?;
        // There is always room some time, but when the local cloud stops.
        let room = room.map_err(|_| Cut::Halted)?;
        *deadline = deadline.map(|deadline| deadline + Timestamp::now().duration_since(asked));
        let invoked = invocation::invoke(&self.cloud, revision, execution, call, room);
        cut_short(&mut self.aborted, *deadline, invoked).await
    }

    fn identity(&self, execution: &Execution, revision: &Revision) -> ExecutionIdentity {
        ExecutionIdentity {
            execution_arn: execution.arn(&self.cloud),
            name: execution.name.clone(),
            state_machine_arn: revision.arn(&self.cloud),
            state_machine_name: revision.name.clone(),
            role_arn: revision.role_arn.clone(),
            region: self.cloud.region.clone(),
            started: Timestamp::from_millisecond(execution.started).unwrap_or_default(),
        }
    }

    async fn cut(
        &self,
        execution: &Execution,
        revision: &Revision,
        run: &mut Run,
        cut: Cut,
    ) -> Result<(), AwsError> {
        let (event_type, details, end) = match cut {
            Cut::Aborted(fault) => {
                let details = fault.details();
                ("ExecutionAborted", details, End::aborted(fault))
            }
            Cut::Halted => return Ok(()),
            // DescribeExecution gives no error of it; the history alone does.
            Cut::TimedOut => {
                let end = End {
                    status: "TIMED_OUT",
                    metric: "ExecutionsTimedOut",
                    output: None,
                    fault: None,
                };
                ("ExecutionTimedOut", Fault::timeout().details(), end)
            }
        };
        let event = run.close(event_type, details, Timestamp::now());
        self.live.events().push(event);
        self.finish(execution, revision, end).await
    }

    /// Stores where the execution stands.
    async fn checkpoint(
        &self,
        execution: &Execution,
        revision: &Revision,
        run: &Run,
    ) -> Result<(), AwsError> {
        let run = serde_json::to_string(run).map_err(|error| AwsError::internal(error.to_string()))?;
        self.save(execution, revision, move |tx, execution| {
            tx.prepare_cached("UPDATE executions SET run = ?1 WHERE id = ?2")?
                .execute(params![run, execution.id])?;
            Ok(())
        })
        .await
    }

    async fn finish(&self, execution: &Execution, revision: &Revision, end: End) -> Result<(), AwsError> {
        // Its last event is its end.
        let last = self.live.events().last().map(|event| event.timestamp);
        let stopped = last.unwrap_or_else(|| Timestamp::now().as_millisecond());
        let metric = end.metric;
        self.save(execution, revision, move |tx, execution| {
            store_end(tx, execution, stopped, &end)
        })
        .await?;
        executions::count(&self.cloud, &execution.machine, metric, 1.0, "Count");
        // Milliseconds of an execution stay far below 2^52.
        #[allow(clippy::cast_precision_loss)]
        let took = (stopped - execution.started) as f64;
        executions::count(
            &self.cloud,
            &execution.machine,
            "ExecutionTime",
            took,
            "Milliseconds",
        );
        Ok(())
    }

    /// Writes the new events together with `change`. A write that fails is tried until it succeeds.
    async fn save<F>(&self, execution: &Execution, revision: &Revision, change: F) -> Result<(), AwsError>
    where
        F: Fn(&Transaction<'_>, &Execution) -> Result<(), AwsError> + Clone + Send + 'static,
    {
        let events = self.live.events().clone();
        let saved = events.len();
        let log = Arc::new(history::log_lines(&self.cloud, execution, revision, &events));
        let events = Arc::new(events);
        loop {
            let (execution, change) = (execution.clone(), change.clone());
            let (events, log) = (Arc::clone(&events), Arc::clone(&log));
            let written = self.cloud.store.write(move |tx| {
                history::save(tx, &execution, &events, log.as_ref().as_ref())?;
                change(tx, &execution)
            });
            match written.await {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, "failed to store an execution, trying again"),
            }
            tokio::time::sleep(RETRY_WRITE).await;
        }
        self.live.events().drain(..saved);
        Ok(())
    }
}

fn stored_run(execution: &Execution, revision: &Revision) -> Result<Run, AwsError> {
    let unreadable =
        |error: serde_json::Error| AwsError::internal(format!("execution {}: {error}", execution.name));
    if let Some(run) = &execution.run {
        return serde_json::from_str(run).map_err(unreadable);
    }
    let input = serde_json::from_str(&execution.input).map_err(unreadable)?;
    Ok(Run::new(&revision.parsed, input, Timestamp::now()))
}

fn ended(outcome: Outcome) -> End {
    match outcome {
        Outcome::Succeeded { output } => End {
            status: "SUCCEEDED",
            metric: "ExecutionsSucceeded",
            output: Some(output.to_string()),
            fault: None,
        },
        Outcome::Failed(fault) => End::failed(fault),
    }
}

/// Runs `work` unless the execution is stopped or out of time before.
async fn cut_short<T>(
    aborted: &mut watch::Receiver<Option<Fault>>,
    deadline: Option<Timestamp>,
    work: impl Future<Output = T>,
) -> Result<T, Cut> {
    let out_of_time = async {
        match deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = work => Ok(done),
        fault = aborted.wait_for(Option::is_some) => {
            let fault = fault.ok().and_then(|fault| fault.clone());
            Err(Cut::Aborted(fault.unwrap_or(Fault { error: None, cause: None })))
        }
        () = out_of_time => Err(Cut::TimedOut),
    }
}

async fn sleep_until(time: Timestamp) {
    let left = time.duration_since(Timestamp::now());
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
}
