//! The Lambda Runtime API of one execution environment, on a port of its own.
//!
//! Facts: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

/// The most a function may answer, in bytes.
const MOST_RESPONSE: usize = 6 * 1024 * 1024;

/// One event on its way to the function.
pub struct Invocation {
    pub request_id: String,
    pub payload: Bytes,
    /// Milliseconds since 1970.
    pub deadline: i64,
    pub answer: oneshot::Sender<Answer>,
}

/// What the function says of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Response(Bytes),
    Error(Bytes),
}

/// The endpoint that a process is told as `AWS_LAMBDA_RUNTIME_API`.
pub struct RuntimeApi {
    pub address: SocketAddr,
    pub shared: Arc<Shared>,
    pub invocations: mpsc::Sender<Invocation>,
    accepting: AbortHandle,
}

pub struct Shared {
    address: SocketAddr,
    function_arn: String,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    /// The event that was handed out and is not answered.
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    /// The process asked for its first event: initialization is done.
    pub ready: Notify,
    pub init_error: Mutex<Option<Bytes>>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl RuntimeApi {
    pub async fn listen(function_arn: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (invocations, waiting) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            address,
            function_arn,
            waiting: tokio::sync::Mutex::new(waiting),
            current: Mutex::default(),
            ready: Notify::new(),
            init_error: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self {
            address,
            shared,
            invocations,
            accepting,
        })
    }
}

/// A connection lives as long as its process does.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(shared.answer(request).await) }
            });
            if let Err(error) = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await
            {
                tracing::debug!(%error, "a runtime API connection ended early");
            }
        });
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if !self.is_for_us(&head) {
            return status(StatusCode::FORBIDDEN);
        }
        let path = head.uri.path().to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (&head.method, parts.as_slice()) {
            (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => self.next().await,
            (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
                match read(body).await {
                    Some(body) => self.finish(id, Answer::Response(body)),
                    None => {
                        let error = json!({
                            "errorType": "Function.ResponseSizeTooLarge",
                            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
                        });
                        self.finish(id, Answer::Error(error.to_string().into()));
                        status(StatusCode::PAYLOAD_TOO_LARGE)
                    }
                }
            }
            (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => {
                self.finish(id, Answer::Error(read(body).await.unwrap_or_default()))
            }
            (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
                let error = read(body).await.unwrap_or_default();
                *self.init_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                self.ready.notify_one();
                status(StatusCode::ACCEPTED)
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    /// A web page that rebinds its host name to 127.0.0.1 still sends its own name as `Host`.
    fn is_for_us(&self, head: &Parts) -> bool {
        let host = head.headers.get(http::header::HOST);
        host.is_some_and(|host| *host == self.address.to_string())
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        self.ready.notify_one();
        let Some(invocation) = self.waiting.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        let trace = format!(
            "Root=1-{:08x}-{};Sampled=0",
            invocation.deadline / 1000,
            &invocation.request_id.replace('-', "")[..24]
        );
        let response = Response::builder()
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &invocation.request_id)
            .header("Lambda-Runtime-Deadline-Ms", invocation.deadline)
            .header("Lambda-Runtime-Invoked-Function-Arn", &self.function_arn)
            .header("Lambda-Runtime-Trace-Id", trace)
            .body(Full::new(invocation.payload));
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some((invocation.request_id, invocation.answer));
        response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn finish(&self, request_id: &str, answer: Answer) -> Response<Full<Bytes>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, asked)) = current.take_if(|(id, _)| id == request_id) else {
            return status(StatusCode::BAD_REQUEST);
        };
        // Whoever asked may have given up (a timeout).
        let _ = asked.send(answer);
        status(StatusCode::ACCEPTED)
    }
}

async fn read(body: Incoming) -> Option<Bytes> {
    let body = Limited::new(body, MOST_RESPONSE).collect().await.ok()?;
    Some(body.to_bytes())
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}")));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn only_who_was_given_the_address_is_answered() {
        let api = RuntimeApi::listen("arn".to_owned()).await.unwrap();
        let ask = async |host: &str| {
            let mut stream = TcpStream::connect(api.address).await.unwrap();
            let request = format!(
                "POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).await.unwrap();
            reply.split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(ask("evil.example").await, "403");
        assert_eq!(ask(&api.address.to_string()).await, "400", "no such invocation");
    }
}
