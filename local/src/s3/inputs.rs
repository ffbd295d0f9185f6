//! What an operation honours of a request's headers and query; whatever else would mean something is refused.

use http::HeaderMap;
use serde_json::Value;

use super::error::not_honoured;
use crate::error::AwsError;
use crate::inputs::{Members, stray};

/// How a request is sent and signed, and who sends it.
const EVERY_HEADER: Members = &[
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    // Everything here is the payer's own.
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-trailer=x-amz-checksum-crc32",
    "x-amz-trailer=x-amz-checksum-crc32c",
    "x-amz-trailer=x-amz-checksum-crc64nvme",
    "x-amz-trailer=x-amz-checksum-sha1",
    "x-amz-trailer=x-amz-checksum-sha256",
    "x-amz-user-agent",
];
/// The name of an operation, and the signatures of presigned URLs.
const EVERY_PARAMETER: Members = &[
    "x-id",
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    // The JavaScript SDK's presigned URLs have these two, whatever they are for.
    "x-amz-checksum-mode",
    "x-amz-sdk-checksum-algorithm",
    "AWSAccessKeyId",
    "Expires",
    "Signature",
];

/// What a written object is said to be. Its ACL can only say what holds anyway.
const PROPERTIES: Members = &[
    "expires",
    "x-amz-acl=private",
    "x-amz-acl=bucket-owner-full-control",
    "x-amz-server-side-encryption=AES256",
    "x-amz-server-side-encryption-bucket-key-enabled=false",
    "x-amz-storage-class=STANDARD",
    "x-amz-website-redirect-location",
];
const USER_METADATA: &str = "x-amz-meta-";
const CONDITIONS: Members = &[
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
];
const WRITE_CONDITIONS: Members = &["if-match", "if-none-match"];
/// HTTP's headers that change what an operation does; the others describe the body, or are for proxies.
const STANDARD: [&str; 7] = [
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];
const RESPONSE: Members = &[
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "versionId",
];

/// The headers that an operation honours beside [`EVERY_HEADER`].
fn headers(operation: &str) -> Vec<&'static str> {
    let lists: &[Members] = match operation {
        "CompleteMultipartUpload" => &[WRITE_CONDITIONS, &["x-amz-checksum-type", "x-amz-mp-object-size"]],
        "CopyObject" => &[
            PROPERTIES,
            &[
                "x-amz-checksum-algorithm",
                "x-amz-copy-source",
                "x-amz-copy-source-if-match",
                "x-amz-copy-source-if-none-match",
                "x-amz-metadata-directive",
                "x-amz-source-expected-bucket-owner",
                // There are no tags, to be copied or replaced.
                "x-amz-tagging-directive",
            ],
        ],
        "CreateBucket" => &[&[
            "x-amz-acl=private",
            "x-amz-bucket-object-lock-enabled=false",
            "x-amz-object-ownership",
        ]],
        "CreateMultipartUpload" => &[PROPERTIES, &["x-amz-checksum-algorithm", "x-amz-checksum-type"]],
        "GetObject" => &[CONDITIONS, &["range", "x-amz-checksum-mode"]],
        "HeadObject" => &[CONDITIONS, &["x-amz-checksum-mode"]],
        // Only archived objects have such attributes.
        "ListObjects" | "ListObjectsV2" | "ListObjectVersions" => &[&["x-amz-optional-object-attributes"]],
        // EventBridge is always there.
        "PutBucketNotificationConfiguration" => &[&["x-amz-skip-destination-validation"]],
        "PutObject" => &[PROPERTIES, WRITE_CONDITIONS],
        _ => &[],
    };
    [lists, &[EVERY_HEADER]].concat().concat()
}

/// The query's parameters that an operation honours beside [`EVERY_PARAMETER`].
fn query(operation: &str) -> Vec<&'static str> {
    let parameters: Members = match operation {
        "AbortMultipartUpload" | "CompleteMultipartUpload" => &["uploadId"],
        "CreateMultipartUpload" => &["uploads"],
        "DeleteBucketEncryption" | "GetBucketEncryption" | "PutBucketEncryption" => &["encryption"],
        "DeleteBucketTagging" | "GetBucketTagging" | "PutBucketTagging" => &["tagging"],
        "DeleteObject" => &["versionId"],
        "DeleteObjects" => &["delete"],
        "DeletePublicAccessBlock" | "GetPublicAccessBlock" | "PutPublicAccessBlock" => &["publicAccessBlock"],
        "GetBucketLocation" => &["location"],
        "GetBucketNotificationConfiguration" | "PutBucketNotificationConfiguration" => &["notification"],
        "GetBucketOwnershipControls" | "PutBucketOwnershipControls" => &["ownershipControls"],
        "GetBucketPolicy" | "PutBucketPolicy" => &["policy"],
        "GetBucketVersioning" | "PutBucketVersioning" => &["versioning"],
        "GetObject" | "HeadObject" => RESPONSE,
        "ListBuckets" => &["bucket-region", "continuation-token", "max-buckets", "prefix"],
        "ListMultipartUploads" => &[
            "delimiter",
            "encoding-type",
            "key-marker",
            "max-uploads",
            "prefix",
            "upload-id-marker",
            "uploads",
        ],
        "ListObjects" => &["delimiter", "encoding-type", "marker", "max-keys", "prefix"],
        "ListObjectsV2" => &[
            "continuation-token",
            "delimiter",
            "encoding-type",
            "fetch-owner",
            "list-type",
            "max-keys",
            "prefix",
            "start-after",
        ],
        "ListObjectVersions" => &[
            "delimiter",
            "encoding-type",
            "key-marker",
            "max-keys",
            "prefix",
            "version-id-marker",
            "versions",
        ],
        "ListParts" => &["max-parts", "part-number-marker", "uploadId"],
        "UploadPart" => &["partNumber", "uploadId"],
        _ => &[],
    };
    [parameters, EVERY_PARAMETER].concat()
}

/// Refuses a request that says what `operation` does not honour.
pub fn check(operation: &str, given: &HeaderMap, parameters: &[(String, String)]) -> Result<(), AwsError> {
    let honoured = headers(operation);
    let takes_metadata = honoured.contains(&"x-amz-website-redirect-location");
    for (name, value) in given {
        let name = name.as_str();
        let means_something = name.starts_with("x-amz-") || STANDARD.contains(&name);
        if !means_something || (takes_metadata && name.starts_with(USER_METADATA)) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
        if let Some(stray) = stray(&honoured, name, &Value::from(value)) {
            return Err(not_honoured(operation, &stray));
        }
    }
    let honoured = query(operation);
    for (name, value) in parameters {
        // AWS leaves names that begin with x- to its callers' logs.
        let is_callers = name.starts_with("x-") && !name.starts_with("x-amz-");
        if is_callers {
            continue;
        }
        if let Some(stray) = stray(&honoured, name, &Value::from(value.as_str())) {
            return Err(not_honoured(operation, &stray));
        }
    }
    Ok(())
}
