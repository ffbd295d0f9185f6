//! The settings, read from environment variables once at start.

use std::str::FromStr;

use crate::resize::{Fit, OutputFormat, ResizeSettings};

/// The largest side that may be asked for, in pixels: what WebP can hold.
const LARGEST_SIDE: u32 = 16_383;

/// All that the function reads from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Bucket for the results.
    pub resized_bucket: String,
    /// Bucket of the events that name none.
    pub original_bucket: Option<String>,
    pub resize: ResizeSettings,
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
}

impl Environment {
    /// Reads the variables through `variable`; one that is empty counts as not set.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let variables = Variables(|name: &str| variable(name).filter(|value| !value.is_empty()));
        let defaults = ResizeSettings::default();
        Ok(Self {
            resized_bucket: variables.required("RESIZED_BUCKET", "the bucket that results are written to")?,
            original_bucket: variables.get("ORIGINAL_BUCKET"),
            resize: ResizeSettings {
                width: variables
                    .number("RESIZE_WIDTH", 1, LARGEST_SIDE)?
                    .unwrap_or(defaults.width),
                height: variables.number("RESIZE_HEIGHT", 1, LARGEST_SIDE)?,
                fit: variables.one_of("RESIZE_FIT", &FITS)?.unwrap_or(defaults.fit),
                format: variables
                    .one_of("RESIZE_FORMAT", &FORMATS)?
                    .unwrap_or(defaults.format),
                quality: variables
                    .number("RESIZE_QUALITY", 1, 100)?
                    .unwrap_or(defaults.quality),
                limits: defaults.limits,
            },
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

const FITS: [(&str, Fit); 4] = [
    ("inside", Fit::Inside),
    ("cover", Fit::Cover),
    ("contain", Fit::Contain),
    ("fill", Fit::Fill),
];

const FORMATS: [(&str, OutputFormat); 3] = [
    ("jpeg", OutputFormat::Jpeg),
    ("png", OutputFormat::Png),
    ("webp", OutputFormat::Webp),
];

struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn get(&self, name: &str) -> Option<String> {
        self.0(name)
    }

    fn required(&self, name: &'static str, purpose: &'static str) -> Result<String, EnvironmentError> {
        self.get(name).ok_or(EnvironmentError::Missing { name, purpose })
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

    fn one_of<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, EnvironmentError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                Err(EnvironmentError::Wrong {
                    name,
                    value,
                    expected: format!("one of {}", words.join(", ")),
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
        let environment = read(&[("RESIZE_HEIGHT", "")]).unwrap();
        assert_eq!(environment.resized_bucket, "results");
        assert_eq!(environment.resize, ResizeSettings::default());
    }

    #[test]
    fn every_setting_is_read() {
        let environment = read(&[
            ("RESIZE_WIDTH", "800"),
            ("RESIZE_HEIGHT", "600"),
            ("RESIZE_FIT", "cover"),
            ("RESIZE_FORMAT", "png"),
            ("RESIZE_QUALITY", "95"),
        ])
        .unwrap();
        let expected = ResizeSettings {
            width: 800,
            height: Some(600),
            fit: Fit::Cover,
            format: OutputFormat::Png,
            quality: 95,
            ..ResizeSettings::default()
        };
        assert_eq!(environment.resize, expected);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_it_may_be() {
        let message = |name, value| read(&[(name, value)]).unwrap_err().to_string();
        assert_eq!(
            message("RESIZED_BUCKET", ""),
            "the environment variable RESIZED_BUCKET is not set; it is the bucket that results are written to"
        );
        assert_eq!(
            message("RESIZE_WIDTH", "0"),
            "the environment variable RESIZE_WIDTH is \"0\"; it must be a whole number from 1 to 16383"
        );
        assert_eq!(
            message("RESIZE_QUALITY", "101"),
            "the environment variable RESIZE_QUALITY is \"101\"; it must be a whole number from 1 to 100"
        );
        assert_eq!(
            message("RESIZE_FIT", "crop"),
            "the environment variable RESIZE_FIT is \"crop\"; it must be one of inside, cover, contain, fill"
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", read(&[]).unwrap()).contains("hidden"));
    }
}
