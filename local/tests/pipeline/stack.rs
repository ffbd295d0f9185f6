//! The pipeline on a local cloud, made with the AWS SDK.

use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use aws_sdk_eventbridge::types::{InputTransformer, Target};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use aws_sdk_s3::types::{EventBridgeConfiguration, NotificationConfiguration};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{
    CloudWatchLogsLogGroup, ExecutionStatus, LogDestination, LogLevel, LoggingConfiguration,
};
use serde_json::{Value, json};

use crate::common::TestCloud;

pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:resize";
pub const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:resize";

pub struct Stack {
    pub cloud: TestCloud,
    pub api: String,
}

impl Stack {
    pub async fn start() -> Self {
        let cloud = TestCloud::start().await;
        make_roles(&cloud).await;
        for bucket in ["original", "resized"] {
            cloud.s3().create_bucket().bucket(bucket).send().await.unwrap();
        }
        let to_events = NotificationConfiguration::builder()
            .event_bridge_configuration(EventBridgeConfiguration::builder().build())
            .build();
        let notify = cloud
            .s3()
            .put_bucket_notification_configuration()
            .bucket("original");
        notify.notification_configuration(to_events).send().await.unwrap();
        cloud
            .logs()
            .create_log_group()
            .log_group_name("/aws/lambda/resize")
            .send()
            .await
            .unwrap();
        cloud
            .logs()
            .create_log_group()
            .log_group_name("/aws/vendedlogs/states/resize")
            .send()
            .await
            .unwrap();
        make_function(&cloud).await;
        make_machine(&cloud).await;
        make_rule(&cloud).await;
        let api = make_api(&cloud).await;
        Self { cloud, api }
    }

    /// Starts an execution of the machine and waits for its end.
    pub async fn run(&self, input: Value) -> DescribeExecutionOutput {
        let start = self
            .cloud
            .states()
            .start_execution()
            .state_machine_arn(MACHINE)
            .input(input.to_string());
        let started = start.send().await.unwrap();
        self.end_of(&started.execution_arn).await
    }

    pub async fn end_of(&self, execution: &str) -> DescribeExecutionOutput {
        for _ in 0..1500 {
            let found = self
                .cloud
                .states()
                .describe_execution()
                .execution_arn(execution)
                .send()
                .await
                .unwrap();
            if found.status != ExecutionStatus::Running {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{execution} does not end");
    }

    pub async fn upload(&self, key: &str) {
        let body = key.as_bytes().to_vec().into();
        self.cloud
            .s3()
            .put_object()
            .bucket("original")
            .key(key)
            .body(body)
            .send()
            .await
            .unwrap();
    }

    /// Waits until `count` executions have ended, and returns their ARNs.
    pub async fn ended(&self, count: usize) -> Vec<String> {
        for _ in 0..1500 {
            let list = self
                .cloud
                .states()
                .list_executions()
                .state_machine_arn(MACHINE)
                .max_results(1000);
            let found = list.send().await.unwrap().executions;
            if found.len() >= count && found.iter().all(|one| one.status != ExecutionStatus::Running) {
                return found.into_iter().map(|one| one.execution_arn).collect();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("there are no {count} executions that ended");
    }

    pub async fn resized(&self, key: &str) -> Option<Vec<u8>> {
        resized(&self.cloud, key).await
    }

    /// Posts to the deployed API: status and body.
    pub async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let host = self.cloud.endpoint.url.trim_start_matches("http://");
        let path = format!("/restapis/{}/prod/_user_request_{path}", self.api);
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let (status, body) = crate::common::request(host, &request).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }
}

/// What the function wrote, if it did.
pub async fn resized(cloud: &TestCloud, key: &str) -> Option<Vec<u8>> {
    let get = cloud.s3().get_object().bucket("resized").key(key);
    let object = get.send().await.ok()?;
    Some(object.body.collect().await.unwrap().to_vec())
}

pub fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::000000000000:role/{name}")
}

async fn make_roles(cloud: &TestCloud) {
    let roles = [
        (
            "function",
            "lambda",
            json!([
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::original/*"},
                {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::resized/*"},
                {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
            ]),
        ),
        (
            "machine",
            "states",
            json!([
                {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": FUNCTION},
                {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
            ]),
        ),
        (
            "rule",
            "events",
            json!([{"Effect": "Allow", "Action": "states:StartExecution", "Resource": MACHINE}]),
        ),
        (
            "api",
            "apigateway",
            json!([{"Effect": "Allow", "Action": "states:StartExecution", "Resource": MACHINE}]),
        ),
    ];
    for (name, service, statements) in roles {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": format!("{service}.amazonaws.com")},
            "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}}
        }]});
        let create = cloud
            .iam()
            .create_role()
            .role_name(name)
            .assume_role_policy_document(trust.to_string());
        create.send().await.unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let put = cloud
            .iam()
            .put_role_policy()
            .role_name(name)
            .policy_name("inline");
        put.policy_document(policy.to_string()).send().await.unwrap();
    }
}

/// A zip whose `bootstrap` starts the example of this crate.
pub fn code() -> Vec<u8> {
    let tests = std::env::current_exe().unwrap();
    let example = tests
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/bootstrap");
    let mode = std::fs::metadata(&example)
        .expect("the example bootstrap is built: by plain `cargo test`, or `cargo build --example bootstrap`")
        .permissions()
        .mode();
    assert_ne!(mode & 0o111, 0);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default())
        .unwrap();
    write!(zip, "#!/bin/sh\nexec '{}'\n", example.display()).unwrap();
    zip.finish().unwrap().into_inner()
}

async fn make_function(cloud: &TestCloud) {
    let create = cloud
        .lambda()
        .create_function()
        .function_name("resize")
        .runtime(Runtime::Providedal2023);
    let create = create
        .handler("bootstrap")
        .role(role_arn("function"))
        .timeout(2)
        .memory_size(256);
    let create = create.code(FunctionCode::builder().zip_file(Blob::new(code())).build());
    let environment = Environment::builder()
        .variables("RESIZED_BUCKET", "resized")
        .build();
    create.environment(environment).send().await.unwrap();
}

pub fn definition() -> Value {
    json!({
        "StartAt": "Resize",
        "States": {
            "Resize": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": FUNCTION, "Payload.$": "$"},
                "OutputPath": "$.Payload",
                "TimeoutSeconds": 60,
                "Retry": [{"ErrorEquals": ["Transient"], "IntervalSeconds": 1, "MaxAttempts": 1}],
                "Next": "Resized?"
            },
            "Resized?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "Done"}],
                "Default": "Refused"
            },
            "Done": {"Type": "Succeed"},
            "Refused": {"Type": "Fail", "Error": "NotResized", "CausePath": "$.error"}
        }
    })
}

async fn make_machine(cloud: &TestCloud) {
    let group = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/states/resize:*";
    let destination = CloudWatchLogsLogGroup::builder().log_group_arn(group).build();
    let destination = LogDestination::builder()
        .cloud_watch_logs_log_group(destination)
        .build();
    let logging = LoggingConfiguration::builder()
        .level(LogLevel::All)
        .include_execution_data(true);
    let create = cloud
        .states()
        .create_state_machine()
        .name("resize")
        .definition(definition().to_string());
    let create = create
        .role_arn(role_arn("machine"))
        .logging_configuration(logging.destinations(destination).build());
    assert_eq!(create.send().await.unwrap().state_machine_arn, MACHINE);
}

async fn make_rule(cloud: &TestCloud) {
    let pattern = json!({"source": ["aws.s3"], "detail-type": ["Object Created"], "resources": ["arn:aws:s3:::original"]});
    cloud
        .events()
        .put_rule()
        .name("uploads")
        .event_pattern(pattern.to_string())
        .send()
        .await
        .unwrap();
    let transformer = InputTransformer::builder()
        .input_paths_map("bucket", "$.detail.bucket.name")
        .input_paths_map("key", "$.detail.object.key")
        .input_paths_map("size", "$.detail.object.size")
        .input_template(r#"{"bucket": <bucket>, "key": <key>, "size": <size>}"#)
        .build()
        .unwrap();
    let target = Target::builder()
        .id("machine")
        .arn(MACHINE)
        .role_arn(role_arn("rule"));
    let target = target.input_transformer(transformer).build().unwrap();
    cloud
        .events()
        .put_targets()
        .rule("uploads")
        .targets(target)
        .send()
        .await
        .unwrap();
}

async fn make_api(cloud: &TestCloud) -> String {
    let template = format!(
        r#"{{"stateMachineArn": "{MACHINE}", "input": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'", "'")"}}"#
    );
    let document = json!({
        "openapi": "3.0.1",
        "info": {"title": "resize", "version": "1"},
        "paths": {"/resize": {"post": {
            "responses": {"200": {"description": "started"}},
            "x-amazon-apigateway-integration": {
                "type": "aws",
                "httpMethod": "POST",
                "uri": "arn:aws:apigateway:us-east-1:states:action/StartExecution",
                "credentials": role_arn("api"),
                "passthroughBehavior": "never",
                "requestTemplates": {"application/json": template},
                "responses": {
                    "default": {"statusCode": "200"},
                    "4\\d{2}": {"statusCode": "400", "responseTemplates": {"application/json": "{\"error\": $input.json('$.message')}"}},
                    "5\\d{2}": {"statusCode": "500"}
                }
            }
        }}}
    });
    let import = cloud
        .apigateway()
        .import_rest_api()
        .parameters("endpointConfigurationTypes", "REGIONAL");
    let imported = import.body(Blob::new(document.to_string())).send().await.unwrap();
    let id = imported.id.unwrap();
    cloud
        .apigateway()
        .create_deployment()
        .rest_api_id(&id)
        .stage_name("prod")
        .send()
        .await
        .unwrap();
    id
}
