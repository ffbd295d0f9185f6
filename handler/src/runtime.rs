//! The loop around the invocations.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Context, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::answer::Answer;
use crate::environment::{Environment, EnvironmentError};
use crate::failure::Failure;
use crate::invocation::Function;
use crate::resize::{Limits, Refusal, Rendition, Resized};

/// What an answer takes to arrive; short, as a function's whole time may be a second.
const TIME_TO_ANSWER: Duration = Duration::from_millis(100);

/// What is done to the bytes of a source.
pub type Work = fn(&[u8], &[Rendition], &Limits) -> Result<Resized, Refusal>;

/// Answers Lambda's events with `work`, one at a time, until Lambda ends the process.
///
/// A wrong setting does not keep the function from starting: it answers each event with the `Configuration` error, since
/// the state machine would show a failed start as nothing but an exit code.
pub fn serve(work: Work) -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        eprintln!("this program is started by AWS Lambda: AWS_LAMBDA_RUNTIME_API is not set");
        return ExitCode::FAILURE;
    }
    match run(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the Lambda runtime ended: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(work: Work) -> Result<(), lambda_runtime::Error> {
    let environment = Environment::read(|name| std::env::var(name).ok());
    let log = environment
        .as_ref()
        .map(|environment| environment.log)
        .unwrap_or_default();
    let function = environment.map(|environment| Function::new(environment, work));
    let function = &function;
    let service = service_fn(|event: LambdaEvent<Value>| async move {
        let answer = answer(function.as_ref(), &event.payload, deadline(&event.context)).await;
        println!("{}", log.lines(&event, &answer));
        answer
    });
    // Events come one at a time: more threads would only cost their start.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(Runtime::new(service).run())
}

async fn answer(
    function: Result<&Function, &EnvironmentError>,
    event: &Value,
    deadline: Instant,
) -> Result<Answer, Failure> {
    function?.answer(event, deadline).await
}

/// When work must stop for an answer to arrive before Lambda ends the process.
fn deadline(context: &Context) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default().saturating_sub(TIME_TO_ANSWER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_stops_before_lambda_ends_the_process() {
        let mut context = Context::default();
        let left = |context: &Context| deadline(context).saturating_duration_since(Instant::now());
        context.deadline = 0;
        assert_eq!(left(&context), Duration::ZERO);

        let in_a_minute = SystemTime::now() + Duration::from_secs(60);
        let since_epoch = in_a_minute.duration_since(SystemTime::UNIX_EPOCH);
        context.deadline = since_epoch.unwrap_or_default().as_millis() as u64;
        let left = left(&context);
        assert!(left <= Duration::from_secs(60) - TIME_TO_ANSWER, "{left:?}");
        assert!(left > Duration::from_secs(30), "{left:?}");
    }
}
