//! Checksums of objects and parts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use s3s::TrailingHeaders;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto;
use serde::{Deserialize, Serialize};

use crate::error::AwsError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// A checksum as it is kept: in base64, for a composite one with `-N` after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    pub algorithm: Algorithm,
    pub value: String,
    /// Whether it is the checksum of the parts' checksums.
    pub composite: bool,
}

/// The fields of an input that carry a checksum.
macro_rules! supplied {
    ($input:expr) => {
        s3s::dto::Checksum {
            checksum_crc32: $input.checksum_crc32.take(),
            checksum_crc32c: $input.checksum_crc32c.take(),
            checksum_crc64nvme: $input.checksum_crc64nvme.take(),
            checksum_sha1: $input.checksum_sha1.take(),
            checksum_sha256: $input.checksum_sha256.take(),
            ..Default::default()
        }
    };
}
pub(super) use supplied;

/// Sets the fields of an output that carry a checksum.
macro_rules! put_checksum {
    ($output:expr, $checksum:expr) => {
        let fields = $checksum.fields();
        $output.checksum_crc32 = fields.checksum_crc32;
        $output.checksum_crc32c = fields.checksum_crc32c;
        $output.checksum_crc64nvme = fields.checksum_crc64nvme;
        $output.checksum_sha1 = fields.checksum_sha1;
        $output.checksum_sha256 = fields.checksum_sha256;
    };
}
pub(super) use put_checksum;

impl Algorithm {
    const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub fn named(name: &str) -> Result<Self, AwsError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| {
                AwsError::bad_request(
                    "InvalidRequest",
                    format!("The checksum algorithm {name} is not supported."),
                )
            })
    }

    fn trailer(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    pub fn hasher(self) -> ChecksumHasher {
        let mut hasher = ChecksumHasher::default();
        match self {
            Self::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Self::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Self::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Self::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Self::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
        hasher
    }

    /// Its field of S3's inputs and outputs.
    pub fn of(self, fields: &dto::Checksum) -> Option<&String> {
        match self {
            Self::Crc32 => fields.checksum_crc32.as_ref(),
            Self::Crc32c => fields.checksum_crc32c.as_ref(),
            Self::Crc64Nvme => fields.checksum_crc64nvme.as_ref(),
            Self::Sha1 => fields.checksum_sha1.as_ref(),
            Self::Sha256 => fields.checksum_sha256.as_ref(),
        }
    }
}

impl Checksum {
    /// The checksum of a whole body.
    pub fn finish(algorithm: Algorithm, hasher: ChecksumHasher) -> Self {
        let value = algorithm.of(&hasher.finalize()).cloned().unwrap_or_default();
        Self {
            algorithm,
            value,
            composite: false,
        }
    }

    /// The checksum of parts' checksums.
    pub fn of_parts(algorithm: Algorithm, parts: &[Self]) -> Self {
        let mut hasher = algorithm.hasher();
        for part in parts {
            hasher.update(&STANDARD.decode(&part.value).unwrap_or_default());
        }
        let whole = Self::finish(algorithm, hasher);
        Self {
            value: format!("{}-{}", whole.value, parts.len()),
            composite: true,
            ..whole
        }
    }

    /// As the fields of S3's inputs and outputs.
    pub fn fields(&self) -> dto::Checksum {
        let mut fields = dto::Checksum::default();
        let value = Some(self.value.clone());
        match self.algorithm {
            Algorithm::Crc32 => fields.checksum_crc32 = value,
            Algorithm::Crc32c => fields.checksum_crc32c = value,
            Algorithm::Crc64Nvme => fields.checksum_crc64nvme = value,
            Algorithm::Sha1 => fields.checksum_sha1 = value,
            Algorithm::Sha256 => fields.checksum_sha256 = value,
        }
        fields
    }

    pub fn kind(&self) -> dto::ChecksumType {
        let kind = if self.composite {
            dto::ChecksumType::COMPOSITE
        } else {
            dto::ChecksumType::FULL_OBJECT
        };
        dto::ChecksumType::from_static(kind)
    }
}

/// The checksum that an upload's sender supplies, in a header or after the body in a trailer.
pub struct Expected {
    pub algorithm: Algorithm,
    in_header: Option<String>,
    /// Whether it is to come after the body.
    announced: bool,
    trailers: Option<TrailingHeaders>,
}

impl Expected {
    /// `otherwise` is the algorithm to use if the sender supplies none.
    pub fn of(
        supplied: &dto::Checksum,
        headers: &HeaderMap,
        trailers: Option<TrailingHeaders>,
        otherwise: Algorithm,
    ) -> Self {
        let in_header = Algorithm::ALL
            .into_iter()
            .find_map(|algorithm| Some((algorithm, algorithm.of(supplied)?.clone())));
        if let Some((algorithm, value)) = in_header {
            return Self {
                algorithm,
                in_header: Some(value),
                announced: false,
                trailers: None,
            };
        }
        let announced = headers
            .get("x-amz-trailer")
            .and_then(|names| names.to_str().ok())
            .unwrap_or_default();
        let in_trailer = Algorithm::ALL.into_iter().find(|algorithm| {
            announced
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case(&algorithm.trailer()))
        });
        match in_trailer {
            Some(algorithm) => Self {
                algorithm,
                in_header: None,
                announced: true,
                trailers,
            },
            None => Self {
                algorithm: otherwise,
                in_header: None,
                announced: false,
                trailers: None,
            },
        }
    }

    /// Compares with the body's, once that has been read.
    pub fn verify(&self, actual: &Checksum) -> Result<(), AwsError> {
        let in_trailer = self.trailers.as_ref().and_then(|trailers| {
            trailers
                .read(|headers| Some(headers.get(self.algorithm.trailer())?.to_str().ok()?.to_owned()))
                .flatten()
        });
        let name = self.algorithm.name();
        match self.in_header.as_ref().or(in_trailer.as_ref()) {
            None if self.announced => {
                let message = format!("The {name} that x-amz-trailer announced did not come after the body.");
                Err(AwsError::bad_request("MalformedTrailerError", message))
            }
            Some(expected) if *expected != actual.value => {
                let message = format!("The {name} you specified did not match the calculated checksum.");
                Err(AwsError::bad_request("BadDigest", message))
            }
            _ => Ok(()),
        }
    }
}
