//! The pictures that `--file` names: files, and what is in folders.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::KEY_MAX;
use crate::commands::media_type::of_picture;
use crate::error::CommandError;

/// A file, and the key it is uploaded under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub file: PathBuf,
    pub key: String,
}

/// What `paths` name.
#[derive(Debug, PartialEq, Eq)]
pub struct Pictures {
    /// In the order of the paths; those of a folder by their keys. No two have the same key.
    pub pictures: Vec<Picture>,
    /// How many files of folders are no pictures.
    pub passed_over: usize,
}

impl Pictures {
    /// Each file under its name, those of a folder under the folder's name and theirs; hidden ones, and those that do not
    /// begin as pictures do, are passed over in folders. `key` is the key of a single file, or, ending in `/`, what is put
    /// before each.
    ///
    /// # Errors
    /// A path cannot be read or has no name to make a key of, two have the same key, or there is no picture at all.
    pub fn find(paths: &[PathBuf], key: Option<&str>) -> Result<Self, CommandError> {
        let mut found = Self {
            pictures: Vec::new(),
            passed_over: 0,
        };
        for path in paths {
            let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
            if metadata.is_dir() {
                found.add_folder(path)?;
            } else {
                found.add(path.clone(), name_of(path)?);
            }
        }
        found.put_under(key)?;
        found.check()?;
        Ok(found)
    }

    fn add(&mut self, file: PathBuf, key: String) {
        self.pictures.push(Picture { file, key });
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), CommandError> {
        // `.` and `..` have names too.
        let real = fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
        let first = self.pictures.len();
        let mut folders = vec![(folder.to_owned(), name_of(&real)?)];
        while let Some((folder, key)) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
                let entry = entry.map_err(|error| unreadable(&folder, &error))?;
                let path = entry.path();
                let name = name_of(&path)?;
                if name.starts_with('.') {
                    continue;
                }
                let key = format!("{key}/{name}");
                // Not of what a link leads to: a folder that links to one above it has no end.
                let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
                if kind.is_dir() {
                    folders.push((path, key));
                } else if path.is_file() {
                    self.add_if_picture(path, key);
                }
            }
        }
        self.pictures[first..].sort_by(|a, b| a.key.cmp(&b.key));
        Ok(())
    }

    /// One that cannot be read is no reason to pass it over in silence: its upload will say why.
    fn add_if_picture(&mut self, file: PathBuf, key: String) {
        match head(&file) {
            Ok(head) if of_picture(&head).is_none() => self.passed_over += 1,
            _ => self.add(file, key),
        }
    }

    fn put_under(&mut self, key: Option<&str>) -> Result<(), CommandError> {
        match (key, self.pictures.as_mut_slice()) {
            (None, _) => {}
            (Some(prefix), pictures) if prefix.ends_with('/') => {
                for picture in pictures {
                    picture.key.insert_str(0, prefix);
                }
            }
            (Some(key), [picture]) => key.clone_into(&mut picture.key),
            (Some(key), pictures) => {
                return Err(CommandError::usage(format!(
                    "--key {key} is the name of one object, and there are {} files",
                    pictures.len()
                ))
                .hint(format!(
                    "with a / at its end it is put before each name: --key {key}/"
                )));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), CommandError> {
        if self.pictures.is_empty() {
            return Err(CommandError::usage(format!(
                "there is no picture to upload; {} other files were passed over",
                self.passed_over
            ))
            .hint("a file that is named itself is uploaded whatever is in it"));
        }
        let mut files = HashMap::new();
        for Picture { file, key } in &self.pictures {
            if key.is_empty() || key.len() > KEY_MAX {
                return Err(CommandError::usage(format!(
                    "S3 takes keys of 1 to {KEY_MAX} bytes; that of {} has {}",
                    file.display(),
                    key.len()
                )));
            }
            if let Some(other) = files.insert(key, file) {
                return Err(CommandError::usage(format!(
                    "{} and {} would both be {key}",
                    other.display(),
                    file.display()
                ))
                .hint("upload them one after the other, with --key IN/ before the names of one"));
            }
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::usage(format!("{} cannot be read: {error}", path.display()))
}

/// The name that becomes a key.
fn name_of(path: &Path) -> Result<String, CommandError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        CommandError::usage(format!("{} has no name to make a key of", path.display()))
            .hint("a key is Unicode; --key says one for a single file")
    })
}

/// A file's first bytes.
pub fn head(file: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(file)?.take(16).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";

    /// A folder `album` with pictures and other things.
    fn album() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        let album = place.path().join("album");
        fs::create_dir_all(album.join("summer/2026")).unwrap();
        for (name, bytes) in [
            ("b.jpg", JPEG),
            ("a b.png", b"\x89PNG\r\n\x1a\n"),
            ("summer/2026/sea.jpg", JPEG),
            (".hidden.jpg", JPEG),
            ("notes.txt", b"no picture"),
        ] {
            fs::write(album.join(name), bytes).unwrap();
        }
        // Round and round, if it were followed.
        std::os::unix::fs::symlink(&album, album.join("again")).unwrap();
        place
    }

    fn keys(paths: &[&Path], key: Option<&str>) -> Result<Vec<String>, String> {
        Pictures::find(&paths.iter().map(PathBuf::from).collect::<Vec<_>>(), key)
            .map(|found| found.pictures.into_iter().map(|picture| picture.key).collect())
            .map_err(|error| error.message)
    }

    #[test]
    fn the_pictures_of_a_folder_keep_its_name_and_the_rest_is_passed_over() {
        let place = album();
        let album = place.path().join("album");
        let found = Pictures::find(std::slice::from_ref(&album), None).unwrap();
        assert_eq!(found.passed_over, 1);
        assert_eq!(
            keys(&[&album], None).unwrap(),
            ["album/a b.png", "album/b.jpg", "album/summer/2026/sea.jpg"]
        );
        assert_eq!(
            keys(
                &[&album.join("summer/2026/.."), &album.join("b.jpg")],
                Some("in/")
            )
            .unwrap(),
            ["in/summer/2026/sea.jpg", "in/b.jpg"]
        );
    }

    #[test]
    fn a_file_that_is_named_itself_is_taken_whatever_it_is() {
        let place = album();
        let notes = place.path().join("album/notes.txt");
        assert_eq!(keys(&[&notes], None).unwrap(), ["notes.txt"]);
        assert_eq!(keys(&[&notes], Some("a.jpg")).unwrap(), ["a.jpg"]);
    }

    #[test]
    fn what_has_no_key_of_its_own_is_refused() {
        let place = album();
        let path = |name: &str| place.path().join("album").join(name);
        let (b, sea) = (path("b.jpg"), path("summer/2026/sea.jpg"));
        assert!(keys(&[&b, &b], None).unwrap_err().contains("would both be b.jpg"));
        assert!(
            keys(&[&b, &sea], Some("one.jpg"))
                .unwrap_err()
                .contains("one object")
        );
        assert!(
            keys(&[&path("nowhere.jpg")], None)
                .unwrap_err()
                .contains("cannot be read")
        );
        assert!(keys(&[&b], Some("")).unwrap_err().contains("1 to 1024"));
        assert!(keys(&[&b], Some(&"k".repeat(KEY_MAX + 1))).is_err());
        fs::create_dir(path("empty")).unwrap();
        assert!(keys(&[&path("empty")], None).unwrap_err().contains("no picture"));
    }
}
