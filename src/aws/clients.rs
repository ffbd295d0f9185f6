//! One client a service, all made from one configuration.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the clients connect to and as whom.
#[derive(Debug, Clone)]
pub enum Connection {
    /// As the AWS CLI would: environment, profiles, SSO, instance roles.
    Aws {
        region: Option<String>,
        profile: Option<String>,
        endpoint_url: Option<String>,
    },
    /// A local cloud, with its own credentials.
    Local(resizer_local::Endpoint),
}

/// The clients of every service the pipeline is made of.
#[derive(Debug, Clone)]
pub struct Clients {
    pub s3: aws_sdk_s3::Client,
    pub lambda: aws_sdk_lambda::Client,
    pub states: aws_sdk_sfn::Client,
    pub events: aws_sdk_eventbridge::Client,
    pub api_gateway: aws_sdk_apigateway::Client,
    pub iam: aws_sdk_iam::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    pub sns: aws_sdk_sns::Client,
    pub sts: aws_sdk_sts::Client,
    /// The region in use, if one is set anywhere.
    pub region: Option<String>,
    /// The custom endpoint in use, if any.
    pub endpoint_url: Option<String>,
}

impl Clients {
    /// Reads the AWS configuration; makes no call to a service.
    pub async fn connect(connection: &Connection) -> Self {
        let config = sdk_config(connection).await;
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            // A custom endpoint is an address such as 127.0.0.1, which no bucket name can be put before.
            .force_path_style(config.endpoint_url().is_some())
            .build();
        Self {
            s3: aws_sdk_s3::Client::from_conf(s3),
            lambda: aws_sdk_lambda::Client::new(&config),
            states: aws_sdk_sfn::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
            api_gateway: aws_sdk_apigateway::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            region: config.region().map(ToString::to_string),
            endpoint_url: config.endpoint_url().map(str::to_owned),
        }
    }
}

/// The slowest link that an upload is given its time on, in bytes a second.
const UPLOAD_PACE: u64 = 50_000;

/// The time limits of a call that sends so many bytes. The SDK takes the time that a body needs to be sent for time without
/// an answer (`HttpReadTimeout` in aws-smithy-http-client): a slow link would never get a photograph through. Its
/// stalled-stream protection notices a link that stands still, and nothing but this limit a service that does not answer.
pub fn upload_timeouts(bytes: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT + Duration::from_secs(bytes / UPLOAD_PACE))
        .build()
}

async fn sdk_config(connection: &Connection) -> SdkConfig {
    let retries = RetryConfig::standard().with_max_attempts(4);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    match connection {
        Connection::Aws {
            region,
            profile,
            endpoint_url,
        } => {
            // ring, since it needs nothing but a C compiler to build.
            let https = aws_smithy_http_client::Builder::new()
                .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
                .build_https();
            let mut loader = aws_config::defaults(BehaviorVersion::latest())
                .http_client(https)
                .retry_config(retries)
                .timeout_config(timeouts);
            if let Some(region) = region {
                loader = loader.region(Region::new(region.clone()));
            }
            if let Some(profile) = profile {
                loader = loader.profile_name(profile);
            }
            if let Some(url) = endpoint_url {
                loader = loader.endpoint_url(url);
            }
            loader.load().await
        }
        // Built by hand, so that nothing of the user's AWS configuration gets in between.
        Connection::Local(endpoint) => SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            // Without TLS: to read the machine's root certificates takes longer than to make a plan.
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(retries)
            .timeout_config(timeouts)
            .region(Region::new(endpoint.region.clone()))
            .endpoint_url(&endpoint.url)
            .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
                &endpoint.access_key_id,
                &endpoint.secret_access_key,
                None,
            )))
            .build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_link_has_its_time_and_a_silent_service_no_more_than_that() {
        let seconds = |bytes| upload_timeouts(bytes).read_timeout().map(|it| it.as_secs());
        assert_eq!(seconds(0), Some(60));
        assert_eq!(seconds(6_000_000), Some(180));
        assert_eq!(seconds(5 << 30), Some(60 + 107_374));
    }
}
