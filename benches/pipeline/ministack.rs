//! MiniStack, the fastest peer that was found, beside us: with the same `bootstrap` process and the same documents, which
//! are read from our local cloud and put there. It comes from PyPI (MIT) and takes `bootstrap` without Docker.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use aws_sdk_s3::types::{EventBridgeConfiguration, NotificationConfiguration};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{s3_at, signal};

pub const VERSION: &str = "1.5.33";

/// The running server; dropped, it ends, and takes the functions' processes with it.
pub struct MiniStack {
    server: Child,
    config: SdkConfig,
    /// Its functions' code lies here.
    _folder: TempDir,
}

impl MiniStack {
    /// Starts it on a free port of the loopback, with nothing in it. `like`: the configuration of clients whose endpoint
    /// alone is another there.
    pub fn start(like: &SdkConfig) -> Result<Self, String> {
        let program = installed()?;
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let folder = TempDir::new().unwrap();
        let url = format!("http://{address}");
        let server = Command::new(program)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", address.port().to_string())
            .env("AWS_ENDPOINT_URL", &url)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self {
            server,
            config: like.to_builder().endpoint_url(url).build(),
            _folder: folder,
        })
    }

    pub fn s3(&self) -> aws_sdk_s3::Client {
        s3_at(&self.config)
    }

    /// Puts there what carries an object from its upload to its result: buckets, function, state machine, rule.
    pub async fn take_over(&self, ours: &SdkConfig, outputs: &Value, zip: &[u8]) {
        let name = |output: &str| outputs[output].as_str().unwrap();
        for bucket in ["original_bucket", "resized_bucket"] {
            self.s3()
                .create_bucket()
                .bucket(name(bucket))
                .send()
                .await
                .unwrap();
        }
        let told = NotificationConfiguration::builder()
            .event_bridge_configuration(EventBridgeConfiguration::builder().build())
            .build();
        let notification = self.s3().put_bucket_notification_configuration();
        let notification = notification.bucket(name("original_bucket"));
        notification
            .notification_configuration(told)
            .send()
            .await
            .unwrap();

        self.take_function(ours, name("function_name"), zip).await;
        self.take_state_machine(ours, name("state_machine_arn")).await;
        self.take_rule(ours, name("rule_name")).await;
    }

    async fn take_function(&self, ours: &SdkConfig, name: &str, zip: &[u8]) {
        let function = aws_sdk_lambda::Client::new(ours).get_function_configuration();
        let function = function.function_name(name).send().await.unwrap();
        let variables = function.environment().unwrap().variables().cloned();
        aws_sdk_lambda::Client::new(&self.config)
            .create_function()
            .function_name(name)
            .runtime(Runtime::Providedal2023)
            .handler("bootstrap")
            .set_role(function.role)
            .set_memory_size(function.memory_size)
            .set_timeout(function.timeout)
            .environment(Environment::builder().set_variables(variables).build())
            .code(FunctionCode::builder().zip_file(Blob::new(zip)).build())
            .send()
            .await
            .unwrap();
    }

    async fn take_state_machine(&self, ours: &SdkConfig, arn: &str) {
        let machine = aws_sdk_sfn::Client::new(ours).describe_state_machine();
        let machine = machine.state_machine_arn(arn).send().await.unwrap();
        aws_sdk_sfn::Client::new(&self.config)
            .create_state_machine()
            .name(machine.name)
            .definition(machine.definition)
            .role_arn(machine.role_arn)
            .send()
            .await
            .unwrap();
    }

    async fn take_rule(&self, ours: &SdkConfig, name: &str) {
        let (ours, theirs) = (
            aws_sdk_eventbridge::Client::new(ours),
            aws_sdk_eventbridge::Client::new(&self.config),
        );
        let rule = ours.describe_rule().name(name).send().await.unwrap();
        let targets = ours.list_targets_by_rule().rule(name).send().await.unwrap();
        let put = theirs.put_rule().name(name).set_event_pattern(rule.event_pattern);
        put.send().await.unwrap();
        let put = theirs.put_targets().rule(name).set_targets(targets.targets);
        put.send().await.unwrap();
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        // Asked, not killed: it ends its functions' processes itself.
        signal("TERM", self.server.id().into());
        let _ = self.server.wait();
    }
}

/// Its program, in a virtual environment that is set up once; or why there is none.
fn installed() -> Result<PathBuf, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ministack-{VERSION}"));
    let program = place.join("bin/ministack");
    if !program.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
        let package = format!("ministack=={VERSION}");
        run(Command::new(place.join("bin/pip")).args(["install", "--quiet", &package]))?;
    }
    Ok(program)
}

fn run(command: &mut Command) -> Result<(), String> {
    let ended = command
        .output()
        .map_err(|error| format!("{command:?} could not be started: {error}"))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ended
        .status
        .success()
        .then_some(())
        .ok_or_else(|| format!("{command:?} failed: {}", said.trim()))
}
