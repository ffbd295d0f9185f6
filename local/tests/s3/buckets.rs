//! Buckets, their settings, and who may do what.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    CreateBucketConfiguration, Delete, EventBridgeConfiguration, NotificationConfiguration, ObjectIdentifier,
    PublicAccessBlockConfiguration, ServerSideEncryption, Tag, Tagging,
};
use serde_json::json;

use crate::common::{TestCloud, code, credentials};
use crate::{BUCKET, encrypted_with, put};

#[tokio::test]
async fn a_bucket_is_made_with_its_tags() {
    let cloud = TestCloud::start().await;
    let s3 = cloud.s3();
    let tag = Tag::builder().key("team").value("<b> & \"c\"").build().unwrap();
    let configuration = CreateBucketConfiguration::builder().tags(tag.clone()).build();
    let create = s3.create_bucket().bucket(BUCKET);
    create
        .create_bucket_configuration(configuration)
        .send()
        .await
        .unwrap();
    let tags = s3.get_bucket_tagging().bucket(BUCKET).send().await.unwrap();
    assert_eq!(tags.tag_set(), [tag]);
}

#[tokio::test]
async fn a_bucket_lives_and_is_gone() {
    let cloud = TestCloud::start().await;
    let s3 = cloud.s3();
    assert!(
        s3.head_bucket()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found()
    );
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    s3.create_bucket()
        .bucket(BUCKET)
        .send()
        .await
        .expect("in us-east-1 making one's own bucket again is fine");
    let head = s3.head_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("us-east-1"));
    assert_eq!(
        s3.list_buckets().send().await.unwrap().buckets()[0].name(),
        Some(BUCKET)
    );
    let location = s3.get_bucket_location().bucket(BUCKET).send().await.unwrap();
    assert_eq!(
        location.location_constraint().unwrap().as_str(),
        "",
        "us-east-1 is the location without a name"
    );

    put(&s3, "k", b"x").await;
    assert_eq!(
        code(&s3.delete_bucket().bucket(BUCKET).send().await.unwrap_err()),
        "BucketNotEmpty"
    );
    s3.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    s3.delete_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(
        code(&s3.delete_bucket().bucket(BUCKET).send().await.unwrap_err()),
        "NoSuchBucket"
    );
    let gone = s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(ByteStream::from_static(b"x"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&gone), "NoSuchBucket");
    assert_eq!(
        code(&s3.create_bucket().bucket("Bad_Name").send().await.unwrap_err()),
        "InvalidBucketName"
    );
}

#[tokio::test]
async fn settings_are_kept_and_what_is_not_set_has_its_own_error() {
    let cloud = TestCloud::start().await;
    let s3 = cloud.s3();
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();

    assert_eq!(
        code(&s3.get_bucket_tagging().bucket(BUCKET).send().await.unwrap_err()),
        "NoSuchTagSet"
    );
    let tag = Tag::builder().key("stack").value("resizer").build().unwrap();
    let tags = Tagging::builder().tag_set(tag.clone()).build().unwrap();
    s3.put_bucket_tagging()
        .bucket(BUCKET)
        .tagging(tags)
        .send()
        .await
        .unwrap();
    assert_eq!(
        s3.get_bucket_tagging()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap()
            .tag_set(),
        [tag]
    );
    s3.delete_bucket_tagging().bucket(BUCKET).send().await.unwrap();

    let missing = s3
        .get_public_access_block()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&missing), "NoSuchPublicAccessBlockConfiguration");
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .block_public_policy(true)
        .ignore_public_acls(true)
        .restrict_public_buckets(true)
        .build();
    let put = s3
        .put_public_access_block()
        .bucket(BUCKET)
        .public_access_block_configuration(block.clone());
    put.send().await.unwrap();
    let kept = s3.get_public_access_block().bucket(BUCKET).send().await.unwrap();
    assert_eq!(kept.public_access_block_configuration(), Some(&block));
    s3.delete_public_access_block()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();

    let encryption = encrypted_with(ServerSideEncryption::Aes256);
    let put = s3
        .put_bucket_encryption()
        .bucket(BUCKET)
        .server_side_encryption_configuration(encryption);
    put.send().await.unwrap();
    let kept = s3.get_bucket_encryption().bucket(BUCKET).send().await.unwrap();
    let rule = &kept.server_side_encryption_configuration().unwrap().rules()[0];
    let default = rule.apply_server_side_encryption_by_default().unwrap();
    assert_eq!(default.sse_algorithm(), &ServerSideEncryption::Aes256);

    let kept = s3
        .get_bucket_notification_configuration()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert!(kept.event_bridge_configuration().is_none());
    let event_bridge = EventBridgeConfiguration::builder().build();
    let on = NotificationConfiguration::builder()
        .event_bridge_configuration(event_bridge)
        .build();
    let put = s3
        .put_bucket_notification_configuration()
        .bucket(BUCKET)
        .notification_configuration(on);
    put.send().await.unwrap();
    let kept = s3
        .get_bucket_notification_configuration()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert!(kept.event_bridge_configuration().is_some());

    assert_eq!(
        code(&s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap_err()),
        "NoSuchBucketPolicy"
    );
    let policy = s3
        .put_bucket_policy()
        .bucket(BUCKET)
        .policy("{}")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&policy), "NotImplemented");
    let website = s3.get_bucket_website().bucket(BUCKET).send().await.unwrap_err();
    assert_eq!(code(&website), "NotImplemented");
}

#[tokio::test]
async fn a_session_may_do_what_its_role_allows_and_nothing_else() {
    let cloud = TestCloud::start().await;
    let root = cloud.s3();
    root.create_bucket().bucket(BUCKET).send().await.unwrap();
    let put = root
        .put_object()
        .bucket(BUCKET)
        .key("in/a")
        .body(ByteStream::from_static(b"x"));
    put.send().await.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pictures/in/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::pictures/out/*"},
        {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::pictures/out/*"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::pictures/out/secret"},
    ]});
    let s3 = cloud.s3_as(cloud.session("resize", &policy).await);

    s3.get_object().bucket(BUCKET).key("in/a").send().await.unwrap();
    let body = || ByteStream::from_static(b"y");
    s3.put_object()
        .bucket(BUCKET)
        .key("out/a")
        .body(body())
        .send()
        .await
        .unwrap();
    let denied = s3
        .put_object()
        .bucket(BUCKET)
        .key("in/b")
        .body(body())
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&denied), "AccessDenied");
    assert_eq!(
        denied.message(),
        Some(
            "User: arn:aws:sts::000000000000:assumed-role/resize/test is not authorized to perform: s3:PutObject on \
             resource: \"arn:aws:s3:::pictures/in/b\" because no identity-based policy allows the s3:PutObject action"
        )
    );
    let denied = s3
        .put_object()
        .bucket(BUCKET)
        .key("out/secret")
        .body(body())
        .send()
        .await
        .unwrap_err();
    assert!(
        denied
            .message()
            .unwrap()
            .ends_with("with an explicit deny in an identity-based policy")
    );

    let missing = s3
        .get_object()
        .bucket(BUCKET)
        .key("in/none")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        code(&missing),
        "AccessDenied",
        "who may not list is not told what is missing"
    );
    assert_eq!(
        code(&s3.list_objects_v2().bucket(BUCKET).send().await.unwrap_err()),
        "AccessDenied"
    );

    let objects = ["in/a", "out/a"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder()
        .set_objects(Some(objects.to_vec()))
        .build()
        .unwrap();
    let deleted = s3
        .delete_objects()
        .bucket(BUCKET)
        .delete(delete)
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.deleted()[0].key(), Some("out/a"));
    assert_eq!(deleted.errors()[0].key(), Some("in/a"));
    assert_eq!(deleted.errors()[0].code(), Some("AccessDenied"));

    let copy = s3
        .copy_object()
        .bucket(BUCKET)
        .key("out/b")
        .copy_source("pictures/out/a")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&copy), "AccessDenied", "a copy reads its source");
}

#[tokio::test]
async fn requests_of_nobody_known_are_refused() {
    let cloud = TestCloud::start().await;
    let id = cloud.endpoint.access_key_id.clone();
    let wrong = cloud
        .s3_as(credentials(&id, "wrong", None))
        .list_buckets()
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&wrong), "SignatureDoesNotMatch");
    let unknown = cloud
        .s3_as(credentials("AKIAUNKNOWN", "x", None))
        .list_buckets()
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&unknown), "InvalidAccessKeyId");
}
