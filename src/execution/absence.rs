//! Why a log group has nothing of what happened at some time.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::aws::{CallFailure, Clients, Clock, During};
use crate::error::in_a_sentence;

/// For how long lines may still be on their way.
const DELIVERY: SignedDuration = SignedDuration::from_mins(2);
const MILLIS_OF_DAY: i64 = 86_400_000;

/// Why lines are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// They may be on their way.
    Late,
    /// In words.
    Known(String),
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "CloudWatch Logs takes some seconds to have them",
            Self::Known(why) => why,
        })
    }
}

/// Whether all lines that were written until `ended` should have come by `now`.
pub fn is_delivered(ended: Timestamp, now: Timestamp) -> bool {
    now.duration_since(ended) >= DELIVERY
}

/// A log group that lines are looked for in.
#[derive(Debug, Clone)]
pub struct LogGroup<'a> {
    pub clients: &'a Clients,
    pub clock: Clock,
    pub name: String,
    /// For the commands that are proposed.
    pub flags: &'a str,
}

impl LogGroup<'_> {
    /// Why it lacks lines of `began`; `ended` is when the last of them were written, if they are not still being written.
    pub async fn absence(&self, began: Timestamp, ended: Option<Timestamp>) -> Absence {
        let known = self.known_absence(began, ended).await;
        known.unwrap_or_else(|| {
            let Self { name, flags, .. } = self;
            Absence::Known(format!(
                "{name} does not have them: `resizer plan{flags}` shows whether logs go there"
            ))
        })
    }

    /// The same; none where it should have them.
    pub async fn known_absence(&self, began: Timestamp, ended: Option<Timestamp>) -> Option<Absence> {
        let Self {
            clients, clock, name, ..
        } = self;
        let now = clock.now();
        // Asked again and again meanwhile: that a group is not there its readers are told.
        if !ended.is_some_and(|ended| is_delivered(ended, now)) {
            return Some(Absence::Late);
        }
        // The name itself comes first.
        let describe = clients.logs.describe_log_groups().log_group_name_prefix(name);
        let described = describe.send().await.during("logs:DescribeLogGroups", name);
        let groups = match described {
            Ok(answer) => answer.log_groups.unwrap_or_default(),
            Err(failure) => return Some(self.unreadable(&failure)),
        };
        let Some(group) = groups.iter().find(|group| group.log_group_name() == Some(name)) else {
            return Some(Absence::Known(self.not_there()));
        };
        let began = began.as_millisecond();
        let age = now.as_millisecond() - began;
        let why = match (group.retention_in_days(), group.creation_time()) {
            (Some(days), _) if age > i64::from(days) * MILLIS_OF_DAY => {
                Some(format!("the log group {name} keeps lines for {days} days"))
            }
            (_, Some(made)) if made > began => Some(format!("the log group {name} was made later")),
            _ => None,
        };
        why.map(Absence::Known)
    }

    /// The same where it could not be read.
    pub fn unreadable(&self, failure: &CallFailure) -> Absence {
        if failure.is_not_found() {
            return Absence::Known(self.not_there());
        }
        let why = in_a_sentence(failure, &failure.hints());
        Absence::Known(format!("{} is not to be read: {why}", self.name))
    }

    /// The same where it is not there.
    pub fn not_there(&self) -> String {
        format!(
            "the log group {} is not there; `resizer up{}` makes it",
            self.name, self.flags
        )
    }
}
