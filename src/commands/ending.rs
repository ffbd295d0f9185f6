//! How `up` and `down` end when they do not reach their goal.

use crate::config::Settings;
use crate::engine::{Failure, Graph, NodeId, Outcome, Plan, Refusal, Report, Stop};
use crate::error::CommandError;

/// A command that carries out a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Up,
    Down,
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Refuses to go on when something of our name is not ours, or something that is to be lent is not there.
pub fn check_refusals(graph: &Graph, plan: &Plan, settings: &Settings) -> Result<(), CommandError> {
    let mut refusals = plan.refusals();
    let Some((node, refusal)) = refusals.next() else {
        return Ok(());
    };
    let Refusal::NotOurs { .. } = refusal else {
        return Err(CommandError::failed(format!(
            "the {} is not there, and nothing was done",
            graph.described(node)
        ))
        .hint("--original-bucket and --resized-bucket take buckets that are there; without them the stack makes its own"));
    };
    let first = CommandError::failed(format!(
        "the {} has the name of this stack's, but {refusal}: it is not touched, and nothing was done",
        graph.described(node)
    ));
    let error = refusals.fold(first, |error, (node, refusal)| {
        error.hint(format!("neither is the {}: {refusal}", graph.described(node)))
    });
    let is_adoptable = |(_, refusal)| matches!(refusal, &Refusal::NotOurs { adoptable: true, .. });
    let error = if plan.refusals().all(is_adoptable) {
        error.hint(format!(
            "if it is yours to give, `resizer up{} --adopt` takes it over; `plan` with the same flags shows what would change",
            settings.flags
        ))
    } else {
        error.hint("what is somebody else's is not taken over, with --adopt neither")
    };
    Err(error.hint("or choose another name for this stack with --stack"))
}

/// What went wrong, what stands, what was not begun, and what to type next; nothing when all went well and nobody asked the
/// run to stop.
pub fn check(
    command: Command,
    graph: &Graph,
    report: &Report,
    stop: &Stop,
    settings: &Settings,
) -> Result<(), CommandError> {
    let summed_up = |error| {
        let summary = summary(command, graph, report);
        summary.into_iter().fold(error, CommandError::hint)
    };
    let error = match (stop.is_requested(), report.is_good()) {
        (false, true) => return Ok(()),
        (false, false) => failures(graph, report),
        (true, false) => failed(graph, report).fold(
            CommandError::interrupted("interrupted before the end"),
            |error, (node, failure)| error.hint(format!("the {} failed: {failure}", graph.described(node))),
        ),
        (true, true) => {
            let error = CommandError::interrupted("interrupted when the last step had begun already");
            return Err(summed_up(error));
        }
    };
    let again = format!("resizer {}{}", command.name(), settings.flags);
    Err(summed_up(error).hint(format!(
        "`{again}` carries on from here; running it again is always safe"
    )))
}

fn failed<'a>(graph: &Graph, report: &'a Report) -> impl Iterator<Item = (NodeId, &'a Failure)> {
    let outcomes = graph.nodes().zip(&report.outcomes);
    outcomes.filter_map(|(node, outcome)| match outcome {
        Outcome::Failed(failure) => Some((node, failure)),
        _ => None,
    })
}

/// What went wrong in a run that failed.
pub fn failures(graph: &Graph, report: &Report) -> CommandError {
    let mut failed = failed(graph, report);
    let Some((node, failure)) = failed.next() else {
        return CommandError::failed("not every step was begun");
    };
    let first = CommandError::failed(format!("the {} failed: {failure}", graph.described(node)));
    let first = failure.hints.iter().fold(first, CommandError::hint);
    // What calls for the same is said once: with an expired token everything fails.
    let (alike, others): (Vec<_>, Vec<_>) =
        failed.partition(|(_, other)| !other.hints.is_empty() && is_alike(other, failure));
    let alike: Vec<String> = alike.iter().map(|(node, _)| graph.described(*node)).collect();
    let first = if alike.is_empty() {
        first
    } else {
        first.hint(format!("these failed the same way: {}", alike.join(", ")))
    };
    others.into_iter().fold(first, |error, (node, failure)| {
        error.hint(format!("the {} failed too: {failure}", graph.described(node)))
    })
}

/// Whether two failures call for the same. Services call one thing by names that differ at their end.
fn is_alike(one: &Failure, other: &Failure) -> bool {
    let code = |failure: &Failure| {
        let code = failure.code.as_deref()?;
        Some(code.trim_end_matches("Exception").to_owned())
    };
    one.hints == other.hints && code(one) == code(other)
}

/// A line each.
fn summary(command: Command, graph: &Graph, report: &Report) -> Vec<String> {
    // What is not wanted any more counts only where something is done to it.
    let is_past =
        |node: NodeId, outcome: &Outcome| graph.is_former(node) && matches!(outcome, Outcome::Kept(_));
    let outcomes = graph.nodes().zip(&report.outcomes);
    let counted: Vec<_> = outcomes
        .filter(|(node, outcome)| !is_past(*node, outcome))
        .collect();
    let those = |is_so: fn(&Outcome) -> bool| -> Vec<String> {
        let so = counted.iter().filter(|(_, outcome)| is_so(outcome));
        so.map(|(node, _)| graph.described(*node)).collect()
    };
    let state = match command {
        Command::Up => "as they should be",
        Command::Down => "gone",
    };
    let good = those(|outcome| matches!(outcome, Outcome::Kept(_) | Outcome::Done(_)));
    let mut summary = format!("{} of {} resources are {state}", good.len(), counted.len());
    // Which, has been said with the reasons.
    let failed = those(|outcome| matches!(outcome, Outcome::Failed(_))).len();
    if failed > 0 {
        summary += &format!("; {failed} failed");
    }
    let interrupted = those(|outcome| matches!(outcome, Outcome::Interrupted(_)));
    let not_started = those(|outcome| matches!(outcome, Outcome::NotStarted { .. }));
    for (what, names) in [("interrupted", interrupted), ("not started", not_started)] {
        if !names.is_empty() {
            summary += &format!("; {what}: {}", names.join(", "));
        }
    }
    // Of `down`, what stands has been named.
    let stands =
        (command == Command::Up && !good.is_empty()).then(|| format!("these stand: {}", good.join(", ")));
    [summary].into_iter().chain(stands).collect()
}
