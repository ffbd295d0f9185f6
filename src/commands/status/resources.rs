//! Whether each resource is there and right: the plan of an `up` that is not carried out.

use std::collections::BTreeMap;

use anstyle::Style;
use serde::Serialize;

use super::alarms::Alarms;
use super::executions::line_of_missing;
use crate::commands::standing;
use crate::config::Settings;
use crate::engine::{Action, FieldChange, Plan, Planned, Refusal};
use crate::error::{CommandError, in_a_sentence};
use crate::outputs::Outputs;
use crate::session::Session;
use crate::stack;
use crate::ui::picture::Health;
use crate::ui::styles::{BAD, GOOD, UNSETTLED};
use crate::ui::table::aligned;
use crate::ui::wrap::fitted;

/// Every resource, and what the stack is made of.
#[derive(Debug)]
pub struct Standing {
    pub resources: Vec<Resource>,
    pub alarms: Alarms,
    pub outputs: Outputs,
}

impl Standing {
    /// Whether everything is there and right.
    pub fn is_healthy(&self) -> bool {
        self.resources.iter().all(Resource::is_right)
    }

    /// That it is known whether everything is there and right.
    ///
    /// # Errors
    /// All that was to be seen is, and something was not.
    pub fn check_seen(&self) -> Result<(), CommandError> {
        let wrong = self.resources.iter().filter(|resource| !resource.is_right());
        let unseen: Option<Vec<&str>> = wrong.map(Resource::unseen).collect();
        match unseen.as_deref() {
            None | Some([]) => Ok(()),
            Some([reason, ..]) => Err(CommandError::failed(format!(
                "whether every resource is there and right cannot be told: {reason}"
            ))
            .documented()),
        }
    }
}

/// One resource.
#[derive(Debug, Serialize)]
pub struct Resource {
    pub id: String,
    pub kind: &'static str,
    pub name: String,
    #[serde(flatten)]
    state: State,
}

/// How a resource stands.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    Right,
    Missing,
    /// It is there, and these fields are not as they should be; none: it is not ready yet.
    Changed {
        changes: Vec<FieldChange>,
    },
    /// It is there, and the configuration does not ask for it any more.
    Unwanted,
    /// Something of its name is there that is not the stack's.
    Foreign {
        reason: String,
    },
    /// It was not to be seen how it stands, and why.
    Unseen {
        reason: String,
        /// The permission that is lacking, where that is why.
        #[serde(skip)]
        lacks: Option<Box<str>>,
    },
}

impl Resource {
    pub fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing)
    }

    fn is_foreign(&self) -> bool {
        matches!(self.state, State::Foreign { .. })
    }

    pub fn is_right(&self) -> bool {
        matches!(self.state, State::Right)
    }

    /// Why it was not to be seen, if that is so.
    fn unseen(&self) -> Option<&str> {
        match &self.state {
            State::Unseen { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// Whether all that it lacks is time.
    fn is_settling(&self) -> bool {
        matches!(&self.state, State::Changed { changes } if changes.is_empty())
    }

    /// None where that was not to be seen.
    pub fn health(&self) -> Option<Health> {
        match self.state {
            State::Right => Some(Health::Right),
            State::Changed { .. } | State::Unwanted => Some(Health::Differs),
            State::Missing | State::Foreign { .. } => Some(Health::Wrong),
            State::Unseen { .. } => None,
        }
    }

    /// How it stands, in a few words; of what is right, nothing.
    pub fn how(&self) -> String {
        match &self.state {
            State::Right => String::new(),
            State::Missing => "missing".to_owned(),
            State::Changed { .. } if self.is_settling() => "not ready yet".to_owned(),
            State::Changed { changes } => {
                let fields: Vec<_> = changes.iter().map(|change| change.field.as_str()).collect();
                format!("differs in {}", fields.join(", "))
            }
            State::Unwanted => "not wanted any more".to_owned(),
            State::Foreign { reason } => format!("not ours: {reason}"),
            State::Unseen { reason, .. } => format!("not to be seen: {reason}"),
        }
    }

    /// What is not as it should be.
    pub fn changes(&self) -> &[FieldChange] {
        match &self.state {
            State::Changed { changes } => changes,
            _ => &[],
        }
    }
}

/// Reads every resource and compares it with what is wanted; the function's code with that which was put there.
pub async fn read(session: &Session, settings: &Settings) -> Result<Standing, CommandError> {
    let graph = stack::graph(session, settings, None)?;
    let readings = graph.look().await?;
    let plan = Plan::to_stand(&graph, readings);
    Ok(Standing {
        outputs: standing::outputs_of(session, &graph, &plan),
        alarms: Alarms::of(&graph, &plan),
        resources: plan
            .shown(&graph)
            .map(|step| {
                let resource = graph.resource(step.node);
                Resource {
                    id: resource.id().to_owned(),
                    kind: resource.kind(),
                    name: resource.name().to_owned(),
                    state: state(step),
                }
            })
            .collect(),
    })
}

fn state(step: &Planned) -> State {
    if let Some(failure) = step.unseen() {
        let reason = in_a_sentence(&failure.message, &failure.hints);
        return State::Unseen {
            reason,
            lacks: failure.lacks.clone(),
        };
    }
    match &step.action {
        Action::Keep => State::Right,
        Action::Create(_) => State::Missing,
        Action::Remove => State::Unwanted,
        Action::Change(changes) => State::Changed {
            changes: changes.clone(),
        },
        // A lent one.
        Action::Refuse(Refusal::NotThere) => State::Missing,
        Action::Refuse(refusal) => State::Foreign {
            reason: refusal.to_string(),
        },
    }
}

/// Whether nothing stands.
pub fn are_all_missing(resources: &[Resource]) -> bool {
    resources.iter().all(Resource::is_missing)
}

/// How all of them stand, in a sentence; `flags` are those of the command that mends them.
pub fn summary(resources: &[Resource], flags: &str) -> String {
    let (right, all) = (
        resources.iter().filter(|resource| resource.is_right()).count(),
        resources.len(),
    );
    if right == all {
        format!("all {right} there and right")
    } else if are_all_missing(resources) {
        format!("none of {all} is there; `resizer up{flags}` makes them")
    } else if resources.iter().any(Resource::is_foreign) {
        format!("{right} of {all} there and right; `resizer up{flags}` touches none while some are not ours")
    } else {
        let unseen = resources.iter().filter(|resource| resource.unseen().is_some());
        let rest = match unseen.count() {
            0 => format!("; `resizer up{flags}` mends the rest"),
            unseen if right + unseen == all => format!(", {unseen} not to be seen"),
            unseen => format!(", {unseen} not to be seen; `resizer up{flags}` mends the rest"),
        };
        format!("{right} of {all} there and right{rest}")
    }
}

/// The resources as people read them; `flags` are those of the command that mends them.
pub fn table(resources: &[Resource], flags: &str, width: usize) -> String {
    shown(resources, flags, list(resources, width), width)
}

/// Only those that are not right, if there are others.
pub fn brief(resources: &[Resource], flags: &str, width: usize) -> String {
    let is_shown = |resource: &&Resource| !resource.is_right() && !are_all_missing(resources);
    let wrong = resources.iter().filter(is_shown);
    shown(resources, flags, list(wrong, width), width)
}

/// The list with how all of them stand before it, and why some were not to be seen behind.
fn shown(resources: &[Resource], flags: &str, list: String, width: usize) -> String {
    let reasons = reasons(resources);
    let reasons = reasons
        .iter()
        .map(|why| format!("\n{}", line_of_missing(why, width)));
    let summary = fitted(&format!("Resources: {}{list}", summary(resources, flags)), width);
    summary + &reasons.collect::<String>()
}

/// Why some were not to be seen: what many lack is told of the first.
fn reasons(resources: &[Resource]) -> Vec<String> {
    let mut reasons: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for resource in resources {
        if let State::Unseen { reason, lacks } = &resource.state {
            let alike = lacks.as_deref().unwrap_or(reason);
            reasons.entry(alike).or_insert((reason, 0)).1 += 1;
        }
    }
    let told = reasons.into_values().map(|(reason, alike)| match alike {
        1 => reason.to_owned(),
        alike => format!("{reason}; the same of {} more", alike - 1),
    });
    told.collect()
}

fn list<'a>(resources: impl IntoIterator<Item = &'a Resource>, width: usize) -> String {
    let (marks, rows): (Vec<_>, Vec<_>) = resources.into_iter().map(row).unzip();
    let lines = aligned(&rows, width.saturating_sub(4));
    let marked = marks
        .iter()
        .zip(lines)
        .map(|((mark, style), line)| format!("\n  {style}{mark}{style:#} {line}"));
    marked.collect()
}

/// The mark before the row, and the row.
fn row(resource: &Resource) -> ((&'static str, Style), [String; 3]) {
    let (mark, style) = match resource.health() {
        Some(Health::Right) => ("✓", GOOD),
        Some(Health::Differs) if resource.is_settling() => ("…", UNSETTLED),
        Some(Health::Differs) => ("~", UNSETTLED),
        Some(Health::Wrong) => ("✗", BAD),
        None => ("?", UNSETTLED),
    };
    (
        (mark, style),
        [
            resource.kind.to_owned(),
            resource.name.clone(),
            // Why is said below: it is long, and may be the same of many.
            resource
                .unseen()
                .map_or_else(|| resource.how(), |_| "not to be seen".to_owned()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use serde_json::json;

    use super::*;

    fn resource(kind: &'static str, name: &str, state: State) -> Resource {
        Resource {
            id: kind.replace(' ', "_"),
            kind,
            name: name.to_owned(),
            state,
        }
    }

    #[test]
    fn what_is_not_right_says_how() {
        let changes = ["memory", "timeout"].map(|field| FieldChange {
            field: field.to_owned(),
            before: Some(json!(128)),
            after: json!(512),
        });
        let resources = [
            resource("bucket", "resizer-original-000000000000-us-east-1", State::Right),
            resource(
                "function",
                "resizer-resize",
                State::Changed {
                    changes: changes.to_vec(),
                },
            ),
            resource("function", "resizer-new", State::Changed { changes: Vec::new() }),
            resource("rule", "resizer-object-created", State::Missing),
            resource(
                "role",
                "resizer-us-east-1-api",
                State::Foreign {
                    reason: "it lacks our tag".to_owned(),
                },
            ),
        ];
        insta::assert_snapshot!(strip_str(&table(&resources, " --local", 100)).to_string(), @"
        Resources: 1 of 5 there and right; `resizer up --local` touches none while some are not ours
          ✓ bucket    resizer-original-000000000000-us-east-1
          ~ function  resizer-resize                           differs in memory, timeout
          … function  resizer-new                              not ready yet
          ✗ rule      resizer-object-created                   missing
          ✗ role      resizer-us-east-1-api                    not ours: it lacks our tag
        ");
    }

    #[test]
    fn what_many_lack_is_told_once() {
        let unseen = |kind: &'static str, reason: &str, lacks: Option<&str>| {
            let (reason, lacks) = (reason.to_owned(), lacks.map(Into::into));
            resource(kind, kind, State::Unseen { reason, lacks })
        };
        let resources = [
            unseen("role", "no to the first role", Some("iam:GetRole")),
            unseen("role", "no to the second role", Some("iam:GetRole")),
            unseen("role", "no to the third role", Some("iam:GetRole")),
            unseen("rule", "no answer", None),
            resource("bucket", "b", State::Right),
        ];
        let expected = ["no to the first role; the same of 2 more", "no answer"];
        assert_eq!(reasons(&resources), expected);
    }

    #[test]
    fn when_all_is_right_the_heading_says_so() {
        let resources = [resource("rule", "resizer-object-created", State::Right)];
        insta::assert_snapshot!(strip_str(&table(&resources, " --local", 100)).to_string(), @"
        Resources: all 1 there and right
          ✓ rule  resizer-object-created
        ");
    }
}
