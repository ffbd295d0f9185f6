//! Whether a program would start where it is sent.

use std::cmp::max;

use object::elf::{self, FileHeader64, Machine};
use object::endian::LittleEndian;
use object::read::elf::{FileHeader, ProgramHeader};
use thiserror::Error;

use super::Target;
use crate::config::Architecture;

/// A version of the GNU C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GlibcVersion {
    major: u32,
    minor: u32,
}

/// What `provided.al2023` has.
/// <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>
pub const LAMBDA_GLIBC: GlibcVersion = GlibcVersion { major: 2, minor: 34 };

/// Why a program would not start.
#[derive(Debug, Error)]
pub enum Refusal {
    #[error("`bootstrap` is no 64-bit Linux program (ELF): {0}")]
    NotElf(String),
    #[error("`bootstrap` is a program for {found}, and the function's architecture is {wanted}")]
    OtherMachine { found: String, wanted: &'static str },
    #[error("`bootstrap` is a program for {found}, and this machine is {wanted}")]
    OtherThanHost { found: String, wanted: &'static str },
    #[error("`bootstrap` wants the program loader {0}, which Lambda does not have")]
    OtherLoader(String),
    #[error("`bootstrap` needs GLIBC {version}, and Lambda's provided.al2023 has {LAMBDA_GLIBC}")]
    NewerGlibc { version: GlibcVersion },
}

impl Refusal {
    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NotElf(_) | Self::OtherLoader(_) => "build it for Linux with glibc, or as a static program",
            Self::OtherMachine { .. } => {
                "build it for that architecture, or set function.architecture in resizer.toml"
            }
            Self::OtherThanHost { .. } => {
                "with --local the function runs on this machine: leave --handler-zip out, and it is built for it"
            }
            Self::NewerGlibc { .. } => {
                "build it with `cargo zigbuild --target x86_64-unknown-linux-gnu.2.34`, or as a static program"
            }
        };
        vec![hint.to_owned()]
    }
}

impl std::fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Says whether `program` would start on `target`.
pub fn check(program: &[u8], target: Target) -> Result<(), Refusal> {
    match target {
        Target::Lambda(architecture) => {
            check_machine(program, architecture, |found, wanted| Refusal::OtherMachine {
                found,
                wanted,
            })?;
            check_loader(program)?;
            check_glibc(program)
        }
        // On Linux the host's own program is an ELF too; its C library is the host's, whichever that is.
        Target::Host if cfg!(target_os = "linux") => {
            check_machine(program, Architecture::HOST, |found, wanted| {
                Refusal::OtherThanHost { found, wanted }
            })
        }
        // Elsewhere programs have other formats (Mach-O), and the host says itself what it does not start.
        Target::Host => Ok(()),
    }
}

type Header = FileHeader64<LittleEndian>;

fn header(program: &[u8]) -> Result<&Header, Refusal> {
    Header::parse(program).map_err(not_elf)
}

fn not_elf(error: object::read::Error) -> Refusal {
    Refusal::NotElf(error.to_string())
}

fn check_machine(
    program: &[u8],
    architecture: Architecture,
    refusal: fn(String, &'static str) -> Refusal,
) -> Result<(), Refusal> {
    let (machine, wanted) = match architecture {
        Architecture::X86_64 => (elf::EM_X86_64, "x86_64"),
        Architecture::Arm64 => (elf::EM_AARCH64, "arm64"),
    };
    let found = header(program)?.e_machine(LittleEndian);
    if found == machine {
        return Ok(());
    }
    Err(refusal(machine_name(found), wanted))
}

fn machine_name(machine: Machine) -> String {
    match machine {
        elf::EM_X86_64 => "x86_64".to_owned(),
        elf::EM_AARCH64 => "arm64".to_owned(),
        other => format!("another processor (ELF machine {})", other.0),
    }
}

/// A static program wants no loader; one linked to another C library (musl) wants one that is not there.
fn check_loader(program: &[u8]) -> Result<(), Refusal> {
    const GLIBC_LOADERS: [&[u8]; 2] = [b"/lib64/ld-linux-x86-64.so.2", b"/lib/ld-linux-aarch64.so.1"];
    let segments = header(program)?
        .program_headers(LittleEndian, program)
        .map_err(not_elf)?;
    for segment in segments {
        if let Some(loader) = segment.interpreter(LittleEndian, program).map_err(not_elf)?
            && !GLIBC_LOADERS.contains(&loader)
        {
            return Err(Refusal::OtherLoader(String::from_utf8_lossy(loader).into_owned()));
        }
    }
    Ok(())
}

fn check_glibc(program: &[u8]) -> Result<(), Refusal> {
    match needed_glibc(program).map_err(not_elf)? {
        Some(version) if version > LAMBDA_GLIBC => Err(Refusal::NewerGlibc { version }),
        _ => Ok(()),
    }
}

/// The newest GLIBC version that a symbol of the program is bound to.
fn needed_glibc(program: &[u8]) -> object::read::Result<Option<GlibcVersion>> {
    let endian = LittleEndian;
    let sections = Header::parse(program)?.sections(endian, program)?;
    let Some((needs, strings)) = sections.gnu_verneed(endian, program)? else {
        return Ok(None);
    };
    let strings = sections.strings(endian, program, strings)?;
    let mut newest = None;
    for need in needs {
        for version in need?.1 {
            let version = version?;
            // The loader goes on without a version that only weak references want.
            if version.vna_flags.get(endian).0 & elf::VER_FLG_WEAK.0 != 0 {
                continue;
            }
            newest = max(newest, glibc_version(version.name(endian, strings)?));
        }
    }
    Ok(newest)
}

/// `GLIBC_2.34` → 2.34; `None` for versions of other libraries and glibc's private ones.
fn glibc_version(name: &[u8]) -> Option<GlibcVersion> {
    let version = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?;
    if version.starts_with("ABI_") {
        // Packed relocations (`GLIBC_ABI_DT_RELR`) and what comes after them are glibc 2.36's and later.
        return Some(GlibcVersion { major: 2, minor: 36 });
    }
    let mut numbers = version.split('.').map(str::parse);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(GlibcVersion { major, minor })
}

#[cfg(test)]
mod tests;
