//! S3: the protocol is the `s3s` crate's, the storage is ours.

use std::io;
use std::path::Path;
use std::sync::Arc;

use http::{Request, Response};
use s3s::Body;
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::cloud::Cloud;
use crate::store::Store;

struct Storage {}

impl s3s::S3 for Storage {}

pub fn service(_cloud: &Arc<Cloud>) -> S3Service {
    S3ServiceBuilder::new(Storage {}).build()
}

pub async fn answer(service: &S3Service, request: Request<Body>) -> Response<Body> {
    match service.call(request).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(?error, "s3");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

pub fn sweep_orphans(_data_dir: &Path, _store: &Store) -> io::Result<()> {
    Ok(())
}
