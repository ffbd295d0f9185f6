//! Which lines are wanted, and to which execution a line of the function belongs.

use std::collections::{BTreeSet, HashMap, VecDeque};

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
    /// Those of the executions whose input names a key that begins like this.
    Key(String),
}

/// Lets through what is wanted. What comes before it can be known whether it is wanted waits: the function's lines come before
/// the event that says to which execution they belong, and an execution's events may come before its start, which says its
/// key.
///
/// Assumption, as of tries (`src/execution/tries.rs`): Step Functions names the request of a try that succeeded, and of one
/// that Lambda ended. Those of others are to be looked for.
#[derive(Debug)]
pub struct Selection {
    wanted: Wanted,
    /// Whether they are wanted, by their ARNs.
    executions: Newest<bool>,
    /// The ARNs of their executions, by their ids.
    requests: Newest<String>,
    waiting: VecDeque<Entry>,
    /// What the function's environments work on, by their log streams.
    open: Newest<Option<String>>,
    /// The ARNs of the executions that are wanted and have tries whose requests no event names.
    nameless: BTreeSet<String>,
}

impl Selection {
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            executions: Newest::default(),
            requests: Newest::default(),
            waiting: VecDeque::new(),
            open: Newest::default(),
            nameless: BTreeSet::new(),
        }
    }

    /// Looks at the execution that is wanted as at one whose tries no event names, as long as none of its events has come.
    pub fn do_without_events(&mut self) {
        if let Wanted::Execution(arn) = &self.wanted
            && self.executions.get(arn).is_none()
        {
            self.nameless.insert(arn.clone());
        }
    }

    /// The ARNs of the executions that are wanted and have tries whose requests no event names.
    pub fn nameless(&self) -> Vec<String> {
        let is_wanted = |arn: &&String| match &self.wanted {
            Wanted::Execution(wanted) => wanted == *arn,
            _ => self.executions.get(arn) == Some(&true),
        };
        self.nameless.iter().filter(is_wanted).cloned().collect()
    }

    /// That the lines of this request are the execution's.
    pub fn belongs(&mut self, request: &str, execution: &str) {
        self.requests.remember(request, execution.to_owned());
    }

    /// That nothing more is to be found of the execution so far; if it has ended, for good.
    pub fn is_known(&mut self, execution: &str, has_ended: bool) {
        self.nameless.remove(execution);
        if has_ended {
            self.executions.remember(execution, true);
        }
    }

    /// What is wanted of `new`, and of what waited, in order.
    pub fn of(&mut self, mut new: Vec<Entry>) -> Vec<Entry> {
        for entry in &mut new {
            if entry.source == Source::Function {
                self.find_request(entry);
            }
            self.learn(entry);
        }
        let mut wanted = Vec::new();
        let waited = std::mem::take(&mut self.waiting);
        for mut entry in waited.into_iter().chain(new) {
            if entry.source == Source::Function {
                let request = entry.request_id.as_ref();
                entry.execution = request.and_then(|id| self.requests.get(id)).cloned();
            }
            match self.is_wanted(&entry) {
                Some(true) => wanted.push(entry),
                Some(false) => {}
                None => drop(remember(&mut self.waiting, entry)),
            }
        }
        wanted.sort_by_key(Entry::order);
        wanted
    }

    /// Gives a line that names no request the one that its environment works on: one at a time, from its START to its REPORT,
    /// and in a stream of its own.
    fn find_request(&mut self, entry: &mut Entry) {
        match &entry.request_id {
            Some(request) if entry.is_start() => self.open.remember(&entry.stream, Some(request.clone())),
            Some(_) if entry.is_report() => self.open.remember(&entry.stream, None),
            Some(_) => {}
            None => entry.request_id = self.open.get(&entry.stream).cloned().flatten(),
        }
    }

    fn learn(&mut self, entry: &Entry) {
        let (Some(event), Some(arn)) = (&entry.event, &entry.execution) else {
            return;
        };
        if let Some(request) = &entry.request_id {
            self.requests.remember(request, arn.clone());
        } else if self.wanted != Wanted::All && is_nameless_end(&event.kind) {
            self.nameless.insert(arn.clone());
        }
        let is_wanted = match &self.wanted {
            Wanted::Execution(wanted) => wanted == arn,
            Wanted::Key(key) if event.kind == "ExecutionStarted" => {
                let input = event.details.input.as_deref().unwrap_or_default();
                let input: Value = serde_json::from_str(input).unwrap_or_default();
                input["key"].as_str().is_some_and(|named| named.starts_with(key))
            }
            Wanted::All | Wanted::Key(_) => return,
        };
        self.executions.remember(arn, is_wanted);
    }

    /// Whether it is wanted; none if that is not known yet.
    fn is_wanted(&self, entry: &Entry) -> Option<bool> {
        match (&entry.execution, &self.wanted) {
            (_, Wanted::All) => Some(true),
            (Some(arn), Wanted::Execution(wanted)) => Some(arn == wanted),
            (Some(arn), Wanted::Key(_)) => self.executions.get(arn).copied(),
            (None, _) if entry.request_id.is_some() => None,
            (None, _) => Some(false),
        }
    }
}

/// Whether an event of this kind ends a try, if it names no request.
fn is_nameless_end(kind: &str) -> bool {
    [
        "TaskFailed",
        "TaskTimedOut",
        "ExecutionTimedOut",
        "ExecutionAborted",
    ]
    .contains(&kind)
}

/// What is known of the newest of many.
#[derive(Debug)]
struct Newest<T> {
    known: HashMap<String, T>,
    in_order: VecDeque<String>,
}

// What is derived would ask the same of `T`.
impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            in_order: VecDeque::new(),
        }
    }
}

impl<T> Newest<T> {
    fn remember(&mut self, id: &str, what: T) {
        if self.known.insert(id.to_owned(), what).is_none()
            && let Some(oldest) = remember(&mut self.in_order, id.to_owned())
        {
            self.known.remove(&oldest);
        }
    }

    fn get(&self, id: &str) -> Option<&T> {
        self.known.get(id)
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
    fn what_names_no_request_is_of_the_one_that_its_environment_works_on() {
        let mut selection = Selection::new(Wanted::Execution("one".to_owned()));
        let line = |stream: &str, text: String| {
            let (id, stream) = (String::new(), stream.to_owned());
            let line = LogEvent {
                id,
                stream,
                millis: 2,
                text,
            };
            Entry::of(Source::Function, line)
        };
        let all = vec![
            line("first", format!("START RequestId: {A}")),
            line("second", format!("START RequestId: {B}")),
            line("first", "thread 'main' panicked".to_owned()),
            line("second", "of the other".to_owned()),
            line("first", format!("REPORT RequestId: {A}")),
            line("first", "of nobody".to_owned()),
            succeeded("one", A),
            succeeded("two", B),
        ];
        assert_eq!(
            told(selection.of(all)),
            ["line of one", "line of one", "line of one", "TaskSucceeded"]
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
    fn an_execution_without_events_is_looked_for_until_it_has_ended_and_is_known() {
        let mut selection = Selection::new(Wanted::Execution("one".to_owned()));
        for has_ended in [false, true] {
            selection.do_without_events();
            assert_eq!(selection.nameless(), ["one"]);
            selection.belongs(A, "one");
            selection.is_known("one", has_ended);
        }
        selection.do_without_events();
        assert_eq!(selection.nameless(), [""; 0]);
        assert_eq!(told(selection.of(vec![line(A), line(B)])), ["line of one"]);
    }

    #[test]
    fn an_event_that_comes_before_its_execution_s_start_waits() {
        let mut selection = Selection::new(Wanted::Key("a.jpg".to_owned()));
        let early = vec![line(A), succeeded("one", A), succeeded("two", B), line(B)];
        assert_eq!(told(selection.of(early)), [""; 0]);
        assert_eq!(
            told(selection.of(vec![started("two", "b.jpg"), started("one", "a.jpg")])),
            ["ExecutionStarted", "line of one", "TaskSucceeded"]
        );
        assert!(selection.waiting.is_empty());
        assert_eq!(told(selection.of(vec![line(B), line(A)])), ["line of one"]);
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
            selection.requests.remember(&n.to_string(), "one".to_owned());
        }
        assert_eq!(selection.requests.known.len(), REMEMBERED_MAX);
        assert_eq!(selection.requests.get("0"), None);
    }
}
