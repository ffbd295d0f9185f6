//! The zip that Lambda takes: one entry, `bootstrap`, and the same bytes for the same program.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use thiserror::Error;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::Target;

const MIB: u64 = 1024 * 1024;

/// The largest zip that Lambda takes in a request.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ZIPPED_MAX: u64 = 50 * MIB;

/// The most that a function's files may be together (same page).
const UNZIPPED_MAX: u64 = 250 * MIB;

/// How hard a program for `target` is compressed, in `zip`'s numbering, where those over 9 are Zopfli's iterations.
fn level(target: Target) -> i64 {
    match target {
        // It takes longest and saves 1.6 % over the rest of Deflate: packed once, it is fetched at each cold start.
        Target::Lambda(_) => 10,
        // What stays on this machine.
        Target::Host => 1,
    }
}

/// What the runtime `provided.al2023` starts.
const BOOTSTRAP: &str = "bootstrap";

/// Why a zip is not one that Lambda takes.
#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is larger than the {} MiB that Lambda takes", ZIPPED_MAX / MIB)]
    ZippedTooLarge,
    #[error("unpacked it is larger than the {} MiB that Lambda takes", UNZIPPED_MAX / MIB)]
    UnzippedTooLarge,
    #[error("it is no zip, or a broken one: {0}")]
    Malformed(#[from] zip::result::ZipError),
    #[error("it has no file `bootstrap` at its top level, which is what Lambda starts")]
    NoBootstrap,
    #[error("its file `bootstrap` is not executable: `chmod +x bootstrap` before zipping")]
    NotExecutable,
}

/// Packs the program for `target`: no date, no owner, nothing that differs from one build to the next.
pub fn pack(bootstrap: &[u8], target: Target) -> Result<Vec<u8>, ArchiveError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level(target)))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(BOOTSTRAP, options)?;
    zip.write_all(bootstrap)?;
    let bytes = zip.finish()?.into_inner();
    if bytes.len() as u64 > ZIPPED_MAX {
        return Err(ArchiveError::ZippedTooLarge);
    }
    Ok(bytes)
}

/// Reads a zip, no more of it than Lambda would take.
pub fn read(path: &Path) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(ZIPPED_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > ZIPPED_MAX {
        return Err(ArchiveError::ZippedTooLarge);
    }
    Ok(bytes)
}

/// The program in a zip, with the zip found to be one that Lambda takes.
pub fn bootstrap(zip: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    unpack(zip, UNZIPPED_MAX)
}

/// The program in a zip whose files are together no larger than `max` bytes.
fn unpack(zip: &[u8], max: u64) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(zip))?;
    if archive
        .decompressed_size()
        .is_some_and(|size| size > u128::from(max))
    {
        return Err(ArchiveError::UnzippedTooLarge);
    }
    let entry = archive.by_name(BOOTSTRAP).map_err(|error| match error {
        zip::result::ZipError::FileNotFound => ArchiveError::NoBootstrap,
        error => error.into(),
    })?;
    if !entry.is_file() {
        return Err(ArchiveError::NoBootstrap);
    }
    if entry.unix_mode().is_none_or(|mode| mode & 0o111 == 0) {
        return Err(ArchiveError::NotExecutable);
    }
    // The size that the zip claims is not to be trusted.
    let mut program = Vec::new();
    entry.take(max + 1).read_to_end(&mut program)?;
    if program.len() as u64 > max {
        return Err(ArchiveError::UnzippedTooLarge);
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Architecture;

    fn zip_of(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().unix_permissions(mode);
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn the_same_program_gives_the_same_zip() {
        let program = b"program".repeat(10_000);
        let first = pack(&program, Target::Lambda(Architecture::X86_64)).unwrap();
        assert_eq!(
            first,
            pack(&program, Target::Lambda(Architecture::X86_64)).unwrap()
        );
        assert!(first.len() < program.len());
        assert_eq!(bootstrap(&first).unwrap(), program);
    }

    #[test]
    fn an_entry_is_dated_1980_and_executable() {
        let zip = pack(b"program", Target::Host).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(archive.len(), 1);
        let entry = archive.by_index(0).unwrap();
        assert_eq!(entry.unix_mode().unwrap() & 0o777, 0o755);
        assert_eq!(entry.last_modified().unwrap().year(), 1980);
    }

    #[test]
    fn a_zip_without_a_top_level_bootstrap_is_refused() {
        let zip = zip_of("target/bootstrap", 0o755, b"program");
        assert!(matches!(bootstrap(&zip), Err(ArchiveError::NoBootstrap)));
    }

    #[test]
    fn a_bootstrap_that_is_not_executable_is_refused() {
        let zip = zip_of("bootstrap", 0o644, b"program");
        assert!(matches!(bootstrap(&zip), Err(ArchiveError::NotExecutable)));
    }

    #[test]
    fn what_unpacks_to_more_than_lambda_takes_is_refused() {
        let zip = zip_of("bootstrap", 0o755, &[0; 100_001]);
        assert!(zip.len() < 1000, "it is small to look at");
        assert!(matches!(
            unpack(&zip, 100_000),
            Err(ArchiveError::UnzippedTooLarge)
        ));
    }

    #[test]
    fn a_zip_larger_than_lambda_takes_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.zip");
        File::create(&path).unwrap().set_len(ZIPPED_MAX + 1).unwrap();
        assert!(matches!(read(&path), Err(ArchiveError::ZippedTooLarge)));
    }

    #[test]
    fn a_file_that_is_no_zip_or_half_of_one_is_refused() {
        let whole = pack(&b"program".repeat(1000), Target::Host).unwrap();
        for broken in [b"plain text".as_slice(), &whole[..whole.len() / 2]] {
            assert!(matches!(bootstrap(broken), Err(ArchiveError::Malformed(_))));
        }
    }
}
