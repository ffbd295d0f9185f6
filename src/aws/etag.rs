//! What S3 calls an object's bytes. S3 puts it in quotes, and what the function tells of it has none.

use aws_sdk_s3::operation::get_object::GetObjectOutput;

/// Whether both are of the same bytes.
pub fn is_same_etag(one: &str, other: &str) -> bool {
    one.trim_matches('"') == other.trim_matches('"')
}

/// Whether what S3 gives are other bytes than those it called `etag`; not where that is not known.
pub fn is_another(given: &GetObjectOutput, etag: Option<&str>) -> bool {
    etag.is_some_and(|etag| !given.e_tag().is_some_and(|given| is_same_etag(given, etag)))
}
