//! Objects: what is put comes back, whole, in ranges, on conditions, and as a copy.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, MetadataDirective};

use crate::common::{code, fetch};
use crate::{BUCKET, cloud_with_bucket, files_in, get, put};

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let put = s3
        .put_object()
        .bucket(BUCKET)
        .key("a.jpg")
        .content_type("image/jpeg")
        .metadata("camera", "old one")
        .cache_control("no-store")
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(put.checksum_crc32(), Some("NhCmhg=="));

    let got = s3.get_object().bucket(BUCKET).key("a.jpg").send().await.unwrap();
    assert_eq!(got.content_type(), Some("image/jpeg"));
    assert_eq!(got.metadata().unwrap()["camera"], "old one");
    assert_eq!(got.cache_control(), Some("no-store"));
    assert_eq!(got.content_length(), Some(5));
    assert_eq!(got.e_tag(), put.e_tag());
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");

    let head = s3.head_object().bucket(BUCKET).key("a.jpg").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.version_id(), None);

    s3.delete_object()
        .bucket(BUCKET)
        .key("a.jpg")
        .send()
        .await
        .unwrap();
    s3.delete_object()
        .bucket(BUCKET)
        .key("a.jpg")
        .send()
        .await
        .expect("deleting what is gone is fine");
    let error = s3
        .get_object()
        .bucket(BUCKET)
        .key("a.jpg")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&error), "NoSuchKey");
    let error = s3
        .head_object()
        .bucket(BUCKET)
        .key("a.jpg")
        .send()
        .await
        .unwrap_err();
    assert!(error.into_service_error().is_not_found());
}

#[tokio::test]
async fn ranges_and_conditions_hold() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let etag = put(&s3, "k", b"0123456789").await;
    let get = || s3.get_object().bucket(BUCKET).key("k");

    let part = get().range("bytes=2-4").send().await.unwrap();
    assert_eq!(part.content_range(), Some("bytes 2-4/10"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), b"234");
    let end = get().range("bytes=-3").send().await.unwrap();
    assert_eq!(end.body.collect().await.unwrap().to_vec(), b"789");
    assert_eq!(
        code(&get().range("bytes=10-").send().await.unwrap_err()),
        "InvalidRange"
    );

    get().if_match(&etag).send().await.unwrap();
    assert_eq!(
        code(&get().if_match("\"other\"").send().await.unwrap_err()),
        "PreconditionFailed"
    );
    let unchanged = get().if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(unchanged.raw_response().unwrap().status().as_u16(), 304);

    let put = || {
        s3.put_object()
            .bucket(BUCKET)
            .body(ByteStream::from_static(b"new"))
    };
    assert_eq!(
        code(&put().key("k").if_none_match("*").send().await.unwrap_err()),
        "PreconditionFailed"
    );
    put().key("fresh").if_none_match("*").send().await.unwrap();
    assert_eq!(
        code(&put().key("k").if_match("\"other\"").send().await.unwrap_err()),
        "PreconditionFailed"
    );
    assert_eq!(
        code(&put().key("none").if_match("\"other\"").send().await.unwrap_err()),
        "NoSuchKey"
    );
    put().key("k").if_match(&etag).send().await.unwrap();
}

#[tokio::test]
async fn a_damaged_upload_is_refused_and_leaves_nothing() {
    let (cloud, s3) = cloud_with_bucket().await;
    let wrong = s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .checksum_sha256("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
        .body(ByteStream::from(large(b'n')))
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&wrong), "BadDigest");
    assert_eq!(
        code(&s3.get_object().bucket(BUCKET).key("k").send().await.unwrap_err()),
        "NoSuchKey"
    );
    assert_eq!(files_in(&cloud), 0);
}

/// More than is kept in the store.
fn large(letter: u8) -> Vec<u8> {
    vec![letter; 40_000]
}

#[tokio::test]
async fn replaced_and_deleted_objects_leave_no_files() {
    let (cloud, s3) = cloud_with_bucket().await;
    for letter in [b'1', b'2'] {
        put(&s3, "k", &large(letter)).await;
    }
    assert_eq!(files_in(&cloud), 1);
    put(&s3, "k", b"small").await;
    assert_eq!(files_in(&cloud), 0);
    put(&s3, "k", &large(b'3')).await;
    assert_eq!(files_in(&cloud), 1);
    s3.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(files_in(&cloud), 0);
}

#[tokio::test]
async fn objects_of_every_size_come_back_whole_in_part_and_copied() {
    let (cloud, s3) = cloud_with_bucket().await;
    let sizes = [0, 1, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 3_000_000];
    let bytes: Vec<u8> = (0..sizes[5]).map(|place| (place % 251) as u8).collect();
    for size in sizes {
        put(&s3, &format!("{size}"), &bytes[..size]).await;
        let copy = s3
            .copy_object()
            .bucket(BUCKET)
            .key(format!("{size} copied"))
            .copy_source(format!("{BUCKET}/{size}"))
            .checksum_algorithm(ChecksumAlgorithm::Sha1);
        copy.send().await.unwrap();
    }
    let cloud = cloud.restart().await;
    let s3 = cloud.s3();
    for size in sizes {
        for key in [format!("{size}"), format!("{size} copied")] {
            assert_eq!(get(&s3, &key).await, &bytes[..size], "{key}");
        }
    }
    for size in &sizes[2..] {
        let part = s3
            .get_object()
            .bucket(BUCKET)
            .key(format!("{size}"))
            .range("bytes=1000-1999");
        let part = part.send().await.unwrap().body.collect().await.unwrap().to_vec();
        assert_eq!(part, &bytes[1000..2000], "{size}");
    }
}

#[tokio::test]
async fn a_copy_has_the_bytes_and_its_own_or_the_sources_metadata() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let source = "from here/a+b.txt";
    s3.put_object()
        .bucket(BUCKET)
        .key(source)
        .content_type("text/plain")
        .body(ByteStream::from_static(b"abc"))
        .send()
        .await
        .unwrap();
    let from = format!("{BUCKET}/from%20here/a%2Bb.txt");
    s3.copy_object()
        .bucket(BUCKET)
        .key("same")
        .copy_source(&from)
        .send()
        .await
        .unwrap();
    s3.copy_object()
        .bucket(BUCKET)
        .key("other")
        .copy_source(&from)
        .metadata_directive(MetadataDirective::Replace)
        .content_type("text/html")
        .send()
        .await
        .unwrap();

    let same = s3.get_object().bucket(BUCKET).key("same").send().await.unwrap();
    assert_eq!(same.content_type(), Some("text/plain"));
    assert_eq!(same.body.collect().await.unwrap().to_vec(), b"abc");
    let other = s3.head_object().bucket(BUCKET).key("other").send().await.unwrap();
    assert_eq!(other.content_type(), Some("text/html"));
    let onto_itself = s3
        .copy_object()
        .bucket(BUCKET)
        .key("same")
        .copy_source(format!("{BUCKET}/same"));
    assert_eq!(code(&onto_itself.send().await.unwrap_err()), "InvalidRequest");
}

fn hour_long() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(3600)).unwrap()
}

#[tokio::test]
async fn a_presigned_url_is_good_without_credentials() {
    let (_cloud, s3) = cloud_with_bucket().await;
    put(&s3, "a b+c.txt", b"signed").await;
    let url = s3
        .get_object()
        .bucket(BUCKET)
        .key("a b+c.txt")
        .presigned(hour_long())
        .await
        .unwrap();
    assert_eq!(fetch(url.uri()).await, (200, "signed".to_owned()));

    let (status, body) = fetch(&url.uri().replace("a%20b", "other")).await;
    assert_eq!(status, 403);
    assert!(body.contains("SignatureDoesNotMatch"), "{body}");

    let over = PresigningConfig::builder()
        .start_time(std::time::SystemTime::now() - Duration::from_secs(120))
        .expires_in(Duration::from_secs(60));
    let get = s3.get_object().bucket(BUCKET).key("a b+c.txt");
    let url = get.presigned(over.build().unwrap()).await.unwrap();
    let (status, body) = fetch(url.uri()).await;
    assert_eq!(
        (status, body.contains("Request has expired")),
        (403, true),
        "{body}"
    );

    let elsewhere = s3.config().to_builder().region(Region::new("eu-west-3"));
    let elsewhere = Client::from_conf(elsewhere.build());
    let get = elsewhere.get_object().bucket(BUCKET).key("a b+c.txt");
    let url = get.presigned(hour_long()).await.unwrap();
    let (status, body) = fetch(url.uri()).await;
    assert_eq!((status, body.contains("us-east-1")), (400, true), "{body}");
}
