//! Warm environments, and how many may run at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::environment::Environment;
use super::function::Function;
use crate::error::AwsError;

/// Invocations at once for each core; more wait.
///
/// A difference: where an account's concurrency is exhausted AWS refuses (`TooManyRequestsException`, status 429), which the
/// state machine's retrier meets with six tries; here an invocation waits for its turn, and none fails because the machine is
/// small. No clock runs meanwhile: neither the function's timeout nor the task's or the execution's.
const ENVIRONMENTS_A_CORE: usize = 4;
/// An environment not used for so long is ended.
const MOST_IDLE: Duration = Duration::from_secs(300);
/// How often to look for such.
const SWEEP: Duration = Duration::from_secs(15);

/// Room for one invocation, for as long as this lives.
pub type Room = OwnedSemaphorePermit;

pub struct Pool {
    /// The one used last is used next, so that the others can grow old.
    idle: Arc<Mutex<Vec<Environment>>>,
    /// Whether somebody ends old ones; changed under the lock of `idle`.
    sweeping: Arc<AtomicBool>,
    running: Arc<Semaphore>,
}

impl Default for Pool {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            idle: Arc::default(),
            sweeping: Arc::default(),
            running: Arc::new(Semaphore::new(cores * ENVIRONMENTS_A_CORE)),
        }
    }
}

impl Pool {
    /// Waits for room to run one more invocation.
    pub async fn room(&self) -> Result<Room, AwsError> {
        let room = Arc::clone(&self.running).acquire_owned().await;
        room.map_err(|_| AwsError::new(503, "ServiceException", "The local cloud is stopping"))
    }

    /// A warm environment of this very state of the function.
    pub fn take(&self, function: &Function) -> Option<Environment> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let revision = function.text("RevisionId");
            let at = idle
                .iter()
                .rposition(|environment| environment.function.text("RevisionId") == revision)?;
            let mut environment = idle.remove(at);
            if environment.is_good() {
                return Some(environment);
            }
        }
    }

    /// Keeps an environment for the next invocation, unless it grows too old until then.
    pub fn keep(&self, mut environment: Environment) {
        environment.idle_since = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_closed() {
            return;
        }
        idle.push(environment);
        if !self.sweeping.swap(true, Ordering::Relaxed) {
            tokio::spawn(sweep_until_empty(
                Arc::downgrade(&self.idle),
                Arc::clone(&self.sweeping),
            ));
        }
    }

    /// Ends the warm environments of a function.
    pub fn retire(&self, name: &str) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|environment| environment.function.name != name);
    }

    /// Whether no invocation gets room any more.
    pub fn is_closed(&self) -> bool {
        self.running.is_closed()
    }

    /// Ends all of them and starts no more.
    pub fn close(&self) {
        self.running.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Ends what has not been used for long, until nothing is left; the next one kept begins this again.
async fn sweep_until_empty(idle: Weak<Mutex<Vec<Environment>>>, sweeping: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(idle) = idle.upgrade() else {
            return;
        };
        let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|environment| environment.idle_since.elapsed() < MOST_IDLE);
        if idle.is_empty() {
            sweeping.store(false, Ordering::Relaxed);
            return;
        }
    }
}
