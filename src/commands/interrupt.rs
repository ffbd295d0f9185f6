//! Ctrl-C, or SIGTERM from a CI runner or a container: once, and the run ends in good order; twice, and it ends.

use std::future::{Future, pending};
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::engine::{Stop, StopSwitch};
use crate::error::CommandError;

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// What is to be said of a run that had only looked so far.
pub fn nothing_changed() -> CommandError {
    CommandError::interrupted("interrupted before anything was changed")
}

/// What `work` comes to, unless Ctrl-C comes first: `interrupted` says what that means.
pub async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, CommandError>>,
    interrupted: impl FnOnce() -> CommandError,
) -> Result<T, CommandError> {
    tokio::select! {
        outcome = work => outcome,
        () = ctrl_c() => Err(interrupted()),
    }
}

/// Hears from now on, and returns when the run is to end; never, where signals cannot be heard.
pub fn ctrl_c() -> impl Future<Output = ()> + Send {
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    async move {
        tokio::select! {
            () = heard(interrupt) => {}
            () = heard(terminate) => {}
        }
    }
}

async fn heard(signal: io::Result<Signal>) {
    match signal {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => pending().await,
    }
}

/// From now on Ctrl-C asks the run to stop, and says so with `announce`; a second one ends the process at once.
pub fn stop_on_ctrl_c(announce: impl Fn(&str) + Send + 'static) -> Stop {
    let (switch, stop) = StopSwitch::new();
    let asked = ctrl_c();
    tokio::spawn(async move {
        asked.await;
        switch.stop();
        announce("stopping: what is under way ends, nothing new begins (Ctrl-C again ends at once)");
        ctrl_c().await;
        std::process::exit(INTERRUPTED);
    });
    stop
}
