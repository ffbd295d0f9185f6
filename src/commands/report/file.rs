//! Writing the page: whole or not at all, and for nobody else to read.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `text` to `path`, in the place of a file that is there.
///
/// # Errors
/// There is something else than a file; a folder or a disk that does not take it.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("there is something else than a file"));
    }
    let folder = path
        .parent()
        .ok_or_else(|| io::Error::other("it names no file"))?;
    // Beside it, so that it can take its place; no one else may read it.
    let mut page = if folder.as_os_str().is_empty() {
        NamedTempFile::new_in(".")?
    } else {
        NamedTempFile::new_in(folder)?
    };
    page.write_all(text.as_bytes())?;
    page.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_page_takes_the_place_of_the_one_before_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        fs::write(&path, "before").unwrap();
        write(&path, "after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path(), "page").is_err());
        assert!(write(Path::new("/dev/null"), "page").is_err());
        assert!(write(Path::new(".."), "page").is_err());
        assert!(write(&folder.path().join("no/such/folder.html"), "page").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
