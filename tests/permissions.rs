//! What `resizer permissions` prints is what its commands need: with it the whole life goes well, without any one of its
//! actions something fails and names that action. `RESIZER_BAD_DAYS=all` tries every action, else each third.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use aws_config::SdkConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
};
use common::by_hand::change_the_api;
use common::near::NearCloud;
use common::{Ended, Place, confirm, sample};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What only the commands that use a stack need: they are tried on one that stands.
const USES: [&str; 8] = [
    "cloudwatch:GetMetricData",
    "logs:FilterLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "states:DescribeExecution",
    "states:GetExecutionHistory",
    "states:StartExecution",
];

/// What cannot be missed here: neither S3 nor the local cloud has a bucket without encryption, which would need it.
const NOT_MISSED: &str = "s3:PutEncryptionConfiguration";

/// Who may do what a policy says, at a place's local cloud.
struct Operator<'a> {
    place: &'a Place,
    config: SdkConfig,
}

impl<'a> Operator<'a> {
    async fn hired(place: &'a Place) -> Self {
        let config = place.sdk_config();
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "sts:AssumeRole",
            }],
        });
        let hire = aws_sdk_iam::Client::new(&config)
            .create_role()
            .role_name("operator")
            .assume_role_policy_document(trust.to_string());
        hire.send().await.unwrap();
        Self { place, config }
    }

    async fn may(&self, policy: &Value) {
        let put = aws_sdk_iam::Client::new(&self.config)
            .put_role_policy()
            .role_name("operator")
            .policy_name("operator")
            .policy_document(policy.to_string());
        put.send().await.unwrap();
    }

    /// The binary under the operator's session, and with a cache of its own: other tests have stacks of the same name.
    async fn command(&self, args: &[&str]) -> Command {
        let session = aws_sdk_sts::Client::new(&self.config)
            .assume_role()
            .role_arn("arn:aws:iam::000000000000:role/operator")
            .role_session_name("test")
            .send()
            .await
            .unwrap();
        let credentials = session.credentials().unwrap();
        let endpoint = self.place.endpoint();
        let mut command = self.place.command(args);
        command
            .env("AWS_ENDPOINT_URL", endpoint["url"].as_str().unwrap())
            .env("AWS_REGION", endpoint["region"].as_str().unwrap())
            .env("AWS_ACCESS_KEY_ID", credentials.access_key_id())
            .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key())
            .env("AWS_SESSION_TOKEN", credentials.session_token())
            .env("XDG_CACHE_HOME", self.place.path().join("cache"));
        command
    }

    async fn runs(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).await.output().unwrap())
    }
}

fn policy_of(place: &Place) -> Value {
    place.resizer(&["permissions", "--local"]).ok().document()
}

fn actions_of(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements
        .flat_map(|statement| match &statement["Action"] {
            Value::String(action) => vec![action.clone()],
            several => serde_json::from_value(several.clone()).unwrap(),
        })
        .collect()
}

fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        match &mut statement["Action"] {
            Value::Array(actions) => actions.retain(|each| each != action),
            // An action that nobody has, since a statement needs one.
            single if single == action => *single = json!("sts:GetCallerIdentity"),
            _ => {}
        }
    }
    policy
}

/// What stands before there is a stack, untagged and not as it should be.
async fn prepare(config: &SdkConfig, place: &Place) {
    let here = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuCentral1)
        .build();
    let bucket = place
        .s3()
        .create_bucket()
        .bucket("resizer-resized-000000000000-eu-central-1")
        .create_bucket_configuration(here);
    bucket.send().await.unwrap();
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    });
    let role = aws_sdk_iam::Client::new(config)
        .create_role()
        .role_name("resizer-eu-central-1-rule")
        .assume_role_policy_document(trust.to_string());
    role.send().await.unwrap();
}

/// What happens to a stack that stands: pictures, half an upload, an execution that runs, the REST API, a definition and a
/// topic's policy changed by hand, and an address that wants to be told.
async fn live(config: &SdkConfig, place: &Place) {
    let bucket = "resizer-original-000000000000-eu-central-1";
    let s3 = place.s3();
    let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let version = s3.put_bucket_versioning().bucket(bucket);
    let version = version.versioning_configuration(versioned.build());
    version.send().await.unwrap();
    let put = s3.put_object().bucket(bucket).key("a.jpg");
    put.body(ByteStream::from_static(b"no picture"))
        .send()
        .await
        .unwrap();
    let upload = s3.create_multipart_upload().bucket(bucket).key("half.jpg");
    upload.send().await.unwrap();

    let sns = aws_sdk_sns::Client::new(config);
    let topic = "arn:aws:sns:eu-central-1:000000000000:resizer-alarms";
    confirm(&sns, topic, "ops@example.org").await;
    let widened = sns
        .set_topic_attributes()
        .topic_arn(topic)
        .attribute_name("Policy");
    let anyone = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    ]});
    widened.attribute_value(anyone.to_string()).send().await.unwrap();

    change_the_api(config).await.unwrap();

    let states = aws_sdk_sfn::Client::new(config);
    let machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:resizer-resize";
    let change = states.update_state_machine().state_machine_arn(machine);
    let definition =
        r#"{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}}"#;
    change.definition(definition).send().await.unwrap();
    let start = states.start_execution().state_machine_arn(machine).name("waits");
    start.send().await.unwrap();
}

/// What the operator's commands came to, one after the other until the first that failed.
async fn life(operator: &Operator<'_>) -> Vec<Ended> {
    let (place, config) = (operator.place, &operator.config);
    prepare(config, place).await;
    let mut ran = Vec::new();
    place.write_other_function();
    let configure = |text| fs::write(place.path().join("resizer.toml"), text).unwrap();
    configure("[alarms]\nemail = \"ops@example.org\"\n");
    for (n, args) in [
        &["up", "--adopt", "--handler-zip", "function.zip"][..],
        &["up", "--handler-zip", "other.zip"],
        &["plan", "--handler-zip", "other.zip"],
        &["status"],
        &["down", "--yes"],
    ]
    .iter()
    .enumerate()
    {
        if n == 1 {
            live(config, place).await;
            configure("[function]\nmemory = 512\n[alarms]\nemail = \"others@example.org\"\n");
        }
        ran.push(operator.runs(args).await);
        if ran.last().unwrap().code != Some(0) {
            break;
        }
    }
    ran
}

fn is_tried(n: usize) -> bool {
    n.is_multiple_of(3) || std::env::var("RESIZER_BAD_DAYS").is_ok_and(|which| which == "all")
}

#[test]
fn a_stacks_life_needs_every_action_and_no_other() {
    let near = NearCloud::start();
    let policy = policy_of(&near.place);
    Runtime::new().unwrap().block_on(async {
        let operator = Operator::hired(&near.place).await;
        operator.may(&policy).await;
        let ran = life(&operator).await;
        for ended in ran {
            ended.ok();
        }
        let left = aws_sdk_iam::Client::new(&operator.config)
            .list_roles()
            .send()
            .await;
        assert_eq!(left.unwrap().roles().len(), 1, "the operator's own");
    });

    let actions: Vec<String> = actions_of(&policy)
        .into_iter()
        .filter(|action| !USES.contains(&action.as_str()) && action != NOT_MISSED)
        .enumerate()
        .filter_map(|(n, action)| is_tried(n).then_some(action))
        .collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = Runtime::new().unwrap();
                while let Some(action) = actions.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let near = NearCloud::start();
                    let failed = runtime.block_on(async {
                        let operator = Operator::hired(&near.place).await;
                        operator.may(&without(&policy, action)).await;
                        life(&operator).await.pop().unwrap()
                    });
                    assert_eq!(failed.code, Some(1), "without {action} all went well");
                    // Of one object among a thousand, S3's own words are all there is.
                    let told = match action.as_str() {
                        "s3:DeleteObjectVersion" => action.clone(),
                        action => format!("lack the permission {action} on "),
                    };
                    assert!(
                        failed.stderr.contains(&told),
                        "{action} is not named: {}",
                        failed.stderr
                    );
                }
            });
        }
    });
    eprintln!("{} actions were each left out of a life", actions.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_alarms_needs_no_permission_for_them_and_is_told_what_was_not_looked_for() {
    let near = NearCloud::start();
    let policy = ["cloudwatch:DescribeAlarms", "sns:GetTopicAttributes"]
        .iter()
        .fold(policy_of(&near.place), |policy, action| without(&policy, action));
    let operator = Operator::hired(&near.place).await;
    operator.may(&policy).await;
    let unseen = "alarm resizer.executions-failed, alarm resizer.function-throttled, alarm resizer.rule-failed, \
                  topic resizer-alarms could not be seen: the credentials in use lack cloudwatch:DescribeAlarms, \
                  sns:GetTopicAttributes";
    for command in [&["up", "--handler-zip", "function.zip"][..], &["plan"]] {
        operator.runs(command).await.ok().says(unseen);
    }
    let status = operator.runs(&["status"]).await.ok();
    assert!(
        status.stdout.contains("all 13 there and right") && status.stdout.contains(unseen),
        "{}",
        status.stdout
    );
    let listed = operator.runs(&["down", "--dry-run"]).await.ok();
    assert!(listed.stdout.contains(unseen), "{}", listed.stdout);
    // Nothing is proven of what cannot be seen.
    let down = operator.runs(&["down", "--yes"]).await.ok();
    assert!(
        down.stdout.contains(unseen) && !down.stdout.contains("nothing is left"),
        "{}",
        down.stdout
    );
    let again = operator.runs(&["down", "--yes", "--json"]).await.ok().document();
    assert!(again["unseen"].as_str().unwrap().contains(unseen), "{again}");
}

/// Who may ask IAM what they may do misses a permission at once, and all that are missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_making_the_stack_takes_is_missed_before_anything_is_made() {
    let near = NearCloud::start();
    let operator = Operator::hired(&near.place).await;
    let missing = ["iam:PutRolePolicy", "events:PutTargets", "apigateway:POST"];
    let mut policy = missing
        .iter()
        .fold(policy_of(&near.place), |policy, action| without(&policy, action));
    let asks = json!({
        "Effect": "Allow",
        "Action": ["iam:GetRole", "iam:SimulatePrincipalPolicy"],
        "Resource": "arn:aws:iam::000000000000:role/operator",
    });
    policy["Statement"].as_array_mut().unwrap().push(asks.clone());
    operator.may(&policy).await;

    let up = ["up", "--handler-zip", "function.zip"];
    let told = operator.runs(&up).await.code(1);
    for action in missing {
        assert!(told.stderr.contains(action), "{action}: {}", told.stderr);
    }
    let told = told.says("nothing was done").says("resizer permissions");
    assert!(
        !told.stderr.contains("iam:CreateRole"),
        "what is allowed is not missed: {}",
        told.stderr
    );
    let buckets = near.place.s3().list_buckets().send().await.unwrap();
    assert_eq!(buckets.buckets().len(), 0, "nothing was made");

    let mut policy = policy_of(&near.place);
    policy["Statement"].as_array_mut().unwrap().push(asks.clone());
    operator.may(&policy).await;
    operator.runs(&up).await.ok();

    // What a change takes is missed as well, and what it does not take is not.
    let missing = [
        "lambda:UpdateFunctionConfiguration",
        "events:PutRule",
        "apigateway:PATCH",
    ];
    let policy = ["iam:UpdateRole", "lambda:CreateFunction"].iter().chain(&missing);
    let mut policy = policy.fold(policy_of(&near.place), |policy, action| without(&policy, action));
    policy["Statement"].as_array_mut().unwrap().push(asks);
    operator.may(&policy).await;
    let keys = "[function]\nmemory = 512\n[keys]\nprefix = \"in/\"\n";
    fs::write(near.place.path().join("resizer.toml"), keys).unwrap();
    change_the_api(&operator.config).await.unwrap();
    let told = operator.runs(&up).await.code(1).says("nothing was done");
    for action in missing {
        assert!(told.stderr.contains(action), "{action}: {}", told.stderr);
    }
    assert!(!told.stderr.contains("iam:UpdateRole"), "{}", told.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn using_a_stack_needs_what_is_printed_for_it() {
    let place = Place::with_stack();
    let policy = policy_of(&place);
    let operator = Operator::hired(&place).await;
    operator.may(&policy).await;
    let rocket = sample("rocket.jpg");
    let rocket = rocket.to_str().unwrap();
    let invoked = operator.runs(&["invoke", "--file", rocket, "--json"]).await.ok();
    let execution = invoked.document()["execution"].as_str().unwrap().to_owned();
    let uses: [&[&str]; 8] = [
        &["invoke", "--file", rocket, "--key", "again.jpg", "--again"],
        &["invoke", "--key", "rocket.jpg"],
        &["invoke", "--key", "rocket.jpg", "--again"],
        &["invoke", "--key", "missing.jpg"],
        &["status"],
        &["status", "--execution", &execution],
        &["report", "--html", "-"],
        &["logs", "--execution", &execution],
    ];
    for args in uses {
        let ended = operator.runs(args).await;
        if args.contains(&"missing.jpg") {
            ended.code(1).says("missing.jpg");
        } else {
            ended.ok();
        }
    }

    for action in USES {
        operator.may(&without(&policy, action)).await;
        let mut said = String::new();
        for args in uses {
            let ended = operator.runs(args).await;
            said += &(ended.stdout + &ended.stderr);
        }
        assert!(said.contains(action), "{action} is not named: {said}");
    }
    // Who may not read logs is told the story all the same.
    operator.may(&without(&policy, "logs:FilterLogEvents")).await;
    let story = operator.runs(&["status", "--execution", &execution]).await.ok();
    assert!(
        story
            .stdout
            .contains("log  /aws/lambda/resizer-resize is not to be read: logs:FilterLogEvents on "),
        "{}",
        story.stdout
    );
}
