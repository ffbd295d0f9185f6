//! The function's code: a zip with an executable `bootstrap`.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::{Architecture, Settings};
use crate::error::CommandError;
use crate::ui::Ui;

/// A zip that is ready for Lambda.
#[derive(Debug, Clone)]
pub struct FunctionPackage {
    pub bytes: Vec<u8>,
    /// Base64 of the zip's SHA-256, as Lambda's CodeSha256 gives it.
    pub sha256: String,
}

/// The zip at `zip`.
pub async fn function_package(
    _settings: &Settings,
    _target: Architecture,
    zip: Option<&Path>,
    _ui: &Ui,
) -> Result<FunctionPackage, CommandError> {
    let Some(path) = zip else {
        return Err(CommandError::failed("building the handler is not built yet").hint("say --handler-zip PATH"));
    };
    let bytes = std::fs::read(path)
        .map_err(|error| CommandError::usage(format!("{} cannot be read: {error}", path.display())))?;
    let sha256 = aws_smithy_types::base64::encode(Sha256::digest(&bytes));
    Ok(FunctionPackage { bytes, sha256 })
}
