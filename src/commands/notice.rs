//! What there is to say beside a plan: who is told of an alarm, what could not be looked for, and what stays from before.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::config::{Place, Settings};
use crate::engine::{Failure, Fields, Graph, Owner, Plan, Reading, Resource};
use crate::resources::UNCONFIRMED;
use crate::session::Session;
use crate::stack;

/// The address, of what was read of a topic, that has not confirmed yet that it wants to be told.
pub fn unconfirmed(topic: &Fields) -> Option<&str> {
    topic.text(UNCONFIRMED)
}

/// What the configuration does not ask for and could not be looked for, and which permissions that takes.
pub fn unseen(graph: &Graph, plan: &Plan) -> Option<String> {
    let (mut names, mut lacking, mut others) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let unwanted = plan.unseen().filter(|(node, _)| graph.is_former(*node));
    for (node, failure) in unwanted {
        names.push(graph.described(node));
        match failure.lacks.as_deref() {
            Some(permission) => lacking.insert(permission),
            None => others.insert(failure.message.as_str()),
        };
    }
    if names.is_empty() {
        return None;
    }
    let lacking: Vec<&str> = lacking.into_iter().collect();
    let lacking =
        (!lacking.is_empty()).then(|| format!("the credentials in use lack {}", lacking.join(", ")));
    let reasons: Vec<String> = lacking
        .into_iter()
        .chain(others.into_iter().map(str::to_owned))
        .collect();
    Some(format!(
        "whether anything is left of {} could not be seen: {}",
        names.join(", "),
        reasons.join("; ")
    ))
}

/// The stack's own buckets that still stand where others are lent to it now. One that cannot be looked at is not told of.
pub async fn of_former_buckets(session: &Session, settings: &Settings) -> Option<String> {
    let former = stack::former_buckets(session, settings);
    let readings = join_all(former.iter().map(|bucket| bucket.read())).await;
    let is_ours = |reading: &Reading| reading.found().is_some_and(|found| found.owner == Owner::Ours);
    let stands = |reading: &Result<Reading, Failure>| reading.as_ref().is_ok_and(is_ours);
    let looked_at = former.iter().zip(&readings);
    let standing = looked_at.filter(|(_, reading)| stands(reading));
    let names: Vec<&str> = standing.map(|(bucket, _)| bucket.name()).collect();
    let (plural, stands, go) = match names[..] {
        [] => return None,
        [_] => ("", "stands", "goes"),
        [..] => ("s", "stand", "go"),
    };
    Some(format!(
        "the bucket{plural} {}, the stack's own before, still {stands} with all that was put there, and {go} with the stack \
         at the next `resizer down`",
        names.join(" and ")
    ))
}

/// Why nobody is told, if that is so.
pub fn of_alarms(settings: &Settings, unconfirmed: Option<&str>) -> Option<String> {
    settings.alarms.as_ref()?;
    let place = &settings.place;
    if matches!(place, Place::Local { .. }) || place.is_other_cloud_on_this_machine() {
        return Some("a local cloud sends no mail: alarms go off, and nobody is told".to_owned());
    }
    let address = unconfirmed?;
    Some(format!(
        "a mail to {address} waits for confirmation: until its link is followed, nobody is told there"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::config::AlarmSettings;

    #[test]
    fn nobody_is_told_in_a_local_cloud_and_on_aws_not_before_it_is_confirmed() {
        let settings = |flags: &[&str], has_alarms: bool| {
            let args = [&["resizer", "status"], flags].concat();
            let mut settings = Settings::load(&Cli::try_parse_from(args).unwrap().global).unwrap();
            settings.alarms = has_alarms.then(AlarmSettings::default);
            settings
        };
        let waits = Some("ops@example.org");
        let aws = ["--region", "eu-central-1"];
        assert_eq!(of_alarms(&settings(&aws, false), waits), None);
        assert_eq!(of_alarms(&settings(&aws, true), None), None);
        let told = of_alarms(&settings(&aws, true), waits).unwrap();
        assert!(
            told.starts_with("a mail to ops@example.org waits for confirmation"),
            "{told}"
        );
        for here in [&["--local"][..], &["--endpoint-url", "http://127.0.0.1:1"]] {
            let told = of_alarms(&settings(here, true), waits).unwrap();
            assert!(told.starts_with("a local cloud sends no mail"), "{told}");
        }
    }
}
