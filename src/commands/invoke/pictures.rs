//! The pictures that `--file` names: files, and what is in folders.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::KEY_MAX;
use super::results::ResultsFolder;
use crate::commands::media_type::of_picture;
use crate::config::KeySettings;
use crate::error::CommandError;

/// A file, and the key it is uploaded under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub file: PathBuf,
    pub key: String,
}

/// What `paths` name.
#[derive(Debug, Default)]
pub struct Pictures {
    /// In the order of the paths; those of a folder by their keys. No two have the same key.
    pub pictures: Vec<Picture>,
    /// What of folders cannot be uploaded.
    pub left_out: Vec<LeftOut>,
    /// What of folders looks like a picture, or leads to one, and is none.
    pub odd: Vec<Odd>,
    /// The other files of folders, which are no pictures.
    pub passed_over: Vec<PathBuf>,
}

/// What is passed over, and the reason as a phrase: `is empty`.
#[derive(Debug, PartialEq, Eq)]
pub struct Odd {
    pub path: PathBuf,
    pub why: &'static str,
}

/// A file or a folder that cannot be uploaded, while others can.
#[derive(Debug)]
pub struct LeftOut {
    pub path: PathBuf,
    pub why: CommandError,
}

impl Pictures {
    /// Each file under its name, those of a folder under the folder's name and theirs; hidden ones, and those that do not
    /// begin as pictures do, are passed over in folders. What is named twice is one. `key` is the key of a single file, or, ending in `/`, what is put
    /// before each.
    ///
    /// # Errors
    /// A path cannot be read or has no name to make a key of, two have the same key, or there is no picture at all.
    pub fn find(
        paths: &[PathBuf],
        key: Option<&str>,
        results: Option<&ResultsFolder>,
    ) -> Result<Self, CommandError> {
        let mut found = Self::default();
        let is_key = |key: &&str| paths.len() == 1 && !key.ends_with('/');
        for path in paths {
            let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
            if metadata.is_dir() {
                found.add_folder(path, results)?;
            } else {
                let key = key
                    .filter(is_key)
                    .map_or_else(|| name_of(path), |key| Ok(key.to_owned()));
                found.add(path.clone(), key?);
            }
        }
        let mut seen = HashSet::new();
        found.pictures.retain(|picture| seen.insert(whole(&picture.file)));
        found.put_under(key)?;
        found.check()?;
        Ok(found)
    }

    fn add(&mut self, file: PathBuf, key: String) {
        self.pictures.push(Picture { file, key });
    }

    fn add_folder(&mut self, folder: &Path, results: Option<&ResultsFolder>) -> Result<(), CommandError> {
        // `.` and `..` have names too.
        let real = fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
        let first = self.pictures.len();
        let mut folders = vec![(folder.to_owned(), name_of(&real)?)];
        while let Some((folder, key)) = folders.pop() {
            match fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                Ok(entries) => {
                    let entries = entries.iter();
                    folders.extend(entries.filter_map(|entry| self.add_entry(entry, &key, results)));
                }
                Err(error) => self.leave_out(&folder, unreadable(&folder, &error)),
            }
        }
        self.pictures[first..].sort_by(|a, b| a.key.cmp(&b.key));
        self.left_out.sort_by(|a, b| a.path.cmp(&b.path));
        self.odd.sort_by(|a, b| a.path.cmp(&b.path));
        self.passed_over.sort();
        Ok(())
    }

    /// What is in a folder that has the key `parent`: a folder and its key, to be looked into.
    fn add_entry(
        &mut self,
        entry: &DirEntry,
        parent: &str,
        results: Option<&ResultsFolder>,
    ) -> Option<(PathBuf, String)> {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            return None;
        }
        // Not of what a link leads to: a folder that links to one above it has no end.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let why = if is_folder {
            results
                .is_some_and(|results| results.is(&path))
                .then_some("is where the results go")
        } else {
            no_file(&path)
        };
        if let Some(why) = why {
            self.odd.push(Odd { path, why });
            return None;
        }
        let head = if is_folder { None } else { head(&path).ok() };
        if let Some(head) = head
            && of_picture(&head).is_none()
        {
            match no_picture(&path, &head) {
                Some(why) => self.odd.push(Odd { path, why }),
                None => self.passed_over.push(path),
            }
            return None;
        }
        match name_of(&path) {
            Err(error) => self.leave_out(&path, error),
            Ok(name) if is_folder => return Some((path, format!("{parent}/{name}"))),
            // One that cannot be read is no reason to pass it over in silence: its upload will say why.
            Ok(name) => self.add(path, format!("{parent}/{name}")),
        }
        None
    }

    fn leave_out(&mut self, path: &Path, why: CommandError) {
        let path = path.to_owned();
        self.left_out.push(LeftOut { path, why });
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

    /// Leaves out what would start nothing once it is uploaded, since the rule passes over its key.
    ///
    /// # Errors
    /// That is all of it.
    pub fn leave_out_unless(&mut self, keys: &KeySettings) -> Result<(), CommandError> {
        let pictures = std::mem::take(&mut self.pictures);
        let (admitted, others) = pictures.into_iter().partition(|picture| keys.admit(&picture.key));
        self.pictures = admitted;
        for Picture { file, key } in others {
            let why = CommandError::usage(format!(
                "an upload under {key} starts nothing: the configuration has the rule pass over keys that do not begin with \
                 \"{}\" and end with \"{}\"",
                keys.prefix, keys.suffix
            ))
            .hint("choose another with --key; one that is there can be run with --via states");
            self.leave_out(&file, why);
        }
        match self.left_out.pop_if(|_| self.pictures.is_empty()) {
            Some(last) => Err(last.why),
            None => Ok(()),
        }
    }

    fn check(&self) -> Result<(), CommandError> {
        if self.pictures.is_empty() {
            let error = CommandError::usage(format!(
                "there is no picture to upload{}",
                match self.passed_over.len() + self.odd.len() {
                    0 => String::new(),
                    1 => "; 1 file was passed over".to_owned(),
                    files => format!("; {files} files were passed over"),
                }
            ))
            .hint("a file that is named itself is uploaded whatever is in it");
            let left_out = self.left_out.iter().map(|left_out| &left_out.why.message);
            return Err(left_out.fold(error, CommandError::hint));
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

/// Why there is no file to upload, if there is none.
fn no_file(path: &Path) -> Option<&'static str> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => None,
        Ok(found) if found.is_dir() => Some("is a link to a folder, which is not followed"),
        Ok(_) => Some("is no regular file"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("is a link that leads nowhere"),
        // Its upload will say why.
        Err(_) => None,
    }
}

/// Why a file that begins so is no picture, where that may surprise.
fn no_picture(path: &Path, head: &[u8]) -> Option<&'static str> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let is_named_so = ending.is_some_and(|ending| {
        let named = ["jpg", "jpeg", "png", "webp", "gif", "tif", "tiff", "bmp"];
        named.iter().any(|name| ending.eq_ignore_ascii_case(name))
    });
    match head {
        _ if !is_named_so => None,
        [] => Some("is empty"),
        _ => Some("is no picture, whatever its name says"),
    }
}

/// The path from the root; of a link its own, not that of what it leads to.
fn whole(file: &Path) -> PathBuf {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder);
    match (folder, file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
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
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

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

    fn odd_one(path: PathBuf, why: &'static str) -> Odd {
        Odd { path, why }
    }

    fn keys(paths: &[&Path], key: Option<&str>) -> Result<Vec<String>, String> {
        Pictures::find(&paths.iter().map(PathBuf::from).collect::<Vec<_>>(), key, None)
            .map(|found| found.pictures.into_iter().map(|picture| picture.key).collect())
            .map_err(|error| error.message)
    }

    #[test]
    fn the_pictures_of_a_folder_keep_its_name_and_the_rest_is_passed_over() {
        let place = album();
        let album = place.path().join("album");
        let found = Pictures::find(std::slice::from_ref(&album), None, None).unwrap();
        assert_eq!(found.passed_over, [album.join("notes.txt")]);
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
    fn what_is_named_twice_is_one() {
        let place = album();
        let album = place.path().join("album");
        let (b, sea) = (album.join("b.jpg"), album.join("summer/../summer/2026/sea.jpg"));
        let twice = keys(&[&sea, &b, &album, &album.join("./b.jpg")], None).unwrap();
        assert_eq!(twice, ["sea.jpg", "b.jpg", "album/a b.png"]);
    }

    #[test]
    fn what_has_no_name_or_cannot_be_read_takes_nothing_with_it() {
        let place = album();
        let album = place.path().join("album");
        let odd = album.join(OsStr::from_bytes(b"caf\xe9.jpg"));
        fs::write(&odd, JPEG).unwrap();
        fs::write(album.join("summer/empty.jpg"), "").unwrap();
        let found = Pictures::find(std::slice::from_ref(&album), None, None).unwrap();
        assert_eq!(found.pictures.len(), 3);
        let [left_out] = found.left_out.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(left_out.path, odd);
        assert_eq!(
            found.odd,
            [
                odd_one(
                    album.join("again"),
                    "is a link to a folder, which is not followed"
                ),
                odd_one(album.join("summer/empty.jpg"), "is empty"),
            ]
        );

        assert_eq!(keys(&[&odd], Some("in/cafe.jpg")).unwrap(), ["in/cafe.jpg"]);
        for key in [None, Some("in/")] {
            assert!(
                keys(&[&odd], key)
                    .unwrap_err()
                    .contains("no name to make a key of")
            );
        }
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
        fs::copy(&b, path("summer/b.jpg")).unwrap();
        let twice = keys(&[&b, &path("summer/b.jpg")], None).unwrap_err();
        assert!(twice.contains("would both be b.jpg"), "{twice}");
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
