//! Each call that a command makes goes wrong, and a run is killed at each.
//!
//! With `RESIZER_BAD_DAYS=all` each goes wrong in every way: some 2,300 runs, and 128 that are killed. Without, each call
//! that changes something goes wrong in two or three of the nine ways.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use resizer_local::Realism;
use serde_json::Value;

use crate::common::near::is_read;
use crate::everything::is_nothing;
use crate::mishaps::{Way, ways};
use crate::stack::{DOWN, Stack, UP, for_each};

fn is_to_run_all() -> bool {
    std::env::var("RESIZER_BAD_DAYS").is_ok_and(|which| which == "all")
}

/// What goes wrong at each of these calls, a run each.
fn ways_at(calls: &BTreeMap<String, u64>) -> Vec<Way> {
    let each = calls
        .iter()
        .flat_map(|(operation, count)| (1..=*count).map(move |call| (operation.as_str(), call)));
    let each_way = each.enumerate().flat_map(|(n, (operation, call))| {
        let is_read = is_read(operation);
        let ways = ways(operation, call).into_iter().enumerate();
        // One after the other, so that with enough calls each has its turn.
        ways.filter(move |(way, _)| {
            is_to_run_all()
                || (if is_read {
                    (way + n).is_multiple_of(20)
                } else {
                    (way + n).is_multiple_of(4)
                })
        })
    });
    each_way.map(|(_, way)| way).collect()
}

#[test]
fn whichever_call_goes_wrong_the_end_is_the_same() {
    let stack = Stack::new();
    stack.configure(0);
    let up = ways_at(&stack.calls_of(&UP));
    let standing = stack.everything();
    stack.configure(1);
    let update = ways_at(&stack.calls_of(&UP));
    let updated = stack.everything();
    let down = ways_at(&stack.calls_of(&DOWN));
    assert!(is_nothing(&stack.everything()));
    assert_ne!(standing, updated);

    // One life of a stack after the other, until each of the three lists is through.
    let lives: Vec<usize> = (0..up.len().max(update.len()).max(down.len())).collect();
    let run_again = AtomicUsize::new(0);
    let run = |stack: &Stack, way: Option<&Way>, command: &[&str]| {
        let ended = stack.run_on(way.map_or_else(Realism::default, Way::alone), command);
        if ended.code != Some(0) {
            run_again.fetch_add(1, Ordering::Relaxed);
            let way = way.expect("it failed on a good day");
            let fails = ["denied", "answer lost and no second try"];
            assert!(fails.contains(&way.name), "{way:?}: {}", ended.stderr);
        }
    };
    for_each(&lives, |stack, life| {
        stack.configure(0);
        run(stack, up.get(*life), &UP);
        assert_eq!(stack.everything(), standing, "up with {:?}", up.get(*life));

        if let Some(way) = update.get(*life) {
            stack.configure(1);
            run(stack, Some(way), &UP);
            assert_eq!(stack.everything(), updated, "an update with {way:?}");
        }

        run(stack, down.get(*life), &DOWN);
        let left = stack.everything();
        assert!(is_nothing(&left), "down with {:?}: {left:#}", down.get(*life));
    });
    eprintln!(
        "one call went wrong in {} runs of up, {} of an update, {} of down; {} of them had to be run again",
        up.len(),
        update.len(),
        down.len(),
        run_again.into_inner()
    );
}

/// A command, and from where to where it leads.
#[derive(Debug, Clone, Copy)]
struct Course {
    /// The configuration of the stack that stands, if one does.
    from: Option<usize>,
    to: usize,
    command: &'static [&'static str],
}

impl Course {
    fn is_update(&self) -> bool {
        self.from.is_some() && self.command == UP
    }
}

const COURSES: [Course; 4] = [
    Course {
        from: None,
        to: 0,
        command: &UP,
    },
    Course {
        from: Some(0),
        to: 1,
        command: &UP,
    },
    Course {
        from: Some(1),
        to: 0,
        command: &UP,
    },
    Course {
        from: Some(0),
        to: 0,
        command: &DOWN,
    },
];

#[test]
fn killed_at_whichever_call_up_an_update_and_down_go_on_from_there() {
    let stack = Stack::new();
    let mut points = Vec::new();
    let mut standing = [Value::Null, Value::Null];
    for course in COURSES {
        stack.configure(course.to);
        let writes = stack.calls_of(course.command).into_iter();
        let writes = writes.filter(|(operation, _)| !is_read(operation));
        points.extend(
            writes.flat_map(|(operation, count)| {
                (1..=count).map(move |call| (course, operation.clone(), call))
            }),
        );
        if course.command == UP {
            standing[course.to] = stack.everything();
        }
    }
    let runs: Vec<_> = points
        .into_iter()
        .enumerate()
        .flat_map(|(n, point)| {
            let goes_on = [&UP[..], &DOWN];
            let goes_on = if is_to_run_all() {
                &goes_on[..]
            } else if point.0.is_update() {
                &goes_on[..1]
            } else {
                &goes_on[n % 2..=n % 2]
            };
            goes_on
                .iter()
                .map(|command| (point.clone(), *command))
                .collect::<Vec<_>>()
        })
        .collect();
    for_each(&runs, |stack, ((course, operation, call), goes_on)| {
        if let Some(from) = course.from {
            stack.configure(from);
            stack.place().resizer(&UP).ok();
        }
        stack.configure(course.to);
        stack.kill_at(operation, *call, course.command);
        stack.place().resizer(goes_on).ok();
        let stands = stack.everything();
        let what = format!("{course:?} killed at {operation} {call}, then {goes_on:?}");
        if *goes_on == UP {
            assert_eq!(stands, standing[course.to], "{what}");
            stack.place().resizer(&DOWN).ok();
        } else {
            assert!(is_nothing(&stands), "{what}: {stands:#}");
        }
    });
    eprintln!("{} runs were killed right after a call", runs.len());
}
