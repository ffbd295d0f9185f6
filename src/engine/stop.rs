//! Asking a run to end early: no new step starts, those in flight end.

use tokio::sync::watch;

/// Asks the run to stop.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<bool>);

/// Tells a run whether it was asked to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl StopSwitch {
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// For a run that is not asked, but dropped.
    pub fn never() -> Self {
        StopSwitch::new().1
    }

    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the run is asked to stop; never, when no one can ask any more.
    pub async fn requested(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending().await
        }
    }
}
