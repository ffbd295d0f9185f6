//! The settings, read from environment variables once at start.

use std::str::FromStr;

use crate::log::LogFormat;
use crate::resize::Limits;
use crate::settings::{NamedRendition, renditions};

/// What the function takes beside a picture, in bytes: the process, its connections, what Lambda's runtime needs, and the 32 MiB
/// of freed memory that it may keep between events, where `up` says so to the C library.
const OWN_MEMORY: u64 = 64 * 1024 * 1024;

/// The largest limits that may be set.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;
const MOST_PIXELS: u64 = 10_000_000_000;
const MOST_PIXELS_OF_A_SIDE: u32 = 1_000_000;
const MOST_FRAMES: u64 = 1_000_000;

/// All that the function reads from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Bucket for the results.
    pub resized_bucket: String,
    /// Bucket of the events that name none.
    pub original_bucket: Option<String>,
    /// At least one.
    pub renditions: Vec<NamedRendition>,
    /// `Cache-Control` of the results.
    pub cache_control: Option<String>,
    pub limits: Limits,
    pub log: LogFormat,
    pub s3: S3Access,
}

/// How to reach S3, and as whom.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Access {
    pub region: String,
    /// Another S3 than the region's.
    pub endpoint_url: Option<String>,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

impl std::fmt::Debug for S3Access {
    /// Without the secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("S3Access")
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Which variable is wrong, and what it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    #[error("the environment variable {name} is not set; it is {purpose}")]
    Missing {
        name: &'static str,
        purpose: &'static str,
    },
    #[error("the environment variable {name} is {value:?}; it must be {expected}")]
    Wrong {
        name: &'static str,
        value: String,
        expected: String,
    },
    #[error("the environment variable RENDITIONS {0}")]
    Renditions(String),
}

impl Environment {
    /// Reads the variables through `variable`; one that is empty counts as not set.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let variables = Variables(|name: &str| variable(name).filter(|value| !value.is_empty()));
        let wanted = variables.get("RENDITIONS").unwrap_or_else(|| "[{}]".to_owned());
        let defaults = Limits::default();
        Ok(Self {
            resized_bucket: variables.required("RESIZED_BUCKET", "the bucket that results are written to")?,
            original_bucket: variables.get("ORIGINAL_BUCKET"),
            renditions: renditions(&wanted).map_err(EnvironmentError::Renditions)?,
            cache_control: variables.get("CACHE_CONTROL"),
            limits: Limits {
                source_bytes: variables
                    .number("SOURCE_BYTES_MAX", 1, MOST_BYTES)?
                    .unwrap_or(defaults.source_bytes),
                pixels: variables
                    .number("PIXELS_MAX", 1, MOST_PIXELS)?
                    .unwrap_or(defaults.pixels),
                side: variables
                    .number("SIDE_MAX", 1, MOST_PIXELS_OF_A_SIDE)?
                    .unwrap_or(defaults.side),
                frames: variables
                    .number("FRAMES_MAX", 1, MOST_FRAMES)?
                    .unwrap_or(defaults.frames),
                result_bytes: variables
                    .number("RESULT_BYTES_MAX", 1, MOST_BYTES)?
                    .unwrap_or(defaults.result_bytes),
                memory: variables
                    .number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 1, 1 << 20)?
                    .map_or(defaults.memory, |mebibytes: u64| {
                        (mebibytes << 20).saturating_sub(OWN_MEMORY)
                    }),
                deadline: defaults.deadline,
            },
            log: variables.log_format()?,
            s3: S3Access {
                region: variables.required("AWS_REGION", "the region, set by Lambda")?,
                endpoint_url: variables.get("AWS_ENDPOINT_URL"),
                access_key_id: variables.required("AWS_ACCESS_KEY_ID", "the role's key, set by Lambda")?,
                secret_access_key: variables
                    .required("AWS_SECRET_ACCESS_KEY", "the role's secret, set by Lambda")?,
                session_token: variables.get("AWS_SESSION_TOKEN"),
            },
        })
    }
}

struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn get(&self, name: &str) -> Option<String> {
        self.0(name)
    }

    fn required(&self, name: &'static str, purpose: &'static str) -> Result<String, EnvironmentError> {
        self.get(name).ok_or(EnvironmentError::Missing { name, purpose })
    }

    fn log_format(&self) -> Result<LogFormat, EnvironmentError> {
        const NAME: &str = "LOG_FORMAT";
        let Some(value) = self.get(NAME) else {
            return Ok(LogFormat::default());
        };
        LogFormat::named(&value).ok_or_else(|| EnvironmentError::Wrong {
            name: NAME,
            value,
            expected: "json or text".to_owned(),
        })
    }

    fn number<T>(&self, name: &'static str, least: T, most: T) -> Result<Option<T>, EnvironmentError>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) if number >= least && number <= most => Ok(Some(number)),
            _ => {
                let expected = format!("a whole number from {least} to {most}");
                Err(EnvironmentError::Wrong {
                    name,
                    value,
                    expected,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(more: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
        let lambda = [
            ("RESIZED_BUCKET", "results"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ];
        let variables = [&lambda, more].concat();
        Environment::read(|name| {
            variables
                .iter()
                .rev()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_bucket_is_all_that_must_be_set() {
        let environment = read(&[("RENDITIONS", "")]).unwrap();
        assert_eq!(environment.resized_bucket, "results");
        assert_eq!(environment.renditions, renditions("[{}]").unwrap());
        assert_eq!(environment.limits, Limits::default());
    }

    #[test]
    fn every_setting_is_read() {
        let environment = read(&[
            (
                "RENDITIONS",
                r#"[{"width": 800}, {"name": "small", "width": 80}]"#,
            ),
            ("CACHE_CONTROL", "max-age=31536000, immutable"),
            ("SOURCE_BYTES_MAX", "1000"),
            ("PIXELS_MAX", "2000"),
            ("SIDE_MAX", "300"),
            ("RESULT_BYTES_MAX", "4000"),
            ("FRAMES_MAX", "50"),
            ("LOG_FORMAT", "text"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ])
        .unwrap();
        let widths = environment.renditions.iter().map(|named| named.rendition.width);
        assert_eq!(widths.collect::<Vec<_>>(), [800, 80]);
        assert_eq!(
            environment.cache_control.as_deref(),
            Some("max-age=31536000, immutable")
        );
        let limits = environment.limits;
        assert_eq!(
            (limits.source_bytes, limits.pixels, limits.memory),
            (1000, 2000, 64 << 20)
        );
        assert_eq!((limits.side, limits.result_bytes, limits.frames), (300, 4000, 50));
        assert_eq!(environment.log, LogFormat::Text);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_it_may_be() {
        let message = |name, value| read(&[(name, value)]).unwrap_err().to_string();
        assert_eq!(
            message("RESIZED_BUCKET", ""),
            "the environment variable RESIZED_BUCKET is not set; it is the bucket that results are written to"
        );
        assert_eq!(
            message("PIXELS_MAX", "0"),
            "the environment variable PIXELS_MAX is \"0\"; it must be a whole number from 1 to 10000000000"
        );
        assert_eq!(
            message("LOG_FORMAT", "xml"),
            "the environment variable LOG_FORMAT is \"xml\"; it must be json or text"
        );
        assert_eq!(
            message("RENDITIONS", "[]"),
            "the environment variable RENDITIONS names no rendition"
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", read(&[]).unwrap()).contains("hidden"));
    }
}
