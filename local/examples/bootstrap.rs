//! A function for the local cloud's own tests: it does what the event's `do` says.
//!
//! `copy` (also for events without `do`) copies the object `bucket`/`key` to the bucket `RESIZED_BUCKET`. With `seconds` it
//! waits for so long before.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};

fn main() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let s3 = client(&variable);
    let api = variable("AWS_LAMBDA_RUNTIME_API");
    let mut stream = BufReader::new(TcpStream::connect(&api).unwrap());
    loop {
        let (headers, event) = exchange(&mut stream, "GET /2018-06-01/runtime/invocation/next", b"");
        let id = headers
            .iter()
            .find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: "))
            .unwrap();
        let event: Value = serde_json::from_slice(&event).unwrap();
        let (kind, answer) = match runtime.block_on(act(&s3, &event)) {
            Ok(answer) => ("response", answer),
            Err(error) => ("error", error),
        };
        let request = format!("POST /2018-06-01/runtime/invocation/{id}/{kind}");
        exchange(&mut stream, &request, answer.to_string().as_bytes());
    }
}

fn client(variable: &dyn Fn(&str) -> String) -> Client {
    let token = Some(variable("AWS_SESSION_TOKEN"));
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
        token,
        None,
        "environment",
    );
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(variable("AWS_ENDPOINT_URL"))
        .region(Region::new(variable("AWS_REGION")))
        .credentials_provider(credentials)
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

async fn act(s3: &Client, event: &Value) -> Result<Value, Value> {
    if let Some(seconds) = event["seconds"].as_u64() {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
    match event["do"].as_str().unwrap_or("copy") {
        "echo" => Ok(event.clone()),
        "refuse" => Ok(json!({"ok": false, "error": "not an image"})),
        "fail" => Err(json!({"errorType": "Transient", "errorMessage": "try again"})),
        "crash" => std::process::exit(3),
        "sleep" => Ok(json!({"ok": true})),
        "print" => {
            println!("hello from the function");
            Ok(
                json!({"ok": true, "variables": std::env::vars().collect::<std::collections::BTreeMap<_, _>>()}),
            )
        }
        _ => {
            copy(
                s3,
                event["bucket"].as_str().unwrap_or_default(),
                event["key"].as_str().unwrap_or_default(),
            )
            .await
        }
    }
}

async fn copy(s3: &Client, bucket: &str, key: &str) -> Result<Value, Value> {
    let failed = |code: Option<&str>, message: String| json!({"errorType": code.unwrap_or("Unknown"), "errorMessage": message});
    let object = s3
        .get_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .map_err(|error| {
            let error = error.into_service_error();
            failed(error.meta().code(), error.to_string())
        })?;
    let body = object
        .body
        .collect()
        .await
        .map_err(|error| failed(None, error.to_string()))?;
    let destination = std::env::var("RESIZED_BUCKET").unwrap_or_default();
    let put = s3
        .put_object()
        .bucket(&destination)
        .key(key)
        .body(body.into_bytes().into());
    put.send().await.map_err(|error| {
        let error = error.into_service_error();
        failed(error.meta().code(), error.to_string())
    })?;
    Ok(json!({"ok": true, "destBucket": destination, "destKey": key}))
}

/// One request on a kept connection: the lines of the answer's head, and its body.
fn exchange(stream: &mut BufReader<TcpStream>, request: &str, body: &[u8]) -> (Vec<String>, Vec<u8>) {
    let host = stream.get_ref().peer_addr().unwrap();
    let mut message = format!(
        "{request} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    message.extend_from_slice(body);
    stream.get_mut().write_all(&message).unwrap();
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap() == 0 {
            // The local cloud has gone.
            std::process::exit(0);
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head
        .iter()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}
