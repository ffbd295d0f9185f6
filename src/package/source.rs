//! The handler's source, carried in this binary.

use std::path::Path;
use std::{fs, io};

use sha2::{Digest, Sha256};

/// A file's path and its content.
type SourceFile = (&'static str, &'static [u8]);

/// Every file, as `build.rs` found them.
const FILES: &[SourceFile] = include!(concat!(env!("OUT_DIR"), "/handler_source.rs"));

/// Said below the manifest: wherever the folder lies, it is no member of the workspace around it.
const OWN_WORKSPACE: &[u8] = b"\n[workspace]\n";

/// The file that says which source the folder holds.
const DIGEST: &str = ".digest";

/// SHA-256 over every file's path and content.
pub fn digest() -> [u8; 32] {
    let mut hash = Sha256::new();
    for (path, content) in FILES {
        for part in [path.as_bytes(), content] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

/// Has `folder` hold the source, all of it or none; one that does is left alone, or cargo would compile it again.
pub fn write(folder: &Path) -> io::Result<()> {
    if holds_the_source(folder) {
        return Ok(());
    }
    let unfinished = folder.with_extension("new");
    for stale in [&unfinished, folder] {
        match fs::remove_dir_all(stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for file in FILES {
        let path_there = unfinished.join(file.0);
        if let Some(parent) = path_there.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path_there, written(file))?;
    }
    fs::write(unfinished.join(DIGEST), digest())?;
    fs::rename(unfinished, folder)
}

fn holds_the_source(folder: &Path) -> bool {
    // cargo rewrites the lock file, without the entries that the function does not need: the digest stands for it.
    let whole = fs::read(folder.join(DIGEST)).is_ok_and(|there| there == digest());
    let mut files = FILES.iter().filter(|(path, _)| *path != "Cargo.lock");
    whole && files.all(|file| fs::read(folder.join(file.0)).is_ok_and(|there| there == written(file)))
}

/// A file's content, as it is written.
fn written((path, content): &SourceFile) -> Vec<u8> {
    match *path {
        "Cargo.toml" => [content, OWN_WORKSPACE].concat(),
        _ => content.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_source_is_written_whole_in_place_of_what_was_there() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("source");
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/stale.rs"), "").unwrap();
        assert!(!holds_the_source(&folder));

        write(&folder).unwrap();

        assert!(holds_the_source(&folder));
        assert!(folder.join("src/main.rs").is_file());
        assert!(folder.join("Cargo.lock").is_file());
        assert!(!folder.join("src/stale.rs").exists());
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("name = \"bootstrap\""), "{manifest}");
        assert!(manifest.ends_with("[workspace]\n"), "{manifest}");
    }
}
