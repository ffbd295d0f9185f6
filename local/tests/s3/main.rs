//! S3 on a local cloud, with the AWS SDK as its client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod buckets;
#[path = "../common/mod.rs"]
mod common;
mod durability;
mod inputs;
mod lists;
mod objects;
mod parts;
mod versions;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use common::TestCloud;

const BUCKET: &str = "pictures";

async fn cloud_with_bucket() -> (TestCloud, Client) {
    let cloud = TestCloud::start().await;
    let s3 = cloud.s3();
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    (cloud, s3)
}

async fn put(s3: &Client, key: &str, body: &[u8]) -> String {
    let body = ByteStream::from(body.to_vec());
    s3.put_object()
        .bucket(BUCKET)
        .key(key)
        .body(body)
        .send()
        .await
        .unwrap()
        .e_tag
        .unwrap()
}

async fn get(s3: &Client, key: &str) -> Vec<u8> {
    let reply = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    reply.body.collect().await.unwrap().to_vec()
}

/// How many objects the bucket lists.
async fn key_count(s3: &Client) -> Option<i32> {
    let listed = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    listed.key_count()
}

/// A bucket's default encryption.
fn encrypted_with(algorithm: ServerSideEncryption) -> ServerSideEncryptionConfiguration {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(algorithm)
        .build()
        .unwrap();
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .build();
    ServerSideEncryptionConfiguration::builder()
        .rules(rule)
        .build()
        .unwrap()
}

fn files_in(cloud: &TestCloud) -> usize {
    let folders = std::fs::read_dir(cloud.data_dir().join("objects")).unwrap();
    folders
        .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
        .sum()
}
