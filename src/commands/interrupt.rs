//! Ctrl-C: once, and the run ends in good order; twice, and it ends.

use crate::engine::{Stop, StopSwitch};

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// From now on Ctrl-C asks the run to stop, and says so with `announce`; a second one ends the process at once.
pub fn stop_on_ctrl_c(announce: impl Fn(&str) + Send + 'static) -> Stop {
    let (switch, stop) = StopSwitch::new();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        switch.stop();
        announce("stopping: what is under way ends, nothing new begins (Ctrl-C again ends at once)");
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(INTERRUPTED);
        }
    });
    stop
}
