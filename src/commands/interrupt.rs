//! Ctrl-C, or SIGTERM from a CI runner or a container: once, and the run ends in good order; twice, and it ends.

use std::future::{Future, pending};
use std::sync::OnceLock;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::engine::{Stop, StopSwitch};
use crate::error::CommandError;

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// What is to be said of a run that had only looked so far.
pub fn nothing_changed() -> CommandError {
    CommandError::interrupted("interrupted before anything was changed")
}

/// What `work` comes to, unless Ctrl-C comes first or came before: `interrupted` says what that means.
pub async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, CommandError>>,
    interrupted: impl FnOnce() -> CommandError,
) -> Result<T, CommandError> {
    let asked = asked();
    let outcome = tokio::select! {
        biased;
        () = times(asked.clone(), 1) => None,
        outcome = work => Some(outcome),
    };
    match outcome {
        // It may have come while the work left no time to hear it.
        Some(outcome) if *asked.borrow() == 0 => outcome,
        _ => Err(interrupted()),
    }
}

/// Hears from now on, and returns when the run is to end, at once if it was asked to before.
pub fn ctrl_c() -> impl Future<Output = ()> + Send {
    times(asked(), 1)
}

/// How often the run was asked to end. From the first call on none is forgotten, whoever listens at the time.
fn asked() -> watch::Receiver<u32> {
    static ASKED: OnceLock<watch::Receiver<u32>> = OnceLock::new();
    let listen = || {
        let (count, asked) = watch::channel(0);
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            // One that cannot be heard ends the process, as ever.
            let Ok(mut signal) = signal(kind) else { continue };
            let count = count.clone();
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        asked
    };
    ASKED.get_or_init(listen).clone()
}

/// Returns when the run was asked to end so many times; never, where signals cannot be heard.
async fn times(mut asked: watch::Receiver<u32>, times: u32) {
    if asked.wait_for(|count| *count >= times).await.is_err() {
        pending().await
    }
}

/// Ctrl-C asks the run to stop, also one that came before, and says so with `announce`; a second one ends the process at
/// once.
pub fn stop_on_ctrl_c(announce: impl Fn(&str) + Send + 'static) -> Stop {
    let (switch, stop) = StopSwitch::new();
    let asked = asked();
    if *asked.borrow() > 0 {
        // Before the first step is looked at, not beside it.
        switch.stop();
    }
    tokio::spawn(async move {
        times(asked.clone(), 1).await;
        switch.stop();
        announce("stopping: what is under way ends, nothing new begins (Ctrl-C again ends at once)");
        times(asked, 2).await;
        std::process::exit(INTERRUPTED);
    });
    stop
}
