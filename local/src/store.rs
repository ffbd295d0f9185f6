//! The store: SQLite in the data folder. What a committed write acknowledged survives `kill -9`.
//!
//! All writes go through one thread which commits whatever waits together (group commit): under load, one commit
//! serves many callers. Reads take a connection from a small pool and run inline, since they take microseconds.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use crate::error::{AwsError, StartError};

/// The format of the tables; a store with a higher number was written by a newer version.
const FORMAT: i64 = 1;

/// Every service's tables.
const SCHEMAS: &[&str] = &[
    include_str!("iam/schema.sql"),
    include_str!("s3/schema.sql"),
    include_str!("logs/schema.sql"),
    include_str!("monitoring/schema.sql"),
    include_str!("lambda/schema.sql"),
    include_str!("states/schema.sql"),
    include_str!("sns/schema.sql"),
    include_str!("events/schema.sql"),
    include_str!("apigateway/schema.sql"),
];

/// The most jobs one commit serves: bounds how long the first of them waits.
const MOST_JOBS_A_COMMIT: usize = 256;

/// Below this many free pages (of 4 KiB) the file is left as it is.
const LEAST_FREE_PAGES: i64 = 4096;

/// A write, run inside the writer's transaction; it returns how to tell its caller once the commit is decided.
type Job = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), AwsError>) + Send>;

pub struct Store {
    jobs: mpsc::Sender<Job>,
    readers: Mutex<Vec<Connection>>,
    path: Arc<Path>,
}

impl Store {
    /// Opens or creates the store at `path`, with every service's tables.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::Store {
            path: path.to_path_buf(),
            source,
        };
        let writer = connect(path).map_err(failed)?;
        let found: i64 = writer
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(failed)?;
        if found > FORMAT {
            return Err(StartError::NewerStore {
                path: path.to_path_buf(),
                found,
                known: FORMAT,
            });
        }
        for schema in SCHEMAS {
            writer.execute_batch(schema).map_err(failed)?;
        }
        writer
            .pragma_update(None, "user_version", FORMAT)
            .map_err(failed)?;

        give_back_room(&writer).map_err(failed)?;
        let (jobs, waiting) = mpsc::channel();
        thread::spawn(move || write_until_closed(writer, &waiting));
        Ok(Self {
            jobs,
            readers: Mutex::default(),
            path: path.into(),
        })
    }

    /// Runs `work` in a transaction and returns when it is committed. An error undoes this work alone.
    pub async fn write<T, F>(&self, work: F) -> Result<T, AwsError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, AwsError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let outcome = undo_if_failed(tx, work);
            Box::new(move |committed| {
                // A caller that has gone away (its connection closed) is not owed an answer.
                let _ = tell.send(committed.and(outcome));
            })
        });
        self.jobs
            .send(job)
            .map_err(|_| AwsError::internal("the local cloud's store is closed"))?;
        told.await
            .map_err(|_| AwsError::internal("the local cloud's store is closed"))?
    }

    /// Runs `work` on a connection that sees everything committed so far.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, AwsError>) -> Result<T, AwsError> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let outcome = work(&connection);
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        outcome
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // WAL with NORMAL loses nothing when the process is killed; only a crash of the whole machine may lose the last writes.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Else statements are compiled again whenever another value is bound to them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Makes the file smaller once most of it is room that deleted rows have left.
fn give_back_room(connection: &Connection) -> Result<(), rusqlite::Error> {
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let (pages, free) = (number("PRAGMA page_count")?, number("PRAGMA freelist_count")?);
    if free > LEAST_FREE_PAGES && free > pages / 2 {
        connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(())
}

fn write_until_closed(mut connection: Connection, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut answers = Vec::new();
        let committed = commit_together(&mut connection, first, waiting, &mut answers);
        for answer in answers {
            answer(committed.clone());
        }
    }
}

fn commit_together(
    connection: &mut Connection,
    first: Job,
    waiting: &mpsc::Receiver<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), AwsError> {
    let tx = connection.transaction()?;
    let mut next = Some(first);
    while let Some(job) = next {
        answers.push(job(&tx));
        // SQLite itself gives some transactions up (a full disk, say): none of the batch is written then, and what
        // followed would be written outside of any transaction.
        if tx.is_autocommit() {
            return Err(AwsError::internal(
                "the local cloud's store gave up a transaction: is the disk full?",
            ));
        }
        next = if answers.len() < MOST_JOBS_A_COMMIT {
            waiting.try_recv().ok()
        } else {
            None
        };
    }
    tx.commit()?;
    Ok(())
}

/// Runs `work` inside a savepoint, so that its failure leaves the other jobs of the transaction as they are.
fn undo_if_failed<T>(
    tx: &Transaction<'_>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    // A panic is this work's failure alone: the writer has to live for the others.
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| work(tx)))
        .unwrap_or_else(|_| Err(AwsError::internal("a write of the local cloud panicked")));
    if outcome.is_err() {
        tx.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    tx.prepare_cached("RELEASE job")?.execute([])?;
    outcome
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn insert(id: &'static str) -> impl FnOnce(&Transaction<'_>) -> Result<(), AwsError> {
        move |tx| {
            tx.execute("INSERT INTO pending_events (body, created) VALUES (?1, 0)", [id])?;
            Ok(())
        }
    }

    fn bodies(store: &Store) -> String {
        let query = "SELECT group_concat(body, ',') FROM pending_events";
        store
            .read(|db| Ok(db.query_row(query, [], |row| row.get(0))?))
            .unwrap()
    }

    #[tokio::test]
    async fn a_failing_write_undoes_itself_and_leaves_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("cloud.db")).unwrap();
        let fails = |tx: &Transaction<'_>| -> Result<(), AwsError> {
            insert("lost")(tx)?;
            Err(AwsError::internal("on purpose"))
        };

        let (kept, lost, kept_too) = tokio::join!(
            store.write(insert("a")),
            store.write(fails),
            store.write(insert("b"))
        );

        kept.unwrap();
        assert_eq!(lost.unwrap_err().message, "on purpose");
        kept_too.unwrap();
        assert_eq!(bodies(&store), "a,b");
    }

    #[tokio::test]
    #[allow(clippy::panic)]
    async fn a_panicking_write_undoes_itself_and_the_store_lives_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("cloud.db")).unwrap();
        let panics = |tx: &Transaction<'_>| -> Result<(), AwsError> {
            insert("lost")(tx)?;
            panic!("on purpose")
        };

        let (lost, kept) = tokio::join!(store.write(panics), store.write(insert("a")));

        assert_eq!(lost.unwrap_err().status, 500);
        kept.unwrap();
        assert_eq!(bodies(&store), "a");
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_gives_up_fails_all_its_writes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("cloud.db")).unwrap();
        let gives_up = |tx: &Transaction<'_>| -> Result<(), AwsError> {
            tx.execute_batch("ROLLBACK")?;
            Ok(())
        };

        store.write(gives_up).await.unwrap_err();

        store.write(insert("a")).await.unwrap();
        assert_eq!(bodies(&store), "a");
    }

    #[tokio::test]
    async fn a_store_that_was_emptied_is_small_again_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud.db");
        let store = Store::open(&path).unwrap();
        let change = |statement: &'static str| {
            store.write(move |tx| {
                tx.execute(statement, [])?;
                Ok(())
            })
        };
        change("INSERT INTO pending_events (body, created) VALUES (hex(zeroblob(10000000)), 0)")
            .await
            .unwrap();
        change("DELETE FROM pending_events").await.unwrap();
        change("INSERT INTO pending_events (body, created) VALUES ('kept', 0)")
            .await
            .unwrap();
        drop(store);

        let store = Store::open(&path).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 1_000_000);
        assert_eq!(bodies(&store), "kept");
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud.db");
        drop(Store::open(&path).unwrap());
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", FORMAT + 1)
            .unwrap();

        assert!(matches!(Store::open(&path), Err(StartError::NewerStore { .. })));
    }
}
