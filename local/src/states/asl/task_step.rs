//! The Task state's part of a step: scheduled, succeeded, failed, tried again, caught.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::definition::{Task, Transition};
use super::interpreter::{Next, Phase, Step};
use super::task::{Answer, Fault, Resource, TaskCall};

impl Step<'_> {
    /// Puts the task on its way and says so in the history.
    pub(super) fn schedule(&mut self, task: &Task) -> Result<Option<Next>, Fault> {
        let parameters = self.effective_input(&task.shape)?;
        let call = call(task, &parameters)?;
        let mut details = match &task.resource {
            Resource::OptimizedInvoke => json!({
                "resourceType": "lambda",
                "resource": "invoke",
                "region": self.identity.region,
                "parameters": parameters.to_string(),
            }),
            Resource::Function(arn) => json!({
                "resource": arn,
                "input": parameters.to_string(),
                "inputDetails": {"truncated": false},
            }),
        };
        if let Some(seconds) = task.timeout_seconds {
            details["timeoutInSeconds"] = json!(seconds);
        }
        self.emit(&event(task, "Scheduled"), details);
        let started = match &task.resource {
            Resource::OptimizedInvoke => invoke_details(),
            Resource::Function(_) => json!({}),
        };
        self.emit(&event(task, "Started"), started);
        self.run.phase = Phase::Invoking;
        Ok(Some(Next::Invoke(call)))
    }

    /// The call of a task that is on its way already.
    pub(super) fn call(&self, task: &Task) -> Result<TaskCall, Fault> {
        call(task, &self.effective_input(&task.shape)?)
    }

    pub(super) fn task_succeeded(&mut self, task: &Task, answer: Answer) -> Result<Option<Next>, Fault> {
        let (result, mut details) = match &task.resource {
            Resource::OptimizedInvoke => (answer.into_invoke_result(), invoke_details()),
            Resource::Function(_) => (answer.payload, json!({})),
        };
        let text = result.to_string();
        self.check_size(&text)?;
        details["output"] = json!(text);
        details["outputDetails"] = json!({"truncated": false});
        self.emit(&event(task, "Succeeded"), details);
        let output = self.shaped(&task.shape, result)?;
        self.leave(output, &task.next)
    }

    pub(super) fn task_failed(&mut self, task: &Task, fault: &Fault) {
        let ending = if *fault == Fault::timeout() {
            "TimedOut"
        } else {
            "Failed"
        };
        let mut details = fault.details();
        if task.resource == Resource::OptimizedInvoke {
            details["resourceType"] = json!("lambda");
            details["resource"] = json!("invoke");
        }
        self.emit(&event(task, ending), details);
    }

    /// When to try again: the first retrier that matches decides.
    pub(super) fn next_try(&mut self, task: &Task, fault: &Fault) -> Option<Timestamp> {
        let (retrier, retries) = task
            .retry
            .iter()
            .zip(self.run.retries.iter_mut())
            .find(|(retrier, _)| retrier.matches(fault.name()))?;
        if *retries >= retrier.max_attempts {
            return None;
        }
        let seconds = retrier.delay_seconds(*retries, random());
        *retries += 1;
        self.now
            .checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?)
            .ok()
    }

    /// Goes on at the catcher that matches, with the error output in the state's input.
    pub(super) fn catch(&mut self, task: &Task, fault: &Fault) -> Option<Result<Option<Next>, Fault>> {
        let catcher = task.catch.iter().find(|catcher| catcher.matches(fault.name()))?;
        let error_output = json!({
            "Error": fault.error,
            "Cause": fault.cause.clone().unwrap_or_default(),
        });
        let input = self.run.state_input.clone();
        let output = match &catcher.result_path {
            Some(path) => path.place(input, error_output),
            None => Ok(input),
        };
        let next = Transition::Next(catcher.next.clone());
        Some(output.and_then(|output| self.exit("Task", output, &next)))
    }
}

fn call(task: &Task, parameters: &Value) -> Result<TaskCall, Fault> {
    let call = match &task.resource {
        Resource::OptimizedInvoke => TaskCall::from_parameters(parameters)?,
        Resource::Function(arn) => TaskCall {
            function: arn.clone(),
            payload: parameters.clone(),
            timeout_seconds: None,
        },
    };
    Ok(TaskCall {
        timeout_seconds: task.timeout_seconds,
        ..call
    })
}

fn invoke_details() -> Value {
    json!({"resourceType": "lambda", "resource": "invoke"})
}

/// `TaskScheduled` with the optimized integration, `LambdaFunctionScheduled` with a function's ARN.
fn event(task: &Task, happened: &str) -> String {
    match task.resource {
        Resource::OptimizedInvoke => format!("Task{happened}"),
        Resource::Function(_) => format!("LambdaFunction{happened}"),
    }
}

/// From 0 to 1. Without a source of randomness the delay is what it is without jitter.
fn random() -> f64 {
    getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}
