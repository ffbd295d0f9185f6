//! One execution environment: a `bootstrap` process behind its runtime API.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::code;
use super::function::Function;
use super::output::Stream;
use super::pipe::{Pipe, all_taken};
use super::runtime_api::{Answer, Invocation, RuntimeApi};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::iam;

/// How long a process may take until it asks for its first event.
const MOST_INIT: Duration = Duration::from_secs(10);
/// A process is used no more when its credentials have less than this to live: the longest invocation takes 15 minutes.
const CREDENTIALS_LEFT: SignedDuration = SignedDuration::from_mins(16);

/// How long the last lines of a process that has ended are waited for.
const LAST_LINES: Duration = Duration::from_millis(200);
/// How a process ended that the kernel has ended, as it does to what takes more memory than there is.
const KILLED: &str = "signal: killed";

/// A process that ended, or was given up, before it asked for an event.
pub struct FailedStart {
    pub failure: Bytes,
    pub stream: Arc<Stream>,
}

pub struct Environment {
    pub function: Arc<Function>,
    pub stream: Arc<Stream>,
    /// How long initialization took; taken by the first invocation's REPORT.
    pub init: Option<Duration>,
    pub idle_since: Instant,
    good_until: Timestamp,
    child: Child,
    /// What it prints to.
    pipes: Vec<Pipe>,
    api: RuntimeApi,
}

/// How one invocation went. A failure's bytes are the error document.
pub enum Ended {
    Response(Bytes),
    Error(Bytes),
    /// The process is gone or was killed; the environment is of no use any more.
    Crashed(Bytes),
    TimedOut(Bytes),
}

impl Environment {
    /// Starts a process and waits until it asks for an event. `Err` of the inner result is the function's own failure.
    pub async fn start(
        cloud: &Arc<Cloud>,
        function: &Arc<Function>,
    ) -> Result<Result<Self, FailedStart>, AwsError> {
        let began = Instant::now();
        let api = RuntimeApi::listen(function.arn().to_owned()).await?;
        let role = function.text("Role");
        let session = iam::assume_for_service(
            cloud,
            role,
            "lambda.amazonaws.com",
            function.arn(),
            &function.name,
        )
        .map_err(|_| {
            AwsError::new(
                403,
                "AccessDeniedException",
                "The role defined for the function cannot be assumed by Lambda.",
            )
        })?;
        let stream = Arc::new(Stream::new(function, session.principal)?);
        let folder = code::folder(&cloud.data_dir, function.text("CodeSha256"));
        let credentials = session.credentials;
        let mut command = Command::new(folder.join("bootstrap"));
        command
            .env_clear()
            .envs(
                function
                    .variables()
                    .into_iter()
                    .flatten()
                    .filter_map(|(name, value)| Some((name, value.as_str()?))),
            )
            .envs(fixed_variables(cloud, function))
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_LOG_STREAM_NAME", &stream.name)
            .env("AWS_ACCESS_KEY_ID", &credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key)
            .env("AWS_SESSION_TOKEN", &credentials.session_token)
            .env("LAMBDA_TASK_ROOT", &folder)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A terminal's Ctrl-C is for the local cloud, which lets invocations end.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let failure = failure(
                    "Runtime.InvalidEntrypoint",
                    &format!("Error: failed to start bootstrap: {error}"),
                );
                return Ok(Err(FailedStart { failure, stream }));
            }
        };
        let mut readers = JoinSet::new();
        let stdout = child
            .stdout
            .take()
            .map(|pipe| Pipe::read(pipe, cloud, &stream, &mut readers));
        let stderr = child
            .stderr
            .take()
            .map(|pipe| Pipe::read(pipe, cloud, &stream, &mut readers));
        let pipes = stdout.into_iter().chain(stderr).collect::<Result<_, _>>()?;
        let mut environment = Self {
            function: Arc::clone(function),
            stream,
            init: None,
            idle_since: Instant::now(),
            good_until: credentials.expiration - CREDENTIALS_LEFT,
            child,
            pipes,
            api,
        };
        if let Some(failure) = environment.initialize().await {
            let stream = Arc::clone(&environment.stream);
            drop(environment);
            // What it printed says why. A child of its own may hold the pipe open for longer.
            let _ = timeout(LAST_LINES, readers.join_all()).await;
            return Ok(Err(FailedStart { failure, stream }));
        }
        readers.detach_all();
        environment.init = Some(began.elapsed());
        Ok(Ok(environment))
    }

    async fn initialize(&mut self) -> Option<Bytes> {
        tokio::select! {
            () = self.api.shared.ready.notified() => {
                self.api.shared.init_error.lock().unwrap_or_else(PoisonError::into_inner).take()
            }
            exited = self.child.wait() => Some(exit_failure(exited)),
            () = tokio::time::sleep(MOST_INIT) => {
                Some(failure("Sandbox.Timedout", &format!("Error: Init timed out after {:.2} seconds", MOST_INIT.as_secs_f64())))
            }
        }
    }

    /// Whether another invocation may use it.
    pub fn is_good(&mut self) -> bool {
        Timestamp::now() < self.good_until && matches!(self.child.try_wait(), Ok(None))
    }

    /// Runs one invocation to its end, at the function's timeout at the latest; what the process has printed until then is in
    /// the log.
    pub async fn invoke(&mut self, request_id: &str, payload: Bytes) -> Ended {
        let ended = self.ended(request_id, payload).await;
        all_taken(&self.pipes).await;
        ended
    }

    async fn ended(&mut self, request_id: &str, payload: Bytes) -> Ended {
        let limit = self.function.timeout_seconds();
        let (answer, answered) = oneshot::channel();
        let deadline = Timestamp::now().as_millisecond() + i64::try_from(limit * 1000).unwrap_or(i64::MAX);
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            payload,
            deadline,
            answer,
        };
        if self.api.invocations.send(invocation).await.is_err() {
            return Ended::Crashed(failure("Runtime.ExitError", "Error: the runtime API is closed"));
        }
        tokio::select! {
            biased;
            answer = answered => match answer {
                Ok(Answer::Response(body)) => Ended::Response(body),
                Ok(Answer::Error(body)) => Ended::Error(body),
                Err(_) => Ended::Crashed(failure("Runtime.ExitError", "Error: the runtime API is closed")),
            },
            exited = self.child.wait() => Ended::Crashed(with_request_id(request_id, exit_failure(exited))),
            () = tokio::time::sleep(Duration::from_secs(limit)) => {
                let message = format!("RequestId: {request_id} Error: Task timed out after {limit}.00 seconds");
                Ended::TimedOut(failure("Sandbox.Timedout", &message))
            }
        }
    }

    /// The most memory the process has used, in MB. Of one that is gone the system tells no more: the kernel has killed it for
    /// all that it could have, or it has ended by itself with little.
    pub fn used_memory_mb(&mut self) -> u64 {
        self.peak_memory_mb().unwrap_or_else(|| {
            let ended = self.child.try_wait().ok().flatten();
            let was_killed = ended.is_some_and(|status| signal(status) == KILLED);
            if was_killed { self.function.memory_mb() } else { 1 }
        })
    }

    fn peak_memory_mb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kilobytes.div_ceil(1024))
    }
}

fn fixed_variables(cloud: &Cloud, function: &Function) -> [(&'static str, String); 13] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            function.memory_mb().to_string(),
        ),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group().to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        (
            "AWS_EXECUTION_ENV",
            format!("AWS_Lambda_{}", function.text("Runtime")),
        ),
        ("AWS_REGION", cloud.region.clone()),
        ("AWS_DEFAULT_REGION", cloud.region.clone()),
        ("AWS_ENDPOINT_URL", cloud.endpoint.url.clone()),
        ("_HANDLER", function.text("Handler").to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
    ]
}

/// An error document, as Lambda itself writes it.
pub fn failure(error_type: &str, message: &str) -> Bytes {
    json!({"errorType": error_type, "errorMessage": message})
        .to_string()
        .into()
}

pub fn with_request_id(request_id: &str, failure: Bytes) -> Bytes {
    let Ok(mut document) = serde_json::from_slice::<Value>(&failure) else {
        return failure;
    };
    let message = document["errorMessage"].as_str().unwrap_or_default();
    document["errorMessage"] = json!(format!("RequestId: {request_id} {message}"));
    document.to_string().into()
}

fn exit_failure(exited: std::io::Result<std::process::ExitStatus>) -> Bytes {
    let how = match exited {
        Ok(status) => match status.code() {
            Some(code) => format!("exit status {code}"),
            None => signal(status),
        },
        Err(error) => error.to_string(),
    };
    failure(
        "Runtime.ExitError",
        &format!("Error: Runtime exited with error: {how}"),
    )
}

#[cfg(unix)]
fn signal(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(9) => KILLED.to_owned(),
        Some(number) => format!("signal: {number}"),
        None => status.to_string(),
    }
}

#[cfg(not(unix))]
fn signal(status: std::process::ExitStatus) -> String {
    status.to_string()
}

/// Lines of one invocation, for `LogType: Tail`.
#[derive(Default)]
pub struct Tail(Mutex<Vec<String>>);

impl Tail {
    pub fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < 1000 {
            lines.push(line.to_owned());
        }
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
