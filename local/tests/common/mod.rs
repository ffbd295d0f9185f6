//! A local cloud in a temporary folder, and the AWS SDK's clients for it.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    clippy::unwrap_used,
    clippy::expect_used
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::retry::RetryConfig;
use resizer_local::{Cloud, Endpoint, ServeError, Settings};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running local cloud, for as long as its test.
pub struct TestCloud {
    folder: TempDir,
    pub endpoint: Endpoint,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl TestCloud {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    /// Ends it as `kill -9` would: nothing that it does gets any further. `on` is the runtime it runs on.
    pub fn kill(self, on: Runtime) -> TempDir {
        on.shutdown_timeout(Duration::from_secs(10));
        self.folder
    }

    pub fn start_in(folder: TempDir) -> Self {
        let data_dir = folder.path().join("local");
        let settings = Settings {
            data_dir,
            port: None,
            region: None,
            realism: None,
        };
        let running = Cloud::start(settings).unwrap();
        let endpoint = running.endpoint().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(running.run_until(async {
            let _ = stopped.await;
        }));
        Self {
            folder,
            endpoint,
            stop: Some(stop),
            serving,
        }
    }

    /// Ends it cleanly and starts another on the same folder.
    pub async fn restart(mut self) -> Self {
        drop(self.stop.take());
        self.serving.await.unwrap().unwrap();
        Self::start_in(self.folder)
    }

    /// Drops it in the middle of whatever it does, and starts another on the same folder.
    pub async fn kill_and_start(self) -> Self {
        self.serving.abort();
        let _ = self.serving.await;
        Self::start_in(self.folder)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("local")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The account's own credentials.
    pub fn credentials(&self) -> Credentials {
        credentials(
            &self.endpoint.access_key_id,
            &self.endpoint.secret_access_key,
            None,
        )
    }

    /// Makes a role with these permissions, which the account may assume, and a session of it.
    pub async fn session(&self, role: &str, permissions: &serde_json::Value) -> Credentials {
        let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"},
        ]});
        let iam = self.iam();
        let make = iam
            .create_role()
            .role_name(role)
            .assume_role_policy_document(trust.to_string());
        let arn = make.send().await.unwrap().role.unwrap().arn;
        let permissions = permissions.to_string();
        let put = iam
            .put_role_policy()
            .role_name(role)
            .policy_name("permissions")
            .policy_document(permissions);
        put.send().await.unwrap();
        let assume = self.sts().assume_role().role_arn(arn).role_session_name("test");
        let session = assume.send().await.unwrap().credentials.unwrap();
        credentials(
            &session.access_key_id,
            &session.secret_access_key,
            Some(&session.session_token),
        )
    }
}

/// The code and the message of a refusal.
pub fn refusal<O: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    answer: Result<O, SdkError<E, R>>,
) -> (String, String) {
    let error = answer.expect_err("it was accepted");
    (
        code(&error).to_owned(),
        error.message().unwrap_or_default().to_owned(),
    )
}

/// `OPERATION, MEMBER => call`: every call is refused with the code, in words that name the operation and the member.
macro_rules! refuses {
    ($code:literal; $($operation:literal, $member:literal => $call:expr;)*) => {
        $(
            let (code, message) = $crate::common::refusal($call.send().await);
            assert_eq!(code, $code, "{} with {}: {message}", $operation, $member);
            let expected = format!("{}: the local cloud does not support {}", $operation, $member);
            assert!(message.starts_with(&expected), "{message}");
        )*
    };
}
pub(crate) use refuses;

/// A refusal's code.
pub fn code<E: ProvideErrorMetadata>(error: &E) -> &str {
    error.code().unwrap_or_default()
}

pub fn credentials(id: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials::new(id, secret, token.map(str::to_owned), None, "test")
}

/// A client factory of each service: as the account, and as somebody else.
macro_rules! clients {
    ($($sdk:ident: $root:ident, $other:ident;)*) => {
        impl TestCloud {
            $(
                pub fn $root(&self) -> $sdk::Client {
                    self.$other(self.credentials())
                }

                pub fn $other(&self, credentials: Credentials) -> $sdk::Client {
                    let config = $sdk::Config::builder()
                        .behavior_version($sdk::config::BehaviorVersion::latest())
                        .endpoint_url(&self.endpoint.url)
                        .region($sdk::config::Region::new("us-east-1"))
                        .credentials_provider(credentials)
                        .retry_config(RetryConfig::disabled())
                        .http_client(aws_smithy_http_client::Builder::new().build_http())
                        .build();
                    $sdk::Client::from_conf(config)
                }
            )*
        }
    };
}

clients! {
    aws_sdk_apigateway: apigateway, apigateway_as;
    aws_sdk_cloudwatch: cloudwatch, cloudwatch_as;
    aws_sdk_cloudwatchlogs: logs, logs_as;
    aws_sdk_eventbridge: events, events_as;
    aws_sdk_iam: iam, iam_as;
    aws_sdk_lambda: lambda, lambda_as;
    aws_sdk_s3: s3, s3_as;
    aws_sdk_sfn: states, states_as;
    aws_sdk_sns: sns, sns_as;
    aws_sdk_sts: sts, sts_as;
}

/// A plain GET, as a browser or curl would do it: the status and the body.
pub async fn fetch(url: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    request(
        host,
        &format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
    )
    .await
}

/// Sends a request as it stands to `host:port`.
pub async fn request(host: &str, text: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
