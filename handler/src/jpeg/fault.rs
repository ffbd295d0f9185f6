//! Why a JPEG is not decoded.

/// Why a JPEG is not decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the file ends before its end marker")]
    CutOff,
    #[error("{0}")]
    Damaged(&'static str),
    #[error("{0}")]
    NotSupported(String),
    #[error("it takes {needed} bytes of memory, more than {limit} bytes")]
    TooMuchMemory { needed: u64, limit: u64 },
}

impl Fault {
    /// A kind of JPEG that is not decoded here.
    pub(super) fn not_supported(kind: impl Into<String>) -> Self {
        Self::NotSupported(kind.into())
    }
}
