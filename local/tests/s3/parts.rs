//! Uploads in parts.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::common::code;
use crate::{BUCKET, cloud_with_bucket, files_in, get};

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
