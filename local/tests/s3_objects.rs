//! S3: objects of every kind, their conditions, versions and parts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective,
    ObjectIdentifier, VersioningConfiguration,
};
use common::TestCloud;

const BUCKET: &str = "pictures";

async fn cloud_with_bucket() -> (TestCloud, Client) {
    let cloud = TestCloud::start().await;
    let s3 = cloud.s3();
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    (cloud, s3)
}

async fn put(s3: &Client, key: &str, body: &[u8]) -> String {
    let body = ByteStream::from(body.to_vec());
    s3.put_object()
        .bucket(BUCKET)
        .key(key)
        .body(body)
        .send()
        .await
        .unwrap()
        .e_tag
        .unwrap()
}

async fn get(s3: &Client, key: &str) -> Vec<u8> {
    let reply = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    reply.body.collect().await.unwrap().to_vec()
}

fn code<E: ProvideErrorMetadata>(error: &E) -> &str {
    error.code().unwrap_or_default()
}

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
async fn keys_of_every_kind_are_kept_and_listed_as_they_are() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let longest = "k".repeat(1024);
    let keys = [
        "with space.jpg",
        "plus+sign",
        "per%cent",
        "per%20cent",
        "quote'and\"",
        "back\\slash",
        "ünïcödé/日本語/🖼.png",
        "a//b",
        "/leading",
        "trailing/",
        "dots/../up",
        "../up",
        ".",
        "a&b=c?d#e",
        "<xml>&amp;",
        "tab\tand:colon*star",
        longest.as_str(),
    ];
    for key in keys {
        put(&s3, key, key.as_bytes()).await;
        assert_eq!(get(&s3, key).await, key.as_bytes(), "{key}");
    }

    let listed = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    assert_eq!(
        listed
            .contents()
            .iter()
            .map(|object| object.key().unwrap())
            .collect::<Vec<_>>(),
        expected
    );

    for key in keys {
        s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
    assert_eq!(
        s3.list_objects_v2()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap()
            .key_count(),
        Some(0)
    );

    let too_long = s3
        .put_object()
        .bucket(BUCKET)
        .key("k".repeat(1025))
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&too_long), "KeyTooLongError");
}

#[tokio::test]
async fn lists_have_prefixes_delimiters_and_pages() {
    let (_cloud, s3) = cloud_with_bucket().await;
    for key in ["a/1", "a/2", "b", "c/1", "c/d/2", "z"] {
        put(&s3, key, b"").await;
    }
    let mut seen = Vec::new();
    let mut pages = s3
        .list_objects_v2()
        .bucket(BUCKET)
        .delimiter("/")
        .max_keys(2)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert!(page.key_count() <= Some(2));
        seen.extend(
            page.common_prefixes()
                .iter()
                .map(|prefix| prefix.prefix().unwrap().to_owned()),
        );
        seen.extend(
            page.contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
    }
    seen.sort();
    assert_eq!(seen, ["a/", "b", "c/", "z"]);

    let below = s3
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("c/")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    assert_eq!(below.contents()[0].key(), Some("c/1"));
    assert_eq!(below.common_prefixes()[0].prefix(), Some("c/d/"));

    let v1 = s3
        .list_objects()
        .bucket(BUCKET)
        .delimiter("/")
        .max_keys(1)
        .send()
        .await
        .unwrap();
    assert_eq!((v1.is_truncated(), v1.next_marker()), (Some(true), Some("a/")));
    let v1 = s3
        .list_objects()
        .bucket(BUCKET)
        .delimiter("/")
        .marker("a/")
        .max_keys(1)
        .send()
        .await
        .unwrap();
    assert_eq!(v1.contents()[0].key(), Some("b"));

    let after = s3
        .list_objects_v2()
        .bucket(BUCKET)
        .start_after("c/1")
        .send()
        .await
        .unwrap();
    assert_eq!(after.contents()[0].key(), Some("c/d/2"));
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
        .body(ByteStream::from_static(b"not abc"))
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

#[tokio::test]
async fn replaced_and_deleted_objects_leave_no_files() {
    let (cloud, s3) = cloud_with_bucket().await;
    for body in [b"one", b"two"] {
        put(&s3, "k", body).await;
    }
    assert_eq!(files_in(&cloud), 1);
    s3.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(files_in(&cloud), 0);
}

fn files_in(cloud: &TestCloud) -> usize {
    let folders = std::fs::read_dir(cloud.data_dir().join("objects")).unwrap();
    folders
        .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
        .sum()
}

#[tokio::test]
async fn many_objects_are_deleted_at_once() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let delete = |keys: &[&str], quiet| {
        let objects = keys
            .iter()
            .map(|key| ObjectIdentifier::builder().key(*key).build().unwrap())
            .collect();
        let delete = Delete::builder()
            .set_objects(Some(objects))
            .quiet(quiet)
            .build()
            .unwrap();
        s3.delete_objects().bucket(BUCKET).delete(delete).send()
    };
    for key in ["a", "b", "ü +"] {
        put(&s3, key, b"x").await;
    }
    let loud = delete(&["a", "not there"], false).await.unwrap();
    assert_eq!(loud.deleted().len(), 2);
    let quiet = delete(&["b", "ü +"], true).await.unwrap();
    assert!(quiet.deleted().is_empty() && quiet.errors().is_empty());
    assert_eq!(
        s3.list_objects_v2()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap()
            .key_count(),
        Some(0)
    );
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
    assert_eq!(
        s3.list_objects_v2()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap()
            .key_count(),
        Some(0)
    );
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

#[tokio::test]
async fn an_object_is_put_together_from_parts() {
    let (cloud, s3) = cloud_with_bucket().await;
    let begun = s3
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("big")
        .content_type("image/png")
        .send()
        .await
        .unwrap();
    let id = begun.upload_id().unwrap();
    let (first, second) = (vec![b'a'; 5 * 1024 * 1024], vec![b'b'; 10]);
    let mut parts = Vec::new();
    for (number, body) in [(1, &first), (2, &second)] {
        let sent = s3
            .upload_part()
            .bucket(BUCKET)
            .key("big")
            .upload_id(id)
            .part_number(number)
            .body(ByteStream::from(body.clone()))
            .send()
            .await
            .unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .e_tag(sent.e_tag().unwrap())
                .build(),
        );
    }
    let listed = s3
        .list_parts()
        .bucket(BUCKET)
        .key("big")
        .upload_id(id)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.parts().len(), 2);
    let uploads = s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert_eq!(uploads.uploads()[0].upload_id(), Some(id));

    let complete = |parts: Vec<CompletedPart>| {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        s3.complete_multipart_upload()
            .bucket(BUCKET)
            .key("big")
            .upload_id(id)
            .multipart_upload(parts)
            .send()
    };
    let reversed = parts.iter().rev().cloned().collect();
    assert_eq!(code(&complete(reversed).await.unwrap_err()), "InvalidPartOrder");
    let missing = vec![CompletedPart::builder().part_number(7).e_tag("x").build()];
    assert_eq!(code(&complete(missing).await.unwrap_err()), "InvalidPart");

    let done = complete(parts.clone()).await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    assert_eq!(code(&complete(parts).await.unwrap_err()), "NoSuchUpload");
    let got = get(&s3, "big").await;
    assert_eq!(got.len(), first.len() + second.len());
    assert!(got.ends_with(b"abbbbbbbbbb"));
    assert_eq!(files_in(&cloud), 1);
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let (cloud, s3) = cloud_with_bucket().await;
    let begun = s3
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    let id = begun.upload_id().unwrap();
    let part = s3
        .upload_part()
        .bucket(BUCKET)
        .key("k")
        .upload_id(id)
        .part_number(1);
    part.body(ByteStream::from_static(b"x")).send().await.unwrap();
    s3.abort_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(id)
        .send()
        .await
        .unwrap();
    let again = s3
        .abort_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(id)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&again), "NoSuchUpload");
    assert_eq!(files_in(&cloud), 0);
}

#[tokio::test]
async fn a_presigned_url_is_good_without_credentials() {
    let (_cloud, s3) = cloud_with_bucket().await;
    put(&s3, "a b+c.txt", b"signed").await;
    let hour = PresigningConfig::expires_in(Duration::from_secs(3600)).unwrap();
    let url = s3
        .get_object()
        .bucket(BUCKET)
        .key("a b+c.txt")
        .presigned(hour)
        .await
        .unwrap();
    assert_eq!(common::fetch(url.uri()).await, (200, "signed".to_owned()));

    let (status, body) = common::fetch(&url.uri().replace("a%20b", "other")).await;
    assert_eq!(status, 403);
    assert!(body.contains("SignatureDoesNotMatch"), "{body}");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let (cloud, s3) = cloud_with_bucket().await;
    put(&s3, "k", b"kept").await;
    let cloud = cloud.restart().await;
    assert_eq!(get(&cloud.s3(), "k").await, b"kept");
}

#[tokio::test]
async fn what_was_acknowledged_survives_an_abrupt_end() {
    let (cloud, s3) = cloud_with_bucket().await;
    let uploads = (0..50).map(|number| {
        let s3 = s3.clone();
        tokio::spawn(async move {
            let key = format!("k{number:02}");
            let put = s3
                .put_object()
                .bucket(BUCKET)
                .key(&key)
                .body(ByteStream::from(key.clone().into_bytes()));
            put.send().await.is_ok().then_some(key)
        })
    });
    let uploads: Vec<_> = uploads.collect();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let cloud = cloud.kill_and_start().await;
    for upload in uploads {
        if let Some(key) = upload.await.unwrap() {
            assert_eq!(get(&cloud.s3(), &key).await, key.as_bytes());
        }
    }
}

#[tokio::test]
async fn a_put_whose_client_goes_away_leaves_no_object_without_its_bytes() {
    let (_cloud, s3) = cloud_with_bucket().await;
    for number in 0..300_u64 {
        let put = s3
            .put_object()
            .bucket(BUCKET)
            .key(format!("{number}.jpg"))
            .body(ByteStream::from_static(b"hello"));
        // From too short to reach the store to long enough for an answer.
        let patience = Duration::from_micros(300 + number * 20);
        let _ = tokio::time::timeout(patience, put.send()).await;
    }
    put(&s3, "last.jpg", b"hello").await;

    let listed = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert!(!listed.contents().is_empty());
    for object in listed.contents() {
        assert_eq!(get(&s3, object.key().unwrap()).await, b"hello");
    }
}
