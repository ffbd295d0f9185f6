//! The function's code: built from the source this binary carries, zipped, checked, and kept for next time.
//!
//! # Layout
//! - [`source`]: the handler's source, and writing it out
//! - [`cache`]: the folder it all happens in, and one build at a time
//! - [`toolchain`]: the compiler that is there, and whether it builds for the target by itself
//! - [`build`]: cargo at work, and what its failures mean
//! - [`archive`]: the zip, made and read
//! - [`elf`]: whether the program would start where it is sent

mod archive;
mod build;
mod cache;
mod elf;
mod source;
mod toolchain;

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::config::{Architecture, Place, Settings};
use crate::error::CommandError;
use crate::ui::Ui;
use crate::ui::waiting::waited;
use cache::Cache;
pub use cache::cache_folder;
use elf::Refusal;
use toolchain::{Builder, Toolchain};

/// Where the function is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// On Lambda's `provided.al2023`.
    Lambda(Architecture),
    /// As a process of this machine, by the local cloud.
    Host,
}

/// Which of the programs that the function's source gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    target: Target,
    /// Whether it writes AVIF: the encoder makes it larger, so that who asks for none does without.
    writes_avif: bool,
}

impl Program {
    /// What the stack of `settings` runs.
    pub fn of(settings: &Settings) -> Self {
        Self {
            target: match settings.place {
                Place::Local { .. } => Target::Host,
                Place::Aws { .. } => Target::Lambda(settings.function.architecture.unwrap_or_default()),
            },
            writes_avif: settings.writes_avif,
        }
    }
}

/// A zip that Lambda takes.
#[derive(Debug, Clone)]
pub struct FunctionPackage {
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes` in Base64, as Lambda's `CodeSha256` has it.
    pub sha256: String,
}

impl FunctionPackage {
    fn new(bytes: Vec<u8>) -> Self {
        let sha256 = aws_smithy_types::base64::encode(Sha256::digest(&bytes));
        Self { bytes, sha256 }
    }
}

/// The function's code: `zip` if one is given, else built here, or found built already.
///
/// # Errors
/// A zip that Lambda would refuse or that would not start there; no compiler, or one that failed.
pub async fn function_package(
    program: Program,
    zip: Option<&Path>,
    ui: &Ui,
) -> Result<FunctionPackage, CommandError> {
    match zip {
        Some(path) => ready_zip(program, path),
        None => built_zip(program, ui).await,
    }
    .map(FunctionPackage::new)
}

/// The function's code, if it is built already: looks and makes nothing, not even a folder.
pub async fn function_package_at_hand(program: Program) -> Option<FunctionPackage> {
    let cache = Cache::find()?;
    let toolchain = Toolchain::find(cache.root()).await.ok()?;
    cached(&cache, &cache_key(program, &toolchain), program.target).map(FunctionPackage::new)
}

/// The beginning of what a function of ours says that is asked for AVIF and cannot write it: it is in that function alone.
const WITHOUT_AVIF: &[u8] = b"the function was built without the encoder";

/// Reads and checks the zip at `path`.
fn ready_zip(program: Program, path: &Path) -> Result<Vec<u8>, CommandError> {
    let refused =
        |reason: String| CommandError::failed(format!("the zip {} is refused: {reason}", path.display()));
    let bytes = archive::read(path).map_err(|error| refused(error.to_string()))?;
    let bootstrap = archive::bootstrap(&bytes).map_err(|error| refused(error.to_string()))?;
    if let Err(refusal) = elf::check(&bootstrap, program.target) {
        let error = refused(refusal.to_string());
        return Err(refusal.hints().into_iter().fold(error, CommandError::hint));
    }
    let has = |text: &[u8]| bootstrap.windows(text.len()).any(|window| window == text);
    if program.writes_avif && has(WITHOUT_AVIF) {
        let error = refused(
            "the configuration asks for AVIF, and its function was built without the encoder".to_owned(),
        );
        return Err(error.hint(
            "leave --handler-zip out, and a function with the encoder is built; or name a zip that has it",
        ));
    }
    Ok(bytes)
}

/// The zip from the cache, or a new one.
async fn built_zip(program: Program, ui: &Ui) -> Result<Vec<u8>, CommandError> {
    let target = program.target;
    let cache = Cache::open()?;
    let toolchain = Toolchain::find(cache.root()).await?;
    let key = cache_key(program, &toolchain);
    if let Some(bytes) = cached(&cache, &key, target) {
        return Ok(bytes);
    }

    let _building = cache.turn(ui).await?;
    // Whoever had the turn before may have built just this.
    if let Some(bytes) = cached(&cache, &key, target) {
        return Ok(bytes);
    }
    source::write(&cache.source())?;
    let bootstrap = build(&cache, &toolchain, program, ui).await?;
    let packing = spawn_blocking(move || archive::pack(&bootstrap, target));
    let packed = waited(ui, "Packing the function", packing).await;
    let bytes = packed
        .map_err(|_| CommandError::failed("the function could not be packed"))?
        .map_err(CommandError::failed)?;
    cache.keep(&key, &bytes)?;
    Ok(bytes)
}

/// Everything that decides the program's bytes.
fn cache_key(program: Program, toolchain: &Toolchain) -> String {
    let mut hash = Sha256::new();
    hash.update(source::digest());
    hash.update(format!("{program:?}"));
    hash.update(build::profile(program.target));
    hash.update(&toolchain.version);
    hex::encode(hash.finalize())
}

/// What the cache has under `key`, if it is whole: a broken entry is built again.
fn cached(cache: &Cache, key: &str, target: Target) -> Option<Vec<u8>> {
    let bytes = archive::read(&cache.package(key)).ok()?;
    let bootstrap = archive::bootstrap(&bytes).ok()?;
    elf::check(&bootstrap, target).ok()?;
    Some(bytes)
}

/// Builds with this machine's own compiler if it can build for the target, else with cargo-zigbuild.
async fn build(
    cache: &Cache,
    toolchain: &Toolchain,
    program: Program,
    ui: &Ui,
) -> Result<Vec<u8>, CommandError> {
    let target = program.target;
    if toolchain.builds_natively(target) {
        let bootstrap = build::run(cache, toolchain, &Builder::native(toolchain), program, ui).await?;
        match elf::check(&bootstrap, target) {
            Ok(()) => return Ok(bootstrap),
            // This machine's C library is newer than Lambda's; zig brings the right one.
            Err(Refusal::NewerGlibc { version, .. }) => {
                ui.say(format!(
                    "This machine's programs need GLIBC {version}, which Lambda does not have: building with zig"
                ));
            }
            Err(refusal) => {
                return Err(CommandError::failed(format!(
                    "the function was built but would not start: {refusal}"
                )));
            }
        }
    }
    let builder = Builder::zig(toolchain, target).await?;
    let bootstrap = build::run(cache, toolchain, &builder, program, ui).await?;
    elf::check(&bootstrap, target).map_err(|refusal| {
        CommandError::failed(format!("the function was built but would not start: {refusal}"))
    })?;
    Ok(bootstrap)
}
