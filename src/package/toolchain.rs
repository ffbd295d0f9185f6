//! The compiler that is there, and what it can build for.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::Target;
use super::elf::LAMBDA_GLIBC;
use crate::config::Architecture;
use crate::error::CommandError;

/// Rust, as it is installed here.
#[derive(Debug)]
pub struct Toolchain {
    /// All that `rustc -vV` says.
    pub version: String,
    /// The triple of this machine.
    pub host: String,
    pub sysroot: PathBuf,
}

/// How to call cargo for one target.
#[derive(Debug)]
pub struct Builder {
    /// `build` or `zigbuild`.
    pub subcommand: &'static str,
    /// What `--target` takes.
    pub target: String,
    /// The triple that cargo's folders are named after.
    pub triple: String,
}

impl Toolchain {
    /// Asks the compiler that runs in `folder`.
    pub async fn find(folder: &Path) -> Result<Self, CommandError> {
        let version = rustc(folder, &["-vV"]).await?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .ok_or_else(|| CommandError::failed(format!("rustc -vV is not understood:\n{version}")))?
            .to_owned();
        let sysroot = PathBuf::from(rustc(folder, &["--print", "sysroot"]).await?.trim());
        Ok(Self {
            version,
            host,
            sysroot,
        })
    }

    /// Whether what it builds for this machine is also for `target`.
    pub fn builds_natively(&self, target: Target) -> bool {
        match target {
            Target::Host => true,
            Target::Lambda(architecture) => self.host == lambda_triple(architecture),
        }
    }
}

impl Builder {
    /// This machine's own compiler and linker, for this machine.
    pub fn native(toolchain: &Toolchain) -> Self {
        Self {
            subcommand: "build",
            target: toolchain.host.clone(),
            triple: toolchain.host.clone(),
        }
    }

    /// cargo-zigbuild, which links with zig for any Linux.
    ///
    /// # Errors
    /// It is not there, or Rust's part of it is not: the message says what to install.
    pub async fn zig(toolchain: &Toolchain, target: Target) -> Result<Self, CommandError> {
        let triple = match target {
            Target::Lambda(architecture) => lambda_triple(architecture),
            Target::Host => return Ok(Self::native(toolchain)),
        };
        let mut missing = Vec::new();
        if !answers("cargo", &["zigbuild", "--help"]).await {
            missing.push("cargo install --locked cargo-zigbuild".to_owned());
        }
        if !answers("zig", &["version"]).await && !answers("python3", &["-m", "ziglang", "version"]).await {
            missing.push("pip install ziglang   (or zig from https://ziglang.org/download)".to_owned());
        }
        if !toolchain.sysroot.join("lib/rustlib").join(triple).is_dir() {
            missing.push(format!("rustup target add {triple}"));
        }
        if missing.is_empty() {
            return Ok(Self {
                subcommand: "zigbuild",
                target: format!("{triple}.{LAMBDA_GLIBC}"),
                triple: triple.to_owned(),
            });
        }
        let error = CommandError::failed(format!(
            "this machine ({}) cannot build the function for Lambda ({triple}, GLIBC {LAMBDA_GLIBC}) by itself; \
             cargo-zigbuild can, and is not all there",
            toolchain.host
        ));
        Err(missing
            .into_iter()
            .fold(error, CommandError::hint)
            .hint("or give a ready zip with --handler-zip"))
    }
}

fn lambda_triple(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    }
}

async fn rustc(folder: &Path, arguments: &[&str]) -> Result<String, CommandError> {
    let output = Command::new("rustc")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(not_started)?;
    if !output.status.success() {
        return Err(CommandError::failed(format!(
            "rustc {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Why cargo or rustc did not start.
pub fn not_started(error: io::Error) -> CommandError {
    if error.kind() == io::ErrorKind::NotFound {
        return CommandError::failed("the function is built with Rust, and no Rust is on the PATH")
            .hint("install it from https://rustup.rs, then run this again")
            .hint("or give a ready zip with --handler-zip");
    }
    CommandError::failed(format!("Rust does not start: {error}"))
}

async fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success())
}
