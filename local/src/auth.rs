//! Signature Version 4: whose request this is. (S3's requests are verified by the `s3s` crate, which streams them; it
//! asks this module for secrets and principals.)

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::request::Parts;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::call::Service;
use crate::cloud::Cloud;
use crate::credentials::BadToken;
use crate::error::AwsError;
use crate::principal::Principal;

/// How far a request's time may be from ours.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What SigV4 leaves as it is: RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The parts of an `Authorization: AWS4-HMAC-SHA256 …` header.
struct Authorization<'a> {
    access_key_id: &'a str,
    /// `DATE/REGION/SERVICE/aws4_request`.
    scope: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let fields = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                .map(str::trim)
        };
        let (access_key_id, scope) = field("Credential")?.split_once('/')?;
        Some(Self {
            access_key_id,
            scope,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
        })
    }
}

/// The service that a request is signed for, in its header or in its query (a presigned URL); none if it is unsigned.
pub fn signed_service(head: &Parts) -> Option<String> {
    if let Some(authorization) = Authorization::of(&head.headers) {
        return Some(authorization.scope.split('/').nth(2)?.to_owned());
    }
    form_urlencoded::parse(head.uri.query()?.as_bytes()).find_map(|(name, value)| match name.as_ref() {
        "X-Amz-Credential" => value.split('/').nth(3).map(str::to_owned),
        // boto3 presigns S3's URLs with Signature Version 2 unless it is told otherwise.
        "AWSAccessKeyId" => Some("s3".to_owned()),
        _ => None,
    })
}

/// The region that a request's header is signed for; none if it is not signed by its header.
pub fn signed_region(headers: &HeaderMap) -> Option<&str> {
    Authorization::of(headers)?.scope.split('/').nth(1)
}

/// Verifies a request's signature.
pub fn authenticate(
    cloud: &Cloud,
    service: Service,
    head: &Parts,
    body: &[u8],
) -> Result<Principal, AwsError> {
    let authorization = Authorization::of(&head.headers).ok_or_else(|| {
        AwsError::new(
            403,
            "IncompleteSignature",
            "Authorization header is not in the form of Signature Version 4.",
        )
    })?;
    let date = header(head, "x-amz-date");
    check_time(date, Timestamp::now())?;
    check_scope(authorization.scope, date, &cloud.region, service)?;
    let secret = secret_of(cloud, authorization.access_key_id).ok_or_else(unknown_key)?;
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
        authorization.scope,
        hex::encode(Sha256::digest(canonical_request(
            head,
            authorization.signed_headers,
            body
        )))
    );
    let mac = hmac(&signing_key(&secret, authorization.scope), to_sign.as_bytes());
    let signature = hex::decode(authorization.signature).unwrap_or_default();
    mac.verify_slice(&signature).map_err(|_| {
        mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        )
    })?;
    principal_of(
        cloud,
        authorization.access_key_id,
        head.headers.get("x-amz-security-token"),
    )
}

/// The secret access key of an access key; none if it is not one of this cloud's.
pub fn secret_of(cloud: &Cloud, access_key_id: &str) -> Option<String> {
    if access_key_id == cloud.endpoint.access_key_id {
        Some(cloud.endpoint.secret_access_key.clone())
    } else if access_key_id.starts_with("ASIA") {
        Some(cloud.sessions.secret_of(access_key_id))
    } else {
        None
    }
}

/// Who uses an access key: for a role session's, the session token must be the one issued with it.
pub fn principal_of(
    cloud: &Cloud,
    access_key_id: &str,
    token: Option<&http::HeaderValue>,
) -> Result<Principal, AwsError> {
    if access_key_id == cloud.endpoint.access_key_id {
        return Ok(Principal::Root);
    }
    let token = token
        .and_then(|token| token.to_str().ok())
        .ok_or_else(unknown_key)?;
    cloud
        .sessions
        .session_of(access_key_id, token)
        .map_err(|bad| match bad {
            BadToken::Invalid => unknown_key(),
            BadToken::Expired => AwsError::new(
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
        })
}

fn unknown_key() -> AwsError {
    AwsError::new(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    )
}

fn check_time(date: &str, now: Timestamp) -> Result<(), AwsError> {
    let sent = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(|_| {
            AwsError::new(
                403,
                "IncompleteSignature",
                "Date must be in ISO-8601 'basic format' in header 'X-Amz-Date'.",
            )
        })?;
    let late = now.as_second() - sent.timestamp().as_second();
    let basic = |time: Timestamp| time.strftime("%Y%m%dT%H%M%SZ");
    if late > MOST_SKEW.as_secs() {
        return Err(mismatch(format!(
            "Signature expired: {date} is now earlier than {} ({} - 15 min.): is a clock wrong?",
            basic(now - MOST_SKEW),
            basic(now)
        )));
    }
    if late < -MOST_SKEW.as_secs() {
        return Err(mismatch(format!(
            "Signature not yet current: {date} is still later than {} ({} + 15 min.): is a clock wrong?",
            basic(now + MOST_SKEW),
            basic(now)
        )));
    }
    Ok(())
}

/// A credential scope is of the request's day, of our region, and for this version of signatures.
fn check_scope(scope: &str, date: &str, here: &str, service: Service) -> Result<(), AwsError> {
    let parts: Vec<&str> = scope.split('/').collect();
    let [day, region, _service, terminator] = parts.as_slice() else {
        return Err(mismatch(format!(
            "Credential should have the form KEY/DATE/REGION/SERVICE/aws4_request, not KEY/{scope}"
        )));
    };
    if !date.starts_with(day) || day.len() != 8 {
        return Err(mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}' != '{}', from \
             '{date}'.",
            date.get(..8).unwrap_or(date)
        )));
    }
    // IAM and STS are global as well, and sign as if in us-east-1 then.
    let is_global = matches!(service, Service::Iam | Service::Sts) && *region == "us-east-1";
    if *region != here && !is_global {
        return Err(mismatch(format!(
            "Credential should be scoped to a valid region, not '{region}': this local cloud runs in {here}, which AWS_REGION or \
             --region has to say"
        )));
    }
    if *terminator != "aws4_request" {
        return Err(mismatch(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'."
        )));
    }
    Ok(())
}

fn mismatch(message: impl Into<String>) -> AwsError {
    AwsError::new(403, "SignatureDoesNotMatch", message)
}

fn canonical_request(head: &Parts, signed_headers: &str, body: &[u8]) -> String {
    let mut headers = String::new();
    for name in signed_headers.split(';') {
        let values: Vec<String> = head
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                let value = String::from_utf8_lossy(value.as_bytes());
                value.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{signed_headers}\n{}",
        head.method,
        utf8_percent_encode(head.uri.path(), RESERVED_IN_PATH),
        canonical_query(head.uri.query().unwrap_or_default()),
        hex::encode(Sha256::digest(body)),
    )
}

fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&decoded, RESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

fn signing_key(secret: &str, scope: &str) -> Vec<u8> {
    scope
        .split('/')
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            hmac(&key, part.as_bytes()).finalize().into_bytes().to_vec()
        })
}

#[allow(clippy::expect_used)] // HMAC takes a key of any length.
fn hmac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key)
        .expect("HMAC takes a key of any length")
        .chain_update(message)
}

fn header<'a>(head: &'a Parts, name: &str) -> &'a str {
    head.headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_signature_is_good_for_a_quarter_of_an_hour_around_its_time() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for good in ["20260301T114500Z", "20260301T120000Z", "20260301T121500Z"] {
            check_time(good, now).unwrap();
        }
        for (bad, why) in [
            ("20260301T114459Z", "expired"),
            ("20260301T121501Z", "not yet current"),
        ] {
            let refused = check_time(bad, now).unwrap_err();
            assert_eq!(refused.code, "SignatureDoesNotMatch");
            assert!(refused.message.contains(why), "{refused}");
        }
        assert_eq!(
            check_time("yesterday", now).unwrap_err().code,
            "IncompleteSignature"
        );
    }

    #[test]
    fn a_scope_is_of_the_day_and_of_our_region() {
        let check = |scope| check_scope(scope, "20260301T120000Z", "eu-west-3", Service::Logs);
        check("20260301/eu-west-3/logs/aws4_request").unwrap();
        let global = "20260301/us-east-1/iam/aws4_request";
        check_scope(global, "20260301T120000Z", "eu-west-3", Service::Iam).unwrap();
        for (scope, why) in [
            ("20260301/us-east-1/logs/aws4_request", "not 'us-east-1'"),
            ("20260228/eu-west-3/logs/aws4_request", "'20260228' != '20260301'"),
            ("2026/eu-west-3/logs/aws4_request", "'2026' != '20260301'"),
            ("20260301/eu-west-3/logs/aws3_request", "aws3_request"),
            ("20260301/eu-west-3", "form"),
        ] {
            let refused = check(scope).unwrap_err();
            assert!(refused.message.contains(why), "{refused}");
        }
    }
}
