//! Which lines are wanted, and to which execution a line of the function belongs.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::entry::{Entry, Source};

/// The most executions, requests and lines that are remembered of each.
const REMEMBERED_MAX: usize = 10_000;

/// Whose lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    All,
    /// Those of the execution of this ARN.
    Execution(String),
    /// Those of the executions whose input names this key.
    Key(String),
}

/// Lets through what is wanted. The function's lines come before the event that says to which execution they belong: until
/// then they wait.
///
/// Assumption, as of tries (`src/execution/tries.rs`): Step Functions names the request of a try that succeeded, and of one
/// that Lambda ended. The lines of others belong to no execution for sure, and are left out where one is asked for.
#[derive(Debug)]
pub struct Selection {
    wanted: Wanted,
    /// Their ARNs.
    executions: VecDeque<String>,
    requests: Requests,
    waiting: VecDeque<Entry>,
}

impl Selection {
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            executions: VecDeque::new(),
            requests: Requests::default(),
            waiting: VecDeque::new(),
        }
    }

    /// What is wanted of `new`, which is in the order of time, and of what waited.
    pub fn of(&mut self, new: Vec<Entry>) -> Vec<Entry> {
        for entry in &new {
            self.learn(entry);
        }
        let mut wanted = Vec::new();
        let waited = std::mem::take(&mut self.waiting);
        for mut entry in waited.into_iter().chain(new) {
            if entry.source == Source::Function {
                entry.execution = entry
                    .request_id
                    .as_ref()
                    .and_then(|id| self.requests.execution_of(id));
            }
            if self.is_wanted(&entry) {
                wanted.push(entry);
            } else if entry.source == Source::Function && entry.request_id.is_some() {
                remember(&mut self.waiting, entry);
            }
        }
        wanted.sort_by_key(|entry| entry.at);
        wanted
    }

    fn learn(&mut self, entry: &Entry) {
        let (Some(event), Some(arn)) = (&entry.event, &entry.execution) else {
            return;
        };
        let is_meant = match &self.wanted {
            Wanted::All => false,
            Wanted::Execution(wanted) => wanted == arn,
            Wanted::Key(key) => {
                let input = event.details.input.as_deref().unwrap_or_default();
                let input: Value = serde_json::from_str(input).unwrap_or_default();
                event.kind == "ExecutionStarted" && input["key"] == key.as_str()
            }
        };
        if is_meant && !self.executions.contains(arn) {
            remember(&mut self.executions, arn.clone());
        }
        if let Some(request) = &entry.request_id
            && (self.wanted == Wanted::All || self.executions.contains(arn))
        {
            self.requests.remember(request, arn);
        }
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        let is_meant = |arn: &String| self.executions.contains(arn);
        self.wanted == Wanted::All || entry.execution.as_ref().is_some_and(is_meant)
    }
}

/// The newest requests, and the ARNs of their executions.
#[derive(Debug, Default)]
struct Requests {
    executions: HashMap<String, String>,
    in_order: VecDeque<String>,
}

impl Requests {
    fn remember(&mut self, request: &str, execution: &str) {
        if self
            .executions
            .insert(request.to_owned(), execution.to_owned())
            .is_none()
            && let Some(oldest) = remember(&mut self.in_order, request.to_owned())
        {
            self.executions.remove(&oldest);
        }
    }

    fn execution_of(&self, request: &str) -> Option<String> {
        self.executions.get(request).cloned()
    }
}

/// Remembers one more, and forgets the oldest of too many.
fn remember<T>(queue: &mut VecDeque<T>, item: T) -> Option<T> {
    queue.push_back(item);
    (queue.len() > REMEMBERED_MAX).then(|| queue.pop_front())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::execution::LogEvent;

    const A: &str = "aaaaaaaa-7a3e-4c1f-9d4e-0a1b2c3d4e5f";
    const B: &str = "bbbbbbbb-7a3e-4c1f-9d4e-0a1b2c3d4e5f";

    fn entry(source: Source, millis: i64, text: String) -> Entry {
        let (id, stream) = (String::new(), String::new());
        Entry::of(
            source,
            LogEvent {
                id,
                stream,
                millis,
                text,
            },
        )
    }

    fn event(millis: i64, execution: &str, kind: &str, details: Value) -> Entry {
        let record = json!({"id": "1", "type": kind, "details": details, "event_timestamp": "1", "execution_arn": execution});
        entry(Source::Executions, millis, record.to_string())
    }

    fn started(execution: &str, key: &str) -> Entry {
        event(
            1,
            execution,
            "ExecutionStarted",
            json!({"input": json!({"key": key}).to_string()}),
        )
    }

    fn succeeded(execution: &str, request: &str) -> Entry {
        let output = json!({"SdkResponseMetadata": {"RequestId": request}}).to_string();
        event(3, execution, "TaskSucceeded", json!({"output": output}))
    }

    fn line(request: &str) -> Entry {
        entry(Source::Function, 2, format!("START RequestId: {request}"))
    }

    fn told(entries: Vec<Entry>) -> Vec<String> {
        let of = |entry: Entry| match entry.source {
            Source::Function => format!("line of {}", entry.execution.unwrap_or_default()),
            Source::Executions => entry.event.map(|event| event.kind).unwrap_or_default(),
        };
        entries.into_iter().map(of).collect()
    }

    #[test]
    fn of_one_key_the_events_and_the_function_s_lines_are_let_through() {
        let mut selection = Selection::new(Wanted::Key("a.jpg".to_owned()));
        let all = vec![
            started("one", "a.jpg"),
            started("two", "b.jpg"),
            line(A),
            line(B),
            succeeded("one", A),
            succeeded("two", B),
        ];
        assert_eq!(
            told(selection.of(all)),
            ["ExecutionStarted", "line of one", "TaskSucceeded"]
        );
    }

    #[test]
    fn a_line_that_comes_before_its_execution_is_known_waits() {
        let mut selection = Selection::new(Wanted::Execution("one".to_owned()));
        assert_eq!(told(selection.of(vec![line(A), line(B)])), [""; 0]);
        assert_eq!(
            told(selection.of(vec![succeeded("one", A)])),
            ["line of one", "TaskSucceeded"]
        );
        assert_eq!(told(selection.of(vec![succeeded("two", B)])), [""; 0]);
    }

    #[test]
    fn without_a_choice_all_is_let_through_at_once() {
        let mut selection = Selection::new(Wanted::All);
        let plain = entry(Source::Function, 1, "hello".to_owned());
        assert_eq!(told(selection.of(vec![plain, line(A)])), ["line of ", "line of "]);
        assert_eq!(
            told(selection.of(vec![succeeded("one", A), line(A)])),
            ["line of one", "TaskSucceeded"]
        );
    }

    #[test]
    fn what_never_belongs_to_anything_takes_no_more_memory() {
        let mut selection = Selection::new(Wanted::Key("a".to_owned()));
        selection.of(vec![line(A); REMEMBERED_MAX + 1]);
        assert_eq!(selection.waiting.len(), REMEMBERED_MAX);
        for n in 0..REMEMBERED_MAX + 1 {
            selection.requests.remember(&n.to_string(), "one");
        }
        assert_eq!(selection.requests.executions.len(), REMEMBERED_MAX);
        assert_eq!(selection.requests.execution_of("0"), None);
    }
}
