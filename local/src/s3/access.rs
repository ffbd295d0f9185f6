//! Who makes an S3 request, and whether they may.

use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Result};

use super::error::not_implemented;
use super::inputs;
use crate::auth;
use crate::cloud::{ACCOUNT, Cloud, PARTITION};
use crate::error::AwsError;
use crate::iam;
use crate::principal::Principal;
use crate::realism::Happening;

/// The longest that a presigned URL is good for, in seconds.
const WEEK: u64 = 604_800;

/// Gives the `s3s` crate secrets to verify signatures with, and decides on every operation before it is begun.
pub struct Gate(pub Arc<Cloud>);

/// The action that an operation needs on its bucket or object. Copies and batches need more, which they ask for
/// themselves. An operation that is not here is not built.
fn action(operation: &str, versioned: bool) -> Option<&'static str> {
    Some(match (operation, versioned) {
        ("AbortMultipartUpload", _) => "s3:AbortMultipartUpload",
        ("CreateBucket", _) => "s3:CreateBucket",
        ("DeleteBucket", _) => "s3:DeleteBucket",
        ("DeleteBucketPolicy", _) => "s3:DeleteBucketPolicy",
        ("DeleteObject", true) => "s3:DeleteObjectVersion",
        ("DeleteObject", false) => "s3:DeleteObject",
        ("GetBucketEncryption", _) => "s3:GetEncryptionConfiguration",
        ("GetBucketLocation", _) => "s3:GetBucketLocation",
        ("GetBucketNotificationConfiguration", _) => "s3:GetBucketNotification",
        ("GetBucketOwnershipControls", _) => "s3:GetBucketOwnershipControls",
        ("GetBucketPolicy", _) => "s3:GetBucketPolicy",
        ("GetBucketTagging", _) => "s3:GetBucketTagging",
        ("GetBucketVersioning", _) => "s3:GetBucketVersioning",
        ("GetObject" | "HeadObject", true) => "s3:GetObjectVersion",
        ("GetObject" | "HeadObject", false) => "s3:GetObject",
        ("GetPublicAccessBlock", _) => "s3:GetBucketPublicAccessBlock",
        ("HeadBucket" | "ListObjects" | "ListObjectsV2", _) => "s3:ListBucket",
        ("ListBuckets", _) => "s3:ListAllMyBuckets",
        ("ListMultipartUploads", _) => "s3:ListBucketMultipartUploads",
        ("ListObjectVersions", _) => "s3:ListBucketVersions",
        ("ListParts", _) => "s3:ListMultipartUploadParts",
        ("PutBucketEncryption" | "DeleteBucketEncryption", _) => "s3:PutEncryptionConfiguration",
        ("PutBucketNotificationConfiguration", _) => "s3:PutBucketNotification",
        ("PutBucketOwnershipControls", _) => "s3:PutBucketOwnershipControls",
        ("PutBucketPolicy", _) => "s3:PutBucketPolicy",
        ("PutBucketTagging" | "DeleteBucketTagging", _) => "s3:PutBucketTagging",
        ("PutBucketVersioning", _) => "s3:PutBucketVersioning",
        ("PutPublicAccessBlock" | "DeletePublicAccessBlock", _) => "s3:PutBucketPublicAccessBlock",
        (
            "CompleteMultipartUpload" | "CopyObject" | "CreateMultipartUpload" | "PutObject" | "UploadPart",
            _,
        ) => "s3:PutObject",
        _ => return None,
    })
}

#[async_trait::async_trait]
impl S3Auth for Gate {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        auth::secret_of(&self.0, access_key)
            .map(SecretKey::from)
            .ok_or_else(|| {
                let message = "The AWS Access Key Id you provided does not exist in our records.";
                S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, message)
            })
    }
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        check_owner(context)?;
        let query = query_of(context);
        check_region(&self.0.region, context, &query)?;
        check_expiry(&query)?;
        let principal = self.principal(context, &query)?;
        let operation = context.s3_op().name().to_owned();
        if let Some(happening) = self.0.conditions.befalls(|| format!("s3:{operation}")).await {
            befall(context, happening)?;
        }
        // DeleteObjects names its objects in the body: it asks for each of them.
        let action = match operation.as_str() {
            "DeleteObjects" => None,
            built => Some(
                action(built, value(&query, "versionId").is_some())
                    .ok_or_else(|| not_implemented(&operation))?,
            ),
        };
        inputs::check(&operation, context.headers(), &query)?;
        if let Some(action) = action {
            let conditions: Vec<(&str, &str)> = [("s3:prefix", "prefix"), ("s3:delimiter", "delimiter")]
                .into_iter()
                .filter_map(|(key, parameter)| Some((key, value(&query, parameter)?)))
                .collect();
            let resource = match context.s3_path() {
                S3Path::Root => "*".to_owned(),
                S3Path::Bucket { bucket } => bucket_arn(bucket),
                S3Path::Object { bucket, key } => object_arn(bucket, key),
            };
            iam::authorize(&self.0, &principal, action, &resource, &conditions)?;
        }
        context.extensions_mut().insert(principal);
        Ok(())
    }
}

/// What befalls a request: known once its operation is, and what the answer is to be replaced by.
#[derive(Clone, Default)]
pub struct Befallen(Arc<OnceLock<Happening>>);

impl Befallen {
    /// The answer, or what comes in its place.
    pub fn answer_or(self, answer: Response<Body>) -> S3Result<Response<Body>> {
        match self.0.get().map(|happening| happening.answer.clone()) {
            None => Ok(answer),
            Some(Ok(error)) => S3Error::from(error).to_http_response(),
            Some(Err(unanswered)) => Ok(unanswered.response()),
        }
    }
}

/// Keeps what happens for the answer. What is to happen before the request has any effect ends it here.
fn befall(context: &mut S3AccessContext<'_>, happening: Happening) -> S3Result<()> {
    let is_after = happening.after;
    if let Some(befallen) = context.extensions_mut().get::<Befallen>() {
        // One request is one operation: nothing has been kept yet.
        let _ = befallen.0.set(happening);
    }
    if is_after {
        return Ok(());
    }
    Err(AwsError::internal("the request was ended, as was asked for").into())
}

impl Gate {
    fn principal(
        &self,
        context: &S3AccessContext<'_>,
        query: &[(String, String)],
    ) -> Result<Principal, AwsError> {
        let credentials = context
            .credentials()
            .ok_or_else(|| AwsError::new(403, "AccessDenied", "Access Denied"))?;
        let in_query = query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case("X-Amz-Security-Token"))
            .and_then(|(_, token)| HeaderValue::from_str(token).ok());
        let token = context
            .headers()
            .get("x-amz-security-token")
            .or(in_query.as_ref());
        auth::principal_of(&self.0, &credentials.access_key, token).map_err(|error| {
            match error.code.as_str() {
                "ExpiredToken" => AwsError::bad_request("ExpiredToken", "The provided token has expired."),
                _ => AwsError::bad_request(
                    "InvalidToken",
                    "The provided token is malformed or otherwise invalid.",
                ),
            }
        })
    }
}

/// All buckets here are the account's: who expects another owner is refused.
fn check_owner(context: &S3AccessContext<'_>) -> Result<(), AwsError> {
    let names = [
        "x-amz-expected-bucket-owner",
        "x-amz-source-expected-bucket-owner",
    ];
    let mut expected = names.into_iter().filter_map(|name| context.headers().get(name));
    if expected.any(|owner| owner != ACCOUNT) {
        return Err(AwsError::new(403, "AccessDenied", "Access Denied"));
    }
    Ok(())
}

/// A signature for another region is refused, with the header that tells SDKs the right one.
fn check_region(expected: &str, context: &S3AccessContext<'_>, query: &[(String, String)]) -> S3Result<()> {
    let (signed, presigned) = (
        auth::signed_region(context.headers()),
        value(query, "X-Amz-Credential").and_then(|credential| credential.split('/').nth(2)),
    );
    let (code, what, region) = match (signed, presigned) {
        (Some(region), _) => (
            S3ErrorCode::AuthorizationHeaderMalformed,
            "The authorization header is malformed",
            region,
        ),
        (None, Some(region)) => (
            S3ErrorCode::AuthorizationQueryParametersError,
            "Error parsing the X-Amz-Credential parameter",
            region,
        ),
        // Version 2 signatures and forms' name no region.
        (None, None) => return Ok(()),
    };
    if region == expected {
        return Ok(());
    }
    let message = format!("{what}; the region '{region}' is wrong; expecting '{expected}'");
    let mut refused = S3Error::with_message(code, message);
    refused.set_status_code(StatusCode::BAD_REQUEST);
    if let Ok(expected) = HeaderValue::from_str(expected) {
        let name = HeaderName::from_static("x-amz-bucket-region");
        refused.set_headers(HeaderMap::from_iter([(name, expected)]));
    }
    Err(refused)
}

/// A presigned URL is good for a week at most. (Whether it has expired, the `s3s` crate has checked.)
fn check_expiry(query: &[(String, String)]) -> Result<(), AwsError> {
    let seconds = value(query, "X-Amz-Expires").and_then(|seconds| seconds.parse::<u64>().ok());
    if seconds.is_some_and(|seconds| seconds > WEEK) {
        let message = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
                       than 604800 seconds";
        return Err(AwsError::bad_request(
            "AuthorizationQueryParametersError",
            message,
        ));
    }
    Ok(())
}

/// The first value of a query parameter.
fn value<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn query_of(context: &S3AccessContext<'_>) -> Vec<(String, String)> {
    form_urlencoded::parse(context.uri().query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

pub fn bucket_arn(bucket: &str) -> String {
    format!("arn:{PARTITION}:s3:::{bucket}")
}

pub fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:{PARTITION}:s3:::{bucket}/{key}")
}

/// Who makes the request; [`Gate::check`] has put it there.
pub fn principal<T>(request: &S3Request<T>) -> Result<Principal, AwsError> {
    request
        .extensions
        .get::<Principal>()
        .cloned()
        .ok_or_else(|| AwsError::internal("the request was not authenticated"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_presigned_url_is_good_for_a_week_at_most() {
        let query = |seconds: &str| [("X-Amz-Expires".to_owned(), seconds.to_owned())];
        check_expiry(&query("604800")).unwrap();
        let refused = check_expiry(&query("604801")).unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (400, "AuthorizationQueryParametersError")
        );
    }
}
