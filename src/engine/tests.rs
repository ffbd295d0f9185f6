//! The engine on a world of fakes.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

use super::testing::{BUSY, Ears, World, refusal};
use super::*;

async fn read(graph: &Graph) -> Vec<Reading> {
    graph.read(&Ears::default(), &Stop::never()).await.unwrap()
}

async fn stand(graph: &Graph, ears: &Ears) -> Report {
    let (_switch, stop) = StopSwitch::new();
    let plan = Plan::to_stand(graph, read(graph).await);
    plan.carry_out(graph, ears, &stop).await
}

async fn remove(graph: &Graph) -> Report {
    let (_switch, stop) = StopSwitch::new();
    let plan = Plan::to_remove(graph, read(graph).await);
    plan.carry_out(graph, &Ears::default(), &stop).await
}

/// A graph of a ← b ← c.
fn chain(world: &World) -> Graph {
    let mut graph = Graph::default();
    let a = graph.add(world.thing("a"), &[]);
    let b = graph.add(world.thing("b"), &[a]);
    graph.add(world.thing("c"), &[b]);
    graph
}

#[tokio::test]
async fn what_is_used_is_made_first_and_removed_last() {
    let world = World::default();
    let graph = chain(&world);
    assert!(stand(&graph, &Ears::default()).await.is_good());
    assert!(remove(&graph).await.is_good());
    let expected = [
        "create a", "create b", "create c", "remove c", "remove b", "remove a",
    ];
    assert_eq!(world.log(), expected);
}

#[tokio::test]
async fn what_does_not_depend_on_each_other_goes_side_by_side() {
    let world = World::default();
    let both = Arc::new(Barrier::new(2));
    let mut graph = Graph::default();
    graph.add(world.thing("a").meeting(&both), &[]);
    graph.add(world.thing("b").meeting(&both), &[]);
    let report = tokio::time::timeout(Duration::from_secs(5), stand(&graph, &Ears::default())).await;
    assert!(report.unwrap().is_good());
}

#[tokio::test]
async fn what_is_acted_on_is_made_side_by_side_but_removed_last() {
    let world = World::default();
    let both = Arc::new(Barrier::new(2));
    let mut graph = Graph::default();
    let a = graph.add(world.thing("a").meeting(&both), &[]);
    let b = graph.add(world.thing("b").meeting(&both), &[]);
    graph.acts_on(b, &[a]);
    let made = tokio::time::timeout(Duration::from_secs(5), stand(&graph, &Ears::default())).await;
    assert!(made.unwrap().is_good());
    assert_eq!(
        graph.users_first(),
        [vec![b], Vec::new()],
        "b goes before a is removed"
    );
}

#[tokio::test]
async fn what_is_right_is_not_touched() {
    let world = World::default();
    let graph = chain(&world);
    stand(&graph, &Ears::default()).await;
    let plan = Plan::to_stand(&graph, read(&graph).await);
    assert!(plan.is_empty());
    assert!(stand(&graph, &Ears::default()).await.is_good());
    assert_eq!(world.log().len(), 3, "no act but the three of the first run");
}

/// A graph of a thing that is wanted, and one that is not any more.
fn wanted_and_former(world: &World) -> Graph {
    let mut graph = Graph::default();
    let a = graph.add(world.thing("a"), &[]);
    graph.add_former(world.thing("b"), &[a]);
    graph
}

#[tokio::test]
async fn what_is_not_wanted_any_more_goes_once_all_else_stands() {
    let world = World::default();
    let graph = wanted_and_former(&world);
    world.put("b", 1, Owner::Ours);
    assert!(stand(&graph, &Ears::default()).await.is_good());
    assert_eq!(world.log(), ["create a", "remove b"]);

    let plan = Plan::to_stand(&graph, read(&graph).await);
    assert!(plan.is_empty());
    assert_eq!(plan.shown(&graph).count(), 1, "of b there is nothing to say");
    world.put("b", 1, Owner::Ours);
    assert!(remove(&graph).await.is_good());
    assert!(!world.has("b"));
}

#[tokio::test]
async fn what_is_not_wanted_any_more_and_not_ours_is_nobodys_business() {
    for owner in [
        Owner::Unmarked(String::new()),
        Owner::Foreign(String::new()),
        Owner::Unclaimed(String::new()),
    ] {
        let world = World::default();
        let graph = wanted_and_former(&world);
        world.put("b", 1, owner);
        assert!(stand(&graph, &Ears::default()).await.is_good());
        assert!(remove(&graph).await.is_good());
        assert!(world.has("b"));
        assert_eq!(world.log(), ["create a", "remove a"]);
    }
}

#[tokio::test]
async fn what_is_not_wanted_and_not_there_is_never_left_undone() {
    let world = World::default();
    let mut graph = Graph::default();
    let a = graph.add(world.thing("a").failing([refusal("Denied", "no")]), &[]);
    let b = graph.add_former(world.thing("b"), &[a]);
    let report = stand(&graph, &Ears::default()).await;
    assert_eq!(report.outcomes[b.index()], Outcome::Kept(Reading::Absent));
}

#[tokio::test]
async fn drift_is_planned_field_by_field_and_mended() {
    let world = World::default();
    let graph = chain(&world);
    stand(&graph, &Ears::default()).await;
    world.put("b", 7, Owner::Ours);
    let plan = Plan::to_stand(&graph, read(&graph).await);
    let Action::Change(changes) = &plan.steps[1].action else {
        panic!("{:?}", plan.steps[1].action);
    };
    assert_eq!(changes[0].before, Some(7.into()));
    assert_eq!(changes[0].after, 1);
    assert!(stand(&graph, &Ears::default()).await.is_good());
    assert_eq!(world.log().last().unwrap(), "change b");
}

#[tokio::test]
async fn what_stands_on_a_failure_is_not_started_and_other_branches_go_on() {
    let world = World::default();
    let mut graph = Graph::default();
    let a = graph.add(world.thing("a").failing([refusal("Denied", "no")]), &[]);
    let b = graph.add(world.thing("b"), &[a]);
    let c = graph.add(world.thing("c"), &[b]);
    let d = graph.add(world.thing("d"), &[]);
    let e = graph.add(world.thing("e"), &[d]);
    let report = stand(&graph, &Ears::default()).await;
    assert!(
        matches!(&report.outcomes[a.index()], Outcome::Failed(failure) if failure.message == "Denied: no")
    );
    for node in [b, c] {
        assert_eq!(
            report.outcomes[node.index()],
            Outcome::NotStarted { because_of: Some(a) }
        );
    }
    assert!(matches!(report.outcomes[e.index()], Outcome::Done(_)));
    assert!(!report.is_good());
}

#[tokio::test]
async fn not_yet_is_waited_out_and_said() {
    let world = World::default();
    let mut graph = Graph::default();
    graph.add(
        world
            .thing("a")
            .failing([refusal("Busy", "please come back later")]),
        &[],
    );
    let ears = Ears::default();
    assert!(stand(&graph, &ears).await.is_good());
    assert_eq!(world.log(), ["create a", "create a"]);
    assert_eq!(*ears.0.lock().unwrap(), [BUSY.waits_for]);
}

#[tokio::test]
async fn a_reading_has_the_patience_of_a_step() {
    let world = World::default();
    let mut graph = Graph::default();
    let trouble = Failure {
        is_trouble: true,
        ..refusal("Broken", "an internal error")
    };
    let passing = [refusal("Busy", "come back"), trouble];
    graph.add(world.thing("a").failing_to_be_read(passing), &[]);
    let ears = Ears::default();
    let readings = graph.read(&ears, &Stop::never()).await.unwrap();
    assert_eq!(readings, [Reading::Absent]);
    let told = [BUSY.waits_for, "trouble on the other side to pass"];
    assert_eq!(*ears.0.lock().unwrap(), told);
}

#[tokio::test]
async fn a_reading_that_no_waiting_mends_fails_at_once() {
    let world = World::default();
    let mut graph = Graph::default();
    let denied = refusal("Denied", "no");
    graph.add(world.thing("a").failing_to_be_read([denied.clone()]), &[]);
    let ears = Ears::default();
    assert_eq!(graph.read(&ears, &Stop::never()).await, Err(denied));
    assert!(ears.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn waiting_ends_with_the_cause() {
    let world = World::default();
    let mut graph = Graph::default();
    let busy = (0..100).map(|_| refusal("Busy", "come back"));
    graph.add(world.thing("a").failing(busy), &[]);
    let report = stand(&graph, &Ears::default()).await;
    let Outcome::Failed(failure) = &report.outcomes[0] else {
        panic!("{:?}", report.outcomes);
    };
    assert_eq!(failure.message, "Busy: come back");
    assert!(failure.hints[0].contains("the doorman"), "{:?}", failure.hints);
}

#[tokio::test]
async fn the_same_code_with_another_message_is_final() {
    let world = World::default();
    let mut graph = Graph::default();
    graph.add(world.thing("a").failing([refusal("Busy", "for ever")]), &[]);
    assert!(!stand(&graph, &Ears::default()).await.is_good());
    assert_eq!(world.log(), ["create a"]);
}

#[tokio::test]
async fn what_was_accepted_but_does_not_show_yet_is_not_asked_for_again() {
    let world = World::default();
    let mut graph = Graph::default();
    graph.add(world.thing("a").showing_after(2), &[]);
    assert!(stand(&graph, &Ears::default()).await.is_good());
    assert_eq!(world.log(), ["create a"]);
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let world = World::default();
    let graph = chain(&world);
    world.put("b", 7, Owner::Foreign("it has another's mark".to_owned()));
    let readings = read(&graph).await;
    for plan in [
        Plan::to_stand(&graph, readings.clone()),
        Plan::to_adopt(&graph, readings.clone()),
    ] {
        let refusals: Vec<String> = plan.refusals().map(|(_, refusal)| refusal.to_string()).collect();
        assert_eq!(refusals, ["it has another's mark"]);
    }
    stand(&graph, &Ears::default()).await;
    assert_eq!(world.log(), ["create a"]);

    // Nor is it in the way of what goes.
    let plan = Plan::to_remove(&graph, read(&graph).await);
    let b = graph.find("b").unwrap();
    assert_eq!(
        (plan.kept(), plan.not_ours(b)),
        (vec![b], Some("it has another's mark"))
    );
    remove(&graph).await;
    assert_eq!(world.log(), ["create a", "remove a"]);
    assert!(world.has("b"));
}

#[tokio::test]
async fn what_has_no_mark_is_taken_over_only_when_that_is_asked_for() {
    let world = World::default();
    let graph = chain(&world);
    world.put("b", 7, Owner::Unmarked("it has no mark".to_owned()));
    stand(&graph, &Ears::default()).await;
    assert_eq!(world.log(), ["create a"]);

    let (_switch, stop) = StopSwitch::new();
    let plan = Plan::to_adopt(&graph, read(&graph).await);
    assert!(plan.is_adopted(graph.find("b").unwrap()));
    assert!(!plan.is_adopted(graph.find("a").unwrap()));
    assert!(plan.carry_out(&graph, &Ears::default(), &stop).await.is_good());
    assert_eq!(world.log(), ["create a", "change b", "create c"]);
}

#[tokio::test]
async fn what_is_lent_is_set_up_but_neither_made_nor_removed() {
    let world = World::default();
    let mut graph = Graph::default();
    let a = graph.add(world.thing("a").lent(), &[]);
    graph.add(world.thing("b"), &[a]);
    let plan = Plan::to_stand(&graph, read(&graph).await);
    assert!(matches!(
        plan.refusals().next(),
        Some((node, Refusal::NotThere)) if node == a
    ));

    world.put("a", 7, Owner::Ours);
    assert!(stand(&graph, &Ears::default()).await.is_good());
    assert!(remove(&graph).await.is_good());
    assert_eq!(world.log(), ["change a", "create b", "remove b"]);
}

#[tokio::test]
async fn what_comes_back_without_a_mark_is_removed_by_the_run_that_removed_it() {
    let world = World::default();
    let graph = chain(&world);
    world.put("a", 1, Owner::Foreign("it has no mark".to_owned()));
    let (_switch, stop) = StopSwitch::new();
    let removed: Vec<NodeId> = graph.nodes().take(1).collect();
    let plan = Plan::to_stay_gone(&graph, read(&graph).await, &removed);
    assert!(plan.carry_out(&graph, &Ears::default(), &stop).await.is_good());
    assert!(!world.has("a"));
}

#[tokio::test]
async fn what_no_one_claims_is_removed_only_beside_what_is_ours() {
    let world = World::default();
    let graph = chain(&world);
    world.put("a", 1, Owner::Unclaimed(String::new()));
    remove(&graph).await;
    assert!(world.has("a"), "it may be someone's");
    world.put("b", 1, Owner::Foreign("it has another's mark".to_owned()));
    world.put("c", 1, Owner::Ours);
    remove(&graph).await;
    assert!(world.has("a") && !world.has("c"), "b uses it");
    world.take("b");
    world.put("c", 1, Owner::Ours);
    remove(&graph).await;
    assert!(!world.has("a"));
}

#[tokio::test]
async fn what_no_one_claims_is_mended_only_below_what_uses_it_and_is_ours() {
    let world = World::default();
    let graph = chain(&world);
    world.put("a", 7, Owner::Unclaimed("it has no mark".to_owned()));
    world.put("c", 1, Owner::Ours);
    let plan = Plan::to_stand(&graph, read(&graph).await);
    let refusals: Vec<String> = plan.refusals().map(|(_, refusal)| refusal.to_string()).collect();
    assert_eq!(refusals, ["it has no mark"], "c does not use it");
    let plan = Plan::to_adopt(&graph, read(&graph).await);
    assert!(plan.is_adopted(graph.find("a").unwrap()));

    world.put("b", 1, Owner::Ours);
    let plan = Plan::to_stand(&graph, read(&graph).await);
    assert!(!plan.is_adopted(graph.find("a").unwrap()));
    assert!(stand(&graph, &Ears::default()).await.is_good());
    assert_eq!(world.log(), ["change a"]);
}

#[tokio::test]
async fn what_is_gone_already_is_fine() {
    let world = World::default();
    let graph = chain(&world);
    world.put("b", 1, Owner::Ours);
    assert!(remove(&graph).await.is_good());
    assert_eq!(world.log(), ["remove b"]);
}

#[tokio::test]
async fn asked_to_stop_it_begins_nothing_new_and_ends_what_runs() {
    let world = World::default();
    let mut graph = Graph::default();
    let both = Arc::new(Barrier::new(2));
    let a = graph.add(world.thing("a").meeting(&both), &[]);
    let b = graph.add(world.thing("b"), &[a]);
    let (switch, stop) = StopSwitch::new();
    let plan = Plan::to_stand(&graph, read(&graph).await);
    let ears = Ears::default();
    let (report, _) = tokio::join!(plan.carry_out(&graph, &ears, &stop), async {
        switch.stop();
        both.wait().await;
    });
    assert!(matches!(report.outcomes[a.index()], Outcome::Done(_)));
    assert_eq!(
        report.outcomes[b.index()],
        Outcome::NotStarted { because_of: None }
    );
}

#[tokio::test]
async fn a_failure_tells_what_somebody_took_away_meanwhile() {
    let world = World::default();
    world.put("a", 1, Owner::Ours);
    let mut graph = Graph::default();
    let a = graph.add(world.thing("a"), &[]);
    let b = graph.add(
        world
            .thing("b")
            .failing([refusal("Denied", "a cannot be assumed")]),
        &[a],
    );
    let (_switch, stop) = StopSwitch::new();
    let plan = Plan::to_stand(&graph, read(&graph).await);
    world.take("a");

    let report = plan.carry_out(&graph, &Ears::default(), &stop).await;

    let Outcome::Failed(failure) = &report.outcomes[b.index()] else {
        panic!("{report:?}");
    };
    assert_eq!(failure.hints.len(), 1, "{failure:?}");
    assert!(
        failure.hints[0].starts_with("the thing a is not there any more"),
        "{failure:?}"
    );
}
