//! The tags that a CreateBucket brings along: the `s3s` crate (0.14) does not read them yet.

use http::{Method, Request};
use s3s::Body;
use s3s::dto::Tag;
use serde::Deserialize;

/// The longest document that is looked into, in bytes: fifty tags of the longest keys and values fit.
const DOCUMENT_MAX: usize = 128 * 1024;

/// The tags of a bucket to be, beside its request; none, if its document is not understood.
#[derive(Debug, Clone)]
pub struct CreationTags(pub Option<Vec<Tag>>);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct CreateBucketConfiguration {
    tags: Tags,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Tags {
    tag: Vec<KeyValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyValue {
    key: String,
    value: String,
}

/// Notes the tags, if this creates a bucket.
pub async fn note_tags(request: &mut Request<Body>) {
    if !creates_a_bucket(request) {
        return;
    }
    let mut body = std::mem::replace(request.body_mut(), Body::empty());
    let document = body.store_all_limited(DOCUMENT_MAX).await.ok();
    let tags = document.as_deref().and_then(read);
    request.extensions_mut().insert(CreationTags(tags));
    *request.body_mut() = document.map(Body::from).unwrap_or_default();
}

fn read(document: &[u8]) -> Option<Vec<Tag>> {
    if document.is_empty() {
        return Some(Vec::new());
    }
    let configuration: CreateBucketConfiguration = quick_xml::de::from_reader(document).ok()?;
    let tags = configuration.tags.tag.into_iter().map(|tag| Tag {
        key: Some(tag.key),
        value: Some(tag.value),
    });
    Some(tags.collect())
}

/// `PUT /bucket`; what else is done to a bucket names its part in the query.
fn creates_a_bucket(request: &Request<Body>) -> bool {
    // `/bucket` or `/bucket/`; of the key `/` it is `/bucket//`.
    let path = request.uri().path().trim_start_matches('/');
    let bucket = path.strip_suffix('/').unwrap_or(path);
    let mut parameters = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    request.method() == Method::PUT
        && !bucket.is_empty()
        && !bucket.contains('/')
        && parameters.all(|(name, _)| name.to_ascii_lowercase().starts_with("x-"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_of_slashes_alone_is_none_of_a_bucket_to_be() {
        for (uri, is_one) in [
            ("/bucket", true),
            ("/bucket/", true),
            ("/bucket?x-id=CreateBucket", true),
            ("/bucket?tagging", false),
            ("/bucket/key", false),
            ("/bucket//", false),
            ("/bucket///", false),
        ] {
            let mut request = Request::new(Body::empty());
            *request.method_mut() = Method::PUT;
            *request.uri_mut() = uri.parse().unwrap();
            assert_eq!(creates_a_bucket(&request), is_one, "{uri}");
        }
    }
}
