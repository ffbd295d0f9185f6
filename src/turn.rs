//! One process at a time: whose turn it is stands in a locked file, which the system unlocks however a process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::ui::Ui;

/// How often to look whether the other process is done.
const POLL: Duration = Duration::from_millis(100);

/// This process's turn, as long as it lives.
#[derive(Debug)]
pub struct Turn {
    _locked: File,
}

impl Turn {
    /// Waits until no other process has its turn at `path`, and says `waits` if it has to.
    ///
    /// # Errors
    /// The file cannot be made or locked.
    pub async fn wait(path: &Path, waits: &str, ui: &Ui) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(path)?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _locked: file }),
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        ui.say(waits);
                        told = true;
                    }
                    tokio::time::sleep(POLL).await;
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[tokio::test]
    async fn a_second_process_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let ui = Ui::new(&Cli::try_parse_from(["resizer", "-q", "up"]).unwrap().global);
        let first = Turn::wait(&path, "waits", &ui).await.unwrap();

        let second = async { Turn::wait(&path, "waits", &ui).await.unwrap() };
        tokio::pin!(second);

        let waited = tokio::time::timeout(3 * POLL, &mut second).await;
        assert!(waited.is_err(), "the second went ahead");
        drop(first);
        second.await;
    }
}
