//! The tags that a CreateBucket brings along: the `s3s` crate (0.14) does not read them yet.

use http::header::CONTENT_LENGTH;
use http::{Method, Request};
use s3s::Body;
use s3s::dto::Tag;
use serde::Deserialize;

/// The longest document that is looked into, in bytes: fifty tags of the longest keys and values fit.
const DOCUMENT_MAX: usize = 128 * 1024;

/// The tags of a bucket to be, beside its request.
#[derive(Debug, Clone, Default)]
pub struct CreationTags(pub Vec<Tag>);

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

/// Notes the tags, if this creates a bucket. What is wrong with the document is for the `s3s` crate to say.
pub async fn note_tags(request: &mut Request<Body>) {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if !creates_a_bucket(request) || !length.is_some_and(|length| (1..=DOCUMENT_MAX).contains(&length)) {
        return;
    }
    let mut body = std::mem::replace(request.body_mut(), Body::empty());
    let Ok(document) = body.store_all_limited(DOCUMENT_MAX).await else {
        return;
    };
    if let Ok(configuration) = quick_xml::de::from_reader::<_, CreateBucketConfiguration>(&*document) {
        let tags = configuration.tags.tag.into_iter().map(|tag| Tag {
            key: Some(tag.key),
            value: Some(tag.value),
        });
        request.extensions_mut().insert(CreationTags(tags.collect()));
    }
    *request.body_mut() = Body::from(document);
}

/// `PUT /bucket`; what else is done to a bucket names its part in the query.
fn creates_a_bucket(request: &Request<Body>) -> bool {
    let bucket = request.uri().path().trim_matches('/');
    let mut parameters = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    request.method() == Method::PUT
        && !bucket.is_empty()
        && !bucket.contains('/')
        && parameters.all(|(name, _)| name.to_ascii_lowercase().starts_with("x-"))
}
