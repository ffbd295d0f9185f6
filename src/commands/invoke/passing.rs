//! Failures that pass while somebody looks on: waited out, and said once.

use crate::aws::CallFailure;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::format::printable;

/// How the looking goes.
#[derive(Debug)]
pub struct Passing<'a> {
    session: &'a Session,
    /// What the last look failed with.
    failure: Option<String>,
}

impl<'a> Passing<'a> {
    pub fn new(session: &'a Session) -> Self {
        Self {
            session,
            failure: None,
        }
    }

    /// What a look came to; nothing where it failed and the next may go well, which is said with `say` the first time.
    ///
    /// # Errors
    /// It failed, and waiting does not help.
    pub fn unless_passing<T>(
        &mut self,
        look: Result<T, CallFailure>,
        say: impl FnOnce(String),
    ) -> Result<Option<T>, CommandError> {
        match look {
            Ok(seen) => {
                self.failure = None;
                Ok(Some(seen))
            }
            // Where nobody listens, a local cloud has ended: it does not come back there.
            Err(failure) if failure.is_passing() && !failure.is_connection_refused() => {
                let words = printable(&failure.to_string());
                if self.failure.is_none() {
                    say(format!("{words}; trying again"));
                }
                self.failure = Some(words);
                Ok(None)
            }
            Err(failure) => Err(super::absent(self.session, failure)),
        }
    }

    /// The error of somebody who waited too long, with what the last look failed with if it did.
    pub fn told_of(&self, late: CommandError) -> CommandError {
        match &self.failure {
            Some(words) => late.hint(format!("the last look at it failed: {words}")),
            None => late,
        }
    }
}
