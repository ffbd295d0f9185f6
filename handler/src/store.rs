//! S3: the source comes from here, the result goes here.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::environment::S3Access;
use crate::event::Object;
use crate::failure::{Attempt, Failure, Obstacle};
use crate::resize::{Limits, Refusal};

/// How long S3 may take to accept a connection, and to start its answer. Within, the SDK tries three times.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The status of an answer that has no body, since what was asked for is what one has.
const NOT_MODIFIED: u16 = 304;

/// S3 allows 2 KB of user metadata in all (names and values); a key whose encoding is longer is cut.
const LONGEST_METADATA_KEY: usize = 1800;

/// The names of what is told of a result in its metadata.
const SOURCE_KEY: &str = "source-key";
const SOURCE_ETAG: &str = "source-etag";
const SETTINGS: &str = "resizer-settings";

/// A source, downloaded.
pub struct Source {
    pub bytes: Vec<u8>,
    pub etag: Option<String>,
}

/// A result to be written.
pub struct Upload<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub content_type: &'static str,
    pub cache_control: Option<&'a str>,
    /// What tells the settings it was made with from others.
    pub settings: &'a str,
    pub bytes: Vec<u8>,
}

/// The source of a result.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    pub key: &'a str,
    pub etag: Option<&'a str>,
}

/// S3 as the function's role sees it.
pub struct Store {
    access: S3Access,
    client: OnceLock<Client>,
}

impl Store {
    /// Connects to nothing yet.
    pub fn new(access: S3Access) -> Self {
        Self {
            access,
            client: OnceLock::new(),
        }
    }

    /// Made for the first event, as it reads the system's root certificates, which is most of what a cold start costs.
    fn client(&self) -> &Client {
        self.client.get_or_init(|| client(&self.access))
    }

    /// Downloads an object, unless it is larger than the limit.
    pub async fn get(&self, object: &Object, limits: &Limits) -> Result<Source, Obstacle> {
        self.get_unless(object, None, limits).await?.ok_or(Obstacle::Gone)
    }

    /// Downloads what is in the place of `source` by now; none where that is still there.
    pub async fn get_newer(
        &self,
        object: &Object,
        source: &Source,
        limits: &Limits,
    ) -> Result<Option<Source>, Obstacle> {
        match &source.etag {
            Some(etag) => self.get_unless(object, Some(etag), limits).await,
            None => Ok(None),
        }
    }

    /// None where S3 calls the object's bytes `etag`.
    async fn get_unless(
        &self,
        object: &Object,
        etag: Option<&str>,
        limits: &Limits,
    ) -> Result<Option<Source>, Obstacle> {
        let attempt = Attempt {
            action: "s3:GetObject",
            bucket: &object.bucket,
            key: &object.key,
        };
        let request = self
            .client()
            .get_object()
            .bucket(&object.bucket)
            .key(&object.key)
            .set_if_none_match(etag.map(|etag| format!("\"{etag}\"")));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_no_such_key()) =>
            {
                return Err(Obstacle::Gone);
            }
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|answer| answer.status().as_u16() == NOT_MODIFIED) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(attempt.failed(&error).into()),
        };
        // The mark of a result: without this look, two stacks that feed each other would never end.
        if let Some(source_key) = answer
            .metadata()
            .and_then(|metadata| metadata.get(SETTINGS).and(metadata.get(SOURCE_KEY)))
        {
            let source_key = percent_decode_str(source_key).decode_utf8_lossy().into_owned();
            return Err(Refusal::IsAResult { source_key }.into());
        }
        read_body(answer, attempt, limits).await.map(Some)
    }

    /// Writes a result, with what tells its origin as metadata; gives its ETag.
    pub async fn put(&self, upload: Upload<'_>, origin: Origin<'_>) -> Result<Option<String>, Failure> {
        let attempt = Attempt {
            action: "s3:PutObject",
            bucket: upload.bucket,
            key: upload.key,
        };
        let request = self
            .client()
            .put_object()
            .bucket(upload.bucket)
            .key(upload.key)
            .content_type(upload.content_type)
            .set_cache_control(upload.cache_control.map(str::to_owned))
            .set_metadata(Some(metadata(origin, upload.settings)))
            .body(ByteStream::from(upload.bytes));
        let answer = request.send().await.map_err(|error| attempt.failed(&error))?;
        Ok(answer.e_tag.map(unquoted))
    }
}

fn client(access: &S3Access) -> Client {
    let credentials = Credentials::new(
        &access.access_key_id,
        &access.secret_access_key,
        access.session_token.clone(),
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(access.region.clone()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts);
    let https = || {
        HttpClientBuilder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https()
    };
    let config = match &access.endpoint_url {
        None => config.http_client(https()),
        Some(url) if url.starts_with("http://") => config
            .endpoint_url(url)
            .force_path_style(true)
            .http_client(HttpClientBuilder::new().build_http()),
        Some(url) => config
            .endpoint_url(url)
            .force_path_style(true)
            .http_client(https()),
    };
    Client::from_conf(config.build())
}

async fn read_body(
    mut answer: GetObjectOutput,
    attempt: Attempt<'_>,
    limits: &Limits,
) -> Result<Source, Obstacle> {
    let announced = answer
        .content_length()
        .and_then(|length| u64::try_from(length).ok())
        .unwrap_or_default();
    limits.check_bytes(announced)?;
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    while let Some(chunk) = answer
        .body
        .try_next()
        .await
        .map_err(|error| attempt.broken_off(&error))?
    {
        bytes.extend_from_slice(&chunk);
        limits.check_bytes(bytes.len() as u64)?;
    }
    Ok(Source {
        bytes,
        etag: answer.e_tag.map(unquoted),
    })
}

/// S3 puts ETags in quotes.
fn unquoted(etag: String) -> String {
    etag.trim_matches('"').to_owned()
}

/// What tells a result's origin. Header values are ASCII, so the key is percent-encoded.
fn metadata(origin: Origin<'_>, settings: &str) -> HashMap<String, String> {
    const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b'\\');
    let mut key = utf8_percent_encode(origin.key, ENCODED).to_string();
    key.truncate(LONGEST_METADATA_KEY);
    let etag = origin.etag.map(str::to_owned);
    [
        (SOURCE_KEY, Some(key)),
        (SOURCE_ETAG, etag),
        (SETTINGS, Some(settings.to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_ascii_and_fits() {
        let told = |key| {
            let origin = Origin {
                key,
                etag: Some("e7"),
            };
            metadata(origin, "5e77")
        };
        let key = "山".repeat(341);
        let long = told(&key);
        assert_eq!(long[SOURCE_KEY].len(), LONGEST_METADATA_KEY);
        let told = told("a b/山%\".jpg");
        assert_eq!(told["source-key"], "a%20b/%E5%B1%B1%25%22.jpg");
        assert_eq!(told["source-etag"], "e7");
        assert_eq!(told["resizer-settings"], "5e77");
    }
}
