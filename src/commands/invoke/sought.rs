//! Which execution is whose: the bookkeeping of looking for executions, without the looking.

use std::collections::{HashMap, HashSet, VecDeque};

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use serde_json::Value;

use super::Object;

/// Executions that nobody has asked for yet, of which so many are remembered.
const STRANGERS_MAX: usize = 1000;

/// What was found of an object's execution.
#[derive(Debug)]
pub enum News {
    Started { arn: String },
    Ended(Box<DescribeExecutionOutput>),
}

/// Objects whose executions are looked for, by whatever the caller calls them, and executions that were met.
#[derive(Debug, Default)]
pub struct Sought {
    /// ARNs of executions that need not be looked at any more.
    seen: HashSet<String>,
    /// Objects whose executions have not been met.
    wanted: Vec<(usize, Object)>,
    /// The ARNs of those that have been met, and not their ends.
    running: HashMap<String, usize>,
    /// Met before anybody asked: an upload's execution may be there before its own answer is.
    strangers: VecDeque<DescribeExecutionOutput>,
    /// Met, asked for, and not told.
    untold: Vec<(usize, DescribeExecutionOutput)>,
}

impl Sought {
    /// With executions that were there before: none of them is an answer.
    pub fn after(before: impl IntoIterator<Item = ExecutionListItem>) -> Self {
        Self {
            seen: before.into_iter().map(|item| item.execution_arn).collect(),
            ..Self::default()
        }
    }

    /// From now on looks for the execution of `object`, and calls it `index`.
    pub fn want(&mut self, index: usize, object: Object) {
        let is_its = |execution: &DescribeExecutionOutput| is_for(execution, &object);
        let met = self.strangers.iter().position(is_its);
        match met.and_then(|met| self.strangers.remove(met)) {
            Some(execution) => self.untold.push((index, execution)),
            None => self.wanted.push((index, object)),
        }
    }

    /// Looks no longer for the one called `index`.
    pub fn forget(&mut self, index: usize) {
        self.wanted.retain(|(wanted, _)| *wanted != index);
        self.running.retain(|_, running| *running != index);
        self.untold.retain(|(untold, _)| *untold != index);
    }

    /// Whether there is anything to look for.
    pub fn is_anything(&self) -> bool {
        !self.wanted.is_empty() || !self.running.is_empty() || !self.untold.is_empty()
    }

    /// How many are known to run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    pub fn is_running(&self, item: &ExecutionListItem) -> bool {
        self.running.contains_key(&item.execution_arn)
    }

    pub fn is_seen(&self, item: &ExecutionListItem) -> bool {
        self.seen.contains(&item.execution_arn)
    }

    /// Whether it has to be described: a new one at once, one that is known to run when it does so no longer.
    pub fn is_due(&self, item: &ExecutionListItem) -> bool {
        if self.is_running(item) {
            item.status != ExecutionStatus::Running
        } else {
            !self.is_seen(item)
        }
    }

    /// What was met, and asked for only afterwards.
    pub fn tell(&mut self) -> Vec<(usize, News)> {
        let untold = std::mem::take(&mut self.untold);
        untold
            .into_iter()
            .flat_map(|(index, execution)| self.begun(index, execution))
            .collect()
    }

    /// What `execution`, just described, says of those that are looked for.
    pub fn meet(&mut self, execution: DescribeExecutionOutput) -> Vec<(usize, News)> {
        if let Some(index) = self.running.remove(&execution.execution_arn) {
            return self.goes_on(index, execution).into_iter().collect();
        }
        let found = self
            .wanted
            .iter()
            .position(|(_, object)| is_for(&execution, object));
        if let Some(found) = found {
            let (index, _) = self.wanted.swap_remove(found);
            return self.begun(index, execution);
        }
        self.seen.insert(execution.execution_arn.clone());
        self.strangers.push_back(execution);
        if self.strangers.len() > STRANGERS_MAX {
            self.strangers.pop_front();
        }
        Vec::new()
    }

    fn begun(&mut self, index: usize, execution: DescribeExecutionOutput) -> Vec<(usize, News)> {
        let arn = execution.execution_arn.clone();
        let started = (index, News::Started { arn });
        [started]
            .into_iter()
            .chain(self.goes_on(index, execution))
            .collect()
    }

    /// The end, if it has ended; else it is known to run.
    fn goes_on(&mut self, index: usize, execution: DescribeExecutionOutput) -> Option<(usize, News)> {
        let arn = execution.execution_arn.clone();
        if execution.status == ExecutionStatus::Running {
            self.running.insert(arn, index);
            return None;
        }
        self.seen.insert(arn);
        Some((index, News::Ended(Box::new(execution))))
    }
}

/// Whether an execution's input is what the rule makes of an upload of `object`: the size tells two uploads of the same key
/// apart.
pub fn is_for(execution: &DescribeExecutionOutput, object: &Object) -> bool {
    let input = execution.input().unwrap_or_default();
    let input: Value = serde_json::from_str(input).unwrap_or_default();
    input["bucket"] == object.bucket.as_str()
        && input["key"] == object.key.as_str()
        && (input["size"].is_null() || input["size"] == object.size)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_sfn::primitives::DateTime;
    use serde_json::json;

    use super::*;

    fn object(key: &str, size: u64) -> Object {
        Object {
            bucket: "o".to_owned(),
            key: key.to_owned(),
            size,
            etag: None,
        }
    }

    fn execution(name: &str, status: ExecutionStatus, input: &str) -> DescribeExecutionOutput {
        DescribeExecutionOutput::builder()
            .execution_arn(name)
            .state_machine_arn("machine")
            .status(status)
            .start_date(DateTime::from_secs(1_764_000_000))
            .input(input)
            .build()
            .unwrap()
    }

    fn item(name: &str, status: ExecutionStatus) -> ExecutionListItem {
        ExecutionListItem::builder()
            .execution_arn(name)
            .state_machine_arn("machine")
            .name(name)
            .status(status)
            .start_date(DateTime::from_secs(1_764_000_000))
            .build()
            .unwrap()
    }

    fn input(key: &str, size: u64) -> String {
        json!({"bucket": "o", "key": key, "size": size}).to_string()
    }

    fn told(news: Vec<(usize, News)>) -> Vec<String> {
        let word = |(index, news)| match news {
            News::Started { arn } => format!("{index}: {arn} started"),
            News::Ended(execution) => format!("{index}: {} ended", execution.execution_arn),
        };
        news.into_iter().map(word).collect()
    }

    #[test]
    fn an_execution_is_told_by_bucket_key_and_size() {
        let key = "it's a \"cat\".jpg";
        let is_for = |input: &str| is_for(&execution("e", ExecutionStatus::Running, input), &object(key, 7));
        assert!(is_for(&input(key, 7)));
        assert!(!is_for(&input(key, 8)));
        assert!(!is_for(&input("cat.jpg", 7)));
        assert!(!is_for(
            &json!({"bucket": "r", "key": key, "size": 7}).to_string()
        ));
        assert!(!is_for("not JSON"));
    }

    #[test]
    fn each_is_followed_from_its_start_to_its_end() {
        let mut sought = Sought::after([item("old", ExecutionStatus::Running)]);
        sought.want(0, object("a.jpg", 1));
        assert!(!sought.is_due(&item("old", ExecutionStatus::Running)));
        assert!(sought.is_due(&item("a", ExecutionStatus::Running)));
        let news = sought.meet(execution("a", ExecutionStatus::Running, &input("a.jpg", 1)));
        assert_eq!(told(news), ["0: a started"]);
        assert!(!sought.is_due(&item("a", ExecutionStatus::Running)));
        assert!(sought.is_due(&item("a", ExecutionStatus::Failed)));
        let news = sought.meet(execution("a", ExecutionStatus::Failed, &input("a.jpg", 1)));
        assert_eq!(told(news), ["0: a ended"]);
        assert!(!sought.is_anything() && !sought.is_due(&item("a", ExecutionStatus::Failed)));
    }

    #[test]
    fn one_that_is_there_before_its_upload_is_answered_is_not_lost() {
        let mut sought = Sought::default();
        let news = sought.meet(execution("b", ExecutionStatus::Succeeded, &input("b.jpg", 2)));
        assert!(news.is_empty() && !sought.is_due(&item("b", ExecutionStatus::Succeeded)));
        sought.want(1, object("b.jpg", 2));
        assert!(sought.is_anything());
        assert_eq!(told(sought.tell()), ["1: b started", "1: b ended"]);
        assert!(!sought.is_anything());
    }

    #[test]
    fn what_is_forgotten_is_not_told_of() {
        let mut sought = Sought::default();
        sought.want(0, object("a.jpg", 1));
        sought.want(1, object("b.jpg", 1));
        sought.meet(execution("b", ExecutionStatus::Running, &input("b.jpg", 1)));
        sought.forget(0);
        sought.forget(1);
        assert!(!sought.is_anything());
    }
}
