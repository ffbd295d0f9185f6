//! The cache folder: source, build folder and finished zips; one build at a time.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, HomeDirError};

use crate::error::CommandError;
use crate::turn::Turn;
use crate::ui::Ui;

/// `resizer/` in the user's cache folder (`$XDG_CACHE_HOME`, else `~/.cache`).
pub fn cache_folder() -> Result<PathBuf, HomeDirError> {
    Ok(etcetera::choose_base_strategy()?.cache_dir().join("resizer"))
}

/// The folder of [`cache_folder`], with what building needs.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Makes the folder if need be.
    pub fn open() -> Result<Self, CommandError> {
        let root = cache_folder().map_err(|error| {
            CommandError::failed(format!("no folder to build the function in: {error}"))
                .hint("set HOME or XDG_CACHE_HOME")
        })?;
        Self::at(root)
    }

    /// The folder as it is there, if it is.
    pub fn find() -> Option<Self> {
        let root = cache_folder().ok()?;
        root.is_dir().then_some(Self { root })
    }

    fn at(root: PathBuf) -> Result<Self, CommandError> {
        fs::create_dir_all(root.join("packages")).map_err(|error| {
            CommandError::failed(format!(
                "the cache folder {} cannot be made: {error}",
                root.display()
            ))
            .hint("choose another with XDG_CACHE_HOME")
        })?;
        Ok(Self { root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The handler's source.
    pub fn source(&self) -> PathBuf {
        self.root.join("source")
    }

    /// cargo's build folder; kept, so that a changed handler does not compile its dependencies again.
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// How cargo is to compile it.
    pub fn profile(&self) -> PathBuf {
        self.root.join("profile.toml")
    }

    /// The finished zip of `key`.
    pub fn package(&self, key: &str) -> PathBuf {
        self.root.join("packages").join(format!("{key}.zip"))
    }

    /// Keeps a finished zip: under its name there is all of it or nothing.
    pub fn keep(&self, key: &str, bytes: &[u8]) -> Result<(), CommandError> {
        let path = self.package(key);
        let unfinished = path.with_extension("new");
        fs::write(&unfinished, bytes)?;
        fs::rename(unfinished, path)?;
        Ok(())
    }

    /// Waits until no other process builds here.
    pub async fn turn(&self, ui: &Ui) -> Result<Turn, CommandError> {
        let waits = "Another resizer is building the function: waiting for it";
        Ok(Turn::wait(&self.root.join("lock"), waits, ui).await?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_kept_package_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().to_path_buf()).unwrap();
        cache.keep("k", b"zip").unwrap();
        assert_eq!(fs::read(cache.package("k")).unwrap(), b"zip");
        assert_eq!(fs::read_dir(folder.path().join("packages")).unwrap().count(), 1);
    }
}
