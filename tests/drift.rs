//! What others change by hand: `plan` tells of it, `up` puts it back, and what is not the stack's stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_config::SdkConfig;
use aws_sdk_eventbridge::types::{RetryPolicy, Target};
use aws_sdk_lambda::types::Environment;
use aws_sdk_s3::types::{NotificationConfiguration, Tag, Tagging};
use aws_sdk_sfn::types::{LogLevel, LoggingConfiguration};
use common::by_hand::{change_the_api, replaced};
use common::near::{DOWN, NearCloud, UP};
use common::{Ended, Place, eventually, s3_at, sample};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_field_that_is_changed_by_hand_is_told_and_put_back() {
    let place = Place::with_stack();
    let outputs = place.outputs();
    place.resizer(&["plan", "--local", "--exit-code"]).code(0);
    place.resizer(&["status", "--local", "--exit-code"]).code(0);
    change_everything_by_hand(&place, &outputs).await;
    place.resizer(&["status", "--local", "--exit-code"]).code(2);
    let rocket = sample("rocket.jpg");
    let rocket = rocket.to_str().unwrap();
    place
        .resizer(&["invoke", "--local", "--file", rocket, "--timeout", "60"])
        .code(1)
        .says("does not tell EventBridge of uploads")
        .says(
            "the rule resizer-object-created matches other events than it should, is disabled, has no target",
        );

    let plan = place
        .resizer(&["plan", "--local", "--exit-code", "--json"])
        .code(2);
    let plan = plan.document();
    for (resource, fields) in [
        // Encryption cannot be changed by hand here: the local cloud, as S3, has no bucket without, and no KMS.
        (
            "original_bucket",
            ["notification to EventBridge", "public access block"].as_slice(),
        ),
        ("resized_bucket", &["public access block"]),
        (
            "function_role",
            &["description", "trust policy", "inline policy", "managed policy"],
        ),
        (
            "function",
            &["memory", "timeout", "environment", "code changed by others"],
        ),
        ("state_machine", &["definition", "logging"]),
        ("rule", &["description", "pattern", "state", "target"]),
        ("function_log_group", &["retention days"]),
        (
            "rest_api",
            &[
                "description",
                "endpoint type",
                "request",
                "responses",
                "models",
                "integration",
                "deployed definition",
            ],
        ),
    ] {
        for field in fields {
            assert!(
                tells(&plan, resource, field),
                "{resource}: {field} is not in {plan:#}"
            );
        }
    }
    assert_eq!(
        place.resizer(&["plan", "--local", "--json"]).ok().document()["changes"],
        plan["changes"],
        "a plan changes nothing"
    );

    let dry_run = ["up", "--local", "--dry-run", "--exit-code"];
    place.resizer(&dry_run).code(2).says("nothing was done");
    assert_eq!(place.json(&["up", "--local"])["changed"], true);
    for command in [&["plan", "--local"][..], &["up", "--local", "--dry-run"]] {
        place.resizer(&[command, &["--exit-code"]].concat()).code(0);
    }
    place.resizer(&["invoke", "--local", "--file", rocket]).ok();
    place
        .resizer(&["invoke", "--local", "--key", "rocket.jpg", "--via", "api"])
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_added_is_named_and_stays() {
    let place = Place::with_stack();
    let outputs = place.outputs();
    let config = place.sdk_config();
    let bucket = outputs["original_bucket"].as_str().unwrap();
    let role = outputs["roles"]["function"].as_str().unwrap();
    let rule = outputs["rule_name"].as_str().unwrap();
    let iam = aws_sdk_iam::Client::new(&config);
    let events = aws_sdk_eventbridge::Client::new(&config);

    let own = iam
        .list_role_policies()
        .role_name(name_of(role))
        .send()
        .await
        .unwrap();
    let audit = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    ]});
    let put = iam
        .put_role_policy()
        .role_name(name_of(role))
        .policy_name("audit");
    put.policy_document(audit.to_string()).send().await.unwrap();
    let theirs = Target::builder()
        .id("theirs")
        .arn(outputs["state_machine_arn"].as_str().unwrap())
        .role_arn(outputs["roles"]["rule"].as_str().unwrap())
        .build()
        .unwrap();
    events
        .put_targets()
        .rule(rule)
        .targets(theirs)
        .send()
        .await
        .unwrap();
    let s3 = place.s3();
    let mut tags = s3
        .get_bucket_tagging()
        .bucket(bucket)
        .send()
        .await
        .unwrap()
        .tag_set;
    tags.push(Tag::builder().key("Owner").value("Anna").build().unwrap());
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
    s3.put_bucket_tagging()
        .bucket(bucket)
        .tagging(tagging)
        .send()
        .await
        .unwrap();

    let named = |place: &Place| {
        let shown = place.resizer(&["plan", "--local", "--exit-code"]).code(0).stdout;
        for other in ["inline policy audit", "target theirs", "tag Owner"] {
            assert!(
                shown.contains(&format!("stays: {other}")),
                "{other} is not in\n{shown}"
            );
        }
        assert!(shown.contains("nothing to do"), "{shown}");
    };
    named(&place);
    events.disable_rule().name(rule).send().await.unwrap();
    s3.delete_public_access_block()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    iam.delete_role_policy()
        .role_name(name_of(role))
        .policy_name(&own.policy_names()[0])
        .send()
        .await
        .unwrap();
    assert_eq!(place.json(&["up", "--local"])["changed"], true);
    named(&place);
    place.resizer(&["down", "--local", "--yes"]).ok();
}

/// Lambda makes the group of a function that has none, with nothing but its name.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_group_that_was_deleted_and_that_lambda_made_again_is_mended() {
    let place = Place::with_stack();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&place.sdk_config());
    let group = place.outputs()["log_groups"]["function"].clone();
    let group = group.as_str().unwrap();
    let delete = logs.delete_log_group().log_group_name(group);
    delete.send().await.unwrap();
    place.invoke(&sample("rocket.jpg"), "rocket.jpg").ok();
    eventually("the group to be there again", || async {
        let found = logs.describe_log_groups().log_group_name_prefix(group);
        let found = found.send().await.unwrap();
        found.log_groups().first().cloned()
    })
    .await;

    let plan = place.json(&["plan", "--local"]);
    for field in ["tag resizer:stack", "retention days"] {
        assert!(tells(&plan, "function_log_group", field), "{plan:#}");
    }
    place.resizer(&["up", "--local"]).ok();
    place.resizer(&["plan", "--local", "--exit-code"]).code(0);
}

#[test]
fn a_plan_before_the_first_up_has_changes_and_makes_nothing() {
    let place = Place::new();
    let plan = place
        .resizer(&["plan", "--local", "--exit-code", "--json"])
        .code(2)
        .document();
    assert_eq!(plan["dryRun"], true, "{plan}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    place
        .resizer(&["plan", "--local"])
        .code(0)
        .says("`resizer up --local` does it");
    for wrong in [["--region", "nowhere/1"], ["--no-such", "flag"]] {
        let args = [["plan", "--local", "--exit-code"].as_slice(), &wrong].concat();
        place.resizer(&args).code(1);
    }
}

/// As on a machine that has built nothing yet: what is not compared is not taken to be right.
#[test]
fn code_that_is_not_built_is_said_to_be_not_compared() {
    let place = Place::with_stack();
    let mut plan = place.command(&["plan", "--local", "--json"]);
    plan.env("XDG_CACHE_HOME", place.path().join("empty"));
    let told = Ended::from(plan.output().unwrap()).ok();
    assert_eq!(
        told.document()["notCompared"],
        json!(["function code"]),
        "{}",
        told.stdout
    );
    told.says("with --exit-code it is built");

    let mut plan = place.command(&["plan", "--local", "--exit-code"]);
    // Where it cannot be built, there is no answer.
    plan.env("XDG_CACHE_HOME", place.path().join("empty"))
        .env("PATH", place.path());
    Ended::from(plan.output().unwrap())
        .code(1)
        .says("no Rust is on the PATH");
    let plan = place.json(&["plan", "--local", "--exit-code"]);
    assert_eq!(plan["notCompared"], Value::Null, "{plan}");
}

async fn change_everything_by_hand(place: &Place, outputs: &Value) {
    let config = place.sdk_config();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let s3 = place.s3();
    for bucket in ["original_bucket", "resized_bucket"] {
        let bucket = text(&outputs[bucket]);
        s3.delete_public_access_block()
            .bucket(&bucket)
            .send()
            .await
            .unwrap();
    }
    s3.put_bucket_notification_configuration()
        .bucket(text(&outputs["original_bucket"]))
        .notification_configuration(NotificationConfiguration::builder().build())
        .send()
        .await
        .unwrap();

    let iam = aws_sdk_iam::Client::new(&config);
    let arn = text(&outputs["roles"]["function"]);
    let role = name_of(&arn);
    let anyone = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]});
    let everything = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    ]});
    iam.update_role()
        .role_name(role)
        .description("mine")
        .send()
        .await
        .unwrap();
    iam.update_assume_role_policy()
        .role_name(role)
        .policy_document(anyone.to_string())
        .send()
        .await
        .unwrap();
    let inline = iam.list_role_policies().role_name(role).send().await.unwrap();
    iam.put_role_policy()
        .role_name(role)
        .policy_name(&inline.policy_names()[0])
        .policy_document(everything.to_string())
        .send()
        .await
        .unwrap();
    let attached = iam
        .list_attached_role_policies()
        .role_name(role)
        .send()
        .await
        .unwrap();
    iam.detach_role_policy()
        .role_name(role)
        .policy_arn(attached.attached_policies()[0].policy_arn().unwrap())
        .send()
        .await
        .unwrap();

    let lambda = aws_sdk_lambda::Client::new(&config);
    lambda
        .update_function_configuration()
        .function_name(text(&outputs["function_name"]))
        .memory_size(512)
        .timeout(7)
        .environment(Environment::builder().variables("RENDITIONS", "[]").build())
        .send()
        .await
        .unwrap();

    let states = aws_sdk_sfn::Client::new(&config);
    states
        .update_state_machine()
        .state_machine_arn(text(&outputs["state_machine_arn"]))
        .definition(json!({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}).to_string())
        .logging_configuration(LoggingConfiguration::builder().level(LogLevel::Off).build())
        .send()
        .await
        .unwrap();

    let events = aws_sdk_eventbridge::Client::new(&config);
    let rule = text(&outputs["rule_name"]);
    let targets = events.list_targets_by_rule().rule(&rule).send().await.unwrap();
    let mut target = targets.targets()[0].clone();
    target.retry_policy = Some(RetryPolicy::builder().maximum_retry_attempts(0).build());
    events
        .put_targets()
        .rule(&rule)
        .targets(target)
        .send()
        .await
        .unwrap();
    let plan = place.json(&["plan", "--local"]);
    assert!(tells(&plan, "rule", "target"), "{plan:#}");
    events
        .put_rule()
        .name(&rule)
        .description("mine")
        .event_pattern(r#"{"source": ["mine"]}"#)
        .send()
        .await
        .unwrap();
    events.disable_rule().name(&rule).send().await.unwrap();
    events
        .remove_targets()
        .rule(&rule)
        .ids(targets.targets()[0].id())
        .send()
        .await
        .unwrap();

    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    logs.put_retention_policy()
        .log_group_name(text(&outputs["log_groups"]["function"]))
        .retention_in_days(1)
        .send()
        .await
        .unwrap();

    let arn = text(&outputs["function_arn"]);
    let untag = lambda.untag_resource().resource(arn);
    untag.tag_keys("resizer:code-sha256").send().await.unwrap();
    change_the_api(&config).await.unwrap();
}

/// What has lost the tag might be anyone's by now: it is told, and taken over when that is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_has_lost_its_tag_is_told_and_marked_again() {
    let near = NearCloud::start();
    let place = &near.place;
    let told = "[alarms]\nemail = \"ops@example.org\"\n";
    std::fs::write(place.path().join("resizer.toml"), told).unwrap();
    let outputs = place.json(&UP)["outputs"].clone();
    remove_every_tag(&place.sdk_config(), &outputs).await;

    let plan = ["plan", "--local", "--handler-zip", "function.zip", "--json"];
    let refused = place.resizer(&plan).code(1).document();
    let changes = refused["changes"].as_array().unwrap();
    let reason = "it has no tag resizer:stack=resizer";
    for change in changes {
        assert_eq!(change["reason"], reason, "{change:#}");
    }
    assert_eq!(changes.len(), 17);
    place.resizer(&UP).code(1).says("--adopt");
    place.resizer(&[&UP[..], &["--adopt"]].concat()).ok();
    assert_eq!(place.json(&UP)["changed"], false);
    place.resizer(&DOWN).ok();
}

async fn remove_every_tag(config: &SdkConfig, outputs: &Value) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tag = "resizer:stack";
    let here = |service: &str, name: &str| format!("arn:aws:{service}:eu-central-1:000000000000:{name}");
    for bucket in ["original_bucket", "resized_bucket"] {
        let delete = s3_at(config).delete_bucket_tagging();
        delete.bucket(text(&outputs[bucket])).send().await.unwrap();
    }
    let iam = aws_sdk_iam::Client::new(config);
    for (_, role) in outputs["roles"].as_object().unwrap() {
        let untag = iam.untag_role().role_name(name_of(role.as_str().unwrap()));
        untag.tag_keys(tag).send().await.unwrap();
    }
    let lambda = aws_sdk_lambda::Client::new(config).untag_resource();
    let lambda = lambda.resource(text(&outputs["function_arn"]));
    lambda.tag_keys(tag).send().await.unwrap();
    let states = aws_sdk_sfn::Client::new(config).untag_resource();
    let states = states.resource_arn(text(&outputs["state_machine_arn"]));
    states.tag_keys(tag).send().await.unwrap();
    let events = aws_sdk_eventbridge::Client::new(config).untag_resource();
    let events = events.resource_arn(here("events", &format!("rule/{}", text(&outputs["rule_name"]))));
    events.tag_keys(tag).send().await.unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    for (_, group) in outputs["log_groups"].as_object().unwrap() {
        let arn = here("logs", &format!("log-group:{}", group.as_str().unwrap()));
        let untag = logs.untag_resource().resource_arn(arn);
        untag.tag_keys(tag).send().await.unwrap();
    }
    let api = text(&outputs["rest_api_id"]);
    let apis = aws_sdk_apigateway::Client::new(config).untag_resource();
    let apis = apis.resource_arn(format!("arn:aws:apigateway:eu-central-1::/restapis/{api}"));
    apis.tag_keys(tag).send().await.unwrap();
    let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
    let alarms = cloudwatch.describe_alarms().send().await.unwrap();
    let dashboards = cloudwatch.list_dashboards().send().await.unwrap();
    let alarms = alarms.metric_alarms().iter().map(|alarm| alarm.alarm_arn());
    let dashboards = dashboards.dashboard_entries().iter();
    for arn in alarms.chain(dashboards.map(|dashboard| dashboard.dashboard_arn())) {
        let untag = cloudwatch.untag_resource().resource_arn(arn.unwrap());
        untag.tag_keys(tag).send().await.unwrap();
    }
    let sns = aws_sdk_sns::Client::new(config).untag_resource();
    let sns = sns.resource_arn(here("sns", "resizer-alarms"));
    sns.tag_keys(tag).send().await.unwrap();
}

/// Each change of the API makes a deployment: what the stage served before is kept, and nothing older of ours.
#[tokio::test(flavor = "multi_thread")]
async fn old_deployments_of_the_api_go() {
    let near = NearCloud::start();
    let place = &near.place;
    let outputs = place.json(&UP)["outputs"].clone();
    let id = outputs["rest_api_id"].as_str().unwrap();
    let apis = aws_sdk_apigateway::Client::new(&place.sdk_config());
    let theirs = apis.create_deployment().rest_api_id(id).description("theirs");
    theirs.send().await.unwrap();
    let descriptions = || async {
        let deployments = apis.get_deployments().rest_api_id(id).send().await.unwrap();
        let descriptions = deployments.items().iter();
        let descriptions = descriptions.map(|deployment| deployment.description().unwrap().to_owned());
        descriptions.collect::<Vec<_>>()
    };
    for _ in 0..3 {
        let change = apis.update_rest_api().rest_api_id(id);
        let change = change.patch_operations(replaced("/description", "mine"));
        change.send().await.unwrap();
        place.resizer(&UP).ok();
    }
    let left = descriptions().await;
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.contains(&"theirs".to_owned()), "{left:?}");
}

/// Whether a plan says that this field of this resource differs.
fn tells(plan: &Value, resource: &str, field: &str) -> bool {
    let changes = plan["changes"].as_array().unwrap();
    let change = changes.iter().find(|change| change["resource"] == resource);
    let fields = change.and_then(|change| change["fields"].as_array());
    fields.is_some_and(|fields| fields.iter().any(|told| told["field"] == field))
}

/// The name at the end of a role's ARN.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}
