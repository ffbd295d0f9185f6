//! The data folder, and how other processes find the server that holds it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use base64::Engine;
use serde::{Deserialize, Serialize};

use crate::error::StartError;
use crate::random;

const FILE: &str = "endpoint.json";
/// Locked by the server, whose process id it holds.
const LOCK: &str = "lock";
/// How often a lock that is held for an instant is tried, and the pause between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(5);
/// How often the server looks whether the folder is still its own.
const LOOK: Duration = Duration::from_millis(500);

/// Where a local cloud is reached, and as whom. Kept in the data folder as `endpoint.json`, readable by its owner only.
#[derive(Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// The process that serves, or served last.
    pub pid: u32,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

/// Why it could not be told whether a server holds a data folder.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error("failed to read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not what a local cloud writes: {source}", path.display())]
    Malformed {
        path: PathBuf,
        source: serde_json::Error,
    },
}

impl FindError {
    /// Whether what should be a folder, or one above it, is a file.
    pub fn is_no_folder(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotADirectory)
    }
}

impl Endpoint {
    /// The endpoint of the server that holds `data_dir` now; none if no server runs there, or if it has not got so far.
    pub fn find(data_dir: &Path) -> Result<Option<Self>, FindError> {
        let Some(pid) = Self::holder(data_dir)? else {
            return Ok(None);
        };
        Ok(Self::read(data_dir)?.filter(|endpoint| endpoint.pid == pid))
    }

    /// The process that holds `data_dir` now: a server, also while it starts or ends.
    pub fn holder(data_dir: &Path) -> Result<Option<u32>, FindError> {
        let path = data_dir.join(LOCK);
        let failed = |source| FindError::Read {
            path: path.clone(),
            source,
        };
        // Whoever takes the lock writes its process id next.
        for _ in 0..TRIES {
            let mut lock = match File::open(&path) {
                Ok(lock) => lock,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(source) => return Err(failed(source)),
            };
            match lock.try_lock_shared() {
                Ok(()) => return Ok(None),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            let mut text = String::new();
            lock.read_to_string(&mut text).map_err(failed)?;
            if let Ok(pid) = text.trim().parse() {
                return Ok(Some(pid));
            }
            thread::sleep(PAUSE);
        }
        Err(failed(io::Error::other("it is locked and names no process")))
    }

    fn read(data_dir: &Path) -> Result<Option<Self>, FindError> {
        let path = data_dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FindError::Read { path, source }),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| FindError::Malformed { path, source })
    }

    /// The port of [`Endpoint::url`].
    pub fn port(&self) -> Option<u16> {
        self.url.rsplit_once(':')?.1.parse().ok()
    }
}

/// The region of a data folder that was never asked for another.
pub const FIRST_REGION: &str = "us-east-1";

/// A data folder that this process holds: nobody else serves it while this lives.
pub struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl DataFolder {
    /// Creates the folder if need be (its owner's alone) and takes its lock.
    pub fn hold(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::Folder {
            path: path.to_path_buf(),
            source,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(failed)?;
        // `Endpoint::holder` takes the lock for an instant to see whether it is free: that is no server.
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    lock.set_len(0).map_err(failed)?;
                    write!(lock, "{}", std::process::id()).map_err(failed)?;
                    return Ok(Self {
                        path: path.to_path_buf(),
                        lock,
                    });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        let pid = Endpoint::holder(path).map_err(|error| failed(io::Error::other(error)))?;
        Err(StartError::InUse {
            path: path.to_path_buf(),
            pid: pid.unwrap_or_default(),
        })
    }

    /// Makes a folder in it.
    pub fn make(&self, name: &str) -> Result<(), StartError> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|source| StartError::Folder { path, source })
    }

    /// Returns when the folder is not there any more, or another is in its place.
    pub async fn lost(&self) {
        while self.is_there() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What cannot be told (no file descriptors, say) is no reason to end.
    fn is_there(&self) -> bool {
        match (fs::metadata(self.path.join(LOCK)), self.lock.metadata()) {
            (Ok(there), Ok(held)) => (there.dev(), there.ino()) == (held.dev(), held.ino()),
            (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
            (Ok(_), Err(_)) => true,
        }
    }

    /// Listens, and writes the endpoint: region and credentials are a folder's for good; the port is kept when it is free.
    pub fn listen(
        &self,
        port: Option<u16>,
        region: Option<String>,
    ) -> Result<(TcpListener, Endpoint), StartError> {
        let failed = |source| StartError::Folder {
            path: self.path.clone(),
            source,
        };
        let earlier = Endpoint::read(&self.path).map_err(|error| StartError::BadEndpointFile {
            path: self.path.join(FILE),
            reason: error.to_string(),
        })?;
        if let (Some(asked), Some(earlier)) = (&region, &earlier)
            && *asked != earlier.region
        {
            return Err(StartError::OtherRegion {
                path: self.path.clone(),
                region: earlier.region.clone(),
            });
        }
        let listener = bind(port, earlier.as_ref().and_then(Endpoint::port))?;
        let region = region
            .or_else(|| earlier.as_ref().map(|earlier| earlier.region.clone()))
            .unwrap_or_else(|| FIRST_REGION.to_owned());
        let (access_key_id, secret_access_key) = match earlier {
            Some(earlier) => (earlier.access_key_id, earlier.secret_access_key),
            None => new_credentials().map_err(failed)?,
        };
        let endpoint = Endpoint {
            url: format!("http://{}", listener.local_addr().map_err(failed)?),
            region,
            access_key_id,
            secret_access_key,
            pid: std::process::id(),
        };
        self.write(&endpoint).map_err(failed)?;
        Ok((listener, endpoint))
    }

    fn write(&self, endpoint: &Endpoint) -> io::Result<()> {
        let written = self.path.join(format!("{FILE}.new"));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&written)?;
        file.write_all(&serde_json::to_vec_pretty(endpoint)?)?;
        fs::rename(written, self.path.join(FILE))
    }
}

fn bind(wanted: Option<u16>, earlier: Option<u16>) -> Result<TcpListener, StartError> {
    let listen = |port| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| StartError::Listen { port, source })
    };
    match (wanted, earlier) {
        (Some(port), _) => listen(port),
        (None, Some(port)) => listen(port).or_else(|_| listen(0)),
        (None, None) => listen(0),
    }
}

/// An access key id and a secret access key, in the forms of AWS's.
fn new_credentials() -> io::Result<(String, String)> {
    let id = random::unique_id("AKIA").map_err(io::Error::other)?;
    let secret: [u8; 30] = random::bytes().map_err(io::Error::other)?;
    Ok((id, base64::engine::general_purpose::STANDARD.encode(secret)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_has_one_server_and_is_found_while_it_lives() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("local");
        assert!(Endpoint::find(&path).unwrap().is_none());

        let folder = DataFolder::hold(&path).unwrap();
        let (_listener, endpoint) = folder.listen(None, None).unwrap();
        let pid = std::process::id();
        assert!(matches!(DataFolder::hold(&path), Err(StartError::InUse { pid: of, .. }) if of == pid));
        assert_eq!(Endpoint::holder(&path).unwrap(), Some(pid));
        assert_eq!(Endpoint::find(&path).unwrap().unwrap().url, endpoint.url);

        drop(folder);
        assert!(Endpoint::find(&path).unwrap().is_none());
    }

    #[test]
    fn a_folder_keeps_its_region() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::hold(&parent.path().join("local")).unwrap();
        folder.listen(None, Some("eu-west-3".to_owned())).unwrap();
        let refused = folder.listen(None, Some("us-east-1".to_owned())).map(|_| ());
        assert!(matches!(refused, Err(StartError::OtherRegion { region, .. }) if region == "eu-west-3"));
    }

    #[test]
    fn credentials_and_port_stay_over_a_restart_and_are_the_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("local");
        let first = DataFolder::hold(&path)
            .unwrap()
            .listen(None, Some("eu-west-3".to_owned()))
            .unwrap()
            .1;

        let second = DataFolder::hold(&path).unwrap().listen(None, None).unwrap().1;

        assert_eq!(first.secret_access_key, second.secret_access_key);
        assert_eq!(first.url, second.url);
        assert_eq!(second.region, "eu-west-3");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(
            fs::metadata(path.join(FILE)).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(!format!("{first:?}").contains(&first.secret_access_key));
    }
}
