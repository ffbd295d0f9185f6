//! A small world of fake resources, for the engine's tests.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Barrier;

use super::*;

/// What the fakes were asked to do, in order: `create a`, `remove b`.
#[derive(Clone, Default)]
pub struct World {
    pub log: Arc<Mutex<Vec<String>>>,
    things: Arc<Mutex<BTreeMap<&'static str, Found>>>,
}

impl World {
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Puts a thing there, of `owner`, with its one field at `size`.
    pub fn put(&self, name: &'static str, size: u32, owner: Owner) {
        let found = Found {
            fields: Fields::default().with("size", size),
            owner,
            settling: None,
            others: Vec::new(),
        };
        self.things.lock().unwrap().insert(name, found);
    }

    /// Somebody else takes a thing away.
    pub fn take(&self, name: &str) {
        self.things.lock().unwrap().remove(name);
    }

    pub fn has(&self, name: &str) -> bool {
        self.things.lock().unwrap().contains_key(name)
    }

    pub fn thing(&self, name: &'static str) -> Fake {
        Fake {
            world: self.clone(),
            name,
            failures: Mutex::default(),
            failing_reads: Mutex::default(),
            late: Mutex::new(0),
            meets: None,
            is_lent: false,
        }
    }

    fn note(&self, what: &str, name: &str) {
        self.log.lock().unwrap().push(format!("{what} {name}"));
    }
}

/// A resource of one field, `size`, that should be 1.
pub struct Fake {
    world: World,
    name: &'static str,
    failures: Mutex<VecDeque<Failure>>,
    failing_reads: Mutex<VecDeque<Failure>>,
    late: Mutex<u32>,
    meets: Option<Arc<Barrier>>,
    is_lent: bool,
}

pub const BUSY: NotYet = NotYet {
    operation: "",
    code: "Busy",
    says: "come back",
    waits_for: "the doorman",
    schedule: Schedule {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        total: Duration::from_millis(5),
    },
};

pub fn refusal(code: &str, detail: &str) -> Failure {
    Failure {
        message: format!("{code}: {detail}"),
        code: Some(code.into()),
        detail: detail.into(),
        ..Failure::default()
    }
}

impl Fake {
    /// Its next acts fail.
    pub fn failing(self, failures: impl IntoIterator<Item = Failure>) -> Self {
        self.failures.lock().unwrap().extend(failures);
        self
    }

    /// Its next readings fail.
    pub fn failing_to_be_read(self, failures: impl IntoIterator<Item = Failure>) -> Self {
        self.failing_reads.lock().unwrap().extend(failures);
        self
    }

    /// What it accepts shows only after that many readings.
    pub fn showing_after(self, readings: u32) -> Self {
        *self.late.lock().unwrap() = readings;
        self
    }

    /// It is somebody else's.
    pub fn lent(mut self) -> Self {
        self.is_lent = true;
        self
    }

    /// It is made only when as many others are being made at the same time as the barrier wants.
    pub fn meeting(mut self, barrier: &Arc<Barrier>) -> Self {
        self.meets = Some(Arc::clone(barrier));
        self
    }

    async fn act(&self, what: &str) -> Result<(), Failure> {
        self.world.note(what, self.name);
        let failure = self.failures.lock().unwrap().pop_front();
        if let Some(barrier) = &self.meets {
            barrier.wait().await;
        }
        failure.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Resource for Fake {
    fn id(&self) -> &str {
        self.name
    }

    fn kind(&self) -> &'static str {
        "thing"
    }

    fn name(&self) -> &str {
        self.name
    }

    fn is_lent(&self) -> bool {
        self.is_lent
    }

    fn wanted(&self) -> Fields {
        Fields::default().with("size", 1)
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&BUSY]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        if let Some(failure) = self.failing_reads.lock().unwrap().pop_front() {
            return Err(failure);
        }
        let found = self.world.things.lock().unwrap().get(self.name).cloned();
        let mut late = self.late.lock().unwrap();
        if found.is_some() && *late > 0 {
            *late -= 1;
            return Ok(Reading::Absent);
        }
        Ok(found.map_or(Reading::Absent, Reading::Found))
    }

    async fn create(&self, _: &Step<'_>) -> Result<(), Failure> {
        self.act("create").await?;
        self.world.put(self.name, 1, Owner::Ours);
        Ok(())
    }

    async fn change(&self, _: &Fields, _: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        self.act("change").await?;
        self.world.put(self.name, 1, Owner::Ours);
        Ok(())
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        self.act("remove").await?;
        self.world.take(self.name);
        Ok(())
    }
}

/// Hears what the steps wait for.
#[derive(Default)]
pub struct Ears(pub Mutex<Vec<String>>);

impl Listener for Ears {
    fn on(&self, _: NodeId, event: Event<'_>) {
        if let Event::Waiting { waits_for, .. } = event {
            self.0.lock().unwrap().push(waits_for.to_owned());
        }
    }
}
