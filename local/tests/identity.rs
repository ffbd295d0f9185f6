//! IAM, STS, and who a request is from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::Tag;
use common::{TestCloud, code, credentials};
use serde_json::{Value, json};

const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

fn trust() -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}},
    }]})
    .to_string()
}

#[tokio::test]
async fn a_role_lives_and_is_gone() {
    let cloud = TestCloud::start().await;
    let iam = cloud.iam();
    let missing = iam.get_role().role_name("r").send().await.unwrap_err();
    assert_eq!(code(&missing), "NoSuchEntity");
    assert!(missing.into_service_error().is_no_such_entity_exception());

    let tag = Tag::builder().key("stack").value("a & b").build().unwrap();
    let create = || {
        iam.create_role()
            .role_name("r")
            .assume_role_policy_document(trust())
            .tags(tag.clone())
    };
    let made = create()
        .description("what for")
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!(made.arn(), "arn:aws:iam::000000000000:role/r");
    assert_eq!(code(&create().send().await.unwrap_err()), "EntityAlreadyExists");

    let role = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
    assert_eq!(role.description(), Some("what for"));
    assert_eq!(role.max_session_duration(), Some(3600));
    assert_eq!(role.tags(), std::slice::from_ref(&tag));
    let document = percent_decode(role.assume_role_policy_document().unwrap());
    assert_eq!(document, trust());

    iam.update_role()
        .role_name("r")
        .max_session_duration(7200)
        .send()
        .await
        .unwrap();
    let role = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
    assert_eq!(
        (role.max_session_duration(), role.description()),
        (Some(7200), Some("what for"))
    );
    let other = trust().replace("lambda", "states");
    iam.update_assume_role_policy()
        .role_name("r")
        .policy_document(&other)
        .send()
        .await
        .unwrap();
    let role = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
    assert_eq!(percent_decode(role.assume_role_policy_document().unwrap()), other);

    iam.untag_role()
        .role_name("r")
        .tag_keys("stack")
        .send()
        .await
        .unwrap();
    assert!(
        iam.list_role_tags()
            .role_name("r")
            .send()
            .await
            .unwrap()
            .tags()
            .is_empty()
    );
    iam.delete_role().role_name("r").send().await.unwrap();
    assert_eq!(
        code(&iam.delete_role().role_name("r").send().await.unwrap_err()),
        "NoSuchEntity"
    );
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

#[tokio::test]
async fn a_role_goes_after_its_policies() {
    let cloud = TestCloud::start().await;
    let iam = cloud.iam();
    iam.create_role()
        .role_name("r")
        .assume_role_policy_document(trust())
        .send()
        .await
        .unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"
    }})
    .to_string();
    let put = iam
        .put_role_policy()
        .role_name("r")
        .policy_name("p")
        .policy_document(&document);
    put.send().await.unwrap();
    iam.attach_role_policy()
        .role_name("r")
        .policy_arn(BASIC)
        .send()
        .await
        .unwrap();

    let got = iam
        .get_role_policy()
        .role_name("r")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    assert_eq!(percent_decode(got.policy_document()), document);
    assert_eq!(
        iam.list_role_policies()
            .role_name("r")
            .send()
            .await
            .unwrap()
            .policy_names(),
        ["p"]
    );
    let attached = iam
        .list_attached_role_policies()
        .role_name("r")
        .send()
        .await
        .unwrap();
    assert_eq!(attached.attached_policies()[0].policy_arn(), Some(BASIC));
    let version = iam
        .get_policy_version()
        .policy_arn(BASIC)
        .version_id("v1")
        .send()
        .await
        .unwrap();
    let document: Value = serde_json::from_str(&percent_decode(
        version.policy_version().unwrap().document().unwrap(),
    ))
    .unwrap();
    assert_eq!(document["Statement"][0]["Action"][2], "logs:PutLogEvents");

    let conflict = iam.delete_role().role_name("r").send().await.unwrap_err();
    assert_eq!(
        conflict.message(),
        Some("Cannot delete entity, must detach all policies first.")
    );
    iam.detach_role_policy()
        .role_name("r")
        .policy_arn(BASIC)
        .send()
        .await
        .unwrap();
    let conflict = iam.delete_role().role_name("r").send().await.unwrap_err();
    assert_eq!(
        (code(&conflict), conflict.message()),
        (
            "DeleteConflict",
            Some("Cannot delete entity, must delete policies first.")
        )
    );
    iam.delete_role_policy()
        .role_name("r")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    let again = iam
        .delete_role_policy()
        .role_name("r")
        .policy_name("p")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&again), "NoSuchEntity");
    iam.delete_role().role_name("r").send().await.unwrap();
}

#[tokio::test]
async fn roles_are_listed_by_path_and_page() {
    let cloud = TestCloud::start().await;
    let iam = cloud.iam();
    for (name, path) in [("a", "/"), ("b", "/team/"), ("c", "/team/")] {
        iam.create_role()
            .role_name(name)
            .path(path)
            .assume_role_policy_document(trust())
            .send()
            .await
            .unwrap();
    }
    let team = iam.list_roles().path_prefix("/team/").send().await.unwrap();
    assert_eq!(
        team.roles().iter().map(|role| role.arn()).collect::<Vec<_>>(),
        [
            "arn:aws:iam::000000000000:role/team/b",
            "arn:aws:iam::000000000000:role/team/c"
        ]
    );
    let first = iam.list_roles().max_items(2).send().await.unwrap();
    assert!(first.is_truncated());
    let rest = iam.list_roles().set_marker(first.marker).send().await.unwrap();
    assert_eq!(rest.roles()[0].role_name(), "c");
}

#[tokio::test]
async fn policies_that_would_not_be_evaluated_are_refused() {
    let cloud = TestCloud::start().await;
    let iam = cloud.iam();
    let bad_trust = trust().replace("StringEquals", "DateLessThan");
    let refused = iam
        .create_role()
        .role_name("r")
        .assume_role_policy_document(bad_trust)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "MalformedPolicyDocument");
    iam.create_role()
        .role_name("r")
        .assume_role_policy_document(trust())
        .send()
        .await
        .unwrap();
    let refused = iam
        .put_role_policy()
        .role_name("r")
        .policy_name("p")
        .policy_document("{")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "MalformedPolicyDocument");
    let unknown = iam
        .attach_role_policy()
        .role_name("r")
        .policy_arn("arn:aws:iam::aws:policy/Other");
    assert_eq!(code(&unknown.send().await.unwrap_err()), "NoSuchEntity");
}

#[tokio::test]
async fn everyone_learns_who_they_are() {
    let cloud = TestCloud::start().await;
    let me = cloud.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(me.account(), Some("000000000000"));
    assert_eq!(me.arn(), Some("arn:aws:iam::000000000000:root"));

    let nothing = json!({"Version": "2012-10-17", "Statement": []});
    let session = cloud.session("r", &nothing).await;
    let me = cloud.sts_as(session).get_caller_identity().send().await.unwrap();
    assert_eq!(me.arn(), Some("arn:aws:sts::000000000000:assumed-role/r/test"));
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_ends_with_its_policies_role() {
    let cloud = TestCloud::start().await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "arn:aws:iam::000000000000:role/r"},
    ]});
    let session = cloud.session("r", &policy).await;
    let cloud = cloud.restart().await;
    let iam = cloud.iam_as(session);
    iam.get_role().role_name("r").send().await.unwrap();
    assert_eq!(
        code(&iam.get_role().role_name("other").send().await.unwrap_err()),
        "AccessDenied"
    );

    let root = cloud.iam();
    root.delete_role_policy()
        .role_name("r")
        .policy_name("permissions")
        .send()
        .await
        .unwrap();
    assert_eq!(
        code(&iam.get_role().role_name("r").send().await.unwrap_err()),
        "AccessDenied"
    );
    root.delete_role().role_name("r").send().await.unwrap();
    cloud.session("r", &policy).await;
    let of_another = iam.get_role().role_name("r").send().await.unwrap_err();
    assert_eq!(
        code(&of_another),
        "AccessDenied",
        "a role made again is another role"
    );
}

#[tokio::test]
async fn who_is_not_trusted_may_not_assume() {
    let cloud = TestCloud::start().await;
    cloud
        .iam()
        .create_role()
        .role_name("r")
        .assume_role_policy_document(trust())
        .send()
        .await
        .unwrap();
    for role in ["r", "none"] {
        let arn = format!("arn:aws:iam::000000000000:role/{role}");
        let refused = cloud
            .sts()
            .assume_role()
            .role_arn(arn)
            .role_session_name("test")
            .send()
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "AccessDenied");
    }
}

#[tokio::test]
async fn bad_signatures_tokens_and_hosts_are_refused() {
    let cloud = TestCloud::start().await;
    let id = cloud.endpoint.access_key_id.clone();
    let who = |credentials| {
        let sts = cloud.sts_as(credentials);
        async move { code(&sts.get_caller_identity().send().await.unwrap_err()).to_owned() }
    };
    assert_eq!(
        who(credentials(&id, "wrong", None)).await,
        "SignatureDoesNotMatch"
    );
    assert_eq!(
        who(credentials("AKIAUNKNOWN", "x", None)).await,
        "InvalidClientTokenId"
    );
    let logs = cloud.logs_as(credentials("AKIAUNKNOWN", "x", None));
    let unknown = logs.describe_log_groups().send().await.unwrap_err();
    assert_eq!(code(&unknown), "UnrecognizedClientException");

    let session = cloud
        .session("r", &json!({"Version": "2012-10-17", "Statement": []}))
        .await;
    let (id, secret) = (session.access_key_id(), session.secret_access_key());
    assert_eq!(who(credentials(id, secret, None)).await, "InvalidClientTokenId");
    assert_eq!(
        who(credentials(id, secret, Some("forged.token"))).await,
        "InvalidClientTokenId"
    );

    let host = cloud.endpoint.url.strip_prefix("http://").unwrap();
    let (status, body) = common::request(host, &get_as("evil.example")).await;
    assert_eq!((status, body.contains("loopback")), (403, true));
    let (status, body) = common::request(host, &get_as(host)).await;
    assert_eq!((status, body.contains("MissingAuthenticationToken")), (403, true));
}

fn get_as(host: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn signatures_of_other_regions_and_times_are_refused() {
    let cloud = TestCloud::start().await;
    macro_rules! elsewhere {
        ($sdk:ident, $client:ident) => {{
            let region = $sdk::config::Region::new("eu-west-3");
            $sdk::Client::from_conf(cloud.$client().config().to_builder().region(region).build())
        }};
    }
    let refused = elsewhere!(aws_sdk_sts, sts)
        .get_caller_identity()
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "SignatureDoesNotMatch");
    assert!(refused.message().unwrap().contains("us-east-1"), "{refused:?}");
    let refused = elsewhere!(aws_sdk_lambda, lambda)
        .list_functions()
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "InvalidSignatureException");
    let refused = elsewhere!(aws_sdk_s3, s3)
        .list_buckets()
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "AuthorizationHeaderMalformed");
    let region = refused
        .raw_response()
        .and_then(|reply| reply.headers().get("x-amz-bucket-region"));
    assert_eq!(region, Some("us-east-1"));

    let host = cloud.endpoint.url.strip_prefix("http://").unwrap();
    for (service, error) in [("sts", "SignatureDoesNotMatch"), ("s3", "RequestTimeTooSkewed")] {
        let id = &cloud.endpoint.access_key_id;
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-amz-date: 20200101T000000Z\r\n\
             x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential={id}/20200101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={}\r\n\r\n",
            "0".repeat(64)
        );
        let (status, body) = common::request(host, &request).await;
        assert_eq!((status, body.contains(error)), (403, true), "{body}");
    }
}
