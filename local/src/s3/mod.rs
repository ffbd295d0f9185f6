//! S3: the protocol is the `s3s` crate's, the storage is ours. The bytes of a large object are a file, everything else
//! is a row.

mod access;
mod buckets;
mod checksum;
mod configuration;
mod creation;
mod delete;
mod error;
mod files;
mod inputs;
mod listing;
mod multipart;
mod multipart_lists;
mod notification;
mod objects;
mod operations;
mod read;
mod versions;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, Request, Response, StatusCode};
use s3s::dto::{Owner, ServerSideEncryption, Timestamp, TimestampFormat};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, S3Request};

use crate::cloud::{ACCOUNT, Cloud};
use crate::error::AwsError;
use crate::random;
use access::{Befallen, Gate};
pub use files::FOLDER;
use files::Files;
use notification::Origin;

/// The operations' implementation: [`operations`] says which there are.
struct Storage {
    cloud: Arc<Cloud>,
    files: Files,
}

/// The request's id, for its response and the event it causes.
#[derive(Clone)]
struct RequestId(String);

/// The S3 service.
pub fn service(cloud: &Arc<Cloud>) -> S3Service {
    let files = Files::below(&cloud.data_dir);
    let mut builder = S3ServiceBuilder::new(Storage {
        cloud: Arc::clone(cloud),
        files,
    });
    builder.set_auth(Gate(Arc::clone(cloud)));
    builder.set_access(Gate(Arc::clone(cloud)));
    builder.build()
}

/// Answers one request.
pub async fn answer(service: &S3Service, mut request: Request<Body>) -> Response<Body> {
    // AWS's S3 request ids are 16 characters.
    let id = random::bytes::<8>().map(hex::encode_upper).unwrap_or_default();
    request.extensions_mut().insert(RequestId(id.clone()));
    let befallen = Befallen::default();
    request.extensions_mut().insert(befallen.clone());
    creation::note_tags(&mut request).await;
    let response = match service.call(request).await {
        Ok(response) => befallen
            .answer_or(response)
            .map_err(|error| HttpError::new(Box::new(error))),
        failed => failed,
    };
    let mut response = response.unwrap_or_else(|error| {
        tracing::error!(?error, "an S3 request failed");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    response
}

/// Removes, beside the running cloud, the files of uploads that a killed process left unfinished.
pub fn start(cloud: &Arc<Cloud>) {
    let (cloud, start) = (Arc::clone(cloud), SystemTime::now());
    thread::spawn(move || {
        if let Err(error) = Files::below(&cloud.data_dir).sweep(&cloud.store, start) {
            tracing::warn!(%error, "failed to sweep the objects' folder");
        }
    });
}

fn origin<T>(cloud: &Cloud, request: &S3Request<T>) -> Origin {
    let id = request.extensions.get::<RequestId>();
    Origin {
        region: cloud.region.clone(),
        request_id: id.map(|id| id.0.clone()).unwrap_or_default(),
    }
}

/// A time in milliseconds since the epoch, as S3's replies have it.
fn timestamp(milliseconds: i64) -> Timestamp {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
    Timestamp::from(SystemTime::UNIX_EPOCH + since)
}

/// A time as HTTP's headers have it.
fn http_date(time: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// Everything in S3 is encrypted; with SSE-S3 unless somebody asked for something else.
fn encrypted() -> Option<ServerSideEncryption> {
    Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256))
}

fn owner() -> Owner {
    Owner {
        id: Some(ACCOUNT.to_owned()),
        display_name: None,
    }
}

/// A version id, or an upload's: 32 characters.
fn random_version() -> Result<String, AwsError> {
    Ok(URL_SAFE_NO_PAD.encode(random::bytes::<24>()?))
}
