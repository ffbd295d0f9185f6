//! Writing the page: whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::Builder;

/// Less the umask, as of any file: a web server may have to read it, and whoever must not is kept out by the folder.
const MODE: u32 = 0o666;

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
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    // Beside it, so that it can take its place.
    let mut page = Builder::new()
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)?;
    page.write_all(text.as_bytes())?;
    page.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_takes_the_place_of_the_one_before_and_is_as_readable_as_any_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        fs::write(&path, "before").unwrap();
        write(&path, "after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        let any = folder.path().join("any");
        fs::write(&any, "").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&any));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
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
