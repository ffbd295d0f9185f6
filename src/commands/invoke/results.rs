//! Results on this machine: fetched to a folder, and opened.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};
use tokio::process::Command;
use tokio::time::timeout;

use super::pictures::Picture;
use crate::aws::{During, is_another};
use crate::error::CommandError;
use crate::execution::Answer;
use crate::session::Session;
use crate::ui::format::{printable, s3_uri};

/// What the function puts before its results' keys; a folder of its own they need not have here.
const RESULTS_PREFIX: &str = "output/";

/// The program that opens a file as a double click does.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// How long a program that opens a picture has to fail.
const OPENER_PATIENCE: Duration = Duration::from_secs(2);

/// The folder that results are to be put in, whether it is there yet or not.
#[derive(Debug)]
pub struct ResultsFolder<'a> {
    named: &'a Path,
    /// The path from the root.
    real: PathBuf,
}

impl<'a> ResultsFolder<'a> {
    pub fn new(named: &'a Path) -> Self {
        Self {
            named,
            real: resolved(named),
        }
    }

    /// Whether this is the folder.
    pub fn is(&self, folder: &Path) -> bool {
        resolved(folder) == self.real
    }

    /// That results come to lie beside no picture of the folders among `paths`: the next run would upload them as well. A
    /// folder for them alone is well anywhere, since what is in it is passed over.
    ///
    /// # Errors
    /// One would.
    pub fn check_apart_from(&self, paths: &[PathBuf], pictures: &[Picture]) -> Result<(), CommandError> {
        let folders: Vec<_> = paths.iter().filter(|path| path.is_dir()).collect();
        let is_within = |folder: &Path, of: &Path| folder != of && folder.starts_with(of);
        for folder in folders {
            let real = resolved(folder);
            let mut results = pictures
                .iter()
                .map(|picture| self.real.join(path_of(&picture.key)));
            if !is_within(&self.real, &real) && results.any(|result| result.starts_with(&real)) {
                return Err(CommandError::usage(format!(
                    "results in {} would lie among the pictures of {}, and the next run would upload them as well",
                    printable(&self.named.display().to_string()),
                    printable(&folder.display().to_string()),
                ))
                .hint("name another folder with --download; one of their own within it is passed over"));
            }
        }
        Ok(())
    }
}

/// The path from the root, without links as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut there = whole.ancestors();
    there
        .find_map(|ancestor| {
            let real = ancestor.canonicalize().ok()?;
            let rest = whole.strip_prefix(ancestor).ok()?;
            Some(if rest.as_os_str().is_empty() {
                real
            } else {
                real.join(rest)
            })
        })
        .unwrap_or(whole.clone())
}

/// Where results are fetched to.
#[derive(Debug, Clone)]
pub struct Destination {
    folder: PathBuf,
    opens: bool,
    /// Whether it is one among the temporary files, made for this.
    is_temporary: bool,
    /// The files that are uploaded: no result takes the place of one.
    sources: BTreeSet<PathBuf>,
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&printable(&self.folder.display().to_string()))
    }
}

impl Destination {
    /// The folder that is asked for, made if need be; to only open them, one among the temporary files. None if nothing is to be fetched.
    pub fn new(asked_for: Option<&Path>, opens: bool) -> Result<Option<Self>, CommandError> {
        let folder = match asked_for {
            Some(folder) if folder.is_file() => {
                let file = printable(&folder.display().to_string());
                return Err(CommandError::usage(format!(
                    "{file} is a file, and --download takes a folder to put results in"
                )));
            }
            Some(folder) => {
                fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
                folder.to_owned()
            }
            None if opens => {
                let made = Builder::new().prefix("resizer-results-").tempdir();
                made.map_err(|error| not_written(&std::env::temp_dir(), &error))?
                    .keep()
            }
            None => return Ok(None),
        };
        Ok(Some(Self {
            is_temporary: asked_for.is_none(),
            folder,
            opens,
            sources: BTreeSet::new(),
        }))
    }

    /// Puts no result in the place of one of these files.
    #[must_use]
    pub fn sparing<'a>(mut self, files: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        self.sources = files
            .into_iter()
            .filter_map(|file| file.canonicalize().ok())
            .collect();
        self
    }

    /// Takes a temporary folder away again if no result has come into it; what has come stays, where the summary says.
    pub fn remove_if_unused(&self) {
        if self.is_temporary {
            // One that is not empty is not removed.
            let _ = fs::remove_dir(&self.folder);
        }
    }

    /// Fetches the pictures that `answer` tells of: the files they are in. Each is there whole, or not at all.
    pub async fn fetch(&self, session: &Session, answer: &Answer) -> Result<Vec<PathBuf>, CommandError> {
        let mut files = Vec::new();
        for (key, etag) in answer.results() {
            files.push(self.fetch_object(session, &answer.dest_bucket, key, etag).await?);
        }
        Ok(files)
    }

    async fn fetch_object(
        &self,
        session: &Session,
        bucket: &str,
        key: &str,
        etag: Option<&str>,
    ) -> Result<PathBuf, CommandError> {
        let uri = s3_uri(bucket, key);
        let got = session
            .clients
            .s3
            .get_object()
            .bucket(bucket)
            .expected_bucket_owner(&session.names.account)
            .key(key)
            .send()
            .await
            .during("s3:GetObject", &uri)?;
        if is_another(&got, etag) {
            return Err(CommandError::failed(format!(
                "{uri} cannot be fetched: another run has written it anew since this one did"
            ))
            .hint("--again runs it once more"));
        }
        let path = self.folder.join(path_of(key));
        let written = async {
            let parent = path.parent().unwrap_or(&self.folder);
            fs::create_dir_all(parent)?;
            let mut file = temporary_in(parent)?;
            let mut body = got.body;
            while let Some(chunk) = body.try_next().await.map_err(io::Error::other)? {
                file.write_all(&chunk)?;
            }
            if path
                .canonicalize()
                .is_ok_and(|there| self.sources.contains(&there))
            {
                return Err(io::Error::other(
                    "this is the picture that was uploaded; name another folder",
                ));
            }
            file.persist(&path)?;
            Ok::<(), io::Error>(())
        };
        written.await.map_err(|error| {
            CommandError::failed(format!("{uri} cannot be fetched to {}: {error}", path.display()))
        })?;
        Ok(path)
    }

    /// Opens what was fetched, if that is asked for: the file, or the folder of several.
    ///
    /// # Errors
    /// There is no program for it, or it has failed within [`OPENER_PATIENCE`].
    pub async fn open(&self, files: &[PathBuf]) -> Result<(), CommandError> {
        if !self.opens {
            return Ok(());
        }
        let what = match files {
            [] => return Ok(()),
            [file] => file,
            _ => &self.folder,
        };
        let not_opened = |reason: String| {
            let what = printable(&what.display().to_string());
            CommandError::failed(format!("{what} cannot be opened: {OPENER} {reason}"))
                .hint("the result is there; open it with another program")
        };
        let mut started = Command::new(OPENER)
            .arg(what)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_opened(format!("was not started: {error}")))?;
        match timeout(OPENER_PATIENCE, started.wait()).await {
            Ok(Ok(ended)) if !ended.success() => Err(not_opened(format!("ended with {ended}"))),
            // Some go on for as long as the picture is looked at.
            _ => Ok(()),
        }
    }
}

/// As private or open as the user's other files.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(".resizer-")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

fn not_written(folder: &Path, error: &io::Error) -> CommandError {
    CommandError::usage(format!(
        "results cannot be put in {}: {error}",
        printable(&folder.display().to_string())
    ))
}

/// The file for an object, from the folder: no key leads out of it.
fn path_of(key: &str) -> PathBuf {
    let key = key.strip_prefix(RESULTS_PREFIX).unwrap_or(key);
    let part = |part: &str| match part {
        "" | "." | ".." => "_".to_owned(),
        part => part.replace('\0', "_"),
    };
    key.split('/').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_leads_out_of_the_folder() {
        for (key, path) in [
            ("output/album/a_resized.jpg", "album/a_resized.jpg"),
            ("thumbs/a.jpg", "thumbs/a.jpg"),
            ("output/../../etc/passwd", "_/_/etc/passwd"),
            ("/etc/passwd", "_/etc/passwd"),
            ("output//a/./b.jpg", "_/a/_/b.jpg"),
            ("output/a\0b", "a_b"),
            ("output/", "_"),
        ] {
            assert_eq!(path_of(key), PathBuf::from(path), "{key:?}");
        }
    }
}
