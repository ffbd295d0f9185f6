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

/// Writes the source to `folder` in place of whatever is there, all or nothing.
pub fn write(folder: &Path) -> io::Result<()> {
    let unfinished = folder.with_extension("new");
    for stale in [&unfinished, folder] {
        match fs::remove_dir_all(stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for (path, content) in FILES {
        let path_there = unfinished.join(path);
        if let Some(parent) = path_there.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut content = content.to_vec();
        if *path == "Cargo.toml" {
            content.extend_from_slice(OWN_WORKSPACE);
        }
        fs::write(path_there, content)?;
    }
    fs::rename(unfinished, folder)
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

        write(&folder).unwrap();

        assert!(folder.join("src/main.rs").is_file());
        assert!(folder.join("Cargo.lock").is_file());
        assert!(!folder.join("src/stale.rs").exists());
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("name = \"bootstrap\""), "{manifest}");
        assert!(manifest.ends_with("[workspace]\n"), "{manifest}");
    }
}
