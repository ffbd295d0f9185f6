//! One step: read → compare → act, round and round until what is read is what is wanted.

use std::time::Duration;

use serde_json::Value;

use super::event::{Event, Step};
use super::fields::FieldChange;
use super::patience::{NotYet, Schedule, Waits};
use super::resource::{Failure, Found, Owner, Reading, Resource};

/// What a step is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Stands,
    /// Stands, and what has our name and no one's mark is ours from then on.
    StandsAdopting,
    Gone,
    /// Gone once more: what is found came back after this run had removed it, so it is ours without a mark.
    StaysGone,
}

/// For what is not ready yet. The first pause is short: a local endpoint is ready at once.
const SETTLING: Schedule = Schedule {
    first: Duration::from_millis(20),
    longest: Duration::from_millis(500),
    total: Duration::from_secs(300),
};

/// For a field that was set but is still read as it was.
const SHOWING: Schedule = Schedule {
    total: Duration::from_secs(60),
    ..SETTLING
};

/// For trouble on the other side, where the call has been tried again at once already.
const TROUBLE: NotYet = NotYet {
    operation: "",
    code: "",
    says: "",
    waits_for: "trouble on the other side to pass",
    schedule: Schedule {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(8),
        total: Duration::from_secs(30),
    },
};

/// For a pace that is kept by whoever was asked too often, where the call has been tried again at once already.
const PACE: NotYet = NotYet {
    operation: "",
    code: "",
    says: "",
    waits_for: "its turn: too many calls in this account",
    schedule: Schedule {
        first: Duration::from_millis(500),
        longest: Duration::from_secs(8),
        total: Duration::from_secs(180),
    },
};

/// What the last reading asks for.
#[derive(Debug, PartialEq)]
enum Next {
    Nothing,
    Settle(String),
    Create,
    Change(Vec<FieldChange>),
    Remove,
}

/// Brings `resource` to `goal` and gives the last reading; `reading` is the first.
///
/// # Errors
/// The first failure that no waiting mends, and what was still not so when the patience for it had run out.
pub async fn converge(
    resource: &dyn Resource,
    goal: Goal,
    mut reading: Reading,
    step: &Step<'_>,
) -> Result<Reading, Failure> {
    let mut waits = Waits::default();
    // What the other side has accepted: to ask again for the same would be wrong, it only does not show yet.
    let mut accepted: Option<Next> = None;
    // What was made is there, also when a later reading misses it: made again it might be there twice.
    let mut is_made = false;
    let mut is_remade = false;
    loop {
        let next = next(
            resource,
            goal,
            &reading,
            goal == Goal::StaysGone || accepted.is_some(),
        )?;
        let remakes = matches!(&next, Next::Change(changes) if resource.is_remade(changes));
        match &next {
            Next::Nothing => return Ok(reading),
            Next::Settle(waits_for) => settle(&mut waits, waits_for, SETTLING, step).await?,
            next if accepted.as_ref() == Some(next) || (is_made && *next == Next::Create) => {
                let (waits_for, schedule) = not_shown(&reading, next);
                settle(&mut waits, &waits_for, schedule, step).await?;
            }
            // Made a third time it would be no better.
            Next::Change(changes) if remakes && is_remade => return Err(remade_in_vain(resource, changes)),
            _ => match act(resource, &next, &reading, step).await {
                Ok(()) => {
                    if next == Next::Create {
                        step.made();
                    }
                    is_made = next == Next::Create || (is_made && !remakes);
                    is_remade |= remakes;
                    accepted = Some(next);
                }
                Err(failure) => wait_out(resource, failure, &mut waits, step).await?,
            },
        }
        reading = patiently(resource, &mut waits, step, async || resource.read().await).await?;
    }
}

/// What still differs, though it was taken away for it and made anew.
fn remade_in_vain(resource: &dyn Resource, changes: &[FieldChange]) -> Failure {
    let in_words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let differs = changes.iter().filter_map(|change| {
        let found = change.before.as_ref().map(in_words)?;
        Some(format!("its {} is {found}", change.field))
    });
    let differs: Vec<String> = differs.collect();
    let name = resource.name();
    Failure::new(format!(
        "{name} was made anew, and once more {}",
        differs.join(", ")
    ))
}

/// What `ask` tells of `resource`, asked again while what it is told means "not yet".
///
/// # Errors
/// The first failure that no waiting mends, or that it was waited for in vain.
pub async fn patiently<T>(
    resource: &dyn Resource,
    waits: &mut Waits,
    step: &Step<'_>,
    ask: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    loop {
        match ask().await {
            Ok(told) => return Ok(told),
            Err(failure) => wait_out(resource, failure, waits, step).await?,
        }
    }
}

/// What to do about `reading`. Once something of ours was accepted, what is found is ours: its mark may come late.
fn next(resource: &dyn Resource, goal: Goal, reading: &Reading, ours: bool) -> Result<Next, Failure> {
    let found = match (reading, goal) {
        (Reading::Absent, Goal::Stands | Goal::StandsAdopting) => return Ok(Next::Create),
        (Reading::Absent, Goal::Gone | Goal::StaysGone) => return Ok(Next::Nothing),
        // Only a graph takes a denied look for an answer.
        (Reading::Unseen(failure), _) => return Err(failure.clone()),
        (Reading::Found(found), _) => found,
    };
    match &found.owner {
        Owner::Foreign(reason) if !ours => return Err(Failure::new(reason)),
        Owner::Unmarked(reason) if !ours && goal != Goal::StandsAdopting => {
            return Err(Failure::new(reason));
        }
        _ => {}
    }
    Ok(match goal {
        Goal::Gone | Goal::StaysGone => Next::Remove,
        Goal::Stands | Goal::StandsAdopting => match &found.settling {
            Some(waits_for) => Next::Settle(waits_for.clone()),
            None => {
                let changes = resource.wanted().differences(&found.fields);
                if changes.is_empty() {
                    Next::Nothing
                } else {
                    Next::Change(changes)
                }
            }
        },
    })
}

async fn act(
    resource: &dyn Resource,
    next: &Next,
    reading: &Reading,
    step: &Step<'_>,
) -> Result<(), Failure> {
    match (next, reading) {
        (Next::Create, _) => resource.create(step).await,
        (Next::Change(changes), Reading::Found(found)) => resource.change(&found.fields, changes, step).await,
        (Next::Remove, Reading::Found(found)) => resource.remove(&found.fields, step).await,
        _ => Ok(()),
    }
}

/// What is waited for when an act was accepted but the reading is what it was before.
fn not_shown(reading: &Reading, next: &Next) -> (String, Schedule) {
    match (reading, next) {
        (
            Reading::Found(Found {
                settling: Some(waits_for),
                ..
            }),
            _,
        ) => (waits_for.clone(), SETTLING),
        (_, Next::Change(changes)) => {
            let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
            (format!("the new {} to show", fields.join(", ")), SHOWING)
        }
        (_, Next::Remove) => ("it to be gone".to_owned(), SETTLING),
        _ => ("it to show".to_owned(), SHOWING),
    }
}

/// Waits for something that was accepted to show.
async fn settle(
    waits: &mut Waits,
    waits_for: &str,
    schedule: Schedule,
    step: &Step<'_>,
) -> Result<(), Failure> {
    let Some(pause) = waits.next(waits_for, schedule) else {
        return Err(Failure::new(format!(
            "still waiting for {waits_for} after {} s",
            schedule.total.as_secs()
        )));
    };
    sleep(pause, waits_for, step).await
}

/// Waits if `failure` means "not yet", or gives it back.
async fn wait_out(
    resource: &dyn Resource,
    failure: Failure,
    waits: &mut Waits,
    step: &Step<'_>,
) -> Result<(), Failure> {
    let known = resource
        .not_yet()
        .iter()
        .copied()
        .find(|not_yet| not_yet.means(&failure));
    let unknown = || match &failure {
        Failure {
            is_throttled: true, ..
        } => Some(&PACE),
        Failure { is_trouble: true, .. } => Some(&TROUBLE),
        _ => None,
    };
    let Some(not_yet) = known.or_else(unknown) else {
        return Err(failure);
    };
    match waits.next(not_yet.waits_for, not_yet.schedule) {
        Some(pause) => sleep(pause, not_yet.waits_for, step).await,
        None => Err(failure.hint(format!(
            "it usually passes; waited {} s for {}",
            not_yet.schedule.total.as_secs(),
            not_yet.waits_for
        ))),
    }
}

async fn sleep(pause: Duration, waits_for: &str, step: &Step<'_>) -> Result<(), Failure> {
    step.tell(Event::Waiting { waits_for, pause });
    tokio::select! {
        () = tokio::time::sleep(pause) => Ok(()),
        () = step.stop.requested() => Err(Failure::stopped(format!("waiting for {waits_for}"))),
    }
}
