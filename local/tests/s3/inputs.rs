//! What is not honoured is refused, and what is honoured is done.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::*;

use crate::common::{refusal, refuses};
use crate::{BUCKET, cloud_with_bucket, encrypted_with};

#[tokio::test]
async fn what_is_not_honoured_of_objects_is_refused() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let put = || {
        s3.put_object()
            .bucket(BUCKET)
            .key("k")
            .body(ByteStream::from_static(b"x"))
    };
    let copy = || {
        s3.copy_object()
            .bucket(BUCKET)
            .key("l")
            .copy_source(format!("{BUCKET}/k"))
    };
    let begin = || s3.create_multipart_upload().bucket(BUCKET).key("k");
    let get = || s3.get_object().bucket(BUCKET).key("k");
    let delete = || s3.delete_object().bucket(BUCKET).key("k");
    put().send().await.unwrap();
    let tagged = ObjectIdentifier::builder().key("k").e_tag("e").build().unwrap();
    let conditional = Delete::builder().objects(tagged).build().unwrap();
    refuses! { "NotImplemented";
        "PutObject", "x-amz-server-side-encryption aws:kms, only AES256" =>
            put().server_side_encryption(ServerSideEncryption::AwsKms);
        "PutObject", "x-amz-server-side-encryption-aws-kms-key-id" => put().ssekms_key_id("k");
        "PutObject", "x-amz-server-side-encryption-customer-algorithm" => put().sse_customer_algorithm("AES256");
        "PutObject", "x-amz-server-side-encryption-bucket-key-enabled" => put().bucket_key_enabled(true);
        "PutObject", "x-amz-acl public-read" => put().acl(ObjectCannedAcl::PublicRead);
        "PutObject", "x-amz-grant-read" => put().grant_read("id=1");
        "PutObject", "x-amz-storage-class GLACIER, only STANDARD" => put().storage_class(StorageClass::Glacier);
        "PutObject", "x-amz-tagging" => put().tagging("a=b");
        "PutObject", "x-amz-object-lock-mode" => put().object_lock_mode(ObjectLockMode::Governance);
        "PutObject", "x-amz-object-lock-retain-until-date" =>
            put().object_lock_retain_until_date(DateTime::from_secs(0));
        "PutObject", "x-amz-object-lock-legal-hold" =>
            put().object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On);
        "PutObject", "x-amz-write-offset-bytes" => put().write_offset_bytes(1);
        "CopyObject", "x-amz-copy-source-if-modified-since" =>
            copy().copy_source_if_modified_since(DateTime::from_secs(0));
        "CopyObject", "x-amz-acl" => copy().acl(ObjectCannedAcl::AuthenticatedRead);
        "CopyObject", "x-amz-tagging" => copy().tagging("a=b");
        "CopyObject", "x-amz-storage-class" => copy().storage_class(StorageClass::StandardIa);
        "CreateMultipartUpload", "x-amz-tagging" => begin().tagging("a=b");
        "CreateMultipartUpload", "x-amz-storage-class" => begin().storage_class(StorageClass::DeepArchive);
        "GetObject", "partNumber" => get().part_number(1);
        "GetObject", "x-amz-server-side-encryption-customer-algorithm" => get().sse_customer_algorithm("AES256");
        "DeleteObject", "if-match" => delete().if_match("e");
        "DeleteObject", "x-amz-bypass-governance-retention" => delete().bypass_governance_retention(true);
        "DeleteObject", "x-amz-mfa" => delete().mfa("1 2");
        "DeleteObjects", "ETag" => s3.delete_objects().bucket(BUCKET).delete(conditional);
        "AbortMultipartUpload", "x-amz-if-match-initiated-time" => s3
            .abort_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .upload_id("u")
            .if_match_initiated_time(DateTime::from_secs(0));
    }
    let part = s3
        .upload_part_copy()
        .bucket(BUCKET)
        .key("k")
        .upload_id("u")
        .part_number(1)
        .copy_source(format!("{BUCKET}/k"));
    let (code, message) = refusal(part.send().await);
    assert_eq!(code, "NotImplemented", "{message}");
    assert!(message.contains("does not have s3 UploadPartCopy"), "{message}");
    let head = s3
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .range("bytes=0-1")
        .send()
        .await
        .unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 501);
    let unknown = get().customize().mutate_request(|request| {
        let uri = format!("{}&torrent-of=1", request.uri());
        request.set_uri(uri).unwrap();
    });
    let (code, message) = refusal(unknown.send().await);
    assert_eq!(code, "NotImplemented", "{message}");
    assert!(message.contains("torrent-of"), "{message}");
}

#[tokio::test]
async fn what_is_not_honoured_of_buckets_is_refused() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let create = || s3.create_bucket().bucket("other");
    let encryption = encrypted_with(ServerSideEncryption::AwsKms);
    let guarded = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .mfa_delete(MfaDelete::Enabled)
        .build();
    refuses! { "NotImplemented";
        "CreateBucket", "x-amz-acl public-read, only private" => create().acl(BucketCannedAcl::PublicRead);
        "CreateBucket", "x-amz-bucket-object-lock-enabled" => create().object_lock_enabled_for_bucket(true);
        "CreateBucket", "x-amz-grant-write" => create().grant_write("id=1");
        "PutBucketEncryption", "SSEAlgorithm" =>
            s3.put_bucket_encryption().bucket(BUCKET).server_side_encryption_configuration(encryption);
        "PutBucketVersioning", "MfaDelete" =>
            s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(guarded);
    }
    assert_eq!(s3.list_buckets().send().await.unwrap().buckets().len(), 1);
    let elsewhere = s3.list_buckets().bucket_region("eu-west-1").send().await.unwrap();
    assert!(elsewhere.buckets().is_empty());
}

#[tokio::test]
async fn an_object_says_when_it_expires_and_is_as_asked_for() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let put = s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(ByteStream::from_static(b"x"))
        .acl(ObjectCannedAcl::BucketOwnerFullControl)
        .storage_class(StorageClass::Standard)
        .server_side_encryption(ServerSideEncryption::Aes256)
        .expires(DateTime::from_secs(1_700_000_000));
    put.send().await.unwrap();
    let got = s3.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(got.expires_string(), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    let head = s3
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .response_content_type("text/plain");
    let head = head.send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/plain"));
    assert_eq!(head.expires_string(), Some("Tue, 14 Nov 2023 22:13:20 GMT"));

    let copy = s3
        .copy_object()
        .bucket(BUCKET)
        .key("l")
        .copy_source(format!("{BUCKET}/k"))
        .checksum_algorithm(ChecksumAlgorithm::Sha256);
    let copied = copy.send().await.unwrap().copy_object_result.unwrap();
    assert!(copied.checksum_sha256().is_some(), "{copied:?}");
    let head = s3.head_object().bucket(BUCKET).key("l").send().await.unwrap();
    assert_eq!(head.expires_string(), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
}

#[tokio::test]
async fn an_upload_in_parts_is_what_is_said_about_it() {
    let (_cloud, s3) = cloud_with_bucket().await;
    let begin = s3
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("a b")
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .checksum_type(ChecksumType::FullObject);
    let id = begin.send().await.unwrap().upload_id.unwrap();
    let part = s3
        .upload_part()
        .bucket(BUCKET)
        .key("a b")
        .upload_id(&id)
        .part_number(1)
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .body(ByteStream::from_static(b"123456789"));
    let part = part.send().await.unwrap();
    // The check value of CRC-32, cbf43926, in base64.
    assert_eq!(part.checksum_crc32(), Some("y/Q5Jg=="));

    let listed = s3
        .list_multipart_uploads()
        .bucket(BUCKET)
        .encoding_type(EncodingType::Url);
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.uploads()[0].key(), Some("a%20b"));

    let complete = |part_checksum: &str| {
        let part = CompletedPart::builder()
            .part_number(1)
            .e_tag(part.e_tag().unwrap())
            .checksum_crc32(part_checksum)
            .build();
        s3.complete_multipart_upload()
            .bucket(BUCKET)
            .key("a b")
            .upload_id(&id)
            .multipart_upload(CompletedMultipartUpload::builder().parts(part).build())
    };
    for (call, expected) in [
        (complete("AAAAAA=="), "InvalidPart"),
        (complete("y/Q5Jg==").checksum_crc32("AAAAAA=="), "BadDigest"),
        (complete("y/Q5Jg==").mpu_object_size(8), "InvalidRequest"),
        (
            complete("y/Q5Jg==").checksum_type(ChecksumType::Composite),
            "InvalidRequest",
        ),
    ] {
        let (code, message) = refusal(call.send().await);
        assert_eq!(code, expected, "{message}");
    }
    let whole = complete("y/Q5Jg==")
        .checksum_crc32("y/Q5Jg==")
        .checksum_type(ChecksumType::FullObject)
        .mpu_object_size(9);
    whole.send().await.unwrap();
}
