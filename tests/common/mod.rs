//! A place to run the real `resizer` binary in: a folder of its own, with a local cloud of its own, gone at the end.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod browser;
pub mod by_hand;
pub mod gate;
pub mod near;
pub mod steady;
pub mod terminal;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::Value;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The repository's own photographs.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// The handler's test pictures, good and bad.
pub fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("handler/tests/corpus")
        .join(name)
}

/// An empty folder to be in.
pub struct Place {
    folder: TempDir,
}

/// What a run of the binary printed, and how it ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A place where the stack already stands in a local cloud.
    pub fn with_stack() -> Self {
        let place = Self::new();
        place.resizer(&["up", "--local"]).ok();
        place
    }

    /// A place where a local cloud runs, with nothing in it.
    pub fn with_a_cloud() -> Self {
        let place = Self::new();
        std::fs::create_dir_all(place.path().join(".resizer/local")).unwrap();
        place.resizer(&["local", "env"]).ok();
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command, with nothing of the user's AWS configuration and locale; the function's build is shared by all tests.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_resizer"));
        command
            .args(args)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .env("AWS_CONFIG_FILE", self.path().join("no-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path().join("no-credentials"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env(
                "XDG_CACHE_HOME",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
            )
            .env("COLUMNS", "100")
            .env("TZ", "UTC");
        for variable in [
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_ENDPOINT_URL",
            "NO_COLOR",
            "LC_ALL",
            "LC_CTYPE",
            "LANG",
            // It brings colour to terminals that have none.
            "CI",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the binary on the side.
    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs the binary to its end.
    pub fn resizer(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).output().unwrap())
    }

    /// Uploads a file and follows it to its end, good or bad.
    pub fn invoke(&self, file: &Path, key: &str) -> Ended {
        self.resizer(&[
            "invoke",
            "--local",
            "--file",
            file.to_str().unwrap(),
            "--key",
            key,
        ])
    }

    /// Runs the binary with `--json` and gives its document.
    pub fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.resizer(&args).ok().document()
    }

    /// What `up` printed, or would print again.
    pub fn outputs(&self) -> Value {
        self.json(&["status", "--local"])["outputs"].clone()
    }

    /// The file that says where this place's local cloud is.
    pub fn endpoint_file(&self) -> PathBuf {
        self.path().join(".resizer/local/endpoint.json")
    }

    /// Where this place's local cloud is, and its process.
    pub fn endpoint(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.endpoint_file()).unwrap()).unwrap()
    }

    /// Ends this place's local cloud as a power cut would.
    pub fn kill_the_cloud(&self) {
        signal("KILL", self.endpoint()["pid"].as_u64().unwrap());
    }

    /// The newest of the functions that the tests have built.
    pub fn built_zip() -> PathBuf {
        let newest = Self::built_zips().max_by_key(|zip| zip.metadata().unwrap().modified().unwrap());
        newest.unwrap()
    }

    /// All that the tests have built.
    pub fn built_zips() -> impl Iterator<Item = PathBuf> {
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/resizer/packages");
        std::fs::read_dir(packages)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    }

    /// The same with a file beside its program: other code that does the same.
    pub fn built_zip_with_a_note(to: &Path) {
        std::fs::copy(Self::built_zip(), to).unwrap();
        let file = File::options().read(true).write(true).open(to).unwrap();
        let mut archive = ZipWriter::new_append(file).unwrap();
        archive
            .start_file("note.txt", SimpleFileOptions::default())
            .unwrap();
        archive.write_all(b"ready").unwrap();
        archive.finish().unwrap();
    }

    /// The SDK's configuration for this place's local cloud.
    pub fn sdk_config(&self) -> SdkConfig {
        let env = self.json(&["local", "env"]);
        let value = |name: &str| {
            env[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name} in {env}"))
                .to_owned()
        };
        let http = aws_smithy_http_client::Builder::new().build_http();
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(value("AWS_REGION")))
            .endpoint_url(value("AWS_ENDPOINT_URL"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
                value("AWS_ACCESS_KEY_ID"),
                value("AWS_SECRET_ACCESS_KEY"),
                None,
            )))
            .build()
    }

    pub fn s3(&self) -> aws_sdk_s3::Client {
        s3_at(&self.sdk_config())
    }
}

/// S3 at an endpoint of this machine, where a bucket's name is no host's.
pub fn s3_at(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config);
    aws_sdk_s3::Client::from_conf(config.force_path_style(true).build())
}

impl Drop for Place {
    fn drop(&mut self) {
        // A cloud in the test's own process is ended by who started it.
        let is_here = std::fs::read_to_string(self.endpoint_file())
            .is_ok_and(|endpoint| endpoint.contains(&format!("\"pid\": {}", std::process::id())));
        if self.path().join(".resizer").exists() && !is_here {
            let _ = self.command(&["local", "stop"]).output();
        }
    }
}

/// Sends a process a signal by its name.
pub fn signal(name: &str, pid: u64) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// It must have ended well.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.code(0)
    }

    /// It must have ended with this exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Its standard output as one JSON document.
    #[track_caller]
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// Its standard error must say this.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "{words:?} is not in stderr:\n{}",
            self.stderr
        );
        self
    }
}

/// Follows the link in the mail that asks an address whether it wants to be told: where no mail is sent, its token is the end
/// of the subscription's ARN.
pub async fn confirm(sns: &aws_sdk_sns::Client, topic: &str, address: &str) {
    let again = sns
        .subscribe()
        .topic_arn(topic)
        .protocol("email")
        .endpoint(address);
    let subscribed = again.return_subscription_arn(true).send().await.unwrap();
    let token = subscribed.subscription_arn().unwrap().rsplit(':').next().unwrap();
    sns.confirm_subscription()
        .topic_arn(topic)
        .token(token)
        .send()
        .await
        .unwrap();
}

/// Asks again until `ask` has an answer; panics after a minute.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    for _ in 0..1200 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within a minute");
}
