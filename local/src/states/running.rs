//! The executions that run now: what is not in the store of them, and how they are ended.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::asl::{Fault, HistoryEvent};

/// All of them.
#[derive(Default)]
pub struct Running {
    executions: Mutex<HashMap<i64, Arc<Live>>>,
    /// Set under the lock above: no execution begins after it.
    halted: AtomicBool,
}

/// One running execution.
#[derive(Default)]
pub struct Live {
    events: Mutex<Vec<HistoryEvent>>,
    /// Somebody asked for its end.
    pub abort: watch::Sender<Option<Fault>>,
    task: Mutex<Option<AbortHandle>>,
}

impl Live {
    /// The events that are not in the store yet.
    pub fn events(&self) -> MutexGuard<'_, Vec<HistoryEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its task: a halt ends it.
    pub fn runs_in(&self, task: AbortHandle) {
        *self.task() = Some(task);
    }

    fn task(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn executions(&self) -> MutexGuard<'_, HashMap<i64, Arc<Live>>> {
        self.executions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The events not in the store yet; `None` where the execution does not run.
    pub fn unsaved_events(&self, execution: i64) -> Option<Vec<HistoryEvent>> {
        let live = self.executions().get(&execution).cloned()?;
        let events = live.events().clone();
        Some(events)
    }

    /// Ends an execution and returns when it has ended; false where it does not run.
    pub async fn abort(&self, execution: i64, fault: Fault) -> bool {
        let live = self.executions().get(&execution).cloned();
        let Some(live) = live else {
            return false;
        };
        live.abort.send_replace(Some(fault));
        live.abort.closed().await;
        true
    }

    /// Says whether the execution may run: not after the halt, when it is left for the next start.
    pub fn begin(&self, execution: i64, live: &Arc<Live>) -> bool {
        let mut executions = self.executions();
        if self.halted.load(Ordering::Relaxed) {
            return false;
        }
        executions.insert(execution, Arc::clone(live));
        true
    }

    /// Forgets an execution that has ended.
    pub fn end(&self, execution: i64) {
        self.executions().remove(&execution);
    }

    /// Halts all executions where they are, and begins no more.
    pub fn halt(&self) {
        let halted: Vec<_> = {
            let mut executions = self.executions();
            self.halted.store(true, Ordering::Relaxed);
            executions.drain().collect()
        };
        for (_, live) in halted {
            if let Some(task) = live.task().take() {
                task.abort();
            }
        }
    }
}
