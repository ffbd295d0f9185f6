//! A function's code: the zip is checked and unpacked once for its hash.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::random;

/// Where all code lies in the data folder.
pub const FOLDER: &str = "functions";
/// The largest zip that may be sent inline.
const MOST_ZIPPED: usize = 50 * 1024 * 1024;
/// The most that it may unpack to.
const MOST_UNPACKED: u64 = 250 * 1024 * 1024;

pub struct Code {
    /// Base64 of the zip's SHA-256: CodeSha256.
    pub sha256: String,
    /// CodeSize.
    pub bytes: usize,
}

/// Takes the code of CreateFunction's `Code`, or of UpdateFunctionCode, and unpacks it.
pub fn take(data_dir: &Path, source: &Value) -> Result<Code, AwsError> {
    let Some(encoded) = source["ZipFile"].as_str() else {
        return Err(invalid("The local cloud takes a function's code as ZipFile only"));
    };
    let zip = STANDARD.decode(encoded).map_err(|_| {
        invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
    })?;
    if zip.len() > MOST_ZIPPED {
        let message =
            format!("Request must be smaller than {MOST_ZIPPED} bytes for the CreateFunction operation");
        return Err(AwsError::new(413, "RequestEntityTooLargeException", message));
    }
    let sha256 = STANDARD.encode(Sha256::digest(&zip));
    let folder = folder(data_dir, &sha256);
    if !folder.exists() {
        make_folder(data_dir)?;
        unpack(&zip, &folder)?;
    }
    Ok(Code {
        sha256,
        bytes: zip.len(),
    })
}

/// Makes the folder of all code, where somebody removed it. Not the data folder: that must not come back.
fn make_folder(data_dir: &Path) -> Result<(), AwsError> {
    match fs::create_dir(data_dir.join(FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

/// Where code of this hash is unpacked.
pub fn folder(data_dir: &Path, sha256: &str) -> PathBuf {
    let name = STANDARD.decode(sha256).map(hex::encode).unwrap_or_default();
    data_dir.join(FOLDER).join(name)
}

/// Removes the folders that no function has: of replaced code, which invocations may have been about to start, and of
/// zips that were being unpacked. For a cloud that starts and runs none yet.
pub fn sweep(cloud: &Cloud) -> Result<(), AwsError> {
    let used: HashSet<PathBuf> = cloud.store.read(|db| {
        let mut query = db.prepare("SELECT json_extract(configuration, '$.CodeSha256') FROM functions")?;
        let used = query.query_map([], |row| row.get(0))?;
        used.map(|sha256: Result<String, _>| Ok(folder(&cloud.data_dir, &sha256?)))
            .collect()
    })?;
    for entry in fs::read_dir(cloud.data_dir.join(FOLDER))? {
        let found = entry?.path();
        if !used.contains(&found) {
            fs::remove_dir_all(&found)?;
        }
    }
    Ok(())
}

/// Unpacks beside the place and moves it there, so that what is there is whole.
fn unpack(zip: &[u8], folder: &Path) -> Result<(), AwsError> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| {
        invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
    })?;
    if archive.index_for_name("bootstrap").is_none() {
        // AWS takes such a zip and fails at the first invocation with Runtime.InvalidEntrypoint; here it is told at once.
        return Err(invalid(
            "The zip holds no file `bootstrap`, which the runtime provided.al2023 starts",
        ));
    }
    let beside = folder.with_extension(random::uuid()?);
    let unpacked = extract(&mut archive, &beside).and_then(|()| match fs::rename(&beside, folder) {
        Err(_) if folder.exists() => Ok(()),
        moved => moved.map_err(AwsError::from),
    });
    if beside.exists() {
        fs::remove_dir_all(&beside)?;
    }
    unpacked
}

fn extract(archive: &mut ZipArchive<Cursor<&[u8]>>, folder: &Path) -> Result<(), AwsError> {
    let unreadable =
        |error: zip::result::ZipError| invalid(&format!("Could not unzip uploaded file: {error}"));
    let mut room = MOST_UNPACKED;
    // Not its parents: a data folder that somebody removed must not come back.
    fs::create_dir(folder)?;
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).map_err(unreadable)?;
        let Some(name) = file.enclosed_name() else {
            return Err(invalid("The zip holds a file name that leads out of it"));
        };
        let target = folder.join(name);
        if file.is_dir() {
            fs::create_dir_all(&target)?;
            continue;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut out = fs::File::create(&target)?;
        room -= io::copy(&mut file.by_ref().take(room), &mut out)?;
        if room == 0 {
            return Err(invalid(&format!(
                "Unzipped size must be smaller than {MOST_UNPACKED} bytes"
            )));
        }
        make_executable(&target)?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), AwsError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    Ok(())
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> Result<(), AwsError> {
    Ok(())
}

fn invalid(message: &str) -> AwsError {
    AwsError::bad_request("InvalidParameterValueException", message)
}
