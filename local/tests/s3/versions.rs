//! Versions and delete markers.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use crate::common::code;
use crate::{BUCKET, cloud_with_bucket, get, key_count, put};

#[tokio::test]
async fn versions_stay_until_each_is_deleted() {
    let (_cloud, s3) = cloud_with_bucket().await;
    put(&s3, "k", b"before").await;
    let enabled = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    s3.put_bucket_versioning()
        .bucket(BUCKET)
        .versioning_configuration(enabled)
        .send()
        .await
        .unwrap();

    let first = s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(ByteStream::from_static(b"1"))
        .send()
        .await
        .unwrap();
    let first = first.version_id().unwrap();
    put(&s3, "k", b"2").await;
    let old = s3
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .version_id(first)
        .send()
        .await
        .unwrap();
    assert_eq!(old.body.collect().await.unwrap().to_vec(), b"1");
    let oldest = s3
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .version_id("null")
        .send()
        .await
        .unwrap();
    assert_eq!(oldest.body.collect().await.unwrap().to_vec(), b"before");

    let marker = s3.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(marker.delete_marker(), Some(true));
    assert_eq!(
        code(&s3.get_object().bucket(BUCKET).key("k").send().await.unwrap_err()),
        "NoSuchKey"
    );
    assert_eq!(key_count(&s3).await, Some(0));
    let not_empty = s3.delete_bucket().bucket(BUCKET).send().await.unwrap_err();
    assert_eq!(code(&not_empty), "BucketNotEmpty");

    let marker = marker.version_id().unwrap();
    s3.delete_object()
        .bucket(BUCKET)
        .key("k")
        .version_id(marker)
        .send()
        .await
        .unwrap();
    assert_eq!(get(&s3, "k").await, b"2");

    let mut left = Vec::new();
    let (mut key, mut version) = (None, None);
    loop {
        let page = s3
            .list_object_versions()
            .bucket(BUCKET)
            .max_keys(1)
            .set_key_marker(key)
            .set_version_id_marker(version)
            .send()
            .await
            .unwrap();
        left.extend(
            page.versions()
                .iter()
                .map(|version| version.version_id().unwrap().to_owned()),
        );
        (key, version) = (
            page.next_key_marker().map(str::to_owned),
            page.next_version_id_marker().map(str::to_owned),
        );
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(left.len(), 3);
    assert_eq!(left[1], first);
    assert_eq!(left[2], "null");
    for version in left {
        s3.delete_object()
            .bucket(BUCKET)
            .key("k")
            .version_id(version)
            .send()
            .await
            .unwrap();
    }
    s3.delete_bucket().bucket(BUCKET).send().await.unwrap();
}
