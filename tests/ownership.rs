//! Whose a resource is: what is taken over, what is lent, and what a run that failed takes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_apigateway::types::PutMode;
use aws_sdk_iam::types::Tag;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use common::by_hand::replaced;
use common::near::{DOWN, NearCloud, UP, refusal};
use common::{Ended, Place, sample, signal};
use resizer_local::{Fault, Mishap, Realism};
use serde_json::{Value, json};

const ORIGINAL: &str = "resizer-original-000000000000-eu-central-1";
const ROLE: &str = "resizer-eu-central-1-rule";
const LOG_GROUP: &str = "/aws/lambda/resizer-resize";

/// A bucket with an object in it, of nobody.
async fn make_bucket(place: &Place, name: &str) {
    let s3 = place.s3();
    let here = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuCentral1)
        .build();
    let make = s3.create_bucket().bucket(name).create_bucket_configuration(here);
    make.send().await.unwrap();
    put(place, name, "theirs.jpg").await;
}

/// Some object.
async fn put(place: &Place, bucket: &str, key: &str) {
    let put = place.s3().put_object().bucket(bucket).key(key);
    put.body(ByteStream::from_static(b"some bytes"))
        .send()
        .await
        .unwrap();
}

/// A log group, of nobody, of the name that the function's has.
async fn make_log_group(place: &Place) -> aws_sdk_cloudwatchlogs::Client {
    let logs = aws_sdk_cloudwatchlogs::Client::new(&place.sdk_config());
    let make = logs.create_log_group().log_group_name(LOG_GROUP);
    make.send().await.unwrap();
    logs
}

async fn is_there(place: &Place, bucket: &str, key: &str) -> bool {
    let head = place.s3().head_object().bucket(bucket).key(key).send();
    head.await.is_ok()
}

async fn make_role(place: &Place) -> aws_sdk_iam::Client {
    let iam = aws_sdk_iam::Client::new(&place.sdk_config());
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let make = iam
        .create_role()
        .role_name(ROLE)
        .assume_role_policy_document(trust);
    make.send().await.unwrap();
    iam
}

/// A method of others', at `/theirs`.
async fn put_method(apis: &aws_sdk_apigateway::Client, api: &str, mode: PutMode) {
    let document = std::fs::read_to_string("api/rest-api.openapi.json")
        .unwrap()
        .replace("/resize\"", "/theirs\"")
        .replace("${name}", "resizer-resize")
        .replace("${partition}", "aws")
        .replace("${region}", "eu-central-1")
        .replace(
            "${role_arn}",
            "arn:aws:iam::000000000000:role/resizer-eu-central-1-api",
        )
        .replace(
            "${state_machine_arn}",
            "arn:aws:states:eu-central-1:000000000000:stateMachine:theirs",
        );
    let put = apis.put_rest_api().rest_api_id(api).mode(mode);
    let put = put.body(aws_sdk_apigateway::primitives::Blob::new(document));
    put.send().await.unwrap();
}

fn action_of(plan: &Value, resource: &str) -> Value {
    let changes = plan["changes"].as_array().unwrap();
    let change = changes.iter().find(|change| change["resource"] == resource);
    change.unwrap()["action"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_our_name_but_no_tag_is_left_alone_until_it_is_adopted() {
    let near = NearCloud::start();
    let place = &near.place;
    make_bucket(place, ORIGINAL).await;
    make_role(place).await;
    let apis = aws_sdk_apigateway::Client::new(&place.sdk_config());
    apis.create_rest_api()
        .name("resizer-resize")
        .send()
        .await
        .unwrap();

    let refused = place.resizer(&UP).code(1);
    refused
        .says(&format!("the bucket {ORIGINAL} has the name of this stack's"))
        .says(&format!("neither is the role {ROLE}"))
        .says("--adopt");
    place.resizer(&DOWN).ok().says("--adopt");
    let down = place.json(&DOWN);
    let kept = down["kept"].as_array().unwrap();
    assert!(
        kept.iter()
            .all(|kept| kept["notOurs"] == "it has no tag resizer:stack=resizer"),
        "{down:#}"
    );
    assert_eq!((down["removed"].clone(), kept.len()), (json!([]), 2), "{down:#}");
    let plan = ["plan", "--local", "--handler-zip", "function.zip"];
    let shown = place.resizer(&plan).code(1).says("--adopt").stdout;
    for line in [
        &format!("foreign bucket         {ORIGINAL}"),
        "it has no tag resizer:stack=resizer",
        "create  function       resizer-resize",
        "11 to create, 2 foreign",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let told = place
        .resizer(&[&plan[..], &["--json", "--exit-code"]].concat())
        .code(1)
        .document();
    assert_eq!(action_of(&told, "original_bucket"), "refuse");
    assert_eq!(action_of(&told, "function"), "create");
    assert!(
        told["error"]
            .as_str()
            .unwrap()
            .contains("has the name of this stack's"),
        "{told:#}"
    );

    let plan = place.json(&[&plan[..], &["--adopt"]].concat());
    for resource in ["original_bucket", "rule_role", "rest_api"] {
        assert_eq!(action_of(&plan, resource), "adopt", "{plan:#}");
    }
    assert_eq!(action_of(&plan, "function"), "create");

    let up = [&UP[..], &["--adopt"]].concat();
    let adopted = place
        .resizer(&up)
        .ok()
        .says("What is adopted (3) is the stack's from now on");
    assert!(adopted.stdout.contains("adopted"), "{}", adopted.stdout);
    assert_eq!(place.json(&UP)["changed"], false);
    assert!(is_there(place, ORIGINAL, "theirs.jpg").await);
    assert_eq!(apis.get_rest_apis().send().await.unwrap().items().len(), 1);

    place.resizer(&DOWN).ok();
    assert!(!is_there(place, ORIGINAL, "theirs.jpg").await);
    assert!(apis.get_rest_apis().send().await.unwrap().items().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_stacks_is_not_even_adopted() {
    let near = NearCloud::start();
    let iam = make_role(&near.place).await;
    let tag = Tag::builder()
        .key("resizer:stack")
        .value("other")
        .build()
        .unwrap();
    iam.tag_role().role_name(ROLE).tags(tag).send().await.unwrap();
    let refused = near.place.resizer(&[&UP[..], &["--adopt"]].concat()).code(1);
    let refused = refused.says("its tag resizer:stack says \"other\"");
    assert!(!refused.stderr.contains("takes it over"), "{}", refused.stderr);
}

/// An API's name and tag can be changed by hand, and its id is AWS's choice: it is neither lost nor made twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_is_found_under_another_name_and_missed_with_its_tag() {
    let near = NearCloud::start();
    let place = &near.place;
    let outputs = place.json(&UP)["outputs"].clone();
    let id = outputs["rest_api_id"].as_str().unwrap();
    let apis = aws_sdk_apigateway::Client::new(&place.sdk_config());
    let rename = apis.update_rest_api().rest_api_id(id);
    let rename = rename.patch_operations(replaced("/name", "theirs"));
    rename.send().await.unwrap();

    let plan = place.json(&["plan", "--local", "--handler-zip", "function.zip"]);
    assert_eq!(action_of(&plan, "rest_api"), "update", "{plan:#}");
    place.resizer(&UP).ok();
    let standing = apis.get_rest_apis().send().await.unwrap();
    let names: Vec<_> = standing
        .items()
        .iter()
        .map(|api| (api.id(), api.name()))
        .collect();
    assert_eq!(names, [(Some(id), Some("resizer-resize"))]);

    let untag = apis
        .untag_resource()
        .resource_arn(format!("arn:aws:apigateway:eu-central-1::/restapis/{id}"));
    untag.tag_keys("resizer:stack").send().await.unwrap();
    let refused = place.resizer(&UP).code(1);
    refused
        .says("the REST API resizer-resize has the name of this stack's, but it has no tag")
        .says("--adopt");
    // All else goes, and it stays.
    let down = place.resizer(&["down", "--local", "--yes"]).ok().says("--adopt");
    let told = "nothing is left";
    assert!(!down.stdout.contains(told), "{}", down.stdout);
    let left = "what is left: REST API resizer-resize, which is not the stack's: it has no tag resizer:stack=resizer";
    assert!(down.stdout.contains(left), "{}", down.stdout);
    place.resizer(&[&UP[..], &["--adopt"]].concat()).ok();
    place.resizer(&DOWN).ok();
    assert!(apis.get_rest_apis().send().await.unwrap().items().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_serves_something_else_is_not_adopted() {
    let near = NearCloud::start();
    let apis = aws_sdk_apigateway::Client::new(&near.place.sdk_config());
    let api = apis
        .create_rest_api()
        .name("resizer-resize")
        .send()
        .await
        .unwrap();
    put_method(&apis, api.id().unwrap(), PutMode::Overwrite).await;
    let refused = near.place.resizer(&[&UP[..], &["--adopt"]].concat()).code(1);
    refused.says("it serves more than POST /resize: POST /theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn lent_buckets_are_used_and_never_emptied_or_removed() {
    let place = Place::new();
    place.resizer(&["up", "--local", "--region", "eu-central-1"]).ok();
    make_bucket(&place, "my-originals").await;
    make_bucket(&place, "my-results").await;
    let lent = [
        "--local",
        "--original-bucket",
        "my-originals",
        "--resized-bucket",
        "my-results",
    ];
    let with = |command: &[&'static str]| [command, &lent].concat();

    place.resizer(&with(&["plan"])).ok().says(
        "the buckets resizer-original-000000000000-eu-central-1 and resizer-resized-000000000000-eu-central-1, the stack's \
         own before, still stand",
    );
    let outputs = place.json(&with(&["up"]))["outputs"].clone();
    assert_eq!(outputs["original_bucket"], "my-originals");
    assert_eq!(place.json(&with(&["up"]))["changed"], false);
    assert_eq!(place.json(&with(&["status"]))["healthy"], true);
    let rocket = sample("rocket.jpg");
    place
        .resizer(&[&with(&["invoke"])[..], &["--file", rocket.to_str().unwrap()]].concat())
        .ok();
    assert!(is_there(&place, "my-results", "output/rocket_resized.jpg").await);
    let tags = place
        .s3()
        .get_bucket_tagging()
        .bucket("my-originals")
        .send()
        .await;
    assert!(tags.is_err(), "{tags:?}");

    // The stack's own, from before these were lent to it, go all the same.
    let down = place.resizer(&with(&["down", "--yes", "--json"])).ok();
    let down = down
        .says("the bucket my-originals goes on telling EventBridge")
        .document();
    let kept: Vec<&str> = down["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["name"].as_str().unwrap())
        .collect();
    assert_eq!(kept, ["my-originals", "my-results"]);
    for (bucket, key) in [
        ("my-originals", "theirs.jpg"),
        ("my-originals", "rocket.jpg"),
        ("my-results", "output/rocket_resized.jpg"),
    ] {
        assert!(is_there(&place, bucket, key).await, "{bucket}/{key}");
    }
    let buckets = place.s3().list_buckets().send().await.unwrap();
    assert_eq!(buckets.buckets().len(), 2, "{buckets:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lent_bucket_stays_whatever_it_is_called() {
    let near = NearCloud::start();
    let place = &near.place;
    place.resizer(&UP).ok();
    put(place, ORIGINAL, "mine.jpg").await;
    place.resizer(&[&DOWN[..], &["--keep-buckets"]].concat()).ok();

    // The stack's own of before, and now lent to it.
    let lent = ["--original-bucket", ORIGINAL];
    place.resizer(&[&UP[..], &lent].concat()).ok();
    let down = place.resizer(&[&DOWN[..], &lent].concat()).ok();
    assert!(
        down.stdout.contains(&format!("what is left: bucket {ORIGINAL}")),
        "{}",
        down.stdout
    );
    assert!(is_there(place, ORIGINAL, "mine.jpg").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_lent_buckets_nothing_foreign_is_removed_or_in_the_way() {
    let near = NearCloud::start();
    let place = &near.place;
    for bucket in [ORIGINAL, "my-originals", "my-results"] {
        make_bucket(place, bucket).await;
    }
    let logs = make_log_group(place).await;
    let lent = [
        "--original-bucket",
        "my-originals",
        "--resized-bucket",
        "my-results",
    ];
    let down = [&DOWN[..], &lent].concat();

    place.resizer(&down).ok();
    let groups = logs.describe_log_groups().send().await.unwrap();
    assert_eq!(
        groups.log_groups().len(),
        1,
        "nothing of the stack stands beside it"
    );
    logs.delete_log_group()
        .log_group_name(LOG_GROUP)
        .send()
        .await
        .unwrap();

    place.resizer(&[&UP[..], &lent].concat()).ok();
    place.resizer(&down).ok();
    for bucket in [ORIGINAL, "my-originals", "my-results"] {
        assert!(is_there(place, bucket, "theirs.jpg").await, "{bucket}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_group_made_by_hand_is_left_alone() {
    let near = NearCloud::start();
    let logs = make_log_group(&near.place).await;
    let keep = logs
        .put_retention_policy()
        .log_group_name(LOG_GROUP)
        .retention_in_days(365);
    keep.send().await.unwrap();
    near.place
        .resizer(&UP)
        .code(1)
        .says(&format!("the log group {LOG_GROUP} has the name"));
}

/// Anyone's function makes its log group with its first line, and leaves it behind when it goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_log_group_is_left_alone_unless_our_function_stands_beside_it() {
    let near = NearCloud::start();
    let place = &near.place;
    let logs = make_log_group(place).await;
    let refused = place.resizer(&UP).code(1).says("--adopt");
    refused.says(&format!("the log group {LOG_GROUP} has the name of this stack's"));
    place.resizer(&[&UP[..], &["--adopt"]].concat()).ok();
    assert_eq!(place.json(&UP)["changed"], false);

    let delete = logs.delete_log_group().log_group_name(LOG_GROUP);
    delete.send().await.unwrap();
    make_log_group(place).await;
    let plan = place.json(&["plan", "--local", "--handler-zip", "function.zip"]);
    assert_eq!(action_of(&plan, "function_log_group"), "update", "{plan:#}");
    place.resizer(&UP).ok();
    place.resizer(&DOWN).ok();
    let left = logs.describe_log_groups().send().await.unwrap();
    assert!(left.log_groups().is_empty(), "{left:?}");
}

#[test]
fn one_bucket_for_originals_and_results_is_refused() {
    let place = Place::new();
    for lent in [
        &["--original-bucket", "mine", "--resized-bucket", "mine"][..],
        &["--original-bucket", "resizer-resized-000000000000-us-east-1"],
    ] {
        let plan = [&["plan", "--local"], lent].concat();
        place.resizer(&plan).code(2).says("without an end");
    }
    let plan = ["plan", "--local", "--original-bucket", "No Bucket"];
    place.resizer(&plan).code(2).says("is no bucket's name");
}

#[test]
fn a_bucket_that_is_to_be_lent_has_to_be_there() {
    let near = NearCloud::start();
    let up = [&UP[..], &["--original-bucket", "not-there"]].concat();
    near.place
        .resizer(&up)
        .code(1)
        .says("the bucket not-there is not there, and nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_that_are_kept_are_found_again() {
    let near = NearCloud::start();
    let place = &near.place;
    place.resizer(&UP).ok();
    put(place, ORIGINAL, "mine.jpg").await;

    let down = place.resizer(&[&DOWN[..], &["--keep-buckets"]].concat()).ok();
    assert!(
        down.stdout.contains(&format!("The bucket {ORIGINAL} stays.")),
        "{}",
        down.stdout
    );
    assert!(is_there(place, ORIGINAL, "mine.jpg").await);
    place.resizer(&UP).ok();
    assert!(is_there(place, ORIGINAL, "mine.jpg").await);
    place.resizer(&DOWN).ok();
    assert!(!is_there(place, ORIGINAL, "mine.jpg").await);
}

/// One call goes wrong, for want of a permission.
fn denied(operation: &str) -> Fault {
    Fault {
        operation: operation.to_owned(),
        call: 1,
        times: 1,
        after: false,
        does: refusal(403, "AccessDenied", "no"),
    }
}

fn on_a_day_with(faults: &[&str]) -> Realism {
    Realism {
        faults: faults.iter().map(|operation| denied(operation)).collect(),
        ..Realism::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_back_is_told_and_pictures_that_came_meanwhile_stay() {
    let near = NearCloud::start();
    let place = &near.place;
    let up = [&UP[..], &["--rollback-on-failure"]].concat();
    near.behave(on_a_day_with(&["lambda:CreateFunction", "iam:DeleteRole"]));
    let failed = place.resizer(&up).code(1).says("lambda:CreateFunction");
    let failed = failed
        .says("rolling back did not come to its end: the role")
        .says("`resizer plan --local");
    assert!(!failed.stderr.contains("resizer down"), "{}", failed.stderr);
    near.behave(Realism::default());
    place.resizer(&DOWN).ok();

    // The buckets stand, and somebody uploads, while the function is waited for.
    near.behave(Realism {
        latency: 30,
        propagation: 1_500,
        faults: vec![denied("events:PutRule")],
        ..Realism::default()
    });
    let running = place.spawn(&up);
    near.wait_for("s3:PutBucketNotificationConfiguration", 1);
    put(place, ORIGINAL, "new.jpg").await;
    let failed = Ended::from(running.wait_with_output().unwrap()).code(1);
    failed
        .says(&format!(
            "the bucket {ORIGINAL} stays: pictures have come into it meanwhile"
        ))
        .says("is gone again");
    assert!(is_there(place, ORIGINAL, "new.jpg").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_made_meanwhile_is_not_taken_back() {
    let near = NearCloud::start();
    // The first role is there when it is to be made, and it is the stack's.
    let theirs = Fault {
        after: true,
        does: refusal(409, "EntityAlreadyExists", "Role already exists."),
        ..denied("iam:CreateRole")
    };
    near.behave(Realism {
        propagation: 3_000,
        faults: vec![theirs, denied("events:PutRule")],
        ..Realism::default()
    });
    let running = near.place.spawn(&[&UP[..], &["--rollback-on-failure"]].concat());
    near.wait_for("iam:PutRolePolicy", 4);
    // Whichever it is: what an answer says that this run has made is known by that.
    let iam = aws_sdk_iam::Client::new(&near.place.sdk_config());
    let other = Tag::builder().key("resizer:run").value("other").build().unwrap();
    for role in iam.list_roles().send().await.unwrap().roles() {
        let tag = iam.tag_role().role_name(role.role_name()).tags(other.clone());
        tag.send().await.unwrap();
    }
    let failed = Ended::from(running.wait_with_output().unwrap()).code(1);
    failed
        .says("what this run had made (11 resources) is gone again")
        .says("stays: it was not there at first, but no answer said that this run has made it");
    let roles = iam.list_roles().send().await.unwrap();
    assert_eq!(roles.roles().len(), 1, "{roles:?}");
}

#[test]
fn who_interrupts_is_told_that_nothing_is_taken_back() {
    let near = NearCloud::start();
    near.behave(Realism {
        propagation: 3_000,
        ..Realism::default()
    });
    let running = near.place.spawn(&[&UP[..], &["--rollback-on-failure"]].concat());
    near.wait_for("lambda:CreateFunction", 1);
    signal("INT", running.id().into());
    Ended::from(running.wait_with_output().unwrap())
        .code(130)
        .says("then nothing is taken back: `resizer down --local` removes what stands");
}

/// The answers are lost, and what was made has the run's mark.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_made_and_never_heard_of_is_taken_back() {
    let near = NearCloud::start();
    let lost = |operation: &str| Fault {
        times: 4,
        after: true,
        does: Mishap::Cut,
        ..denied(operation)
    };
    let made = [
        "iam:CreateRole",
        "s3:CreateBucket",
        "logs:CreateLogGroup",
        "lambda:CreateFunction",
        "apigateway:CreateRestApi",
        "monitoring:PutDashboard",
    ];
    near.behave(Realism {
        faults: made.into_iter().map(lost).collect(),
        ..Realism::default()
    });
    let up = [&UP[..], &["--rollback-on-failure"]].concat();
    let failed = near.place.resizer(&up).code(1);
    assert!(failed.stderr.contains("is gone again"), "{}", failed.stderr);
    assert!(
        !failed.stderr.contains("stays: it was not there"),
        "{}",
        failed.stderr
    );
    near.behave(Realism::default());
    let told = near.place.json(&DOWN);
    assert_eq!(told["removed"], json!([]), "{told:#}");
}

#[test]
fn a_run_that_fails_takes_back_what_it_made_and_nothing_else() {
    let near = NearCloud::start();
    let place = &near.place;
    let up = [&UP[..], &["--rollback-on-failure"]].concat();
    near.behave(on_a_day_with(&["apigateway:CreateRestApi"]));
    let failed = place.resizer(&up).code(1).says("apigateway:CreateRestApi");
    failed.says("rolled back: what this run had made (12 resources) is gone again");
    let plan = place.json(&["plan", "--local"]);
    let changes = plan["changes"].as_array().unwrap();
    assert!(
        changes.iter().all(|change| change["action"] == "create"),
        "{plan:#}"
    );

    // What stood before stands on.
    place.resizer(&UP).ok();
    near.behave(Realism::default());
    place.resizer(&[&DOWN[..], &["--keep-buckets"]].concat()).ok();
    near.behave(on_a_day_with(&["states:CreateStateMachine"]));
    place
        .resizer(&up)
        .code(1)
        .says("rolled back: what this run had made (9 resources) is gone again");
    let plan = place.json(&["plan", "--local"]);
    assert_eq!(action_of(&plan, "original_bucket"), "none", "{plan:#}");
    assert_eq!(action_of(&plan, "function"), "create");
}

/// What the run has mended has its mark too, and is none of what it has made.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_changed_or_adopted_is_not_taken_back() {
    let near = NearCloud::start();
    let place = &near.place;
    place.resizer(&UP).ok();
    let changed_rule = "[keys]\nprefix = \"in/\"\n";
    std::fs::write(place.path().join("resizer.toml"), changed_rule).unwrap();
    place.write_other_function();
    let up = [
        "up",
        "--local",
        "--handler-zip",
        "other.zip",
        "--rollback-on-failure",
    ];
    near.behave(on_a_day_with(&["events:PutRule"]));
    place
        .resizer(&up)
        .code(1)
        .says("this run had made nothing that was to be taken back")
        .says("what this run has changed or adopted (1 resource) stays as it is now");
    let plan = ["plan", "--local", "--handler-zip", "other.zip"];
    assert_eq!(action_of(&place.json(&plan), "function"), "none");

    let iam = aws_sdk_iam::Client::new(&place.sdk_config());
    let untag = iam.untag_role().role_name("resizer-eu-central-1-function");
    untag.tag_keys("resizer:stack").send().await.unwrap();
    near.behave(on_a_day_with(&["events:PutRule"]));
    let adopt = [&up[..], &["--adopt"]].concat();
    place
        .resizer(&adopt)
        .code(1)
        .says("changed or adopted (1 resource) stays");
    assert_eq!(action_of(&place.json(&plan), "function_role"), "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_serve_through_the_api_stays_and_is_named() {
    let near = NearCloud::start();
    let place = &near.place;
    place.resizer(&UP).ok();
    let apis = aws_sdk_apigateway::Client::new(&place.sdk_config());
    let standing = apis.get_rest_apis().send().await.unwrap();
    let id = standing.items()[0].id().unwrap();
    put_method(&apis, id, PutMode::Merge).await;
    let describe = apis.update_rest_api().rest_api_id(id);
    let describe = describe.patch_operations(replaced("/description", "mine"));
    describe.send().await.unwrap();

    let plan = place.json(&["plan", "--local", "--handler-zip", "function.zip"]);
    let changes = plan["changes"].as_array().unwrap();
    let api = changes
        .iter()
        .find(|change| change["resource"] == "rest_api")
        .unwrap();
    assert_eq!(api["others"], json!(["method POST /theirs"]), "{plan:#}");
    place.resizer(&UP).ok();
    assert_eq!(place.json(&UP)["changed"], false);
    let resources = apis
        .get_resources()
        .rest_api_id(id)
        .embed("methods")
        .send()
        .await
        .unwrap();
    let mut served: Vec<&str> = resources
        .items()
        .iter()
        .filter(|resource| {
            resource
                .resource_methods()
                .is_some_and(|methods| !methods.is_empty())
        })
        .filter_map(|resource| resource.path())
        .collect();
    served.sort_unstable();
    assert_eq!(served, ["/resize", "/theirs"]);

    let goes_along = "With the REST API resizer-resize goes what others have put there: method POST /theirs.";
    let down = place.resizer(&["down", "--local", "--dry-run"]).ok();
    assert!(down.stdout.contains(goes_along), "{}", down.stdout);
    // Another stack's role of this one's name is in nobody's way.
    let iam = aws_sdk_iam::Client::new(&place.sdk_config());
    let other = Tag::builder()
        .key("resizer:stack")
        .value("other")
        .build()
        .unwrap();
    iam.tag_role().role_name(ROLE).tags(other).send().await.unwrap();
    let down = place.json(&DOWN);
    assert_eq!(down["removed"].as_array().unwrap().len(), 12, "{down:#}");
    assert_eq!(down["kept"][0]["name"], ROLE, "{down:#}");
}
