//! What is left when the cloud or a client goes away.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;

use crate::{BUCKET, cloud_with_bucket, get, put};

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
    let bodies = [b"hello".to_vec(), vec![b'h'; 40_000]];
    for number in 0..300_u64 {
        let put = s3
            .put_object()
            .bucket(BUCKET)
            .key(format!("{number}.jpg"))
            .body(ByteStream::from(bodies[number as usize % 2].clone()));
        // From too short to reach the store to long enough for an answer.
        let patience = Duration::from_micros(300 + number * 20);
        let _ = tokio::time::timeout(patience, put.send()).await;
    }
    put(&s3, "last.jpg", b"hello").await;

    let listed = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert!(!listed.contents().is_empty());
    for object in listed.contents() {
        assert!(bodies.contains(&get(&s3, object.key().unwrap()).await));
    }
}
