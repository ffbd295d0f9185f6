//! The execution that is meant by a name, by the beginning of one, or by an ARN.

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;

use super::status::executions;
use crate::aws::UnlessGone;
use crate::error::CommandError;
use crate::execution::describe;
use crate::session::Session;

/// What Step Functions says of the execution that `wanted` means.
///
/// # Errors
/// There is none, or more than one.
pub async fn execution(session: &Session, wanted: &str) -> Result<DescribeExecutionOutput, CommandError> {
    let arn = if wanted.starts_with("arn:") {
        wanted.to_owned()
    } else {
        session.names.execution_arn(wanted)
    };
    match describe(&session.clients, &arn).await.unless_gone()? {
        Some(described) => Ok(described),
        None => begun(session, wanted).await,
    }
}

/// The one execution whose name begins with `prefix`, as the list shows names.
async fn begun(session: &Session, prefix: &str) -> Result<DescribeExecutionOutput, CommandError> {
    let is_name = !prefix.is_empty() && !prefix.starts_with("arn:");
    let names = if is_name {
        executions::named(session, prefix).await?
    } else {
        Vec::new()
    };
    let found = match names.as_slice() {
        [name] => {
            let arn = session.names.execution_arn(name);
            describe(&session.clients, &arn).await.unless_gone()?
        }
        [] => None,
        [newest, next, ..] => {
            return Err(CommandError::failed(format!(
                "{} executions have names that begin with {prefix}",
                names.len()
            ))
            .hint(format!(
                "say more of the name: the newest are {newest} and {next}"
            )));
        }
    };
    found.ok_or_else(|| {
        CommandError::failed(format!(
            "there is no execution {prefix} of {}",
            session.names.state_machine_arn()
        ))
        .hint(format!(
            "`resizer status{}` lists the newest; Step Functions keeps each for 90 days",
            session.flags
        ))
    })
}
