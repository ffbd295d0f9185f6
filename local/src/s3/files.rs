//! The bytes of objects: of small ones in the store, of others one file each, under a fresh unique name,
//! `objects/<2 hex digits>/<uuid>`.
//!
//! Writes and reads are made in place, chunk by chunk, not handed to another thread: they go to and come from the page
//! cache, which takes less time than the hand-over would.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use md5::{Digest, Md5};
use s3s::dto::StreamingBlob;

use super::checksum::{Algorithm, Checksum};
use crate::error::AwsError;
use crate::random;
use crate::store::Store;

/// Where all objects' files lie in the data folder.
pub const FOLDER: &str = "objects";
/// The largest object that one PutObject or one part may bring.
const MOST_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Up to here bytes are in the store: a row is written with others in one go, while a file system takes a thumbnail's file
/// up and away one by one, and slowly where many were removed lately.
const SMALL: usize = 32 * 1024;
/// How much of an object is in memory at a time while it is sent.
const CHUNK: usize = 256 * 1024;
/// A file system's times are coarser than the clock, and the clock may be set back: a file of this run must not look older
/// than its start.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// The folder of all objects' files.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
}

/// A file that is not yet referred to by the store: dropped before [`NewFile::keep`], it is removed.
pub struct NewFile {
    path: PathBuf,
    name: Option<String>,
    file: File,
}

/// The bytes of a new version.
pub enum NewContents {
    Small(Vec<u8>),
    File(NewFile),
}

/// The bytes of a version, to be read.
pub enum Contents {
    Small(Cursor<Vec<u8>>),
    File(File),
}

/// What an upload's body turned out to be.
pub struct Received {
    pub contents: NewContents,
    pub size: u64,
    pub md5: [u8; 16],
    pub checksum: Checksum,
}

impl Files {
    pub fn below(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join(FOLDER),
        }
    }

    pub fn create(&self) -> Result<NewFile, AwsError> {
        let id = random::uuid()?;
        let name = format!("{}/{id}", &id[..2]);
        let path = self.folder.join(&name);
        let file = match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Not its parents: a data folder that somebody removed must not come back.
                match fs::create_dir(self.folder.join(&id[..2])) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    made => made?,
                }
                File::create_new(&path)?
            }
            created => created?,
        };
        Ok(NewFile {
            path,
            name: Some(name),
            file,
        })
    }

    fn create_with(&self, bytes: &[u8]) -> Result<NewFile, AwsError> {
        let mut file = self.create()?;
        file.file.write_all(bytes)?;
        Ok(file)
    }

    /// Takes a body in and computes its MD5 and its checksum on the way.
    pub async fn receive(
        &self,
        body: Option<StreamingBlob>,
        algorithm: Algorithm,
    ) -> Result<Received, AwsError> {
        let mut contents = NewContents::Small(Vec::new());
        let (mut md5, mut hasher, mut size) = (Md5::new(), algorithm.hasher(), 0);
        // A body that cannot be kept is still taken in to its end: who sends it hears an answer only after that.
        let mut kept = Ok(());
        if let Some(mut body) = body {
            while let Some(chunk) = body.next().await {
                let chunk = chunk.map_err(|error| {
                    let message = format!("The body did not arrive as announced: {error}");
                    AwsError::bad_request("IncompleteBody", message)
                })?;
                size += chunk.len() as u64;
                if size > MOST_BYTES {
                    let message = "Your proposed upload exceeds the maximum allowed size";
                    return Err(AwsError::bad_request("EntityTooLarge", message));
                }
                md5.update(&chunk);
                hasher.update(&chunk);
                if kept.is_ok() {
                    kept = contents.write(&chunk, self);
                }
            }
        }
        kept?;
        let checksum = Checksum::finish(algorithm, hasher);
        Ok(Received {
            contents,
            size,
            md5: md5.finalize().into(),
            checksum,
        })
    }

    /// Opens a file; none if it is gone.
    pub fn open(&self, name: &str) -> Result<Option<File>, AwsError> {
        match File::open(self.folder.join(name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same bytes once more, for another version.
    pub fn copy(&self, from: Contents) -> Result<NewContents, AwsError> {
        match from {
            Contents::Small(bytes) => Ok(NewContents::Small(bytes.into_inner())),
            Contents::File(mut source) => {
                let mut file = self.create()?;
                file.append(&mut source)?;
                Ok(NewContents::File(file))
            }
        }
    }

    /// Removes files that nothing refers to any more. What cannot be removed is swept at the next start.
    pub fn remove(&self, names: &[String]) {
        for name in names {
            if let Err(error) = fs::remove_file(self.folder.join(name)) {
                tracing::warn!(name, %error, "failed to remove an object's file");
            }
        }
    }

    /// Removes what a killed process left: files from well before `start` that the store does not know.
    pub fn sweep(&self, store: &Store, start: SystemTime) -> Result<(), AwsError> {
        let known: HashSet<String> = store.read(|db| {
            let mut files = db.prepare(
                "SELECT file FROM object_versions WHERE file IS NOT NULL UNION ALL SELECT file FROM parts",
            )?;
            let known = files.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(known)
        })?;
        let before = start - CLOCK_SLACK;
        for folder in fs::read_dir(&self.folder)? {
            let folder = folder?;
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let name = format!("{}/{}", folder.file_name().display(), file.file_name().display());
                if !known.contains(&name) {
                    remove_if_older(&file, before)?;
                }
            }
        }
        Ok(())
    }
}

impl NewContents {
    fn write(&mut self, chunk: &[u8], files: &Files) -> Result<(), AwsError> {
        match self {
            Self::Small(bytes) if bytes.len() + chunk.len() <= SMALL => bytes.extend_from_slice(chunk),
            Self::Small(bytes) => {
                let mut file = files.create_with(bytes)?;
                file.file.write_all(chunk)?;
                *self = Self::File(file);
            }
            Self::File(file) => file.file.write_all(chunk)?,
        }
        Ok(())
    }

    /// As a file, whatever the size.
    pub fn into_file(self, files: &Files) -> Result<NewFile, AwsError> {
        match self {
            Self::Small(bytes) => files.create_with(&bytes),
            Self::File(file) => Ok(file),
        }
    }

    /// The checksum of the whole.
    pub fn checksum(&self, algorithm: Algorithm) -> Result<Checksum, AwsError> {
        let mut hasher = algorithm.hasher();
        match self {
            Self::Small(bytes) => hasher.update(bytes),
            Self::File(file) => {
                let mut written = File::open(&file.path)?;
                let mut chunk = vec![0; CHUNK];
                loop {
                    match written.read(&mut chunk)? {
                        0 => break,
                        read => hasher.update(&chunk[..read]),
                    }
                }
            }
        }
        Ok(Checksum::finish(algorithm, hasher))
    }
}

impl Read for Contents {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Small(bytes) => bytes.read(into),
            Self::File(file) => file.read(into),
        }
    }
}

impl Seek for Contents {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Small(bytes) => bytes.seek(to),
            Self::File(file) => file.seek(to),
        }
    }
}

impl NewFile {
    /// Its name, for the store to refer to.
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_default()
    }

    /// Says that the store refers to it. Called inside the write that does so: should that not be committed after all, the
    /// file is left for the next start's sweep, while a caller that goes away cannot take a committed one with it.
    pub fn keep(mut self) {
        self.name = None;
    }

    pub fn append(&mut self, from: &mut impl Read) -> io::Result<u64> {
        io::copy(from, &mut self.file)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.name.is_some()
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "failed to remove the file of an upload that failed");
        }
    }
}

/// Requests remove files while the sweep goes on: one that is gone is no failure.
fn remove_if_older(file: &fs::DirEntry, before: SystemTime) -> io::Result<()> {
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    let removed = match modified {
        Ok(modified) if modified < before => fs::remove_file(file.path()),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A range of the bytes as a response's body.
pub fn send(mut contents: Contents, range: Range<u64>) -> Result<StreamingBlob, AwsError> {
    contents.seek(SeekFrom::Start(range.start))?;
    let chunks = Chunks {
        contents,
        left: range.end - range.start,
    };
    Ok(StreamingBlob::wrap(stream::iter(chunks)))
}

struct Chunks {
    contents: Contents,
    left: u64,
}

impl Iterator for Chunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let wanted = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        if wanted == 0 {
            return None;
        }
        let mut chunk = vec![0; wanted];
        self.left -= wanted as u64;
        Some(self.contents.read_exact(&mut chunk).map(|()| chunk.into()))
    }
}
