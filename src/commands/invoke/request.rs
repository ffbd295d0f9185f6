//! What the flags ask for, found to make sense.

use std::path::PathBuf;

use super::pictures::{Picture, Pictures};
use super::results::ResultsFolder;
use super::{InvokeArgs, KEY_MAX, Via};
use crate::config::KeySettings;
use crate::error::CommandError;

/// What is asked for.
#[derive(Debug)]
pub enum Request {
    One(One),
    /// Upload several, side by side.
    Many(Pictures),
}

impl Request {
    /// The files that are uploaded.
    pub fn files(&self) -> Vec<&PathBuf> {
        match self {
            Self::One(One::Upload { picture, .. }) => vec![&picture.file],
            Self::One(One::Start { .. }) => Vec::new(),
            Self::Many(found) => found.pictures.iter().map(|picture| &picture.file).collect(),
        }
    }
}

/// One picture, and how it comes into the pipeline.
#[derive(Debug, PartialEq, Eq)]
pub enum One {
    /// Upload the file and follow what that causes; anew, though the same went through before.
    Upload { picture: Picture, again: bool },
    /// Start an execution for the object that is there.
    Start { key: String, through: Door },
}

/// Where an execution is started by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Step Functions; anew, though the same ran before.
    States {
        again: bool,
    },
    Api,
}

impl InvokeArgs {
    /// What the flags ask for.
    ///
    /// # Errors
    /// They contradict each other, a file cannot be found, or no upload would start anything: the rule passes over what
    /// `keys` do not admit.
    pub fn request(&self, keys: &KeySettings) -> Result<Request, CommandError> {
        match (self.file.as_slice(), self.via) {
            ([], None | Some(Via::States)) => self.start(Door::States { again: self.again }),
            ([], Some(Via::Api)) => self.start(Door::Api),
            ([], Some(Via::Event)) => Err(CommandError::usage(
                "--via event is what an upload does, and there is no --file to upload",
            )
            .hint("say --file PATH, or --via states for an object that is there")),
            (files, None | Some(Via::Event)) => {
                let results = self.download.as_deref().map(ResultsFolder::new);
                let mut found = Pictures::find(files, self.key.as_deref(), results.as_ref())?;
                if let Some(results) = &results {
                    results.check_apart_from(files, &found.pictures)?;
                }
                found.leave_out_unless(keys)?;
                match (files, found.pictures.as_mut_slice()) {
                    ([file], [_]) if !file.is_dir() => Ok(Request::One(One::Upload {
                        picture: found.pictures.remove(0),
                        again: self.again,
                    })),
                    _ => Ok(Request::Many(found)),
                }
            }
            (_, Some(Via::States | Via::Api)) => Err(CommandError::usage(
                "an upload starts an execution by itself; --via states or api would start a second one for the same object",
            )
            .hint("upload with --file alone, with --again to run it once more; or say --key and --via without --file")),
        }
    }

    fn start(&self, through: Door) -> Result<Request, CommandError> {
        let Some(key) = self.key.clone() else {
            return Err(CommandError::usage(
                "which picture? say --key KEY for one in the bucket, or --file PATH to upload one",
            ));
        };
        if key.is_empty() || key.len() > KEY_MAX {
            return Err(CommandError::usage(format!(
                "S3 takes keys of 1 to {KEY_MAX} bytes; this one has {}",
                key.len()
            )));
        }
        Ok(Request::One(One::Start { key, through }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, StackCommand};

    fn request(arguments: &str) -> Result<Request, CommandError> {
        let arguments = ["resizer", "invoke"]
            .into_iter()
            .chain(arguments.split_whitespace());
        match Cli::try_parse_from(arguments).unwrap().command {
            Command::OnStack(StackCommand::Invoke(args)) => args.request(&KeySettings::default()),
            _ => unreachable!(),
        }
    }

    #[test]
    fn a_file_is_uploaded_under_its_name_unless_a_key_is_given() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("cat.jpg");
        std::fs::write(&file, "a cat").unwrap();
        for (more, key) in [
            ("", "cat.jpg"),
            ("--again", "cat.jpg"),
            ("--key in/kitten.jpg --via event", "in/kitten.jpg"),
        ] {
            let wanted = One::Upload {
                picture: Picture {
                    key: key.to_owned(),
                    file: file.clone(),
                },
                again: more.contains("--again"),
            };
            let found = request(&format!("--file {} {more}", file.display())).unwrap();
            assert!(matches!(found, Request::One(one) if one == wanted));
        }
        let folder = request(&format!("--file {}/.", place.path().display()));
        assert!(folder.is_err(), "no picture in it: {folder:?}");
        std::fs::write(&file, b"\xff\xd8\xff").unwrap();
        let folder = request(&format!("--file {}", place.path().display())).unwrap();
        assert!(matches!(folder, Request::Many(found) if found.pictures.len() == 1));
    }

    #[test]
    fn an_object_that_is_there_is_started_by_hand() {
        let (once, again) = (Door::States { again: false }, Door::States { again: true });
        for (arguments, through) in [
            ("--key a", once),
            ("--key a --via states", once),
            ("--key a --again", again),
            ("--key a --via api", Door::Api),
        ] {
            let key = "a".to_owned();
            let wanted = One::Start { key, through };
            let found = request(arguments).unwrap();
            assert!(matches!(found, Request::One(one) if one == wanted), "{arguments}");
        }
    }

    #[test]
    fn what_would_start_two_executions_or_none_is_refused() {
        for arguments in [
            "--key a --file b --via states",
            "--key a --file b --via api",
            "--key a --via event",
        ] {
            assert!(request(arguments).is_err(), "{arguments}");
        }
    }

    #[test]
    fn a_key_that_s3_would_refuse_is_refused_first() {
        assert!(request(&format!("--key {}", "k".repeat(KEY_MAX))).is_ok());
        assert!(request(&format!("--key {}", "k".repeat(KEY_MAX + 1))).is_err());
    }
}
