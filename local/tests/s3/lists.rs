//! Lists of objects, and many deleted at once.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::common::code;
use crate::{BUCKET, cloud_with_bucket, get, key_count, put};

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
    assert_eq!(key_count(&s3).await, Some(0));

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
    assert_eq!(key_count(&s3).await, Some(0));
}
